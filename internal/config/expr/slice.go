package expr

import (
	"errors"
	"fmt"
	"slices"

	"go.starlark.net/starlark"
)

// Ellipsis is `...`.
type Ellipsis struct{}

// sliceValue is a slice among the indices of an object.
type sliceValue struct{ start, stop, step starlark.Value }

func (s *sliceValue) String() string {
	return fmt.Sprintf("slice(%v, %v, %v)", s.start, s.stop, s.step)
}

func (s *sliceValue) Type() string { return "slice" }

func (s *sliceValue) Freeze() {}

func (s *sliceValue) Truth() starlark.Bool { return true }

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

func ellipsisOf(*machine, args) (starlark.Value, error) { return ellipsis{}, nil }

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
		value, err := m.hosted(o)
		if err != nil {
			return nil, err
		}
		item, err := m.host.Index(value, Slice{parts[0], parts[1], parts[2]})
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

// TypeName is Python's.
func (Ellipsis) TypeName() string { return "ellipsis" }

func (ellipsis) String() string { return "Ellipsis" }

func (ellipsis) Type() string { return "ellipsis" }

func (ellipsis) Freeze() {}

func (ellipsis) Truth() starlark.Bool { return true }

func (ellipsis) Hash() (uint32, error) { return 1, nil }
