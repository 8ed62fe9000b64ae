package model

import (
	"fmt"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("conv", "Conv2d", Conv2d{Stride: Pair{1, 1}, Padding: Padding{size: Pair{0, 0}}, Dilation: Pair{1, 1}, Groups: 1, Bias: true, PaddingMode: "zeros"})
}

// Padding is the `padding` of a convolution: "same", "valid", or elements on both sides of each dimension.
type Padding struct {
	mode string // "" when size is given
	size []int64
}

// ConfigType implements the registry's Decoder.
func (*Padding) ConfigType() string { return `an int, a list of 2 ints, "same" or "valid"` }

// DecodeConfig implements the registry's Decoder.
func (p *Padding) DecodeConfig(v any) error {
	if s, ok := v.(string); ok {
		if s != "same" && s != "valid" {
			//lint:ignore ST1005 PyTorch's wording
			return fmt.Errorf("Invalid padding string %q, should be one of {'same', 'valid'}", s)
		}
		*p = Padding{mode: s}
		return nil
	}
	size, err := sizesOf(v, 2)
	if size == nil && err == nil {
		return fmt.Errorf("must be %s, got null", p.ConfigType())
	}
	*p = Padding{size: size}
	return err
}

// sides gives the padding before and after each dimension; PyTorch puts the odd element of "same" after.
func (p Padding) sides(kernel, dilation []int64) (before, after []int64) {
	before, after = make([]int64, len(kernel)), make([]int64, len(kernel))
	for i := range kernel {
		switch p.mode {
		case "":
			before[i], after[i] = p.size[i], p.size[i]
		case "same":
			total := dilation[i] * (kernel[i] - 1)
			before[i] = total / 2
			after[i] = total - before[i]
		}
	}
	return before, after
}

// Conv2d is torch.nn.Conv2d: weight [out_channels, in_channels/groups, kH, kW].
type Conv2d struct {
	InChannels  int64   `cfg:"in_channels,required,aka=in_ch|input_channels|in_features" help:"channels of the input"`
	OutChannels int64   `cfg:"out_channels,required,aka=out_ch|output_channels|filters|num_filters|out_features" help:"channels of the output"`
	KernelSize  Pair    `cfg:"kernel_size,required,aka=kernel|ksize|filter_size" help:"size of the kernel"`
	Stride      Pair    `cfg:"stride" help:"step of the kernel"`
	Padding     Padding `cfg:"padding,aka=pad" help:"elements added on both sides, or same, or valid"`
	Dilation    Pair    `cfg:"dilation" help:"step between the kernel's elements"`
	Groups      int64   `cfg:"groups" help:"groups of channels that are convolved apart"`
	Bias        bool    `cfg:"bias" help:"learn an additive bias"`
	PaddingMode string  `cfg:"padding_mode" oneof:"zeros|reflect|replicate|circular" help:"what the added elements hold"`
	Device      any     `cfg:"device,ignored" help:"the trainer places the module"`
	DType       DType   `cfg:"dtype" help:"type of the parameters, $torch.float32 when null"`
}

// Validate implements the registry's Validator.
func (c Conv2d) Validate() error {
	switch {
	case c.Groups <= 0:
		return lighter.FieldError("groups", "groups must be a positive integer")
	case c.InChannels%c.Groups != 0:
		return lighter.FieldError("in_channels", "in_channels must be divisible by groups")
	case c.OutChannels%c.Groups != 0:
		return lighter.FieldError("out_channels", "out_channels must be divisible by groups")
	case c.Padding.mode == "same" && slices.ContainsFunc(c.Stride, func(s int64) bool { return s != 1 }):
		return lighter.FieldError("padding", "padding='same' is not supported for strided convolutions")
	}
	for _, f := range []struct {
		name  string
		least int64
		v     []int64
	}{{"kernel_size", 1, c.KernelSize}, {"stride", 1, c.Stride}, {"dilation", 1, c.Dilation}, {"padding", 0, c.Padding.size}} {
		switch {
		case f.v == nil && f.name != "padding":
			return lighter.FieldError(f.name, "must be an int or a list of 2 ints, got null")
		case slices.ContainsFunc(f.v, func(d int64) bool { return d < f.least }):
			return lighter.FieldError(f.name, "must be at least %d, got %s", f.least, list(f.v))
		}
	}
	return notNegative("in_channels", c.InChannels, "out_channels", c.OutChannels)
}

// Build implements the registry's Builder.
func (c Conv2d) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	m := &conv2d{c: c, padding: []int64{0, 0}}
	m.SetClass("torch.nn.Conv2d")
	inputs := c.InChannels / c.Groups
	weight := tensor.Empty([]int64{c.OutChannels, inputs, c.KernelSize[0], c.KernelSize[1]}, c.DType.get(), tensor.Device{})
	var bias tensor.Tensor
	if c.Bias {
		bias = tensor.Empty([]int64{c.OutChannels}, c.DType.get(), tensor.Device{})
	}
	fanIn := inputs * c.KernelSize[0] * c.KernelSize[1]
	if fanIn > 0 {
		resetWeight(weight, bias, fanIn)
	}
	m.weight, m.bias = m.Param("weight", weight), m.Param("bias", bias)
	before, after := c.Padding.sides(c.KernelSize, c.Dilation)
	switch {
	case c.PaddingMode != "zeros":
		m.pad = []int64{before[1], after[1], before[0], after[0]}
	case slices.Equal(before, after):
		m.padding = before
	default:
		m.uneven = true
	}
	return m, nil
}

type conv2d struct {
	lighter.Node
	c            Conv2d
	weight, bias tensor.Tensor
	padding      []int64 // what the convolution itself adds
	pad          []int64 // what is added before it, from the last dimension on, before and after; nil for none
	uneven       bool    // "same" with a kernel of even size, which libtorch pads itself
}

func (m *conv2d) Forward(in ...lighter.Value) lighter.Value {
	x, c := only(&m.Node, in), &m.c
	if m.uneven {
		return tensor.CallOne("conv2d", x, m.weight, m.bias, []int64(c.Stride), "same", []int64(c.Dilation), c.Groups)
	}
	if m.pad != nil {
		x = tensor.CallOne("pad", x, m.pad, c.PaddingMode)
	}
	return tensor.Conv2d(x, m.weight, m.bias, c.Stride, m.padding, c.Dilation, c.Groups)
}
