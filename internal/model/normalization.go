package model

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("normalization", "LayerNorm", LayerNorm{Eps: 1e-5, ElementwiseAffine: true, Bias: true})
	layer("normalization", "GroupNorm", GroupNorm{Eps: 1e-5, Affine: true})
	layer("normalization", "RMSNorm", RMSNorm{ElementwiseAffine: true})
}

// normalizedShape checks the argument of layers that normalise over the last dimensions.
func normalizedShape(shape Shape) error {
	if len(shape) == 0 {
		return lighter.FieldError("normalized_shape", "must have at least one dimension")
	}
	for _, d := range shape {
		if err := notNegative("normalized_shape", d); err != nil {
			return err
		}
	}
	return nil
}

// LayerNorm is torch.nn.LayerNorm: it normalises over the last dimensions, of sizes normalized_shape.
type LayerNorm struct {
	NormalizedShape   Shape   `cfg:"normalized_shape,required,aka=hidden_size|num_features|shape" help:"sizes of the dimensions normalised over, the last ones"`
	Eps               float64 `cfg:"eps,aka=epsilon" help:"added to the variance"`
	ElementwiseAffine bool    `cfg:"elementwise_affine" help:"learn a weight for every element, and a bias"`
	Bias              bool    `cfg:"bias" help:"learn the bias too"`
	Factory
}

// Validate implements the registry's Validator.
func (c LayerNorm) Validate() error { return normalizedShape(c.NormalizedShape) }

// Build implements the registry's Builder.
func (c LayerNorm) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	m := &layerNorm{c: c}
	m.SetClass("torch.nn.LayerNorm")
	if c.ElementwiseAffine {
		m.parameter("weight", &m.weight, c.ones(c.NormalizedShape...))
		if c.Bias {
			m.parameter("bias", &m.bias, c.zeros(c.NormalizedShape...))
		}
	}
	return m, nil
}

type layerNorm struct {
	weighted
	c            LayerNorm
	weight, bias tensor.Tensor
}

func (m *layerNorm) Forward(in ...lighter.Value) lighter.Value {
	return tensor.CallOne("layer_norm", only(&m.Node, in), []int64(m.c.NormalizedShape), m.weight, m.bias, m.c.Eps)
}

// GroupNorm is torch.nn.GroupNorm: it normalises each sample over groups of channels.
type GroupNorm struct {
	NumGroups   int64   `cfg:"num_groups,required,aka=groups" help:"groups of channels"`
	NumChannels int64   `cfg:"num_channels,required,aka=channels|num_features" help:"channels of the input"`
	Eps         float64 `cfg:"eps,aka=epsilon" help:"added to the variance"`
	Affine      bool    `cfg:"affine" help:"learn a weight and a bias for each channel"`
	Factory
}

// Validate implements the registry's Validator.
func (c GroupNorm) Validate() error {
	if c.NumGroups <= 0 {
		return lighter.FieldError("num_groups", "must be at least 1, got %d", c.NumGroups)
	}
	if c.NumChannels%c.NumGroups != 0 {
		return lighter.FieldError("num_channels", "num_channels (%d) must be divisible by num_groups (%d)", c.NumChannels, c.NumGroups)
	}
	return notNegative("num_channels", c.NumChannels)
}

// Build implements the registry's Builder.
func (c GroupNorm) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	m := &groupNorm{c: c}
	m.SetClass("torch.nn.GroupNorm")
	if c.Affine {
		m.parameter("weight", &m.weight, c.ones(c.NumChannels))
		m.parameter("bias", &m.bias, c.zeros(c.NumChannels))
	}
	return m, nil
}

type groupNorm struct {
	weighted
	c            GroupNorm
	weight, bias tensor.Tensor
}

func (m *groupNorm) Forward(in ...lighter.Value) lighter.Value {
	x := only(&m.Node, in)
	if x.Dim() < 2 {
		tensor.Fail(m.Class(), "Expected at least 2 dimensions for input tensor but received %d", x.Dim())
	}
	if shape := x.Shape(); x.Numel() == shape[0]*m.c.NumGroups && shape[0]*shape[1]/m.c.NumGroups == 1 {
		tensor.Fail(m.Class(), "Expected more than 1 value per channel when training, got input size %s", lighter.SizeText(x))
	}
	return tensor.CallOne("group_norm", x, m.c.NumGroups, m.weight, m.bias, m.c.Eps, true)
}

// RMSNorm is torch.nn.RMSNorm: it divides by the root of the mean square over the last dimensions, of sizes normalized_shape.
type RMSNorm struct {
	NormalizedShape   Shape    `cfg:"normalized_shape,required,aka=hidden_size|num_features|shape" help:"sizes of the dimensions normalised over, the last ones"`
	Eps               *float64 `cfg:"eps,aka=epsilon" help:"added to the mean square; the least step of the input's type when null"`
	ElementwiseAffine bool     `cfg:"elementwise_affine" help:"learn a weight for every element"`
	Factory
}

// Validate implements the registry's Validator.
func (c RMSNorm) Validate() error { return normalizedShape(c.NormalizedShape) }

// Build implements the registry's Builder.
func (c RMSNorm) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	m := &rmsNorm{c: c, eps: optional(c.Eps)}
	m.SetClass("torch.nn.RMSNorm")
	if c.ElementwiseAffine {
		m.parameter("weight", &m.weight, c.ones(c.NormalizedShape...))
	}
	return m, nil
}

// optional is a value as an operator takes it, nil when it was not given.
func optional[V any](v *V) any {
	if v == nil {
		return nil
	}
	return *v
}

type rmsNorm struct {
	weighted
	c      RMSNorm
	eps    any
	weight tensor.Tensor
}

func (m *rmsNorm) Forward(in ...lighter.Value) lighter.Value {
	return tensor.CallOne("rms_norm", only(&m.Node, in), []int64(m.c.NormalizedShape), m.weight, m.eps)
}
