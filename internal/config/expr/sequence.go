package expr

import (
	"errors"
	"fmt"
	"slices"

	"go.starlark.net/starlark"
)

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
			truth, err := m.truth(it)
			if err != nil {
				return nil, err
			}
			if starlark.Bool(truth) == want {
				return want, nil
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
	if next, ok := m.lazy(over); ok {
		n := start - 1
		return m.through(func(m *machine) (starlark.Value, bool, error) {
			v, ok, err := next(m)
			n++
			return starlark.Tuple{starlark.MakeInt(n), v}, ok, err
		}, over)
	}
	items, err := m.iterate(over)
	if err == nil {
		err = m.alloc(len(items) * 3 * itemSize)
	}
	if err != nil {
		return nil, err
	}
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
		if err == nil {
			err = m.alloc(len(items) * 3 * itemSize)
		}
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
	strict := false
	if err := starlark.UnpackArgs(a.name, nil, a.kw, "strict?", &strict); err != nil {
		return nil, err
	}
	if nexts, ok := m.lazyAny(a.pos); ok && !strict {
		return m.through(func(m *machine) (starlark.Value, bool, error) { return together(m, nexts) }, a.pos...)
	}
	if strict {
		n := -1
		for i, it := range a.pos {
			items, err := m.iterate(it)
			if err != nil {
				return nil, err
			}
			if n >= 0 && len(items) != n {
				return nil, fmt.Errorf("zip() argument %d is %s than argument 1", i+1, map[bool]string{true: "longer", false: "shorter"}[len(items) > n])
			}
			n = len(items)
		}
	}
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
	if nexts, ok := m.lazyAny(a.pos[1:]); ok {
		return m.through(func(m *machine) (starlark.Value, bool, error) {
			row, ok, err := together(m, nexts)
			if err != nil || !ok {
				return nil, false, err
			}
			v, err := starlark.Call(m.thread, a.pos[0], row.(starlark.Tuple), nil)
			return v, true, err
		}, a.pos[1:]...)
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
		if err != nil {
			break
		}
		var truth bool
		if truth, err = m.truth(keep); truth {
			kept = append(kept, items[i])
		}
	}
	return starlark.NewList(kept), err
}

func nextOf(m *machine, a args) (starlark.Value, error) {
	if len(a.pos) == 0 || len(a.pos) > 2 {
		return nil, errors.New("next() takes one or two arguments")
	}
	if next, ok := m.lazy(a.pos[0]); ok {
		v, ok, err := next(m)
		switch {
		case err != nil || ok:
			return v, err
		case len(a.pos) == 2:
			return a.pos[1], nil
		}
		return nil, &Raised{Name: "StopIteration"}
	}
	items, err := m.iterate(a.pos[0])
	switch {
	case err != nil:
		return nil, err
	case m.run != nil:
		return nil, fmt.Errorf("'%s' object is not an iterator", typeName(a.pos[0]))
	case len(items) > 0:
		return items[0], nil
	case m.unknown:
		return m.touch(), nil
	case len(a.pos) == 2:
		return a.pos[1], nil
	}
	return nil, errors.New("next() of something empty")
}

// rangeFunc is range().
func rangeFunc(m *machine, a args) (starlark.Value, error) {
	if m.run == nil {
		return universe(m, a)
	}
	if len(a.pos) == 0 || len(a.pos) > 3 || len(a.kw) > 0 {
		return nil, fmt.Errorf("range expected 1 to 3 arguments, got %d", len(a.pos)+len(a.kw))
	}
	ints := make(starlark.Tuple, len(a.pos))
	for i, v := range a.pos {
		n, err := m.index(v)
		if err != nil {
			return nil, fmt.Errorf("'%s' object cannot be interpreted as an integer", typeName(v))
		}
		ints[i] = starlark.MakeInt(n)
	}
	return starlark.Call(m.thread, starlark.Universe["range"], ints, nil)
}
