package model

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("fold", "Fold", Fold{Dilation: all[two](1), Padding: all[two](0), Stride: all[two](1)})
	layer("fold", "Unfold", Unfold{Dilation: all[two](1), Padding: all[two](0), Stride: all[two](1)})
}

// Fold is torch.nn.Fold: it adds blocks [N, C·kH·kW, L] up to images [N, C, H, W].
type Fold struct {
	OutputSize Pair `cfg:"output_size,required" help:"height and width of the images"`
	KernelSize Pair `cfg:"kernel_size,required,aka=kernel|ksize" help:"size of a block"`
	Dilation   Pair `cfg:"dilation" help:"step between a block's elements"`
	Padding    Pair `cfg:"padding,aka=pad" help:"elements taken off on both sides"`
	Stride     Pair `cfg:"stride" help:"step between blocks"`
}

// Validate implements the registry's Validator.
func (c Fold) Validate() error {
	return checkSizes(2, sizes{"output_size", 1, c.OutputSize}, sizes{"kernel_size", 1, c.KernelSize}, sizes{"dilation", 1, c.Dilation},
		sizes{"padding", 0, c.Padding}, sizes{"stride", 1, c.Stride})
}

// Build implements the registry's Builder.
func (c Fold) Build(*lighter.Env) (lighter.Module, error) {
	return newFunction("Fold", func(_ *lighter.Node, x tensor.Tensor) tensor.Tensor {
		return tensor.CallOne("col2im", x, []int64(c.OutputSize), []int64(c.KernelSize), []int64(c.Dilation), []int64(c.Padding), []int64(c.Stride))
	}), nil
}

// Unfold is torch.nn.Unfold: it cuts images [N, C, H, W] into blocks [N, C·kH·kW, L].
type Unfold struct {
	KernelSize Pair `cfg:"kernel_size,required,aka=kernel|ksize" help:"size of a block"`
	Dilation   Pair `cfg:"dilation" help:"step between a block's elements"`
	Padding    Pair `cfg:"padding,aka=pad" help:"zeros added on both sides"`
	Stride     Pair `cfg:"stride" help:"step between blocks"`
}

// Validate implements the registry's Validator.
func (c Unfold) Validate() error {
	return checkSizes(2, sizes{"kernel_size", 1, c.KernelSize}, sizes{"dilation", 1, c.Dilation}, sizes{"padding", 0, c.Padding}, sizes{"stride", 1, c.Stride})
}

// Build implements the registry's Builder.
func (c Unfold) Build(*lighter.Env) (lighter.Module, error) {
	return newFunction("Unfold", func(_ *lighter.Node, x tensor.Tensor) tensor.Tensor {
		return tensor.CallOne("im2col", x, []int64(c.KernelSize), []int64(c.Dilation), []int64(c.Padding), []int64(c.Stride))
	}), nil
}
