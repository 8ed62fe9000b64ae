package model

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	for _, c := range softmaxes {
		layer("activation", c.class, c)
	}
	layer("activation", "Softmax2d", Softmax2d{})
}

var softmaxes = []Softmax{
	{class: "Softmax", f: func(x tensor.Tensor, dim int64) tensor.Tensor { return x.Softmax(dim) }},
	{class: "Softmin", f: func(x tensor.Tensor, dim int64) tensor.Tensor { return tensor.CallOne("neg", x).Softmax(dim) }},
	{class: "LogSoftmax", f: func(x tensor.Tensor, dim int64) tensor.Tensor { return tensor.CallOne("log_softmax", x, dim) }},
}

// Softmax is torch.nn.Softmax, torch.nn.Softmin, which is that of -x, and torch.nn.LogSoftmax. Without dim it is PyTorch's deprecated
// choice: dimension 0 of tensors with 0, 1 or 3 dimensions, else 1.
type Softmax struct {
	Dim *int64 `cfg:"dim" help:"dimension whose elements add up to 1"`

	class string
	f     func(x tensor.Tensor, dim int64) tensor.Tensor
}

// Build implements the registry's Builder.
func (c Softmax) Build(*lighter.Env) (lighter.Module, error) {
	return newFunction(c.class, func(_ *lighter.Node, x tensor.Tensor) tensor.Tensor { return c.f(x, c.dim(x)) }), nil
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

// Softmax2d is torch.nn.Softmax2d: the softmax over the channels of each pixel, input [N, C, H, W] or [C, H, W].
type Softmax2d struct{}

// Build implements the registry's Builder.
func (c Softmax2d) Build(*lighter.Env) (lighter.Module, error) {
	return newFunction("Softmax2d", func(m *lighter.Node, x tensor.Tensor) tensor.Tensor {
		if d := x.Dim(); d != 3 && d != 4 {
			tensor.Fail(m.Class(), "expected input to be 3D or 4D, got %dD instead", d)
		}
		return x.Softmax(-3)
	}), nil
}
