// Package model holds layers and losses under PyTorch's names, with PyTorch's arguments, defaults, initial weights (the
// same draws from libtorch's generator) and state_dict keys. One file is one family, as in torch/nn/modules.
package model

import (
	"fmt"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// layer registers torch.nn.<class>, also under the names of the module that defines it, torch.nn.modules.<file>.<class>.
func layer(file, class string, prototype registry.Builder[lighter.Module]) {
	lighter.Register(target(class), prototype, "torch.nn.modules."+file+"."+class, "torch.nn.modules."+class)
}

func target(class string) string { return "torch.nn." + class }

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

// list is a list of ints as Python writes it.
func list(s []int64) string { return strings.ReplaceAll(fmt.Sprint(s), " ", ", ") }
