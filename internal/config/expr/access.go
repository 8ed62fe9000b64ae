package expr

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lighter-go/lighter/internal/diag"
	"go.starlark.net/starlark"
)

// attr gives v.name.
func (m *machine) attr(v starlark.Value, name string) (starlark.Value, error) {
	var names []string
	switch v := v.(type) {
	case *unknown:
		return m.touch(), nil
	case *object:
		if m.host != nil {
			x, ok, known := m.host.Attr(v.value, name)
			if err, failed := x.(error); failed {
				return nil, err
			}
			if ok {
				return m.in(x), nil
			}
			names = known
		}
	case starlark.String:
		if f := textMethods[name]; f != nil {
			return starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, pos starlark.Tuple, kw []starlark.Tuple) (starlark.Value, error) {
				return f(m, string(v), args{name, pos, kw})
			}), nil
		}
		names = starlark.String("").AttrNames()
		if x, err := v.Attr(name); err == nil && x != nil {
			return method(x), m.spend(len(v))
		}
	case starlark.HasAttrs:
		if x, err := v.Attr(name); err == nil && x != nil {
			return method(x), m.spend(length(v))
		}
		names = v.AttrNames()
	}
	e := &Error{Msg: fmt.Sprintf("'%s' object has no attribute '%s'", typeName(v), name)}
	if near := diag.Nearest(name, names, 1); len(near) > 0 {
		e.Hint = fmt.Sprintf("did you mean %q?", near[0])
	}
	return nil, e
}

// method is an attribute of a value of Starlark's own.
func method(v starlark.Value) starlark.Value {
	if b, ok := v.(*starlark.Builtin); ok {
		return withUnknown(b)
	}
	return v
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
		e := &Error{Msg: fmt.Sprintf("KeyError: %s", i)}
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
		items, err := m.iterate(x)
		if err != nil {
			return nil, err
		}
		v = starlark.Tuple(items)
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
		return nil, fmt.Errorf("%s indices must be integers, not '%s'", typeName(a.pos[0]), typeName(i))
	}
	if n < 0 {
		n += items.Len()
	}
	if n < 0 || n >= items.Len() {
		return nil, fmt.Errorf("%s index out of range: %s of %d elements", typeName(a.pos[0]), i, items.Len())
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
	text := false
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
		items, err := m.iterate(s)
		if err != nil {
			return nil, err
		}
		v, text = starlark.Tuple(items), true
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
	part := items.Slice(start, stop, step)
	if text {
		return concat(m, args{pos: part.(starlark.Tuple)})
	}
	return part, nil
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

// textMethods are the methods of strings whose result may be far larger than the string, and those Starlark lacks.
var textMethods = map[string]func(m *machine, s string, a args) (starlark.Value, error){}

func init() {
	textMethods["join"] = func(m *machine, s string, a args) (starlark.Value, error) {
		items, err := m.elements(a)
		if err != nil {
			return nil, err
		}
		size := len(s) * len(items)
		words := make([]string, len(items))
		for i, it := range items {
			w, ok := starlark.AsString(it)
			if !ok {
				if isUnknown(it) {
					return m.touch(), nil
				}
				return nil, fmt.Errorf("sequence item %d: expected str instance, %s found", i, typeName(it))
			}
			words[i] = w
			size += len(w)
		}
		return m.made(size, func() string { return strings.Join(words, s) })
	}
	textMethods["replace"] = func(m *machine, s string, a args) (starlark.Value, error) {
		var old, with string
		count := -1
		if err := a.unpack("old", &old, "new", &with, "count?", &count); err != nil {
			return nil, err
		}
		return m.made(len(s)+strings.Count(s, old)*len(with), func() string { return strings.Replace(s, old, with, count) })
	}
	textMethods["format"] = func(m *machine, s string, a args) (starlark.Value, error) {
		size := len(s)
		for _, v := range append(slices.Clone(a.pos), values(a.kw)...) {
			if isUnknown(v) {
				return m.touch(), nil
			}
			text, err := m.text(v, true)
			if err != nil {
				return nil, err
			}
			size += len(text) * strings.Count(s, "{")
		}
		if err := m.spend(size); err != nil || size > m.limits.text {
			return nil, errWork
		}
		f, err := starlark.String(s).Attr("format")
		if err != nil {
			return nil, err
		}
		return starlark.Call(m.thread, f, a.pos, a.kw)
	}
	pad := func(left, right int) func(m *machine, s string, a args) (starlark.Value, error) {
		return func(m *machine, s string, a args) (starlark.Value, error) {
			width, fill := 0, " "
			if a.name == "zfill" {
				fill = "0"
			}
			if err := a.unpack("width", &width, "fillchar?", &fill); err != nil {
				return nil, err
			}
			n := max(width-len([]rune(s)), 0)
			return m.made(len(s)+n*len(fill), func() string {
				before := n * left / (left + right)
				if a.name == "zfill" && s != "" && (s[0] == '-' || s[0] == '+') {
					return s[:1] + strings.Repeat(fill, n) + s[1:]
				}
				return strings.Repeat(fill, before) + s + strings.Repeat(fill, n-before)
			})
		}
	}
	textMethods["zfill"], textMethods["rjust"], textMethods["ljust"], textMethods["center"] = pad(1, 0), pad(1, 0), pad(0, 1), pad(1, 1)
}

func values(kw []starlark.Tuple) starlark.Tuple {
	var vs starlark.Tuple
	for _, kv := range kw {
		vs = append(vs, kv[1])
	}
	return vs
}

// made is a string of at most size bytes, made only when that is affordable.
func (m *machine) made(size int, text func() string) (starlark.Value, error) {
	if size > m.limits.text {
		return nil, fmt.Errorf("a string of %d bytes is too long: at most %d", size, m.limits.text)
	}
	if err := m.spend(size); err != nil {
		return nil, err
	}
	return starlark.String(text()), nil
}
