package mine

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// Lion steps by the sign of a momentum: Chen et al., https://arxiv.org/abs/2302.06675.
type Lion struct {
	Params lighter.Params `cfg:"params,required" help:"what to optimize: parameters, or groups of them"`
	LR     float64        `cfg:"lr" help:"learning rate"`
	Beta1  float64        `cfg:"beta1" help:"weight of the momentum in a step"`
	Beta2  float64        `cfg:"beta2" help:"how long the momentum lasts"`
}

func init() {
	lighter.Register[lighter.Optimizer]("mine.Lion", Lion{LR: 1e-4, Beta1: 0.9, Beta2: 0.99})
}

func (c Lion) Build(*lighter.Env) (lighter.Optimizer, error) {
	options := []lighter.Option{{Name: "lr", Value: c.LR}, {Name: "beta1", Value: c.Beta1}, {Name: "beta2", Value: c.Beta2}}
	groups, err := lighter.NewParamGroups(c.Params, options, "exp_avg")
	if err != nil {
		return nil, err
	}
	return &lion{groups}, nil
}

// lion has all but Name and Step of ParamGroups: the groups, the state and its way through a checkpoint.
type lion struct{ *lighter.ParamGroups }

func (o *lion) Name() string { return "Lion" }

func (o *lion) Step() {
	o.Each(func(g *lighter.ParamGroup, param, grad tensor.Tensor, state []tensor.Tensor) {
		beta1, beta2 := g.Option("beta1").(float64), g.Option("beta2").(float64)
		step := tensor.CallOne("lerp", grad, state[0], beta1)
		param.AddInPlace(tensor.CallOne("sign", step), -g.LR())
		state[0].CopyInPlace(tensor.CallOne("lerp", grad, state[0], beta2))
	})
}
