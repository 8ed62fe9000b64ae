package expr

import (
	"go.starlark.net/starlark"
)

// class is the type of a value that is none of the builtins.
type class string

func (c class) String() string        { return "<class '" + string(c) + "'>" }
func (c class) Type() string          { return "type" }
func (c class) Freeze()               {}
func (c class) Truth() starlark.Bool  { return true }
func (c class) Hash() (uint32, error) { return starlark.String(c).Hash() }

// classOf is type(v): the builtin that makes such values, where there is one.
func (m *machine) classOf(v starlark.Value) starlark.Value {
	name := typeName(v)
	if isClass[name] {
		if b, ok := m.run.env[name].(*starlark.Builtin); ok {
			return b
		}
	}
	return class(name)
}

// isClass are the builtins that are types in Python.
var isClass = map[string]bool{"bool": true, "dict": true, "float": true, "int": true, "list": true, "range": true, "set": true, "str": true, "tuple": true, "bytes": true}

// special is one of the attributes that everything has, nil for none.
func (m *machine) special(v starlark.Value, name string) starlark.Value {
	switch name {
	case "__class__":
		return m.classOf(v)
	case "__name__", "__qualname__":
		switch v := v.(type) {
		case class:
			return starlark.String(v)
		case starlark.Callable:
			return starlark.String(v.Name())
		}
	case "__doc__":
		if f, ok := v.(*starlark.Function); ok {
			return starlark.String(f.Doc())
		}
	}
	return nil
}
