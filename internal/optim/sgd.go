package optim

import (
	"cmp"
	"github.com/lighter-go/lighter"
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

func (c SGD) options() []lighter.Option {
	return []lighter.Option{
		{Name: "lr", Value: c.LR}, {Name: "momentum", Value: c.Momentum}, {Name: "dampening", Value: c.Dampening},
		{Name: "weight_decay", Value: c.WeightDecay}, {Name: "nesterov", Value: c.Nesterov}, {Name: "maximize", Value: c.Maximize},
		{Name: "foreach", Value: maybe(c.Foreach)}, {Name: "differentiable", Value: c.Differentiable}, {Name: "fused", Value: maybe(c.Fused)},
	}
}

// Validate implements the registry's Validator.
func (c SGD) Validate() error {
	return cmp.Or(validate(c.options(), checkSGD), implementation(c.Foreach, c.Fused, c.Differentiable))
}

func checkSGD(g *lighter.ParamGroup) error {
	if err := notNegative(g, "lr", "learning rate", "momentum", "momentum value", "weight_decay", "weight_decay value"); err != nil {
		return err
	}
	if flag(g, "nesterov") && (option(g, "momentum") <= 0 || option(g, "dampening") != 0) {
		return refuse("nesterov", "Nesterov momentum requires a momentum and zero dampening")
	}
	return nil
}

// Build implements the registry's Builder.
func (c SGD) Build(env *lighter.Env) (lighter.Optimizer, error) {
	return build(env, "SGD", sgd, c.Params, c.options(), checkSGD)
}

var sgd = &rule{
	step: tensor.RuleSGD, byDefault: true,
	options: []string{"lr", "momentum", "dampening", "weight_decay", "nesterov", "maximize"},
	columns: func(g *lighter.ParamGroup) []spec {
		if option(g, "momentum") == 0 {
			return nil
		}
		return like("momentum_buffer")
	},
	fused: fusedSGD,
}

func fusedSGD(b *bucket, newly []int) {
	g := b.g.ParamGroup
	s := tensor.SGDStep{
		LR: option(g, "lr"), Momentum: option(g, "momentum"), Dampening: option(g, "dampening"), WeightDecay: option(g, "weight_decay"),
		Nesterov: flag(g, "nesterov"), Maximize: flag(g, "maximize"),
	}
	switch {
	case len(b.state) == 0:
		b.params.FusedSGD(tensor.List{}, s)
		return
	case newly == nil:
		b.params.FusedSGD(b.state[0], s)
		return
	}
	var old []int // those that have a momentum already
	for _, i := range b.index {
		if b.g.started[i] && !contains(pick(b.g.Params, newly), b.g.Params[i]) {
			old = append(old, i)
		}
	}
	s.First = true
	if old == nil {
		b.params.FusedSGD(b.state[0], s)
		return
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
