package model

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("normalization", "LayerNorm", LayerNorm{Eps: 1e-5, ElementwiseAffine: true, Bias: true})
}

// LayerNorm is torch.nn.LayerNorm: it normalises over the last dimensions, of sizes normalized_shape.
type LayerNorm struct {
	NormalizedShape   Shape   `cfg:"normalized_shape,required,aka=hidden_size|num_features|shape" help:"sizes of the dimensions normalised over, the last ones"`
	Eps               float64 `cfg:"eps,aka=epsilon" help:"added to the variance"`
	ElementwiseAffine bool    `cfg:"elementwise_affine" help:"learn a weight for every element, and a bias"`
	Bias              bool    `cfg:"bias" help:"learn the bias too"`
	Device            any     `cfg:"device,ignored" help:"the trainer places the module"`
	DType             DType   `cfg:"dtype" help:"type of the parameters, $torch.float32 when null"`
}

// Validate implements the registry's Validator.
func (c LayerNorm) Validate() error {
	if len(c.NormalizedShape) == 0 {
		return lighter.FieldError("normalized_shape", "must have at least one dimension")
	}
	for _, d := range c.NormalizedShape {
		if err := notNegative("normalized_shape", d); err != nil {
			return err
		}
	}
	return nil
}

// Build implements the registry's Builder.
func (c LayerNorm) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	m := &layerNorm{c: c}
	m.SetClass("torch.nn.LayerNorm")
	if c.ElementwiseAffine {
		m.weight = m.Param("weight", tensor.Ones(c.NormalizedShape, c.DType.get(), tensor.Device{}))
		if c.Bias {
			m.bias = m.Param("bias", tensor.Zeros(c.NormalizedShape, c.DType.get(), tensor.Device{}))
		}
	}
	return m, nil
}

type layerNorm struct {
	lighter.Node
	c            LayerNorm
	weight, bias tensor.Tensor
}

func (m *layerNorm) Forward(in ...lighter.Value) lighter.Value {
	return tensor.CallOne("layer_norm", only(&m.Node, in), []int64(m.c.NormalizedShape), m.weight, m.bias, m.c.Eps)
}
