package model

import (
	"math"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("linear", "Identity", Identity{})
	layer("linear", "Linear", Linear{Bias: true})
	layer("linear", "Bilinear", Bilinear{Bias: true})
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
	Factory
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
	weight := c.empty(c.OutFeatures, c.InFeatures)
	var bias tensor.Tensor
	if c.Bias {
		bias = c.empty(c.OutFeatures)
	}
	resetWeight(weight, bias, c.InFeatures)
	m.parameter("weight", &m.weight, weight)
	m.parameter("bias", &m.bias, bias)
	return m, nil
}

type linear struct {
	weighted
	weight, bias tensor.Tensor
}

func (m *linear) Forward(in ...lighter.Value) lighter.Value {
	return tensor.Linear(only(&m.Node, in), m.weight, m.bias)
}

// Bilinear is torch.nn.Bilinear: x1ᵀ·weight·x2 + bias, over the last dimensions of its two inputs.
type Bilinear struct {
	In1Features int64 `cfg:"in1_features,required" help:"size of each sample of the first input"`
	In2Features int64 `cfg:"in2_features,required" help:"size of each sample of the second input"`
	OutFeatures int64 `cfg:"out_features,required" help:"size of each output sample"`
	Bias        bool  `cfg:"bias" help:"learn an additive bias"`
	Factory
}

// Validate implements the registry's Validator.
func (c Bilinear) Validate() error {
	if c.In1Features <= 0 {
		return lighter.FieldError("in1_features", "in1_features must be > 0, but got %d", c.In1Features)
	}
	return notNegative("in2_features", c.In2Features, "out_features", c.OutFeatures)
}

// Build implements the registry's Builder.
func (c Bilinear) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	m := &bilinear{}
	m.SetClass("torch.nn.Bilinear")
	weight, bound := c.empty(c.OutFeatures, c.In1Features, c.In2Features), 1/math.Sqrt(float64(c.In1Features))
	uniform(weight, bound)
	m.parameter("weight", &m.weight, weight)
	if c.Bias {
		bias := c.empty(c.OutFeatures)
		uniform(bias, bound)
		m.parameter("bias", &m.bias, bias)
	}
	return m, nil
}

type bilinear struct {
	weighted
	weight, bias tensor.Tensor
}

// Signature names the arguments of Forward.
func (*bilinear) Signature() string { return "input1, input2" }

func (m *bilinear) Forward(in ...lighter.Value) lighter.Value {
	a := signature(m.Signature()).take(&m.Node, in)
	return tensor.CallOne("bilinear", a.tensor(0), a.tensor(1), m.weight, m.bias)
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
