package expr

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.starlark.net/starlark"
)

// percent is `format % values`.
func (m *machine) percent(format string, v starlark.Value) (starlark.Value, error) {
	var b strings.Builder
	tuple, isTuple := v.(starlark.Tuple)
	if !isTuple {
		tuple = starlark.Tuple{v}
	}
	used, named := 0, false
	next := func() (starlark.Value, error) {
		if used >= len(tuple) {
			return nil, errors.New("not enough arguments for format string")
		}
		used++
		return tuple[used-1], nil
	}
	for i := 0; i < len(format); i++ {
		at := strings.IndexByte(format[i:], '%')
		if at < 0 {
			b.WriteString(format[i:])
			break
		}
		b.WriteString(format[i : i+at])
		i += at + 1
		var value starlark.Value
		if i < len(format) && format[i] == '(' {
			stop := strings.IndexByte(format[i:], ')')
			if stop < 0 {
				return nil, errors.New("incomplete format key")
			}
			d, ok := v.(*starlark.Dict)
			if !ok {
				return nil, errors.New("format requires a mapping")
			}
			var err error
			if value, err = indexOf(m, args{pos: starlark.Tuple{d, starlark.String(format[i+1 : i+stop])}}); err != nil {
				return nil, err
			}
			i += stop + 1
			named = true
		}
		flags := ""
		for i < len(format) && strings.IndexByte("#0- +", format[i]) >= 0 {
			flags += format[i : i+1]
			i++
		}
		number := func() (int, bool, error) {
			if i < len(format) && format[i] == '*' {
				i++
				w, err := next()
				if err != nil {
					return 0, false, err
				}
				n, err := starlark.AsInt32(w)
				if err != nil {
					return 0, false, errors.New("* wants int")
				}
				return n, true, nil
			}
			start := i
			for i < len(format) && format[i] >= '0' && format[i] <= '9' {
				i++
			}
			n, err := strconv.Atoi(format[start:i])
			if start < i && (err != nil || n > 1<<20) {
				return 0, false, errors.New("width or precision too big")
			}
			return n, start < i, nil
		}
		width, _, err := number()
		if err != nil {
			return nil, err
		}
		precision, hasPrecision := 0, false
		if i < len(format) && format[i] == '.' {
			i++
			if precision, _, err = number(); err != nil {
				return nil, err
			}
			hasPrecision = true
		}
		for i < len(format) && strings.IndexByte("hlL", format[i]) >= 0 {
			i++
		}
		if i >= len(format) {
			return nil, errors.New("incomplete format")
		}
		verb := format[i]
		if verb == '%' {
			b.WriteByte('%')
			continue
		}
		if value == nil {
			if value, err = next(); err != nil {
				return nil, err
			}
		}
		text, err := m.directive(verb, value, flags, width, precision, hasPrecision)
		if err != nil {
			return nil, err
		}
		if b.WriteString(text); b.Len() > m.limits.text {
			return nil, fmt.Errorf("a string of %d bytes is too long: at most %d", b.Len(), m.limits.text)
		}
	}
	isMapping := false // as Python sees it
	switch v.(type) {
	case *starlark.Dict, *starlark.List, starlark.Bytes:
		isMapping = true
	}
	if used < len(tuple) && !named && !isMapping {
		return nil, errors.New("not all arguments converted during string formatting")
	}
	return m.made(b.Len(), b.String)
}

// directive is one value in a format of %.
func (m *machine) directive(verb byte, v starlark.Value, flags string, width, precision int, hasPrecision bool) (string, error) {
	spec := ""
	has := func(f string) bool { return strings.Contains(flags, f) }
	number := false
	switch verb {
	case 's', 'r', 'a':
		text, err := m.text(v, verb != 's')
		if err != nil {
			return "", err
		}
		v, verb = starlark.String(text), 's'
	case 'c':
		if i, ok := v.(starlark.Int); ok {
			c, err := universe(m, args{"chr", starlark.Tuple{i}, nil})
			if err != nil {
				return "", err
			}
			v = c
		}
		if s, ok := v.(starlark.String); !ok || utf8.RuneCountInString(string(s)) != 1 {
			return "", errors.New("%c requires int or char")
		}
		verb = 's'
	case 'd', 'i', 'u':
		number = true
		switch x := asNumber(v).(type) {
		case starlark.Int:
			v = x
		case starlark.Float:
			whole, err := starlark.NumberToInt(x)
			if err != nil {
				return "", err
			}
			v = whole
		default:
			return "", fmt.Errorf("%%%c format: a real number is required, not %s", verb, typeName(v))
		}
		verb = 'd'
	case 'o', 'x', 'X':
		number = true
		if v = asNumber(v); v.Type() != "int" {
			return "", fmt.Errorf("%%%c format: an integer is required, not %s", verb, typeName(v))
		}
	case 'e', 'E', 'f', 'F', 'g', 'G':
		number = true
		o, isObject := v.(*object)
		if isObject {
			x, err := universe(m, args{"float", starlark.Tuple{o}, nil})
			if err != nil {
				return "", err
			}
			v = x
		}
		f, ok := starlark.AsFloat(asNumber(v))
		if !ok {
			return "", fmt.Errorf("must be real number, not %s", typeName(v))
		}
		v = starlark.Float(f)
	default:
		return "", fmt.Errorf("unsupported format character '%c' (0x%x)", verb, verb)
	}
	switch {
	case has("-") || width < 0:
		spec += "<"
		width = max(width, -width)
	case !number || !has("0"):
		spec += ">"
	}
	if number {
		if has("+") {
			spec += "+"
		} else if has(" ") {
			spec += " "
		}
	}
	if has("#") && number {
		spec += "#"
	}
	if number && has("0") && !has("-") {
		spec += "0"
	}
	if width > 0 {
		spec += strconv.Itoa(width)
	}
	if hasPrecision && (verb != 'd' && verb != 'o' && verb != 'x' && verb != 'X') {
		spec += "." + strconv.Itoa(precision)
	}
	r, err := m.format(v, spec+string(verb))
	if err != nil {
		return "", err
	}
	s, _ := starlark.AsString(r)
	return s, nil
}

