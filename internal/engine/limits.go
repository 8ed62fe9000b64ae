package engine

import (
	"fmt"
	"math"
	"time"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/timedelta"
)

// limit is a number of batches or a fraction of them; unset it is all.
type limit struct {
	set      bool
	count    int
	fraction float64 // when count is -1
}

// DecodeConfig takes an int or a float from 0 to 1.
func (l *limit) DecodeConfig(v any) error {
	switch x := v.(type) {
	case nil:
		*l = limit{}
	case int64:
		if x < 0 {
			return fmt.Errorf("a number of batches must not be negative, got %d", x)
		}
		*l = limit{set: true, count: int(x)}
	case float64:
		switch {
		case x > 1 && x == math.Trunc(x) && x < math.MaxInt32:
			*l = limit{set: true, count: int(x)}
		case x >= 0 && x <= 1:
			*l = limit{set: true, count: -1, fraction: x}
		default:
			return fmt.Errorf("you have passed invalid value %v, it has to be in [0.0, 1.0] or an int", x)
		}
	default:
		return fmt.Errorf("must be %s, got %s", l.ConfigType(), lighter.TypeName(v))
	}
	return nil
}

// ConfigType names the form.
func (*limit) ConfigType() string { return "an int, or a float from 0.0 to 1.0" }

func (l limit) isFraction() bool { return !l.set || l.count < 0 }

// zero says that the limit is none at all.
func (l limit) zero() bool { return l.set && (l.count == 0 || l.count < 0 && l.fraction == 0) }

// of is how many of the n batches of a mode's loader are meant; n is -1 when unknown.
func (l limit) of(n int, m lighter.Mode) (int, error) {
	switch {
	case !l.set || l.count < 0 && l.fraction == 1:
		return n, nil
	case l.count >= 0 && n < 0:
		return l.count, nil
	case l.count >= 0:
		return min(l.count, n), nil
	case n < 0 && l.fraction == 0:
		return 0, nil
	case n < 0:
		return 0, fmt.Errorf("when using an `IterableDataset`, `Trainer(limit_%[1]s_batches)` must be `1.0` or an int. An int specifies `num_%[1]s_batches` to use: the data set of data::%[1]s_dataloader does not know its length", m)
	}
	some := int(float64(n) * l.fraction)
	if some == 0 && n > 0 && l.fraction > 0 {
		return 0, fmt.Errorf("you requested to check %v of the `%s_dataloader` but %[1]v * %[3]d < 1. Please increase the `limit_%[2]s_batches` argument. Try at least `limit_%[2]s_batches=%[4]v`", l.fraction, m, n, 1/float64(n))
	}
	return some, nil
}

// interval is val_check_interval: a number of batches, a fraction of an epoch, or a time.
type interval struct {
	limit
	every time.Duration
}

// DecodeConfig takes what a limit takes, and a span of time.
func (i *interval) DecodeConfig(v any) error {
	*i = interval{}
	switch v.(type) {
	case nil, int64, float64:
		return i.limit.DecodeConfig(v)
	case bool, []any:
		return fmt.Errorf("must be %s, got %s", i.ConfigType(), lighter.TypeName(v))
	}
	var d timedelta.Duration
	if err := d.DecodeConfig(v); err != nil {
		return err
	}
	if d <= 0 {
		return fmt.Errorf("a time between validations must be positive, got %v", time.Duration(d))
	}
	i.set, i.every = true, time.Duration(d)
	return nil
}

// ConfigType names the forms.
func (*interval) ConfigType() string {
	return `an int, a float from 0.0 to 1.0, or a time: "DD:HH:MM:SS", {hours: 1} or a datetime.timedelta`
}
