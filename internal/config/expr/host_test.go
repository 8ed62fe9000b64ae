package expr

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// vector stands for a tensor, thing for a module, and fakeHost for what knows them.
type vector struct{ v []float64 }

func (*vector) TypeName() string { return "Tensor" }

type thing struct {
	attrs map[string]any
	log   []string
}

func (*thing) TypeName() string { return "Thing" }

type stream struct{ n int }

type typed string

// opError is the error that operations panic with.
type opError struct{ msg string }

func (e *opError) Error() string { return e.msg }

type fakeHost struct{}

func (fakeHost) Attr(obj any, name string) (any, bool, []string) {
	switch o := obj.(type) {
	case *vector:
		result := map[string]any{"__len__": int64(len(o.v)), "sum": o.sum(), "item": o.v[0], "__float__": o.v[0], "__int__": int64(o.v[0]), "__index__": int64(o.v[0]), "__str__": fmt.Sprintf("tensor(%v)", o.v),
			"__repr__": fmt.Sprintf("<tensor %v>", o.v)}
		switch name {
		case "shape":
			return Tuple{int64(len(o.v))}, true, nil
		case "__bool__":
			return Func(func([]any, map[string]any) (any, error) {
				if len(o.v) != 1 {
					return nil, errors.New("Boolean value of Tensor with more than one value is ambiguous")
				}
				return o.v[0] != 0, nil
			}), true, nil
		case "__format__":
			return Func(func(args []any, _ map[string]any) (any, error) { return fmt.Sprintf("v%s", args[0]), nil }), true, nil
		case "__contains__":
			return Func(func(args []any, _ map[string]any) (any, error) {
				return slices.Contains(o.v, toFloat(args[0])), nil
			}), true, nil
		case "crash":
			return Func(func([]any, map[string]any) (any, error) { panic(&opError{"shapes [2] and [3] don't fit"}) }), true, nil
		case "bug":
			return Func(func([]any, map[string]any) (any, error) { var p *vector; return p.v[0], nil }), true, nil
		}
		if v, ok := result[name]; ok {
			return Func(func([]any, map[string]any) (any, error) { return v, nil }), true, nil
		}
		return nil, false, []string{"sum", "item", "shape"}
	case *thing:
		v, ok := o.attrs[name]
		if name == "__call__" {
			f, ok := o.attrs["forward"]
			return f, ok, nil
		}
		return v, ok, nil
	}
	return nil, false, nil
}

func (v *vector) sum() float64 {
	s := 0.0
	for _, x := range v.v {
		s += x
	}
	return s
}

func toFloat(v any) float64 {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case float64:
		return v
	}
	return 0
}

func (fakeHost) Index(obj, i any) (any, error) {
	return fmt.Sprintf("%T[%s]", obj, describe(i)), nil
}

func describe(i any) string {
	switch i := i.(type) {
	case Tuple:
		parts := []string{}
		for _, x := range i {
			parts = append(parts, describe(x))
		}
		return "(" + strings.Join(parts, " ") + ")"
	case []any:
		return fmt.Sprintf("list%v", i)
	case Slice:
		return fmt.Sprintf("%v:%v:%v", i.Start, i.Stop, i.Step)
	case Ellipsis:
		return "..."
	case *vector:
		return "vector"
	}
	return fmt.Sprint(i)
}

func (fakeHost) Iterate(obj any) ([]any, bool) {
	v, ok := obj.(*vector)
	if !ok {
		return nil, false
	}
	items := []any{}
	for _, x := range v.v {
		items = append(items, x)
	}
	return items, true
}

func (fakeHost) Iter(obj any) (func() (any, bool, error), bool) {
	s, ok := obj.(*stream)
	if !ok {
		return nil, false
	}
	return func() (any, bool, error) {
		if s.n++; s.n > 1000 {
			return nil, false, errors.New("the stream broke")
		}
		return int64(s.n), true, nil
	}, true
}

func (fakeHost) Binary(op string, x, y any) (any, bool, error) {
	v, ok := x.(*vector)
	w, other := y.(*vector)
	if !ok && !other {
		return nil, false, nil
	}
	at := func(v *vector, scalar any, i int) float64 {
		if v == nil {
			return toFloat(scalar)
		}
		return v.v[i%len(v.v)]
	}
	n := 0
	if v != nil {
		n = len(v.v)
	} else {
		n = len(w.v)
	}
	out := &vector{make([]float64, n)}
	for i := range out.v {
		a, b := at(v, x, i), at(w, y, i)
		switch op {
		case "+":
			out.v[i] = a + b
		case "*":
			out.v[i] = a * b
		case "@":
			return int64(42), true, nil
		case ">":
			if a > b {
				out.v[i] = 1
			}
		case "==":
			if a == b {
				out.v[i] = 1
			}
		default:
			return nil, false, nil
		}
	}
	return out, true, nil
}

