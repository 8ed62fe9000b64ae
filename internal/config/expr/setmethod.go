package expr

import (
	"fmt"

	"go.starlark.net/starlark"
)

// setMethod is a method of a set that works with all the elements of its arguments.
func setMethod(f func(m *machine, s *starlark.Set, others ...*starlark.Set) (starlark.Value, error)) methodFunc {
	return func(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
		if len(a.kw) > 0 {
			return nil, fmt.Errorf("set.%s() takes no keyword arguments", a.name)
		}
		var others []*starlark.Set
		for _, v := range a.pos {
			s, err := setOf(m, args{name: "set", pos: starlark.Tuple{v}})
			if err != nil {
				return nil, err
			}
			others = append(others, s.(*starlark.Set))
		}
		return f(m, recv.(*starlark.Set), others...)
	}
}

// fold applies an operator to a set and others, one after the other.
func fold(op string) methodFunc {
	return setMethod(func(m *machine, s *starlark.Set, others ...*starlark.Set) (starlark.Value, error) {
		v, err := m.binary("|", s, starlark.NewSet(0))
		for _, o := range others {
			if err == nil {
				v, err = m.binary(op, v, o)
			}
		}
		return v, err
	})
}

// foldInto is fold, in place.
func foldInto(op string) methodFunc {
	return setMethod(func(m *machine, s *starlark.Set, others ...*starlark.Set) (starlark.Value, error) {
		for _, o := range others {
			if _, err := inPlace(m, args{pos: starlark.Tuple{starlark.String(op), s, o}}); err != nil {
				return nil, err
			}
		}
		return starlark.None, nil
	})
}

var setMethods = map[string]methodFunc{
	"union": fold("|"), "intersection": fold("&"), "difference": fold("-"), "symmetric_difference": fold("^"), "copy": fold("|"),
	"update": foldInto("|"), "intersection_update": foldInto("&"), "difference_update": foldInto("-"), "symmetric_difference_update": foldInto("^"),
	"issubset": setMethod(func(m *machine, s *starlark.Set, o ...*starlark.Set) (starlark.Value, error) {
		return m.subset(s, o)
	}),
	"issuperset": setMethod(func(m *machine, s *starlark.Set, o ...*starlark.Set) (starlark.Value, error) {
		if len(o) != 1 {
			return m.subset(s, o)
		}
		return m.subset(o[0], []*starlark.Set{s})
	}),
	"isdisjoint": setMethod(func(m *machine, s *starlark.Set, o ...*starlark.Set) (starlark.Value, error) {
		if len(o) != 1 {
			return m.subset(s, o)
		}
		v, err := m.binary("&", s, o[0])
		if err != nil {
			return nil, err
		}
		return !v.Truth(), nil
	}),
	"add": func(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
		x, err := m.element(a)
		if err != nil {
			return nil, err
		}
		if err := m.alloc(2 * itemSize); err != nil {
			return nil, err
		}
		return starlark.None, recv.(*starlark.Set).Insert(x)
	},
	"discard": func(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
		x, err := m.element(a)
		if err == nil {
			_, err = recv.(*starlark.Set).Delete(x)
		}
		return starlark.None, err
	},
	"remove": func(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
		x, err := m.element(a)
		if err != nil {
			return nil, err
		}
		found, err := recv.(*starlark.Set).Delete(x)
		if err == nil && !found {
			text, _ := m.text(x, true)
			err = fmt.Errorf("KeyError: %s", text)
		}
		return starlark.None, err
	},
	"pop": native(0), "clear": native(0),
}

func (m *machine) subset(s *starlark.Set, o []*starlark.Set) (starlark.Value, error) {
	if len(o) != 1 {
		return nil, fmt.Errorf("takes exactly one argument (%d given)", len(o))
	}
	return m.compare("<=", s, o[0])
}

// element is the one argument of a method, which is to be in a set.
func (m *machine) element(a args) (starlark.Value, error) {
	if len(a.pos) != 1 || len(a.kw) > 0 {
		return nil, fmt.Errorf("set.%s() takes exactly one argument (%d given)", a.name, len(a.pos)+len(a.kw))
	}
	return a.pos[0], m.hashable(a.pos[0])
}
