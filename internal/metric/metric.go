// Package metric holds metrics under torchmetrics' names, with its arguments, class names and values.
//
// A metric is an accumulator and a value made of what that has gathered; metrics of a collection that gather the same share
// one. An update queues a few operations on the device and never waits for it. So the shapes of predictions and targets are
// always checked, and their values on the CPU only: elsewhere torchmetrics' checks of values are host syncs.
package metric

import (
	"github.com/rs/zerolog"

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

// metric is a value of what an accumulator has gathered.
type metric struct {
	name string
	*accumulator
	// value makes the metric's value of states and a number of observations.
	value func(states []tensor.Tensor, n int64) lighter.Value
}

func (m *metric) Name() string { return m.name }

func (m *metric) Batch() lighter.Value {
	states, n := m.ofBatch()
	return squeezed(m.value(states, n))
}

func (m *metric) Compute() lighter.Value {
	states, n := m.all(m.name)
	return squeezed(m.value(states, n))
}

// squeezed makes scalars of tensors with one element, as torchmetrics does with every value.
func squeezed(v lighter.Value) lighter.Value {
	switch x := v.(type) {
	case tensor.Tensor:
		if x.Dim() > 0 && x.Numel() == 1 {
			return x.Reshape()
		}
	case lighter.List:
		for i := range x {
			x[i] = squeezed(x[i])
		}
	}
	return v
}

// notice warns of what a value has shown, of each thing once, as Python's warnings do.
type notice struct {
	name string
	log  zerolog.Logger
	said map[string]bool
}

func (n *notice) warn(msg string) {
	if n.said == nil {
		n.said = map[string]bool{}
	}
	if !n.said[msg] {
		n.said[msg] = true
		n.log.Warn().Msg(n.name + ": " + msg)
	}
}

// both takes prediction and target as tensors without history.
func both(name string, pred, target lighter.Value) (p, t tensor.Tensor) {
	in := []lighter.Value{pred, target}
	p, t = lighter.TensorArg(name, in, 0), lighter.TensorArg(name, in, 1)
	if p.RequiresGrad() {
		p = p.Detach()
	}
	return p, t
}

// sameShape is torchmetrics' _check_same_shape.
func sameShape(name string, p, t tensor.Tensor) {
	if !t.SameShape(p.Shape()) {
		tensor.Fail(name, "Predictions and targets are expected to have the same shape, but got %s and %s.", lighter.SizeText(p), lighter.SizeText(t))
	}
}
