package pytorch

import (
	"fmt"
	"math"
	"slices"

	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

// indexOf reads what stands between the brackets of x[...]. A tuple has a part for each dimension; a list is the tensor of its
// elements.
func indexOf(i any) (*tensor.Index, error) {
	x := &tensor.Index{}
	parts := []any{i}
	switch v := i.(type) {
	case Tuple:
		parts = v
	case Size:
		parts = v.anys()
	case []any:
		if nestedIndex(v) {
			parts = v
		}
	}
	for _, p := range parts {
		if err := addPart(x, p); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// nestedIndex says whether a list stands for a tuple, as one with sequences, slices or tensors in it does (treatSequenceAsTuple of
// python_variable_indexing.cpp).
func nestedIndex(items []any) bool {
	return len(items) < 32 && slices.ContainsFunc(items, func(it any) bool {
		switch it.(type) {
		case nil, expr.Slice, expr.Ellipsis, tensor.Tensor:
			return true
		}
		_, ok := elements(it)
		return ok
	})
}

func addPart(x *tensor.Index, p any) error {
	switch p := p.(type) {
	case nil:
		x.None()
	case expr.Ellipsis:
		x.Ellipsis()
	case bool:
		x.Bool(p)
	case int64:
		x.At(p)
	case expr.Slice:
		var bounds [3]*int64
		for i, v := range []any{p.Start, p.Stop, p.Step} {
			n, err := bound(v)
			if err != nil {
				return err
			}
			bounds[i] = n
		}
		if s := bounds[2]; s != nil {
			switch {
			case *s == 0:
				return fmt.Errorf("slice step cannot be zero")
			case *s < 0:
				return fmt.Errorf("step must be greater than zero: use .flip(dim) for the reverse order")
			}
		}
		x.Slice(bounds[0], bounds[1], bounds[2])
	case tensor.Tensor:
		if p.Dim() == 0 && p.DType() != tensor.Bool && p.DType() != tensor.Uint8 {
			if d := p.DType(); d.IsFloat() || isComplex(d) {
				return fmt.Errorf("tensors used as indices must be long, int, byte or bool tensors, not %s", d)
			}
			x.At(p.Int())
			return nil
		}
		x.Tensor(p)
	case float64, string:
		return fmt.Errorf("only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got %s)", typeName(p))
	default:
		items, ok := elements(p)
		if !ok {
			return fmt.Errorf("only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got %s)", typeName(p))
		}
		t, err := indexTensor(items)
		if err != nil {
			return err
		}
		x.Tensor(t)
	}
	return nil
}

// indexTensor is a list as an index: bools are a mask, all else is ints.
func indexTensor(items []any) (tensor.Tensor, error) {
	n, err := readNested(items)
	if err != nil {
		return tensor.Tensor{}, err
	}
	want := tensor.Int64
	if n.Len() > 0 && n.Infer() == tensor.Bool {
		want = tensor.Bool
	} else if n.Len() > 0 && n.Infer() != tensor.Int64 {
		return tensor.Tensor{}, fmt.Errorf("tensors used as indices must be long, int, byte or bool tensors, not a list of %s", n.Infer())
	}
	return n.make(want)
}

// bound is a part of a slice; a tensor of one int is one.
func bound(v any) (*int64, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case int64:
		return &v, nil
	case bool:
		n := int64(0)
		if v {
			n = 1
		}
		return &n, nil
	case tensor.Tensor:
		if n, ok := scalarOf(v); ok {
			return bound(n)
		}
	case float64:
		if v == math.Trunc(v) {
			return nil, fmt.Errorf("slice indices must be integers or None or have an __index__ method: got the float %v, int(...) makes it one", v)
		}
	}
	return nil, fmt.Errorf("slice indices must be integers or None or have an __index__ method, not %s", typeName(v))
}

// Index is t[i]: a view where PyTorch gives one.
func Index(t tensor.Tensor, i any) (v any, err error) {
	defer recoverAt(t, &err)
	if n, ok := i.(int64); ok && t.Dim() > 0 {
		size := t.Shape()[0]
		if n < -size || n >= size {
			return nil, &tensor.Error{Op: "index", Kind: tensor.IndexError, Msg: fmt.Sprintf("index %d is out of bounds for dimension 0 with size %d", n, size)}
		}
		return t.Select(0, n), nil
	}
	x, err := indexOf(i)
	if err != nil {
		return nil, err
	}
	return t.At(x), nil
}

// SetIndex is t[i] = v.
func SetIndex(t tensor.Tensor, i, v any) (err error) {
	defer recoverAt(t, &err)
	x, err := indexOf(i)
	if err != nil {
		return err
	}
	if v, err = expr.Plain(v); err != nil {
		return err
	}
	switch n := v.(type) {
	case int:
		v = int64(n)
	case bool, int64, float64, tensor.Tensor:
	default:
		if p, ok := v.(interface{ Tensor() tensor.Tensor }); ok {
			v = p.Tensor()
			break
		}
		if items, ok := elements(v); ok {
			n, err := readNested(items)
			if err != nil {
				return err
			}
			if v, err = n.make(t.DType()); err != nil {
				return err
			}
			break
		}
		return fmt.Errorf("can't assign a %s to a torch.%s tensor", typeName(v), t.DType())
	}
	t.Put(x, v)
	return nil
}

// recoverAt gives the error of an operation on t, with t's shape.
func recoverAt(t tensor.Tensor, err *error) {
	switch r := recover().(type) {
	case nil:
	case *tensor.Error:
		*err = withShapes(r, []string{describe(t)})
	default:
		panic(r)
	}
}
