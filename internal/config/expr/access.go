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
			value, err := m.hosted(x)
			if err != nil {
				return nil, err
			}
			x, ok, known := m.host.Attr(value, name)
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
		value, err := m.hosted(x)
		if err != nil {
			return nil, err
		}
		item, err := m.host.Index(value, key)
		return m.in(item), err
	case *starlark.Dict:
		if err := m.hashable(i); err != nil {
			return nil, err
		}
		item, found, err := lookup(x, i)
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
