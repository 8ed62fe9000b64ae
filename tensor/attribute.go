package tensor

import "fmt"

// TypeName is the class's name in PyTorch, for messages.
func (Tensor) TypeName() string { return "Tensor" }

// Attr gives the expressions of a configuration what they may ask of a tensor, under PyTorch's names.
func (t Tensor) Attr(name string) (v any, ok bool, names []string) {
	method := func(result func() any) any {
		return func(args []any, kwargs map[string]any) (v any, err error) {
			defer Recover(&err)
			if len(args)+len(kwargs) > 0 {
				return nil, fmt.Errorf("%s() takes no arguments here", name)
			}
			return result(), nil
		}
	}
	switch name {
	case "requires_grad":
		return t.RequiresGrad(), true, nil
	case "is_leaf":
		return t.IsLeaf(), true, nil
	case "shape":
		return t.sizes(), true, nil
	case "ndim":
		return int64(t.Dim()), true, nil
	case "dtype":
		return t.DType(), true, nil
	case "device":
		return t.Device().String(), true, nil
	case "size":
		return method(func() any { return t.sizes() }), true, nil
	case "dim":
		return method(func() any { return int64(t.Dim()) }), true, nil
	case "numel":
		return method(func() any { return t.Numel() }), true, nil
	case "item":
		return method(func() any { return t.Item() }), true, nil
	}
	return nil, false, []string{"requires_grad", "is_leaf", "shape", "ndim", "dtype", "device", "size", "dim", "numel", "item"}
}

func (t Tensor) sizes() []any {
	shape := t.Shape()
	out := make([]any, len(shape))
	for i, s := range shape {
		out[i] = s
	}
	return out
}