func (fakeHost) Unary(op string, x any) (any, bool, error) {
	if v, ok := x.(*vector); ok && op == "-" {
		out := &vector{}
		for _, f := range v.v {
			out.v = append(out.v, -f)
		}
		return out, true, nil
	}
	return nil, false, nil
}

func (fakeHost) InPlace(op string, x, y any) (any, bool, error) {
	if v, ok := x.(*vector); ok && op == "+" {
		for i := range v.v {
			v.v[i] += toFloat(y)
		}
		return v, true, nil
	}
	return nil, false, nil
}

func (fakeHost) SetAttr(obj any, name string, v any) error {
	t, ok := obj.(*thing)
	if !ok {
		return fmt.Errorf("can't set attribute '%s'", name)
	}
	t.attrs[name] = v
	return nil
}

func (fakeHost) SetIndex(obj, i, v any) error {
	t, ok := obj.(*thing)
	if !ok {
		return errors.New("can't set an index")
	}
	t.log = append(t.log, fmt.Sprintf("%s=%v", describe(i), v))
	return nil
}

func (fakeHost) DelAttr(obj any, name string) error {
	t, ok := obj.(*thing)
	if !ok {
		return errors.New("can't delete an attribute")
	}
	delete(t.attrs, name)
	return nil
}

func (fakeHost) DelIndex(obj, i any) error { return errors.New("can't delete " + describe(i)) }

func (fakeHost) IsInstance(obj, class any) (bool, bool) {
	name, ok := class.(typed)
	if !ok {
		return false, false
	}
	switch obj.(type) {
	case *vector:
		return name == "Tensor", true
	case *thing:
		return name == "Thing", true
	}
	return false, true
}

func first(args []any) any {
	if len(args) == 0 {
		return nil
	}
	return args[0]
}

func hosted() Options {
	return Options{Host: fakeHost{}, Names: map[string]any{
		"thing": KwFunc(func(args []any, kw *Dict) (any, error) {
			t := &thing{attrs: map[string]any{}}
			for i, k := range kw.Keys {
				t.attrs[k.(string)] = kw.Values[i]
				t.log = append(t.log, k.(string))
			}
			return t, nil
		}),
		"vec": Func(func(args []any, _ map[string]any) (any, error) {
			v := &vector{}
			if len(args) == 0 {
				return nil, errors.New("vec() is empty")
			}
			for _, x := range args {
				v.v = append(v.v, toFloat(x))
			}
			return v, nil
		}),
		"log": Func(func(args []any, _ map[string]any) (any, error) {
			if t, ok := first(args).(*thing); ok {
				return strings.Join(t.log, " "), nil
			}
			return nil, errors.New("no thing")
		}),
		"show":   KwFunc(func(args []any, kw *Dict) (any, error) { return fmt.Sprintf("%T %v", first(args), kw.Keys), nil }),
		"kinds":  Func(func(args []any, _ map[string]any) (any, error) { return fmt.Sprintf("%T", first(args)), nil }),
		"stream": Func(func([]any, map[string]any) (any, error) { return &stream{}, nil }),
		"Tensor": typed("Tensor"), "Thing": typed("Thing"),
		"call": Func(func(args []any, _ map[string]any) (any, error) {
			f, ok := AsFunc(first(args))
			if !ok {
				return nil, errors.New("no function")
			}
			return f(args[1:], nil)
		}),
		"fail": Func(func(args []any, _ map[string]any) (any, error) {
			return nil, &Error{Msg: "no such thing", Hint: "did you mean that?"}
		}),
	}}
}

