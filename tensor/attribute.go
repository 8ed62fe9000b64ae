package tensor

import (
	"errors"
	"fmt"
)

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
		return t.sizeOf, true, nil
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

// sizeOf is PyTorch's size(dim=None): the shape, or one dimension of it.
func (t Tensor) sizeOf(args []any, kwargs map[string]any) (any, error) {
	if dim, ok := kwargs["dim"]; ok && len(args) == 0 {
		args, kwargs = []any{dim}, nil
	}
	switch {
	case len(args) > 1 || len(kwargs) > 0:
		return nil, errors.New("size() takes one argument, dim")
	case len(args) == 0 || args[0] == nil:
		return t.sizes(), nil
	}
	n := int64(t.Dim())
	dim, ok := args[0].(int64)
	if !ok || dim < -n || dim >= n {
		return nil, fmt.Errorf("size(): dim must be an int from %d to %d, got %v", -n, n-1, args[0])
	}
	if dim < 0 {
		dim += n
	}
	return t.Size(int(dim)), nil
}
