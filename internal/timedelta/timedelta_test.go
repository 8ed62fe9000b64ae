package timedelta

import (
	"strings"
	"testing"
	"time"

	"github.com/lighter-go/lighter/internal/config"
)

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		in   any
		want time.Duration
		err  string
	}{
		{in: "00:12:00:30", want: 12*time.Hour + 30*time.Second},
		{in: "01:00:00:00", want: 24 * time.Hour},
		{in: &config.Dict{Keys: []any{"minutes", "hours"}, Values: []any{1.5, int64(1)}}, want: time.Hour + 90*time.Second},
		{in: Duration(time.Minute), want: time.Minute},
		{in: "1:2:3", err: "DD:HH:MM:SS"},
		{in: "a:0:0:0", err: `"a"`},
		{in: "99999999999:0:0:0", err: "no number"},
		{in: "2000000000:0:0:0", err: "out of range"},
		{in: &config.Dict{Keys: []any{"minute"}, Values: []any{int64(1)}}, err: `"minute"`},
		{in: &config.Dict{Keys: []any{"hours"}, Values: []any{"1"}}, err: "number"},
		{in: int64(5), err: "datetime.timedelta"},
	} {
		var d Duration
		err := d.DecodeConfig(c.in)
		switch {
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%v: got %v, want an error with %q", c.in, err, c.err)
		case c.err == "" && (err != nil || time.Duration(d) != c.want):
			t.Errorf("%v: got %v, %v, want %v", c.in, time.Duration(d), err, c.want)
		}
	}
}

func TestStringIsPythonsRepr(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                                    "datetime.timedelta(0)",
		90 * time.Second:                     "datetime.timedelta(seconds=90)",
		25*time.Hour + 1500*time.Microsecond: "datetime.timedelta(days=1, seconds=3600, microseconds=1500)",
		-time.Second:                         "datetime.timedelta(days=-1, seconds=86399)",
		48 * time.Hour:                       "datetime.timedelta(days=2)",
	} {
		if got := Duration(d).String(); got != want {
			t.Errorf("%v: got %s, want %s", d, got, want)
		}
	}
}
