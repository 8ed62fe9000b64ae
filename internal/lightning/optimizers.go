package lightning

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// Optimizers reads what configure_optimizers gave: see [lighter.ConfigureOptimizersHook]. warn gets Lightning's warnings. In
// manual optimization the schedulers are stepped by the model.
func Optimizers(v lighter.Value, automatic bool, warn func(string)) ([]lighter.Optimizer, []*lighter.Schedule, error) {
	if v == nil {
		warn("`LightningModule.configure_optimizers` returned `None`, this fit will run with no optimizer")
		return []lighter.Optimizer{none{}}, nil, nil
	}
	optimizers, schedulers, monitor, err := forms(v, warn)
	if err != nil {
		return nil, nil, err
	}
	if automatic && len(optimizers) == 0 {
		return nil, nil, errors.New("configure_optimizers: the list of optimizers is empty: return one, or None for a fit without an optimizer")
	}
	if automatic && len(optimizers) > 1 {
		return nil, nil, Wording("Training with multiple optimizers is only supported with manual optimization. Set `self.automatic_optimization = False`, then access your optimizers in `training_step` with `opt1, opt2, ... = self.optimizers()`.")
	}
	schedules := make([]*lighter.Schedule, len(schedulers))
	for i, s := range schedulers {
		if schedules[i], err = schedule(s, monitor, automatic, warn); err != nil {
			return nil, nil, err
		}
		o, ok := schedules[i].Scheduler.(interface{ Optimizer() lighter.Optimizer })
		if ok && !slices.Contains(optimizers, o.Optimizer()) {
			return nil, nil, Wording("Some schedulers are attached with an optimizer that wasn't returned from `configure_optimizers`.")
		}
	}
	return optimizers, schedules, nil
}

// none is the optimizer of a fit without one: Lightning's _MockOptimizer.
type none struct{}

func (none) Name() string                               { return "_MockOptimizer" }
func (none) Step()                                      {}
func (none) ZeroGrad()                                  {}
func (none) Groups() []*lighter.ParamGroup              { return nil }
func (none) Params() tensor.List                        { return tensor.List{} }
func (none) StateDict() lighter.OptimizerState          { return lighter.OptimizerState{} }
func (none) LoadStateDict(lighter.OptimizerState) error { return nil }

// forms takes the value apart: its optimizers, and its schedulers as they stand.
func forms(v lighter.Value, warn func(string)) (optimizers []lighter.Optimizer, schedulers []lighter.Value, monitor string, err error) {
	unknown := Wording("Unknown configuration for model optimizers. Output from `model.configure_optimizers()` should be one of:\n" +
		" * `Optimizer`\n * [`Optimizer`]\n * ([`Optimizer`], [`LRScheduler`])\n" +
		" * {\"optimizer\": `Optimizer`, (optional) \"lr_scheduler\": `LRScheduler`}")
	switch x := v.(type) {
	case lighter.Dict:
		o, err := fromDict(x, warn)
		if err != nil {
			return nil, nil, "", err
		}
		if s, ok := x["lr_scheduler"]; ok {
			schedulers = lighter.List{s}
		}
		monitor, _ = x["monitor"].(string)
		return []lighter.Optimizer{o}, schedulers, monitor, nil
	case lighter.List:
		if len(x) == 2 {
			if list, ok := x[0].(lighter.List); ok {
				if optimizers, ok = allOptimizers(list); !ok {
					return nil, nil, "", unknown
				}
				schedulers = lighter.List{x[1]}
				if list, ok := x[1].(lighter.List); ok {
					schedulers = list
				}
				return optimizers, schedulers, "", nil
			}
		}
		if optimizers, ok := allOptimizers(x); ok {
			return optimizers, nil, "", nil
		}
		for _, item := range x {
			d, ok := item.(lighter.Dict)
			if !ok {
				return nil, nil, "", unknown
			}
			o, err := fromDict(d, warn)
			if err != nil {
				return nil, nil, "", err
			}
			optimizers = append(optimizers, o)
			if s, ok := d["lr_scheduler"]; ok {
				if _, isDict := s.(lighter.Dict); !isDict { // its dict does not take the optimizer's monitor
					s = lighter.Dict{"scheduler": s}
				}
				schedulers = append(schedulers, s)
			}
		}
		return optimizers, schedulers, "", nil
	case lighter.Optimizer:
		return []lighter.Optimizer{x}, nil, "", nil
	}
	return nil, nil, "", unknown
}

func allOptimizers(list lighter.List) ([]lighter.Optimizer, bool) {
	var out []lighter.Optimizer
	for _, item := range list {
		o, ok := item.(lighter.Optimizer)
		if !ok {
			return nil, false
		}
		out = append(out, o)
	}
	return out, true
}

func fromDict(d lighter.Dict, warn func(string)) (lighter.Optimizer, error) {
	if extra := others(d, "optimizer", "lr_scheduler", "monitor"); extra != "" {
		warn("Found unsupported keys in the optimizer configuration: {" + extra + "}")
	}
	o, ok := d["optimizer"].(lighter.Optimizer)
	if !ok {
		return nil, fmt.Errorf("configure_optimizers: the dict must have the key \"optimizer\" with its item being an Optimizer, got %s", lighter.TypeName(d["optimizer"]))
	}
	return o, nil
}

