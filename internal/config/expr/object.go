package expr

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"go.starlark.net/starlark"
)

// Besides the methods of [Host], objects take part in the code of files through these attributes, each a [Func] that
// [Host.Attr] gives: __call__, __len__, __bool__, __int__, __float__, __index__, __str__, __repr__, __format__(spec),
// __contains__(x), and for operations that change them through the interfaces below.

// Setter is implemented by hosts whose objects can be changed. A value comes as a [KwFunc] gets it.
type Setter interface {
	SetAttr(obj any, name string, v any) error
	// SetIndex is obj[i] = v. An index is a value, a [Slice], an [Ellipsis] or a [Tuple] of them.
	SetIndex(obj, i, v any) error
}

// Deleter is implemented by hosts whose objects can lose parts.
type Deleter interface {
	DelAttr(obj any, name string) error
	DelIndex(obj, i any) error
}

// InPlace is implemented by hosts whose objects change in place by x op= y. When ok is false it is x = x op y.
type InPlace interface {
	InPlace(op string, x, y any) (v any, ok bool, err error)
}

// Iterator is implemented by hosts whose objects give their items one by one, and maybe without an end.
type Iterator interface {
	// Iter starts an iteration. next gives ok = false at the end.
	Iter(obj any) (next func() (v any, ok bool, err error), ok bool)
}

// Classifier is implemented by hosts that know types: isinstance(obj, class). ok is false when class is no type.
type Classifier interface {
	IsInstance(obj, class any) (is, ok bool)
}

// KwFunc is a callable of the host that gets named arguments in their order, and all arguments as objects keep them:
// objects, functions and scalars as Go has them, lists, tuples, dicts and sets as the values of Starlark's that they
// are, which stay the same when they are given back, and which [Runtime.Value] converts. A [Func] gets everything
// converted, tuples as lists.
type KwFunc func(args []any, kwargs *Dict) (any, error)

// Class is a callable that makes objects of a class, which isinstance() asks [Classifier] about.
type Class struct {
	Name string // "torch.nn.Linear"
	New  any    // a [Func] or a [KwFunc]
}

// Tuple is a tuple of a file, as []any is a list.
type Tuple []any

// Set is a set of a file, in order.
type Set []any

// keep gives a value of a file as a [KwFunc] gets it.
func (m *machine) keep(v starlark.Value) (any, error) {
	switch v.(type) {
	case *starlark.List, starlark.Tuple, *starlark.Dict, *starlark.Set:
		return v, nil
	}
	return m.out(v)
}

// Value turns what a file's code has given into Go's values through and through.
func (r *Runtime) Value(v any) (any, error) {
	s, ok := v.(starlark.Value)
	if !ok {
		return v, nil
	}
	return r.machine().out(s)
}

func (m *machine) callKw(f KwFunc, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	in := make([]any, len(args))
	var err error
	for i, a := range args {
		if in[i], err = m.keep(a); err != nil {
			return nil, err
		}
	}
	named := &Dict{}
	for _, kv := range kwargs {
		k, _ := starlark.AsString(kv[0])
		v, err := m.keep(kv[1])
		if err != nil {
			return nil, err
		}
		named.Keys, named.Values = append(named.Keys, k), append(named.Values, v)
	}
	v, err := f(in, named)
	if err != nil {
		return nil, err
	}
	return m.in(v), m.spend(0)
}

// callback is a callable that is no function of a file, such as a method of a list, for the host.
func (r *Runtime) callback(f starlark.Callable) Func {
	return func(args []any, kwargs map[string]any) (any, error) { return r.call(f, args, kwargs) }
}

// inFile turns a value that only files can have into Starlark's.
func (m *machine) inFile(v any) starlark.Value {
	switch v := v.(type) {
	case *Function:
		return v.fn
	case Method:
		return &bound{v.Function.fn, m.in(v.Self), m.run}
	case KwFunc:
		return &hostFunc{f: v}
	case Class:
		return &hostFunc{v.New, v.Name}
	case Tuple:
		items := make(starlark.Tuple, len(v))
		for i, it := range v {
			items[i] = m.in(it)
		}
		return items
	case Set:
		s := starlark.NewSet(len(v))
		for _, it := range v {
			if s.Insert(m.in(it)) != nil {
				return m.newObject(v)
			}
		}
		return s
	case []byte:
		return starlark.Bytes(v)
	case Ellipsis:
		return ellipsis{}
	case Slice:
		return &sliceValue{m.in(v.Start), m.in(v.Stop), m.in(v.Step)}
	case map[string]any:
		d := starlark.NewDict(len(v))
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			_ = d.SetKey(starlark.String(k), m.in(v[k])) // a fresh dict and a string: no error
		}
		return d
	}
	x := reflect.ValueOf(v)
	if x.Type().PkgPath() != "" { // a type with a meaning of its own
		return m.newObject(v)
	}
	switch x.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return starlark.MakeInt64(x.Int())
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint, reflect.Uint64:
		return starlark.MakeUint64(x.Uint())
	case reflect.Float32, reflect.Float64:
		return starlark.Float(x.Float())
	case reflect.String:
		return starlark.String(x.String())
	case reflect.Bool:
		return starlark.Bool(x.Bool())
	case reflect.Slice:
		switch x.Type().Elem().Kind() {
		case reflect.Int, reflect.Int64, reflect.Int32, reflect.Float64, reflect.Float32, reflect.String, reflect.Bool:
			items := make([]starlark.Value, x.Len())
			for i := range items {
				items[i] = m.in(x.Index(i).Interface())
			}
			return starlark.NewList(items)
		}
	}
	return m.newObject(v)
}

// Truth is for Starlark, after test has asked.
func (o *object) Truth() starlark.Bool { return starlark.Bool(!o.falsy) }

// truth is the truth of a value, which an object of the host may refuse to tell.
func (m *machine) truth(v starlark.Value) (bool, error) {
	o, ok := v.(*object)
	if !ok {
		return bool(v.Truth()), nil
	}
	if m.host == nil {
		return true, nil
	}
	for _, name := range []string{"__bool__", "__len__"} {
		x, ok, err := m.callAttr(o, name)
		if err != nil || ok {
			return err == nil && bool(x.Truth()), err
		}
	}
	return true, nil
}

// test gives a value whose truth Starlark may ask, and that is the value itself unless it is a false object.
func test(m *machine, a args) (starlark.Value, error) {
	v := a.pos[0]
	if o, ok := v.(*object); ok {
		t, err := m.truth(o)
		if err != nil {
			return nil, err
		}
		if !t {
			return &object{o.value, true, o.born, o.kept}, nil
		}
	}
	return v, nil
}

// mapping is what stands behind ** in a call, all together.
func mapping(m *machine, a args) (starlark.Value, error) {
	d := starlark.NewDict(0)
	for _, v := range a.pos {
		if isUnknown(v) {
			m.touch()
			continue
		}
		if _, ok := v.(*starlark.Dict); !ok {
			return nil, fmt.Errorf("argument after ** must be a mapping, not %s", typeName(v))
		}
		before, more := d.Len(), v.(*starlark.Dict).Len()
		for _, k := range v.(*starlark.Dict).Keys() {
			if _, ok := k.(starlark.String); !ok {
				return nil, errors.New("keywords must be strings")
			}
		}
		if err := m.update(d, v); err != nil {
			return nil, err
		}
		if d.Len() != before+more {
			return nil, errors.New("got multiple values for a keyword argument")
		}
	}
	return d, nil
}
