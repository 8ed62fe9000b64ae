package model

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	for class, op := range map[string]string{
		"ReLU": "relu", "ReLU6": "relu6", "SELU": "selu", "SiLU": "silu", "Mish": "mish", "Hardswish": "hardswish", "Hardsigmoid": "hardsigmoid",
	} {
		layer("activation", class, InplaceActivation{class: class, op: op})
	}
	for _, c := range []Activation{activation("Tanh", "tanh"), activation("Sigmoid", "sigmoid"), activation("LogSigmoid", "log_sigmoid"), softsign, tanhshrink} {
		layer("activation", c.class, c)
	}
	layer("activation", "LeakyReLU", LeakyReLU{NegativeSlope: 0.01})
	for class, op := range map[string]string{"ELU": "elu", "CELU": "celu"} {
		layer("activation", class, ELU{Alpha: 1, class: class, op: op})
	}
	for class, op := range map[string]string{"Hardshrink": "hardshrink", "Softshrink": "softshrink"} {
		layer("activation", class, Shrink{Lambd: 0.5, class: class, op: op})
	}
	layer("activation", "GELU", GELU{Approximate: "none"})
	layer("activation", "GLU", GLU{Dim: -1})
	layer("activation", "Softplus", Softplus{Beta: 1, Threshold: 20})
	layer("activation", "Hardtanh", Hardtanh{MinVal: -1, MaxVal: 1})
	layer("activation", "Threshold", Threshold{})
	layer("activation", "RReLU", RReLU{Lower: 1.0 / 8, Upper: 1.0 / 3})
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
type Activation struct {
	class string
	f     func(x tensor.Tensor) tensor.Tensor
}

func activation(class, op string) Activation {
	return Activation{class, func(x tensor.Tensor) tensor.Tensor { return apply(false, op, x) }}
}

var (
	softsign   = Activation{"Softsign", func(x tensor.Tensor) tensor.Tensor { return x.Div(apply(false, "abs", x).AddScalar(1)) }}
	tanhshrink = Activation{"Tanhshrink", func(x tensor.Tensor) tensor.Tensor { return x.Sub(apply(false, "tanh", x)) }}
)

