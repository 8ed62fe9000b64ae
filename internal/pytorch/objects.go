package pytorch

import (
	"fmt"
	"slices"

	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

func init() { registry.Give(objects{}) }

// objects gives expressions the values and names of this package.
type objects struct{}

func (objects) Name(full string) (any, bool)                  { return Name(full) }
func (objects) Names() []string                               { return Names() }
func (objects) Refused(full string) (registry.Callable, bool) { return Refused(full) }
func (objects) Page() []byte                                  { return Page() }

func (objects) Knows(v any) bool {
	switch v.(type) {
	case tensor.Tensor, tensor.DType, tensor.Device, Size, Tuple, *Named, *info, *guarded, Layout, Format, gradFn, *class:
		return true
	}
	_, ok := v.(interface{ Tensor() tensor.Tensor })
	return ok
}

func (objects) Attr(v any, name string) (any, bool, []string) {
	if special, ok := specials[name]; ok {
		if f := special(tensorOf(v)); f != nil {
			return f, true, nil
		}
	}
	switch v := tensorOf(v).(type) {
	case tensor.Tensor:
		x, ok, names, err := Attr(v, name)
		if err != nil {
			return err, false, nil
		}
		return x, ok, names
	case tensor.DType:
		return dtypeAttr(v, name)
	case tensor.Device:
		return deviceAttr(v, name)
	case Tuple:
		return tupleAttr(v, name)
	case registry.Attributer:
		return v.Attr(name)
	}
	return nil, false, nil
}

func (objects) Index(v, i any) (any, error) {
	switch v := tensorOf(v).(type) {
	case tensor.Tensor:
		return Index(v, i)
	case Tuple:
		return tupleIndex(v, i)
	case registry.Indexer:
		return v.Index(i)
	}
	return nil, fmt.Errorf("'%s' object is not subscriptable", typeName(v))
}

func (objects) Iterate(v any) ([]any, error) {
	switch v := tensorOf(v).(type) {
	case tensor.Tensor:
		return Iterate(v)
	case Tuple:
		return v, nil
	case registry.Iterable:
		return v.Iterate(), nil
	}
	return nil, fmt.Errorf("'%s' object is not iterable", typeName(v))
}

func (objects) Binary(op string, x, y any) (any, bool, error) {
	_, xt := tensorOf(x).(tensor.Tensor)
	_, yt := tensorOf(y).(tensor.Tensor)
	if xt || yt {
		return binary(op, x, y)
	}
	switch x.(type) {
	case Tuple, Size, *Named:
		return sequenceBinary(op, x, y)
	}
	switch y.(type) {
	case Tuple, Size, *Named:
		return sequenceBinary(op, x, y)
	}
	return nil, false, nil
}

func (objects) Unary(op string, x any) (any, bool, error) {
	if t, ok := tensorOf(x).(tensor.Tensor); ok {
		v, err := unary(op, t)
		return v, true, err
	}
	return nil, false, nil
}

func (objects) SetAttr(v any, name string, x any) error {
	if t, ok := tensorOf(v).(tensor.Tensor); ok {
		return SetAttr(t, name, tensorOf(x))
	}
	return fmt.Errorf("'%s' object has no attributes that can be set: '%s'", typeName(v), name)
}

func (objects) SetIndex(v, i, x any) error {
	if t, ok := tensorOf(v).(tensor.Tensor); ok {
		return SetIndex(t, i, tensorOf(x))
	}
	return fmt.Errorf("'%s' object does not support item assignment", typeName(v))
}

func (objects) InPlace(op string, x, y any) (any, bool, error) {
	t, ok := tensorOf(x).(tensor.Tensor)
	if !ok {
		return nil, false, nil
	}
	v, ok, err := InPlace(op, t, y)
	if same, is := v.(tensor.Tensor); is && same == t {
		return x, ok, err // a parameter stays one
	}
	return v, ok, err
}

func (objects) IsInstance(v, class any) (is, ok bool) { return IsInstance(v, class) }

// specials are the attributes by which objects take part in the language: how their text, length and truth are asked for. nil
// means that a value has none.
var specials = map[string]func(v any) expr.Func{
	"__str__": func(v any) expr.Func {
		if d, ok := v.(tensor.Device); ok {
			return plain(func() any { return d.String() })
		}
		return textFunc(v)
	},
	"__repr__": textFunc,
	"__len__": func(v any) expr.Func {
		if t, ok := v.(tensor.Tensor); ok {
			return plain(func() any { return Len(t) })
		}
		if items, ok := elements(v); ok {
			return plain(func() any { return int64(len(items)) })
		}
		return nil
	},
	"__bool__": tensorFunc(func(t tensor.Tensor) (any, error) { return Truth(t) }),
	"__int__":  tensorFunc(func(t tensor.Tensor) (any, error) { return truncated(t), nil }),
	"__float__": tensorFunc(func(t tensor.Tensor) (any, error) {
		f, _ := toFloat(item(t))
		return f, nil
	}),
	"__index__": tensorFunc(func(t tensor.Tensor) (any, error) {
		n, ok := item(t).(int64)
		if !ok {
			return nil, fmt.Errorf("only integer tensors of a single element can be converted to an index, not %s", describe(t))
		}
		return n, nil
	}),
	"__abs__": tensorFunc(func(t tensor.Tensor) (any, error) { return one("abs", t), nil }),
	"__contains__": func(v any) expr.Func {
		if t, ok := v.(tensor.Tensor); ok {
			return func(args []any, _ map[string]any) (any, error) { return Contains(t, args[0]) }
		}
		if items, ok := elements(v); ok {
			return func(args []any, _ map[string]any) (any, error) {
				return slices.ContainsFunc(items, func(it any) bool { return equal(it, args[0]) }), nil
			}
		}
		return nil
	},
	"__format__": func(v any) expr.Func {
		t, ok := v.(tensor.Tensor)
		if !ok || t.Dim() > 0 {
			return nil
		}
		return plain(func() any { return item(t) })
	},
}

func textFunc(v any) expr.Func {
	return plain(func() any { return Repr(v) })
}

func plain(f func() any) expr.Func {
	return func([]any, map[string]any) (v any, err error) {
		defer tensor.Recover(&err)
		return f(), nil
	}
}

func tensorFunc(f func(t tensor.Tensor) (any, error)) func(v any) expr.Func {
	return func(v any) expr.Func {
		t, ok := v.(tensor.Tensor)
		if !ok {
			return nil
		}
		return func([]any, map[string]any) (x any, err error) {
			defer tensor.Recover(&err)
			return f(t)
		}
	}
}
