package lighter

import (
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

func init() { registry.Adapt(Callable) }

// callable is a function in the place of a module.
type callable struct {
	Node
	f Func
}

// Callable is a module that calls a function, as of `_mode_: callable` or `$torch.nn.functional.relu`.
func Callable(f Func) Module {
	m := &callable{f: f}
	m.SetClass("function")
	return m
}

func (m *callable) Forward(in ...Value) Value { return m.ForwardKeywords(in, nil) }

// ForwardKeywords is Forward with keyword arguments.
func (m *callable) ForwardKeywords(in []Value, kwargs map[string]Value) Value {
	v, err := m.f(in, kwargs)
	if err != nil {
		tensor.Throw(m.Class(), err)
	}
	return Plain(v)
}
