package project

import (
	"errors"
	"fmt"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/internal/lightning"
)

// hooks are the names of the methods that Lightning calls.
var hooks = func() map[string]bool {
	all := map[string]bool{}
	for _, name := range lightning.Names() {
		all[name] = true
	}
	return all
}()

// LightningModule is a pytorch_lightning.LightningModule of user code.
type LightningModule struct {
	lighter.LightningModule
	members
	s *session
}

func newLightningModule(s *session, args []any, kwargs *expr.Dict) (any, error) {
	m := &LightningModule{s: s}
	m.SetClass(s.className("pytorch_lightning.LightningModule"))
	return m, s.fill(m, "pytorch_lightning.LightningModule", args, kwargs)
}

// fill gives a new object what its constructor was called with, in order.
func (s *session) fill(obj any, class string, args []any, kwargs *expr.Dict) error {
	if len(args) > 0 {
		return fmt.Errorf("%s() takes keyword arguments: functions, which are its methods, and values by name", class)
	}
	if h, ok := obj.(holder); ok {
		s.holders = append(s.holders, h.held())
		h.held().origin = s.origin()
	}
	for i, k := range kwargs.Keys {
		if err := s.host.SetAttr(obj, k.(string), kwargs.Values[i]); err != nil {
			return err
		}
	}
	return nil
}

func (m *LightningModule) held() *members { return &m.members }

// TypeName is the class's name.
func (m *LightningModule) TypeName() string { return m.Class() }

// Forward calls the module's function of that name.
func (m *LightningModule) Forward(in ...lighter.Value) lighter.Value {
	return forward(m, &m.members, in, nil)
}

// Hook gives the module's hook of a name.
func (m *LightningModule) Hook(name string) lighter.HookFunc {
	if f := m.function(name); f != nil && hooks[name] {
		return m.s.hook(m, f)
	}
	return nil
}

// hook makes a function of user code a hook of self's.
func (s *session) hook(self any, f *expr.Function) lighter.HookFunc {
	return func(t lighter.LightningTrainer, args ...lighter.Value) (lighter.Value, error) {
		s.trainer = t
		in := append(make([]any, 0, len(args)+1), self)
		for _, a := range args {
			in = append(in, s.argument(a))
		}
		v, err := f.Call(in, nil)
		if m := s.host.membersOf(self); m != nil {
			err = m.blame(err)
		}
		return lighter.Plain(v), err
	}
}

// argument is a hook's for user code.
func (s *session) argument(v lighter.Value) any {
	switch v := v.(type) {
	case func() (lighter.Value, error):
		return expr.Func(func([]any, map[string]any) (any, error) { return v() })
	case error:
		return v.Error()
	}
	return v
}

// attr gives what every LightningModule has.
func (m *LightningModule) names() []string {
	return append(runNames(), "automatic_optimization")
}

func (m *LightningModule) attr(name string) (any, bool) {
	if name == "automatic_optimization" {
		return !m.ManualOptimization, true
	}
	return m.s.moduleOf(m, name)
}

func (m *LightningModule) setAttr(name string, v any) (bool, error) {
	if name == "automatic_optimization" {
		on, ok := v.(bool)
		if !ok {
			return false, fmt.Errorf("automatic_optimization must be a bool, got %s", lighter.TypeName(v))
		}
		m.ManualOptimization = !on
		return true, nil
	}
	return false, nil
}

// moduleOf gives the attributes of a module in a trainer: self.log, self.trainer, self.current_epoch.
func (s *session) moduleOf(self any, name string) (any, bool) {
	if value := attributes[name]; value != nil {
		t, ok := s.trainer.(lighter.LightningTrainer)
		if !ok {
			return fmt.Errorf("'%s' object has no '%s' before a stage runs: it is not attached to a `Trainer`", lighter.TypeName(self), name), false
		}
		v, err := value(s, t)
		if err != nil {
			return err, false
		}
		return v, true
	}
	if f := trainerMethods[name]; f != nil {
		return expr.Func(func(args []any, kwargs map[string]any) (any, error) {
			t, ok := s.trainer.(lighter.LightningTrainer)
			if !ok {
				return nil, fmt.Errorf("self.%s() is there while a stage runs: '%s' object is not attached to a `Trainer`", name, lighter.TypeName(self))
			}
			return f(s, t, arguments{args, kwargs})
		}), true
	}
	switch name {
	case "save_hyperparameters": // the configuration is in every checkpoint
		return expr.Func(func(args []any, kwargs map[string]any) (any, error) {
			return nil, s.saveHyperparameters(self, args, kwargs)
		}), true
	case "print":
		return expr.Func(func(args []any, _ map[string]any) (any, error) {
			s.project.log.Info().Msg(fmt.Sprint(args...))
			return nil, nil
		}), true
	}
	return nil, false
}

