package expr

import (
	"errors"
	"fmt"
	"math/big"
	"slices"

	"go.starlark.net/starlark"
)

// method is a method of a value that is bound to it.
type method struct {
	name string
	recv starlark.Value
	f    methodFunc
}

type methodFunc func(m *machine, recv starlark.Value, a args) (starlark.Value, error)

func (b *method) String() string {
	return fmt.Sprintf("<built-in method %s of %s object>", b.name, typeName(b.recv))
}
func (b *method) Type() string          { return "builtin_function_or_method" }
func (b *method) Freeze()               { b.recv.Freeze() }
func (b *method) Truth() starlark.Bool  { return true }
func (b *method) Hash() (uint32, error) { return starlark.String(b.name).Hash() }
func (b *method) Name() string          { return b.name }

// CallInternal calls it.
func (b *method) CallInternal(t *starlark.Thread, pos starlark.Tuple, kw []starlark.Tuple) (v starlark.Value, err error) {
	m := machineOf(t)
	if m.run == nil && (isUnknown(pos...) || isUnknown(values(kw)...)) {
		return m.touch(), nil
	}
	defer recovered(&err)
	v, err = b.f(m, b.recv, args{b.name, pos, kw})
	return v, frozen(err)
}

// frozen words the error of a change to what can't change.
func frozen(err error) error {
	if err == nil {
		return nil
	}
	for _, s := range []string{"frozen list", "frozen hash table", "frozen set", "frozen dict"} {
		if len(err.Error()) < 200 && containsWord(err.Error(), s) {
			return &Error{Msg: "a global of a file can't be changed after the file has run", Hint: "keep what changes as an attribute of an object, such as self.seen = []", Err: err}
		}
	}
	return err
}

// methodsOf are the methods that a value of Starlark's own has.
func methodsOf(v starlark.Value) map[string]methodFunc {
	switch v.(type) {
	case starlark.String:
		return textMethods
	case *starlark.List:
		return listMethods
	case *starlark.Dict:
		return dictMethods
	case *starlark.Set:
		return setMethods
	case starlark.Tuple:
		return tupleMethods
	case starlark.Float:
		return floatMethods
	case starlark.Int, starlark.Bool:
		return intMethods
	case starlark.Bytes:
		return bytesMethods
	}
	return nil
}

// native is Starlark's own method, charged for the elements of its result.
func native(cost int) methodFunc {
	return func(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
		size := length(recv)
		for _, v := range a.pos {
			size += length(v)
		}
		if err := errors.Join(m.spend(size), m.alloc(size*cost)); err != nil {
			return nil, err
		}
		f, err := recv.(starlark.HasAttrs).Attr(a.name)
		if err != nil || f == nil {
			return nil, fmt.Errorf("'%s' object has no attribute '%s'", typeName(recv), a.name)
		}
		return starlark.Call(m.thread, f, a.pos, a.kw)
	}
}

var listMethods = map[string]methodFunc{
	"append": func(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
		if len(a.pos) != 1 || len(a.kw) > 0 {
			return nil, fmt.Errorf("list.append() takes exactly one argument (%d given)", len(a.pos)+len(a.kw))
		}
		if err := m.alloc(itemSize); err != nil {
			return nil, err
		}
		return starlark.None, recv.(*starlark.List).Append(a.pos[0])
	},
	"extend": func(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
		var v starlark.Value
		if err := a.unpack("iterable", &v); err != nil {
			return nil, err
		}
		return starlark.None, m.extend(recv.(*starlark.List), v)
	},
	"insert": native(1), "clear": native(0),
	"pop": func(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
		l := recv.(*starlark.List)
		if l.Len() == 0 {
			return nil, errors.New("pop from empty list")
		}
		if len(a.pos) > 0 {
			n, err := m.index(a.pos[0])
			if err != nil {
				return nil, fmt.Errorf("'%s' object cannot be interpreted as an integer", typeName(a.pos[0]))
			}
			if n < -l.Len() || n >= l.Len() {
				return nil, errors.New("pop index out of range")
			}
		}
		return native(0)(m, recv, a)
	},
	"remove": func(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
		i, err := m.find(recv, a)
		if err != nil {
			return nil, err
		}
		if i < 0 {
			return nil, errors.New("list.remove(x): x not in list")
		}
		items, _ := sequenceOf(recv)
		return starlark.None, m.refill(recv.(*starlark.List), slices.Delete(items, i, i+1))
	},
	"index": indexMethod, "count": countMethod,
	"copy": func(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
		items, err := m.iterate(recv)
		return starlark.NewList(items), errors.Join(err, a.unpack())
	},
	"reverse": func(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
		items, err := m.iterate(recv)
		if err := errors.Join(err, a.unpack()); err != nil {
			return nil, err
		}
		slices.Reverse(items)
		return starlark.None, m.refill(recv.(*starlark.List), items)
	},
	"sort": func(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
		if len(a.pos) > 0 {
			return nil, errors.New("sort() takes no positional arguments")
		}
		v, err := sortedOf(m, args{"sort", starlark.Tuple{recv}, a.kw})
		if err != nil {
			return nil, err
		}
		items, _ := sequenceOf(v)
		return starlark.None, m.refill(recv.(*starlark.List), items)
	},
}

var tupleMethods = map[string]methodFunc{"index": indexMethod, "count": countMethod}

