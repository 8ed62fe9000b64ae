package pytorch

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/lighter-go/lighter/tensor"
)

// functions are those that PyTorch writes in Python, by their full names.
var functions = map[string]*function{}

// constants are values by their full names.
var constants = map[string]any{}

// def declares a function: def("torch.einsum(equation, *operands)", ...).
func def(declared string, body func(a *arguments) any) {
	full := declared[:strings.IndexByte(declared, '(')]
	functions[full] = &function{declared: declared[strings.LastIndexByte(full, '.')+1:], body: body}
}

// alias gives a function another name.
func alias(name, of string) { functions[name] = functions[of] }

// modules are where ATen's operators stand, by the part of the name that is left out there.
var modules = []struct{ path, prefix string }{
	{"torch.linalg", "linalg_"}, {"torch.fft", "fft_"}, {"torch.special", "special_"}, {"torch", ""},
}

// functionals are the functions of torch.nn.functional that are operators of ATen.
var functionals = map[string]string{}

// Callable is a function of torch.
type Callable interface {
	Call(args []any, kwargs map[string]any) (any, error)
	// Check says what is wrong with the number and the names of arguments whose values are not known.
	Check(args []any, kwargs map[string]any) error
}

// Call implements [Callable].
func (f *function) Call(args []any, kwargs map[string]any) (any, error) { return f.call(args, kwargs) }

// Check implements [Callable].
func (f *function) Check(args []any, kwargs map[string]any) error {
	_, err := f.bind(args, kwargs)
	return err
}

// Call implements [Callable].
func (o *operator) Call(args []any, kwargs map[string]any) (any, error) {
	return o.call(nil, args, kwargs)
}

// Check implements [Callable].
func (o *operator) Check(args []any, kwargs map[string]any) error {
	c := calls.Get().(*binding)
	defer c.release()
	c.op, c.pos, c.kw = o, args, kwargs
	all := append(slices.Clone(o.plain), o.outs...)
	for name := range kwargs {
		if c.unknownToAll(name, all) {
			var names []string
			for _, s := range all {
				names = append(names, c.keywords(s)...)
			}
			slices.Sort(names)
			return (&mismatch{unknown: name}).error(o.name, slices.Compact(names), len(args))
		}
	}
	return nil
}

// refusal is a name that is PyTorch's and not here.
type refusal struct{ name, why string }

// Call implements [Callable].
func (r refusal) Call([]any, map[string]any) (any, error) { return nil, r.Check(nil, nil) }

// Check implements [Callable].
func (r refusal) Check([]any, map[string]any) error {
	return fmt.Errorf("%s is not supported here: %s", r.name, r.why)
}

var resolved sync.Map // full name -> what it stands for

// Name is what a full name stands for: a [Callable] or a constant.
func Name(full string) (v any, ok bool) {
	if v, ok := constants[full]; ok { // None is one
		return v, true
	}
	v, known := resolved.Load(full)
	if !known {
		if v, ok = resolve(full); ok {
			resolved.Store(full, v)
		}
	}
	return v, v != nil
}

func resolve(full string) (v any, ok bool) {
	if f, ok := functions[full]; ok {
		return f, true
	}
	if op, ok := functionals[full]; ok {
		if o := find(op); o != nil {
			return o, true
		}
	}
	dot := strings.LastIndexByte(full, '.')
	if dot < 0 || whyNot(full) != "" { // libtorch's operators can read files, for example
		return nil, false
	}
	for _, m := range modules {
		if full[:dot] == m.path {
			if o := find(m.prefix + full[dot+1:]); o != nil && (m.prefix != "" || public(full[dot+1:])) {
				return o, true
			}
		}
	}
	return nil, false
}

// Refused is a [Callable] that says why a name of PyTorch's is not here.
func Refused(full string) (Callable, bool) {
	why := whyNot(full)
	return refusal{full, why}, why != ""
}

// public leaves out the operators that stand in a module of their own.
func public(name string) bool {
	return !slices.ContainsFunc(modules, func(m struct{ path, prefix string }) bool { return m.prefix != "" && strings.HasPrefix(name, m.prefix) })
}

// Names are all full names.
var Names = sync.OnceValue(func() []string {
	var names []string
	for n := range functions {
		names = append(names, n)
	}
	for n := range constants {
		names = append(names, n)
	}
	for n := range functionals {
		names = append(names, n)
	}
	for _, n := range tensor.Operators() {
		if n[0] == '_' {
			continue
		}
		for _, m := range modules {
			if rest, ok := strings.CutPrefix(n, m.prefix); ok {
				names = append(names, m.path+"."+rest)
				break
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
})

// IsModule says whether names begin with this one.
func IsModule(full string) bool {
	switch full {
	case "torch", "torch.nn", "torch.nn.functional", "torch.nn.init", "torch.linalg", "torch.fft", "torch.special":
		return true
	}
	prefix := full + "."
	for n := range functions {
		if strings.HasPrefix(n, prefix) {
			return true
		}
	}
	return slices.ContainsFunc(reasons(), func(r reason) bool { return strings.HasPrefix(r.pattern, prefix) })
}