// others are the keys of a dict beyond the known ones, as Python writes them.
func others(d lighter.Dict, known ...string) string {
	var extra []string
	for _, k := range slices.Sorted(maps.Keys(d)) {
		if !slices.Contains(known, k) {
			extra = append(extra, "'"+k+"'")
		}
	}
	return strings.Join(extra, ", ")
}

var scheduleKeys = []string{"scheduler", "name", "interval", "frequency", "reduce_on_plateau", "monitor", "strict"}

// schedule reads a scheduler's configuration.
func schedule(v lighter.Value, monitor string, automatic bool, warn func(string)) (*lighter.Schedule, error) {
	switch x := v.(type) {
	case *lighter.Schedule:
		return x, nil
	case lighter.Scheduler:
		s := &lighter.Schedule{Scheduler: x, Interval: "epoch", Frequency: 1, Strict: true}
		if x.NeedsMetric() && automatic {
			if s.Monitor = monitor; monitor == "" {
				return nil, Wording("`configure_optimizers` must include a monitor when a `ReduceLROnPlateau` scheduler is used. For example: {\"optimizer\": optimizer, \"lr_scheduler\": scheduler, \"monitor\": \"metric_to_track\"}")
			}
		}
		return s, nil
	case lighter.Dict:
		return scheduleFrom(x, automatic, warn)
	}
	return nil, fmt.Errorf("the provided lr scheduler `%s` is invalid: it must be an lr scheduler or a dict with one", lighter.TypeName(v))
}

func scheduleFrom(d lighter.Dict, automatic bool, warn func(string)) (*lighter.Schedule, error) {
	if extra := others(d, scheduleKeys...); extra != "" {
		warn("Found unsupported keys in the lr scheduler dict: {" + extra + "}. HINT: remove them from the output of `configure_optimizers`.")
	}
	scheduler, ok := d["scheduler"].(lighter.Scheduler)
	if !ok {
		return nil, Wording(`The lr scheduler dict must have the key "scheduler" with its item being an lr scheduler`)
	}
	s := &lighter.Schedule{Scheduler: scheduler, Interval: "epoch", Frequency: 1, Strict: true}
	wrong := func(key, want string) error {
		return Wording("The %q key in lr scheduler dict must be %s but is %q", key, want, fmt.Sprint(d[key]))
	}
	if v := d["interval"]; v != nil {
		if s.Interval, ok = v.(string); !ok || s.Interval != "step" && s.Interval != "epoch" {
			return nil, wrong("interval", `"step" or "epoch"`)
		}
	}
	if v := d["frequency"]; v != nil {
		n, ok := v.(int64)
		if s.Frequency = int(n); !ok || n < 1 {
			return nil, wrong("frequency", "a positive int")
		}
	}
	if v := d["name"]; v != nil {
		if s.Name, ok = v.(string); !ok {
			return nil, wrong("name", "a str")
		}
	}
	if !automatic {
		return s, warnManual(d, warn)
	}
	if v := d["strict"]; v != nil {
		if s.Strict, ok = v.(bool); !ok {
			return nil, wrong("strict", "a bool")
		}
	}
	if v := d["monitor"]; v != nil {
		if s.Monitor, ok = v.(string); !ok {
			return nil, wrong("monitor", "a metric's name")
		}
	}
	plateau := scheduler.NeedsMetric()
	if v := d["reduce_on_plateau"]; v != nil {
		if plateau, ok = v.(bool); !ok {
			return nil, wrong("reduce_on_plateau", "a bool")
		}
	}
	switch {
	case plateau && s.Monitor == "":
		return nil, Wording("The lr scheduler dict must include a monitor when a `ReduceLROnPlateau` scheduler is used. For example: {\"optimizer\": optimizer, \"lr_scheduler\": {\"scheduler\": scheduler, \"monitor\": \"your_loss\"}}")
	case plateau != scheduler.NeedsMetric():
		s.OnPlateau = &plateau
	}
	if named, ok := scheduler.(interface{ Name() string }); ok && named.Name() == "OneCycleLR" && s.Interval == "epoch" {
		warn("A `OneCycleLR` scheduler is using 'interval': 'epoch'. Are you sure you didn't mean 'interval': 'step'?")
	}
	return s, nil
}

// warnManual names the keys that mean nothing when the model steps its schedulers.
func warnManual(d lighter.Dict, warn func(string)) error {
	var ignored []string
	for _, k := range []string{"reduce_on_plateau", "monitor", "strict"} {
		if _, ok := d[k]; ok {
			ignored = append(ignored, "'"+k+"'")
		}
	}
	if ignored != nil {
		warn("The lr scheduler dict contains the key(s) [" + strings.Join(ignored, ", ") + "], but the keys will be ignored. You need to call `lr_scheduler.step()` manually in manual optimization.")
	}
	return nil
}
