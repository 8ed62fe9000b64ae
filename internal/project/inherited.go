package project

import (
	"errors"
	"fmt"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/internal/module"
	"github.com/lighter-go/lighter/tensor"
)

// inherited are the methods that an object has without those of user code: super(self).training_step.
type inherited struct {
	s    *session
	self any
}

// TypeName is Python's.
func (inherited) TypeName() string { return "super" }

// super gives an object's inherited methods.
func (s *session) super(args []any, kwargs *expr.Dict) (any, error) {
	if len(args) != 1 || len(kwargs.Keys) > 0 {
		return nil, errors.New("super() takes the object here: super(self)")
	}
	switch args[0].(type) {
	case *module.Module, *LightningModule, *DataModule, *Callback:
		return inherited{s, args[0]}, nil
	}
	return nil, fmt.Errorf("super(): %s has no methods besides those it was given", lighter.TypeName(args[0]))
}

// defaults are the methods of lighter.LighterModule that do something of their own, with how many arguments they take at most.
var defaults = map[string]int{
	"training_step": 2, "validation_step": 2, "test_step": 2, "predict_step": 2,
	"on_train_batch_end": 3, "on_validation_batch_end": 3, "on_test_batch_end": 3, "on_predict_batch_end": 3,
	"_log_outputs": 2, "_log_loss": 1, "_log_metrics": 0, "configure_optimizers": 0,
}

func (i inherited) attr(name string) (any, bool) {
	most, ok := defaults[name]
	if m, isLighter := i.self.(*module.Module); isLighter && (ok || name == "forward") {
		return expr.Func(func(args []any, kwargs map[string]any) (any, error) {
			if len(kwargs) > 0 || ok && len(args) > most || ok && len(args) < min(most, 1) {
				return nil, fmt.Errorf("super(self).%s() takes %d positional arguments, got %d", name, most, len(args)+len(kwargs))
			}
			for k, a := range args {
				args[k] = lighter.Plain(a)
			}
			return i.lighter(m, name, args)
		}), true
	}
	if hooks[name] {
		return expr.Func(func(args []any, _ map[string]any) (any, error) { return i.lightning(name, args) }), true
	}
	return nil, false
}

func (inherited) names() []string { return keys(hooks) }

func (i inherited) setAttr(name string, _ any) (bool, error) {
	return false, fmt.Errorf("'super' object has no attribute '%s' that can be set: set it on self", name)
}

// lighter is a method of lighter.LighterModule.
func (i inherited) lighter(m *module.Module, name string, args []any) (any, error) {
	if name == "forward" {
		return m.DefaultForward(args), nil
	}
	t := i.s.trainer
	if t == nil {
		return nil, fmt.Errorf("super(self).%s() is there while a stage runs", name)
	}
	if mode := slices.Index(stepNames[:], name); mode >= 0 {
		return m.DefaultStep(t, lighter.Mode(mode), args[0])
	}
	idx := func(k int) int {
		if k < len(args) {
			n, _ := args[k].(int64)
			return int(n)
		}
		return t.BatchIdx()
	}
	out := func() lighter.Output { d, _ := args[0].(lighter.Dict); return d }
	switch name {
	case "_log_outputs":
		m.DefaultLogOutputs(t, out(), idx(1))
	case "_log_loss":
		m.DefaultLogLoss(t, args[0])
	case "_log_metrics":
		m.DefaultLogMetrics(t)
	case "configure_optimizers":
		lt, _ := t.(lighter.LightningTrainer) // every trainer of a stage is one
		return m.ConfigureOptimizers(lt)
	default:
		m.DefaultBatchEnd(t, out(), idx(2))
	}
	return nil, nil
}

// lightning is a hook of pytorch_lightning's. All but a few do nothing of their own.
func (i inherited) lightning(name string, args []any) (any, error) {
	arg := func(k int) any {
		if k < len(args) {
			return args[k]
		}
		return nil
	}
	switch name {
	case "backward":
		t, ok := arg(0).(tensor.Tensor)
		if !ok {
			return nil, fmt.Errorf("super(self).backward() takes the loss, got %s", lighter.TypeName(arg(0)))
		}
		t.Backward()
	case "optimizer_step":
		o, ok := arg(2).(lighter.LightningOptimizer)
		closure, isFunc := expr.AsFunc(arg(3))
		if !ok || !isFunc {
			return nil, errors.New("super(self).optimizer_step() takes (epoch, batch_idx, optimizer, optimizer_closure)")
		}
		return nil, o.Step(func() (lighter.Value, error) { v, err := closure(nil, nil); return lighter.Plain(v), err })
	case "optimizer_zero_grad":
		if o, ok := arg(2).(lighter.LightningOptimizer); ok {
			o.ZeroGrad()
		}
	case "lr_scheduler_step":
		sched, ok := arg(0).(lighter.Scheduler)
		metric, _ := arg(1).(float64)
		if !ok {
			return nil, errors.New("super(self).lr_scheduler_step() takes (scheduler, metric)")
		}
		sched.Step(metric)
	case "configure_gradient_clipping":
		o, ok := arg(0).(lighter.LightningOptimizer)
		if !ok {
			return nil, errors.New("super(self).configure_gradient_clipping() takes (optimizer, gradient_clip_val, gradient_clip_algorithm)")
		}
		return nil, clip(i.s, o, arg(1), arg(2))
	}
	return nil, nil
}
