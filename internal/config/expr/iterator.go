package expr

import (
	"errors"

	"go.starlark.net/starlark"
)

// nextFunc gives the next item of an iteration; ok is false at its end.
type nextFunc func(m *machine) (v starlark.Value, ok bool, err error)

// iterator is an iteration under way.
type iterator struct {
	next   nextFunc
	depth  int // iterators that it goes through
	frozen bool
}

func (*iterator) String() string        { return "<iterator>" }
func (*iterator) Type() string          { return "iterator" }
func (it *iterator) Freeze()            { it.frozen = true }
func (*iterator) Truth() starlark.Bool  { return true }
func (*iterator) Hash() (uint32, error) { return 0, errors.New("unhashable type: 'iterator'") }

// lazy is the iteration of a value that gives its items one by one: an iterator, or an object of the host.
func (m *machine) lazy(v starlark.Value) (nextFunc, bool) {
	switch v := v.(type) {
	case *iterator:
		if v.frozen {
			return func(*machine) (starlark.Value, bool, error) {
				return nil, false, &Error{Msg: "an iterator that is a global of a file can't be used after the file has run", Hint: "make it where it is used: it = iter(x)"}
			}, true
		}
		return v.next, true
	case *object:
		h, can := m.host.(Iterator)
		if !can || m.run == nil {
			return nil, false
		}
		value, err := m.hosted(v)
		if err != nil {
			return func(*machine) (starlark.Value, bool, error) { return nil, false, err }, true
		}
		next, ok := h.Iter(value)
		if !ok {
			return nil, false
		}
		return func(m *machine) (starlark.Value, bool, error) {
			x, ok, err := next()
			if err != nil || !ok {
				return nil, false, err
			}
			return m.in(x), true, nil
		}, true
	}
	return nil, false
}

// lazyAny are the iterations of values of which one or more are lazy.
func (m *machine) lazyAny(vs starlark.Tuple) ([]nextFunc, bool) {
	var nexts []nextFunc
	found := false
	for _, v := range vs {
		next, ok := m.lazy(v)
		found = found || ok
		if !ok {
			items, err := m.iterate(v)
			if err != nil {
				return nil, false
			}
			next = over(items)
		}
		nexts = append(nexts, next)
	}
	return nexts, found
}

// through makes an iterator over others, unless they are too deep in each other.
func (m *machine) through(next nextFunc, vs ...starlark.Value) (starlark.Value, error) {
	depth := 0
	for _, v := range vs {
		if it, ok := v.(*iterator); ok {
			depth = max(depth, it.depth+1)
		}
	}
	if depth > maxDepth {
		return nil, errors.New("iterators are nested too deeply")
	}
	return &iterator{next: next, depth: depth}, nil
}

// over is the iteration of a list.
func over(items []starlark.Value) nextFunc {
	i := -1
	return func(m *machine) (starlark.Value, bool, error) {
		if i++; i >= len(items) {
			i = len(items)
			return nil, false, nil
		}
		return items[i], true, m.spend(1)
	}
}

// together gives the next items of several iterations as a tuple.
func together(m *machine, nexts []nextFunc) (starlark.Value, bool, error) {
	row := make(starlark.Tuple, len(nexts))
	for i, next := range nexts {
		v, ok, err := next(m)
		if err != nil || !ok {
			return nil, false, err
		}
		row[i] = v
	}
	return row, true, nil
}

// iter is iter().
func iter(m *machine, a args) (starlark.Value, error) {
	var v starlark.Value
	if err := a.unpack("object", &v); err != nil {
		return nil, err
	}
	if it, ok := v.(*iterator); ok {
		return it, nil
	}
	if next, ok := m.lazy(v); ok {
		return &iterator{next: next}, nil
	}
	items, err := m.iterate(v)
	return &iterator{next: over(items)}, err
}

// loopOver is an iteration that a loop of Starlark's goes over.
type loopOver struct {
	m    *machine
	next nextFunc
}

func (*loopOver) String() string        { return "<iterator>" }
func (*loopOver) Type() string          { return "iterator" }
func (*loopOver) Freeze()               {}
func (*loopOver) Truth() starlark.Bool  { return true }
func (*loopOver) Hash() (uint32, error) { return 0, errors.New("unhashable type: 'iterator'") }

// Iterate goes on with the iteration.
func (l *loopOver) Iterate() starlark.Iterator { return l }

// Next gives the next item. An error ends what the machine runs.
func (l *loopOver) Next(p *starlark.Value) bool {
	v, ok, err := l.guarded()
	if err != nil {
		l.m.stop(err)
		return false
	}
	if ok {
		*p = v
	}
	return ok
}

func (l *loopOver) guarded() (v starlark.Value, ok bool, err error) {
	defer recovered(&err)
	return l.next(l.m)
}

// Done does nothing: what is left can be iterated later.
func (l *loopOver) Done() {}
