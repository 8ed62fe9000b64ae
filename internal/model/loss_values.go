package model

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("loss", "MSELoss", ElementLoss{Reduced: mean, class: "MSELoss", op: tensor.MSELoss})
	layer("loss", "L1Loss", ElementLoss{Reduced: mean, class: "L1Loss", op: l1})
	layer("loss", "SmoothL1Loss", SmoothL1Loss{Reduced: mean, Beta: 1})
	layer("loss", "HuberLoss", HuberLoss{Reduction: "mean", Delta: 1})
}

func l1(x, y tensor.Tensor, reduction tensor.Reduction) tensor.Tensor {
	return tensor.CallOne("l1_loss", x, y, int64(reduction))
}

// ElementLoss is torch.nn.MSELoss, (x - y)², and torch.nn.L1Loss, |x - y|, element by element.
type ElementLoss struct {
	Reduced

	class string
	op    func(x, y tensor.Tensor, reduction tensor.Reduction) tensor.Tensor
}

// Build implements the registry's Builder.
func (c ElementLoss) Build(env *lighter.Env) (lighter.Module, error) {
	m := newLoss(c.class)
	reduction, same := c.get(), broadcast(env)
	m.f = func(x, y tensor.Tensor) tensor.Tensor {
		x, y = same(x, y)
		return c.op(x, y, reduction)
	}
	return m, nil
}

// SmoothL1Loss is torch.nn.SmoothL1Loss: squared below beta, absolute above.
type SmoothL1Loss struct {
	Reduced
	Beta float64 `cfg:"beta" help:"difference at which the squared part ends"`
}

// Validate implements the registry's Validator.
func (c SmoothL1Loss) Validate() error {
	if c.Beta < 0 {
		return lighter.FieldError("beta", "smooth_l1_loss does not support negative values for beta.")
	}
	return nil
}

// Build implements the registry's Builder.
func (c SmoothL1Loss) Build(env *lighter.Env) (lighter.Module, error) {
	m := newLoss("SmoothL1Loss")
	reduction, same := c.get(), broadcast(env)
	m.f = func(x, y tensor.Tensor) tensor.Tensor {
		x, y = same(x, y)
		if c.Beta == 0 {
			return l1(x, y, reduction)
		}
		return tensor.CallOne("smooth_l1_loss", x, y, int64(reduction), c.Beta)
	}
	return m, nil
}

// HuberLoss is torch.nn.HuberLoss: squared below delta, absolute above, scaled by delta.
type HuberLoss struct {
	Reduction string  `cfg:"reduction" oneof:"none|mean|sum" help:"how the losses of a batch become one"`
	Delta     float64 `cfg:"delta" help:"difference at which the squared part ends"`
}

// Validate implements the registry's Validator.
func (c HuberLoss) Validate() error {
	if c.Delta <= 0 {
		return lighter.FieldError("delta", "huber_loss does not support non-positive values for delta.")
	}
	return nil
}

// Build implements the registry's Builder.
func (c HuberLoss) Build(env *lighter.Env) (lighter.Module, error) {
	m := newLoss("HuberLoss")
	reduction, same := reductionOf(c.Reduction, nil, nil), broadcast(env)
	m.f = func(x, y tensor.Tensor) tensor.Tensor {
		x, y = same(x, y)
		return tensor.CallOne("huber_loss", x, y, int64(reduction), c.Delta)
	}
	return m, nil
}
