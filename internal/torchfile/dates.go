package torchfile

import (
	"fmt"
	"time"
)

// Dates and durations stand in people's hyper-parameters. They are read as the text that Python's str gives.

func init() {
	allow(newDate("2006-01-02", 4), "datetime.date")
	allow(newDate("2006-01-02 15:04:05", 10), "datetime.datetime")
	allow(newTimedelta, "datetime.timedelta")
	allow(onlyArgument, "decimal.Decimal")
}

// newDate takes the bytes that Python keeps a date in: year (2, big-endian), month, day, hour, minute, second,
// microsecond (3). A time zone is refused.
func newDate(layout string, size int) func(*machine, []any) (any, error) {
	return func(_ *machine, args []any) (any, error) {
		if len(args) != 1 {
			return nil, badArguments(args)
		}
		b, ok := args[0].([]byte)
		if !ok || len(b) != size {
			return nil, badArguments(args)
		}
		var full [10]byte
		copy(full[:], b)
		us := int(full[7])<<16 | int(full[8])<<8 | int(full[9])
		t := time.Date(int(full[0])<<8|int(full[1]), time.Month(full[2]), int(full[3]), int(full[4]), int(full[5]), int(full[6]), us*1000, time.UTC)
		if us != 0 {
			return t.Format(layout + ".000000"), nil
		}
		return t.Format(layout), nil
	}
}

// newTimedelta takes days, seconds and microseconds.
func newTimedelta(_ *machine, args []any) (any, error) {
	var n [3]int64
	for i := range n {
		var ok bool
		if len(args) != 3 {
			return nil, badArguments(args)
		}
		if n[i], ok = args[i].(int64); !ok {
			return nil, badArguments(args)
		}
	}
	text := fmt.Sprintf("%d:%02d:%02d", n[1]/3600, n[1]/60%60, n[1]%60)
	if n[2] != 0 {
		text += fmt.Sprintf(".%06d", n[2])
	}
	switch n[0] {
	case 0:
		return text, nil
	case 1, -1:
		return fmt.Sprintf("%d day, %s", n[0], text), nil
	}
	return fmt.Sprintf("%d days, %s", n[0], text), nil
}
