package project

import (
	"fmt"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

// classes make objects of what user code gives them, by the names of the classes that Python's users would inherit from.
var classes map[string]func(s *session, args []any, kwargs *expr.Dict) (any, error)

func init() {
	classes = map[string]func(s *session, args []any, kwargs *expr.Dict) (any, error){
		"torch.nn.Module":                  newModule,
		"torch.nn.Parameter":               newParameter,
		"lighter.LighterModule":            newLighterModule,
		"lighter.model.LighterModule":      newLighterModule,
		"torch.utils.data.Dataset":         newDataset,
		"torch.utils.data.IterableDataset": newIterable,
		"torchmetrics.Metric":              newMetric,
		"torch.autograd.Function":          newFunction,
	}
	for _, pl := range []string{"pytorch_lightning.", "lightning.", "lightning.pytorch."} {
		classes[pl+"LightningModule"] = newLightningModule
		classes[pl+"LightningDataModule"] = newDataModule
		classes[pl+"Callback"] = newCallback
		classes[pl+"callbacks.Callback"] = newCallback
	}
}

// Module is a torch.nn.Module of user code: its modules, parameters and buffers are the node's, all else are members.
type Module struct {
	lighter.Node
	members
}

// newModule is torch.nn.Module(forward=..., **attributes). Attributes are set in their order, as in a constructor.
func newModule(s *session, args []any, kwargs *expr.Dict) (any, error) {
	m := &Module{}
	m.SetClass(s.className("torch.nn.Module"))
	return m, s.fill(m, "torch.nn.Module", args, kwargs)
}

func (m *Module) held() *members { return &m.members }

// Forward calls the module's function of that name.
func (m *Module) Forward(in ...lighter.Value) lighter.Value { return forward(m, &m.members, in, nil) }

// ForwardKeywords is Forward with keyword arguments.
func (m *Module) ForwardKeywords(args []lighter.Value, kwargs map[string]lighter.Value) lighter.Value {
	return forward(m, &m.members, args, kwargs)
}

// forward calls self's function of that name.
func forward(self lighter.Module, m *members, in []lighter.Value, kwargs map[string]lighter.Value) lighter.Value {
	f := m.function("forward")
	if f == nil {
		tensor.Fail(self.Tree().Class(), "Module [%s] is missing the required \"forward\" function", self.Tree().Class())
	}
	out, err := f.Call(append([]any{self}, in...), kwargs)
	throw(self.Tree().Class(), m.blame(err))
	return lighter.Plain(out)
}

// throw panics with an error of user code, if there is one, where none can be returned.
func throw(who string, err error) {
	if err != nil {
		tensor.Throw(who, err)
	}
}

func lastPart(class string) string { return class[strings.LastIndexByte(class, '.')+1:] }

// TypeName is the class's name.
func (m *Module) TypeName() string { return m.Class() }

// newParameter is torch.nn.Parameter(data, requires_grad=True). Set as a module's attribute it is a parameter of it.
func newParameter(_ *session, args []any, kwargs *expr.Dict) (any, error) {
	data, grad := any(nil), true
	if len(args) > 0 {
		data = args[0]
	}
	if len(args) > 1 {
		grad, _ = args[1].(bool)
	}
	for i, k := range kwargs.Keys {
		switch k {
		case "data":
			data = kwargs.Values[i]
		case "requires_grad":
			grad, _ = kwargs.Values[i].(bool)
		default:
			return nil, fmt.Errorf("Parameter() got an unexpected keyword argument '%v'", k)
		}
	}
	t, ok := data.(tensor.Tensor)
	if !ok {
		return nil, fmt.Errorf("Parameter() takes a Tensor, got %s", lighter.TypeName(data))
	}
	t = t.Detach()
	t.SetRequiresGrad(grad)
	return parameter{t}, nil
}

// parameter is a tensor that a module takes for one of its own.
type parameter struct{ t tensor.Tensor }

// Tensor is the tensor itself.
func (p parameter) Tensor() tensor.Tensor { return p.t }

// Plain is what a component's argument gets.
func (p parameter) Plain() any { return p.t }

// TypeName is PyTorch's.
func (parameter) TypeName() string { return "Parameter" }

// moduleAttr gives what every module has.
func (h *host) moduleAttr(m lighter.Module, name string) (any, bool) {
	if name == "__call__" || name == "forward" {
		if u, ok := m.(holder); ok {
			if f := u.held().function("forward"); f != nil {
				return expr.Method{Self: m, Function: f}, true
			}
		}
		return expr.Func(func(args []any, kwargs map[string]any) (any, error) {
			for i, a := range args {
				args[i] = lighter.Plain(a)
			}
			for k, a := range kwargs {
				kwargs[k] = lighter.Plain(a)
			}
			return lighter.Call(m, args, kwargs), nil
		}), true
	}
	if f := moduleMethods[name]; f != nil {
		return expr.Func(func(args []any, kwargs map[string]any) (any, error) { return f(m, arguments{args, kwargs}) }), true
	}
	return nil, false
}

// setModuleAttr sets a module, parameter or buffer of a module; done is false for what is a member.
func setModuleAttr(m lighter.Module, name string, v any) (done bool, err error) {
	n := m.Tree()
	if strings.Contains(name, ".") {
		return false, fmt.Errorf("the name of an attribute can't contain \".\", got %q", name)
	}
	switch v := v.(type) {
	case parameter:
		if !n.Replace(name, v.t) {
			n.Set(name, nil)
			n.Param(name, v.t)
		}
		return true, nil
	case lighter.Module:
		n.Remove(name)
		n.Set(name, v)
		return true, nil
	case tensor.Tensor:
		return n.Replace(name, v), nil
	case nil:
		if dropModuleAttr(m, name) { // the name stays, as None
			return false, nil
		}
	}
	if _, isOne := v.(lighter.Module); !isOne && hasChild(n, name) {
		return false, fmt.Errorf("cannot assign '%s' as child module '%s' (torch.nn.Module or None expected)", lighter.TypeName(v), name)
	}
	return false, nil
}

func hasChild(n *lighter.Node, name string) bool {
	for _, c := range n.Children() {
		if c.Name == name {
			return true
		}
	}
	return false
}

// dropModuleAttr takes a module, parameter or buffer out of a module.
func dropModuleAttr(m lighter.Module, name string) (ok bool) {
	n := m.Tree()
	if hasChild(n, name) {
		n.Set(name, nil)
		return true
	}
	for _, own := range n.Own() {
		if own.Name == name {
			n.Remove(name)
			return true
		}
	}
	return false
}
