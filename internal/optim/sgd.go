package optim

import (
	"errors"
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

func init() { register("sgd", "SGD", SGD{LR: 1e-3}) }

// SGD is torch.optim.SGD: stochastic gradient descent, with momentum and Nesterov's on request.
type SGD struct {
	Params         lighter.Params `cfg:"params,required,aka=parameters" help:"what to optimize: parameters, or groups of them"`
	LR             float64        `cfg:"lr,aka=learning_rate" help:"learning rate"`
	Momentum       float64        `cfg:"momentum,aka=mom" help:"momentum factor"`
	Dampening      float64        `cfg:"dampening" help:"dampening of the momentum"`
	WeightDecay    float64        `cfg:"weight_decay,aka=wd|decay|l2" help:"L2 penalty"`
	Nesterov       bool           `cfg:"nesterov" help:"Nesterov's momentum; needs momentum and no dampening"`
	Maximize       bool           `cfg:"maximize" help:"ascend instead"`
	Foreach        *bool          `cfg:"foreach" help:"PyTorch's order of operations, as with fused: false"`
	Differentiable bool           `cfg:"differentiable" help:"not available: keep it false"`
	Fused          *bool          `cfg:"fused" help:"one operation a step (the default); false for PyTorch's order"`
}

// Validate implements the registry's Validator.
func (c SGD) Validate() error {
	switch {
	case c.LR < 0:
		return lighter.FieldError("lr", "Invalid learning rate: %s", expr.Float(c.LR))
	case c.Momentum < 0:
		return lighter.FieldError("momentum", "Invalid momentum value: %s", expr.Float(c.Momentum))
	case c.WeightDecay < 0:
		return lighter.FieldError("weight_decay", "Invalid weight_decay value: %s", expr.Float(c.WeightDecay))
	case c.Nesterov && (c.Momentum <= 0 || c.Dampening != 0):
		return lighter.FieldError("nesterov", "Nesterov momentum requires a momentum and zero dampening")
	}
	return implementation(c.Foreach, c.Fused, c.Differentiable)
}

// implementation checks the arguments that choose between PyTorch's implementations.
func implementation(foreach, fused *bool, differentiable bool) error {
	isFused := fused != nil && *fused
	switch {
	case isFused && differentiable:
		return lighter.FieldError("differentiable", "`fused` does not support `differentiable`")
	case differentiable:
		return lighter.FieldError("differentiable", "a step that autograd records is not available")
	case isFused && foreach != nil && *foreach:
		return lighter.FieldError("fused", "`fused` and `foreach` cannot be `True` together.")
	}
	return nil
}

// maybe is an option that may be null.
func maybe(b *bool) any {
	if b == nil {
		return nil
	}
	return *b
}

// Build implements the registry's Builder.
func (c SGD) Build(env *lighter.Env) (lighter.Optimizer, error) {
	return build(env, "SGD", sgd{}, c.Params, []lighter.Option{
		{Name: "lr", Value: c.LR}, {Name: "momentum", Value: c.Momentum}, {Name: "dampening", Value: c.Dampening},
		{Name: "weight_decay", Value: c.WeightDecay}, {Name: "nesterov", Value: c.Nesterov}, {Name: "maximize", Value: c.Maximize},
		{Name: "foreach", Value: maybe(c.Foreach)}, {Name: "differentiable", Value: c.Differentiable}, {Name: "fused", Value: maybe(c.Fused)},
	}, func(g *lighter.ParamGroup) error {
		if flag(g, "nesterov") && (option(g, "momentum") <= 0 || option(g, "dampening") != 0) {
			//lint:ignore ST1005 PyTorch's wording
			return errors.New("Nesterov momentum requires a momentum and zero dampening")
		}
		return notNegative(g, "lr", "learning rate", "momentum", "momentum value", "weight_decay", "weight_decay value")
	})
}

// notNegative checks options of a group, given as names and PyTorch's words for them in turn.
func notNegative(g *lighter.ParamGroup, names ...string) error {
	for i := 0; i < len(names); i += 2 {
		if v := option(g, names[i]); !(v >= 0) {
			//lint:ignore ST1005 PyTorch's wording
			return fmt.Errorf("Invalid %s: %s", names[i+1], expr.Float(v))
		}
	}
	return nil
}

type sgd struct{}

func (sgd) counts() bool { return false }

func (sgd) columns(g *lighter.ParamGroup) []string {
	if option(g, "momentum") == 0 {
		return nil
	}
	return []string{"momentum_buffer"}
}

func (sgd) fused(b *bucket) {
	g := b.g.ParamGroup
	s := tensor.SGDStep{
		LR: option(g, "lr"), Momentum: option(g, "momentum"), Dampening: option(g, "dampening"), WeightDecay: option(g, "weight_decay"),
		Nesterov: flag(g, "nesterov"), Maximize: flag(g, "maximize"),
	}
	if len(b.state) == 0 {
		b.newly()
		b.params.FusedSGD(tensor.List{}, s)
		return
	}
	started := false
	for _, i := range b.index {
		started = started || b.g.pending > 0 && b.g.started[i]
	}
	newly := b.newly()
	s.First = newly != nil
	if !started || newly == nil {
		b.params.FusedSGD(b.state[0], s)
		return
	}
	// Some parameters have a momentum and others begin: two calls.
	var old []int
	for _, i := range b.index {
		if b.g.started[i] && !contains(pick(b.g.Params, newly), b.g.Params[i]) {
			old = append(old, i)
		}
	}
	for _, part := range [][]int{newly, old} {
		params, state, _ := b.lists(part)
		params.FusedSGD(state[0], s)
		params.Free()
		state[0].Free()
		s.First = false
	}
}

func pick(ts []tensor.Tensor, index []int) []tensor.Tensor {
	some := make([]tensor.Tensor, len(index))
	for k, i := range index {
		some[k] = ts[i]
	}
	return some
}

// plain is PyTorch's _single_tensor_sgd.
func (sgd) plain(g *lighter.ParamGroup, w *work) {
	grads := direction(g, w)
	if wd := option(g, "weight_decay"); wd != 0 {
		grads = foreach("_foreach_add", grads, w.params, alpha(wd))
	}
	if momentum := option(g, "momentum"); momentum != 0 {
		buffers := w.state[0]
		var old, theirs []tensor.Tensor
		for i, first := range w.first {
			if first {
				buffers[i].CopyInPlace(grads[i])
			} else {
				old, theirs = append(old, buffers[i]), append(theirs, grads[i])
			}
		}
		if old != nil {
			tensor.Call("_foreach_mul_", old, momentum)
			tensor.Call("_foreach_add_", old, theirs, alpha(1-option(g, "dampening")))
		}
		if flag(g, "nesterov") {
			grads = foreach("_foreach_add", grads, buffers, alpha(momentum))
		} else {
			grads = buffers
		}
	}
	tensor.Call("_foreach_add_", w.params, grads, alpha(-option(g, "lr")))
}

// direction is the gradients, negated to maximize.
func direction(g *lighter.ParamGroup, w *work) []tensor.Tensor {
	if flag(g, "maximize") {
		return foreach("_foreach_neg", w.grads)
	}
	return w.grads
}

func alpha(v float64) tensor.Kwarg { return tensor.Kwarg{Name: "alpha", Value: v} }

// foreach calls an operator that gives a list of tensors.
func foreach(op string, args ...any) []tensor.Tensor {
	results := tensor.Call(op, args...)
	if len(results) == 1 {
		if items, ok := results[0].([]any); ok {
			results = items
		}
	}
	ts := make([]tensor.Tensor, len(results))
	for i, r := range results {
		ts[i] = r.(tensor.Tensor)
	}
	return ts
}
