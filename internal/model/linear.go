package model

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("linear", "Identity", Identity{})
	layer("linear", "Linear", Linear{Bias: true})
}

// Identity is torch.nn.Identity: it gives its argument back. As there, positional arguments are taken and not used.
type Identity struct {
	Args []any `cfg:"args,args" help:"any positional arguments; they are not used"`
}

// Build implements the registry's Builder.
func (c Identity) Build(*lighter.Env) (lighter.Module, error) {
	m := &identity{}
	m.SetClass("torch.nn.Identity")
	return m, nil
}

type identity struct{ lighter.Node }

func (m *identity) Forward(in ...lighter.Value) lighter.Value {
	if len(in) != 1 {
		tensor.Fail(m.Class(), "forward() takes 1 argument, got %d", len(in))
	}
	return in[0]
}

// Linear is torch.nn.Linear: x·weightᵀ + bias over the last dimension of x.
type Linear struct {
	InFeatures  int64 `cfg:"in_features,required,aka=input_size|in_dim|input_dim|in_size|n_in|in_channels" help:"size of each input sample"`
	OutFeatures int64 `cfg:"out_features,required,aka=output_size|out_dim|output_dim|out_size|n_out|units|out_channels" help:"size of each output sample"`
	Bias        bool  `cfg:"bias" help:"learn an additive bias"`
	Device      any   `cfg:"device,ignored" help:"the trainer places the module"`
	DType       DType `cfg:"dtype" help:"type of the parameters, $torch.float32 when null"`
}

// Validate implements the registry's Validator.
func (c Linear) Validate() error {
	return notNegative("in_features", c.InFeatures, "out_features", c.OutFeatures)
}

// Build implements the registry's Builder.
func (c Linear) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	m := &linear{}
	m.SetClass("torch.nn.Linear")
	weight := tensor.Empty([]int64{c.OutFeatures, c.InFeatures}, c.DType.get(), tensor.Device{})
	var bias tensor.Tensor
	if c.Bias {
		bias = tensor.Empty([]int64{c.OutFeatures}, c.DType.get(), tensor.Device{})
	}
	resetWeight(weight, bias, c.InFeatures)
	m.weight, m.bias = m.Param("weight", weight), m.Param("bias", bias)
	return m, nil
}

type linear struct {
	lighter.Node
	weight, bias tensor.Tensor
}

func (m *linear) Forward(in ...lighter.Value) lighter.Value {
	return tensor.Linear(only(&m.Node, in), m.weight, m.bias)
}

// notNegative checks sizes, given as names and values in turn.
func notNegative(sizes ...any) error {
	for i := 0; i < len(sizes); i += 2 {
		if v := sizes[i+1].(int64); v < 0 {
			return lighter.FieldError(sizes[i].(string), "Trying to create tensor with negative dimension %d", v)
		}
	}
	return nil
}
