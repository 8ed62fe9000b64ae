package expr

import (
	"errors"
	"fmt"
	"slices"
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
		if err := m.spend(len(v)); err != nil {
			return nil, err
		}
		if n := utf8.RuneCountInString(string(v)); n > m.limits.items {
			return nil, m.tooLong(n)
		}
		var items []starlark.Value
		for _, r := range string(v) {
			items = append(items, starlark.String(string(r)))
		}
		return items, nil
	case *object:
		if m.host != nil {
			if items, ok := m.host.Iterate(v.value); ok {
				out := make([]starlark.Value, len(items))
				for i, it := range items {
					out[i] = m.in(it)
				}
				return out, m.spend(len(out))
			}
		}
	case starlark.Iterable:
		var items []starlark.Value
		iter := v.Iterate()
		defer iter.Done()
		var x starlark.Value
		for iter.Next(&x) {
			if len(items) >= m.limits.items {
				return nil, fmt.Errorf("a list of more than %d elements is too long", m.limits.items)
			}
			items = append(items, x)
		}
		return items, m.spend(len(items))
	}
	return nil, fmt.Errorf("'%s' object is not iterable", typeName(v))
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

func iterOf(m *machine, a args) (starlark.Value, error) {
	if r, ok := a.pos[0].(starlark.Iterable); ok && r.Type() == "range" {
		return r, nil // its steps are counted, and it may be left early
	}
	return listOf(m, a)
}

func setOf(m *machine, a args) (starlark.Value, error) {
	items, err := m.elements(a)
	if err != nil {
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

func reversed(m *machine, a args) (starlark.Value, error) {
	items, err := m.elements(a)
	items = slices.Clone(items)
	slices.Reverse(items)
	return starlark.NewList(items), err
}

func anyAll(want starlark.Bool) function {
	return func(m *machine, a args) (starlark.Value, error) {
		items, err := m.elements(a)
		for _, it := range items {
			if it.Truth() == want {
				return want, err
			}
		}
		return !want, err
	}
}

func sumOf(m *machine, a args) (starlark.Value, error) {
	var over starlark.Value
	var total starlark.Value = starlark.MakeInt(0)
	if err := a.unpack("iterable", &over, "start?", &total); err != nil {
		return nil, err
	}
	items, err := m.iterate(over)
	for i := 0; i < len(items) && err == nil; i++ {
		total, err = m.binary("+", total, items[i])
	}
	return total, err
}

// order is sorted's and max's: by key where there is one.
func (m *machine) keys(items []starlark.Value, key starlark.Value) ([]starlark.Value, error) {
	if key == nil || key == starlark.None {
		return items, nil
	}
	keys := make([]starlark.Value, len(items))
	for i, it := range items {
		k, err := starlark.Call(m.thread, key, starlark.Tuple{it}, nil)
		if err != nil {
			return nil, err
		}
		keys[i] = k
	}
	return keys, nil
}

func sortedOf(m *machine, a args) (starlark.Value, error) {
	var over, key starlark.Value
	var reverse bool
	if err := a.unpack("iterable", &over, "key?", &key, "reverse?", &reverse); err != nil {
		return nil, err
	}
	items, err := m.iterate(over)
	if err != nil {
		return nil, err
	}
	keys, err := m.keys(items, key)
	if err != nil {
		return nil, err
	}
	at := make([]int, len(items))
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(i, j int) int {
		c, e := m.order(keys[i], keys[j])
		if e != nil && err == nil {
			err = e
			if errors.Is(e, errOrder) {
				err = fmt.Errorf("'<' not supported between instances of '%s' and '%s'", typeName(keys[i]), typeName(keys[j]))
			}
		}
		switch {
		case c == unordered:
			return 0
		case reverse:
			return -c
		}
		return c
	})
	sorted := make([]starlark.Value, len(items))
	for i, j := range at {
		sorted[i] = items[j]
	}
	return starlark.NewList(sorted), err
}

// extreme is max for a sign of 1 and min for -1.
func extreme(sign int) function {
	return func(m *machine, a args) (starlark.Value, error) {
		var key, other starlark.Value
		if err := starlark.UnpackArgs(a.name, nil, a.kw, "key?", &key, "default?", &other); err != nil {
			return nil, err
		}
		items, err := []starlark.Value(a.pos), error(nil)
		if len(a.pos) == 1 {
			items, err = m.iterate(a.pos[0])
		}
		switch {
		case err != nil:
			return nil, err
		case m.unknown && len(items) == 0:
			return m.touch(), nil
		case len(items) == 0 && other != nil:
			return other, nil
		case len(items) == 0:
			return nil, fmt.Errorf("%s() arg is an empty sequence", a.name)
		}
		keys, err := m.keys(items, key)
		if err != nil {
			return nil, err
		}
		best := 0
		for i := 1; i < len(items); i++ {
			c, err := m.order(keys[i], keys[best])
			if err != nil {
				return nil, fmt.Errorf("'<' not supported between instances of '%s' and '%s'", typeName(keys[i]), typeName(keys[best]))
			}
			if c != unordered && c*sign > 0 {
				best = i
			}
		}
		return items[best], nil
	}
}

func enumerate(m *machine, a args) (starlark.Value, error) {
	var over starlark.Value
	start := 0
	if err := a.unpack("iterable", &over, "start?", &start); err != nil {
		return nil, err
	}
	items, err := m.iterate(over)
	pairs := make([]starlark.Value, len(items))
	for i, it := range items {
		pairs[i] = starlark.Tuple{starlark.MakeInt(start + i), it}
	}
	return starlark.NewList(pairs), err
}

// columns are the iterable arguments, cut to the shortest, as rows.
func (m *machine) rows(iterables starlark.Tuple) ([]starlark.Tuple, error) {
	var rows []starlark.Tuple
	for i, it := range iterables {
		items, err := m.iterate(it)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			rows = make([]starlark.Tuple, len(items))
		}
		rows = rows[:min(len(rows), len(items))]
		for j := range rows {
			rows[j] = append(rows[j], items[j])
		}
	}
	return rows, nil
}

