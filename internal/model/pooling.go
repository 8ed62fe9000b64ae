package model

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("pooling", "MaxPool1d", maxPooling[one]())
	layer("pooling", "MaxPool2d", maxPooling[two]())
	layer("pooling", "MaxPool3d", maxPooling[three]())
	layer("pooling", "AvgPool1d", AvgPool1d{avgPooling[one]()})
	layer("pooling", "AvgPool2d", AvgPool[two]{Average: avgPooling[two]()})
	layer("pooling", "AvgPool3d", AvgPool[three]{Average: avgPooling[three]()})
	layer("pooling", "LPPool1d", LPPool[one]{})
	layer("pooling", "LPPool2d", LPPool[two]{})
	layer("pooling", "LPPool3d", LPPool[three]{})
}

// window checks the arguments that all pooling layers share, in libtorch's words.
func window(kernel, stride, padding, dilation []int64) error {
	for _, f := range []struct {
		name string
		v    []int64
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

// strideOf is the stride, the kernel's size when null.
func strideOf[D dims](stride, kernel Tuple[D]) []int64 {
	if stride == nil {
		return kernel
	}
	return stride
}

// MaxPool is torch.nn.MaxPool1d, 2d and 3d: the largest element of each window.
type MaxPool[D dims] struct {
	KernelSize    Tuple[D] `cfg:"kernel_size,required,aka=kernel|ksize|filter_size" help:"size of the window"`
	Stride        Tuple[D] `cfg:"stride" help:"step of the window, its size when null"`
	Padding       Tuple[D] `cfg:"padding,aka=pad" help:"elements added on both sides"`
	Dilation      Tuple[D] `cfg:"dilation" help:"step between the window's elements"`
	ReturnIndices bool     `cfg:"return_indices" help:"give the places of the largest elements too"`
	CeilMode      bool     `cfg:"ceil_mode" help:"round the size of the output up"`
}

func maxPooling[D dims]() MaxPool[D] { return MaxPool[D]{Padding: all[D](0), Dilation: all[D](1)} }

// Validate implements the registry's Validator.
func (c MaxPool[D]) Validate() error {
	return window(c.KernelSize, c.Stride, c.Padding, c.Dilation)
}

// Build implements the registry's Builder.
func (c MaxPool[D]) Build(*lighter.Env) (lighter.Module, error) {
	n, stride := dimsOf[D](), strideOf(c.Stride, c.KernelSize)
	op := fmt.Sprintf("max_pool%dd", n)
	m := &several{f: func(x tensor.Tensor) lighter.Value {
		switch {
		case c.ReturnIndices:
			return lighter.List(tensor.Call(op+"_with_indices", x, []int64(c.KernelSize), stride, []int64(c.Padding), []int64(c.Dilation), c.CeilMode))
		case n == 2:
			return x.MaxPool2d(c.KernelSize, stride, c.Padding, c.Dilation, c.CeilMode)
		}
		return tensor.CallOne(op, x, []int64(c.KernelSize), stride, []int64(c.Padding), []int64(c.Dilation), c.CeilMode)
	}}
	m.SetClass(target(classOf[D]("MaxPool")))
	return m, nil
}

// several is a layer without parameters that may give several values.
type several struct {
	lighter.Node
	f func(x tensor.Tensor) lighter.Value
}

func (m *several) Forward(in ...lighter.Value) lighter.Value { return m.f(only(&m.Node, in)) }

// Average holds the arguments of the layers that take the mean of each window.
type Average[D dims] struct {
	KernelSize      Tuple[D] `cfg:"kernel_size,required,aka=kernel|ksize|filter_size" help:"size of the window"`
	Stride          Tuple[D] `cfg:"stride" help:"step of the window, its size when null"`
	Padding         Tuple[D] `cfg:"padding,aka=pad" help:"zeros added on both sides"`
	CeilMode        bool     `cfg:"ceil_mode" help:"round the size of the output up"`
	CountIncludePad bool     `cfg:"count_include_pad" help:"count the added zeros in the mean"`
}

func avgPooling[D dims]() Average[D] { return Average[D]{Padding: all[D](0), CountIncludePad: true} }

// Validate implements the registry's Validator.
func (c Average[D]) Validate() error {
	return window(c.KernelSize, c.Stride, c.Padding, all[D](1))
}

func (c Average[D]) layer(more ...any) lighter.Module {
	op, stride := fmt.Sprintf("avg_pool%dd", dimsOf[D]()), strideOf(c.Stride, c.KernelSize)
	return newFunction(classOf[D]("AvgPool"), func(_ *lighter.Node, x tensor.Tensor) tensor.Tensor {
		args := append([]any{x, []int64(c.KernelSize), stride, []int64(c.Padding), c.CeilMode, c.CountIncludePad}, more...)
		return tensor.CallOne(op, args...)
	})
}

// AvgPool1d is torch.nn.AvgPool1d: the mean of each window.
type AvgPool1d struct{ Average[one] }

// Build implements the registry's Builder.
func (c AvgPool1d) Build(*lighter.Env) (lighter.Module, error) { return c.layer(), nil }

// AvgPool is torch.nn.AvgPool2d and 3d: the mean of each window.
type AvgPool[D dims] struct {
	Average[D]
	DivisorOverride *int64 `cfg:"divisor_override" help:"divide by this, not by the size of the window"`
}

// Validate implements the registry's Validator.
func (c AvgPool[D]) Validate() error {
	if c.DivisorOverride != nil && *c.DivisorOverride == 0 {
		return lighter.FieldError("divisor_override", "divisor must be not zero")
	}
	return c.Average.Validate()
}

// Build implements the registry's Builder.
func (c AvgPool[D]) Build(*lighter.Env) (lighter.Module, error) {
	return c.layer(optional(c.DivisorOverride)), nil
}

// LPPool is torch.nn.LPPool1d, 2d and 3d: the root of the sum of powers of each window.
type LPPool[D dims] struct {
	NormType   float64  `cfg:"norm_type,required" help:"exponent of the elements; the root's is its inverse"`
	KernelSize Tuple[D] `cfg:"kernel_size,required,aka=kernel|ksize|filter_size" help:"size of the window"`
	Stride     Tuple[D] `cfg:"stride" help:"step of the window, its size when null"`
	CeilMode   bool     `cfg:"ceil_mode" help:"round the size of the output up"`
}

// Validate implements the registry's Validator.
func (c LPPool[D]) Validate() error {
	if c.NormType == 0 {
		return lighter.FieldError("norm_type", "float division by zero: must not be 0")
	}
	return window(c.KernelSize, c.Stride, all[D](0), all[D](1))
}

// Build implements the registry's Builder.
func (c LPPool[D]) Build(*lighter.Env) (lighter.Module, error) {
	op, stride, size := fmt.Sprintf("avg_pool%dd", dimsOf[D]()), strideOf(c.Stride, c.KernelSize), 1.0
	for _, k := range c.KernelSize {
		size *= float64(k)
	}
	return newFunction(classOf[D]("LPPool"), func(_ *lighter.Node, x tensor.Tensor) tensor.Tensor {
		mean := tensor.CallOne(op, tensor.CallOne("pow", x, c.NormType), []int64(c.KernelSize), stride, []int64(all[D](0)), c.CeilMode)
		sum := tensor.CallOne("sign", mean).Mul(tensor.CallOne("abs", mean).Relu()).MulScalar(size)
		return tensor.CallOne("pow", sum, 1/c.NormType)
	}), nil
}
