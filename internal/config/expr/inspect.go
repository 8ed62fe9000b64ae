package expr

import (
	"errors"
	"fmt"
	"strings"

	"github.com/lighter-go/lighter/internal/diag"
	"go.starlark.net/starlark"
)

// printOf is print().
func printOf(m *machine, a args) (starlark.Value, error) {
	var sep, end, file, flush starlark.Value = starlark.String(" "), starlark.String("\n"), nil, nil
	if err := starlark.UnpackArgs("print", nil, a.kw, "sep?", &sep, "end?", &end, "file?", &file, "flush?", &flush); err != nil {
		return nil, err
	}
	if file != nil && file != starlark.None {
		return nil, errors.New("print() writes to the log only: leave out file=")
	}
	between, ok := starlark.AsString(sep)
	if !ok && sep != starlark.None {
		return nil, fmt.Errorf("sep must be None or a string, not %s", typeName(sep))
	} else if !ok {
		between = " "
	}
	var b strings.Builder
	for i, v := range a.pos {
		if i > 0 {
			b.WriteString(between)
		}
		text, err := m.text(v, false)
		if err != nil {
			return nil, err
		}
		if err := m.alloc(len(text)); err != nil {
			return nil, err
		}
		b.WriteString(text)
	}
	if s, ok := starlark.AsString(end); ok {
		b.WriteString(strings.TrimSuffix(s, "\n"))
	}
	var at diag.Pos
	if m.thread.CallStackDepth() > 1 {
		_, at, _ = m.run.place(m.thread.CallFrame(1))
	}
	m.run.o.Print(at, b.String())
	return starlark.None, nil
}

// isInstance is isinstance().
func isInstance(m *machine, a args) (starlark.Value, error) {
	var v, class starlark.Value
	if err := a.unpack("obj", &v, "class_or_tuple", &class); err != nil {
		return nil, err
	}
	classes := []starlark.Value{class}
	if t, ok := class.(starlark.Tuple); ok {
		classes = t
	}
	for _, c := range classes {
		is, err := m.isInstance(v, c)
		if is || err != nil {
			return starlark.Bool(is), err
		}
	}
	return starlark.False, nil
}

func (m *machine) isInstance(v, of starlark.Value) (bool, error) {
	if b, ok := of.(*starlark.Builtin); ok {
		switch b.Name() {
		case "int":
			return typeName(v) == "int" || typeName(v) == "bool", nil
		case "float", "str", "bool", "list", "tuple", "dict", "set", "bytes":
			return typeName(v) == b.Name(), nil
		}
	}
	if c, ok := of.(class); ok {
		return typeName(v) == string(c), nil
	}
	if c, ok := of.(exceptionClass); ok {
		e, ok := v.(*exception)
		return ok && (e.class == c || c == "Exception"), nil
	}
	if h, can := m.host.(Classifier); can {
		obj, err := m.out(v)
		if err != nil {
			return false, err
		}
		class, err := m.out(of)
		if err != nil {
			return false, err
		}
		if f, ok := of.(*hostFunc); ok && f.class != "" {
			class = Class{f.class, f.f}
		}
		if is, ok := h.IsInstance(obj, class); ok {
			return is, nil
		}
	}
	return false, errors.New("isinstance() arg 2 must be a type or a tuple of types")
}

func isCallable(_ *machine, a args) (starlark.Value, error) {
	var v starlark.Value
	if err := a.unpack("obj", &v); err != nil {
		return nil, err
	}
	_, ok := v.(starlark.Callable)
	return starlark.Bool(ok), nil
}
