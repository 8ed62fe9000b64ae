package expr

import (
	"errors"
	"fmt"
	"math/big"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// machine is one evaluation.
type machine struct {
	host    Host
	thread  *starlark.Thread
	work    int
	unknown bool // an operation met an Unknown
}

var errWork = errors.New("it takes too much time or memory: the limit is 20 million units of work")

// spend counts work that Starlark's steps don't see.
func (m *machine) spend(n int) error {
	if m.work += n; m.work > maxWork {
		return errWork
	}
	return nil
}

func tooLong(n int) error {
	return fmt.Errorf("a list of %d elements is too long: at most %d", n, maxItems)
}

// in turns a value of the configuration or the host into Starlark's. A value that is too large is cut off, and the
// work of the machine is then above its limit.
func (m *machine) in(v any) starlark.Value {
	if m.spend(1) != nil {
		return starlark.None
	}
	switch v := v.(type) {
	case nil:
		return starlark.None
	case starlark.Value:
		return v
	case bool:
		return starlark.Bool(v)
	case int:
		return starlark.MakeInt(v)
	case int64:
		return starlark.MakeInt64(v)
	case *big.Int:
		return starlark.MakeBigInt(v)
	case float64:
		return starlark.Float(v)
	case string:
		return starlark.String(v)
	case []any:
		items := make([]starlark.Value, len(v))
		for i, it := range v {
			if items[i] = m.in(it); m.work > maxWork {
				return starlark.None
			}
		}
		l := starlark.NewList(items)
		l.Freeze()
		return l
	case *Dict:
		d := starlark.NewDict(len(v.Keys))
		for i, k := range v.Keys {
			if m.work > maxWork {
				return starlark.None
			}
			if err := d.SetKey(m.in(k), m.in(v.Values[i])); err != nil {
				return &object{m: m, value: v}
			}
		}
		d.Freeze()
		return d
	case Unknown:
		return &unknown{m}
	case Func:
		return m.function(v)
	}
	return &object{m: m, value: v}
}

// function makes a callable of the host one of Starlark's.
func (m *machine) function(f Func) starlark.Value {
	return &hostFunc{starlark.NewBuiltin("function", func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		return m.call(f, args, kwargs)
	}), f}
}

// hostFunc is a callable of the host; passed back, it is the same.
type hostFunc struct {
	*starlark.Builtin
	f Func
}

func (m *machine) call(f Func, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	in := make([]any, len(args))
	var err error
	for i, a := range args {
		if in[i], err = m.out(a); err != nil {
			return nil, err
		}
	}
	named := make(map[string]any, len(kwargs))
	for _, kv := range kwargs {
		k, _ := starlark.AsString(kv[0])
		if named[k], err = m.out(kv[1]); err != nil {
			return nil, err
		}
	}
	v, err := f(in, named)
	if err != nil {
		return nil, err
	}
	return m.in(v), m.spend(0)
}

// out turns a value of Starlark's into one of the configuration.
func (m *machine) out(v starlark.Value) (any, error) {
	if err := m.spend(1); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case starlark.NoneType:
		return nil, nil
	case starlark.Bool:
		return bool(v), nil
	case starlark.Int:
		if i, ok := v.Int64(); ok {
			return i, nil
		}
		return v.BigInt(), nil
	case starlark.Float:
		return float64(v), nil
	case starlark.String:
		return string(v), m.spend(len(v))
	case *object:
		return v.value, nil
	case *unknown:
		return Unknown{}, nil
	case *hostFunc:
		return v.f, nil
	case *starlark.Dict:
		d := &Dict{}
		for _, kv := range v.Items() {
			key, err := m.out(kv[0])
			if err != nil {
				return nil, err
			}
			value, err := m.out(kv[1])
			if err != nil {
				return nil, err
			}
			d.Keys, d.Values = append(d.Keys, key), append(d.Values, value)
		}
		return d, nil
	case starlark.Callable:
		return m.callable(v), nil
	case starlark.Iterable:
		return m.items(v)
	}
	return v, nil
}

