package lighter

import (
	"fmt"

	"github.com/lighter-go/lighter/tensor"
)

// Tensors are the parameters and buffers of this module and all inside it.
func (n *Node) Tensors() []tensor.Tensor {
	var out []tensor.Tensor
	n.Walk(func(_ string, m *Node) {
		for _, e := range m.entries {
			out = append(out, e.value)
		}
	})
	return out
}

// TypeName is the class's name, for messages.
func (n *Node) TypeName() string { return n.Class() }

// Index gives expressions the i-th child, `@model::network[0]`, or that of a name, `["head"]`.
func (n *Node) Index(i any) (any, error) {
	for _, c := range n.children {
		if c.Name == i {
			return c.Module, nil
		}
	}
	for _, e := range n.entries {
		if e.name == i {
			return e.value, nil
		}
	}
	items := n.Iterate()
	at, ok := i.(int64)
	if ok && at < 0 {
		at += int64(len(items))
	}
	if !ok || at < 0 || at >= int64(len(items)) {
		return nil, fmt.Errorf("index %v is out of range: %s has %d elements", i, n.Class(), len(items))
	}
	return items[at], nil
}

// Iterate gives expressions the children; of a module of parameters alone, a ParameterList, those.
func (n *Node) Iterate() []any {
	if len(n.children) == 0 {
		out := make([]any, len(n.entries))
		for i, e := range n.entries {
			out[i] = e.value
		}
		return out
	}
	out := make([]any, len(n.children))
	for i, c := range n.children {
		out[i] = c.Module
	}
	return out
}
