package draw

import (
	"math"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// Call calls a function of user code on a sample or a part of one. What it draws comes from r.
func Call(r lighter.Rand, f func(args []any, kwargs map[string]any) (any, error), args ...any) (lighter.Value, error) {
	if _, shared := r.(Default); !shared {
		s := tensor.Open()
		defer s.Close() // locks the thread for the generator; what f makes is handed on below
		defer tensor.DrawFrom(uint64(r.Int(0, math.MaxInt64)))()
		v, err := f(args, nil)
		if err != nil {
			return nil, err
		}
		return lighter.MapTensors(lighter.Plain(v), s.Return), nil
	}
	v, err := f(args, nil)
	return lighter.Plain(v), err
}
