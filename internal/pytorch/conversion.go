package pytorch

import (
	"fmt"

	"github.com/lighter-go/lighter/tensor"
)

// convert is t itself where device and type are so already.
func convert(t tensor.Tensor, d tensor.Device, dtype tensor.DType, async bool) tensor.Tensor {
	if t.Device() == d && t.DType() == dtype {
		return t
	}
	if async {
		return t.ToAsync(d, dtype)
	}
	return t.To(d, dtype)
}

// to is Tensor.to with its forms to(dtype), to(device, dtype) and to(other), each with non_blocking and copy after it.
func to(a *arguments) any {
	t := a.tensor(0)
	device, dtype := t.Device(), t.DType()
	args, _ := elements(a.v[1])
	flags := 0
	for i, v := range args {
		switch v := v.(type) {
		case tensor.DType:
			dtype = v
		case tensor.Device, string, int64:
			d, err := deviceOf(v)
			if err != nil {
				a.fail("%v", err)
			}
			device = d
		case tensor.Tensor:
			device, dtype = v.Device(), v.DType()
		case bool:
			if i == 0 || flags > 1 {
				a.fail("to() received an invalid combination of arguments")
			}
			a.v[4+flags] = v
			flags++
		case nil:
		default:
			a.fail("to(): argument %d must be a dtype, a device or a tensor, not %s", i+1, typeName(v))
		}
	}
	if !a.none(2) {
		device = a.device(2)
	}
	if !a.none(3) {
		dtype = a.dtype(3)
	}
	if !a.none(6) || a.bool(5) {
		extra := []any{t, kw{"dtype", dtype}, kw{"device", device}, kw{"non_blocking", a.bool(4)}, kw{"copy", a.bool(5)}}
		if !a.none(6) {
			extra = append(extra, kw{"memory_format", a.v[6]})
		}
		return one("to", extra...)
	}
	return convert(t, device, dtype, a.bool(4))
}

func legacyType(t tensor.Tensor) string {
	name := map[tensor.DType]string{
		tensor.Float32: "Float", tensor.Float64: "Double", tensor.Float16: "Half", tensor.BFloat16: "BFloat16", tensor.Int64: "Long", tensor.Int32: "Int",
		tensor.Int16: "Short", tensor.Int8: "Char", tensor.Uint8: "Byte", tensor.Bool: "Bool", tensor.Complex64: "ComplexFloat", tensor.Complex128: "ComplexDouble",
	}[t.DType()]
	place := "torch."
	if t.Device().Type == tensor.CUDA {
		place += "cuda."
	}
	return place + name + "Tensor"
}

// item is the value of the only element. Waits for the device.
func item(t tensor.Tensor) any {
	if n := t.Numel(); n != 1 {
		panic(&tensor.Error{Op: "item", Kind: tensor.RuntimeError, Msg: fmt.Sprintf("a Tensor with %d elements cannot be converted to Scalar [%s]", n, describe(t))})
	}
	switch d := t.DType(); {
	case d == tensor.Bool:
		return t.Int() != 0
	case isComplex(d):
		tensor.Fail("item", "complex numbers are not supported outside tensors: take .real.item() and .imag.item()")
	case d.IsFloat():
		return t.Item()
	}
	return t.Int()
}

func truncated(t tensor.Tensor) any {
	switch v := item(t).(type) {
	case bool:
		if v {
			return int64(1)
		}
		return int64(0)
	case float64:
		if v != v || v-v != 0 {
			tensor.Fail("int", "cannot convert float %v to integer", v)
		}
		return int64(v)
	default:
		return v
	}
}

// toList is the elements as nested lists of Python numbers. Waits for the device.
func toList(t tensor.Tensor) any {
	if isComplex(t.DType()) {
		tensor.Fail("tolist", "complex numbers are not supported outside tensors: take .real.tolist() and .imag.tolist()")
	}
	shape := t.Shape()
	if len(shape) == 0 {
		return item(t)
	}
	var flat []any
	switch d := t.DType(); {
	case d == tensor.Bool:
		flat = anys(tensor.Values[bool](t))
	case d.IsFloat():
		flat = anys(tensor.Values[float64](t))
	default:
		flat = anys(tensor.Values[int64](t))
	}
	var nest func(dim int) any
	nest = func(dim int) any {
		if dim == len(shape) {
			v := flat[0]
			flat = flat[1:]
			return v
		}
		out := make([]any, shape[dim])
		for i := range out {
			out[i] = nest(dim + 1)
		}
		return out
	}
	return nest(0)
}

func anys[V any](vs []V) []any {
	out := make([]any, len(vs))
	for i, v := range vs {
		out[i] = v
	}
	return out
}

// split is torch.split: parts of one size, or of the sizes of a list.
func split(a *arguments) any {
	t, dim := a.tensor(0), a.int(2)
	if _, isList := elements(a.v[1]); isList {
		return run("split_with_sizes", t, a.ints(1), dim)
	}
	return run("split", t, a.int(1), dim)
}
