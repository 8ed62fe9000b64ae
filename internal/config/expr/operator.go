package expr

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	mathbits "math/bits"
	"strings"

	"github.com/lighter-go/lighter/internal/libm"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

var tokens = map[string]syntax.Token{
	"+": syntax.PLUS, "-": syntax.MINUS, "*": syntax.STAR, "/": syntax.SLASH, "//": syntax.SLASHSLASH, "%": syntax.PERCENT,
	"&": syntax.AMP, "|": syntax.PIPE, "^": syntax.CIRCUMFLEX, "<<": syntax.LTLT, ">>": syntax.GTGT, "~": syntax.TILDE,
}

func isUnknown(vs ...starlark.Value) bool {
	for _, v := range vs {
		if _, ok := v.(*unknown); ok {
			return true
		}
	}
	return false
}

// asNumber makes a bool the integer it is in Python.
func asNumber(v starlark.Value) starlark.Value {
	if b, ok := v.(starlark.Bool); ok {
		if b {
			return starlark.MakeInt(1)
		}
		return starlark.MakeInt(0)
	}
	return v
}

// hostBinary asks the host when one of the operands is its own.
func (m *machine) hostBinary(op string, x, y starlark.Value) (v starlark.Value, ok bool, err error) {
	_, xo := x.(*object)
	_, yo := y.(*object)
	h, can := m.host.(Operator)
	if !can || !xo && !yo {
		return nil, false, nil
	}
	gx, err := m.out(x)
	if err != nil {
		return nil, false, err
	}
	gy, err := m.out(y)
	if err != nil {
		return nil, false, err
	}
	r, ok, err := h.Binary(op, gx, gy)
	if err != nil || !ok {
		return nil, ok, err
	}
	return m.in(r), true, nil
}

// smallBinary is the arithmetic of numbers of one word, which costs nothing to speak of; ok is false where it is more.
func smallBinary(op string, x, y starlark.Value) (starlark.Value, bool) {
	switch x := x.(type) {
	case starlark.Int:
		a, ok := x.Int64()
		if !ok || a > math.MaxInt32 || a < math.MinInt32 {
			return nil, false
		}
		switch y := y.(type) {
		case starlark.Int:
			b, ok := y.Int64()
			if !ok || b > math.MaxInt32 || b < math.MinInt32 {
				return nil, false
			}
			switch op {
			case "+":
				return starlark.MakeInt64(a + b), true
			case "-":
				return starlark.MakeInt64(a - b), true
			case "*":
				return starlark.MakeInt64(a * b), true
			case "//", "%":
				if b == 0 {
					return nil, false
				}
				q, r := a/b, a%b
				if r != 0 && (r < 0) != (b < 0) {
					q, r = q-1, r+b
				}
				if op == "%" {
					q = r
				}
				return starlark.MakeInt64(q), true
			}
		case starlark.Float:
			return floatBinary(op, float64(a), float64(y))
		}
	case starlark.Float:
		switch y := y.(type) {
		case starlark.Float:
			return floatBinary(op, float64(x), float64(y))
		case starlark.Int:
			if b, ok := y.Int64(); ok && b <= math.MaxInt32 && b >= math.MinInt32 {
				return floatBinary(op, float64(x), float64(b))
			}
		}
	}
	return nil, false
}

func floatBinary(op string, a, b float64) (starlark.Value, bool) {
	switch op {
	case "+":
		return starlark.Float(a + b), true
	case "-":
		return starlark.Float(a - b), true
	case "*":
		return starlark.Float(a * b), true
	case "/":
		return starlark.Float(a / b), b != 0
	case "//":
		div, _ := floatDivMod(a, b)
		return starlark.Float(div), b != 0
	case "%":
		_, mod := floatDivMod(a, b)
		return starlark.Float(mod), b != 0
	}
	return nil, false
}

// floatDivMod is Python's divmod of floats.
func floatDivMod(a, b float64) (div, mod float64) {
	mod = math.Mod(a, b)
	div = (a - mod) / b
	switch {
	case mod == 0:
		mod = math.Copysign(0, b)
	case (b < 0) != (mod < 0):
		mod += b
		div--
	}
	if div == 0 {
		return math.Copysign(0, a/b), mod
	}
	whole := math.Floor(div)
	if div-whole > 0.5 {
		whole++
	}
	return whole, mod
}

