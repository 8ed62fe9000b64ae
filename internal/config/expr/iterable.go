package expr

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.starlark.net/starlark"
)

// iterate gives the elements of anything that has some, as Python does.
func (m *machine) iterate(v starlark.Value) ([]starlark.Value, error) {
	switch v := v.(type) {
	case *unknown:
		m.touch()
		return nil, nil
	case starlark.String:
		n := utf8.RuneCountInString(string(v))
		if err := m.room(n); err != nil {
			return nil, err
		}
		items := make([]starlark.Value, 0, n)
		for _, r := range string(v) {
			items = append(items, runeText(r))
		}
		return items, nil
	case *starlark.List:
		if err := m.room(v.Len()); err != nil {
			return nil, err
		}
		items, _ := sequenceOf(v)
		return items, nil
	case starlark.Tuple:
		return slices.Clone(v), m.room(len(v))
	case starlark.Bytes:
		if err := m.room(len(v)); err != nil {
			return nil, err
		}
		items := make([]starlark.Value, len(v))
		for i := range items {
			items[i] = starlark.MakeInt(int(v[i]))
		}
		return items, nil
	case starlark.Iterable:
		if n := starlark.Len(v); n > 0 {
			if err := m.room(n); err != nil {
				return nil, err
			}
		}
		var items []starlark.Value
		iter := v.Iterate()
		defer iter.Done()
		var x starlark.Value
		for iter.Next(&x) {
			items = append(items, x)
		}
		return items, nil
	case *iterator:
		next, _ := m.lazy(v)
		return m.drain(next)
	case *object:
		if next, ok := m.lazy(v); ok {
			return m.drain(next)
		}
		if m.host != nil {
			value, err := m.hosted(v)
			if err != nil {
				return nil, err
			}
			if items, ok := m.host.Iterate(value); ok {
				out := make([]starlark.Value, len(items))
				for i, it := range items {
					out[i] = m.in(it)
				}
				return out, m.room(len(out))
			}
		}
	}
	return nil, fmt.Errorf("'%s' object is not iterable", typeName(v))
}

// room charges a list of n elements.
func (m *machine) room(n int) error {
	if n > m.limits.items {
		return m.tooLong(n)
	}
	if err := m.spend(n); err != nil {
		return err
	}
	return m.alloc(n * itemSize / 2)
}

// drain gives what is left of an iteration.
func (m *machine) drain(next nextFunc) ([]starlark.Value, error) {
	var items []starlark.Value
	for {
		v, ok, err := next(m)
		if err != nil || !ok {
			return items, err
		}
		if len(items) >= m.limits.items {
			return nil, fmt.Errorf("a list of more than %d elements is too long", m.limits.items)
		}
		items = append(items, v)
		if err := m.spend(10); err != nil {
			return nil, err
		}
		if err := m.alloc(itemSize); err != nil {
			return nil, err
		}
	}
}

// elements is the one iterable argument of a function, empty when there is none.
func (m *machine) elements(a args) ([]starlark.Value, error) {
	if len(a.kw) > 0 || len(a.pos) > 1 {
		return nil, fmt.Errorf("%s: got %d arguments, want at most 1", a.name, len(a.pos)+len(a.kw))
	}
	if len(a.pos) == 0 {
		return nil, nil
	}
	return m.iterate(a.pos[0])
}

func lenOf(m *machine, a args) (starlark.Value, error) {
	var v starlark.Value
	if err := a.unpack("obj", &v); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case *unknown:
		return m.touch(), nil
	case starlark.String:
		return starlark.MakeInt(utf8.RuneCountInString(string(v))), m.spend(len(v))
	case *object:
		if v, ok, err := m.callAttr(v, "__len__"); ok || err != nil {
			return v, err
		}
		items, err := m.iterate(v)
		if err != nil {
			return nil, fmt.Errorf("object of type '%s' has no len()", typeName(v))
		}
		return starlark.MakeInt(len(items)), nil
	}
	n := starlark.Len(v)
	if n < 0 {
		return nil, fmt.Errorf("object of type '%s' has no len()", typeName(v))
	}
	return starlark.MakeInt(n), nil
}

func listOf(m *machine, a args) (starlark.Value, error) {
	items, err := m.elements(a)
	return starlark.NewList(items), err
}

func tupleOf(m *machine, a args) (starlark.Value, error) {
	items, err := m.elements(a)
	return starlark.Tuple(items), err
}

// iterOf is what a loop goes over: the elements as they are now, or those of a shape of variables.
func iterOf(m *machine, a args) (starlark.Value, error) {
	v := a.pos[0]
	next, lazy := m.lazy(v)
	if len(a.pos) > 1 {
		shape, _ := starlark.AsString(a.pos[1])
		if lazy {
			return &loopOver{m, func(m *machine) (starlark.Value, bool, error) {
				item, ok, err := next(m)
				if err != nil || !ok {
					return nil, false, err
				}
				item, err = m.shaped(item, shape)
				return item, true, err
			}}, nil
		}
		items, err := m.iterate(v)
		for i, it := range items {
			if err != nil {
				return nil, err
			}
			items[i], err = m.shaped(it, shape)
		}
		return starlark.NewList(items), err
	}
	if lazy {
		return &loopOver{m, next}, nil
	}
	if r, ok := v.(starlark.Iterable); ok && r.Type() == "range" {
		return r, nil // its steps are counted, and it may be left early
	}
	items, err := m.iterate(v)
	return starlark.NewList(items), err
}

// shaped brings an element to the tuples of a loop's variables: "..", "(..)." and so on, with commas between.
func (m *machine) shaped(v starlark.Value, shape string) (starlark.Value, error) {
	if shape == "." {
		return v, nil
	}
	var parts []string
	depth, from := 0, 0
	for i := range len(shape) {
		switch shape[i] {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				parts = append(parts, shape[from:i])
				from = i + 1
			}
		}
	}
	if from < len(shape) {
		parts = append(parts, shape[from:])
	}
	if inner, ok := strings.CutPrefix(shape, "("); ok && len(parts) == 1 && strings.HasSuffix(inner, ")") {
		return m.shaped(v, inner[:len(inner)-1])
	}
	t, err := unpack(m, args{pos: starlark.Tuple{v, starlark.MakeInt(len(parts)), starlark.MakeInt(-1)}})
	if err != nil {
		return nil, err
	}
	items := slices.Clone(t.(starlark.Tuple))
	for i, p := range parts {
		if items[i], err = m.shaped(items[i], p); err != nil {
			return nil, err
		}
	}
	return items, nil
}

func setOf(m *machine, a args) (starlark.Value, error) {
	items, err := m.elements(a)
	if err != nil {
		return nil, err
	}
	if err := m.insertions(len(items)); err != nil {
		return nil, err
	}
	s := starlark.NewSet(len(items))
	for _, it := range items {
		if err := m.hashable(it); err != nil {
			return nil, err
		}
		if err := s.Insert(it); err != nil {
			return nil, err
		}
	}
	return s, nil
}
