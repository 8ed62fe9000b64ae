package expr

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/lighter-go/lighter/internal/libm"
	mathlib "go.starlark.net/lib/math"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
)

// Math is Python's math module for expressions.
func Math() any { return mathModule }

var mathModule = func() *starlarkstruct.Module {
	members := starlark.StringDict{
		"inf": starlark.Float(math.Inf(1)), "nan": starlark.Float(math.NaN()), "tau": starlark.Float(2 * math.Pi),
		"log2": unaryMath("log2", libm.Log2), "log10": unaryMath("log10", libm.Log10),
		"sin": unaryMath("sin", libm.Sin), "cos": unaryMath("cos", libm.Cos), "exp": unaryMath("exp", libm.Exp), "pow": starlark.NewBuiltin("pow", powFloat),
		"log": starlark.NewBuiltin("log", logFloat), "log1p": unaryMath("log1p", math.Log1p),
		"expm1": unaryMath("expm1", math.Expm1), "exp2": unaryMath("exp2", math.Exp2), "cbrt": unaryMath("cbrt", math.Cbrt), "erf": unaryMath("erf", math.Erf),
		"isnan":    testMath("isnan", math.IsNaN),
		"isinf":    testMath("isinf", func(f float64) bool { return math.IsInf(f, 0) }),
		"isfinite": testMath("isfinite", func(f float64) bool { return !math.IsInf(f, 0) && !math.IsNaN(f) }),
		"trunc":    starlark.NewBuiltin("trunc", trunc),
		"gcd":      starlark.NewBuiltin("gcd", gcd),
		"isqrt":    starlark.NewBuiltin("isqrt", isqrt),
	}
	for name, v := range mathlib.Module.Members {
		switch name {
		case "mod":
			name = "fmod"
		case "round": // Python's is the builtin
			continue
		case "acos", "asin", "acosh", "atanh", "sqrt":
			v = inDomain(v.(*starlark.Builtin))
		}
		if members[name] == nil {
			members[name] = v
		}
	}
	for name, v := range members {
		if b, ok := v.(*starlark.Builtin); ok {
			members[name] = withUnknown(b)
		}
	}
	return &starlarkstruct.Module{Name: "math", Members: members}
}()

var errDomain = errors.New("math domain error")

// inDomain makes a result that is no number the error it is in Python.
func inDomain(b *starlark.Builtin) *starlark.Builtin {
	return starlark.NewBuiltin(b.Name(), func(t *starlark.Thread, _ *starlark.Builtin, pos starlark.Tuple, kw []starlark.Tuple) (starlark.Value, error) {
		v, err := starlark.Call(t, b, pos, kw)
		return domain(v, err, pos)
	})
}

func domain(v starlark.Value, err error, args starlark.Tuple) (starlark.Value, error) {
	f, ok := v.(starlark.Float)
	if err != nil || !ok || !math.IsNaN(float64(f)) && !math.IsInf(float64(f), 0) {
		return v, err
	}
	for _, a := range args {
		if x, ok := starlark.AsFloat(a); ok && (math.IsNaN(x) || math.IsInf(x, 0)) {
			return v, nil
		}
	}
	if math.IsInf(float64(f), 1) {
		return nil, errors.New("math range error")
	}
	return nil, errDomain
}

// logFloat is log(x) or log(x, base).
func logFloat(_ *starlark.Thread, _ *starlark.Builtin, pos starlark.Tuple, kw []starlark.Tuple) (starlark.Value, error) {
	x, base := starlark.Value(nil), starlark.Value(nil)
	if err := starlark.UnpackPositionalArgs("log", pos, kw, 1, &x, &base); err != nil {
		return nil, err
	}
	var logs [2]float64
	for i, v := range []starlark.Value{x, base} {
		if v == nil {
			continue
		}
		f, ok := starlark.AsFloat(asNumber(v))
		switch {
		case !ok:
			return nil, fmt.Errorf("must be real number, not %s", typeName(v))
		case f <= 0:
			return nil, errDomain
		}
		logs[i] = libm.Log(f)
	}
	switch {
	case base == nil:
		return starlark.Float(logs[0]), nil
	case logs[1] == 0:
		return nil, errors.New("float division by zero")
	}
	return starlark.Float(logs[0] / logs[1]), nil
}

