package expr

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.starlark.net/starlark"
)

// concat joins the parts of an f-string.
func concat(m *machine, a args) (starlark.Value, error) {
	var b strings.Builder
	parts := a.pos
	if len(parts) == 1 {
		if l, ok := parts[0].(*starlark.List); ok {
			parts, _ = sequenceOf(l)
		}
	}
	for _, p := range parts {
		s, _ := starlark.AsString(p)
		if b.WriteString(s); b.Len() > m.limits.text {
			return nil, fmt.Errorf("a string of %d bytes is too long: at most %d", b.Len(), m.limits.text)
		}
	}
	return m.made(b.Len(), b.String)
}

// formatField is a field of an f-string: a value, its conversion and its format.
func formatField(m *machine, a args) (starlark.Value, error) {
	v := a.pos[0]
	conversion, _ := starlark.AsString(a.pos[1])
	spec, _ := starlark.AsString(a.pos[2])
	if isUnknown(v) {
		m.touch()
		return starlark.String(""), nil
	}
	if conversion != "" {
		s, err := m.text(v, conversion != "s")
		if err != nil {
			return nil, err
		}
		v = starlark.String(s)
	}
	return m.format(v, spec)
}

func formatOf(m *machine, a args) (starlark.Value, error) {
	var v starlark.Value
	spec := ""
	if err := a.unpack("value", &v, "format_spec?", &spec); err != nil {
		return nil, err
	}
	if isUnknown(v) {
		return m.touch(), nil
	}
	return m.format(v, spec)
}

// The format specification of Python: [[fill]align][sign][#][0][width][,][.precision][type].
var specPattern = regexp.MustCompile(`^(?:(.)?([<>=^]))?([-+ ])?(#)?(0)?(\d{1,6})?([,_])?(?:\.(\d{1,4}))?([a-zA-Z%])?$`)

func (m *machine) format(v starlark.Value, spec string) (starlark.Value, error) {
	if o, ok := v.(*object); ok {
		if r, ok, err := m.callAttr(o, "__format__", starlark.String(spec)); ok || err != nil {
			if _, text := r.(starlark.String); text || err != nil {
				return r, err
			}
			v = r // what is written in the object's place
		}
	}
	if spec == "" {
		s, err := m.text(v, false)
		return starlark.String(s), err
	}
	f := specPattern.FindStringSubmatch(spec)
	if f == nil {
		return nil, fmt.Errorf("invalid format specifier %q", spec)
	}
	fill, align, sign, alt, zero, group, verb := f[1], f[2], f[3], f[4] != "", f[5] != "", f[7], f[9]
	width, _ := strconv.Atoi(f[6])
	precision := -1
	if f[8] != "" {
		precision, _ = strconv.Atoi(f[8])
	}
	if b, ok := v.(starlark.Bool); ok && verb != "s" {
		v = asNumber(b)
	}
	digits, prefix, numeric := "", "", true
	var err error
	switch x := v.(type) {
	case starlark.Int:
		if verb == "c" {
			c, err := universe(m, args{"chr", starlark.Tuple{x}, nil})
			if err != nil {
				return nil, err
			}
			if align == "" {
				align = "<"
			}
			digits, _ = starlark.AsString(c)
			numeric = false
			break
		}
		if err := m.spend(digitsCost(x)); err != nil {
			return nil, err
		}
		digits, prefix, err = formatInt(x, verb, precision, alt)
	case starlark.Float:
		digits, err = formatFloat(float64(x), verb, precision)
	default:
		numeric = false
		switch {
		case verb != "" && verb != "s":
		case group != "":
			return nil, fmt.Errorf("cannot specify '%s' with 's'", group)
		case sign != "":
			return nil, errors.New("sign not allowed in string format specifier")
		case align == "=":
			return nil, errors.New("'=' alignment not allowed in string format specifier")
		}
		if verb != "" && verb != "s" {
			return nil, fmt.Errorf("unknown format code '%s' for object of type '%s'", verb, typeName(v))
		}
		if digits, err = m.text(v, false); precision >= 0 && err == nil {
			r := []rune(digits)
			digits = string(r[:min(precision, len(r))])
		}
	}
	if err != nil {
		return nil, err
	}
	if numeric {
		negative := strings.HasPrefix(digits, "-")
		digits = strings.TrimPrefix(digits, "-")
		digits = grouped(digits, group)
		switch {
		case negative:
			prefix = "-" + prefix
		case sign == "+" || sign == " ":
			prefix = sign + prefix
		}
	}
	if fill == "" {
		fill = " "
		if zero {
			fill = "0"
		}
	}
	if align == "" {
		switch {
		case zero && numeric:
			align = "="
		case numeric:
			align = ">"
		default:
			align = "<"
		}
	}
	n := max(width-utf8.RuneCountInString(prefix+digits), 0)
	return m.made((n+1)*len(fill)+len(digits), func() string {
		pad := func(k int) string { return strings.Repeat(fill, k) }
		switch align {
		case "<":
			return prefix + digits + pad(n)
		case "^":
			return pad(n/2) + prefix + digits + pad(n-n/2)
		case "=":
			return prefix + pad(n) + digits
		}
		return pad(n) + prefix + digits
	})
}

