package model

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("pooling", "AdaptiveAvgPool1d", AdaptiveAvgPool[one]{})
	layer("pooling", "AdaptiveAvgPool2d", AdaptiveAvgPool[two]{})
	layer("pooling", "AdaptiveAvgPool3d", AdaptiveAvgPool[three]{})
	layer("pooling", "AdaptiveMaxPool1d", AdaptiveMaxPool[one]{})
	layer("pooling", "AdaptiveMaxPool2d", AdaptiveMaxPool[two]{})
	layer("pooling", "AdaptiveMaxPool3d", AdaptiveMaxPool[three]{})
}

// AdaptiveAvgPool is torch.nn.AdaptiveAvgPool1d, 2d and 3d: means over as many windows as the output has elements.
type AdaptiveAvgPool[D dims] struct {
	OutputSize OutputSize[D] `cfg:"output_size,required" help:"size of the output, null in a list for that of the input"`
}

// Build implements the registry's Builder.
func (c AdaptiveAvgPool[D]) Build(*lighter.Env) (lighter.Module, error) {
	op := fmt.Sprintf("adaptive_avg_pool%dd", dimsOf[D]())
	return newFunction(classOf[D]("AdaptiveAvgPool"), func(_ *lighter.Node, x tensor.Tensor) tensor.Tensor {
		return tensor.CallOne(op, x, c.OutputSize.of(x))
	}), nil
}

// AdaptiveMaxPool is torch.nn.AdaptiveMaxPool1d, 2d and 3d: the largest elements of as many windows as the output has elements.
type AdaptiveMaxPool[D dims] struct {
	OutputSize    OutputSize[D] `cfg:"output_size,required" help:"size of the output, null in a list for that of the input"`
	ReturnIndices bool          `cfg:"return_indices" help:"give the places of the largest elements too"`
}

// Build implements the registry's Builder.
func (c AdaptiveMaxPool[D]) Build(*lighter.Env) (lighter.Module, error) {
	op := fmt.Sprintf("adaptive_max_pool%dd", dimsOf[D]())
	m := &several{f: func(x tensor.Tensor) lighter.Value {
		both := tensor.Call(op, x, c.OutputSize.of(x))
		if c.ReturnIndices {
			return lighter.List(both)
		}
		return both[0]
	}}
	m.SetClass(target(classOf[D]("AdaptiveMaxPool")))
	return m, nil
}

// OutputSize is the size of an adaptive layer's output; sameSize stands for the size of the input. It is nil before it is decoded.
type OutputSize[D dims] []int64

const sameSize = -1

// ConfigType implements the registry's Decoder.
func (*OutputSize[D]) ConfigType() string {
	return tupleText(dimsOf[D](), "int") + ", null for the input's"
}

// DecodeConfig implements the registry's Decoder.
func (o *OutputSize[D]) DecodeConfig(v any) error {
	n := dimsOf[D]()
	items, ok := v.([]any)
	if ok && len(items) != n {
		return fmt.Errorf("must be %s, got a list of %d", o.ConfigType(), len(items))
	}
	*o = make(OutputSize[D], n)
	for i := range *o {
		item := v
		if ok {
			item = items[i]
		}
		switch d := item.(type) {
		case nil:
			(*o)[i] = sameSize
		case int64:
			if d < 0 {
				return fmt.Errorf("elements of output_size must be greater than or equal to 0 but received %d", d)
			}
			(*o)[i] = d
		default:
			return fmt.Errorf("must be %s, got %v", o.ConfigType(), item)
		}
	}
	return nil
}

func (o OutputSize[D]) of(x tensor.Tensor) []int64 {
	s := make([]int64, len(o))
	for i := range s {
		s[i] = o[i]
		if s[i] == sameSize {
			s[i] = x.Size(i - len(o))
		}
	}
	return s
}
