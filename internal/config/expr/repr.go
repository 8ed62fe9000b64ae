package expr

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.starlark.net/starlark"
)

// Float is a float as Python's repr() has it: "0.001", "1e-05", "3.0", "inf".
func Float(f float64) string {
	s := strconv.FormatFloat(f, 'e', -1, 64)
	switch s {
	case "+Inf":
		return "inf"
	case "-Inf":
		return "-inf"
	case "NaN":
		return "nan"
	}
	i := strings.IndexByte(s, 'e')
	if exp, _ := strconv.Atoi(s[i+1:]); exp < -4 || exp >= 16 {
		return s
	}
	s = strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// text is str(v), or repr(v), as Python has it.
func (m *machine) text(v starlark.Value, repr bool) (string, error) {
	var b strings.Builder
	err := m.write(&b, v, repr)
	if err == nil {
		err = m.spend(b.Len())
	}
	return b.String(), err
}

func (m *machine) write(b *strings.Builder, v starlark.Value, repr bool) error {
	if err := m.spend(1); err != nil {
		return err
	}
	if err := m.deeper(); err != nil {
		return err
	}
	defer m.shallower()
	if b.Len() > m.limits.text {
		return fmt.Errorf("a string of %d bytes is too long: at most %d", b.Len(), m.limits.text)
	}
	switch v.(type) {
	case *starlark.List, *starlark.Dict:
		if slices.Contains(m.writing, v) {
			if v.Type() == "dict" {
				b.WriteString("{...}")
			} else {
				b.WriteString("[...]")
			}
			return nil
		}
		if err := m.spend(10); err != nil {
			return err
		}
		m.writing = append(m.writing, v)
		defer func() { m.writing = m.writing[:len(m.writing)-1] }()
	}
	list := func(open string, items []starlark.Value, shut string) error {
		b.WriteString(open)
		for i, it := range items {
			if i > 0 {
				b.WriteString(", ")
			}
			if err := m.write(b, it, true); err != nil {
				return err
			}
		}
		b.WriteString(shut)
		return nil
	}
	switch v := v.(type) {
	case starlark.String:
		if repr {
			b.WriteString(quote(string(v)))
		} else {
			b.WriteString(string(v))
		}
	case starlark.Float:
		b.WriteString(Float(float64(v)))
	case starlark.Int:
		if err := m.spend(digitsCost(v)); err != nil {
			return err
		}
		b.WriteString(v.String())
	case starlark.Tuple:
		if len(v) == 1 {
			return list("(", v, ",)")
		}
		return list("(", v, ")")
	case *starlark.List:
		items, _ := sequenceOf(v)
		return list("[", items, "]")
	case *starlark.Set:
		if v.Len() == 0 {
			b.WriteString("set()")
			return nil
		}
		items, err := m.iterate(v)
		if err != nil {
			return err
		}
		return list("{", items, "}")
	case *starlark.Dict:
		b.WriteString("{")
		for i, kv := range v.Items() {
			if i > 0 {
				b.WriteString(", ")
			}
			if err := m.write(b, kv[0], true); err != nil {
				return err
			}
			b.WriteString(": ")
			if err := m.write(b, kv[1], true); err != nil {
				return err
			}
		}
		b.WriteString("}")
	case *object:
		names := []string{"__str__"}
		if m.run != nil && repr {
			names = []string{"__repr__", "__str__"}
		}
		for _, name := range names {
			if s, ok, err := m.callAttr(v, name); ok || err != nil {
				text, _ := starlark.AsString(s)
				b.WriteString(text)
				return err
			}
		}
		b.WriteString(v.String())
	case *exception:
		if repr {
			b.WriteString(string(v.class) + "(")
			if v.text != "" {
				b.WriteString(quote(v.text))
			}
			b.WriteString(")")
			return nil
		}
		b.WriteString(v.text)
	case starlark.Bytes:
		b.WriteString("b" + quoteBytes(string(v)))
	case *starlark.Builtin:
		switch {
		case m.run == nil:
			b.WriteString(v.String())
		case isClass[v.Name()]:
			b.WriteString("<class '" + v.Name() + "'>")
		default:
			b.WriteString("<built-in function " + v.Name() + ">")
		}
	default:
		text := v.String()
		if rest, ok := strings.CutPrefix(text, "range("); ok && !strings.Contains(rest, ",") {
			text = "range(0, " + rest
		}
		b.WriteString(text)
	}
	return nil
}

// digitsCost is about what it takes to write an integer in decimal digits.
func digitsCost(i starlark.Int) int {
	if _, ok := i.Int64(); ok {
		return 1
	}
	words := bits(i) / 64
	return 1 + words*words/8
}

// quote is a string as Python's repr() has it.
func quote(s string) string {
	q := '\''
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		q = '"'
	}
	var b strings.Builder
	b.WriteRune(q)
	for _, r := range s {
		switch {
		case r == q || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteRune(q)
	return b.String()
}

// quoteBytes is bytes as Python's repr() has them, without the b.
func quoteBytes(s string) string {
	q := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		q = '"'
	}
	out := []byte{q}
	for i := range len(s) {
		switch c := s[i]; {
		case c == q || c == '\\':
			out = append(out, '\\', c)
		case c == '\n':
			out = append(out, `\n`...)
		case c == '\r':
			out = append(out, `\r`...)
		case c == '\t':
			out = append(out, `\t`...)
		case c < ' ' || c >= 0x7f:
			out = fmt.Appendf(out, `\x%02x`, c)
		default:
			out = append(out, c)
		}
	}
	return string(append(out, q))
}

func textOf(repr bool) function {
	return func(m *machine, a args) (starlark.Value, error) {
		var v starlark.Value = starlark.String("")
		if err := a.unpack("object?", &v); err != nil {
			return nil, err
		}
		if isUnknown(v) {
			return m.touch(), nil
		}
		s, err := m.text(v, repr)
		return starlark.String(s), err
	}
}
