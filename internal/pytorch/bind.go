package pytorch

import (
	"fmt"
	"sync"

	"github.com/lighter-go/lighter/tensor"
)

// binding is one call: the arguments given, and those of the overload being tried.
type binding struct {
	op   *operator
	self *tensor.Tensor
	pos  []any
	kw   map[string]any
	out  any

	args         tensor.Args
	requiresGrad bool
	generator    drawer // in place of the default one
	bad          mismatch
}

// drawer is a torch.Generator: it runs a function with its own random numbers.
type drawer interface{ Draw(f func()) }

// mismatch is why the arguments don't fit a signature.
type mismatch struct {
	missing  []string
	tooMany  int    // positional arguments it takes at most
	position int    // of a wrong argument, from 1; 0 for a keyword
	name     string // of a wrong argument
	want     string
	got      any
	unknown  string // keyword
	twice    string
	msg      string
}

var calls = sync.Pool{New: func() any { return new(binding) }}

func (c *binding) release() {
	c.self, c.pos, c.kw, c.out, c.op, c.generator = nil, nil, nil, nil, nil, nil
	c.bad = mismatch{}
	calls.Put(c)
}

// synonyms are other names of an argument, NumPy's among them.
func synonyms(name string) []string {
	switch name {
	case "self":
		return []string{"input", "x", "a", "x1"}
	case "input":
		return []string{"x", "a", "x1"}
	case "dim":
		return []string{"axis"}
	case "keepdim":
		return []string{"keepdims"}
	case "other":
		return []string{"x2"}
	}
	return nil
}

func (c *binding) keyword(name string) (any, bool) {
	if v, ok := c.kw[name]; ok {
		return v, true
	}
	for _, s := range synonyms(name) {
		if v, ok := c.kw[s]; ok {
			return v, true
		}
	}
	return nil, false
}

// bind places the arguments by a signature, in c.args; false when they don't fit, and c.bad says why.
func (c *binding) bind(s *signature) bool {
	c.args.Reset()
	c.bad = mismatch{}
	c.requiresGrad, c.generator = false, nil
	self := -1
	if c.self != nil {
		if self = s.self; self < 0 {
			c.bad.msg = "it is no method of a tensor"
			return false
		}
	}
	places := 0 // for positional arguments
	first := -1
	for i := range s.params {
		if i != self && !s.params[i].keyword {
			if places++; first < 0 {
				first = i
			}
		}
	}
	// A single list of ints may be given as several arguments: view(2, 3).
	varargs := places == 1 && s.params[first].list && s.params[first].kind == kindInt && len(c.pos) > 0 && isInt(c.pos[0])
	if !varargs && len(c.pos) > places {
		c.bad.tooMany = places + 1
		return false
	}
	used, next, outs := 0, 0, 0
	for i := range s.params {
		p := &s.params[i]
		if i == self {
			c.args.Tensor(*c.self)
			continue
		}
		var v any
		given, position := false, 0
		switch {
		case p.out:
			if v = c.outAt(outs, s.outs); v == nil {
				return false
			}
			outs++
			c.args.Tensor(v.(tensor.Tensor))
			continue
		case varargs && i == first:
			v, given, position = c.pos, true, 1
			next = len(c.pos)
		case !p.keyword && next < len(c.pos):
			v, given = c.pos[next], true
			next++
			position = next
		}
		if len(c.kw) > 0 {
			if k, ok := c.keyword(p.name); ok {
				if given {
					c.bad.twice = p.name
					return false
				}
				v, given = k, true
				used++
			}
		}
		switch {
		case !given && p.required:
			if p.optional && p.keyword { // Python's bindings give these None
				c.args.None()
				continue
			}
			if p.kind == kindGenerator {
				c.args.None()
				continue
			}
			c.bad.missing = append(c.bad.missing, pythonName(p.name))
		case !given:
			c.args.Default()
		case !c.convert(p, v):
			if c.bad.msg == "" {
				c.bad.name, c.bad.position, c.bad.want, c.bad.got = pythonName(p.name), position, p.want(), v
				if varargs && i == first {
					c.bad.got = firstNotInt(c.pos)
				}
			}
			return false
		}
	}
	if len(c.bad.missing) > 0 {
		return false
	}
	if _, ok := c.kw["out"]; ok {
		if c.out == nil && c.kw["out"] != nil && len(c.op.outs) == 0 {
			c.bad.unknown = "out"
			return false
		}
		used++
	}
	if used < len(c.kw) && s.factory {
		if v, ok := c.kw["requires_grad"]; ok {
			b, isBool := v.(bool)
			if !isBool {
				c.bad.name, c.bad.want, c.bad.got = "requires_grad", "bool", v
				return false
			}
			c.requiresGrad = b
			used++
		}
	}
	if used < len(c.kw) {
		for name := range c.kw {
			if !s.takes(name, c) {
				c.bad.unknown = name
				return false
			}
		}
		c.bad.msg = "an argument is given twice, by two of its names"
		return false
	}
	return true
}

