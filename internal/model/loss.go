package model

import (
	"cmp"

	"errors"
	"sync"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// loss is a module of a prediction and a target, or of what its signature names.
type loss struct {
	lighter.Node
	takes signature // "" for input and target
	f     func(x, y tensor.Tensor) tensor.Tensor
	all   func(a arguments) tensor.Tensor // instead of f, for other signatures
	// indexed says that the target holds class indices, or ignored ones.
	indexed bool
	ignored int64
}

func newLoss(class string) *loss {
	m := &loss{}
	m.SetClass(target(class))
	return m
}

// lossOf is a loss whose forward takes what the signature names.
func lossOf(class string, takes signature, f func(a arguments) tensor.Tensor) *loss {
	m := newLoss(class)
	m.takes, m.all = takes, f
	return m
}

// Signature names the arguments of Forward.
func (m *loss) Signature() string { return string(cmp.Or(m.takes, "input, target")) }

func (m *loss) Forward(in ...lighter.Value) lighter.Value {
	if m.all != nil {
		return m.all(m.takes.take(&m.Node, in))
	}
	if len(in) != 2 {
		tensor.Fail(m.Class(), "forward() takes 2 arguments, got %d", len(in))
	}
	return m.f(lighter.TensorArg(m.Class(), in, 0), lighter.TensorArg(m.Class(), in, 1))
}

// Reduced says how the losses of a batch become one.
type Reduced struct {
	SizeAverage *bool  `cfg:"size_average" help:"deprecated in PyTorch: use reduction"`
	Reduce      *bool  `cfg:"reduce" help:"deprecated in PyTorch: use reduction"`
	Reduction   string `cfg:"reduction" oneof:"none|mean|sum" help:"how the losses of a batch become one"`
}

func (r Reduced) get() tensor.Reduction { return reductionOf(r.Reduction, r.SizeAverage, r.Reduce) }

var mean = Reduced{Reduction: "mean"}

// reduce makes one loss of those of a batch.
func reduce(x tensor.Tensor, r tensor.Reduction) tensor.Tensor {
	switch r {
	case tensor.ReduceMean:
		return x.Mean()
	case tensor.ReduceSum:
		return tensor.CallOne("sum", x)
	}
	return x
}

// constant adds a weight argument as a buffer, as PyTorch's losses do, when it was given.
func (m *loss) constant(name string, w Weights) tensor.Tensor {
	t := w.tensor()
	if t.Defined() {
		m.Buffer(name, t)
	}
	return t
}

// reductionOf gives the reduction, which PyTorch's deprecated size_average and reduce override when given.
func reductionOf(name string, sizeAverage, reduce *bool) tensor.Reduction {
	if sizeAverage != nil || reduce != nil {
		switch {
		case reduce != nil && !*reduce:
			name = "none"
		case sizeAverage != nil && !*sizeAverage:
			name = "sum"
		default:
			name = "mean"
		}
	}
	return map[string]tensor.Reduction{"none": tensor.ReduceNone, "mean": tensor.ReduceMean, "sum": tensor.ReduceSum}[name]
}

// broadcast gives both tensors one shape, with PyTorch's warning, once, when they have two.
func broadcast(env *lighter.Env) func(x, y tensor.Tensor) (tensor.Tensor, tensor.Tensor) {
	log := env.Log
	var once sync.Once
	return func(x, y tensor.Tensor) (tensor.Tensor, tensor.Tensor) {
		if y.SameShape(x.Shape()) {
			return x, y
		}
		once.Do(func() {
			log.Warn().Msgf("Using a target size (%s) that is different to the input size (%s). This will likely lead to incorrect "+
				"results due to broadcasting. Please ensure they have the same size.", lighter.SizeText(y), lighter.SizeText(x))
		})
		var both []any
		if err := tensor.Catch(func() { both = tensor.Call("broadcast_tensors", []tensor.Tensor{x, y}) }); err != nil {
			var op *tensor.Error
			errors.As(err, &op)
			tensor.Fail(op.Op, "%s (input of shape %s, target of shape %s)", op.Msg, list(x.Shape()), list(y.Shape()))
		}
		if list, ok := both[0].([]any); ok {
			both = list
		}
		return both[0].(tensor.Tensor), both[1].(tensor.Tensor)
	}
}
