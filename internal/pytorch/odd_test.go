package pytorch

import (
	"testing"

	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// Whatever a function or a method is given, it fails with an error at worst.
func TestOddArguments(t *testing.T) {
	tensortest.Scope(t)
	y := func() tensor.Tensor { return tensor.FromSlice([]float32{1, -2, 3, 4, 5.5, -6}, 2, 3) }
	given := func() [][]any {
		q := tensor.FromSlice([]int64{1, 2, 0}, 3)
		return [][]any{
			{}, {y()}, {q, y()}, {y(), int64(1)}, {y(), y(), y()}, {y(), int64(-1), q, y()}, {y(), "a", nil}, {y(), int64(1000), int64(-7)}, {y(), []any{}}, {[]any{}},
			{[]any{y(), nil}}, {y(), []any{int64(1), int64(1)}, true},
		}
	}
	try := func(name string, f expr.Func) {
		for _, args := range given() {
			s := tensor.Open()
			_, _ = f(args, nil)
			s.Close()
		}
	}
	for _, name := range Names() {
		if v, _ := Name(name); v != nil {
			if c, ok := v.(Callable); ok {
				try(name, c.Call)
			}
		}
	}
	for _, name := range tensorNames() {
		v, ok, _, _ := Attr(y(), name)
		if f, isFunc := v.(expr.Func); ok && isFunc {
			try(name, f)
		}
	}
}
