package pytorch

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lighter-go/lighter/internal/diag"
	"github.com/lighter-go/lighter/tensor"
)

// want is what an argument must be, in PyTorch's words.
func (p *param) want() string {
	word := map[kind]string{
		kindTensor: "Tensor", kindNumber: "Number", kindInt: "int", kindFloat: "float", kindBool: "bool", kindText: "str", kindDType: "torch.dtype",
		kindLayout: "torch.layout", kindFormat: "torch.memory_format", kindDevice: "torch.device", kindGenerator: "torch.Generator",
	}[p.kind]
	switch {
	case word == "":
		return p.text
	case p.list && p.kind == kindTensor:
		return "tuple of Tensors"
	case p.list:
		return "tuple of " + word + "s"
	}
	return word
}

// failure says why the arguments do not fit the only overload, as PyTorch's bindings do.
func (c *binding) failure(s *signature) error {
	return c.bad.error(c.op.name, c.keywords(s), len(c.pos))
}

func (c *binding) keywords(s *signature) []string {
	var names []string
	for i, p := range s.params {
		if c.self != nil && i == s.self || p.out {
			continue
		}
		names = append(names, pythonName(p.name))
	}
	if len(c.op.outs) > 0 {
		names = append(names, "out")
	}
	return names
}

func (b *mismatch) error(op string, keywords []string, given int) error {
	switch {
	case b.msg != "":
		return fmt.Errorf("%s(): %s", op, b.msg)
	case b.unknown != "":
		return fmt.Errorf("%s() got an unexpected keyword argument '%s'%s", op, b.unknown, meant(b.unknown, keywords))
	case b.twice != "":
		return fmt.Errorf("%s() got multiple values for argument '%s'", op, pythonName(b.twice))
	case len(b.missing) > 0:
		return fmt.Errorf("%s() missing %d required positional arguments: \"%s\"", op, len(b.missing), strings.Join(b.missing, `", "`))
	case b.name != "":
		at := ""
		if b.position > 0 {
			at = fmt.Sprintf(" (position %d)", b.position)
		}
		return fmt.Errorf("%s(): argument '%s'%s must be %s, not %s", op, b.name, at, b.want, typeNames(b.got))
	}
	most := b.tooMany - 1
	return fmt.Errorf("%s() takes %d positional argument%s but %d %s given", op, most, plural(most), given, map[bool]string{true: "was", false: "were"}[given == 1])
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// meant suggests the name that a wrong one is likely to be.
func meant(name string, known []string) string {
	if near := diag.Nearest(name, known, 1); len(near) > 0 {
		return fmt.Sprintf(", did you mean '%s'?", near[0])
	}
	return ""
}

// failures says why the arguments fit none of several overloads. One that they fit by number and by keywords alone is taken for
// the one meant.
func (c *binding) failures(candidates []*signature) error {
	for name := range c.kw {
		if c.unknownToAll(name, candidates) {
			var all []string
			for _, o := range candidates {
				all = append(all, c.keywords(o)...)
			}
			slices.Sort(all)
			return (&mismatch{unknown: name}).error(c.op.name, slices.Compact(all), len(c.pos))
		}
	}
	if len(candidates) == 1 {
		c.bind(candidates[0])
		return c.failure(candidates[0])
	}
	var plausible []*signature
	for _, s := range candidates {
		if c.bind(s) {
			continue
		}
		if c.bad.name != "" || c.bad.msg != "" {
			plausible = append(plausible, s)
		}
	}
	if len(plausible) == 1 {
		c.bind(plausible[0])
		return c.failure(plausible[0])
	}
	var got []string
	for _, a := range c.pos {
		got = append(got, typeNames(a))
	}
	for name, v := range c.kw {
		got = append(got, name+"="+typeNames(v))
	}
	slices.Sort(got[len(c.pos):])
	text := fmt.Sprintf("%s() received an invalid combination of arguments - got (%s), but expected one of:", c.op.name, strings.Join(got, ", "))
	for _, s := range candidates {
		text += "\n * " + s.text(c.self != nil)
	}
	return fmt.Errorf("%s", text)
}

func (c *binding) unknownToAll(name string, candidates []*signature) bool {
	return !slices.ContainsFunc(candidates, func(s *signature) bool { return s.takes(name, c) })
}

// located is an error of libtorch's with the tensors that were given.
func (c *binding) located(e *tensor.Error) *tensor.Error {
	var shapes []string
	add := func(v any) {
		if t, ok := v.(tensor.Tensor); ok && t.Defined() {
			shapes = append(shapes, describe(t))
		}
	}
	if c.self != nil {
		add(*c.self)
	}
	for _, v := range c.pos {
		add(v)
		if items, ok := elements(v); ok {
			for _, it := range items {
				add(it)
			}
		}
	}
	for _, v := range c.kw {
		add(v)
	}
	return withShapes(e, shapes)
}

func withShapes(e *tensor.Error, shapes []string) *tensor.Error {
	if len(shapes) == 0 {
		return e
	}
	if len(shapes) > 6 {
		shapes = append(shapes[:6], "...")
	}
	own := *e
	own.Msg += " [" + strings.Join(shapes, ", ") + "]"
	return &own
}

// describe is a tensor in a message: float32(2, 3).
func describe(t tensor.Tensor) string {
	var b strings.Builder
	b.WriteString(t.DType().String())
	b.WriteByte('(')
	for i, n := range t.Shape() {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprint(&b, n)
	}
	b.WriteByte(')')
	if d := t.Device(); d.Type != tensor.CPU {
		b.WriteString(" on " + d.String())
	}
	return b.String()
}
