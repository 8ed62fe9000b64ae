package expr

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

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

// Tuple is a tuple of a file, as []any is a list.
type Tuple []any

// Set is a set of a file, in order.
type Set []any

// Ellipsis is `...`.
type Ellipsis struct{}

// TypeName is Python's.
func (Ellipsis) TypeName() string { return "ellipsis" }

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
	case KwFunc:
		return &hostFunc{v}
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
				return &object{value: v}
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
		return &object{value: v}
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
	return &object{value: v}
}

// Truth is for Starlark, after test has asked.
func (o *object) Truth() starlark.Bool { return starlark.Bool(!o.falsy) }

// truth is the truth of a value, which an object of the host may refuse to tell.
func (m *machine) truth(v starlark.Value) (bool, error) {
	o, ok := v.(*object)
	if !ok {
		return bool(v.Truth()), nil
	}
	if m.run == nil || m.host == nil {
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
			return &object{o.value, true}, nil
		}
	}
	return v, nil
}

func setAttr(m *machine, a args) (starlark.Value, error) {
	v, obj := a.pos[0], a.pos[1]
	name, _ := starlark.AsString(a.pos[2])
	h, can := m.host.(Setter)
	o, ok := obj.(*object)
	if !can || !ok {
		return nil, fmt.Errorf("'%s' object has no attributes that can be set: '%s'", typeName(obj), name)
	}
	x, err := m.keep(v)
	if err != nil {
		return nil, err
	}
	return starlark.None, h.SetAttr(o.value, name, x)
}

func setIndex(m *machine, a args) (starlark.Value, error) {
	v, obj, i := a.pos[0], a.pos[1], a.pos[2]
	switch x := obj.(type) {
	case *object:
		h, can := m.host.(Setter)
		if !can {
			break
		}
		key, err := m.out(i)
		if err != nil {
			return nil, err
		}
		item, err := m.keep(v)
		if err != nil {
			return nil, err
		}
		return starlark.None, h.SetIndex(x.value, key, item)
	case *starlark.List:
		if s, ok := i.(*sliceValue); ok {
			return starlark.None, m.setSlice(x, s, v)
		}
		n, err := m.position("list", "list assignment", i, x.Len())
		if err != nil {
			return nil, err
		}
		return starlark.None, x.SetIndex(n, v)
	case *starlark.Dict:
		if err := m.hashable(i); err != nil {
			return nil, err
		}
		if err := m.alloc(itemSize * 2); err != nil {
			return nil, err
		}
		return starlark.None, x.SetKey(i, v)
	}
	return nil, fmt.Errorf("'%s' object does not support item assignment", typeName(obj))
}

// itemSize is about what an element of a list takes, in bytes.
const itemSize = 32

// position is an index into n elements.
func (m *machine) position(of, doing string, i starlark.Value, n int) (int, error) {
	at, err := m.index(i)
	if err != nil {
		return 0, fmt.Errorf("%s indices must be integers or slices, not %s", of, typeName(i))
	}
	if at < 0 {
		at += n
	}
	if at < 0 || at >= n {
		return 0, fmt.Errorf("%s index out of range: %s of %d elements", doing, i, n)
	}
	return at, nil
}

// index is an integer, or an object of the host that is one.
func (m *machine) index(v starlark.Value) (int, error) {
	if o, ok := v.(*object); ok && m.run != nil {
		x, ok, err := m.callAttr(o, "__index__")
		if err != nil {
			return 0, err
		}
		if ok {
			v = x
		}
	}
	return starlark.AsInt32(asNumber(v))
}

