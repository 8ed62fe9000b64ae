package torchscript

import (
	"regexp"
	"slices"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// module is a TorchScript module in the tree of modules. Its tensors are the script's own: what the optimizer changes is what
// forward uses.
type module struct {
	lighter.Node
	*script
	index   int
	methods []string
}

// script is what the modules of one file share.
type script struct {
	loaded  *tensor.Script
	modules []*module
}

// network is the root, which owns the script.
type network struct{ *module }

// Close frees the script.
func (n network) Close() error {
	n.loaded.Close()
	return nil
}

func newModule(loaded *tensor.Script) network {
	s := &script{loaded: loaded}
	for i, m := range loaded.Modules {
		s.modules = append(s.modules, &module{script: s, index: i, methods: m.Methods})
	}
	for i, m := range loaded.Modules {
		node := &s.modules[i].Node
		node.SetClass(className(m.Class))
		for _, own := range m.Own {
			if own.Buffer {
				node.Buffer(own.Name, own.Value)
				continue
			}
			trained := own.Value.RequiresGrad()
			node.Param(own.Name, own.Value).SetRequiresGrad(trained)
		}
		for _, c := range m.Children {
			node.Add(c.Name, s.modules[c.Module])
		}
		node.SetMode(m.Training || !m.Modal)
	}
	return network{s.modules[0]}
}

var mangled = regexp.MustCompile(`___torch_mangle_\d+\.`)

// className is Python's name of a class: "__torch__.torch.nn.modules.linear.___torch_mangle_0.Linear" is
// "torch.nn.modules.linear.Linear".
func className(s string) string {
	return mangled.ReplaceAllString(strings.TrimPrefix(s, "__torch__."), "")
}

// Forward calls the script's forward.
func (m *module) Forward(in ...lighter.Value) lighter.Value { return m.call("forward", in, nil) }

// ForwardKeywords is Forward with keyword arguments.
func (m *module) ForwardKeywords(in []lighter.Value, kwargs map[string]lighter.Value) lighter.Value {
	return m.call("forward", in, kwargs)
}

// HasArgument says whether forward has an argument of a name.
func (m *module) HasArgument(name string) bool {
	return slices.Contains(m.loaded.Modules[m.index].Arguments, name)
}

func (m *module) call(method string, in []lighter.Value, kwargs map[string]lighter.Value) lighter.Value {
	for i, inner := range m.modules {
		m.loaded.SetTraining(i, inner.Training())
	}
	return m.loaded.Call(m.index, method, in, kwargs)
}

// Attr gives expressions the methods that were exported, `$@model::network.encode(x)`, beside what every module has.
func (m *module) Attr(name string) (any, bool, []string) {
	if slices.Contains(m.methods, name) {
		return func(args []any, kwargs map[string]any) (v any, err error) {
			defer tensor.Recover(&err)
			return m.call(name, args, kwargs), nil
		}, true, nil
	}
	v, ok, names := m.Node.Attr(name)
	if !ok {
		names = append(names, m.methods...)
	}
	return v, ok, names
}

// FixedLayout keeps inputs in C order: scripts may rely on it, as view does after a convolution.
func (m *module) FixedLayout() {}

var (
	_ lighter.Module      = network{}
	_ lighter.FixedLayout = network{}
)
