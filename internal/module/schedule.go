package module

import (
	"errors"
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/registry"
)

// schedule is the scheduler argument: a scheduler, which steps every epoch, or Lightning's mapping.
type schedule struct{ *lighter.Schedule }

var scheduleKeys = []string{"scheduler", "interval", "frequency", "monitor", "strict", "reduce_on_plateau", "name"}

// DecodeConfig takes a scheduler or a mapping that holds one.
func (s *schedule) DecodeConfig(v any) error {
	c := &lighter.Schedule{Interval: "epoch", Frequency: 1, Strict: true}
	var err error
	switch x := v.(type) {
	case nil:
		return nil
	case lighter.Scheduler:
		c.Scheduler = x
	case *config.Dict:
		err = decodeSchedule(c, x)
	default:
		err = fmt.Errorf("must be %s, got %s", s.ConfigType(), lighter.TypeName(v))
	}
	switch {
	case err != nil:
	case c.Scheduler == nil:
		err = errors.New("the mapping must hold a `scheduler`")
	case c.Scheduler.NeedsMetric() && c.Monitor == "":
		err = errors.New("the lr scheduler dict must include a monitor when a `ReduceLROnPlateau` scheduler is used. For example:\n  scheduler:\n    scheduler: {_target_: torch.optim.lr_scheduler.ReduceLROnPlateau, ...}\n    monitor: val/loss/epoch")
	}
	s.Schedule = c
	return err
}

// CheckConfig takes what will be a scheduler or a mapping that holds one.
func (s *schedule) CheckConfig(v any) error {
	if d, ok := v.(*config.Dict); ok {
		return decodeSchedule(&lighter.Schedule{}, d)
	}
	if !registry.Fits[lighter.Scheduler](v) {
		return fmt.Errorf("must be %s, got %s", s.ConfigType(), registry.Describe(v))
	}
	return nil
}

func decodeSchedule(c *lighter.Schedule, d *config.Dict) error {
	for i, k := range d.Keys {
		key, _ := k.(string)
		v, ok := d.Values[i], false
		switch key {
		case "scheduler":
			c.Scheduler, _ = v.(lighter.Scheduler)
			ok = registry.Fits[lighter.Scheduler](v)
		case "interval":
			c.Interval, ok = v.(string)
			ok = ok && (c.Interval == "epoch" || c.Interval == "step")
		case "frequency":
			var n int64
			n, ok = v.(int64)
			c.Frequency, ok = int(n), ok && n > 0
		case "monitor":
			c.Monitor, ok = v.(string)
			ok = ok || v == nil
		case "strict":
			c.Strict, ok = v.(bool)
		case "name":
			c.Name, ok = v.(string)
			ok = ok || v == nil
		case "reduce_on_plateau":
			_, ok = v.(bool) // the scheduler says so itself
		default:
			return registry.UnknownKey(key, scheduleKeys)
		}
		if !ok {
			return lighter.FieldError(key, "%v is not %s", v, map[string]string{
				"scheduler": "a scheduler", "interval": `"epoch" or "step"`, "frequency": "a positive int", "monitor": "a metric's name",
				"strict": "a bool", "name": "a str", "reduce_on_plateau": "a bool",
			}[key])
		}
	}
	return nil
}

// ConfigType names the form.
func (*schedule) ConfigType() string {
	return "a scheduler, or a mapping with scheduler, interval, frequency and monitor"
}
