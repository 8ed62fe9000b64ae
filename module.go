package lighter

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/tensor"
)

// Node is a module's place in the tree of modules: embed it, add to it while building, and it gives the Tree method.
// Names are PyTorch's, so that the paths of [Node.State] are the keys of PyTorch's state_dict.
type Node struct {
	target   string
	frozen   bool // eval mode
	running  int  // the child whose Forward runs, counted from 1; see Enter
	observer Observer
	entries  []entry
	children []Child
}

// Child is a module inside another.
type Child struct {
	Name   string
	Module Module
}

type entry struct {
	name       string
	value      tensor.Tensor
	buffer     bool
	persistent bool
}

// Named is a parameter or buffer under its path, "network.0.weight".
type Named struct {
	Name   string
	Value  tensor.Tensor
	Buffer bool
}

// SetClass names what the module is by its full name, "torch.nn.Linear", for messages and summaries.
func (n *Node) SetClass(target string) { n.target = target }

// Target is the full name SetClass gave; Class its last part, "Linear".
func (n *Node) Target() string { return n.target }

// Class is the name of the module's class.
func (n *Node) Class() string { return n.target[strings.LastIndexByte(n.target, '.')+1:] }

// Tree returns n: what makes a struct that embeds Node a part of the tree.
func (n *Node) Tree() *Node { return n }

// Param adds a parameter, which from now on requires a gradient, and returns it.
func (n *Node) Param(name string, t tensor.Tensor) tensor.Tensor {
	if t.Defined() {
		t.SetRequiresGrad(true)
		n.entries = append(n.entries, entry{name: name, value: t})
	}
	return t
}

// Buffer adds a tensor that is saved but not trained, and returns it.
func (n *Node) Buffer(name string, t tensor.Tensor) tensor.Tensor {
	n.entries = append(n.entries, entry{name: name, value: t, buffer: true, persistent: true})
	return t
}

// TransientBuffer adds a buffer that is not saved (persistent=False), and returns it.
func (n *Node) TransientBuffer(name string, t tensor.Tensor) tensor.Tensor {
	n.entries = append(n.entries, entry{name: name, value: t, buffer: true})
	return t
}

// Replace puts another tensor in the place of the parameter or buffer of a name; ok is false when there is none.
func (n *Node) Replace(name string, t tensor.Tensor) (ok bool) {
	for i := range n.entries {
		if n.entries[i].name == name {
			n.entries[i].value, ok = t, true
		}
	}
	return ok
}

// Remove takes a parameter or buffer out of the module; it is no longer part of its state.
func (n *Node) Remove(name string) {
	n.entries = slices.DeleteFunc(n.entries, func(e entry) bool { return e.name == name })
}

// Add adds a module inside this one. A nil module is left out, and so is a function: it is no part of PyTorch's tree either.
func (n *Node) Add(name string, m Module) {
	if _, function := m.(*callable); m != nil && !function {
		n.children = append(n.children, Child{name, m})
	}
}

// Set makes m the module of this name, in the place of one that had it. A nil module leaves none.
func (n *Node) Set(name string, m Module) {
	i := slices.IndexFunc(n.children, func(c Child) bool { return c.Name == name })
	switch {
	case i < 0:
		n.Add(name, m)
	case m == nil:
		n.children = slices.Delete(n.children, i, i+1)
	default:
		n.children[i].Module = m
	}
}

// Own lists the parameters and buffers of this module alone.
func (n *Node) Own() []Named {
	out := make([]Named, len(n.entries))
	for i, e := range n.entries {
		out[i] = Named{Name: e.name, Value: e.value, Buffer: e.buffer}
	}
	return out
}

// Children are the modules directly inside this one.
func (n *Node) Children() []Child { return n.children }

// Training says whether the module is in training mode, as it is at first.
func (n *Node) Training() bool { return !n.frozen }

// SetTraining switches this module and all inside it to training or evaluation.
func (n *Node) SetTraining(on bool) {
	n.frozen = !on
	for _, c := range n.children {
		c.Module.Tree().SetTraining(on)
	}
}

// Modes notes the mode of this module and of each inside it; the function brings them back.
func (n *Node) Modes() (restore func()) {
	modes := map[*Node]bool{}
	n.Walk(func(_ string, m *Node) { modes[m] = m.frozen })
	return func() {
		for m, frozen := range modes {
			m.frozen = frozen
		}
	}
}

// SetMode switches this module alone.
func (n *Node) SetMode(training bool) { n.frozen = !training }

