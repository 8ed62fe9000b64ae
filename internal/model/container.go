package model

import (
	"strconv"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() { layer("container", "Sequential", Sequential{}) }

// Sequential is torch.nn.Sequential: it passes a value through its modules in order.
type Sequential struct {
	Modules []lighter.Module `cfg:"modules,args" help:"the modules, in order, as _args_"`
}

// Build implements the registry's Builder.
func (c Sequential) Build(*lighter.Env) (lighter.Module, error) {
	m := &sequential{}
	m.SetClass("torch.nn.Sequential")
	for i, child := range c.Modules {
		if child == nil {
			return nil, lighter.FieldError("modules", "module %d is null, which is no Module", i)
		}
		m.modules = append(m.modules, child)
		m.Add(strconv.Itoa(i), child)
	}
	return m, nil
}

type sequential struct {
	lighter.Node
	modules []lighter.Module
}

func (m *sequential) Forward(in ...lighter.Value) lighter.Value {
	if len(in) != 1 {
		tensor.Fail(m.Class(), "forward() takes 1 argument, got %d", len(in))
	}
	x := []lighter.Value{in[0]}
	for i, child := range m.modules {
		m.Enter(i)
		x[0] = child.Forward(x...)
	}
	m.Leave()
	return x[0]
}
