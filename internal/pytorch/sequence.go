package pytorch

import (
	"fmt"
	"slices"

	"github.com/lighter-go/lighter/internal/config/expr"
)

func tupleIndex(t Tuple, i any) (any, error) {
	if s, ok := i.(expr.Slice); ok {
		return slice(t, s)
	}
	return element("tuple", t, i)
}

// Index gives an element, or with a slice a part.
func (s Size) Index(i any) (any, error) {
	if part, ok := i.(expr.Slice); ok {
		t, err := slice(s.anys(), part)
		if err != nil {
			return nil, err
		}
		out := make(Size, len(t))
		for i, n := range t {
			out[i] = n.(int64)
		}
		return out, nil
	}
	return element("tuple", s.anys(), i)
}

// Iterate gives the elements.
func (s Size) Iterate() []any { return s.anys() }

// Attr gives the methods of torch.Size.
func (s Size) Attr(name string) (any, bool, []string) {
	if name == "numel" {
		return expr.Func(func([]any, map[string]any) (any, error) {
			n := int64(1)
			for _, d := range s {
				n *= d
			}
			return n, nil
		}), true, nil
	}
	if v, ok := sequenceAttr(s.anys(), name); ok {
		return v, true, nil
	}
	return nil, false, []string{"numel", "count", "index"}
}

func tupleAttr(t Tuple, name string) (any, bool, []string) {
	v, ok := sequenceAttr(t, name)
	return v, ok, []string{"count", "index"}
}

func sequenceAttr(items []any, name string) (any, bool) {
	if name != "count" && name != "index" {
		return nil, false
	}
	return expr.Func(func(args []any, kwargs map[string]any) (any, error) {
		if len(args) != 1 || len(kwargs) > 0 {
			return nil, fmt.Errorf("tuple.%s() takes exactly one argument (%d given)", name, len(args)+len(kwargs))
		}
		n := int64(0)
		for i, it := range items {
			if equal(it, args[0]) {
				if name == "index" {
					return int64(i), nil
				}
				n++
			}
		}
		if name == "index" {
			return nil, fmt.Errorf("tuple.index(x): x not in tuple")
		}
		return n, nil
	}), true
}

// Index gives an element.
func (n *Named) Index(i any) (any, error) { return tupleIndex(n.items, i) }

// Iterate gives the elements.
func (n *Named) Iterate() []any { return n.items }

// Attr gives an element by its name.
func (n *Named) Attr(name string) (any, bool, []string) {
	for i, s := range n.names {
		if s == name {
			return n.items[i], true, nil
		}
	}
	v, ok := sequenceAttr(n.items, name)
	return v, ok, n.names
}

func element(what string, items []any, i any) (any, error) {
	n, ok := i.(int64)
	if !ok {
		return nil, fmt.Errorf("%s indices must be integers or slices, not %s", what, typeName(i))
	}
	if n < 0 {
		n += int64(len(items))
	}
	if n < 0 || n >= int64(len(items)) {
		return nil, fmt.Errorf("%s index out of range: %v of %d elements", what, i, len(items))
	}
	return items[n], nil
}

func slice(items []any, s expr.Slice) (Tuple, error) {
	var parts [3]*int64
	for i, v := range []any{s.Start, s.Stop, s.Step} {
		n, err := bound(v)
		if err != nil {
			return nil, err
		}
		parts[i] = n
	}
	n, step := int64(len(items)), int64(1)
	if parts[2] != nil {
		if step = *parts[2]; step == 0 {
			return nil, fmt.Errorf("slice step cannot be zero")
		}
	}
	low, high := int64(0), n
	start, stop := low, high
	if step < 0 {
		low, high = -1, n-1
		start, stop = high, low
	}
	clamp := func(p *int64, otherwise int64) int64 {
		if p == nil {
			return otherwise
		}
		i := *p
		if i < 0 {
			i += n
		}
		return min(max(i, low), high)
	}
	start, stop = clamp(parts[0], start), clamp(parts[1], stop)
	out := Tuple{}
	for i := start; step > 0 && i < stop || step < 0 && i > stop; i += step {
		out = append(out, items[i])
	}
	return out, nil
}

// equal is == of plain values and of sequences of them.
func equal(x, y any) bool {
	xs, xok := elements(x)
	ys, yok := elements(y)
	if xok != yok {
		return false
	}
	if xok {
		_, xl := x.([]any)
		_, yl := y.([]any)
		if xl != yl || len(xs) != len(ys) {
			return false
		}
		for i := range xs {
			if !equal(xs[i], ys[i]) {
				return false
			}
		}
		return true
	}
	fx, xn := toFloat(x)
	fy, yn := toFloat(y)
	if xn && yn {
		return fx == fy
	}
	if xn || yn {
		return false
	}
	return comparable(x) && comparable(y) && x == y
}

func comparable(v any) bool {
	switch v.(type) {
	case expr.Func, *expr.Dict:
		return false
	}
	return true
}

// sequenceBinary is x op y where one is a tuple of this package. Lists stand for tuples where expressions make no difference.
func sequenceBinary(op string, x, y any) (any, bool, error) {
	xs, xok := elements(x)
	ys, yok := elements(y)
	switch {
	case op == "==" || op == "!=":
		same := xok && yok && equal(Tuple(xs), Tuple(ys))
		return same == (op == "=="), true, nil
	case op == "+" && xok && yok:
		sum := append(append(Tuple{}, xs...), ys...)
		_, a := x.(Size)
		_, b := y.(Size)
		if a || b {
			if i := slices.IndexFunc(sum, func(v any) bool { return !isInt(v) }); i >= 0 {
				return nil, true, fmt.Errorf("torch.Size() takes an iterable of 'int' (item %d is '%s')", i, typeName(sum[i]))
			}
			return sizeOf(sum), true, nil
		}
		return sum, true, nil
	case op == "*" && xok != yok:
		items, n := xs, y
		if yok {
			items, n = ys, x
		}
		times, ok := n.(int64)
		if !ok {
			return nil, false, nil
		}
		if int64(len(items))*times > 1<<18 {
			return nil, true, fmt.Errorf("a tuple of %d elements is too long", int64(len(items))*times)
		}
		out := Tuple{}
		for range times {
			out = append(out, items...)
		}
		if _, isSize := x.(Size); isSize {
			return sizeOf(out), true, nil
		}
		if _, isSize := y.(Size); isSize {
			return sizeOf(out), true, nil
		}
		return out, true, nil
	case xok && yok && (op == "<" || op == "<=" || op == ">" || op == ">="):
		c := len(xs) - len(ys)
		for i := range min(len(xs), len(ys)) {
			a, aok := toFloat(xs[i])
			b, bok := toFloat(ys[i])
			if !aok || !bok {
				return nil, false, nil
			}
			if a != b {
				c = 1
				if a < b {
					c = -1
				}
				break
			}
		}
		return map[string]bool{"<": c < 0, "<=": c <= 0, ">": c > 0, ">=": c >= 0}[op], true, nil
	}
	return nil, false, nil
}

func sizeOf(items []any) Size {
	out := make(Size, len(items))
	for i, v := range items {
		out[i], _ = v.(int64)
	}
	return out
}
