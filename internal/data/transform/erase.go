package transform

import (
	"fmt"
	"math"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data/image"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// EraseValue is a number, one of each channel, or "random".
type EraseValue struct {
	values []float64 // nil for random
}

// ConfigType implements [registry.Decoder].
func (*EraseValue) ConfigType() string { return `a number, a list of numbers or "random"` }

// DecodeConfig implements [registry.Decoder].
func (e *EraseValue) DecodeConfig(v any) error {
	*e = EraseValue{}
	if s, ok := v.(string); ok {
		if s != "random" {
			return says("If value is str, it should be 'random', got %q", s)
		}
		return nil
	}
	list, _, ok := numbers(v)
	if !ok || len(list) == 0 {
		return fmt.Errorf("Argument value should be either a number or str or a sequence, got %s", registry.Describe(v))
	}
	e.values = list
	return nil
}

// RandomErasing is torchvision.transforms.RandomErasing.
type RandomErasing struct {
	P       float64    `cfg:"p" help:"the probability of erasing"`
	Scale   []float64  `cfg:"scale" help:"the erased part of the image's area, from and to"`
	Ratio   []float64  `cfg:"ratio" help:"the erased part's height over its width, from and to"`
	Value   EraseValue `cfg:"value" help:"what is put there: a number, one of each channel, or random"`
	Inplace bool       `cfg:"inplace" help:"change the tensor itself; the numbers are the same"`
}

// Validate checks the ranges.
func (c RandomErasing) Validate() error {
	if len(c.Scale) != 2 {
		return lighter.FieldError("scale", "Scale should be a sequence of two numbers")
	}
	if len(c.Ratio) != 2 || c.Ratio[0] <= 0 || c.Ratio[1] <= 0 {
		return lighter.FieldError("ratio", "Ratio should be a sequence of two positive numbers")
	}
	if c.Scale[0] < 0 || c.Scale[1] > 1 {
		return lighter.FieldError("scale", "Scale should be between 0 and 1")
	}
	if err := ordered(c.Scale, c.Ratio); err != nil {
		return err
	}
	if !(c.P >= 0 && c.P <= 1) {
		return lighter.FieldError("p", "Random erasing probability should be between 0 and 1, got %v", c.P)
	}
	return nil
}

// Build makes the transform.
func (c RandomErasing) Build(*lighter.Env) (lighter.Transform, error) {
	return sometimes(c.P, func(in []lighter.Value, r lighter.Rand) (leafFunc, error) {
		channels, h, w, err := shapeOf(in)
		if err != nil {
			return nil, err
		}
		if n := len(c.Value.values); n > 1 && n != channels {
			return nil, says("If value is a sequence, it should have either a single value or %d (number of inpt channels)", channels)
		}
		lo, hi := logRange(c.Ratio)
		for range 10 {
			area := float64(h*w) * r.Uniform(c.Scale[0], c.Scale[1])
			aspect := exp32(r.Uniform(lo, hi))
			eh, ew := round(math.Sqrt(area*aspect)), round(math.Sqrt(area/aspect))
			if eh >= h || ew >= w {
				continue
			}
			var value tensor.Tensor
			if c.Value.values == nil {
				value = r.NormalTensor(int64(channels), int64(eh), int64(ew))
			} else {
				value = tensor.FromSlice(c.Value.values, int64(len(c.Value.values)), 1, 1)
			}
			top := r.Int(0, int64(h-eh+1))
			left := r.Int(0, int64(w-ew+1))
			return leafOnly(func(v lighter.Value) (lighter.Value, error) {
				return erase(v, value, top, left, int64(eh), int64(ew))
			}), nil
		}
		return nil, nil
	}), nil
}

func erase(v lighter.Value, value tensor.Tensor, top, left, h, w int64) (lighter.Value, error) {
	return onLeaf(v, func(*image.Image) (*image.Image, error) {
		return nil, fmt.Errorf("RandomErasing needs a tensor, got a PIL image: put ToTensor before it")
	}, func(t tensor.Tensor) (tensor.Tensor, error) {
		out := t.Clone()
		part := out.Narrow(-2, top, h).Narrow(-1, left, w)
		part.CopyInPlace(call("expand_as", value, part))
		return out, nil
	})
}

// LinearTransformation is torchvision.transforms.LinearTransformation.
type LinearTransformation struct {
	TransformationMatrix tensor.Tensor `cfg:"transformation_matrix,required" help:"a square matrix of C·H·W rows"`
	MeanVector           tensor.Tensor `cfg:"mean_vector,required" help:"what is taken off before: C·H·W numbers"`
}

// Build makes the transform.
func (c LinearTransformation) Build(*lighter.Env) (lighter.Transform, error) {
	m, mean := c.TransformationMatrix, c.MeanVector
	s := m.Shape()
	switch {
	case len(s) != 2 || s[0] != s[1]:
		return nil, lighter.FieldError("transformation_matrix", "transformation_matrix should be square. Got %v rectangular matrix.", s)
	case len(mean.Shape()) != 1 || mean.Shape()[0] != s[0]:
		return nil, lighter.FieldError("mean_vector", "mean_vector should have the same length as any one of the dimensions of the transformation_matrix %v, got %v", s, mean.Shape())
	case m.DType() != mean.DType():
		return nil, lighter.FieldError("mean_vector", "Input tensors should have the same dtype. Got %s and %s", m.DType(), mean.DType())
	}
	return fixed(leafOnly(func(v lighter.Value) (lighter.Value, error) {
		return onLeaf(v, func(*image.Image) (*image.Image, error) {
			return nil, fmt.Errorf("LinearTransformation does not support PIL images: put ToTensor before it")
		}, func(t tensor.Tensor) (tensor.Tensor, error) {
			ts := t.Shape()
			n := int64(1)
			for _, d := range ts[max(len(ts)-3, 0):] {
				n *= d
			}
			if n != s[0] {
				return t, says("Input tensor and transformation matrix have incompatible shape. %v != %d", ts, s[0])
			}
			flat := t.Reshape(-1, n).Sub(mean)
			return flat.Matmul(m.To(flat.Device(), flat.DType())).Reshape(ts...), nil
		})
	})), nil
}

var _ registry.Decoder = (*EraseValue)(nil)

func init() {
	both("RandomErasing", RandomErasing{P: 0.5, Scale: []float64{0.02, 0.33}, Ratio: []float64{0.3, 3.3}, Value: EraseValue{values: []float64{0}}})
	both("LinearTransformation", LinearTransformation{})
}
