package expr

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"runtime/metrics"
	"slices"

	"github.com/lighter-go/lighter/internal/diag"
	"go.starlark.net/starlark"
)

// Function is a function of a file.
type Function struct {
	runtime *Runtime
	fn      *starlark.Function
}

// Param is a parameter of a function.
type Param struct {
	Name    string
	Default bool // it has one
	Kind    ParamKind
}

// ParamKind says how a parameter is given.
type ParamKind uint8

// The kinds of parameters.
const (
	Ordinary    ParamKind = iota
	KeywordOnly           // after a `*`
	VarArgs               // *args
	VarKeywords           // **kwargs
)

// Name is the function's, "<lambda>" when it has none.
func (f *Function) Name() string { return functionName(f.fn.Name()) }

// Doc is the function's docstring.
func (f *Function) Doc() string { return f.fn.Doc() }

// Pos is where the function is defined.
func (f *Function) Pos() diag.Pos {
	p := f.fn.Position()
	if file := f.runtime.file(p.Filename()); file != nil {
		return file.at(p)
	}
	return diag.Pos{}
}

// Params are the function's parameters in order.
func (f *Function) Params() []Param {
	ps := make([]Param, f.fn.NumParams())
	last := len(ps)
	if f.fn.HasKwargs() {
		last--
		ps[last].Kind = VarKeywords
	}
	if f.fn.HasVarargs() {
		last--
		ps[last].Kind = VarArgs
	}
	for i := range ps {
		ps[i].Name, _ = f.fn.Param(i)
		if i < last {
			ps[i].Default = f.fn.ParamDefault(i) != nil
			if i >= last-f.fn.NumKwonlyParams() {
				ps[i].Kind = KeywordOnly
			}
		}
	}
	return ps
}

// IsMethod says whether the first parameter is self, as that of Python's methods is.
func (f *Function) IsMethod() bool {
	if f.fn.NumParams() == 0 {
		return false
	}
	name, _ := f.fn.Param(0)
	return name == "self"
}

// TypeName is what messages call a function.
func (f *Function) TypeName() string { return "function" }

func (f *Function) String() string { return "<function " + f.Name() + ">" }

// Same reports whether both are the same function.
func (f *Function) Same(g *Function) bool { return g != nil && f.fn == g.fn }

// Call calls the function. An error is a *[Traceback].
func (f *Function) Call(args []any, kwargs map[string]any) (any, error) {
	return f.runtime.call(f.fn, args, kwargs)
}

func (r *Runtime) call(f starlark.Callable, args []any, kwargs map[string]any) (any, error) {
	return r.within(func(m *machine) (any, error) {
		in := make(starlark.Tuple, len(args))
		for i, a := range args {
			in[i] = m.in(a)
		}
		var named []starlark.Tuple
		if len(kwargs) > 0 {
			for _, k := range slices.Sorted(maps.Keys(kwargs)) {
				named = append(named, starlark.Tuple{starlark.String(k), m.in(kwargs[k])})
			}
		}
		v, err := starlark.Call(m.thread, f, in, named)
		if err != nil {
			return nil, err
		}
		return m.out(v)
	})
}

// AsFunc gives a callable, whichever kind it is.
func AsFunc(v any) (Func, bool) {
	switch v := v.(type) {
	case Func:
		return v, true
	case *Function:
		return v.Call, true
	case Method:
		return v.Call, true
	}
	return nil, false
}

// chunk is how many steps run between two looks at the limits.
const chunk = 1000

// machine makes one with a thread of its own.
func (r *Runtime) machine() *machine {
	m := &machine{host: r.o.Host, limits: r.limits, run: r}
	m.thread = &starlark.Thread{Name: "file", Load: r.load}
	m.thread.SetLocal(machineKey, m)
	m.thread.OnMaxSteps = func(t *starlark.Thread) {
		m.count()
		t.SetMaxExecutionSteps(t.Steps + chunk)
		if err := m.check(); err != nil {
			m.stop(err)
		}
	}
	return m
}

// stop ends what the machine runs, with an error, from where none can be returned.
func (m *machine) stop(err error) {
	if m.stopped == nil {
		m.stopped = err
	}
	m.thread.Cancel(err.Error())
}

// count adds the steps since the last time to the machine's work.
func (m *machine) count() {
	m.work += int(m.thread.Steps - m.counted)
	m.counted = m.thread.Steps
}

