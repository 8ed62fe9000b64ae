package project

import (
	"errors"
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

// Function is a torch.autograd.Function of user code: forward(ctx, *args) gives tensors, backward(ctx, *grads) the gradient of
// every argument, None where there is none. f.apply(*args), or f(*args), calls it.
type Function struct {
	members
	s     *session
	class string
}

func newFunction(s *session, args []any, kwargs *expr.Dict) (any, error) {
	f := &Function{s: s, class: s.className("torch.autograd.Function")}
	if err := s.fill(f, "torch.autograd.Function", args, kwargs); err != nil {
		return nil, err
	}
	if f.function("forward") == nil || f.function("backward") == nil {
		return nil, errors.New("torch.autograd.Function() needs the functions forward(ctx, *args) and backward(ctx, *grads)")
	}
	return f, nil
}

func (f *Function) held() *members { return &f.members }

// TypeName is the class's name.
func (f *Function) TypeName() string { return lastPart(f.class) }

func (f *Function) names() []string { return []string{"apply"} }

func (f *Function) attr(name string) (any, bool) {
	if name != "apply" && name != "__call__" {
		return nil, false
	}
	return expr.Func(func(args []any, kwargs map[string]any) (any, error) {
		if len(kwargs) > 0 {
			return nil, errors.New("apply() takes no keyword arguments")
		}
		return f.apply(args)
	}), true
}

func (f *Function) setAttr(string, any) (bool, error) { return false, nil }

// Context is what forward keeps for backward.
type Context struct {
	members
	saved []tensor.Tensor // kept
	needs []bool
}

func (c *Context) held() *members { return &c.members }

// TypeName is PyTorch's.
func (c *Context) TypeName() string { return "FunctionCtx" }

func (c *Context) names() []string {
	return []string{"save_for_backward", "saved_tensors", "needs_input_grad"}
}

func (c *Context) attr(name string) (any, bool) {
	switch name {
	case "save_for_backward":
		return expr.Func(func(args []any, _ map[string]any) (any, error) {
			for _, a := range args {
				t, ok := tensorOf(lighter.Plain(a))
				if !ok {
					return nil, fmt.Errorf("save_for_backward can only save variables, but argument is of type %s", lighter.TypeName(a))
				}
				c.saved = append(c.saved, t.Keep())
			}
			return nil, nil
		}), true
	case "saved_tensors":
		out := make(expr.Tuple, len(c.saved))
		for i, t := range c.saved {
			out[i] = t.Keep().Adopt()
		}
		return out, true
	case "needs_input_grad":
		out := make(expr.Tuple, len(c.needs))
		for i, n := range c.needs {
			out[i] = n
		}
		return out, true
	case "set_materialize_grads", "mark_non_differentiable", "mark_dirty":
		return expr.Func(func([]any, map[string]any) (any, error) { return nil, nil }), true
	}
	return nil, false
}

func (c *Context) setAttr(string, any) (bool, error) { return false, nil }

// release frees what forward has saved.
func (c *Context) release() {
	for _, t := range c.saved {
		t.Free()
	}
	c.saved = nil
}

func (f *Function) apply(args []any) (any, error) {
	ctx := &Context{}
	f.s.holders = append(f.s.holders, &ctx.members)
	defer func() { f.s.holders = f.s.holders[:len(f.s.holders)-1] }()
	var inputs []tensor.Tensor
	at := make([]int, len(args)) // of each argument among the inputs, -1 for what is no tensor
	grad := false
	for i, a := range args {
		at[i] = -1
		t, ok := tensorOf(a)
		ctx.needs = append(ctx.needs, ok && t.RequiresGrad())
		if ok {
			at[i] = len(inputs)
			inputs = append(inputs, t)
			grad = grad || t.RequiresGrad()
		}
	}
	recording := grad && tensor.GradEnabled()
	restore := tensor.SetGradEnabled(false)
	v, err := f.function("forward").Call(append([]any{ctx}, args...), nil)
	restore()
	if err != nil || !recording {
		ctx.release()
		return v, err
	}
	outputs, rebuild, err := tensorsOf(v)
	if err != nil {
		ctx.release()
		return nil, fmt.Errorf("%s: forward() must return a Tensor or a tuple of them, got %s", f.TypeName(), lighter.TypeName(v))
	}
	backward := func(grads []tensor.Tensor) []tensor.Tensor {
		in := []any{ctx}
		for i, g := range grads {
			if !g.Defined() { // PyTorch materialises them
				g = tensor.CallOne("zeros_like", outputs[i])
			}
			in = append(in, g)
		}
		v, err := f.function("backward").Call(in, nil)
		throw(f.TypeName(), err)
		given, isTuple := v.(expr.Tuple)
		if !isTuple {
			given = expr.Tuple{v}
		}
		if len(given) < len(args) {
			throw(f.TypeName(), fmt.Errorf("function %sBackward returned an incorrect number of gradients (expected %d, got %d)", f.TypeName(), len(args), len(given)))
		}
		out := make([]tensor.Tensor, len(inputs))
		for i, g := range given {
			t, ok := tensorOf(lighter.Plain(g))
			if i < len(at) && at[i] >= 0 && ok {
				out[at[i]] = t
			}
		}
		return out
	}
	shared := make([]tensor.Tensor, len(outputs)) // the closure looks at them when the scope of this call may be over
	for i, t := range outputs {
		shared[i] = t.Keep()
	}
	results := tensor.Function(inputs, outputs, backward, func() {
		ctx.release()
		for _, t := range shared {
			t.Free()
		}
	})
	outputs = shared
	return rebuild(results), nil
}

// tensorsOf takes what forward gave apart; rebuild gives the same form with other tensors.
func tensorsOf(v any) (ts []tensor.Tensor, rebuild func([]tensor.Tensor) any, err error) {
	if t, ok := tensorOf(v); ok {
		return []tensor.Tensor{t}, func(r []tensor.Tensor) any { return r[0] }, nil
	}
	items, ok := v.(expr.Tuple)
	if list, isList := v.([]any); isList {
		items, ok = list, true
	}
	if !ok {
		return nil, nil, errors.New("no tensors")
	}
	for _, item := range items {
		t, ok := tensorOf(item)
		if !ok {
			return nil, nil, errors.New("no tensor")
		}
		ts = append(ts, t)
	}
	return ts, func(r []tensor.Tensor) any {
		out := make(expr.Tuple, len(r))
		for i, t := range r {
			out[i] = t
		}
		return out
	}, nil
}
