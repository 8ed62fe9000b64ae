package model

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("pooling", "FractionalMaxPool2d", FractionalMaxPool[two]{})
	layer("pooling", "FractionalMaxPool3d", FractionalMaxPool[three]{})
}

// FractionalMaxPool is torch.nn.FractionalMaxPool2d and 3d: the largest elements of windows whose places are drawn.
type FractionalMaxPool[D dims] struct {
	KernelSize    Tuple[D]  `cfg:"kernel_size,required,aka=kernel|ksize" help:"size of the window"`
	OutputSize    Tuple[D]  `cfg:"output_size" help:"size of the output; or give output_ratio"`
	OutputRatio   Ratios[D] `cfg:"output_ratio" help:"size of the output by that of the input, between 0 and 1"`
	ReturnIndices bool      `cfg:"return_indices" help:"give the places of the largest elements too"`
	Samples       Weights   `cfg:"_random_samples" help:"what is drawn otherwise, [N, C, 2] or [N, C, 3] between 0 and 1"`
}

// Validate implements the registry's Validator.
func (c FractionalMaxPool[D]) Validate() error {
	if err := checkSizes(dimsOf[D](), sizes{"kernel_size", 1, c.KernelSize}); err != nil {
		return err
	}
	switch class := classOf[D]("FractionalMaxPool"); {
	case c.OutputSize == nil && c.OutputRatio == nil:
		return lighter.FieldError("output_size", "%s requires specifying either an output size, or a pooling ratio", class)
	case c.OutputSize != nil && c.OutputRatio != nil:
		return lighter.FieldError("output_size", "only one of output_size and output_ratio may be specified")
	}
	for _, r := range c.OutputRatio {
		if !(r > 0 && r < 1) {
			return lighter.FieldError("output_ratio", "output_ratio must be between 0 and 1 (got %v)", []float64(c.OutputRatio))
		}
	}
	return nil
}

// Build implements the registry's Builder.
func (c FractionalMaxPool[D]) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	n := dimsOf[D]()
	m := &several{}
	class := classOf[D]("FractionalMaxPool")
	m.SetClass(target(class))
	samples := c.Samples.tensor()
	if samples.Defined() {
		m.Buffer("_random_samples", samples)
	}
	op := fmt.Sprintf("fractional_max_pool%dd", n)
	m.f = func(x tensor.Tensor) lighter.Value {
		if d := x.Dim(); d != n+1 && d != n+2 {
			tensor.Fail(class, "Expected %dD or %dD tensor, but got: %s", n+1, n+2, lighter.SizeText(x))
		}
		size := []int64(c.OutputSize)
		if size == nil {
			size = make([]int64, n)
			for i, r := range c.OutputRatio {
				size[i] = int64(float64(x.Size(i-n)) * r)
			}
		}
		drawn := samples
		if !drawn.Defined() {
			batch := int64(1)
			if x.Dim() == n+2 {
				batch = x.Size(0)
			}
			drawn = tensor.CallOne("rand", []int64{batch, x.Size(-n - 1), int64(n)}, tensor.Kwarg{Name: "dtype", Value: x.DType()},
				tensor.Kwarg{Name: "device", Value: x.Device()})
		}
		both := tensor.Call(op, x, []int64(c.KernelSize), size, drawn)
		if c.ReturnIndices {
			return lighter.List(both)
		}
		return both[0]
	}
	return m, nil
}

// Ratios is a float for each dimension: one for all, or a list. null gives nil.
type Ratios[D dims] []float64

// ConfigType implements the registry's Decoder.
func (*Ratios[D]) ConfigType() string {
	return fmt.Sprintf("a float or a list of %d floats", dimsOf[D]())
}

// DecodeConfig implements the registry's Decoder.
func (r *Ratios[D]) DecodeConfig(v any) (err error) {
	*r, err = floatsOf(v, dimsOf[D]())
	if err != nil {
		err = fmt.Errorf("must be %s, %w", r.ConfigType(), err)
	}
	return err
}

// floatsOf takes a float, repeated n times, or a list of n floats; n 0 takes lists of any length.
func floatsOf(v any, n int) ([]float64, error) {
	items, isList := v.([]any)
	switch {
	case v == nil:
		return nil, nil
	case !isList:
		items = []any{v}
		for len(items) < n {
			items = append(items, v)
		}
	case n > 0 && len(items) != n:
		return nil, fmt.Errorf("got a list of %d", len(items))
	}
	out := make([]float64, len(items))
	for i, item := range items {
		switch x := item.(type) {
		case int64:
			out[i] = float64(x)
		case float64:
			out[i] = x
		default:
			return nil, fmt.Errorf("got %v", item)
		}
	}
	return out, nil
}
