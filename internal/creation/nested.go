package creation

import (
	"fmt"
	"math"
	"math/big"

	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// Nested is the data of torch.tensor: a number, or lists of numbers nested to any depth, all of one length at each level.
type Nested struct {
	shape  []int64
	flat   []any         // bool, int64, *big.Int or float64, in C order
	source tensor.Tensor // instead of numbers
}

// DecodeConfig implements [registry.Decoder].
func (n *Nested) DecodeConfig(v any) error {
	*n = Nested{}
	if t, ok := v.(tensor.Tensor); ok {
		n.source = t
		return nil
	}
	for inner := v; ; {
		items, ok := inner.([]any)
		if !ok {
			break
		}
		n.shape = append(n.shape, int64(len(items)))
		if len(items) == 0 {
			break
		}
		inner = items[0]
	}
	return n.add(v, nil)
}

// ConfigType implements [registry.Decoder].
func (*Nested) ConfigType() string { return "a number or nested lists of numbers" }

// add appends the numbers of v, which stands at the index at.
func (n *Nested) add(v any, at []int) error {
	dim := len(at)
	items, isList := v.([]any)
	switch {
	case isList && dim == len(n.shape):
		return misplaced(at, "'list' object cannot be interpreted as a number: its neighbours are numbers")
	case isList && int64(len(items)) != n.shape[dim]:
		return misplaced(at, "expected sequence of length %d at dim %d (got %d)", n.shape[dim], dim, len(items))
	case isList:
		for i, item := range items {
			if err := n.add(item, append(at, i)); err != nil {
				return err
			}
		}
		return nil
	}
	switch v := v.(type) {
	case bool, int64, float64, *big.Int:
		if dim < len(n.shape) {
			return misplaced(at, "%v is not a sequence: its neighbours are lists", v)
		}
		n.flat = append(n.flat, v)
		return nil
	case nil:
		return misplaced(at, "could not infer dtype of NoneType")
	case string:
		return misplaced(at, "invalid data type 'str': %q is not a number", v)
	}
	return misplaced(at, "a %T is not a number", v)
}

func misplaced(at []int, format string, args ...any) error {
	place := "data"
	for _, i := range at {
		place += fmt.Sprintf("[%d]", i)
	}
	return fmt.Errorf(format+", at %s", append(args, place)...)
}

// Infer is PyTorch's choice of type: bools are bool, ints int64, anything with a float float32.
func (n *Nested) Infer() tensor.DType {
	t := tensor.Bool
	for _, v := range n.flat {
		switch v.(type) {
		case float64:
			return tensor.Float32
		case int64, *big.Int:
			t = tensor.Int64
		}
	}
	if len(n.flat) == 0 {
		return tensor.Float32
	}
	return t
}

// Len is the number of numbers.
func (n *Nested) Len() int { return len(n.flat) }

// Make makes the CPU tensor, copying numbers as torch.tensor converts them.
func (n *Nested) Make(dtype DType) (tensor.Tensor, error) {
	if n.source.Defined() {
		return tensor.CallOne("clone", n.source.Detach()).To(n.source.Device(), dtype.Or(n.source.DType())), nil
	}
	want := dtype.Or(n.Infer())
	switch want {
	case tensor.Bool:
		data := make([]bool, len(n.flat))
		for i, v := range n.flat {
			data[i] = toFloat(v) != 0
		}
		return tensor.FromSlice(data, n.shape...), nil
	case tensor.Uint8, tensor.Int8, tensor.Int16, tensor.Int32, tensor.Int64:
		data := make([]int64, len(n.flat))
		for i, v := range n.flat {
			x, ok := toInt(v, want)
			if !ok {
				return tensor.Tensor{}, fmt.Errorf("value cannot be converted to type %s without overflow: %v", want, v)
			}
			data[i] = x
		}
		return tensor.FromSlice(data, n.shape...).To(tensor.Device{}, want), nil
	}
	data := make([]float64, len(n.flat))
	for i, v := range n.flat {
		data[i] = toFloat(v)
	}
	return tensor.FromSlice(data, n.shape...).To(tensor.Device{}, want), nil
}

func toFloat(v any) float64 {
	switch v := v.(type) {
	case bool:
		if v {
			return 1
		}
	case int64:
		return float64(v)
	case *big.Int:
		f, _ := new(big.Float).SetInt(v).Float64()
		return f
	case float64:
		return v
	}
	return 0
}

// toInt truncates a float towards zero; ok is false when the value is out of the type's range. As in PyTorch, a negative
// int wraps around in uint8.
func toInt(v any, t tensor.DType) (x int64, ok bool) {
	bits := 8 * t.Size()
	low, high := int64(math.MinInt64)>>(64-bits), int64(math.MaxInt64)>>(64-bits)
	if t == tensor.Uint8 {
		low, high = 0, math.MaxUint8
	}
	switch v := v.(type) {
	case bool:
		return int64(toFloat(v)), true
	case int64:
		if t == tensor.Uint8 {
			low = -math.MaxUint8
		}
		return v, low <= v && v <= high
	case float64:
		// 2^63 is the first float above the largest int64.
		return int64(v), float64(low) <= v && v <= float64(high) && v < 1<<63
	}
	return 0, false
}

// Numbers is torch.tensor(values): a new CPU tensor of shape [len(values)] from bools, int64s and float64s, of dtype or,
// when that is not given, of the type PyTorch infers.
func Numbers(values []any, dtype DType) (tensor.Tensor, error) {
	n := Nested{shape: []int64{int64(len(values))}, flat: values}
	return n.Make(dtype)
}

// Tensor is torch.tensor.
type Tensor struct {
	Data         Nested `cfg:"data,required" help:"a number or nested lists of numbers"`
	DType        DType  `cfg:"dtype" help:"element type; inferred when null: bool, int64 or float32"`
	Device       Device `cfg:"device" help:"where the data lies"`
	RequiresGrad bool   `cfg:"requires_grad" help:"record operations on it for autograd"`
}

// Build copies the data into a tensor.
func (c Tensor) Build(*registry.Env) (t tensor.Tensor, err error) {
	defer tensor.Recover(&err)
	t, err = c.Data.Make(c.DType)
	if err != nil {
		return tensor.Tensor{}, registry.FieldError("data", "%v", err)
	}
	return finish(t, c.Device, c.RequiresGrad), nil
}

func finish(t tensor.Tensor, d Device, requiresGrad bool) tensor.Tensor {
	if d.Device != t.Device() {
		t = t.To(d.Device, t.DType())
	}
	if requiresGrad {
		t.SetRequiresGrad(true)
	}
	return t
}

func init() { registry.Register[tensor.Tensor]("torch.tensor", Tensor{}) }