// binary is x op y as Python has it, with the size of the result bounded.
func (m *machine) binary(op string, x, y starlark.Value) (starlark.Value, error) {
	if v, ok := smallBinary(op, x, y); ok {
		return v, nil
	}
	if isUnknown(x, y) {
		return m.touch(), nil
	}
	if v, ok, err := m.hostBinary(op, x, y); err != nil || ok {
		return v, err
	}
	x0, y0 := x, y
	x, y = asNumber(x), asNumber(y)
	if op == "**" {
		return m.power(x, y)
	}
	if s, ok := x.(starlark.String); ok && op == "%" {
		return m.percent(string(s), y)
	}
	if err := m.affordable(op, x, y); err != nil {
		return nil, err
	}
	switch xi, ok := x.(starlark.Int); {
	case ok && (op == "<<" || op == ">>"):
		if yi, ok := y.(starlark.Int); ok {
			return shift(op, xi, yi)
		}
	case op == "*":
		if empty, ok := repeatedNever(x, y); ok {
			return empty, nil
		}
	case op == "//" || op == "%":
		a, ok1 := starlark.AsFloat(x)
		b, ok2 := starlark.AsFloat(y)
		_, yInt := y.(starlark.Int)
		if ok1 && ok2 && !(ok && yInt) {
			if v, ok := floatBinary(op, a, b); ok {
				return v, nil
			}
		}
	}
	token, ok := tokens[op]
	if !ok {
		return nil, fmt.Errorf("unsupported operand type(s) for %s: '%s' and '%s'", op, typeName(x0), typeName(y0))
	}
	v, err := starlark.Binary(token, x, y)
	switch {
	case err == nil && (op == "|" || op == "&" || op == "^"):
		_, xb := x0.(starlark.Bool)
		_, yb := y0.(starlark.Bool)
		if i, ok := v.(starlark.Int); ok && xb && yb {
			return starlark.Bool(i.Sign() != 0), nil
		}
	case err != nil && strings.HasPrefix(err.Error(), "unknown binary op"):
		return nil, fmt.Errorf("unsupported operand type(s) for %s: '%s' and '%s'", op, typeName(x0), typeName(y0))
	}
	return v, err
}

// shift is x << y or x >> y, of a y that is affordable.
func shift(op string, x, y starlark.Int) (starlark.Value, error) {
	n, ok := y.Uint64()
	switch {
	case y.Sign() < 0:
		return nil, errors.New("negative shift count")
	case op == "<<":
		return starlark.MakeBigInt(new(big.Int).Lsh(x.BigInt(), uint(n))), nil
	case !ok || n > uint64(bits(x)):
		n = uint64(bits(x)) + 1
	}
	return starlark.MakeBigInt(new(big.Int).Rsh(x.BigInt(), uint(n))), nil
}

// repeatedNever is a sequence times zero or less.
func repeatedNever(x, y starlark.Value) (starlark.Value, bool) {
	times, ok := y.(starlark.Int)
	seq := x
	if !ok {
		times, ok = x.(starlark.Int)
		seq = y
	}
	if !ok || times.Sign() > 0 {
		return nil, false
	}
	switch seq.(type) {
	case starlark.String:
		return starlark.String(""), true
	case starlark.Bytes:
		return starlark.Bytes(""), true
	case starlark.Tuple:
		return starlark.Tuple{}, true
	case *starlark.List:
		return starlark.NewList(nil), true
	}
	return nil, false
}

