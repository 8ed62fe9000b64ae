package model

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("pooling", "MaxPool2d", MaxPool2d{Padding: Pair{0, 0}, Dilation: Pair{1, 1}})
	layer("pooling", "AvgPool2d", AvgPool2d{Padding: Pair{0, 0}, CountIncludePad: true})
	layer("pooling", "AdaptiveAvgPool2d", AdaptiveAvgPool2d{})
}

// window checks the arguments that all pooling layers share, in libtorch's words.
func window(kernel, stride, padding, dilation Pair) error {
	for _, f := range []struct {
		name string
		v    Pair
	}{{"kernel_size", kernel}, {"stride", stride}, {"dilation", dilation}} {
		for _, d := range f.v {
			if d <= 0 {
				return lighter.FieldError(f.name, "should be greater than zero, but got %s", list(f.v))
			}
		}
	}
	if kernel == nil || padding == nil || dilation == nil {
		return lighter.FieldError("kernel_size", "kernel_size, padding and dilation must not be null")
	}
	for i, p := range padding {
		if effective := dilation[i]*(kernel[i]-1) + 1; p < 0 || p > effective/2 {
			return lighter.FieldError("padding", "pad should be at most half of effective kernel size, but got pad=%d, kernel_size=%d and dilation=%d",
				p, kernel[i], dilation[i])
		}
	}
	return nil
}

// MaxPool2d is torch.nn.MaxPool2d: the largest element of each window.
type MaxPool2d struct {
	KernelSize    Pair `cfg:"kernel_size,required,aka=kernel|ksize|filter_size" help:"size of the window"`
	Stride        Pair `cfg:"stride" help:"step of the window, its size when null"`
	Padding       Pair `cfg:"padding,aka=pad" help:"elements added on both sides"`
	Dilation      Pair `cfg:"dilation" help:"step between the window's elements"`
	ReturnIndices bool `cfg:"return_indices" help:"give the places of the largest elements too"`
	CeilMode      bool `cfg:"ceil_mode" help:"round the size of the output up"`
}

// Validate implements the registry's Validator.
func (c MaxPool2d) Validate() error { return window(c.KernelSize, c.Stride, c.Padding, c.Dilation) }

// Build implements the registry's Builder.
func (c MaxPool2d) Build(*lighter.Env) (lighter.Module, error) {
	if c.Stride == nil {
		c.Stride = c.KernelSize
	}
	m := &maxPool2d{c: c}
	m.SetClass("torch.nn.MaxPool2d")
	return m, nil
}

type maxPool2d struct {
	lighter.Node
	c MaxPool2d
}

func (m *maxPool2d) Forward(in ...lighter.Value) lighter.Value {
	x, c := only(&m.Node, in), &m.c
	if c.ReturnIndices {
		return tensor.Call("max_pool2d_with_indices", x, []int64(c.KernelSize), []int64(c.Stride), []int64(c.Padding), []int64(c.Dilation), c.CeilMode)
	}
	return x.MaxPool2d(c.KernelSize, c.Stride, c.Padding, c.Dilation, c.CeilMode)
}

// AvgPool2d is torch.nn.AvgPool2d: the mean of each window.
type AvgPool2d struct {
	KernelSize      Pair   `cfg:"kernel_size,required,aka=kernel|ksize|filter_size" help:"size of the window"`
	Stride          Pair   `cfg:"stride" help:"step of the window, its size when null"`
	Padding         Pair   `cfg:"padding,aka=pad" help:"zeros added on both sides"`
	CeilMode        bool   `cfg:"ceil_mode" help:"round the size of the output up"`
	CountIncludePad bool   `cfg:"count_include_pad" help:"count the added zeros in the mean"`
	DivisorOverride *int64 `cfg:"divisor_override" help:"divide by this, not by the size of the window"`
}

// Validate implements the registry's Validator.
func (c AvgPool2d) Validate() error {
	if c.DivisorOverride != nil && *c.DivisorOverride == 0 {
		return lighter.FieldError("divisor_override", "divisor must be not zero")
	}
	return window(c.KernelSize, c.Stride, c.Padding, Pair{1, 1})
}

// Build implements the registry's Builder.
func (c AvgPool2d) Build(*lighter.Env) (lighter.Module, error) {
	if c.Stride == nil {
		c.Stride = c.KernelSize
	}
	var divisor any
	if c.DivisorOverride != nil {
		divisor = *c.DivisorOverride
	}
	return newFunction("AvgPool2d", func(_ *lighter.Node, x tensor.Tensor) tensor.Tensor {
		return tensor.CallOne("avg_pool2d", x, []int64(c.KernelSize), []int64(c.Stride), []int64(c.Padding), c.CeilMode, c.CountIncludePad, divisor)
	}), nil
}

// AdaptiveAvgPool2d is torch.nn.AdaptiveAvgPool2d: means over as many windows as the output has elements.
type AdaptiveAvgPool2d struct {
	OutputSize OutputSize `cfg:"output_size,required" help:"size of the output, null in a list for that of the input"`
}

// Build implements the registry's Builder.
func (c AdaptiveAvgPool2d) Build(*lighter.Env) (lighter.Module, error) {
	return newFunction("AdaptiveAvgPool2d", func(_ *lighter.Node, x tensor.Tensor) tensor.Tensor {
		return tensor.CallOne("adaptive_avg_pool2d", x, c.OutputSize.of(x))
	}), nil
}

// OutputSize is the size of an adaptive layer's output in two dimensions; same stands for the size of the input.
type OutputSize [2]int64

const same = -1

// ConfigType implements the registry's Decoder.
func (*OutputSize) ConfigType() string { return "an int or a list of 2 ints or nulls" }

// DecodeConfig implements the registry's Decoder.
func (o *OutputSize) DecodeConfig(v any) error {
	items, ok := v.([]any)
	if !ok {
		items = []any{v, v}
	}
	if len(items) != 2 {
		return fmt.Errorf("must be %s, got a list of %d", o.ConfigType(), len(items))
	}
	for i, item := range items {
		switch d := item.(type) {
		case nil:
			o[i] = same
		case int64:
			if d < 0 {
				return fmt.Errorf("elements of output_size must be greater than or equal to 0 but received %d", d)
			}
			o[i] = d
		default:
			return fmt.Errorf("must be %s, got %v", o.ConfigType(), item)
		}
	}
	return nil
}

func (o OutputSize) of(x tensor.Tensor) []int64 {
	s := []int64{o[0], o[1]}
	for i := range s {
		if s[i] == same {
			s[i] = x.Size(i - 2)
		}
	}
	return s
}
