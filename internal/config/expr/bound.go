package expr

import (
	"slices"

	"go.starlark.net/starlark"
)

// Method is a function of a file bound to an object of the host, its first argument. A file's call of it runs as one of the
// function itself.
type Method struct {
	Self     any
	Function *Function
}

// TypeName is Python's.
func (Method) TypeName() string { return "method" }

// Call calls the function with Self first.
func (m Method) Call(args []any, kwargs map[string]any) (any, error) {
	return m.Function.Call(slices.Concat([]any{m.Self}, args), kwargs)
}

// bound is a [Method] in a file.
type bound struct {
	*starlark.Function
	self    starlark.Value
	runtime *Runtime
}

func (b *bound) String() string { return "<bound method " + b.Name() + ">" }
func (b *bound) Type() string   { return "method" }

// CallInternal calls the function.
func (b *bound) CallInternal(t *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	return starlark.Call(t, b.Function, slices.Concat(starlark.Tuple{b.self}, args), kwargs)
}

// CallOrdered calls the function with named arguments in their order, which a function that gathers them in **kwargs sees.
// Arguments may be values that a [KwFunc] was given.
func (f *Function) CallOrdered(args []any, kwargs *Dict) (any, error) {
	return f.runtime.within(func(m *machine) (any, error) {
		in := make(starlark.Tuple, len(args))
		for i, a := range args {
			in[i] = m.in(a)
		}
		named := make([]starlark.Tuple, len(kwargs.Keys))
		for i, k := range kwargs.Keys {
			named[i] = starlark.Tuple{m.in(k), m.in(kwargs.Values[i])}
		}
		v, err := starlark.Call(m.thread, f.fn, in, named)
		if err != nil {
			return nil, err
		}
		return m.out(v)
	})
}

// Freeze ends all changes of what the function has captured, so that several threads may call it.
func (f *Function) Freeze() { f.fn.Freeze() }