// check looks at the limits.
func (m *machine) check() error {
	if err := m.spend(0); err != nil {
		return err
	}
	if m.base+m.thread.CallStackDepth() > m.run.o.Depth {
		return fmt.Errorf("maximum recursion depth exceeded: more than %d calls within each other", m.run.o.Depth)
	}
	if m.sampled += chunk * 16; m.sampled > sampleEvery {
		return m.sample()
	}
	return nil
}

// sampleEvery is how many bytes may be made before the heap is looked at.
const sampleEvery = 16 << 20

// alloc charges n bytes that are about to be made.
func (m *machine) alloc(n int) error {
	if m.run == nil {
		return nil
	}
	if int64(n) > m.run.o.Memory/2 {
		return m.tooMuch()
	}
	if m.sampled += n; m.sampled > sampleEvery {
		return m.sample()
	}
	return nil
}

func (m *machine) tooMuch() error {
	return fmt.Errorf("it takes too much memory: the limit is %d MiB", m.run.o.Memory>>20)
}

// sample compares the heap with what it was when the call began.
func (m *machine) sample() error {
	m.sampled = 0
	now, live := heap()
	if m.heap < 0 {
		m.heap = min(live, now)
	}
	if now-m.heap <= m.run.o.Memory {
		return nil
	}
	runtime.GC()
	if now, _ = heap(); now-m.heap > m.run.o.Memory {
		return m.tooMuch()
	}
	return nil
}

// heap is the size of Go's heap in bytes, garbage included, and what of it the last collection has found alive.
func heap() (now, live int64) {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64()), int64(s[1].Value.Uint64())
}

// within runs f on a machine. What runs within another call counts against that call's limits.
func (r *Runtime) within(f func(m *machine) (any, error)) (v any, err error) {
	m := r.pool.Get().(*machine)
	outer, leave := enter(m)
	m.base, m.work, m.heap, m.sampled, m.stopped, m.nest, m.noted = 0, 0, -1, 0, nil, 0, nil
	if outer != nil {
		outer.count()
		m.base, m.work, m.heap, m.sampled = outer.base+outer.thread.CallStackDepth(), outer.work, outer.heap, outer.sampled
	}
	m.counted = m.thread.Steps
	m.thread.SetMaxExecutionSteps(m.thread.Steps + chunk)
	defer func() {
		if p := recover(); p != nil {
			err = asError(p)
		}
		m.count()
		if outer != nil {
			outer.work, outer.heap, outer.sampled = m.work, m.heap, m.sampled
		}
		if err != nil {
			v, err = nil, m.traceback(err)
		}
		if h, ok := m.host.(Mortal); ok && outer == nil && r.o.Roots != nil && threadID() == r.home {
			r.rescue(h)
		}
		if m.stopped != nil {
			m.thread.Uncancel()
			m.stopped = nil
		}
		leave()
		r.pool.Put(m)
	}()
	if err := m.check(); err != nil {
		return nil, err
	}
	return f(m)
}

// freeze makes values that can't change, unless they are so deep in each other that it would need too much stack.
func (m *machine) freeze(globals starlark.StringDict) error {
	type at struct {
		v     starlark.Value
		depth int
	}
	var todo []at
	seen := map[starlark.Value]bool{}
	push := func(v starlark.Value, depth int) {
		switch v.(type) {
		case *starlark.List, *starlark.Dict, *starlark.Set, *starlark.Function:
			if seen[v] {
				return
			}
			seen[v] = true
			todo = append(todo, at{v, depth})
		case starlark.Tuple:
			todo = append(todo, at{v, depth})
		}
	}
	for _, v := range globals {
		push(v, 0)
	}
	for len(todo) > 0 {
		x := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if x.depth > maxDepth {
			return errors.New("a global is nested too deeply")
		}
		if err := m.spend(1); err != nil {
			return err
		}
		switch v := x.v.(type) {
		case *starlark.Function:
			for i := range v.NumFreeVars() {
				if _, free := v.FreeVar(i); free != nil {
					push(free, x.depth+1)
				}
			}
			for i := range v.NumParams() {
				if d := v.ParamDefault(i); d != nil {
					push(d, x.depth+1)
				}
			}
		case *starlark.Dict:
			for _, kv := range v.Items() {
				push(kv[0], x.depth+1)
				push(kv[1], x.depth+1)
			}
		case starlark.Iterable:
			iter := v.Iterate()
			var item starlark.Value
			for iter.Next(&item) {
				push(item, x.depth+1)
			}
			iter.Done()
		}
	}
	globals.Freeze()
	return nil
}

// maxDepth is how deep values may be in each other where they are walked.
const maxDepth = 1000