// find is the place of the argument among the elements, within the bounds that may follow it; -1 when it is not there.
func (m *machine) find(recv starlark.Value, a args) (int, error) {
	var x starlark.Value
	var start, stop starlark.Value = starlark.None, starlark.None
	if err := a.unpack("value", &x, "start?", &start, "stop?", &stop); err != nil {
		return 0, err
	}
	items, _ := sequenceOf(recv)
	from, to, _, err := m.bounds(starlark.Tuple{start, stop}, len(items))
	if err != nil {
		return 0, err
	}
	for i := from; i < to; i++ {
		if eq, err := m.equal(items[i], x); eq || err != nil {
			return i, err
		}
	}
	return -1, nil
}

func indexMethod(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
	i, err := m.find(recv, a)
	if err == nil && i < 0 {
		text, _ := m.text(a.pos[0], true)
		err = fmt.Errorf("%s is not in %s", text, typeName(recv))
	}
	return starlark.MakeInt(i), err
}

func countMethod(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
	var x starlark.Value
	if err := a.unpack("value", &x); err != nil {
		return nil, err
	}
	items, _ := sequenceOf(recv)
	n := 0
	for _, it := range items {
		eq, err := m.equal(it, x)
		if err != nil {
			return nil, err
		}
		if eq {
			n++
		}
	}
	return starlark.MakeInt(n), nil
}

var dictMethods = map[string]methodFunc{
	"items": native(4 * itemSize), "keys": native(itemSize), "values": native(itemSize), "clear": native(0),
	"get": func(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
		if len(a.pos) < 1 || len(a.pos) > 2 || len(a.kw) > 0 {
			return nil, fmt.Errorf("get expected 1 or 2 arguments, got %d", len(a.pos)+len(a.kw))
		}
		if err := m.hashable(a.pos[0]); err != nil {
			return nil, err
		}
		v, found, err := lookup(recv.(*starlark.Dict), a.pos[0])
		switch {
		case err != nil || found:
			return v, err
		case len(a.pos) == 2:
			return a.pos[1], nil
		}
		return starlark.None, nil
	},
	"pop": func(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
		if len(a.pos) < 1 || len(a.pos) > 2 || len(a.kw) > 0 {
			return nil, fmt.Errorf("pop expected 1 or 2 arguments, got %d", len(a.pos)+len(a.kw))
		}
		if err := m.hashable(a.pos[0]); err != nil {
			return nil, err
		}
		v, found, err := recv.(*starlark.Dict).Delete(a.pos[0])
		switch {
		case err != nil || found:
			return v, err
		case len(a.pos) == 2:
			return a.pos[1], nil
		}
		return indexOf(m, args{pos: starlark.Tuple{recv, a.pos[0]}}) // words the error
	},
	"popitem": func(_ *machine, recv starlark.Value, _ args) (starlark.Value, error) {
		d := recv.(*starlark.Dict)
		items := d.Items()
		if len(items) == 0 {
			return nil, errors.New("popitem(): dictionary is empty")
		}
		last := items[len(items)-1]
		_, _, err := d.Delete(last[0])
		return last, err
	},
	"setdefault": func(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
		var key starlark.Value
		var other starlark.Value = starlark.None
		if err := a.unpack("key", &key, "default?", &other); err != nil {
			return nil, err
		}
		if err := errors.Join(m.hashable(key), m.alloc(4*itemSize)); err != nil {
			return nil, err
		}
		d := recv.(*starlark.Dict)
		if v, found, err := d.Get(key); found || err != nil {
			return v, err
		}
		return other, d.SetKey(key, other)
	},
	"update": func(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
		d := recv.(*starlark.Dict)
		if len(a.pos) > 1 {
			return nil, fmt.Errorf("update expected at most 1 argument, got %d", len(a.pos))
		}
		for _, from := range a.pos {
			if err := m.update(d, from); err != nil {
				return nil, err
			}
		}
		for _, kv := range a.kw {
			if err := d.SetKey(kv[0], kv[1]); err != nil {
				return nil, err
			}
		}
		return starlark.None, nil
	},
	"copy": func(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
		d := starlark.NewDict(0)
		return d, errors.Join(m.update(d, recv), a.unpack())
	},
}

var floatMethods = map[string]methodFunc{
	"is_integer": func(_ *machine, recv starlark.Value, a args) (starlark.Value, error) {
		f := float64(recv.(starlark.Float))
		return starlark.Bool(f == float64(int64(f)) || f > 1<<62 || f < -1<<62), a.unpack()
	},
}

var intMethods = map[string]methodFunc{
	"bit_length": func(_ *machine, recv starlark.Value, a args) (starlark.Value, error) {
		return starlark.MakeInt(new(big.Int).Abs(asNumber(recv).(starlark.Int).BigInt()).BitLen()), a.unpack()
	},
	"is_integer": func(_ *machine, _ starlark.Value, a args) (starlark.Value, error) { return starlark.True, a.unpack() },
}

var bytesMethods = map[string]methodFunc{
	"decode": func(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
		encoding := "utf-8"
		if err := a.unpack("encoding?", &encoding); err != nil {
			return nil, err
		}
		return m.made(len(recv.(starlark.Bytes)), func() string { return string(recv.(starlark.Bytes)) })
	},
}
