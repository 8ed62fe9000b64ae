package expr

import (
	"errors"
	"fmt"
	"hash/maphash"
	"math/big"
	"slices"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// machine is one evaluation.
type machine struct {
	host    Host
	thread  *starlark.Thread
	limits  limits
	work    int
	nest    int              // values within values that are being walked
	writing []starlark.Value // the lists and dicts whose text is under way
	unknown bool             // an operation met an Unknown

	flat      bool     // out gives tuples as the lists that expressions give
	run       *Runtime // of a file; nil for an expression
	base      int      // calls that this one is within
	counted   uint64   // the thread's steps that are part of work
	heap      int64    // the size of the heap when it was looked at first, -1 before
	sampled   int      // bytes made since the heap was looked at
	runesLast runesOf  // the string whose characters were counted last
	stopped   error    // why the thread was cancelled
	noted     []string // the variables of the calls that an error has stopped
}

var errWork = errors.New("it takes too much time or memory: the limit is 20 million units of work")

// machineKey is where a thread has its machine.
const machineKey = "machine"

func machineOf(t *starlark.Thread) *machine {
	m, _ := t.Local(machineKey).(*machine)
	return m
}

// start gives the machine of an expression its thread.
func (m *machine) start() {
	m.thread = &starlark.Thread{Name: "expression"}
	m.thread.SetMaxExecutionSteps(maxSteps)
	m.thread.OnMaxSteps = func(t *starlark.Thread) { t.Cancel(fmt.Sprintf("it takes more than %d steps", maxSteps)) }
	m.thread.SetLocal(machineKey, m)
}

// spend counts work that Starlark's steps don't see.
func (m *machine) spend(n int) error {
	if m.work += n; m.work > m.limits.work {
		if m.run != nil {
			return fmt.Errorf("it takes too long: the limit is %d steps", m.limits.work)
		}
		return errWork
	}
	return nil
}

// deeper guards a walk over values within values; when it returns no error, shallower is to follow.
func (m *machine) deeper() error {
	if m.nest >= maxDepth {
		return errors.New("the value is nested too deeply, or it contains itself")
	}
	m.nest++
	return nil
}

func (m *machine) shallower() { m.nest-- }

func (m *machine) tooLong(n int) error {
	return fmt.Errorf("a list of %d elements is too long: at most %d", n, m.limits.items)
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
			if items[i] = m.in(it); m.work > m.limits.work {
				return starlark.None
			}
		}
		l := starlark.NewList(items)
		if m.run == nil {
			l.Freeze()
		}
		return l
	case *Dict:
		d := starlark.NewDict(len(v.Keys))
		for i, k := range v.Keys {
			if m.work > m.limits.work {
				return starlark.None
			}
			if err := d.SetKey(m.in(k), m.in(v.Values[i])); err != nil {
				return m.newObject(v)
			}
		}
		if m.run == nil {
			d.Freeze()
		}
		return d
	case Func:
		return &hostFunc{f: v}
	case Unknown:
		if m.run == nil {
			return &unknown{m}
		}
	}
	if m.run != nil {
		return m.inFile(v)
	}
	return m.newObject(v)
}

// hostFunc is a callable of the host; passed back, it is the same.
type hostFunc struct {
	f     any
	class string // as [Class] has it
}

func (f *hostFunc) String() string        { return "<function>" }
func (f *hostFunc) Type() string          { return "function" }
func (f *hostFunc) Freeze()               {}
func (f *hostFunc) Truth() starlark.Bool  { return true }
func (f *hostFunc) Hash() (uint32, error) { return 0, errors.New("unhashable type: 'function'") }
func (f *hostFunc) Name() string          { return "function" }

