package model

import (
	"strconv"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("container", "Sequential", Sequential{})
	layer("container", "ModuleList", ModuleList{})
	layer("container", "ModuleDict", ModuleDict{})
	layer("container", "ParameterList", ParameterList{})
	layer("container", "ParameterDict", ParameterDict{})
}

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
		m.append(strconv.Itoa(i), child)
	}
	return m, nil
}

type sequential struct {
	lighter.Node
	modules []lighter.Module
}

func (m *sequential) append(name string, child lighter.Module) {
	m.modules = append(m.modules, child)
	m.Add(name, child)
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

// ModuleList is torch.nn.ModuleList: modules for a module that calls them itself.
type ModuleList struct {
	Modules []lighter.Module `cfg:"modules" help:"the modules, in order"`
}

// Build implements the registry's Builder.
func (c ModuleList) Build(*lighter.Env) (lighter.Module, error) {
	m := newModuleList()
	for i, child := range c.Modules {
		if child == nil {
			return nil, lighter.FieldError("modules", "module %d is null, which is no Module", i)
		}
		m.Add(strconv.Itoa(i), child)
	}
	return m, nil
}

// moduleList holds what another module calls.
type moduleList struct{ lighter.Node }

func newModuleList() *moduleList {
	m := &moduleList{}
	m.SetClass("torch.nn.ModuleList")
	return m
}

func (m *moduleList) Forward(...lighter.Value) lighter.Value {
	tensor.Fail(m.Class(), "Module [%s] is missing the required \"forward\" function: it only holds others", m.Class())
	return nil
}

// ModuleDict is torch.nn.ModuleDict: modules by name, for a module that calls them itself.
type ModuleDict struct {
	Modules Items[lighter.Module] `cfg:"modules" help:"the modules by name"`
}

// Build implements the registry's Builder.
func (c ModuleDict) Build(*lighter.Env) (lighter.Module, error) {
	m := &moduleList{}
	m.SetClass("torch.nn.ModuleDict")
	for i, name := range c.Modules.names {
		m.Add(name, c.Modules.values[i])
	}
	return m, nil
}

// ParameterList is torch.nn.ParameterList: trained tensors for a module that uses them itself.
type ParameterList struct {
	Values []tensor.Tensor `cfg:"values" help:"the tensors, in order"`
}

// Build implements the registry's Builder.
func (c ParameterList) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	m := &moduleList{}
	m.SetClass("torch.nn.ParameterList")
	for i, t := range c.Values {
		m.Param(strconv.Itoa(i), t)
	}
	return m, nil
}

// ParameterDict is torch.nn.ParameterDict: trained tensors by name, for a module that uses them itself.
type ParameterDict struct {
	Parameters Items[tensor.Tensor] `cfg:"parameters" help:"the tensors by name"`
}

// Build implements the registry's Builder.
func (c ParameterDict) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	m := &moduleList{}
	m.SetClass("torch.nn.ParameterDict")
	for i, name := range c.Parameters.names {
		m.Param(name, c.Parameters.values[i])
	}
	return m, nil
}
