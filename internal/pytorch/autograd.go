package pytorch

import (
	"fmt"

	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

// guarded is torch.no_grad() and its like: called with a function it gives that function, run in the mode.
type guarded struct {
	class string
	enter func() (leave func())
}

// TypeName implements the name in messages.
func (g *guarded) TypeName() string { return g.class }

// Attr makes it a decorator.
func (g *guarded) Attr(name string) (any, bool, []string) {
	if name != "__call__" {
		return nil, false, nil
	}
	return expr.Func(func(args []any, kwargs map[string]any) (any, error) {
		if len(args) != 1 || len(kwargs) > 0 {
			return nil, fmt.Errorf("%s()(f) takes one function", g.class)
		}
		f, ok := callable(args[0])
		if !ok {
			return nil, fmt.Errorf("%s()(f): f must be a function, not %s", g.class, typeName(args[0]))
		}
		return g.wrap(f), nil
	}), true, nil
}

func (g *guarded) wrap(f expr.Func) expr.Func {
	return func(args []any, kwargs map[string]any) (v any, err error) {
		defer tensor.Recover(&err)
		defer g.enter()()
		return f(args, kwargs)
	}
}

// decorator declares a mode in PyTorch's two forms, no_grad()(f) and no_grad(f).
func decorator(name string, enter func() func()) {
	def(name+"(orig_func=None)", func(a *arguments) any {
		g := &guarded{name, enter}
		if a.none(0) {
			return g
		}
		return g.wrap(a.function(0))
	})
}

func init() {
	decorator("torch.no_grad", func() func() { return tensor.SetGradEnabled(false) })
	decorator("torch.enable_grad", func() func() { return tensor.SetGradEnabled(true) })
	def("torch.inference_mode(mode=True)", func(a *arguments) any {
		if f, ok := callable(a.v[0]); ok {
			return (&guarded{"torch.inference_mode", tensor.InferenceMode}).wrap(f)
		}
		if !a.bool(0) {
			return &guarded{"torch.inference_mode", func() func() { return func() {} }}
		}
		return &guarded{"torch.inference_mode", tensor.InferenceMode}
	})
	def("torch.set_grad_enabled(mode)", func(a *arguments) any {
		on := a.bool(0)
		restore := tensor.SetGradEnabled(on)
		return &guarded{"torch.set_grad_enabled", func() func() {
			restore() // as a decorator it changes nothing outside the function
			return tensor.SetGradEnabled(on)
		}}
	})
	def("torch.is_grad_enabled()", func(*arguments) any { return tensor.GradEnabled() })
	alias("torch.autograd.no_grad", "torch.no_grad")
	alias("torch.autograd.enable_grad", "torch.enable_grad")
	alias("torch.autograd.set_grad_enabled", "torch.set_grad_enabled")
	alias("torch.autograd.inference_mode", "torch.inference_mode")
	for _, name := range []string{"torch.autocast(device_type, dtype=None, enabled=True, cache_enabled=None)", "torch.amp.autocast(device_type, dtype=None, enabled=True, cache_enabled=None)"} {
		def(name, func(a *arguments) any {
			d := a.device(0)
			dtype := tensor.BFloat16
			if d.Type == tensor.CUDA {
				dtype = tensor.Float16
			}
			if !a.none(1) {
				dtype = a.dtype(1)
			}
			if !a.bool(2) {
				return &guarded{"torch.autocast", func() func() { return tensor.AutocastOff(d.Type) }}
			}
			return &guarded{"torch.autocast", func() func() { return tensor.Autocast(d.Type, dtype) }}
		})
	}
	def("torch.autograd.grad(outputs, inputs, grad_outputs=None, retain_graph=None, create_graph=False, allow_unused=None, is_grads_batched=False, materialize_grads=False)", func(a *arguments) any {
		outputs, inputs := a.some(0), a.some(1)
		grads := make([]tensor.Tensor, len(outputs))
		if !a.none(2) {
			for i, g := range a.optional(2) {
				if i < len(grads) {
					grads[i] = g
				}
			}
		}
		if a.bool(6) {
			a.fail("is_grads_batched is not supported: call grad for each")
		}
		create := a.bool(4)
		retain := create
		if !a.none(3) {
			retain = a.bool(3)
		}
		materialize := a.bool(7)
		result := tensor.GradOf(outputs, grads, inputs, retain, create, a.bool(5) || materialize)
		out := make(Tuple, len(result))
		for i, g := range result {
			switch {
			case g.Defined():
				out[i] = g
			case materialize:
				out[i] = inputs[i].ZerosLike()
			}
		}
		return out
	})
	def("torch.autograd.backward(tensors, grad_tensors=None, retain_graph=None, create_graph=False, inputs=None)", func(a *arguments) any {
		outputs := a.some(0)
		grads := make([]tensor.Tensor, len(outputs))
		if !a.none(1) {
			copy(grads, a.optional(1))
		}
		create := a.bool(3)
		retain := create
		if !a.none(2) {
			retain = a.bool(2)
		}
		var inputs []tensor.Tensor
		if !a.none(4) {
			inputs = a.some(4)
		}
		tensor.BackwardOf(outputs, grads, inputs, retain, create)
		return nil
	})
}

// some are tensors given as a list, or one alone.
func (a *arguments) some(i int) []tensor.Tensor {
	if t, ok := tensorOf(a.v[i]).(tensor.Tensor); ok {
		return []tensor.Tensor{t}
	}
	return a.tensors(i)
}

// optional are tensors or None, given as a list, or one alone.
func (a *arguments) optional(i int) []tensor.Tensor {
	items, ok := elements(a.v[i])
	if !ok {
		return []tensor.Tensor{a.tensor(i)}
	}
	out := make([]tensor.Tensor, len(items))
	for j, it := range items {
		if it == nil {
			continue
		}
		if out[j], ok = tensorOf(it).(tensor.Tensor); !ok {
			a.wrong(i, "tuple of Tensors or None")
		}
	}
	return out
}
