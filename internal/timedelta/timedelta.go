// Package timedelta is a span of time in a configuration, as Lightning takes it: datetime.timedelta, "DD:HH:MM:SS" or a
// mapping of units.
package timedelta

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/registry"
)

// Duration is a span of time.
type Duration time.Duration

// Components are the arguments of Python's datetime.timedelta; their sum is the span.
// https://docs.python.org/3/library/datetime.html#datetime.timedelta
type Components struct {
	Days         float64 `cfg:"days" help:"days of 24 hours"`
	Seconds      float64 `cfg:"seconds" help:"seconds"`
	Microseconds float64 `cfg:"microseconds" help:"millionths of a second"`
	Milliseconds float64 `cfg:"milliseconds" help:"thousandths of a second"`
	Minutes      float64 `cfg:"minutes" help:"minutes"`
	Hours        float64 `cfg:"hours" help:"hours"`
	Weeks        float64 `cfg:"weeks" help:"weeks of 7 days"`
}

func init() { registry.Register[Duration]("datetime.timedelta", Components{}) }

// Build adds the units up.
func (c Components) Build(*registry.Env) (Duration, error) {
	s := c.Weeks*7*86400 + c.Days*86400 + c.Hours*3600 + c.Minutes*60 + c.Seconds + c.Milliseconds/1e3 + c.Microseconds/1e6
	if math.Abs(s) >= math.MaxInt64/float64(time.Second) || math.IsNaN(s) {
		return 0, fmt.Errorf("%v seconds are out of range", s)
	}
	return Duration(math.Round(s*1e6) * 1e3), nil
}

// ConfigType names the forms.
func (d *Duration) ConfigType() string {
	return `a datetime.timedelta, a "DD:HH:MM:SS" or a mapping such as {hours: 1}`
}

// DecodeConfig takes any of the forms.
func (d *Duration) DecodeConfig(v any) error {
	var err error
	switch x := v.(type) {
	case Duration:
		*d = x
	case string:
		*d, err = parse(x)
	case *config.Dict:
		*d, err = fromUnits(x)
	default:
		err = errors.New("expected " + d.ConfigType())
	}
	return err
}

func parse(s string) (Duration, error) {
	parts := strings.Split(s, ":")
	if len(parts) != 4 {
		return 0, fmt.Errorf("%q is not of the form DD:HH:MM:SS", s)
	}
	var n [4]float64
	for i, p := range parts {
		u, err := strconv.ParseUint(p, 10, 31)
		if err != nil {
			return 0, fmt.Errorf("%q is not of the form DD:HH:MM:SS: %q is no number", s, p)
		}
		n[i] = float64(u)
	}
	return Components{Days: n[0], Hours: n[1], Minutes: n[2], Seconds: n[3]}.Build(nil)
}

func fromUnits(m *config.Dict) (Duration, error) {
	var c Components
	units := map[string]*float64{
		"days": &c.Days, "seconds": &c.Seconds, "microseconds": &c.Microseconds, "milliseconds": &c.Milliseconds,
		"minutes": &c.Minutes, "hours": &c.Hours, "weeks": &c.Weeks,
	}
	for i, k := range m.Keys {
		unit := units[fmt.Sprint(k)]
		if unit == nil {
			return 0, fmt.Errorf("unknown unit %q: there are days, seconds, microseconds, milliseconds, minutes, hours and weeks", fmt.Sprint(k))
		}
		switch n := m.Values[i].(type) {
		case int64:
			*unit = float64(n)
		case float64:
			*unit = n
		default:
			return 0, fmt.Errorf("%v must be a number, got %v", k, n)
		}
	}
	return c.Build(nil)
}

// String is Python's repr of the timedelta: "datetime.timedelta(days=1, seconds=5)".
func (d Duration) String() string {
	us := int64(d) / 1000
	days := us / (86400 * 1e6)
	if us -= days * 86400 * 1e6; us < 0 {
		days, us = days-1, us+86400*1e6
	}
	var parts []string
	for _, p := range []struct {
		name string
		n    int64
	}{{"days", days}, {"seconds", us / 1e6}, {"microseconds", us % 1e6}} {
		if p.n != 0 {
			parts = append(parts, fmt.Sprintf("%s=%d", p.name, p.n))
		}
	}
	if parts == nil {
		return "datetime.timedelta(0)"
	}
	return "datetime.timedelta(" + strings.Join(parts, ", ") + ")"
}