// formatText is str.format.
func formatText(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
	for _, v := range append(values(a.kw), a.pos...) {
		if isUnknown(v) {
			return m.touch(), nil
		}
	}
	f := &formatter{m: m, a: a}
	text, err := f.format(string(recv.(starlark.String)), 0)
	if err != nil {
		return nil, err
	}
	return m.made(len(text), func() string { return text })
}

type formatter struct {
	m      *machine
	a      args
	next   int
	manual bool
}

// format fills a format string, or the specification of a field of one.
func (f *formatter) format(s string, depth int) (string, error) {
	if depth > 2 {
		return "", errors.New("max string recursion exceeded")
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '{' && i+1 < len(s) && s[i+1] == '{' && depth == 0, c == '}' && i+1 < len(s) && s[i+1] == '}' && depth == 0:
			b.WriteByte(c)
			i++
		case c == '}':
			return "", errors.New("single '}' encountered in format string")
		case c == '{':
			stop, open := i+1, 1
			for ; stop < len(s) && open > 0; stop++ {
				switch s[stop] {
				case '{':
					open++
				case '}':
					open--
				}
			}
			if open > 0 {
				return "", errors.New("expected '}' before end of string")
			}
			text, err := f.field(s[i+1:stop-1], depth)
			if err != nil {
				return "", err
			}
			if b.WriteString(text); b.Len() > f.m.limits.text {
				return "", fmt.Errorf("a string of %d bytes is too long: at most %d", b.Len(), f.m.limits.text)
			}
			if err := f.m.spend(len(text)); err != nil {
				return "", err
			}
			i = stop - 1
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}

func (f *formatter) field(s string, depth int) (string, error) {
	name, spec, conversion := s, "", ""
	if i := strings.IndexAny(s, ":!"); i >= 0 {
		name = s[:i]
		rest := s[i:]
		if rest[0] == '!' {
			if len(rest) < 2 {
				return "", errors.New("end of string while looking for conversion specifier")
			}
			conversion, rest = rest[1:2], rest[2:]
			if strings.IndexByte("rsa", conversion[0]) < 0 {
				return "", fmt.Errorf("unknown conversion specifier '%s'", conversion)
			}
		}
		if rest != "" && rest[0] != ':' {
			return "", errors.New("expected ':' after conversion specifier")
		}
		spec = strings.TrimPrefix(rest, ":")
	}
	v, err := f.value(name)
	if err != nil {
		return "", err
	}
	if spec, err = f.format(spec, depth+1); err != nil {
		return "", err
	}
	r, err := formatField(f.m, args{pos: starlark.Tuple{v, starlark.String(conversion), starlark.String(spec)}})
	if err != nil {
		return "", err
	}
	text, _ := starlark.AsString(r)
	return text, nil
}

// value is that of a field's name: `0`, `name`, `a.b[c]`.
func (f *formatter) value(name string) (starlark.Value, error) {
	first := name
	if i := strings.IndexAny(name, ".["); i >= 0 {
		first = name[:i]
	}
	rest := name[len(first):]
	var v starlark.Value
	n, err := strconv.Atoi(first)
	switch {
	case first == "":
		if f.manual {
			return nil, errors.New("cannot switch from manual field specification to automatic field numbering")
		}
		n = f.next
		f.next++
		fallthrough
	case err == nil:
		if first != "" {
			if f.next > 0 {
				return nil, errors.New("cannot switch from automatic field numbering to manual field specification")
			}
			f.manual = true
		}
		if n < 0 || n >= len(f.a.pos) {
			return nil, fmt.Errorf("replacement index %d out of range for positional args tuple", n)
		}
		v = f.a.pos[n]
	default:
		for _, kv := range f.a.kw {
			if k, _ := starlark.AsString(kv[0]); k == first {
				v = kv[1]
			}
		}
		if v == nil {
			return nil, fmt.Errorf("KeyError: '%s'", first)
		}
	}
	for rest != "" && err == nil || rest != "" && v != nil {
		switch rest[0] {
		case '.':
			part := rest[1:]
			if i := strings.IndexAny(part, ".["); i >= 0 {
				part = part[:i]
			}
			rest = rest[1+len(part):]
			if strings.HasPrefix(part, "__") {
				return nil, fmt.Errorf("attribute '%s' is not available", part)
			}
			if v, err = f.m.attr(v, part); err != nil {
				return nil, err
			}
		case '[':
			stop := strings.IndexByte(rest, ']')
			if stop < 0 {
				return nil, errors.New("missing ']' in format string")
			}
			var key starlark.Value = starlark.String(rest[1:stop])
			if n, bad := strconv.Atoi(rest[1:stop]); bad == nil {
				key = starlark.MakeInt(n)
			}
			rest = rest[stop+1:]
			if v, err = indexOf(f.m, args{pos: starlark.Tuple{v, key}}); err != nil {
				return nil, err
			}
		default:
			return nil, errors.New("only '.' or '[' may follow ']' in format field specifier")
		}
	}
	return v, nil
}
