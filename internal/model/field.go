package model

import (
	"errors"
	"fmt"
	"slices"

	"github.com/lighter-go/lighter/tensor"
)

// one, two and three are numbers of dimensions, as types: a layer for each of them is one generic declaration.
type (
	one   struct{}
	two   struct{}
	three struct{}
)

func (one) n() int   { return 1 }
func (two) n() int   { return 2 }
func (three) n() int { return 3 }

type dims interface {
	one | two | three
	n() int
}

func dimsOf[D dims]() int {
	var d D
	return d.n()
}

// classOf is the class of a layer for D dimensions: "Conv2d".
func classOf[D dims](name string) string { return fmt.Sprintf("%s%dd", name, dimsOf[D]()) }

// Tuple is an argument with a value for each dimension: an int for all, or a list. null gives nil.
type Tuple[D dims] []int64

// Pair is a Tuple for two dimensions.
type Pair = Tuple[two]

// all is a Tuple of one value.
func all[D dims](v int64) Tuple[D] { return slices.Repeat(Tuple[D]{v}, dimsOf[D]()) }

// ConfigType implements the registry's Decoder.
func (*Tuple[D]) ConfigType() string { return tupleText(dimsOf[D](), "int") }

func tupleText(n int, item string) string {
	plural := "s"
	if n == 1 {
		plural = ""
	}
	return fmt.Sprintf("an %s or a list of %d %s%s", item, n, item, plural)
}

// DecodeConfig implements the registry's Decoder.
func (t *Tuple[D]) DecodeConfig(v any) (err error) {
	*t, err = sizesOf(v, dimsOf[D]())
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
			return nil, fmt.Errorf("must be %s, got a list of %d", tupleText(n, "int"), len(x))
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
		return nil, fmt.Errorf("must be %s, got %v", tupleText(n, "int"), v)
	}
	return nil, fmt.Errorf("must be an int or a list of ints, got %v", v)
}

// Factory is what every layer with parameters takes.
type Factory struct {
	Device any   `cfg:"device,ignored" help:"the trainer places the module"`
	DType  DType `cfg:"dtype" help:"type of the parameters, $torch.float32 when null"`
}

func (f Factory) empty(shape ...int64) tensor.Tensor {
	return tensor.Empty(shape, f.DType.get(), tensor.Device{})
}

func (f Factory) zeros(shape ...int64) tensor.Tensor {
	return tensor.Zeros(shape, f.DType.get(), tensor.Device{})
}

func (f Factory) ones(shape ...int64) tensor.Tensor {
	return tensor.Ones(shape, f.DType.get(), tensor.Device{})
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
