package expr

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"go.starlark.net/starlark"
)

// intOf is int().
func intOf(m *machine, a args) (starlark.Value, error) {
	if len(a.pos) == 0 {
		return universe(m, a)
	}
	s, ok := a.pos[0].(starlark.String)
	if !ok {
		return universe(m, a)
	}
	var text string
	base := 10
	if err := a.unpack("x", &text, "base?", &base); err != nil {
		return nil, err
	}
	if len(s) > 4096 {
		return nil, errors.New("int: the text is too long")
	}
	if base != 0 && base < 2 || base > 36 {
		return nil, errors.New("int() base must be >= 2 and <= 36, or 0")
	}
	invalid := fmt.Errorf("invalid literal for int() with base %d: %s", base, quote(text))
	digits := strings.ToLower(strings.TrimSpace(text))
	sign := ""
	if strings.HasPrefix(digits, "-") || strings.HasPrefix(digits, "+") {
		sign, digits = strings.TrimPrefix(digits[:1], "+"), digits[1:]
	}
	for prefix, b := range map[string]int{"0x": 16, "0o": 8, "0b": 2} {
		if rest, ok := strings.CutPrefix(digits, prefix); ok && (base == b || base == 0) {
			base, digits = b, strings.TrimPrefix(rest, "_")
		}
	}
	if base == 0 {
		if base = 10; len(digits) > 1 && digits[0] == '0' && strings.Trim(digits, "0_") != "" {
			return nil, invalid
		}
	}
	if strings.HasPrefix(digits, "_") || strings.HasSuffix(digits, "_") || strings.Contains(digits, "__") {
		return nil, invalid
	}
	digits = strings.ReplaceAll(digits, "_", "")
	if digits == "" || strings.ContainsAny(digits, "+-") {
		return nil, invalid
	}
	if err := m.spend(len(digits)); err != nil {
		return nil, err
	}
	i, ok := new(big.Int).SetString(sign+digits, base)
	if !ok {
		return nil, invalid
	}
	return starlark.MakeBigInt(i), nil
}

// floatOf is float().
func floatOf(m *machine, a args) (starlark.Value, error) {
	if len(a.pos) != 1 || len(a.kw) > 0 {
		return universe(m, a)
	}
	s, ok := a.pos[0].(starlark.String)
	if !ok {
		return universe(m, a)
	}
	text := strings.ToLower(strings.TrimSpace(string(s)))
	invalid := fmt.Errorf("could not convert string to float: %s", quote(string(s)))
	if len(text) > 4096 {
		return nil, invalid
	}
	switch strings.TrimLeft(text, "+-") {
	case "inf", "infinity", "nan":
		if len(text)-len(strings.TrimLeft(text, "+-")) > 1 {
			return nil, invalid
		}
	default:
		if strings.ContainsAny(text, "xpin") || strings.HasPrefix(text, "_") || strings.HasSuffix(text, "_") || strings.Contains(text, "__") {
			return nil, invalid
		}
	}
	f, err := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return nil, invalid
	}
	return starlark.Float(f), nil
}

func powOf(m *machine, a args) (starlark.Value, error) {
	var x, y, mod starlark.Value
	if err := a.unpack("base", &x, "exp", &y, "mod?", &mod); err != nil {
		return nil, err
	}
	if mod == nil || mod == starlark.None {
		return m.binary("**", x, y)
	}
	if isUnknown(x, y, mod) {
		return m.touch(), nil
	}
	xi, ok1 := asNumber(x).(starlark.Int)
	yi, ok2 := asNumber(y).(starlark.Int)
	mi, ok3 := asNumber(mod).(starlark.Int)
	switch {
	case !ok1 || !ok2 || !ok3:
		return nil, errors.New("pow() 3rd argument not allowed unless all arguments are integers")
	case mi.Sign() == 0:
		return nil, errors.New("pow() 3rd argument cannot be 0")
	}
	if err := m.spend(bits(yi) * (bits(mi)/64 + 1) * (bits(mi)/64 + 1)); err != nil {
		return nil, err
	}
	r := new(big.Int).Exp(xi.BigInt(), yi.BigInt(), new(big.Int).Abs(mi.BigInt()))
	if r == nil {
		return nil, errors.New("base is not invertible for the given modulus")
	}
	if mi.Sign() < 0 && r.Sign() > 0 {
		r.Add(r, mi.BigInt())
	}
	return starlark.MakeBigInt(r), nil
}

// inBase is hex(), oct() or bin().
func inBase(prefix string, base int) function {
	return func(m *machine, a args) (starlark.Value, error) {
		var v starlark.Value
		if err := a.unpack("number", &v); err != nil {
			return nil, err
		}
		i, ok := asNumber(v).(starlark.Int)
		if !ok {
			return nil, fmt.Errorf("'%s' object cannot be interpreted as an integer", typeName(v))
		}
		return m.made(bits(i)+3, func() string {
			text := i.BigInt().Text(base)
			if rest, negative := strings.CutPrefix(text, "-"); negative {
				return "-" + prefix + rest
			}
			return prefix + text
		})
	}
}

// bytesOf is bytes().
func bytesOf(m *machine, a args) (starlark.Value, error) {
	var v, encoding starlark.Value = starlark.Tuple{}, starlark.None
	if err := a.unpack("source?", &v, "encoding?", &encoding); err != nil {
		return nil, err
	}
	switch x := v.(type) {
	case starlark.String:
		if encoding == starlark.None {
			return nil, errors.New("string argument without an encoding")
		}
		return textMethods["encode"](m, x, args{name: "encode", pos: starlark.Tuple{encoding}})
	case starlark.Bytes:
		return x, nil
	case starlark.Int:
		n, err := starlark.AsInt32(x)
		if err != nil || n < 0 {
			return nil, errors.New("negative count")
		}
		s, err := m.made(n, func() string { return strings.Repeat("\x00", n) })
		text, _ := starlark.AsString(s)
		return starlark.Bytes(text), err
	}
	items, err := m.iterate(v)
	if err != nil {
		return nil, err
	}
	out := make([]byte, len(items))
	for i, it := range items {
		n, err := starlark.AsInt32(asNumber(it))
		if err != nil || n < 0 || n > 255 {
			return nil, errors.New("bytes must be in range(0, 256)")
		}
		out[i] = byte(n)
	}
	return starlark.Bytes(out), nil
}

// roundInt is round(x, digits) of an integer, half to even.
func (m *machine) roundInt(x starlark.Int, digits int) (starlark.Value, error) {
	if digits >= 0 {
		return x, nil
	}
	if -digits > bits(x) { // the unit is more than twice the number
		return starlark.MakeInt(0), nil
	}
	if err := m.spend(digitsCost(x)); err != nil {
		return nil, err
	}
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(-digits)), nil)
	q, r := new(big.Int).DivMod(x.BigInt(), unit, new(big.Int))
	c := r.Lsh(r, 1).Cmp(unit)
	if c > 0 || c == 0 && q.Bit(0) == 1 {
		q.Add(q, big.NewInt(1))
	}
	return starlark.MakeBigInt(q.Mul(q, unit)), nil
}