func zip(m *machine, a args) (starlark.Value, error) {
	rows, err := m.rows(a.pos)
	items := make([]starlark.Value, len(rows))
	for i, r := range rows {
		items[i] = r
	}
	return starlark.NewList(items), err
}

func mapOf(m *machine, a args) (starlark.Value, error) {
	if len(a.pos) < 2 {
		return nil, errors.New("map() must have at least two arguments")
	}
	rows, err := m.rows(a.pos[1:])
	items := make([]starlark.Value, len(rows))
	for i := 0; i < len(rows) && err == nil; i++ {
		items[i], err = starlark.Call(m.thread, a.pos[0], rows[i], nil)
	}
	return starlark.NewList(items), err
}

func filter(m *machine, a args) (starlark.Value, error) {
	if len(a.pos) != 2 {
		return nil, errors.New("filter() takes two arguments")
	}
	items, err := m.iterate(a.pos[1])
	var kept []starlark.Value
	for i := 0; i < len(items) && err == nil; i++ {
		keep := items[i]
		if a.pos[0] != starlark.None {
			keep, err = starlark.Call(m.thread, a.pos[0], starlark.Tuple{items[i]}, nil)
		}
		if err == nil && bool(keep.Truth()) {
			kept = append(kept, items[i])
		}
	}
	return starlark.NewList(kept), err
}

func nextOf(m *machine, a args) (starlark.Value, error) {
	if len(a.pos) == 0 || len(a.pos) > 2 {
		return nil, errors.New("next() takes one or two arguments")
	}
	items, err := m.iterate(a.pos[0])
	switch {
	case err != nil:
		return nil, err
	case len(items) > 0:
		return items[0], nil
	case m.unknown:
		return m.touch(), nil
	case len(a.pos) == 2:
		return a.pos[1], nil
	}
	return nil, errors.New("next() of something empty")
}
