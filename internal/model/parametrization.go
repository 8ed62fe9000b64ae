package model

import (
	"fmt"
	"strconv"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// A parametrization puts in a parameter's place what it computes from other ones, anew in every forward pass. The module keeps its
// place in the tree; its state_dict has parametrizations.<name>.original where it had <name>, as torch.nn.utils.parametrize makes it.

// Parametrized holds the arguments that name a parameter.
type Parametrized struct {
	Module lighter.Module `cfg:"module,required" help:"the module whose parameter it is"`
	Name   string         `cfg:"name" help:"the parameter"`
}

// holder is a module that tells where it keeps its parameters: one that embeds weighted.
type holder interface {
	lighter.Module
	held() *weighted
}

// transform computes a parameter.
type transform interface {
	lighter.Module
	// tried says that PyTorch computes the parameter once when it registers the transform, and what that leaves behind.
	tried() bool
	// inverse gives the tensors it starts from, for a parameter that has this value. One that stays as it is may be given back.
	inverse(value tensor.Tensor) []tensor.Tensor
	apply(originals ...tensor.Tensor) tensor.Tensor
}

// parametrizedParameter is one parameter with its transforms.
type parametrizedParameter struct {
	list       *moduleList // parametrizations.<name>
	field      *tensor.Tensor
	originals  []tensor.Tensor
	transforms []transform
}

func (p *parametrizedParameter) value() tensor.Tensor {
	v := p.transforms[0].apply(p.originals...)
	for _, t := range p.transforms[1:] {
		v = t.apply(v)
	}
	return v
}

// parametrized is a module with parametrized parameters. Its tree is the module's own.
type parametrized struct {
	holder
	lists      *moduleList // parametrizations
	parameters map[string]*parametrizedParameter
	order      []string
}

// reader is a module that takes a parameter several times in a forward pass, as a recurrent one does in PyTorch; a transform that changes
// with every use, spectral_norm, goes by it.
type reader interface{ reads() int }

func (m *parametrized) Forward(in ...lighter.Value) lighter.Value {
	times := 1
	if r, ok := m.holder.(reader); ok {
		times = r.reads()
	}
	for _, name := range m.order {
		p := m.parameters[name]
		for range times {
			*p.field = p.value()
		}
	}
	out := m.holder.Forward(in...)
	for _, p := range m.parameters {
		*p.field = tensor.Tensor{} // it goes with the step's scope
	}
	return out
}

// wrapper is what stands for the module already, nil when none of its parameters is parametrized.
func (c Parametrized) wrapper() *parametrized {
	if h, ok := c.Module.(holder); ok {
		return h.held().wrapper
	}
	return nil
}

// parameterOf is the value of the parameter that a parametrization is about.
func (c Parametrized) parameterOf() (tensor.Tensor, error) {
	if m := c.wrapper(); m != nil && m.parameters[c.Name] != nil {
		return m.parameters[c.Name].value(), nil
	}
	if h, ok := c.Module.(holder); ok {
		if field := h.held().fields[c.Name]; field != nil {
			return *field, nil
		}
	}
	var names []string
	for _, e := range c.Module.Tree().Own() {
		names = append(names, e.Name)
	}
	return tensor.Tensor{}, lighter.FieldError("name", "Module %q has no parameter or buffer with name %q: it has %v", c.Module.Tree().Class(), c.Name, names)
}

// register is torch.nn.utils.parametrize.register_parametrization.
func (c Parametrized) register(t transform) (lighter.Module, error) {
	t.Tree().SetTraining(c.Module.Tree().Training())
	m := c.wrapper()
	if m == nil {
		inner := c.Module.(holder)
		m = &parametrized{holder: inner, parameters: map[string]*parametrizedParameter{}, lists: newModuleList()}
		inner.held().wrapper = m
		m.lists.SetClass("torch.nn.ModuleDict")
		tree := inner.Tree()
		tree.SetClass("torch.nn.utils.parametrize.Parametrized" + tree.Class())
		tree.Add("parametrizations", m.lists)
	}
	if p := m.parameters[c.Name]; p != nil {
		return m, m.chain(c, p, t)
	}
	p := &parametrizedParameter{list: newModuleList(), field: m.held().fields[c.Name], transforms: []transform{t}}
	p.list.SetClass("torch.nn.utils.parametrize.ParametrizationList")
	trained := p.field.RequiresGrad()
	tensor.NoGrad(func() { p.originals = t.inverse(*p.field) })
	m.Tree().Remove(c.Name)
	for i, original := range p.originals {
		name := "original"
		if len(p.originals) > 1 {
			name += strconv.Itoa(i)
		}
		p.list.Param(name, original).SetRequiresGrad(trained)
	}
	p.list.Add("0", t)
	*p.field = tensor.Tensor{}
	if t.tried() {
		try(p.value)
	}
	m.lists.Add(c.Name, p.list)
	m.parameters[c.Name], m.order = p, append(m.order, c.Name)
	return m, nil
}

// chain adds a transform of what others compute.
func (m *parametrized) chain(c Parametrized, p *parametrizedParameter, t transform) error {
	if !t.tried() {
		return lighter.FieldError("name", "%q of %s is parametrized already, and this one cannot come after another", c.Name, m.Tree().Class())
	}
	try(func() tensor.Tensor { return t.apply(p.value()) })
	p.list.Add(strconv.Itoa(len(p.transforms)), t)
	p.transforms = append(p.transforms, t)
	return nil
}

func try(compute func() tensor.Tensor) {
	s := tensor.Open()
	defer s.Close()
	compute()
}

const parametrizations = "torch.nn.utils.parametrizations."

// setTransformClass names a transform's class.
func setTransformClass(n *lighter.Node, class string) { n.SetClass(parametrizations + class) }

func wrongDim(dim int64, dims int) error {
	return lighter.FieldError("dim", "Dimension out of range (expected to be in range of [%d, %d] but got %d)", -dims, dims-1, dim)
}

// isTransposed says whether a module is a transposed convolution, whose outputs are in dimension 1.
func isTransposed(m lighter.Module) bool {
	class := m.Tree().Class()
	for n := range 3 {
		name := fmt.Sprintf("ConvTranspose%dd", n+1)
		if class == name || class == "Parametrized"+name {
			return true
		}
	}
	return false
}
