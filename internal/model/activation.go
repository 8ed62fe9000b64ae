package model

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	for class, op := range map[string]string{
		"ReLU": "relu", "ReLU6": "relu6", "SELU": "selu", "SiLU": "silu", "Mish": "mish", "Hardswish": "hardswish", "Hardsigmoid": "hardsigmoid",
	} {
		layer("activation", class, InplaceActivation{class: class, op: op})
	}
	for class, op := range map[string]string{"Tanh": "tanh", "Sigmoid": "sigmoid", "LogSigmoid": "log_sigmoid"} {
		layer("activation", class, Activation{class: class, op: op})
	}
	for class, op := range map[string]string{"Softmax": "softmax", "LogSoftmax": "log_softmax"} {
		layer("activation", class, Softmax{class: class, op: op})
	}
	layer("activation", "LeakyReLU", LeakyReLU{NegativeSlope: 0.01})
	layer("activation", "ELU", ELU{Alpha: 1})
	layer("activation", "GELU", GELU{Approximate: "none"})
	layer("activation", "Softplus", Softplus{Beta: 1, Threshold: 20})
	layer("activation", "PReLU", PReLU{NumParameters: 1, Init: 0.25})
}

// apply calls an operator on x, or its form that overwrites x.
func apply(inplace bool, op string, x tensor.Tensor, args ...any) tensor.Tensor {
	if inplace {
		op += "_"
	}
	return tensor.CallOne(op, append([]any{x}, args...)...)
}

// Activation is an activation without arguments.
type Activation struct{ class, op string }

// Build implements the registry's Builder.
func (c Activation) Build(*lighter.Env) (lighter.Module, error) {
	return newFunction(c.class, func(_ *lighter.Node, x tensor.Tensor) tensor.Tensor { return apply(false, c.op, x) }), nil
}

// InplaceActivation is an activation that may overwrite its input.
type InplaceActivation struct {
	Inplace bool `cfg:"inplace" help:"overwrite the input"`

	class, op string
}

// Build implements the registry's Builder.
func (c InplaceActivation) Build(*lighter.Env) (lighter.Module, error) {
	if c.op == "relu" && !c.Inplace {
		return newFunction(c.class, func(_ *lighter.Node, x tensor.Tensor) tensor.Tensor { return x.Relu() }), nil
	}
	return newFunction(c.class, func(_ *lighter.Node, x tensor.Tensor) tensor.Tensor { return apply(c.Inplace, c.op, x) }), nil
}

// LeakyReLU is torch.nn.LeakyReLU: x where positive, else negative_slope·x.
type LeakyReLU struct {
	NegativeSlope float64 `cfg:"negative_slope" help:"slope for negative inputs"`
	Inplace       bool    `cfg:"inplace" help:"overwrite the input"`
}

// Build implements the registry's Builder.
func (c LeakyReLU) Build(*lighter.Env) (lighter.Module, error) {
	return newFunction("LeakyReLU", func(_ *lighter.Node, x tensor.Tensor) tensor.Tensor {
		return apply(c.Inplace, "leaky_relu", x, c.NegativeSlope)
	}), nil
}

// ELU is torch.nn.ELU: x where positive, else alpha·(exp(x) - 1).
type ELU struct {
	Alpha   float64 `cfg:"alpha" help:"scale for negative inputs"`
	Inplace bool    `cfg:"inplace" help:"overwrite the input"`
}

// Build implements the registry's Builder.
func (c ELU) Build(*lighter.Env) (lighter.Module, error) {
	return newFunction("ELU", func(_ *lighter.Node, x tensor.Tensor) tensor.Tensor { return apply(c.Inplace, "elu", x, c.Alpha) }), nil
}

// GELU is torch.nn.GELU: x·Φ(x), or its approximation by tanh.
type GELU struct {
	Approximate string `cfg:"approximate" oneof:"none|tanh" help:"none is exact, tanh is the approximation"`
}

// Build implements the registry's Builder.
func (c GELU) Build(*lighter.Env) (lighter.Module, error) {
	return newFunction("GELU", func(_ *lighter.Node, x tensor.Tensor) tensor.Tensor {
		return apply(false, "gelu", x, tensor.Kwarg{Name: "approximate", Value: c.Approximate})
	}), nil
}

// Softplus is torch.nn.Softplus: log(1 + exp(beta·x)) / beta, linear above threshold.
type Softplus struct {
	Beta      float64 `cfg:"beta" help:"sharpness"`
	Threshold float64 `cfg:"threshold" help:"beta·x above which it is linear"`
}

// Build implements the registry's Builder.
func (c Softplus) Build(*lighter.Env) (lighter.Module, error) {
	return newFunction("Softplus", func(_ *lighter.Node, x tensor.Tensor) tensor.Tensor {
		return apply(false, "softplus", x, c.Beta, c.Threshold)
	}), nil
}

// Softmax is torch.nn.Softmax and torch.nn.LogSoftmax. Without dim it is PyTorch's deprecated choice: dimension 0 of tensors
// with 0, 1 or 3 dimensions, else 1.
type Softmax struct {
	Dim *int64 `cfg:"dim" help:"dimension whose elements add up to 1"`

	class, op string
}

// Build implements the registry's Builder.
func (c Softmax) Build(*lighter.Env) (lighter.Module, error) {
	return newFunction(c.class, func(_ *lighter.Node, x tensor.Tensor) tensor.Tensor {
		return apply(false, c.op, x, c.dim(x))
	}), nil
}

func (c Softmax) dim(x tensor.Tensor) int64 {
	if c.Dim != nil {
		return *c.Dim
	}
	switch x.Dim() {
	case 0, 1, 3:
		return 0
	}
	return 1
}

// PReLU is torch.nn.PReLU: x where positive, else weight·x, with one weight for all or one a channel.
type PReLU struct {
	NumParameters int64   `cfg:"num_parameters" help:"1, or the number of channels of the input"`
	Init          float64 `cfg:"init" help:"the weight at first"`
	Device        any     `cfg:"device,ignored" help:"the trainer places the module"`
	DType         DType   `cfg:"dtype" help:"type of the parameters, $torch.float32 when null"`
}

// Validate implements the registry's Validator.
func (c PReLU) Validate() error { return notNegative("num_parameters", c.NumParameters) }

// Build implements the registry's Builder.
func (c PReLU) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	m := &prelu{}
	m.SetClass("torch.nn.PReLU")
	weight := tensor.Empty([]int64{c.NumParameters}, c.DType.get(), tensor.Device{})
	weight.Fill(c.Init)
	m.weight = m.Param("weight", weight)
	return m, nil
}

type prelu struct {
	lighter.Node
	weight tensor.Tensor
}

func (m *prelu) Forward(in ...lighter.Value) lighter.Value { return only(&m.Node, in).PRelu(m.weight) }
