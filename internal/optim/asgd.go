package optim

import (
	"cmp"
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() { register("asgd", "ASGD", ASGD{LR: 1e-2, Lambd: 1e-4, Alpha: 0.75, T0: 1e6}) }

// ASGD is torch.optim.ASGD: averaged stochastic gradient descent (Polyak and Juditsky 1992).
type ASGD struct {
	Params         lighter.Params `cfg:"params,required,aka=parameters" help:"what to optimize: parameters, or groups of them"`
	LR             float64        `cfg:"lr,aka=learning_rate" help:"learning rate"`
	Lambd          float64        `cfg:"lambd" help:"decay term"`
	Alpha          float64        `cfg:"alpha" help:"power of the learning rate's decay"`
	T0             float64        `cfg:"t0" help:"step from which to average"`
	WeightDecay    float64        `cfg:"weight_decay,aka=wd|decay|l2" help:"L2 penalty"`
	Foreach        *bool          `cfg:"foreach" help:"the step is PyTorch's order of operations either way"`
	Maximize       bool           `cfg:"maximize" help:"ascend instead"`
	Differentiable bool           `cfg:"differentiable" help:"not available: keep it false"`
	Capturable     bool           `cfg:"capturable,ignored" help:"for CUDA graphs, which are not recorded here"`
}

func (c ASGD) options() []lighter.Option {
	return []lighter.Option{
		{Name: "lr", Value: c.LR},
		{Name: "lambd", Value: c.Lambd},
		{Name: "alpha", Value: c.Alpha},
		{Name: "t0", Value: c.T0},
		{Name: "weight_decay", Value: c.WeightDecay},
		{Name: "foreach", Value: maybe(c.Foreach)},
		{Name: "maximize", Value: c.Maximize},
		{Name: "differentiable", Value: c.Differentiable},
		{Name: "capturable", Value: c.Capturable},
	}
}

// Validate implements the registry's Validator.
func (c ASGD) Validate() error {
	return cmp.Or(validate(c.options(), checkASGD), implementation(c.Foreach, nil, c.Differentiable))
}

// Build implements the registry's Builder.
func (c ASGD) Build(env *lighter.Env) (lighter.Optimizer, error) {
	return build(env, "ASGD", asgd, c.Params, c.options(), checkASGD)
}

func checkASGD(g *lighter.ParamGroup) error {
	return notNegative(g, "lr", "learning rate", "weight_decay", "weight_decay value")
}

var asgd = &rule{
	step: tensor.RuleASGD, counts: true,
	options: []string{"lr", "lambd", "alpha", "t0", "weight_decay", "maximize"},
	columns: always([]spec{
		{name: "eta", scalar: true, begin: (*lighter.ParamGroup).LR},
		{name: "mu", scalar: true, begin: func(*lighter.ParamGroup) float64 { return 1 }},
		{name: "ax"},
	}),
}
