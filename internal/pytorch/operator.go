package pytorch

import (
	"sync"

	"github.com/lighter-go/lighter/tensor"
)

// operator is an ATen operator with its overloads in the order in which they are tried.
type operator struct {
	name    string
	plain   []*signature // without out
	outs    []*signature // with results to write into, by the keyword out
	numbers bool         // a number stands for a tensor, as in x + 1
	inPlace bool
}

// takesNumbers are the operators whose tensors may be numbers (should_allow_numbers_as_tensors of python_arg_parser.cpp).
var takesNumbers = map[string]bool{}

func init() {
	for _, name := range []string{"add", "sub", "mul", "div", "divide", "multiply", "subtract", "true_divide", "floor_divide"} {
		takesNumbers[name], takesNumbers[name+"_"] = true, true
	}
	for _, name := range []string{"to", "_to_copy", "copy_", "copy"} {
		takesNumbers[name] = true
	}
}

var operators sync.Map // name -> *operator

// find gives an ATen operator; nil when there is none of the name.
func find(name string) *operator {
	if o, ok := operators.Load(name); ok {
		return o.(*operator)
	}
	var o *operator
	for _, overload := range tensor.Overloads(name) {
		s := parseSchema(overload)
		if s == nil || !s.usable() || takesNumbers[name] && (s.label() == "Scalar" || s.label() == "Scalar_out") {
			continue
		}
		if o == nil {
			o = &operator{name: name, numbers: takesNumbers[name], inPlace: len(name) > 1 && name[len(name)-1] == '_' && name[len(name)-2] != '_'}
		}
		if s.outs > 0 {
			o.outs = append(o.outs, s)
		} else {
			o.plain = append(o.plain, s)
		}
	}
	if o != nil {
		o.plain, o.outs = sortOverloads(o.plain), sortOverloads(o.outs)
		operators.Store(name, o)
	}
	return o
}

// method says whether the operator is one of a tensor.
func (o *operator) method() bool {
	for _, s := range o.plain {
		if s.self >= 0 {
			return true
		}
	}
	return false
}

// call calls the operator with Python's arguments; self is the tensor whose method it is.
func (o *operator) call(self *tensor.Tensor, args []any, kwargs map[string]any) (v any, err error) {
	defer tensor.Recover(&err)
	candidates, out := o.plain, any(nil)
	if given, ok := kwargs["out"]; ok && (given != nil || len(o.outs) > 0) && len(o.outs) > 0 {
		if given != nil {
			candidates, out = o.outs, given
		}
	}
	c := calls.Get().(*binding)
	defer c.release()
	c.op, c.self, c.pos, c.kw, c.out = o, self, args, kwargs, out
	for _, s := range candidates {
		if c.bind(s) {
			return c.invoke(s)
		}
	}
	return nil, c.failures(candidates)
}

// run calls an operator from Go; it panics on a failure. A kw among the arguments is a keyword argument.
func run(name string, args ...any) any {
	o := find(name)
	if o == nil {
		tensor.Fail(name, "libtorch has no operator of this name")
	}
	var kwargs map[string]any
	pos := args
	for i, a := range args {
		if k, ok := a.(kw); ok {
			if kwargs == nil {
				kwargs, pos = map[string]any{}, args[:i]
			}
			kwargs[k.name] = k.value
		}
	}
	v, err := o.call(nil, pos, kwargs)
	if err != nil {
		raise(name, err)
	}
	return v
}

// one is [run] for a tensor as the result.
func one(name string, args ...any) tensor.Tensor {
	t, ok := run(name, args...).(tensor.Tensor)
	if !ok {
		tensor.Fail(name, "gives no tensor")
	}
	return t
}

type kw struct {
	name  string
	value any
}

// raise goes on with an error as the operation's panic.
func raise(op string, err error) {
	if e, ok := err.(*tensor.Error); ok {
		panic(e)
	}
	panic(&tensor.Error{Op: op, Kind: tensor.BadArguments, Msg: err.Error(), Full: err.Error()})
}
