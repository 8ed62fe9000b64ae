package creation

import (
	"fmt"
	"strings"

	"github.com/lighter-go/lighter/internal/diag"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// DType is an argument that names an element type: "torch.float32", "float32" or $torch.float32. Null leaves it unset.
type DType struct {
	value tensor.DType
	set   bool
}

// DTypeOf is an argument with a value, for defaults.
func DTypeOf(t tensor.DType) DType { return DType{t, true} }

// Or is the type given, or t when none was.
func (d DType) Or(t tensor.DType) tensor.DType {
	if d.set {
		return d.value
	}
	return t
}

// Given says whether the argument was set.
func (d DType) Given() bool { return d.set }

// optional is what an operator takes for `ScalarType?`.
func (d DType) optional() any {
	if d.set {
		return d.value
	}
	return nil
}

// DecodeConfig implements [registry.Decoder].
func (d *DType) DecodeConfig(v any) error {
	switch v := v.(type) {
	case nil:
		*d = DType{}
	case tensor.DType:
		*d = DTypeOf(v)
	case string:
		t, ok := tensor.ParseDType(v)
		if !ok {
			msg := fmt.Sprintf("unknown dtype %q", v)
			if near := diag.Nearest(strings.TrimPrefix(v, "torch."), tensor.DTypeNames(), 1); len(near) > 0 {
				msg += fmt.Sprintf(", did you mean \"torch.%s\"?", near[0])
			}
			return fmt.Errorf("%s", msg)
		}
		*d = DTypeOf(t)
	default:
		return fmt.Errorf("must be %s", d.ConfigType())
	}
	return nil
}

// ConfigType implements [registry.Decoder].
func (*DType) ConfigType() string { return `a dtype such as "torch.float32"` }

// Device is an argument that names a device: "cpu", "cuda" or "cuda:1". Null is the CPU.
type Device struct{ tensor.Device }

// DecodeConfig implements [registry.Decoder].
func (d *Device) DecodeConfig(v any) (err error) {
	switch v := v.(type) {
	case nil:
		d.Device = tensor.Device{}
	case tensor.Device:
		d.Device = v
	case string:
		d.Device, err = tensor.ParseDevice(v)
	default:
		err = fmt.Errorf("must be %s", d.ConfigType())
	}
	return err
}

// ConfigType implements [registry.Decoder].
func (*Device) ConfigType() string { return `a device such as "cpu" or "cuda:0"` }

// Sizes is a shape, given as ints or as one list of ints.
type Sizes []int64

// DecodeConfig implements [registry.Decoder].
func (s *Sizes) DecodeConfig(v any) error {
	items, ok := v.([]any)
	if !ok {
		items = []any{v}
	}
	if len(items) == 1 {
		if inner, ok := items[0].([]any); ok {
			items = inner
		}
	}
	out := make(Sizes, len(items))
	for i, item := range items {
		n, ok := item.(int64)
		if !ok {
			return fmt.Errorf("must be %s, got %v at position %d", s.ConfigType(), item, i)
		}
		if n < 0 {
			return fmt.Errorf("dimension size must be non-negative, got %d at position %d", n, i)
		}
		out[i] = n
	}
	*s = out
	return nil
}

// ConfigType implements [registry.Decoder].
func (*Sizes) ConfigType() string { return "ints or one list of ints" }

// Number is an int, a float or a bool: ATen's Scalar. Null leaves it unset.
type Number struct{ value any }

// DecodeConfig implements [registry.Decoder].
func (n *Number) DecodeConfig(v any) error {
	switch v.(type) {
	case nil, int64, float64, bool:
		n.value = v
		return nil
	}
	return fmt.Errorf("must be %s, got %v", n.ConfigType(), v)
}

// ConfigType implements [registry.Decoder].
func (*Number) ConfigType() string { return "a number" }

var (
	_ registry.Decoder = (*DType)(nil)
	_ registry.Decoder = (*Device)(nil)
	_ registry.Decoder = (*Sizes)(nil)
	_ registry.Decoder = (*Number)(nil)
)

// The dtypes are constants of expressions, `$torch.float32`, under all their names.
func init() {
	for _, name := range append(tensor.DTypeNames(), "half", "float", "double", "short", "int", "long", "cfloat", "cdouble") {
		t, _ := tensor.ParseDType(name)
		registry.Constant("torch."+name, t)
	}
}
