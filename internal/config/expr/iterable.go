package expr

import (
	"errors"
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
		items := make([]starlark.Value, len(v))
		for i := range items {
			items[i] = starlark.MakeInt(int(v[i]))
		}
		return items, m.room(len(v))
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
	case *object:
		if next, ok := m.lazy(v); ok {
			return m.drain(next)
		}
		if m.host != nil {
			if items, ok := m.host.Iterate(v.value); ok {
				out := make([]starlark.Value, len(items))
				for i, it := range items {
					out[i] = m.in(it)
				}
				return out, m.room(len(out))
			}
		}
	case *iterator:
		return m.drain(v.next)
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
		return &iterator{func(m *machine) (starlark.Value, bool, error) {
			v, ok, err := next(m)
			n++
			return starlark.Tuple{starlark.MakeInt(n), v}, ok, err
		}}, nil
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
		return &iterator{func(m *machine) (starlark.Value, bool, error) { return together(m, nexts) }}, nil
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
		return &iterator{func(m *machine) (starlark.Value, bool, error) {
			row, ok, err := together(m, nexts)
			if err != nil || !ok {
				return nil, false, err
			}
			v, err := starlark.Call(m.thread, a.pos[0], row.(starlark.Tuple), nil)
			return v, true, err
		}}, nil
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
