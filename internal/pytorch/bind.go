package pytorch

import (
	"fmt"
	"math/big"
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

func isInt(v any) bool {
	switch v.(type) {
	case int64, int:
		return true
	}
	return false
}

func firstNotInt(vs []any) any {
	for _, v := range vs {
		if !isInt(v) {
			return v
		}
	}
	return vs
}

// scalarOf is the value of a tensor of no dimensions that stands for a number.
func scalarOf(t tensor.Tensor) (any, bool) {
	if t.Dim() != 0 || t.RequiresGrad() {
		return nil, false
	}
	switch d := t.DType(); {
	case d == tensor.Bool:
		return t.Int() != 0, true
	case d == tensor.Complex64 || d == tensor.Complex128:
		return nil, false
	case d.IsFloat():
		return t.Item(), true
	}
	return t.Int(), true
}

// convert adds a value as an argument's; false when it is of another type.
func (c *binding) convert(p *param, v any) bool {
	if v == nil {
		if p.optional || p.kind == kindGenerator {
			c.args.None()
			return true
		}
		return false
	}
	if !p.list {
		return c.single(p, v)
	}
	items, ok := elements(v)
	if !ok {
		if p.repeat == 0 {
			return false
		}
		kind := listKind(p)
		switch p.kind {
		case kindInt, kindFloat, kindBool:
		default:
			return false
		}
		c.args.List(kind, p.repeat)
		for range p.repeat {
			if !c.single(p, v) {
				return false
			}
		}
		return true
	}
	c.args.List(listKind(p), len(items))
	for _, it := range items {
		if it == nil && p.element {
			c.args.None()
			continue
		}
		if it == nil || !c.single(p, it) {
			return false
		}
	}
	return true
}

func listKind(p *param) byte {
	switch p.kind {
	case kindTensor:
		if p.element {
			return 'o'
		}
		return 't'
	case kindFloat:
		return 'd'
	case kindBool:
		return 'b'
	case kindNumber:
		return 'x'
	case kindText:
		return 's'
	}
	return 'i'
}

func (c *binding) single(p *param, v any) bool {
	switch p.kind {
	case kindTensor:
		if t, ok := v.(tensor.Tensor); ok {
			c.args.Tensor(t)
			return true
		}
		if p, ok := v.(interface{ Tensor() tensor.Tensor }); ok {
			c.args.Tensor(p.Tensor())
			return true
		}
		if c.op.numbers && !p.list {
			c.args.Wrapped()
			return c.number(v)
		}
		return false
	case kindNumber:
		if t, ok := v.(tensor.Tensor); ok {
			if v, ok = scalarOf(t); !ok {
				return false
			}
		}
		return c.number(v)
	case kindInt:
		if t, ok := v.(tensor.Tensor); ok {
			n, isScalar := scalarOf(t)
			if v, ok = n.(int64); !ok || !isScalar {
				return false
			}
		}
		switch v := v.(type) {
		case int64:
			c.args.Int(v)
			return true
		case int:
			c.args.Int(int64(v))
			return true
		}
	case kindFloat:
		if t, ok := v.(tensor.Tensor); ok {
			if v, ok = scalarOf(t); !ok {
				return false
			}
		}
		if f, ok := toFloat(v); ok {
			c.args.Float(f)
			return true
		}
	case kindBool:
		if b, ok := v.(bool); ok {
			c.args.Bool(b)
			return true
		}
	case kindText:
		if s, ok := v.(string); ok {
			c.args.Text(s)
			return true
		}
	case kindDType:
		if d, ok := dtypeOf(v); ok {
			c.args.Int(int64(d))
			return true
		}
	case kindLayout:
		if l, ok := v.(Layout); ok {
			c.args.Int(int64(l))
			return true
		}
	case kindFormat:
		if f, ok := v.(Format); ok {
			c.args.Int(int64(f))
			return true
		}
	case kindGenerator:
		if g, ok := v.(drawer); ok {
			c.generator = g
			c.args.None()
			return true
		}
	case kindDevice:
		switch v := v.(type) {
		case tensor.Device:
			c.args.Device(v)
			return true
		case string:
			d, err := parseDevice(v)
			if err != nil {
				c.bad.msg = err.Error()
				return false
			}
			c.args.Device(d)
			return true
		case int64:
			c.args.Device(tensor.Device{Type: tensor.CUDA, Index: int(v)})
			return true
		}
	}
	return false
}

func (c *binding) number(v any) bool {
	switch v := v.(type) {
	case bool:
		c.args.Bool(v)
	case int64:
		c.args.Int(v)
	case int:
		c.args.Int(int64(v))
	case float64:
		c.args.Float(v)
	case *big.Int:
		c.bad.msg = "Overflow when unpacking long"
		return false
	default:
		return false
	}
	return true
}

func toFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case int64:
		return float64(v), true
	case int:
		return float64(v), true
	case float64:
		return v, true
	case *big.Int:
		f, _ := new(big.Float).SetInt(v).Float64()
		return f, true
	}
	return 0, false
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