// affordable bounds what an operation may make.
func (m *machine) affordable(op string, x, y starlark.Value) error {
	if xi, ok := x.(starlark.Int); ok {
		yi, ok := y.(starlark.Int)
		switch {
		case !ok:
		case op == "*" && bits(xi)+bits(yi) > m.limits.bits:
			return errors.New("the number is too large")
		case op == "<<":
			if yi.Sign() < 0 {
				return errors.New("negative shift count")
			}
			if n, ok := yi.Int64(); xi.Sign() != 0 && (!ok || n > int64(m.limits.bits)) || ok && bits(xi)+int(min(n, 1<<40)) > m.limits.bits {
				return errors.New("the number is too large")
			}
		}
		if ok {
			if err := m.alloc(bits(xi)/8 + bits(yi)/8); err != nil {
				return err
			}
			return m.spend(bits(xi) / 64 * bits(yi) / 64)
		}
	}
	size := 0
	switch op {
	case "+":
		size = length(x) + length(y)
	case "*":
		seq, times := x, y
		if _, ok := x.(starlark.Int); ok {
			seq, times = y, x
		}
		n, ok := times.(starlark.Int)
		if !ok || length(seq) == 0 {
			return nil
		}
		k, ok := n.Int64()
		if !ok || k > int64(m.limits.text) {
			k = int64(m.limits.text) + 1
		}
		size = length(seq) * int(max(k, 0))
	default:
		size = length(x) + length(y)
	}
	limit := m.limits.items
	if _, ok := x.(starlark.String); ok {
		limit = m.limits.text
	} else if _, ok := y.(starlark.String); ok {
		limit = m.limits.text
	}
	if size > limit {
		return fmt.Errorf("the result is too large: %d elements, at most %d", size, limit)
	}
	cost := itemSize / 2
	switch x.(type) {
	case starlark.String, starlark.Bytes:
		if m.run != nil {
			return errors.Join(m.alloc(size), m.spend(size/copied))
		}
		cost = 1
	case *starlark.Dict, *starlark.Set:
		cost = 4 * itemSize
		size *= 5
	}
	if err := m.alloc(size * cost); err != nil {
		return err
	}
	return m.spend(size)
}

func bits(i starlark.Int) int {
	if v, ok := i.Int64(); ok {
		if v < 0 {
			v = -v
		}
		return mathbits.Len64(uint64(v))
	}
	return i.BigInt().BitLen()
}

// length is the number of bytes or elements that an operation copies.
func length(v starlark.Value) int {
	switch v := v.(type) {
	case starlark.String:
		return len(v)
	case *starlark.List:
		return v.Len()
	case starlark.Tuple:
		return len(v)
	case *starlark.Dict:
		return v.Len()
	case *starlark.Set:
		return v.Len()
	}
	return 0
}

func (m *machine) power(x, y starlark.Value) (starlark.Value, error) {
	xi, xInt := x.(starlark.Int)
	yi, yInt := y.(starlark.Int)
	if xInt && yInt && yi.Sign() >= 0 {
		n, ok := yi.Int64()
		if b := bits(xi); b > 1 && (!ok || n > int64(m.limits.bits) || int64(b)*n > int64(m.limits.bits)) {
			return nil, errors.New("the number is too large")
		}
		if !ok || n > int64(m.limits.bits) { // of 0, 1 or -1
			n = n & 1
			if xi.Sign() == 0 {
				n = 1
			}
		}
		return starlark.MakeBigInt(new(big.Int).Exp(xi.BigInt(), big.NewInt(n), nil)), nil
	}
	xf, ok1 := starlark.AsFloat(x)
	yf, ok2 := starlark.AsFloat(y)
	switch {
	case !ok1 || !ok2:
		return nil, fmt.Errorf("unsupported operand type(s) for **: '%s' and '%s'", typeName(x), typeName(y))
	case xf == 0 && yf < 0:
		return nil, errors.New("division by zero: 0 cannot be raised to a negative power")
	case xf < 0 && yf != math.Trunc(yf) && !math.IsInf(yf, 0):
		return nil, errors.New("a negative number to a fractional power is complex, which is not supported")
	}
	return starlark.Float(libm.Pow(xf, yf)), nil
}

func (m *machine) unary(op string, x starlark.Value) (starlark.Value, error) {
	if isUnknown(x) {
		return m.touch(), nil
	}
	if o, ok := x.(*object); ok {
		if h, can := m.host.(Operator); can {
			value, err := m.hosted(o)
			if err != nil {
				return nil, err
			}
			v, ok, err := h.Unary(op, value)
			if err != nil || ok {
				return m.in(v), err
			}
		}
	}
	v, err := starlark.Unary(tokens[op], asNumber(x))
	if err != nil {
		return nil, fmt.Errorf("bad operand type for unary %s: '%s'", op, typeName(x))
	}
	return v, nil
}

// typeName is the name Python has for a type.
func typeName(v starlark.Value) string {
	switch v := v.(type) {
	case starlark.NoneType:
		return "NoneType"
	case starlark.String:
		return "str"
	case *object:
		return v.Type()
	case starlark.Callable:
		return "function"
	}
	return v.Type()
}
