package model

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	zero := int64(0)
	lighter.Register(parametrizations+"weight_norm", WeightNorm{Parametrized: Parametrized{Name: "weight"}, Dim: &zero})
}

// WeightNorm is torch.nn.utils.parametrizations.weight_norm: a weight as its norm along dim, original0, and its direction, original1.
type WeightNorm struct {
	Parametrized
	Dim *int64 `cfg:"dim" help:"dimension whose slices have a norm each; null for one norm of all"`
}

// Build implements the registry's Builder.
func (c WeightNorm) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	weight, err := c.parameterOf()
	if err != nil {
		return nil, err
	}
	t := &weightNorm{dim: -1}
	setTransformClass(&t.Node, "_WeightNorm")
	if c.Dim != nil {
		if t.dim = *c.Dim; t.dim < -1 || t.dim >= int64(weight.Dim()) {
			return nil, wrongDim(t.dim, weight.Dim())
		}
	}
	return c.register(t)
}

type weightNorm struct {
	moduleList
	dim int64 // -1 for the norm of all
}

func (m *weightNorm) tried() bool { return false }

func (m *weightNorm) inverse(w tensor.Tensor) []tensor.Tensor {
	return []tensor.Tensor{tensor.CallOne("norm_except_dim", w, 2, m.dim), w}
}

func (m *weightNorm) apply(o ...tensor.Tensor) tensor.Tensor {
	return tensor.CallOne("_weight_norm", o[1], o[0], m.dim)
}