func (m *machine) items(v starlark.Iterable) (any, error) {
	list := []any{}
	iter := v.Iterate()
	defer iter.Done()
	var x starlark.Value
	for iter.Next(&x) {
		item, err := m.out(x)
		if err != nil {
			return nil, err
		}
		if len(list) >= maxItems {
			return nil, fmt.Errorf("a list of more than %d elements is too long", maxItems)
		}
		list = append(list, item)
	}
	return list, nil
}

// callable is a function of the expression for the host. Every call has the limits of an expression of its own.
func (m *machine) callable(f starlark.Callable) Func {
	host := m.host
	return func(args []any, kwargs map[string]any) (any, error) {
		c := &machine{host: host}
		c.thread = &starlark.Thread{Name: "expression"}
		c.thread.SetMaxExecutionSteps(maxSteps)
		in := make(starlark.Tuple, len(args))
		for i, a := range args {
			in[i] = c.in(a)
		}
		var named []starlark.Tuple
		for k, v := range kwargs {
			named = append(named, starlark.Tuple{starlark.String(k), c.in(v)})
		}
		m.work, m.unknown = 0, false
		v, err := starlark.Call(c.thread, f, in, named)
		if m.unknown || c.unknown {
			return Unknown{}, nil
		}
		if err != nil {
			return nil, (&Program{}).failure(err)
		}
		return c.out(v)
	}
}

// TypeName is what messages call the type of a value of the host: the name it gives itself, else Go's.
func TypeName(v any) string {
	if n, ok := v.(interface{ TypeName() string }); ok {
		return n.TypeName()
	}
	return fmt.Sprintf("%T", v)
}

// object is a value of the host.
type object struct {
	m     *machine
	value any
}

func (o *object) String() string        { return "<" + o.Type() + ">" }
func (o *object) Type() string          { return TypeName(o.value) }
func (o *object) Freeze()               {}
func (o *object) Truth() starlark.Bool  { return true }
func (o *object) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: %s", o.Type()) }
func (o *object) Name() string          { return o.Type() }

// CallInternal calls the object's __call__.
func (o *object) CallInternal(_ *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if o.m.host != nil {
		if f, ok, _ := o.m.host.Attr(o.value, "__call__"); ok {
			if f, ok := f.(Func); ok {
				return o.m.call(f, args, kwargs)
			}
			return o.m.touch(), nil
		}
	}
	return nil, fmt.Errorf("%s object is not callable", o.Type())
}

// unknown is an Unknown in an expression. Whatever is done with it makes the whole expression unknown.
type unknown struct{ m *machine }

func (m *machine) touch() starlark.Value {
	m.unknown = true
	return &unknown{m}
}

func (u *unknown) String() string        { u.m.touch(); return "unknown" }
func (u *unknown) Type() string          { return "unknown" }
func (u *unknown) Freeze()               {}
func (u *unknown) Truth() starlark.Bool  { u.m.touch(); return false }
func (u *unknown) Hash() (uint32, error) { u.m.touch(); return 0, nil }
func (u *unknown) Name() string          { return "unknown" }

// CallInternal makes the result unknown.
func (u *unknown) CallInternal(*starlark.Thread, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
	return u.m.touch(), nil
}

// Iterate has no elements, and makes the result unknown.
func (u *unknown) Iterate() starlark.Iterator { u.m.touch(); return starlark.NewList(nil).Iterate() }

// CompareSameType holds for nothing, and makes the result unknown.
func (u *unknown) CompareSameType(syntax.Token, starlark.Value, int) (bool, error) {
	u.m.touch()
	return false, nil
}

var (
	_ starlark.Callable   = (*object)(nil)
	_ starlark.Callable   = (*unknown)(nil)
	_ starlark.Iterable   = (*unknown)(nil)
	_ starlark.Comparable = (*unknown)(nil)
)