// setSlice is list[a:b] = values.
func (m *machine) setSlice(l *starlark.List, s *sliceValue, v starlark.Value) error {
	items, err := m.iterate(v)
	if err != nil {
		return errors.New("can only assign an iterable")
	}
	start, stop, step, err := m.bounds(starlark.Tuple{s.start, s.stop, s.step}, l.Len())
	if err != nil {
		return err
	}
	if step != 1 {
		var at []int
		for i := start; (stop-i)*sign(step) > 0; i += step {
			at = append(at, i)
		}
		if len(at) != len(items) {
			return fmt.Errorf("attempt to assign sequence of size %d to extended slice of size %d", len(items), len(at))
		}
		for j, i := range at {
			if err := l.SetIndex(i, items[j]); err != nil {
				return err
			}
		}
		return nil
	}
	old, _ := sequenceOf(l)
	return refill(l, slices.Concat(old[:start], items, old[max(start, stop):]))
}

// refill gives a list other elements.
func refill(l *starlark.List, items []starlark.Value) error {
	if err := l.Clear(); err != nil {
		return err
	}
	for _, it := range items {
		if err := l.Append(it); err != nil {
			return err
		}
	}
	return nil
}

func delItem(m *machine, a args) (starlark.Value, error) {
	obj, i := a.pos[0], a.pos[1]
	switch x := obj.(type) {
	case *object:
		if h, can := m.host.(Deleter); can {
			key, err := m.out(i)
			if err != nil {
				return nil, err
			}
			return starlark.None, h.DelIndex(x.value, key)
		}
	case *starlark.List:
		old, _ := sequenceOf(x)
		if s, ok := i.(*sliceValue); ok {
			start, stop, step, err := m.bounds(starlark.Tuple{s.start, s.stop, s.step}, x.Len())
			if err != nil {
				return nil, err
			}
			gone := map[int]bool{}
			for i := start; (stop-i)*sign(step) > 0; i += step {
				gone[i] = true
			}
			var kept []starlark.Value
			for i, it := range old {
				if !gone[i] {
					kept = append(kept, it)
				}
			}
			return starlark.None, refill(x, kept)
		}
		n, err := m.position("list", "list assignment", i, x.Len())
		if err != nil {
			return nil, err
		}
		return starlark.None, refill(x, slices.Delete(old, n, n+1))
	case *starlark.Dict:
		if err := m.hashable(i); err != nil {
			return nil, err
		}
		_, found, err := x.Delete(i)
		if err == nil && !found {
			_, err = indexOf(m, a) // words it
		}
		return starlark.None, err
	}
	return nil, fmt.Errorf("'%s' object doesn't support item deletion", typeName(obj))
}

func delAttr(m *machine, a args) (starlark.Value, error) {
	name, _ := starlark.AsString(a.pos[1])
	o, ok := a.pos[0].(*object)
	h, can := m.host.(Deleter)
	if !ok || !can {
		return nil, fmt.Errorf("'%s' object has no attributes that can be deleted: '%s'", typeName(a.pos[0]), name)
	}
	return starlark.None, h.DelAttr(o.value, name)
}

// unpack gives a value's elements for n targets, the one at star taking as many as there are too many.
func unpack(m *machine, a args) (starlark.Value, error) {
	n, _ := starlark.AsInt32(a.pos[1])
	star, _ := starlark.AsInt32(a.pos[2])
	items, ok := []starlark.Value(nil), false
	if t, isTuple := a.pos[0].(starlark.Tuple); isTuple {
		items, ok = t, true
	}
	if !ok {
		var err error
		if items, err = m.iterate(a.pos[0]); err != nil {
			if strings.HasSuffix(err.Error(), "object is not iterable") {
				return nil, fmt.Errorf("cannot unpack non-iterable %s object", typeName(a.pos[0]))
			}
			return nil, err
		}
	}
	switch {
	case star >= 0 && len(items) < n-1:
		return nil, fmt.Errorf("not enough values to unpack (expected at least %d, got %d)", n-1, len(items))
	case star >= 0:
		after := len(items) - (n - star - 1)
		out := slices.Clone(items[:star])
		out = append(out, starlark.NewList(slices.Clone(items[star:after])))
		return starlark.Tuple(append(out, items[after:]...)), nil
	case len(items) < n:
		return nil, fmt.Errorf("not enough values to unpack (expected %d, got %d)", n, len(items))
	case len(items) > n:
		return nil, fmt.Errorf("too many values to unpack (expected %d, got %d)", n, len(items))
	}
	return starlark.Tuple(items), nil
}