// Walk visits this module and all inside it, parents first, each once, with its path.
func (n *Node) Walk(visit func(path string, m *Node)) {
	n.walk("", map[*Node]bool{}, visit)
}

func (n *Node) walk(path string, seen map[*Node]bool, visit func(string, *Node)) {
	if seen[n] {
		return
	}
	seen[n] = true
	visit(path, n)
	for _, c := range n.children {
		c.Module.Tree().walk(join(path, c.Name), seen, visit)
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// Params are the parameters of this module and all inside it, in PyTorch's order, each tensor once.
func (n *Node) Params() []Named {
	var out []Named
	n.Walk(func(path string, m *Node) {
		for _, e := range m.entries {
			if !e.buffer && !holds(out, e.value) {
				out = append(out, Named{Name: join(path, e.name), Value: e.value})
			}
		}
	})
	return out
}

// Buffers are the buffers of this module and all inside it, in PyTorch's order, each tensor once, saved ones or not.
func (n *Node) Buffers() []Named {
	var out []Named
	n.Walk(func(path string, m *Node) {
		for _, e := range m.entries {
			if e.buffer && !holds(out, e.value) {
				out = append(out, Named{Name: join(path, e.name), Value: e.value, Buffer: true})
			}
		}
	})
	return out
}

func holds(ns []Named, t tensor.Tensor) bool {
	for _, n := range ns {
		if n.Value.Same(t) {
			return true
		}
	}
	return false
}

// State lists the parameters and buffers of state_dict, in PyTorch's order. A tensor that two modules share appears under
// both names.
func (n *Node) State() []Named { return n.state("") }

func (n *Node) state(path string) []Named {
	var out []Named
	for _, buffer := range []bool{false, true} {
		for _, e := range n.entries {
			if e.buffer == buffer && (!buffer || e.persistent) {
				out = append(out, Named{Name: join(path, e.name), Value: e.value, Buffer: e.buffer})
			}
		}
	}
	for _, c := range n.children {
		out = append(out, c.Module.Tree().state(join(path, c.Name))...)
	}
	return out
}

// LoadState copies tensors into the parameters and buffers of the same names. With strict set every name must be on both
// sides. The error lists all that is wrong, in PyTorch's words.
func (n *Node) LoadState(state map[string]tensor.Tensor, strict bool) error {
	var problems []string
	known := map[string]bool{}
	tensor.NoGrad(func() {
		for _, e := range n.State() {
			known[e.Name] = true
			v, ok := state[e.Name]
			switch {
			case !ok && strict:
				problems = append(problems, fmt.Sprintf("missing key %q", e.Name))
			case ok && !v.SameShape(e.Value.Shape()):
				problems = append(problems, fmt.Sprintf("size mismatch for %s: the checkpoint has %v, the current model %v", e.Name, v.Shape(), e.Value.Shape()))
			case ok:
				e.Value.CopyInPlace(v)
			}
		}
	})
	for name := range state {
		if strict && !known[name] {
			problems = append(problems, fmt.Sprintf("unexpected key %q", name))
		}
	}
	if problems != nil {
		return fmt.Errorf("error(s) in loading state_dict for %s: %s", n.Class(), strings.Join(problems, "; "))
	}
	return nil
}

// TensorArg is argument i of a Forward; who is the class, for the error.
func TensorArg(who string, in []Value, i int) tensor.Tensor {
	if i >= len(in) {
		tensor.Fail(who, "forward() takes at least %d argument(s), got %d", i+1, len(in))
	}
	t, ok := in[i].(tensor.Tensor)
	if !ok {
		tensor.Fail(who, "argument %d must be a Tensor, not %s", i+1, TypeName(in[i]))
	}
	return t
}

// TypeName is a value's type in Python's words, for messages.
func TypeName(v Value) string {
	switch v.(type) {
	case nil:
		return "NoneType"
	case tensor.Tensor:
		return "Tensor"
	case List:
		return "list"
	case Dict, *config.Dict:
		return "dict"
	case bool:
		return "bool"
	case int64:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	}
	if x, ok := v.(interface{ TypeName() string }); ok {
		return x.TypeName()
	}
	return fmt.Sprintf("%T", v)
}

// SizeText is a tensor's shape as PyTorch writes it, "torch.Size([2, 3])", for messages.
func SizeText(t tensor.Tensor) string { return ShapeText(t.Shape()) }

// ShapeText is the same of a shape without a tensor.
func ShapeText(shape []int64) string {
	return "torch.Size(" + strings.ReplaceAll(fmt.Sprint(shape), " ", ", ") + ")"
}
