package pytorch

import (
	"fmt"
	"math"
	"strings"

	"github.com/lighter-go/lighter/tensor"
)

// dtypeOf reads a dtype: torch.float32, or the Python types float, int and bool, which PyTorch takes for one.
func dtypeOf(v any) (tensor.DType, bool) {
	if d, ok := v.(tensor.DType); ok {
		return d, true
	}
	return 0, false
}

func parseDevice(s string) (tensor.Device, error) {
	d, err := tensor.ParseDevice(s)
	if err != nil {
		return d, fmt.Errorf("%w", err)
	}
	return d, nil
}

// deviceOf reads a device: torch.device("cpu"), "cuda:1" or a CUDA device's number.
func deviceOf(v any) (tensor.Device, error) {
	switch v := v.(type) {
	case tensor.Device:
		return v, nil
	case string:
		return parseDevice(v)
	case int64:
		return tensor.Device{Type: tensor.CUDA, Index: int(v)}, nil
	}
	return tensor.Device{}, fmt.Errorf("a device must be a torch.device or a string such as 'cpu', not %s", typeName(v))
}

func isComplex(d tensor.DType) bool { return d == tensor.Complex64 || d == tensor.Complex128 }

func dtypeAttr(d tensor.DType, name string) (any, bool, []string) {
	switch name {
	case "is_floating_point":
		return d.IsFloat(), true, nil
	case "is_complex":
		return isComplex(d), true, nil
	case "is_signed":
		return d != tensor.Uint8 && d != tensor.Bool, true, nil
	case "itemsize":
		return int64(d.Size()), true, nil
	case "to_complex", "to_real":
		return func(args []any, kwargs map[string]any) (any, error) {
			switch complex := name == "to_complex"; {
			case complex && d == tensor.Float64:
				return tensor.Complex128, nil
			case complex && d == tensor.Float32:
				return tensor.Complex64, nil
			case !complex && d == tensor.Complex128:
				return tensor.Float64, nil
			case !complex && d == tensor.Complex64:
				return tensor.Float32, nil
			}
			return d, nil
		}, true, nil
	}
	return nil, false, []string{"is_floating_point", "is_complex", "is_signed", "itemsize", "to_complex", "to_real"}
}

func deviceAttr(d tensor.Device, name string) (any, bool, []string) {
	switch name {
	case "type":
		return d.Type.String(), true, nil
	case "index":
		if d.Type == tensor.CPU {
			return nil, true, nil
		}
		return int64(d.Index), true, nil
	}
	return nil, false, []string{"type", "index"}
}

// info is torch.finfo or torch.iinfo.
type info struct {
	class  string
	values map[string]any
	text   string
}

// TypeName implements the name in messages.
func (i *info) TypeName() string { return i.class }

// Attr gives bits, min, max and the like.
func (i *info) Attr(name string) (any, bool, []string) {
	v, ok := i.values[name]
	var names []string
	for n := range i.values {
		names = append(names, n)
	}
	return v, ok, names
}

func finfo(d tensor.DType) (*info, error) {
	var bits, digits int64
	var largest, eps, tiny, subnormal float64
	switch d {
	case tensor.Float32, tensor.Complex64:
		bits, largest, eps, tiny, subnormal, digits = 32, math.MaxFloat32, 0x1p-23, 0x1p-126, math.SmallestNonzeroFloat32, 6
	case tensor.Float64, tensor.Complex128:
		bits, largest, eps, tiny, subnormal, digits = 64, math.MaxFloat64, 0x1p-52, 0x1p-1022, math.SmallestNonzeroFloat64, 15
	case tensor.Float16:
		bits, largest, eps, tiny, subnormal, digits = 16, 65504, 0x1p-10, 0x1p-14, 0x1p-24, 3
	case tensor.BFloat16:
		bits, largest, eps, tiny, subnormal, digits = 16, 0x1.fep127, 0x1p-7, 0x1p-126, 0x1p-133, 2
	default:
		return nil, fmt.Errorf("torch.finfo() requires a floating point input type. Use torch.iinfo to handle 'torch.finfo': got torch.%s", d)
	}
	name := strings.Replace(strings.Replace(d.String(), "complex64", "float32", 1), "complex128", "float64", 1)
	resolution := math.Pow(10, -float64(digits))
	return &info{"torch.finfo", map[string]any{
		"bits": bits, "eps": eps, "max": largest, "min": -largest, "tiny": tiny, "smallest_normal": tiny, "smallest_subnormal": subnormal,
		"resolution": resolution, "dtype": name,
	}, fmt.Sprintf("finfo(resolution=%s, min=%s, max=%s, eps=%s, smallest_normal=%s, tiny=%s, dtype=%s)", pyG(resolution), pyG(-largest), pyG(largest), pyG(eps), pyG(tiny), pyG(tiny), name)}, nil
}

func iinfo(d tensor.DType) (*info, error) {
	if d.IsFloat() || isComplex(d) || d == tensor.Bool {
		return nil, fmt.Errorf("torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo': got torch.%s", d)
	}
	bits := int64(8 * d.Size())
	low, high := int64(math.MinInt64)>>(64-bits), int64(math.MaxInt64)>>(64-bits)
	if d == tensor.Uint8 {
		low, high = 0, math.MaxUint8
	}
	return &info{"torch.iinfo", map[string]any{"bits": bits, "min": low, "max": high, "dtype": d.String()},
		fmt.Sprintf("iinfo(min=%d, max=%d, dtype=%s)", low, high, d)}, nil
}

// pyG is C's %g, as finfo's text has it.
func pyG(f float64) string {
	return fmt.Sprintf("%.6g", f)
}
