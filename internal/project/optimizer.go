package project

import (
	"errors"
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

var optimizerNames = []string{"step", "zero_grad", "param_groups", "optimizer"}

// optimizerAttr gives what torch.optim.Optimizer has, and what Lightning makes of it.
func optimizerAttr(obj any, name string) (any, bool) {
	wrapped, isWrapped := obj.(lighter.LightningOptimizer)
	o, isPlain := obj.(lighter.Optimizer)
	switch {
	case isWrapped:
		o = wrapped.Optimizer()
	case !isPlain:
		return nil, false
	}
	switch name {
	case "step":
		return expr.Func(func(args []any, kwargs map[string]any) (any, error) {
			closure := arguments{args, kwargs}.value(0, "closure", nil)
			f, ok := expr.AsFunc(closure)
			if closure != nil && !ok {
				return nil, fmt.Errorf("step(): closure must be a function, got %s", lighter.TypeName(closure))
			}
			if isWrapped {
				if f == nil {
					return nil, wrapped.Step(nil)
				}
				return nil, wrapped.Step(func() (lighter.Value, error) { v, err := f(nil, nil); return lighter.Plain(v), err })
			}
			if f != nil {
				if _, err := f(nil, nil); err != nil {
					return nil, err
				}
			}
			o.Step()
			return nil, nil
		}), true
	case "zero_grad":
		return expr.Func(func([]any, map[string]any) (any, error) {
			if isWrapped {
				wrapped.ZeroGrad()
			} else {
				o.ZeroGrad()
			}
			return nil, nil
		}), true
	case "optimizer":
		return o, isWrapped
	case "param_groups":
		out := []any{}
		for _, g := range o.Groups() {
			out = append(out, paramGroup{g})
		}
		return out, true
	}
	return nil, false
}

// paramGroup is one of an optimizer's param_groups: group["lr"] = 0.1 changes it.
type paramGroup struct{ g *lighter.ParamGroup }

// TypeName is what it stands for.
func (paramGroup) TypeName() string { return "dict" }

// Index gives an option, or the parameters.
func (p paramGroup) Index(i any) (any, error) {
	name, _ := i.(string)
	if name == "params" {
		out := []any{}
		for _, t := range p.g.Params {
			out = append(out, t)
		}
		return out, nil
	}
	for _, o := range p.g.Options {
		if o.Name == name {
			return o.Value, nil
		}
	}
	return nil, fmt.Errorf("KeyError: %v", i)
}

func (p paramGroup) set(i, v any) error {
	name, ok := i.(string)
	if !ok || name == "params" {
		return fmt.Errorf("a parameter group has no option %v that can be set", i)
	}
	switch x := v.(type) {
	case int64:
		if _, isFloat := p.g.Option(name).(float64); isFloat {
			v = float64(x)
		}
	case tensor.Tensor:
		v = x.Item()
	}
	p.g.SetOption(name, v)
	return nil
}

var schedulerNames = []string{"step", "get_last_lr"}

// schedulerAttr gives what torch.optim.lr_scheduler.LRScheduler has.
func schedulerAttr(sched lighter.Scheduler, name string) (any, bool) {
	switch name {
	case "step":
		return expr.Func(func(args []any, kwargs map[string]any) (any, error) {
			switch v := lighter.Plain(arguments{args, kwargs}.value(0, "metrics", nil)).(type) {
			case nil:
				if sched.NeedsMetric() {
					return nil, errors.New("ReduceLROnPlateau.step() missing 1 required positional argument: 'metrics'")
				}
				sched.Step(0)
			case float64:
				sched.Step(v)
			case int64:
				sched.Step(float64(v))
			case tensor.Tensor:
				sched.Step(v.Item())
			default:
				return nil, fmt.Errorf("step() takes a number, got %s", lighter.TypeName(v))
			}
			return nil, nil
		}), true
	case "get_last_lr":
		o, ok := sched.(interface{ Optimizer() lighter.Optimizer })
		if !ok {
			break
		}
		return expr.Func(func([]any, map[string]any) (any, error) {
			out := []any{}
			for _, g := range o.Optimizer().Groups() {
				out = append(out, g.LR())
			}
			return out, nil
		}), true
	}
	return nil, false
}
