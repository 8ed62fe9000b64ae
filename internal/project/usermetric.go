package project

import (
	"errors"
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

// Metric is a torchmetrics.Metric of user code: update(self, preds, target) gathers a batch into the states, the tensors it was
// given, and compute(self) gives the value. Their first values are those of an epoch's beginning.
type Metric struct {
	members
	class  string
	states []*state
	last   []tensor.Tensor // the last batch, kept
	isLast bool
	inputs [2]lighter.Value
}

// state is a tensor that a metric gathers in. Both are kept.
type state struct {
	name         string
	first, value tensor.Tensor
}

func newMetric(s *session, args []any, kwargs *expr.Dict) (any, error) {
	m := &Metric{class: s.className("torchmetrics.Metric")}
	if err := s.fill(m, "torchmetrics.Metric", args, kwargs); err != nil {
		return nil, err
	}
	if m.function("update") == nil || m.function("compute") == nil {
		return nil, errors.New("torchmetrics.Metric() needs the functions update(self, preds, target) and compute(self)")
	}
	return m, nil
}

func (m *Metric) held() *members { return &m.members }

// TypeName and Name are the class's name.
func (m *Metric) TypeName() string { return lastPart(m.class) }

// Name is what the metric's values are logged under.
func (m *Metric) Name() string { return lastPart(m.class) }

func (m *Metric) find(name string) *state {
	for _, s := range m.states {
		if s.name == name {
			return s
		}
	}
	return nil
}

func (m *Metric) attr(name string) (any, bool) {
	if name == "add_state" {
		return expr.Func(func(args []any, kwargs map[string]any) (any, error) {
			a := arguments{args, kwargs}
			name, err := a.text(0, "name")
			if err != nil {
				return nil, err
			}
			t, ok := tensorOf(a.value(1, "default", nil))
			if !ok {
				return nil, fmt.Errorf("add_state(): the state %q must be a Tensor here, got %s", name, lighter.TypeName(a.value(1, "default", nil)))
			}
			_, err = m.setAttr(name, t)
			return nil, err
		}), true
	}
	if s := m.find(name); s != nil {
		return s.value.Keep().Adopt(), true
	}
	return nil, false
}

func (m *Metric) names() []string {
	known := []string{"add_state"}
	for _, s := range m.states {
		known = append(known, s.name)
	}
	return known
}

func (m *Metric) setAttr(name string, v any) (bool, error) {
	t, ok := tensorOf(v)
	if b, isBatch := v.(*batchValue); isBatch {
		t, ok = b.Tensor(), true
	}
	s := m.find(name)
	switch {
	case !ok && s != nil:
		return false, fmt.Errorf("the state %q of a metric must stay a Tensor, got %s", name, lighter.TypeName(v))
	case !ok:
		return false, nil
	case s == nil:
		m.states = append(m.states, &state{name: name, first: t.Detach().Clone().Keep(), value: t.Detach().Clone().Keep()})
		return true, nil
	}
	s.set(t.Detach().Keep())
	return true, nil
}

// set takes a kept tensor in; the one before is freed with what runs now.
func (s *state) set(kept tensor.Tensor) {
	s.value.Adopt()
	s.value = kept
}

func (s *state) reset() {
	s.set(s.first.Clone().Keep())
}

// Update calls the function of that name.
func (m *Metric) Update(pred, target lighter.Value) {
	m.forget()
	m.inputs = [2]lighter.Value{m.keep(pred), m.keep(target)}
	m.isLast = true
	m.update(pred, target)
}

func (m *Metric) update(pred, target lighter.Value) {
	_, err := m.function("update").Call([]any{m, pred, target}, nil)
	throw(m.class, m.blame(err))
}

// keep holds a value of the batch until the next one, for Batch.
func (m *Metric) keep(v lighter.Value) lighter.Value {
	return lighter.MapTensors(v, func(t tensor.Tensor) tensor.Tensor {
		k := t.Detach().Keep()
		m.last = append(m.last, k)
		return k
	})
}

func (m *Metric) forget() {
	for _, t := range m.last {
		t.Free()
	}
	m.last, m.isLast, m.inputs = nil, false, [2]lighter.Value{}
}

// Batch is the value over the last batch alone: of states that have seen nothing else.
func (m *Metric) Batch() lighter.Value {
	if !m.isLast {
		return m.Compute()
	}
	was := make([]tensor.Tensor, len(m.states))
	for i, s := range m.states {
		was[i] = s.value
		s.value = s.first.Clone().Keep()
	}
	defer func() {
		for i, s := range m.states {
			s.set(was[i])
		}
	}()
	m.update(m.inputs[0], m.inputs[1])
	return m.Compute()
}

// Compute calls the function of that name.
func (m *Metric) Compute() lighter.Value {
	v, err := m.function("compute").Call([]any{m}, nil)
	throw(m.class, m.blame(err))
	switch v := lighter.Plain(v).(type) {
	case tensor.Tensor, lighter.Dict:
		return v
	case float64:
		return tensor.FromSlice([]float32{float32(v)}).Reshape()
	case int64:
		return tensor.FromSlice([]float32{float32(v)}).Reshape()
	default:
		throw(m.class, fmt.Errorf("%s: compute() must return a Tensor, a number or a dict of them, got %s", m.Name(), lighter.TypeName(v)))
		return nil
	}
}

// Reset begins anew.
func (m *Metric) Reset() {
	m.forget()
	for _, s := range m.states {
		s.reset()
	}
}

// States are the metric's tensors.
func (m *Metric) States() []tensor.Tensor {
	var all []tensor.Tensor
	for _, s := range m.states {
		all = append(all, s.first, s.value)
	}
	return all
}

// StateDict is what the metric has gathered.
func (m *Metric) StateDict() lighter.Dict {
	d := lighter.Dict{}
	for _, s := range m.states {
		d[s.name] = s.value.Keep().Adopt()
	}
	return d
}

// LoadStateDict is the other way.
func (m *Metric) LoadStateDict(d lighter.Dict) error {
	for _, s := range m.states {
		t, ok := d[s.name].(tensor.Tensor)
		if !ok {
			return fmt.Errorf("it holds no state %q of %s", s.name, m.Name())
		}
		s.set(t.Clone().Keep())
	}
	return nil
}

// Close frees the states.
func (m *Metric) Close() error {
	m.forget()
	for _, s := range m.states {
		s.first.Free()
		s.value.Free()
	}
	m.states = nil
	return nil
}
