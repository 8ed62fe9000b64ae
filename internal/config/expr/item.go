package expr

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"
)

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
	value, err := m.hosted(o)
	if err != nil {
		return nil, err
	}
	return starlark.None, h.SetAttr(value, name, x)
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
		value, err := m.hosted(x)
		if err != nil {
			return nil, err
		}
		return starlark.None, h.SetIndex(value, key, item)
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
	return m.refill(l, slices.Concat(old[:start], items, old[max(start, stop):]))
}

// refill gives a list other elements.
func (m *machine) refill(l *starlark.List, items []starlark.Value) error {
	if err := m.room(len(items)); err != nil {
		return err
	}
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
			value, err := m.hosted(x)
			if err != nil {
				return nil, err
			}
			return starlark.None, h.DelIndex(value, key)
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
			return starlark.None, m.refill(x, kept)
		}
		n, err := m.position("list", "list assignment", i, x.Len())
		if err != nil {
			return nil, err
		}
		return starlark.None, m.refill(x, slices.Delete(old, n, n+1))
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
	value, err := m.hosted(o)
	if err != nil {
		return nil, err
	}
	return starlark.None, h.DelAttr(value, name)
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
		value, err := m.hosted(x)
		if err != nil {
			return nil, err
		}
		v, ok, err := h.InPlace(op, value, other)
		if err != nil {
			return nil, err
		}
		if ok {
			if isComparable(v) && isComparable(value) && v == value {
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
				return x, m.refill(x, items)
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
