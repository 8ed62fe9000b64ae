package expr

import (
	"errors"
	"fmt"
	"slices"

	"github.com/lighter-go/lighter/internal/diag"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
)

// attr gives v.name.
func (m *machine) attr(v starlark.Value, name string) (starlark.Value, error) {
	var names []string
	switch x := v.(type) {
	case *unknown:
		return m.touch(), nil
	case *object:
		if m.host != nil {
			x, ok, known := m.host.Attr(x.value, name)
			if err, failed := x.(error); failed {
				return nil, err
			}
			if ok {
				return m.in(x), nil
			}
			names = known
		}
	default:
		methods := methodsOf(v)
		if f := methods[name]; f != nil {
			return &method{name, v, f}, nil
		}
		for n := range methods {
			names = append(names, n)
		}
		if x, ok := v.(*starlarkstruct.Module); ok {
			if member := x.Members[name]; member != nil {
				return member, nil
			}
			names = x.Members.Keys()
		}
	}
	if m.run != nil {
		if x := m.special(v, name); x != nil {
			return x, nil
		}
	}
	e := &Error{Msg: fmt.Sprintf("'%s' object has no attribute '%s'", typeName(v), name)}
	slices.Sort(names)
	if near := diag.Nearest(name, names, 1); len(near) > 0 {
		e.Hint = fmt.Sprintf("did you mean %q?", near[0])
	}
	return nil, e
}

func attrOf(m *machine, a args) (starlark.Value, error) {
	name, _ := starlark.AsString(a.pos[1])
	return m.attr(a.pos[0], name)
}

func getattr(m *machine, a args) (starlark.Value, error) {
	if len(a.pos) < 2 || len(a.pos) > 3 {
		return nil, errors.New("getattr() takes two or three arguments")
	}
	name, ok := starlark.AsString(a.pos[1])
	if !ok {
		return nil, errors.New("getattr(): attribute name must be string")
	}
	v, err := m.attr(a.pos[0], name)
	if err != nil && len(a.pos) == 3 {
		return a.pos[2], nil
	}
	return v, err
}

func hasattr(m *machine, a args) (starlark.Value, error) {
	if len(a.pos) != 2 {
		return nil, errors.New("hasattr() takes two arguments")
	}
	_, err := getattr(m, a)
	return starlark.Bool(err == nil), nil
}

func indexOf(m *machine, a args) (starlark.Value, error) {
	v, i := a.pos[0], a.pos[1]
	if isUnknown(v, i) {
		return m.touch(), nil
	}
	switch x := v.(type) {
	case *object:
		if m.host == nil {
			break
		}
		key, err := m.out(i)
		if err != nil {
			return nil, err
		}
		item, err := m.host.Index(x.value, key)
		return m.in(item), err
	case *starlark.Dict:
		if err := m.hashable(i); err != nil {
			return nil, err
		}
		item, found, err := x.Get(i)
		if err != nil || found {
			return item, err
		}
		text, err := m.text(i, true)
		if err != nil {
			return nil, err
		}
		e := &Error{Msg: "KeyError: " + text}
		var keys []string
		for _, k := range x.Keys() {
			if s, ok := starlark.AsString(k); ok {
				keys = append(keys, s)
			}
		}
		if s, ok := starlark.AsString(i); ok {
			if near := diag.Nearest(s, keys, 1); len(near) > 0 {
				e.Hint = fmt.Sprintf("did you mean %q?", near[0])
			}
		}
		return nil, e
	case starlark.String:
		if _, isSlice := i.(*sliceValue); !isSlice {
			return m.character(string(x), i)
		}
	}
	items, ok := v.(starlark.Indexable)
	if !ok {
		return nil, fmt.Errorf("'%s' object is not subscriptable", typeName(a.pos[0]))
	}
	if s, ok := i.(*sliceValue); ok {
		return sliceOf(m, args{a.name, starlark.Tuple{v, s.start, s.stop, s.step}, nil})
	}
	n, err := m.index(i)
	if err != nil {
		return nil, fmt.Errorf("%s indices must be integers or slices, not %s", typeName(a.pos[0]), typeName(i))
	}
	if n < 0 {
		n += items.Len()
	}
	if n < 0 || n >= items.Len() {
		return nil, fmt.Errorf("%s index out of range: %s of %d elements", typeName(a.pos[0]), i, items.Len())
	}
	if b, ok := v.(starlark.Bytes); ok {
		return starlark.MakeInt(int(b[n])), nil
	}
	return items.Index(n), nil
}

// Slice is an index of a host's object that is a range; a missing part is nil.
type Slice struct{ Start, Stop, Step any }

func sliceOf(m *machine, a args) (starlark.Value, error) {
	v := a.pos[0]
	if isUnknown(a.pos...) {
		return m.touch(), nil
	}
	if o, ok := v.(*object); ok && m.host != nil {
		var parts [3]any
		for i := 1; i < len(a.pos); i++ {
			var err error
			if parts[i-1], err = m.out(a.pos[i]); err != nil {
				return nil, err
			}
		}
		item, err := m.host.Index(o.value, Slice{parts[0], parts[1], parts[2]})
		return m.in(item), err
	}
	if s, ok := v.(starlark.String); ok {
		return m.substring(string(s), a.pos[1:])
	}
	items, ok := v.(starlark.Sliceable)
	if !ok {
		return nil, fmt.Errorf("'%s' object is not subscriptable", typeName(v))
	}
	start, stop, step, err := m.bounds(a.pos[1:], items.Len())
	if err != nil {
		return nil, err
	}
	if err := m.spend(items.Len()); err != nil {
		return nil, err
	}
	if err := m.alloc((stop - start) / step * itemSize / 2); err != nil {
		return nil, err
	}
	return items.Slice(start, stop, step), nil
}

// bounds are the parts of a slice of n elements as Python completes them.
func (m *machine) bounds(parts starlark.Tuple, n int) (start, stop, step int, err error) {
	step = 1
	given := func(i int) (int, bool) {
		if i >= len(parts) || parts[i] == starlark.None {
			return 0, false
		}
		v, e := m.index(parts[i])
		if e != nil {
			err = errors.New("slice indices must be integers or None")
		}
		return v, true
	}
	if s, ok := given(2); ok {
		if step = s; s == 0 {
			err = errors.New("slice step cannot be zero")
		}
	}
	if err != nil {
		return 0, 0, 0, err
	}
	low, high := 0, n
	start, stop = low, high
	if step < 0 {
		low, high = -1, n-1
		start, stop = high, low
	}
	clamp := func(i int) int {
		if i < 0 {
			i += n
		}
		return min(max(i, low), high)
	}
	if i, ok := given(0); ok {
		start = clamp(i)
	}
	if i, ok := given(1); ok {
		stop = clamp(i)
	}
	if (stop-start)*sign(step) < 0 {
		stop = start
	}
	return start, stop, step, err
}

func sign(i int) int {
	if i < 0 {
		return -1
	}
	return 1
}