// Objects of the host take part in code as the host says.
func TestHost(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{"x = vec(1, 2, 3)\nprint(x, [x], repr(x), f'{x:.2f} {x!r}', '{:a}'.format(x))", "tensor([1 2 3]) [<tensor [1 2 3]>] <tensor [1 2 3]> v.2f <tensor [1 2 3]> va"},
		{"x = vec(1, 2)\nprint(x + 1, 1 + x, x * x, -x, x @ x, x > 1, x == 2, len(x), 2 in x, 5 in x, x.sum(), x.shape)", "tensor([2 3]) tensor([2 3]) tensor([1 4]) tensor([-1 -2]) 42 tensor([0 1]) tensor([0 1]) 2 True False 3.0 (2,)"},
		{"x = vec(1, 2)\ny = x\nx += 1\nprint(x, y is x)\nx *= 2\nprint(x, y, y is x)", "tensor([2 3]) True\ntensor([4 6]) tensor([2 3]) False"},
		{"x = vec(1)\nprint(x[0], x[1:], x[:, 1:, None], x[..., 0], x[::2, ::-1], x[x > 0], x[(1, 2)], x[[1, 2]], x[-1, ...], x[1:2,])",
			"*expr.vector[0] *expr.vector[1:<nil>:<nil>] *expr.vector[(<nil>:<nil>:<nil> 1:<nil>:<nil> <nil>)] *expr.vector[(... 0)] *expr.vector[(<nil>:<nil>:2 <nil>:<nil>:-1)] *expr.vector[vector] *expr.vector[(1 2)] *expr.vector[list[1 2]] *expr.vector[(-1 ...)] *expr.vector[(1:2:<nil>)]"},
		{"x = vec(1.5)\nprint(float(x), int(x), bool(x), bool(vec(0)), 'yes' if vec(0) else 'no', not vec(0), vec(0) or 5, [1, 2][vec(1)])", "1.5 1 True False no True 5 2"},
		{"a, b = vec(1, 2)\nprint(a, b, list(vec(1, 2)), [x * 2 for x in vec(1, 2)], max(vec(1, 3)))\nfor v in vec(7): print(v)", "1.0 2.0 [1.0, 2.0] [2.0, 4.0] 3.0\n7.0"},
		{"print(vec(2) > 1 > 0, isinstance(vec(1), Tensor), isinstance(vec(1), (int, Thing)), isinstance(thing(), (Tensor, Thing)), isinstance(3, Tensor), type(vec(1)).__name__, vec(1).__class__.__name__)", "True True False True False Tensor Tensor"},
		{"t = thing(b=1, a=2, **{'d': 4, 'c': 3})\nprint(log(t), t.a, t.d)", "b a d c 2 4"},
		{"t = thing()\nt.layers = []\nt.layers.append(1)\nt.layers += [2]\nl = t.layers\nl.append(3)\nprint(t.layers, l is t.layers)\nt.n = 0\nt.n += 5\nt.n, t.m = 1, (2, 3)\nprint(t.n, t.m)\ndel t.n\nprint(hasattr(t, 'n'), getattr(t, 'n', 'gone'))",
			"[1, 2, 3] True\n1 (2, 3)\nFalse gone"},
		{"t = thing()\nt[0] = 1\nt[1:2] = 2\nt[..., None] = 3\nt[:, 0] = 4\nt['k'] = 5\nprint(log(t))", "0=1 1:2:<nil>=2 (... <nil>)=3 (<nil>:<nil>:<nil> 0)=4 k=5"},
		{"def forward(x, y=1): return x + y\nt = thing(forward=forward)\nprint(t(1), t(1, y=5), t.forward(2), call(forward, 3), call(t.forward, 4), t.forward is forward)", "2 6 3 4 5 True"},
		{"print(show([1]), show((1,)), show({}), show(vec(1)), show(len), show(show), show(lambda: 1), show(1, z=1, y=2), kinds((1, 2)), kinds([1]), kinds({1}), kinds({}))",
			"*starlark.List [] starlark.Tuple [] *starlark.Dict [] *expr.vector [] func([]interface {}, map[string]interface {}) (interface {}, error) [] expr.KwFunc [] *expr.Function [] int64 [z y] []interface {} []interface {} []interface {} *expr.Dict"},
		{"s = stream()\nfor i, x in enumerate(s):\n    if i == 2: break\nprint(x, next(s), [a + b for a, b in zip([1, 2], s)])\nit = iter(stream())\nprint(next(it), next(it))\nprint(next(map(lambda x: x * 10, it)))\nfor a, b in zip(it, it):\n    print(a, b)\n    break", "3 4 [6, 8]\n1 2\n30\n4 5"},
		{"d = {Tensor: 1, None: 2}\nprint(d[Tensor], Tensor in d, Thing in d)", "1 True False"},
		{"x = [vec(1)]\nprint(x[0] in x, x == x, x.index(x[0]))", "True True 0"},
	} {
		out, _, err := runFile(t, hosted(), c.source)
		if err != nil {
			t.Errorf("%s\n%v", c.source, err)
		} else if strings.TrimSuffix(out, "\n") != c.want {
			t.Errorf("%s\nprints %s\nwant   %s", c.source, out, c.want)
		}
	}
}