// inPlace is x op= y: lists, sets, dicts and objects of the host change, everything else is made anew.
func inPlace(m *machine, a args) (starlark.Value, error) {
	op, _ := starlark.AsString(a.pos[0])
	x, y := a.pos[1], a.pos[2]
	switch x := x.(type) {
	case *object:
		h, can := m.host.(InPlace)
		if !can {
			break
		}
		other, err := m.out(y)
		if err != nil {
			return nil, err
		}
		v, ok, err := h.InPlace(op, x.value, other)
		if err != nil {
			return nil, err
		}
		if ok {
			if v == x.value {
				return x, nil
			}
			return m.in(v), nil
		}
	case *starlark.List:
		switch op {
		case "+":
			return x, m.extend(x, y)
		case "*":
			v, err := m.binary(op, x, y)
			if l, ok := v.(*starlark.List); ok && err == nil {
				items, _ := sequenceOf(l)
				return x, refill(x, items)
			}
			return v, err
		}
	case *starlark.Dict:
		if _, ok := y.(*starlark.Dict); ok && op == "|" {
			return x, m.update(x, y)
		}
	case *starlark.Set:
		if s, ok := y.(*starlark.Set); ok && strings.Contains("|&-^", op) {
			v, err := m.binary(op, x, s)
			if made, ok := v.(*starlark.Set); ok && err == nil {
				items, err := m.iterate(made)
				if err == nil {
					err = x.Clear()
				}
				for _, it := range items {
					if err == nil {
						err = x.Insert(it)
					}
				}
				return x, err
			}
			return v, err
		}
	}
	return m.binary(op, x, y)
}

// extend appends the elements of a value to a list.
func (m *machine) extend(l *starlark.List, v starlark.Value) error {
	items, err := m.iterate(v)
	if err != nil {
		return err
	}
	if err := m.alloc(len(items) * itemSize); err != nil {
		return err
	}
	for _, it := range items {
		if err := l.Append(it); err != nil {
			return err
		}
	}
	return nil
}

// sliceValue is a slice among the indices of an object.
type sliceValue struct{ start, stop, step starlark.Value }

func (s *sliceValue) String() string {
	return fmt.Sprintf("slice(%v, %v, %v)", s.start, s.stop, s.step)
}
func (s *sliceValue) Type() string          { return "slice" }
func (s *sliceValue) Freeze()               {}
func (s *sliceValue) Truth() starlark.Bool  { return true }
func (s *sliceValue) Hash() (uint32, error) { return 0, errors.New("unhashable type: 'slice'") }

func (m *machine) outSlice(s *sliceValue) (any, error) {
	var parts [3]any
	for i, v := range []starlark.Value{s.start, s.stop, s.step} {
		var err error
		if parts[i], err = m.out(v); err != nil {
			return nil, err
		}
	}
	return Slice{parts[0], parts[1], parts[2]}, nil
}

// rangeOf is a:b:c among indices.
func rangeOf(_ *machine, a args) (starlark.Value, error) {
	parts := append(slices.Clone(a.pos), starlark.None, starlark.None)
	return &sliceValue{parts[0], parts[1], parts[2]}, nil
}

type ellipsis struct{}

func (ellipsis) String() string        { return "Ellipsis" }
func (ellipsis) Type() string          { return "ellipsis" }
func (ellipsis) Freeze()               {}
func (ellipsis) Truth() starlark.Bool  { return true }
func (ellipsis) Hash() (uint32, error) { return 1, nil }

func ellipsisOf(*machine, args) (starlark.Value, error) { return ellipsis{}, nil }

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