func formatInt(x starlark.Int, verb string, precision int, alt bool) (digits, prefix string, err error) {
	base, ok := map[string]int{"": 10, "d": 10, "n": 10, "b": 2, "o": 8, "x": 16, "X": 16}[verb]
	if !ok {
		if verb == "c" || verb == "s" {
			return "", "", fmt.Errorf("unknown format code '%s' for object of type 'int'", verb)
		}
		f, exact := starlark.AsFloat(x)
		if !exact || math.IsInf(f, 0) {
			return "", "", errors.New("the number is too large for a float")
		}
		digits, err = formatFloat(f, verb, precision)
		return digits, "", err
	}
	if precision >= 0 {
		return "", "", errors.New("precision not allowed in integer format specifier")
	}
	digits = x.BigInt().Text(base)
	if verb == "X" {
		digits = strings.ToUpper(digits)
	}
	if alt && base != 10 {
		prefix = "0" + verb
	}
	return digits, prefix, nil
}

func formatFloat(f float64, verb string, precision int) (string, error) {
	switch verb {
	case "":
		if precision < 0 {
			return Float(f), nil
		}
		if math.IsInf(f, 0) || math.IsNaN(f) {
			return Float(f), nil
		}
		precision = max(precision, 1)
		s := strconv.FormatFloat(f, 'e', precision-1, 64)
		exp, _ := strconv.Atoi(s[strings.IndexByte(s, 'e')+1:])
		if exp < -4 || exp >= precision-1 { // one digit after the point is kept
			mantissa, power, _ := strings.Cut(s, "e")
			if strings.Contains(mantissa, ".") {
				mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
			}
			return mantissa + "e" + power, nil
		}
		s = general(f, precision)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s, nil
	case "e", "E", "f", "F", "g", "G", "%", "n":
	default:
		return "", fmt.Errorf("unknown format code '%s' for object of type 'float'", verb)
	}
	if precision < 0 {
		precision = 6
	}
	var s string
	switch verb {
	case "%":
		s = strconv.FormatFloat(f*100, 'f', precision, 64) + "%"
	case "f", "F":
		s = strconv.FormatFloat(f, 'f', precision, 64)
	case "e", "E":
		s = strconv.FormatFloat(f, 'e', precision, 64)
	default:
		s = general(f, max(precision, 1))
	}
	s = strings.NewReplacer("+Inf", "inf", "Inf", "inf", "NaN", "nan").Replace(s)
	if verb == "E" || verb == "G" || verb == "F" {
		s = strings.ToUpper(s)
	}
	return s, nil
}

// general is C's %g: the shorter of %e and %f, without trailing zeros.
func general(f float64, precision int) string {
	s := strconv.FormatFloat(f, 'e', precision-1, 64)
	i := strings.IndexByte(s, 'e')
	if i < 0 {
		return s
	}
	exp, _ := strconv.Atoi(s[i+1:])
	trim := func(s string) string {
		if strings.Contains(s, ".") {
			s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
		}
		return s
	}
	if exp < -4 || exp >= precision {
		return trim(s[:i]) + s[i:]
	}
	return trim(strconv.FormatFloat(f, 'f', precision-1-exp, 64))
}

// grouped puts a separator between the thousands of a number's whole part.
func grouped(digits, sep string) string {
	if sep == "" {
		return digits
	}
	whole := digits
	if i := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		whole = digits[:i]
	}
	var b strings.Builder
	for i, r := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString(sep)
		}
		b.WriteRune(r)
	}
	return b.String() + digits[len(whole):]
}
