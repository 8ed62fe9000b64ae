package pytorch

import (
	"fmt"
	"testing"

	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

func TestMain(m *testing.M) { tensortest.Main(m) }

func TestTry(t *testing.T) {
	tensortest.Scope(t)
	for _, o := range tensor.Overloads("add") {
		fmt.Println(o.Schema)
	}
	for _, n := range []string{"max", "sum", "zeros", "to", "where", "conv2d", "empty_like", "full", "arange"} {
		for _, s := range append(find(n).plain, find(n).outs...) {
			fmt.Println(n, s.overload.Schema, s.text(false), s.self, s.outs, s.returns, s.types)
		}
	}
	x := one("arange", int64(12))
	ev := func(name string, args ...any) {
		v, ok := Name(name)
		if !ok {
			fmt.Println(name, "MISSING")
			return
		}
		r, err := v.(Callable).Call(args, nil)
		fmt.Println(name, repr(r), err)
	}
	m := func(x tensor.Tensor, name string, args []any, kw map[string]any) any {
		v, ok, names, err := Attr(x, name)
		if !ok {
			fmt.Println(name, "no", len(names), err)
			return nil
		}
		f, isF := v.(expr.Func)
		if !isF {
			fmt.Println(name, repr(v))
			return v
		}
		r, err := f(args, kw)
		fmt.Println(name, args, kw, "->", repr(r), err)
		return r
	}
	ev("torch.relu", x)
	ev("torch.add", x, int64(2))
	ev("torch.zeros", int64(2), int64(3))
	ev("torch.cat", []any{x, x})
	y := m(x, "view", []any{int64(3), int64(-1)}, nil).(tensor.Tensor)
	y = m(y, "float", nil, nil).(tensor.Tensor)
	m(y, "max", nil, map[string]any{"dim": int64(1)})
	m(y, "sum", nil, map[string]any{"dim": int64(1), "keepdim": true})
	m(y, "sum", nil, map[string]any{"dmi": int64(1), "keepdim": true})
	m(y, "add", []any{"a"}, nil)
	m(y, "matmul", []any{y}, nil)
	m(y, "smu", nil, nil)
	m(y, "permute", []any{int64(1), int64(0)}, nil)
	m(y, "shape", nil, nil)
	m(y, "numpy", nil, nil)
	fmt.Println(Index(y, Tuple{expr.Slice{}, expr.Slice{Start: int64(1)}}))
	fmt.Println(Index(y, Tuple{int64(5)}))
	fmt.Println(Index(y, Tuple{int64(0), int64(0), int64(0)}))
	r, _, err := binary("-", int64(2), y)
	fmt.Println(repr(r), err)
}

func BenchmarkAdd(b *testing.B) {
	s := tensor.Open()
	defer s.Close()
	x := tensor.Ones([]int64{4}, tensor.Float32, tensor.Device{})
	y := tensor.Ones([]int64{4}, tensor.Float32, tensor.Device{})
	b.Run("raw", func(b *testing.B) {
		s := tensor.Open()
		defer s.Close()
		for range b.N {
			x.Add(y)
		}
	})
	b.Run("call", func(b *testing.B) {
		s := tensor.Open()
		defer s.Close()
		for range b.N {
			tensor.CallOne("add", x, y)
		}
	})
	b.Run("binary", func(b *testing.B) {
		s := tensor.Open()
		defer s.Close()
		b.ReportAllocs()
		for range b.N {
			binary("+", x, y)
		}
	})
	b.Run("number", func(b *testing.B) {
		s := tensor.Open()
		defer s.Close()
		for range b.N {
			binary("+", x, 2.0)
		}
	})
	b.Run("method", func(b *testing.B) {
		s := tensor.Open()
		defer s.Close()
		for range b.N {
			f, _, _, _ := Attr(x, "sum")
			f.(expr.Func)(nil, map[string]any{"dim": int64(0)})
		}
	})
}
