package pytorch

import (
	"fmt"
	"slices"

	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

// class is a type of PyTorch's: isinstance(x, torch.Tensor) asks for it, and calling it makes a value.
type class struct {
	name string
	is   func(v any) bool
	make *function // nil for one that can't be called
}

// TypeName implements the name in messages.
func (*class) TypeName() string { return "type" }

// Attr gives the call and the name.
func (c *class) Attr(name string) (any, bool, []string) {
	switch {
	case name == "__call__" && c.make != nil:
		return expr.Func(c.make.call), true, nil
	case name == "__call__":
		return expr.Func(func([]any, map[string]any) (any, error) {
			return nil, fmt.Errorf("cannot create '%s' instances", c.name)
		}), true, nil
	}
	return nil, false, nil
}

// IsInstance is isinstance(v, of); ok is false when of is no type of this package.
func IsInstance(v, of any) (is, ok bool) {
	c, ok := of.(*class)
	return ok && c.is(tensorOf(v)), ok
}

func init() {
	types := func(name string, make *function, is func(v any) bool) {
		constants["torch."+name] = &class{"torch." + name, is, make}
	}
	types("Size", &function{declared: "Size(sizes=())", body: func(a *arguments) any { return Size(a.ints(0)) }}, func(v any) bool { _, ok := v.(Size); return ok })
	types("dtype", nil, func(v any) bool { _, ok := v.(tensor.DType); return ok })
	types("layout", nil, func(v any) bool { _, ok := v.(Layout); return ok })
	types("memory_format", nil, func(v any) bool { _, ok := v.(Format); return ok })
	types("device", &function{declared: "device(type, index=None)", body: func(a *arguments) any {
		d := a.device(0)
		if !a.none(1) {
			d.Index = int(a.int(1))
		}
		return d
	}}, func(v any) bool { _, ok := v.(tensor.Device); return ok })
	types("Tensor", legacy("Tensor", tensor.Float32), func(v any) bool { _, ok := v.(tensor.Tensor); return ok })
	for name, d := range map[string]tensor.DType{
		"FloatTensor": tensor.Float32, "DoubleTensor": tensor.Float64, "HalfTensor": tensor.Float16, "BFloat16Tensor": tensor.BFloat16, "LongTensor": tensor.Int64,
		"IntTensor": tensor.Int32, "ShortTensor": tensor.Int16, "CharTensor": tensor.Int8, "ByteTensor": tensor.Uint8, "BoolTensor": tensor.Bool,
	} {
		types(name, legacy(name, d), func(v any) bool {
			t, ok := v.(tensor.Tensor)
			return ok && t.DType() == d && t.Device().Type == tensor.CPU
		})
	}
}

// legacy is the constructor of a tensor's class, of data or of sizes.
func legacy(name string, d tensor.DType) *function {
	return &function{declared: name + "(*args)", body: func(a *arguments) any {
		args, _ := elements(a.v[0])
		if len(args) == 1 && !isInt(args[0]) {
			if s, isSize := args[0].(Size); isSize {
				return tensor.Empty(s, d, tensor.Device{})
			}
			return newTensor(a, args[0], &d, nil, false)
		}
		if i := slices.IndexFunc(args, func(v any) bool { return !isInt(v) }); i >= 0 {
			a.fail("new(): argument %d must be int, not %s: torch.tensor takes data", i+1, typeName(args[i]))
		}
		return tensor.Empty(sizeOf(args), d, tensor.Device{})
	}}
}