// saveHyperparameters makes what it is given self.hparams.
func (s *session) saveHyperparameters(self any, args []any, kwargs map[string]any) error {
	all := &expr.Dict{}
	for _, a := range args {
		d, ok := a.(*expr.Dict)
		if !ok {
			return fmt.Errorf("save_hyperparameters() takes the values here: save_hyperparameters({\"lr\": lr}) or save_hyperparameters(lr=lr), got %s", lighter.TypeName(a))
		}
		all.Keys, all.Values = append(all.Keys, d.Keys...), append(all.Values, d.Values...)
	}
	for _, name := range keys(kwargs) {
		all.Keys, all.Values = append(all.Keys, name), append(all.Values, kwargs[name])
	}
	if len(all.Keys) == 0 {
		return errors.New("save_hyperparameters() takes the values here: save_hyperparameters(lr=lr)")
	}
	h := &hparams{}
	for i, k := range all.Keys {
		name, ok := k.(string)
		if !ok {
			return fmt.Errorf("save_hyperparameters(): %v is no name", k)
		}
		h.set(name, s.runtime.Hold(all.Values[i]))
	}
	return s.host.SetAttr(self, "hparams", h)
}

// hparams is self.hparams.
type hparams struct{ members }

func (h *hparams) held() *members { return &h.members }

// TypeName is Lightning's.
func (*hparams) TypeName() string { return "AttributeDict" }

// Index gives a value by its name.
func (h *hparams) Index(i any) (any, error) {
	name, _ := i.(string)
	if v, ok := h.get(name); ok {
		return v, nil
	}
	return nil, fmt.Errorf("KeyError: %v", i)
}

// runNames are the names that moduleOf knows.
func runNames() []string {
	return slices.Concat(keys(attributes), keys(trainerMethods), []string{"save_hyperparameters", "print"})
}

// DataModule is a pytorch_lightning.LightningDataModule of user code.
type DataModule struct {
	lighter.LightningDataModule
	members
	s     *session
	class string
}

func newDataModule(s *session, args []any, kwargs *expr.Dict) (any, error) {
	m := &DataModule{s: s, class: s.className("pytorch_lightning.LightningDataModule")}
	return m, s.fill(m, "pytorch_lightning.LightningDataModule", args, kwargs)
}

func (m *DataModule) held() *members { return &m.members }

// TypeName is the class's name.
func (m *DataModule) TypeName() string { return lastPart(m.class) }

// Hook gives the data module's hook of a name. Of its teardown and setup, user code gets the stage.
func (m *DataModule) Hook(name string) lighter.HookFunc {
	if f := m.function(name); f != nil && hooks[name] {
		return m.s.hook(m, f)
	}
	return nil
}

func (m *DataModule) names() []string { return []string{"trainer", "save_hyperparameters"} }

func (m *DataModule) attr(name string) (any, bool) {
	if name == "trainer" || name == "save_hyperparameters" {
		return m.s.moduleOf(m, name)
	}
	return nil, false
}

func (m *DataModule) setAttr(string, any) (bool, error) { return false, nil }

// Callback is a pytorch_lightning.callbacks.Callback of user code. Its hooks take (self, trainer, pl_module, ...).
type Callback struct {
	members
	s     *session
	class string
}

func newCallback(s *session, args []any, kwargs *expr.Dict) (any, error) {
	c := &Callback{s: s, class: s.className("pytorch_lightning.callbacks.Callback")}
	if err := s.fill(c, "pytorch_lightning.callbacks.Callback", args, kwargs); err != nil {
		return nil, err
	}
	if c.function("state_dict") != nil {
		return &statefulCallback{c}, nil
	}
	return c, nil
}

func (c *Callback) held() *members { return &c.members }

// TypeName is the class's name.
func (c *Callback) TypeName() string { return lastPart(c.class) }

// Hook gives the callback's hook of a name.
func (c *Callback) Hook(name string) lighter.HookFunc {
	f := c.function(name)
	if f == nil || !hooks[name] || name == "state_dict" || name == "load_state_dict" {
		return nil
	}
	return func(t lighter.LightningTrainer, args ...lighter.Value) (lighter.Value, error) {
		c.s.trainer = t
		in := []any{c, &Trainer{c.s, t}, t.Model()}
		for _, a := range args {
			in = append(in, c.s.argument(a))
		}
		v, err := f.Call(in, nil)
		return lighter.Plain(v), c.blame(err)
	}
}

// statefulCallback is one whose state goes into checkpoints.
type statefulCallback struct{ *Callback }

// StateKey is Lightning's: the class's name.
func (c *statefulCallback) StateKey() string { return c.TypeName() }

// StateDict calls the callback's function of that name.
func (c *statefulCallback) StateDict() lighter.Dict {
	v, err := c.function("state_dict").Call([]any{c.Callback}, nil)
	d, ok := lighter.Plain(v).(lighter.Dict)
	if err == nil && !ok {
		err = fmt.Errorf("%s.state_dict() must return a dict, got %s", c.TypeName(), lighter.TypeName(v))
	}
	throw(c.TypeName(), err)
	return d
}

// LoadStateDict calls the callback's function of that name.
func (c *statefulCallback) LoadStateDict(d lighter.Dict) error {
	f := c.function("load_state_dict")
	if f == nil {
		return errors.New("it has a state_dict and no load_state_dict")
	}
	_, err := f.Call([]any{c.Callback, d}, nil)
	return err
}

func keys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for n := range m {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}