// powFloat is math.pow.
func powFloat(_ *starlark.Thread, _ *starlark.Builtin, pos starlark.Tuple, kw []starlark.Tuple) (starlark.Value, error) {
	var x, y starlark.Value
	if err := starlark.UnpackPositionalArgs("pow", pos, kw, 2, &x, &y); err != nil {
		return nil, err
	}
	a, ok1 := starlark.AsFloat(asNumber(x))
	b, ok2 := starlark.AsFloat(asNumber(y))
	switch {
	case !ok1 || !ok2:
		return nil, errors.New("must be real number")
	case a == 0 && b < 0 || a < 0 && b != math.Trunc(b) && !math.IsInf(b, 0):
		return nil, errDomain
	}
	return domain(starlark.Float(libm.Pow(a, b)), nil, pos)
}

func unaryMath(name string, f func(float64) float64) *starlark.Builtin {
	return starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, pos starlark.Tuple, kw []starlark.Tuple) (starlark.Value, error) {
		x, err := oneFloat(name, pos, kw)
		return domain(starlark.Float(f(x)), err, pos)
	})
}

func testMath(name string, f func(float64) bool) *starlark.Builtin {
	return starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, pos starlark.Tuple, kw []starlark.Tuple) (starlark.Value, error) {
		x, err := oneFloat(name, pos, kw)
		return starlark.Bool(f(x)), err
	})
}

func oneFloat(name string, pos starlark.Tuple, kw []starlark.Tuple) (float64, error) {
	var v starlark.Value
	if err := starlark.UnpackPositionalArgs(name, pos, kw, 1, &v); err != nil {
		return 0, err
	}
	x, ok := starlark.AsFloat(asNumber(v))
	if !ok {
		return 0, fmt.Errorf("must be real number, not %s", typeName(v))
	}
	return x, nil
}

func trunc(_ *starlark.Thread, _ *starlark.Builtin, pos starlark.Tuple, kw []starlark.Tuple) (starlark.Value, error) {
	x, err := oneFloat("trunc", pos, kw)
	if err != nil {
		return nil, err
	}
	return starlark.NumberToInt(starlark.Float(x))
}

func gcd(_ *starlark.Thread, _ *starlark.Builtin, pos starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	g := new(big.Int)
	for _, v := range pos {
		i, ok := asNumber(v).(starlark.Int)
		if !ok {
			return nil, fmt.Errorf("'%s' object cannot be interpreted as an integer", typeName(v))
		}
		g.GCD(nil, nil, g, new(big.Int).Abs(i.BigInt()))
	}
	return starlark.MakeBigInt(g), nil
}

func isqrt(_ *starlark.Thread, _ *starlark.Builtin, pos starlark.Tuple, kw []starlark.Tuple) (starlark.Value, error) {
	var i starlark.Int
	if err := starlark.UnpackPositionalArgs("isqrt", pos, kw, 1, &i); err != nil {
		return nil, err
	}
	if i.Sign() < 0 {
		return nil, errors.New("isqrt() argument must be nonnegative")
	}
	return starlark.MakeBigInt(new(big.Int).Sqrt(i.BigInt())), nil
}

// withUnknown makes a function of an unknown argument unknown.
func withUnknown(b *starlark.Builtin) *starlark.Builtin {
	return starlark.NewBuiltin(b.Name(), func(t *starlark.Thread, _ *starlark.Builtin, pos starlark.Tuple, kw []starlark.Tuple) (starlark.Value, error) {
		for _, v := range append(slices.Clip(pos), values(kw)...) {
			if u, ok := v.(*unknown); ok {
				return u.m.touch(), nil
			}
		}
		if slices.ContainsFunc(pos, isObject) {
			m := machineOf(t)
			pos = slices.Clone(pos)
			for i, v := range pos {
				if o, ok := v.(*object); ok {
					x, err := floatOf(m, args{name: "float", pos: starlark.Tuple{o}})
					if err != nil {
						return nil, fmt.Errorf("must be real number, not %s", typeName(v))
					}
					pos[i] = x
				}
			}
		}
		return starlark.Call(t, b, pos, kw)
	})
}

// Member gives a member of a module of this package's; ok is false for any other value.
func Member(module any, name string) (v any, ok bool) {
	m, isModule := module.(*starlarkstruct.Module)
	if !isModule {
		return nil, false
	}
	v, ok = m.Members[name]
	return v, ok
}

func isObject(v starlark.Value) bool {
	_, ok := v.(*object)
	return ok
}
