package model

import (
	"errors"
	"fmt"

	"github.com/lighter-go/lighter/tensor"
)

// Pair is an argument for two dimensions: an int for both, or a list of two. null gives nil.
type Pair []int64

// ConfigType implements the registry's Decoder.
func (*Pair) ConfigType() string { return "an int or a list of 2 ints" }

// DecodeConfig implements the registry's Decoder.
func (p *Pair) DecodeConfig(v any) (err error) {
	*p, err = sizesOf(v, 2)
	return err
}

// Shape is a list of ints of any length, or one int.
type Shape []int64

// ConfigType implements the registry's Decoder.
func (*Shape) ConfigType() string { return "an int or a list of ints" }

// DecodeConfig implements the registry's Decoder.
func (s *Shape) DecodeConfig(v any) (err error) {
	*s, err = sizesOf(v, 0)
	return err
}

// sizesOf takes an int, repeated n times, or a list of n ints; n 0 takes lists of any length.
func sizesOf(v any, n int) ([]int64, error) {
	switch x := v.(type) {
	case nil:
		return nil, nil
	case int64:
		s := []int64{x}
		for len(s) < n {
			s = append(s, x)
		}
		return s, nil
	case []any:
		if n > 0 && len(x) != n {
			return nil, fmt.Errorf("must be an int or a list of %d ints, got a list of %d", n, len(x))
		}
		s := make([]int64, len(x))
		for i, item := range x {
			d, ok := item.(int64)
			if !ok {
				return nil, fmt.Errorf("must be ints, got %v", item)
			}
			s[i] = d
		}
		return s, nil
	}
	if n > 0 {
		return nil, fmt.Errorf("must be an int or a list of %d ints, got %v", n, v)
	}
	return nil, fmt.Errorf("must be an int or a list of ints, got %v", v)
}

// DType is the `dtype` argument of a layer with parameters; the zero value is PyTorch's default, float32.
type DType struct {
	dtype tensor.DType
	given bool
}

// ConfigType implements the registry's Decoder.
func (*DType) ConfigType() string { return "a floating-point dtype, as `$torch.float64`" }

// DecodeConfig implements the registry's Decoder.
func (d *DType) DecodeConfig(v any) error {
	switch x := v.(type) {
	case nil:
		*d = DType{}
		return nil
	case tensor.DType:
		*d = DType{x, true}
	case string:
		dtype, ok := tensor.ParseDType(x)
		if !ok {
			return fmt.Errorf("there is no dtype %q", x)
		}
		*d = DType{dtype, true}
	default:
		return fmt.Errorf("must be a dtype, as `$torch.float64`, got %v", v)
	}
	if !d.dtype.IsFloat() {
		return fmt.Errorf("parameters must be of a floating-point dtype, got torch.%s", d.dtype)
	}
	return nil
}

func (d DType) get() tensor.DType {
	if d.given {
		return d.dtype
	}
	return tensor.Float32
}

// Weights is a constant tensor given as an argument: a tensor, or a list of numbers.
type Weights struct {
	value tensor.Tensor
	list  []float64
}

// ConfigType implements the registry's Decoder.
func (*Weights) ConfigType() string { return "a tensor or a list of floats" }

// DecodeConfig implements the registry's Decoder.
func (w *Weights) DecodeConfig(v any) error {
	*w = Weights{}
	switch x := v.(type) {
	case nil:
	case tensor.Tensor:
		w.value = x
	case []any:
		w.list = make([]float64, len(x))
		for i, item := range x {
			switch n := item.(type) {
			case float64:
				w.list[i] = n
			case int64:
				w.list[i] = float64(n)
			default:
				return fmt.Errorf("must be a tensor or a list of floats, element %d is %v", i, item)
			}
		}
	default:
		return errors.New("must be a tensor or a list of floats")
	}
	return nil
}

// tensor is the value, undefined when none was given; a list becomes float32.
func (w Weights) tensor() tensor.Tensor {
	if w.list == nil {
		return w.value
	}
	return tensor.FromSlice(w.list, int64(len(w.list))).To(tensor.Device{}, tensor.Float32)
}
