package model

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("conv", "ConvTranspose1d", transposed[one]())
	layer("conv", "ConvTranspose2d", transposed[two]())
	layer("conv", "ConvTranspose3d", transposed[three]())
}

// ConvTranspose is torch.nn.ConvTranspose1d, 2d and 3d: weight [in_channels, out_channels/groups, kernel_size...]. Its forward also
// takes output_size, which chooses between the sizes that a strided convolution makes one.
type ConvTranspose[D dims] struct {
	InChannels    int64    `cfg:"in_channels,required,aka=in_ch|input_channels|in_features" help:"channels of the input"`
	OutChannels   int64    `cfg:"out_channels,required,aka=out_ch|output_channels|filters|num_filters|out_features" help:"channels of the output"`
	KernelSize    Tuple[D] `cfg:"kernel_size,required,aka=kernel|ksize|filter_size" help:"size of the kernel"`
	Stride        Tuple[D] `cfg:"stride" help:"step of the kernel in the output"`
	Padding       Tuple[D] `cfg:"padding,aka=pad" help:"elements taken off on both sides of the output"`
	OutputPadding Tuple[D] `cfg:"output_padding" help:"elements added on one side of the output"`
	Groups        int64    `cfg:"groups" help:"groups of channels that are convolved apart"`
	Bias          bool     `cfg:"bias" help:"learn an additive bias"`
	Dilation      Tuple[D] `cfg:"dilation" help:"step between the kernel's elements"`
	PaddingMode   string   `cfg:"padding_mode" help:"only zeros"`
	Factory
}

func transposed[D dims]() ConvTranspose[D] {
	return ConvTranspose[D]{
		Stride: all[D](1), Padding: all[D](0), OutputPadding: all[D](0), Groups: 1, Bias: true, Dilation: all[D](1), PaddingMode: "zeros",
	}
}

// Validate implements the registry's Validator.
func (c ConvTranspose[D]) Validate() error {
	if c.PaddingMode != "zeros" {
		return lighter.FieldError("padding_mode", `Only "zeros" padding mode is supported for ConvTranspose%dd`, dimsOf[D]())
	}
	if err := checkChannels(c.InChannels, c.OutChannels, c.Groups); err != nil {
		return err
	}
	err := checkSizes(dimsOf[D](), sizes{"kernel_size", 1, c.KernelSize}, sizes{"stride", 1, c.Stride}, sizes{"padding", 0, c.Padding},
		sizes{"output_padding", 0, c.OutputPadding}, sizes{"dilation", 1, c.Dilation})
	if err != nil {
		return err
	}
	for i, p := range c.OutputPadding {
		if p >= c.Stride[i] && p >= c.Dilation[i] {
			return lighter.FieldError("output_padding", "output padding must be smaller than either stride or dilation, but got output_padding: %s stride: %s dilation: %s",
				list(c.OutputPadding), list(c.Stride), list(c.Dilation))
		}
	}
	return nil
}

// Build implements the registry's Builder.
func (c ConvTranspose[D]) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	m := &convTranspose[D]{c: c, op: fmt.Sprintf("conv_transpose%dd", dimsOf[D]())}
	m.SetClass(target(classOf[D]("ConvTranspose")))
	m.makeWeights(c.Factory, append([]int64{c.InChannels, c.OutChannels / c.Groups}, c.KernelSize...), c.OutChannels, c.Bias)
	return m, nil
}

type convTranspose[D dims] struct {
	convWeights
	c  ConvTranspose[D]
	op string
}

// Signature names the arguments of Forward.
func (*convTranspose[D]) Signature() string { return "input, output_size=" }

func (m *convTranspose[D]) Forward(in ...lighter.Value) lighter.Value {
	a, c := signature(m.Signature()).take(&m.Node, in), &m.c
	x, extra := a.tensor(0), []int64(c.OutputPadding)
	if a.given(1) {
		extra = m.outputPadding(x, a.ints(1))
	}
	return tensor.CallOne(m.op, x, m.weight, m.bias, []int64(c.Stride), []int64(c.Padding), extra, c.Groups, []int64(c.Dilation))
}

// outputPadding is what gives the output a size; size may have the batch and channels before it.
func (m *convTranspose[D]) outputPadding(x tensor.Tensor, size []int64) []int64 {
	n, c := dimsOf[D](), &m.c
	before := x.Dim() - n
	given := size
	if len(size) == x.Dim() {
		size = size[before:]
	}
	if len(size) != n || before < 0 {
		tensor.Fail(m.Class(), "for %dD input, output_size must have %d or %d elements (got %d)", x.Dim(), n, x.Dim(), len(given))
	}
	extra, least, most := make([]int64, n), make([]int64, n), make([]int64, n)
	for i, d := range x.Shape()[before:] {
		least[i] = (d-1)*c.Stride[i] - 2*c.Padding[i] + c.Dilation[i]*(c.KernelSize[i]-1) + 1
		most[i] = least[i] + c.Stride[i] - 1
		extra[i] = size[i] - least[i]
	}
	for i := range size {
		if size[i] < least[i] || size[i] > most[i] {
			tensor.Fail(m.Class(), "requested an output size of %s, but valid sizes range from %s to %s (for an input of %s)",
				list(size), list(least), list(most), list(x.Shape()[before:]))
		}
	}
	return extra
}
