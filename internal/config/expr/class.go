package expr

import (
	"fmt"

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
		case *starlark.Function:
			return starlark.String(functionName(v.Name()))
		case starlark.Callable:
			return starlark.String(v.Name())
		}
	case "__doc__":
		if f, ok := v.(*starlark.Function); ok {
			return starlark.String(f.Doc())
		}
	}
	if b, ok := v.(*starlark.Builtin); ok && isClass[b.Name()] {
		return unbound(b.Name(), name)
	}
	return nil
}

// functionName is what Python calls a function.
func functionName(name string) string {
	switch name {
	case "lambda":
		return "<lambda>"
	case "<toplevel>":
		return "<module>"
	}
	return name
}

// unbound is a method of a class, such as str.lower, which takes the value as its first argument; nil for none.
func unbound(class, name string) starlark.Value {
	if class == "dict" && name == "fromkeys" {
		return bind(name, fromKeys)
	}
	f := methodsOf(examples[class])[name]
	if f == nil {
		return nil
	}
	return bind(name, func(m *machine, a args) (starlark.Value, error) {
		if len(a.pos) == 0 || typeName(a.pos[0]) != class {
			return nil, fmt.Errorf("descriptor '%s' for '%s' objects needs one as its first argument", name, class)
		}
		return f(m, a.pos[0], args{name, a.pos[1:], a.kw})
	})
}

// examples are values of the classes that have methods.
var examples = map[string]starlark.Value{
	"str": starlark.String(""), "list": starlark.NewList(nil), "dict": starlark.NewDict(0), "set": starlark.NewSet(0), "tuple": starlark.Tuple{},
	"int": starlark.MakeInt(0), "float": starlark.Float(0), "bytes": starlark.Bytes(""),
}

func fromKeys(m *machine, a args) (starlark.Value, error) {
	var keys starlark.Value
	var v starlark.Value = starlark.None
	if err := a.unpack("iterable", &keys, "value?", &v); err != nil {
		return nil, err
	}
	items, err := m.iterate(keys)
	if err != nil {
		return nil, err
	}
	if err := m.insertions(len(items)); err != nil {
		return nil, err
	}
	d := starlark.NewDict(len(items))
	for _, k := range items {
		if err := m.hashable(k); err != nil {
			return nil, err
		}
		if err := d.SetKey(k, v); err != nil {
			return nil, err
		}
	}
	return d, nil
}
