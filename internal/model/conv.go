package model

import (
	"fmt"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("conv", "Conv1d", convolution[one]())
	layer("conv", "Conv2d", convolution[two]())
	layer("conv", "Conv3d", convolution[three]())
}

// Padding is the `padding` of a convolution: "same", "valid", or elements on both sides of each dimension.
type Padding[D dims] struct {
	mode string // "" when size is given
	size Tuple[D]
}

// ConfigType implements the registry's Decoder.
func (*Padding[D]) ConfigType() string { return tupleText(dimsOf[D](), "int") + `, "same" or "valid"` }

// DecodeConfig implements the registry's Decoder.
func (p *Padding[D]) DecodeConfig(v any) error {
	*p = Padding[D]{}
	switch x := v.(type) {
	case nil:
		return fmt.Errorf("must be %s, got null", p.ConfigType())
	case string:
		if x != "same" && x != "valid" {
			//lint:ignore ST1005 PyTorch's wording
			return fmt.Errorf("Invalid padding string %q, should be one of {'same', 'valid'}", x)
		}
		p.mode = x
		return nil
	}
	return p.size.DecodeConfig(v)
}

// String is the padding as a configuration has it.
func (p Padding[D]) String() string {
	if p.mode != "" {
		return p.mode
	}
	return list(p.size)
}

// sides gives the padding before and after each dimension; PyTorch puts the odd element of "same" after.
func (p Padding[D]) sides(kernel, dilation []int64) (before, after []int64) {
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

// Conv is torch.nn.Conv1d, 2d and 3d: weight [out_channels, in_channels/groups, kernel_size...].
type Conv[D dims] struct {
	InChannels  int64      `cfg:"in_channels,required,aka=in_ch|input_channels|in_features" help:"channels of the input"`
	OutChannels int64      `cfg:"out_channels,required,aka=out_ch|output_channels|filters|num_filters|out_features" help:"channels of the output"`
	KernelSize  Tuple[D]   `cfg:"kernel_size,required,aka=kernel|ksize|filter_size" help:"size of the kernel"`
	Stride      Tuple[D]   `cfg:"stride" help:"step of the kernel"`
	Padding     Padding[D] `cfg:"padding,aka=pad" help:"elements added on both sides, or same, or valid"`
	Dilation    Tuple[D]   `cfg:"dilation" help:"step between the kernel's elements"`
	Groups      int64      `cfg:"groups" help:"groups of channels that are convolved apart"`
	Bias        bool       `cfg:"bias" help:"learn an additive bias"`
	PaddingMode string     `cfg:"padding_mode" oneof:"zeros|reflect|replicate|circular" help:"what the added elements hold"`
	Factory
}

func convolution[D dims]() Conv[D] {
	return Conv[D]{
		Stride: all[D](1), Padding: Padding[D]{size: all[D](0)}, Dilation: all[D](1), Groups: 1, Bias: true, PaddingMode: "zeros",
	}
}

// sizes is an argument to check: each of its values must be at least least.
type sizes struct {
	name  string
	least int64
	v     []int64
}

func checkSizes(n int, all ...sizes) error {
	for _, f := range all {
		switch {
		case f.v == nil:
			return lighter.FieldError(f.name, "must be %s, got null", tupleText(n, "int"))
		case slices.ContainsFunc(f.v, func(d int64) bool { return d < f.least }):
			return lighter.FieldError(f.name, "must be at least %d, got %s", f.least, list(f.v))
		}
	}
	return nil
}

func checkChannels(in, out, groups int64) error {
	switch {
	case groups <= 0:
		return lighter.FieldError("groups", "groups must be a positive integer")
	case in%groups != 0:
		return lighter.FieldError("in_channels", "in_channels must be divisible by groups")
	case out%groups != 0:
		return lighter.FieldError("out_channels", "out_channels must be divisible by groups")
	}
	return notNegative("in_channels", in, "out_channels", out)
}

// Validate implements the registry's Validator.
func (c Conv[D]) Validate() error {
	if err := checkChannels(c.InChannels, c.OutChannels, c.Groups); err != nil {
		return err
	}
	all := []sizes{{"kernel_size", 1, c.KernelSize}, {"stride", 1, c.Stride}, {"dilation", 1, c.Dilation}}
	if c.Padding.mode == "" {
		all = append(all, sizes{"padding", 0, c.Padding.size})
	}
	if err := checkSizes(dimsOf[D](), all...); err != nil {
		return err
	}
	if c.Padding.mode == "same" && slices.ContainsFunc(c.Stride, func(s int64) bool { return s != 1 }) {
		return lighter.FieldError("padding", "padding='same' is not supported for strided convolutions")
	}
	return nil
}

// Build implements the registry's Builder.
func (c Conv[D]) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	n := dimsOf[D]()
	m := &conv[D]{c: c, op: fmt.Sprintf("conv%dd", n), padding: all[D](0)}
	m.SetClass(target(classOf[D]("Conv")))
	m.makeWeights(c.Factory, append([]int64{c.OutChannels, c.InChannels / c.Groups}, c.KernelSize...), c.OutChannels, c.Bias)
	before, after := c.Padding.sides(c.KernelSize, c.Dilation)
	switch {
	case c.PaddingMode != "zeros":
		for i := n - 1; i >= 0; i-- {
			m.pad = append(m.pad, before[i], after[i])
		}
	case slices.Equal(before, after):
		m.padding = before
	default:
		m.uneven = true
	}
	return m, nil
}

// convWeights are those of a convolution or its transpose.
type convWeights struct {
	weighted
	weight, bias tensor.Tensor
}

func (m *convWeights) makeWeights(f Factory, shape []int64, out int64, biased bool) {
	weight := f.empty(shape...)
	var bias tensor.Tensor
	if biased {
		bias = f.empty(out)
	}
	fanIn := int64(1)
	for _, d := range shape[1:] {
		fanIn *= d
	}
	if fanIn > 0 {
		resetWeight(weight, bias, fanIn)
	}
	m.parameter("weight", &m.weight, weight)
	m.parameter("bias", &m.bias, bias)
}

type conv[D dims] struct {
	convWeights
	c       Conv[D]
	op      string
	padding []int64 // what the convolution itself adds
	pad     []int64 // what is added before it, from the last dimension on, before and after; nil for none
	uneven  bool    // "same" with a kernel of even size, which libtorch pads itself
}

func (m *conv[D]) Forward(in ...lighter.Value) lighter.Value {
	x, c := only(&m.Node, in), &m.c
	if m.uneven {
		return tensor.CallOne(m.op, x, m.weight, m.bias, []int64(c.Stride), "same", []int64(c.Dilation), c.Groups)
	}
	if m.pad != nil {
		x = tensor.CallOne("pad", x, m.pad, c.PaddingMode)
	}
	if len(m.padding) == 2 {
		return tensor.Conv2d(x, m.weight, m.bias, c.Stride, m.padding, c.Dilation, c.Groups)
	}
	return tensor.CallOne(m.op, x, m.weight, m.bias, []int64(c.Stride), m.padding, []int64(c.Dilation), c.Groups)
}