func (s *signature) takes(name string, c *binding) bool {
	if name == "out" && len(c.op.outs) > 0 || name == "requires_grad" && s.factory {
		return true
	}
	for i := range s.params {
		if c.self != nil && i == s.self || s.params[i].out {
			continue
		}
		if s.params[i].name == name {
			return true
		}
		for _, o := range synonyms(s.params[i].name) {
			if o == name {
				return true
			}
		}
	}
	return false
}

func pythonName(name string) string {
	if name == "self" {
		return "input"
	}
	return name
}

// outAt is the i-th of the tensors given as out.
func (c *binding) outAt(i, n int) any {
	items, ok := elements(c.out)
	if !ok {
		items = []any{c.out}
	}
	if len(items) == n {
		if t, ok := items[i].(tensor.Tensor); ok {
			return t
		}
	}
	want := "Tensor"
	if n > 1 {
		want = fmt.Sprintf("tuple of %d Tensors", n)
	}
	c.bad.name, c.bad.want, c.bad.got = "out", want, c.out
	return nil
}

// invoke calls the overload that was bound, and gives its results as Python has them.
func (c *binding) invoke(s *signature) (any, error) {
	name := c.op.name
	results, err := c.results(s)
	if err != nil {
		return nil, err
	}
	switch {
	case c.out != nil:
		if s.outs == 1 {
			return c.out, nil
		}
		items, _ := elements(c.out)
		return &Named{"torch.return_types." + name, s.returns, items}, nil
	case c.op.inPlace && len(results) == 1:
		if c.self != nil {
			return *c.self, nil
		}
		if len(c.pos) > 0 {
			if t, ok := c.pos[0].(tensor.Tensor); ok {
				return t, nil
			}
		}
	}
	if c.requiresGrad {
		results[0].(tensor.Tensor).SetRequiresGrad(true)
	}
	switch len(results) {
	case 0:
		return nil, nil
	case 1:
		if s.types[0] == "ScalarType" {
			return tensor.DType(results[0].(int64)), nil
		}
		return tupled(results[0]), nil
	}
	for i := range results {
		results[i] = tupled(results[i])
	}
	if s.named() {
		return &Named{"torch.return_types." + name, s.returns, results}, nil
	}
	return Tuple(results), nil
}

func (c *binding) results(s *signature) (out []any, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *tensor.Error:
			err = c.located(r)
		default:
			panic(r)
		}
	}()
	if c.generator != nil {
		c.generator.Draw(func() { out = s.overload.Invoke(c.op.name, &c.args) })
		return out, nil
	}
	return s.overload.Invoke(c.op.name, &c.args), nil
}

// tupled gives lists of results as tuples, as PyTorch's bindings do; an undefined tensor is None.
func tupled(v any) any {
	if items, ok := v.([]any); ok {
		return Tuple(items)
	}
	return v
}