// CallInternal calls it.
func (f *hostFunc) CallInternal(t *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (v starlark.Value, err error) {
	defer func() { machineOf(t).failed(err) }()
	defer recovered(&err)
	return machineOf(t).callable(f.f, args, kwargs)
}

// callable calls one of the kinds of the host's functions.
func (m *machine) callable(f any, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if f, ok := f.(KwFunc); ok {
		return m.callKw(f, args, kwargs)
	}
	return m.call(f.(Func), args, kwargs)
}

func (m *machine) call(f Func, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	m.flat = true
	defer func() { m.flat = false }()
	in := make([]any, len(args))
	var err error
	for i, a := range args {
		if in[i], err = m.out(a); err != nil {
			return nil, err
		}
	}
	var named map[string]any
	if len(kwargs) > 0 || m.run == nil {
		named = make(map[string]any, len(kwargs))
	}
	for _, kv := range kwargs {
		k, _ := starlark.AsString(kv[0])
		if named[k], err = m.out(kv[1]); err != nil {
			return nil, err
		}
	}
	m.flat = false
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
	if err := m.deeper(); err != nil {
		return nil, err
	}
	defer m.shallower()
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
		x, err := m.hosted(v)
		if w, ok := x.(interface{ Plain() any }); ok && m.flat {
			return w.Plain(), err
		}
		return x, err
	case *unknown:
		return Unknown{}, nil
	case *hostFunc:
		return v.f, nil
	case *sliceValue:
		return m.outSlice(v)
	case ellipsis:
		return Ellipsis{}, nil
	case *starlark.Function:
		if m.run != nil {
			return &Function{m.run, v}, nil
		}
	case *bound:
		self, err := m.out(v.self)
		return Method{self, &Function{v.runtime, v.Function}}, err
	case starlark.Bytes:
		return []byte(v), nil
	case starlark.Tuple:
		if m.run != nil && !m.flat {
			items, err := m.items(v)
			return Tuple(items), err
		}
	case *starlark.Set:
		if m.run != nil && !m.flat {
			items, err := m.items(v)
			return Set(items), err
		}
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
	}
	switch v := v.(type) {
	case starlark.Callable:
		return m.callback(v), nil
	case starlark.Iterable:
		items, err := m.items(v)
		return items, err
	}
	return v, nil
}

func (m *machine) items(v starlark.Iterable) ([]any, error) {
	list := []any{}
	iter := v.Iterate()
	defer iter.Done()
	var x starlark.Value
	for iter.Next(&x) {
		item, err := m.out(x)
		if err != nil {
			return nil, err
		}
		if len(list) >= m.limits.items {
			return nil, fmt.Errorf("a list of more than %d elements is too long", m.limits.items)
		}
		list = append(list, item)
	}
	return list, nil
}

// callback is a function of the expression for the host. Every call has the limits of an expression of its own.
func (m *machine) callback(f starlark.Callable) Func {
	if m.run != nil {
		return m.run.callback(f)
	}
	host := m.host
	return func(args []any, kwargs map[string]any) (any, error) {
		c := &machine{host: host, limits: expressionLimits}
		c.start()
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
	value any
	falsy bool   // it has been asked for its truth, and it is false
	born  uint64 // as [Mortal] says
	kept  bool   // the value has a life of its own, as long as the object's
}

func (o *object) String() string { return "<" + o.Type() + ">" }
func (o *object) Type() string   { return TypeName(o.value) }
func (o *object) Freeze()        {}
func (o *object) Name() string   { return o.Type() }

// Hash is by identity, which is what == is for objects in a dict.
func (o *object) Hash() (uint32, error) {
	if !isComparable(o.value) {
		return 0, fmt.Errorf("unhashable type: '%s'", o.Type())
	}
	return uint32(maphash.Comparable(hashSeed, o.value)), nil
}

var hashSeed = maphash.MakeSeed()

// CompareSameType compares keys of a dict.
func (o *object) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	switch op {
	case syntax.EQL:
		return same(o, y), nil
	case syntax.NEQ:
		return !same(o, y), nil
	}
	return false, fmt.Errorf("'%s' objects have no order", o.Type())
}

// CallInternal calls the object's __call__.
func (o *object) CallInternal(t *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (v starlark.Value, err error) {
	defer func() { machineOf(t).failed(err) }()
	defer recovered(&err)
	m := machineOf(t)
	if m.host != nil {
		value, err := m.hosted(o)
		if err != nil {
			return nil, err
		}
		if f, ok, _ := m.host.Attr(value, "__call__"); ok {
			switch f := f.(type) {
			case Func, KwFunc:
				return m.callable(f, args, kwargs)
			case *Function:
				return starlark.Call(t, f.fn, args, kwargs)
			case Method:
				return starlark.Call(t, f.Function.fn, slices.Concat(starlark.Tuple{m.in(f.Self)}, args), kwargs)
			}
			return m.touch(), nil
		}
	}
	return nil, fmt.Errorf("%s object is not callable", o.Type())
}

var (
	_ starlark.Callable   = (*object)(nil)
	_ starlark.Comparable = (*object)(nil)
	_ starlark.Callable   = (*unknown)(nil)
	_ starlark.Iterable   = (*unknown)(nil)
	_ starlark.Comparable = (*unknown)(nil)
)
