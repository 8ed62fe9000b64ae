package model

import (
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// function is a layer without parameters.
type function struct {
	lighter.Node
	f func(m *lighter.Node, x tensor.Tensor) tensor.Tensor
}

func newFunction(class string, f func(m *lighter.Node, x tensor.Tensor) tensor.Tensor) lighter.Module {
	m := &function{f: f}
	m.SetClass(target(class))
	return m
}

func (m *function) Forward(in ...lighter.Value) lighter.Value { return m.f(&m.Node, only(&m.Node, in)) }

// only is the argument of a module that takes one tensor.
func only(m *lighter.Node, in []lighter.Value) tensor.Tensor {
	if len(in) != 1 {
		tensor.Fail(m.Class(), "forward() takes 1 argument, got %d", len(in))
	}
	if t, ok := in[0].(tensor.Tensor); ok {
		return t
	}
	return lighter.TensorArg(m.Class(), in, 0)
}

// signature names the arguments of a Forward, in PyTorch's order: "input, hx=". Those with a = may be left out or null.
type signature string

// take matches the arguments of a call.
func (s signature) take(m *lighter.Node, in []lighter.Value) arguments {
	names := strings.Split(string(s), ", ")
	if len(in) > len(names) {
		tensor.Fail(m.Class(), "forward() takes %d arguments, got %d", len(names), len(in))
	}
	a := arguments{class: m.Class(), names: names, values: make([]lighter.Value, len(names))}
	copy(a.values, in)
	for i, name := range names {
		if i >= len(in) && !strings.HasSuffix(name, "=") {
			tensor.Fail(m.Class(), "forward() missing 1 required positional argument: '%s'", name)
		}
	}
	return a
}

// arguments are those of one call of a Forward.
type arguments struct {
	class  string
	names  []string
	values []lighter.Value
}

func (a arguments) wrong(i int, want string) {
	tensor.Fail(a.class, "argument '%s' must be %s, not %s", strings.TrimSuffix(a.names[i], "="), want, lighter.TypeName(a.values[i]))
}

// tensor is argument i, undefined when it may be left out and was.
func (a arguments) tensor(i int) tensor.Tensor {
	t, ok := a.values[i].(tensor.Tensor)
	if !ok && (a.values[i] != nil || !strings.HasSuffix(a.names[i], "=")) {
		a.wrong(i, "a Tensor")
	}
	return t
}

// given says whether argument i is there.
func (a arguments) given(i int) bool { return a.values[i] != nil }

// flag is argument i, or unset when it was left out.
func (a arguments) flag(i int, unset bool) bool {
	if a.values[i] == nil {
		return unset
	}
	b, ok := a.values[i].(bool)
	if !ok {
		a.wrong(i, "a bool")
	}
	return b
}

// ints is argument i, a list of ints; nil when it was left out.
func (a arguments) ints(i int) []int64 {
	if a.values[i] == nil {
		return nil
	}
	items, ok := a.values[i].(lighter.List)
	if !ok {
		a.wrong(i, "a list of ints")
	}
	out := make([]int64, len(items))
	for k, item := range items {
		if out[k], ok = item.(int64); !ok {
			a.wrong(i, "a list of ints")
		}
	}
	return out
}

// weighted is what a module with parameters embeds: a node that knows which field holds each parameter, so that a
// parametrization can put another tensor there.
type weighted struct {
	lighter.Node
	fields  map[string]*tensor.Tensor
	wrapper *parametrized // when a parameter is parametrized
}

// held gives the parts of a module that a parametrization works on.
func (m *weighted) held() *weighted { return m }

// parameter adds a parameter, if it is defined, and keeps it in a field of the module.
func (m *weighted) parameter(name string, field *tensor.Tensor, t tensor.Tensor) {
	*field = m.Param(name, t)
	if !t.Defined() {
		return
	}
	if m.fields == nil {
		m.fields = map[string]*tensor.Tensor{}
	}
	m.fields[name] = field
}

// pair is a layer of two tensors, without parameters.
type pair struct {
	lighter.Node
	names signature
	f     func(m *lighter.Node, x, y tensor.Tensor) tensor.Tensor
}

func newPair(class string, names signature, f func(m *lighter.Node, x, y tensor.Tensor) tensor.Tensor) *pair {
	m := &pair{names: names, f: f}
	m.SetClass(target(class))
	return m
}

// Signature names the arguments of Forward.
func (m *pair) Signature() string { return string(m.names) }

func (m *pair) Forward(in ...lighter.Value) lighter.Value {
	a := m.names.take(&m.Node, in)
	return m.f(&m.Node, a.tensor(0), a.tensor(1))
}

// twoTensors is argument i, a pair of tensors.
func (a arguments) twoTensors(i int) []tensor.Tensor {
	items, ok := a.values[i].(lighter.List)
	if !ok || len(items) != 2 {
		a.wrong(i, "a pair of Tensors")
	}
	out := make([]tensor.Tensor, 2)
	for k, item := range items {
		if out[k], ok = item.(tensor.Tensor); !ok {
			a.wrong(i, "a pair of Tensors")
		}
	}
	return out
}
