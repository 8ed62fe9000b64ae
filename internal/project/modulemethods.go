package project

import (
	"errors"
	"fmt"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

// moduleMethods are those of torch.nn.Module, by name.
var moduleMethods map[string]func(m lighter.Module, a arguments) (any, error)

func init() {
	moduleMethods = map[string]func(m lighter.Module, a arguments) (any, error){
		"children":           func(m lighter.Module, _ arguments) (any, error) { return children(m, false), nil },
		"named_children":     func(m lighter.Module, _ arguments) (any, error) { return children(m, true), nil },
		"modules":            func(m lighter.Module, _ arguments) (any, error) { return modules(m, false), nil },
		"named_modules":      func(m lighter.Module, _ arguments) (any, error) { return modules(m, true), nil },
		"buffers":            func(m lighter.Module, _ arguments) (any, error) { return tensors(m.Tree().Buffers(), false), nil },
		"named_buffers":      func(m lighter.Module, _ arguments) (any, error) { return tensors(m.Tree().Buffers(), true), nil },
		"state_dict":         func(m lighter.Module, _ arguments) (any, error) { return stateDict(m), nil },
		"load_state_dict":    loadStateDict,
		"train":              func(m lighter.Module, a arguments) (any, error) { return m, setTraining(m, a.value(0, "mode", true)) },
		"eval":               func(m lighter.Module, _ arguments) (any, error) { return m, setTraining(m, false) },
		"requires_grad_":     requiresGrad,
		"zero_grad":          zeroGrad,
		"apply":              apply,
		"register_buffer":    registerBuffer,
		"register_parameter": registerParameter,
		"add_module":         addModule,
		"register_module":    addModule,
		"get_submodule":      getSubmodule,
	}
	for name, instead := range map[string]string{
		"to": "trainer::accelerator and trainer::precision", "cuda": "trainer::accelerator=gpu", "cpu": "trainer::accelerator=cpu",
		"half": "trainer::precision=16-true", "bfloat16": "trainer::precision=bf16-true", "double": "trainer::precision=64-true", "float": "trainer::precision=32-true",
		"share_memory": "nothing: there is one process", "compile": "nothing: there is no Python to compile",
	} {
		moduleMethods[name] = func(lighter.Module, arguments) (any, error) {
			return nil, fmt.Errorf("%s() is not called here: the trainer places a module and chooses its dtype (%s)", name, instead)
		}
	}
}

// arguments are those of a call of a method.
type arguments struct {
	pos []any
	kw  map[string]any
}

// value is argument i, or that of a name; def when it was left out.
func (a arguments) value(i int, name string, def any) any {
	if i < len(a.pos) {
		return a.pos[i]
	}
	if v, ok := a.kw[name]; ok {
		return v
	}
	return def
}

func (a arguments) text(i int, name string) (string, error) {
	s, ok := a.value(i, name, nil).(string)
	if !ok {
		return "", fmt.Errorf("%s should be a string. Got %s", name, lighter.TypeName(a.value(i, name, nil)))
	}
	return s, nil
}

func pair(named bool, name string, v any) any {
	if named {
		return expr.Tuple{name, v}
	}
	return v
}

func children(m lighter.Module, named bool) []any {
	out := []any{}
	for _, c := range m.Tree().Children() {
		out = append(out, pair(named, c.Name, c.Module))
	}
	return out
}

func modules(m lighter.Module, named bool) []any {
	out := []any{pair(named, "", m)}
	seen := map[*lighter.Node]bool{m.Tree(): true}
	var walk func(path string, n *lighter.Node)
	walk = func(path string, n *lighter.Node) {
		for _, c := range n.Children() {
			if t := c.Module.Tree(); !seen[t] {
				seen[t] = true
				out = append(out, pair(named, path+c.Name, c.Module))
				walk(path+c.Name+".", t)
			}
		}
	}
	walk("", m.Tree())
	return out
}

func tensors(list []lighter.Named, named bool) []any {
	out := make([]any, len(list))
	for i, n := range list {
		out[i] = pair(named, n.Name, n.Value)
	}
	return out
}

func stateDict(m lighter.Module) *expr.Dict {
	d := &expr.Dict{}
	for _, n := range m.Tree().State() {
		d.Keys, d.Values = append(d.Keys, n.Name), append(d.Values, n.Value.Detach())
	}
	return d
}

func loadStateDict(m lighter.Module, a arguments) (any, error) {
	d, ok := a.value(0, "state_dict", nil).(*expr.Dict)
	if !ok {
		return nil, fmt.Errorf("expected state_dict to be dict-like, got %s", lighter.TypeName(a.value(0, "state_dict", nil)))
	}
	state := map[string]tensor.Tensor{}
	for i, k := range d.Keys {
		t, ok := tensorOf(d.Values[i])
		if !ok {
			return nil, fmt.Errorf("state_dict: %v is no Tensor but %s", k, lighter.TypeName(d.Values[i]))
		}
		state[fmt.Sprint(k)] = t
	}
	strict, _ := a.value(1, "strict", true).(bool)
	return nil, m.Tree().LoadState(state, strict)
}

// tensorOf is the tensor that a value is, a parameter too.
func tensorOf(v any) (tensor.Tensor, bool) {
	if p, ok := v.(parameter); ok {
		return p.t, true
	}
	t, ok := v.(tensor.Tensor)
	return t, ok
}

func setTraining(m lighter.Module, mode any) error {
	on, ok := mode.(bool)
	if !ok {
		return errors.New("training mode is expected to be boolean")
	}
	m.Tree().SetTraining(on)
	return nil
}

func requiresGrad(m lighter.Module, a arguments) (any, error) {
	on, ok := a.value(0, "requires_grad", true).(bool)
	if !ok {
		return nil, errors.New("requires_grad must be a bool")
	}
	for _, p := range m.Tree().Params() {
		p.Value.SetRequiresGrad(on)
	}
	return m, nil
}

func zeroGrad(m lighter.Module, _ arguments) (any, error) {
	for _, p := range m.Tree().Params() {
		p.Value.SetGrad(tensor.Tensor{})
	}
	return nil, nil
}

// apply calls a function with every module inside, children first, and with the module itself.
func apply(m lighter.Module, a arguments) (any, error) {
	f, ok := expr.AsFunc(a.value(0, "fn", nil))
	if !ok {
		return nil, fmt.Errorf("apply() takes a function, got %s", lighter.TypeName(a.value(0, "fn", nil)))
	}
	for _, c := range m.Tree().Children() {
		if _, err := apply(c.Module, a); err != nil {
			return nil, err
		}
	}
	_, err := f([]any{m}, nil)
	return m, err
}

// name is an attribute's, for a module that has none of it.
func (a arguments) name(m lighter.Module, kind string) (string, error) {
	name, err := a.text(0, "name")
	switch {
	case err != nil:
		return "", fmt.Errorf("%s %w", kind, err)
	case strings.Contains(name, "."):
		return "", fmt.Errorf("%s name can't contain \".\", got: %s", kind, name)
	case name == "":
		return "", fmt.Errorf("%s name can't be empty string \"\"", kind)
	}
	dropModuleAttr(m, name)
	return name, nil
}

func registerBuffer(m lighter.Module, a arguments) (any, error) {
	name, err := a.name(m, "buffer")
	if err != nil {
		return nil, err
	}
	v := a.value(1, "tensor", nil)
	t, ok := tensorOf(v)
	switch {
	case v == nil:
		return nil, nil
	case !ok:
		return nil, fmt.Errorf("cannot assign '%s' object to buffer '%s' (torch Tensor or None required)", lighter.TypeName(v), name)
	}
	if persistent, _ := a.value(2, "persistent", true).(bool); persistent {
		m.Tree().Buffer(name, t)
	} else {
		m.Tree().TransientBuffer(name, t)
	}
	return nil, nil
}

func registerParameter(m lighter.Module, a arguments) (any, error) {
	name, err := a.name(m, "parameter")
	if err != nil {
		return nil, err
	}
	switch p := a.value(1, "param", nil).(type) {
	case nil:
		return nil, nil
	case parameter:
		m.Tree().Param(name, p.t)
		return nil, nil
	default:
		return nil, fmt.Errorf("cannot assign '%s' object to parameter '%s' (torch.nn.Parameter or None required)", lighter.TypeName(p), name)
	}
}

func addModule(m lighter.Module, a arguments) (any, error) {
	name, err := a.name(m, "module")
	if err != nil {
		return nil, err
	}
	child, ok := a.value(1, "module", nil).(lighter.Module)
	if !ok {
		return nil, fmt.Errorf("%s is not a Module subclass", lighter.TypeName(a.value(1, "module", nil)))
	}
	m.Tree().Set(name, child)
	return nil, nil
}

func getSubmodule(m lighter.Module, a arguments) (any, error) {
	path, err := a.text(0, "target")
	if err != nil || path == "" {
		return m, err
	}
	at := m
	for part := range strings.SplitSeq(path, ".") {
		child := lighter.Module(nil)
		for _, c := range at.Tree().Children() {
			if c.Name == part {
				child = c.Module
			}
		}
		if child == nil {
			return nil, fmt.Errorf("%s has no attribute `%s`", at.Tree().Class(), part)
		}
		at = child
	}
	return at, nil
}
