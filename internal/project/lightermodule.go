package project

import (
	"errors"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/internal/module"
	"github.com/lighter-go/lighter/internal/registry"
)

const lighterModule = "lighter.LighterModule"

// newLighterModule is lighter.LighterModule(training_step=..., **arguments): arguments of the component's are its own, functions
// are methods, and methods of LighterModule's take the place of its.
func newLighterModule(s *session, args []any, kwargs *expr.Dict) (any, error) {
	entry, _ := registry.Lookup(lighterModule)
	given := map[string]any{}
	own := &members{}
	for i, k := range kwargs.Keys {
		name, v := k.(string), kwargs.Values[i]
		if f, isFunction := v.(*expr.Function); isFunction && !slices.ContainsFunc(entry.Fields, func(f registry.Field) bool { return f.Name == name }) {
			own.set(name, f)
			continue
		}
		value, err := s.runtime.Value(v)
		if err != nil {
			return nil, err
		}
		given[name] = value
	}
	build, ok, _ := s.host.Host.Attr(s.namespace("lighter"), "LighterModule")
	f, isFunc := build.(expr.Func)
	if !ok || !isFunc {
		return nil, errors.New("lighter.LighterModule is not in this program")
	}
	v, err := f(args, given)
	if err != nil {
		return nil, err
	}
	m := v.(*module.Module)
	m.SetClass(s.className(lighterModule))
	own.origin = s.origin()
	s.host.attributes[m] = own
	s.holders = append(s.holders, own)
	s.override(m, own)
	return m, nil
}

// lighterAttr gives the arguments of a LighterModule as its attributes.
func (s *session) lighterAttr(m *module.Module, name string) (any, bool) {
	switch name {
	case "train_metrics":
		return m.Metrics(lighter.Train), true
	case "val_metrics":
		return m.Metrics(lighter.Val), true
	case "test_metrics":
		return m.Metrics(lighter.Test), true
	case "criterion":
		if m.Criterion == nil {
			return nil, true
		}
		return m.Criterion, true
	case "optimizer":
		return m.Optimizer, true
	case "scheduler":
		return m.Scheduler.Schedule, true
	}
	return s.moduleOf(m, name)
}

var lighterNames = []string{"network", "criterion", "optimizer", "scheduler", "train_metrics", "val_metrics", "test_metrics"}

var stepNames = [...]string{"training_step", "validation_step", "test_step", "predict_step"}

var batchEndNames = [...]string{"on_train_batch_end", "on_validation_batch_end", "on_test_batch_end", "on_predict_batch_end"}

// override puts methods of user code in the place of the module's.
func (s *session) override(m *module.Module, own *members) {
	call := func(f *expr.Function, args ...any) lighter.Value {
		v, err := f.Call(append([]any{m}, args...), nil)
		throw(m.Class(), own.blame(err))
		return lighter.Plain(v)
	}
	for mode, name := range stepNames {
		if f := own.function(name); f != nil {
			m.Overrides.Step[mode] = func(t lighter.Trainer, batch lighter.Value, idx int) (lighter.Value, error) {
				s.trainer = t
				v, err := f.Call([]any{m, batch, int64(idx)}, nil)
				return lighter.Plain(v), own.blame(err)
			}
		}
	}
	for mode, name := range batchEndNames {
		if f := own.function(name); f != nil {
			m.Overrides.BatchEnd[mode] = func(t lighter.Trainer, out lighter.Output, batch lighter.Value, idx int) {
				s.trainer = t
				call(f, out, batch, int64(idx))
			}
		}
	}
	if f := own.function("_log_outputs"); f != nil {
		m.LogOutputs = func(t lighter.Trainer, out lighter.Output, idx int) { s.trainer = t; call(f, out, int64(idx)) }
	}
	if f := own.function("_log_loss"); f != nil {
		m.LogLoss = func(t lighter.Trainer, loss lighter.Value) { s.trainer = t; call(f, loss) }
	}
	if f := own.function("_log_metrics"); f != nil {
		m.LogMetrics = func(t lighter.Trainer) { s.trainer = t; call(f) }
	}
	if f := own.function("forward"); f != nil {
		m.Overrides.Forward = func(in []lighter.Value) lighter.Value { return call(f, in...) }
	}
	m.Hooks = map[string]lighter.HookFunc{}
	for _, name := range own.names {
		if !slices.Contains(stepNames[:], name) && !slices.Contains(batchEndNames[:], name) {
			m.Hooks[name] = s.hook(m, own.function(name))
		}
	}
}
