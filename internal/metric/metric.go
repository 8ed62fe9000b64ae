// Package metric holds metrics under torchmetrics' names, with its arguments, class names and values.
//
// An update queues a few operations on the device and never waits for it. So the shapes of predictions and targets are
// always checked, and their values never: torchmetrics' checks of values are host syncs.
package metric

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// register makes a metric known under the names a user may import it by: each of paths with the class's name after it.
func register(class string, prototype registry.Builder[lighter.Metric], paths ...string) {
	names := make([]string, len(paths))
	for i, p := range paths {
		names[i] = p + "." + class
	}
	lighter.Register(names[0], prototype, names[1:]...)
}

// sums is a metric whose state is sums over the batches since Reset: tensors, and a number of observations that the
// shapes tell. What the last batch added is kept for Batch, as long as the scope that Update was called in is open.
type sums struct {
	name   string
	states []tensor.Tensor
	n      int64
	last   []tensor.Tensor
	lastN  int64

	// update appends what a batch adds to each state, without history, and gives its number of observations.
	update func(parts []tensor.Tensor, pred, target lighter.Value) ([]tensor.Tensor, int64)
	// compute makes the metric's value of sums of states' types.
	compute func(states []tensor.Tensor, n int64) tensor.Tensor
}

func (m *sums) Name() string { return m.name }

func (m *sums) Update(pred, target lighter.Value) {
	m.last, m.lastN = m.update(m.last[:0], pred, target)
	for i, part := range m.last {
		m.states[i].AddInPlace(part, 1)
	}
	m.n += m.lastN
}

func (m *sums) Batch() lighter.Value {
	if len(m.last) < len(m.states) {
		return m.compute(m.states, m.n)
	}
	parts := make([]tensor.Tensor, len(m.last))
	for i, p := range m.last {
		parts[i] = p.To(m.states[i].Device(), m.states[i].DType())
	}
	return m.compute(parts, m.lastN)
}

func (m *sums) Compute() lighter.Value { return m.compute(m.states, m.n) }

func (m *sums) Reset() {
	for _, s := range m.states {
		s.Fill(0)
	}
	m.n, m.last, m.lastN = 0, nil, 0
}

func (m *sums) States() []tensor.Tensor { return m.states }

func (m *sums) StateDict() lighter.Dict {
	states := make(lighter.List, len(m.states))
	for i, s := range m.states {
		states[i] = s
	}
	return lighter.Dict{"states": states, "n": m.n}
}

func (m *sums) LoadStateDict(d lighter.Dict) error {
	states, _ := d["states"].(lighter.List)
	n, ok := d["n"].(int64)
	if !ok || len(states) != len(m.states) {
		return fmt.Errorf("the state is not that of a %s", m.name)
	}
	for i, s := range states {
		t, ok := s.(tensor.Tensor)
		if !ok || !t.SameShape(m.states[i].Shape()) {
			return fmt.Errorf("the state is not that of this %s", m.name)
		}
		m.states[i].CopyInPlace(t)
	}
	m.n = n
	return nil
}

// both takes prediction and target as tensors.
func (m *sums) both(pred, target lighter.Value) (p, t tensor.Tensor) {
	in := []lighter.Value{pred, target}
	return lighter.TensorArg(m.name, in, 0), lighter.TensorArg(m.name, in, 1)
}

// sameShape is torchmetrics' _check_same_shape.
func (m *sums) sameShape(p, t tensor.Tensor) {
	if !t.SameShape(p.Shape()) {
		tensor.Fail(m.name, "Predictions and targets are expected to have the same shape, but got %s and %s.", lighter.SizeText(p), lighter.SizeText(t))
	}
}

// counter is a state of whole numbers: one, or with n > 0 one a class.
func counter(n int64) tensor.Tensor {
	if n == 0 {
		return tensor.Zeros(nil, tensor.Int64, tensor.Device{})
	}
	return tensor.Zeros([]int64{n}, tensor.Int64, tensor.Device{})
}

// count is the number of true elements. On the CPU count_nonzero takes half the time of a sum; elsewhere it is two kernels.
func count(x tensor.Tensor) tensor.Tensor {
	if x.Device().Type == tensor.CPU {
		return x.CountNonzero()
	}
	return x.Sum(tensor.Int64)
}

// ratio is part / n in float32; 0 where there is nothing.
func ratio(part tensor.Tensor, n int64) tensor.Tensor {
	if n == 0 {
		return tensor.Zeros(part.Shape(), tensor.Float32, part.Device())
	}
	return part.DivScalar(float64(n))
}

// safeDivide is a / b in float32, 0 where b is.
func safeDivide(a, b tensor.Tensor) tensor.Tensor {
	a, b = a.To(a.Device(), tensor.Float32), b.To(b.Device(), tensor.Float32)
	return tensor.CallOne("where", tensor.CallOne("ne", b, 0.0), a.Div(b), 0.0)
}