// Build implements the registry's Builder.
func (c Activation) Build(*lighter.Env) (lighter.Module, error) {
	return newFunction(c.class, func(_ *lighter.Node, x tensor.Tensor) tensor.Tensor { return c.f(x) }), nil
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

// ELU is torch.nn.ELU, x where positive, else alpha·(exp(x) - 1), and torch.nn.CELU, whose exponent is x / alpha.
type ELU struct {
	Alpha   float64 `cfg:"alpha" help:"scale for negative inputs"`
	Inplace bool    `cfg:"inplace" help:"overwrite the input"`

	class, op string
}

// Validate implements the registry's Validator.
func (c ELU) Validate() error {
	if c.op == "celu" && c.Alpha == 0 {
		return lighter.FieldError("alpha", "ZeroDivisionError: alpha cannot be 0 for CELU")
	}
	return nil
}

// Build implements the registry's Builder.
func (c ELU) Build(*lighter.Env) (lighter.Module, error) {
	return newFunction(c.class, func(_ *lighter.Node, x tensor.Tensor) tensor.Tensor { return apply(c.Inplace, c.op, x, c.Alpha) }), nil
}

// Shrink is torch.nn.Hardshrink and torch.nn.Softshrink: 0 between -lambd and lambd; Softshrink moves the rest by lambd towards 0.
type Shrink struct {
	Lambd float64 `cfg:"lambd" help:"half the width of what becomes 0"`

	class, op string
}

// Validate implements the registry's Validator.
func (c Shrink) Validate() error {
	if c.op == "softshrink" && c.Lambd < 0 {
		return lighter.FieldError("lambd", "lambda must be greater or equal to 0, but found to be %s.", expr.Float(c.Lambd))
	}
	return nil
}

// Build implements the registry's Builder.
func (c Shrink) Build(*lighter.Env) (lighter.Module, error) {
	return newFunction(c.class, func(_ *lighter.Node, x tensor.Tensor) tensor.Tensor { return apply(false, c.op, x, c.Lambd) }), nil
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

// GLU is torch.nn.GLU: the first half of dim times the sigmoid of the second.
type GLU struct {
	Dim int64 `cfg:"dim" help:"dimension that is halved"`
}

// Build implements the registry's Builder.
func (c GLU) Build(*lighter.Env) (lighter.Module, error) {
	return newFunction("GLU", func(_ *lighter.Node, x tensor.Tensor) tensor.Tensor { return apply(false, "glu", x, c.Dim) }), nil
}

// Hardtanh is torch.nn.Hardtanh: x between min_val and max_val.
type Hardtanh struct {
	MinVal   float64  `cfg:"min_val" help:"least value"`
	MaxVal   float64  `cfg:"max_val" help:"largest value"`
	Inplace  bool     `cfg:"inplace" help:"overwrite the input"`
	MinValue *float64 `cfg:"min_value" help:"deprecated in PyTorch: use min_val"`
	MaxValue *float64 `cfg:"max_value" help:"deprecated in PyTorch: use max_val"`
}

func (c Hardtanh) limits() (low, high float64) {
	low, high = c.MinVal, c.MaxVal
	if c.MinValue != nil {
		low = *c.MinValue
	}
	if c.MaxValue != nil {
		high = *c.MaxValue
	}
	return low, high
}

// Validate implements the registry's Validator.
func (c Hardtanh) Validate() error {
	if low, high := c.limits(); high <= low {
		return lighter.FieldError("max_val", "max_val must be larger than min_val, got %s and %s", expr.Float(high), expr.Float(low))
	}
	return nil
}

// Build implements the registry's Builder.
func (c Hardtanh) Build(*lighter.Env) (lighter.Module, error) {
	low, high := c.limits()
	return newFunction("Hardtanh", func(_ *lighter.Node, x tensor.Tensor) tensor.Tensor {
		return apply(c.Inplace, "hardtanh", x, low, high)
	}), nil
}

// Threshold is torch.nn.Threshold: x above threshold, else value.
type Threshold struct {
	Threshold float64 `cfg:"threshold,required" help:"what x must exceed"`
	Value     float64 `cfg:"value,required" help:"what stands for the others"`
	Inplace   bool    `cfg:"inplace" help:"overwrite the input"`
}

// Build implements the registry's Builder.
func (c Threshold) Build(*lighter.Env) (lighter.Module, error) {
	return newFunction("Threshold", func(_ *lighter.Node, x tensor.Tensor) tensor.Tensor {
		return apply(c.Inplace, "threshold", x, c.Threshold, c.Value)
	}), nil
}

// RReLU is torch.nn.RReLU: x where positive, else a slope times x, drawn between lower and upper in training and their mean in
// evaluation.
type RReLU struct {
	Lower   float64 `cfg:"lower" help:"least slope"`
	Upper   float64 `cfg:"upper" help:"largest slope"`
	Inplace bool    `cfg:"inplace" help:"overwrite the input"`
}

// Validate implements the registry's Validator.
func (c RReLU) Validate() error {
	if c.Lower > c.Upper {
		return lighter.FieldError("lower", "Lower bound should be less than or equal to the upper bound")
	}
	return nil
}

// Build implements the registry's Builder.
func (c RReLU) Build(*lighter.Env) (lighter.Module, error) {
	return newFunction("RReLU", func(m *lighter.Node, x tensor.Tensor) tensor.Tensor {
		return apply(c.Inplace, "rrelu", x, c.Lower, c.Upper, m.Training())
	}), nil
}

// PReLU is torch.nn.PReLU: x where positive, else weight·x, with one weight for all or one a channel.
type PReLU struct {
	NumParameters int64   `cfg:"num_parameters" help:"1, or the number of channels of the input"`
	Init          float64 `cfg:"init" help:"the weight at first"`
	Factory
}

// Validate implements the registry's Validator.
func (c PReLU) Validate() error { return notNegative("num_parameters", c.NumParameters) }

// Build implements the registry's Builder.
func (c PReLU) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	m := &prelu{}
	m.SetClass("torch.nn.PReLU")
	weight := c.empty(c.NumParameters)
	weight.Fill(c.Init)
	m.parameter("weight", &m.weight, weight)
	return m, nil
}

type prelu struct {
	weighted
	weight tensor.Tensor
}

func (m *prelu) Forward(in ...lighter.Value) lighter.Value { return only(&m.Node, in).PRelu(m.weight) }
