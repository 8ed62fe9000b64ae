package optim

import (
	"cmp"
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() { register("rmsprop", "RMSprop", RMSprop{LR: 1e-2, Alpha: 0.99, Eps: 1e-8}) }

// RMSprop is torch.optim.RMSprop (Hinton's lecture notes).
type RMSprop struct {
	Params         lighter.Params `cfg:"params,required,aka=parameters" help:"what to optimize: parameters, or groups of them"`
	LR             float64        `cfg:"lr,aka=learning_rate" help:"learning rate"`
	Alpha          float64        `cfg:"alpha" help:"decay of the running average of the squared gradient"`
	Eps            float64        `cfg:"eps,aka=epsilon" help:"added to the denominator"`
	WeightDecay    float64        `cfg:"weight_decay,aka=wd|decay|l2" help:"L2 penalty"`
	Momentum       float64        `cfg:"momentum,aka=mom" help:"momentum factor"`
	Centered       bool           `cfg:"centered" help:"divide by an estimate of the gradient's variance"`
	Capturable     bool           `cfg:"capturable,ignored" help:"for CUDA graphs, which are not recorded here"`
	Foreach        *bool          `cfg:"foreach" help:"the step is PyTorch's order of operations either way"`
	Maximize       bool           `cfg:"maximize" help:"ascend instead"`
	Differentiable bool           `cfg:"differentiable" help:"not available: keep it false"`
}

func (c RMSprop) options() []lighter.Option {
	return []lighter.Option{
		{Name: "lr", Value: c.LR},
		{Name: "momentum", Value: c.Momentum},
		{Name: "alpha", Value: c.Alpha},
		{Name: "eps", Value: c.Eps},
		{Name: "centered", Value: c.Centered},
		{Name: "weight_decay", Value: c.WeightDecay},
		{Name: "capturable", Value: c.Capturable},
		{Name: "foreach", Value: maybe(c.Foreach)},
		{Name: "maximize", Value: c.Maximize},
		{Name: "differentiable", Value: c.Differentiable},
	}
}

// Validate implements the registry's Validator.
func (c RMSprop) Validate() error {
	return cmp.Or(validate(c.options(), checkRMSprop), implementation(c.Foreach, nil, c.Differentiable))
}

// Build implements the registry's Builder.
func (c RMSprop) Build(env *lighter.Env) (lighter.Optimizer, error) {
	return build(env, "RMSprop", rmsprop, c.Params, c.options(), checkRMSprop)
}

func checkRMSprop(g *lighter.ParamGroup) error {
	return notNegative(g, "lr", "learning rate", "eps", "epsilon value", "momentum", "momentum value", "weight_decay", "weight_decay value", "alpha", "alpha value")
}

var rmsprop = &rule{
	step: tensor.RuleRMSprop, counts: true,
	options: []string{"lr", "momentum", "alpha", "eps", "centered", "weight_decay", "maximize"},
	columns: func(g *lighter.ParamGroup) []spec {
		names := []string{"square_avg"}
		if option(g, "momentum") > 0 {
			names = append(names, "momentum_buffer")
		}
		if flag(g, "centered") {
			names = append(names, "grad_avg")
		}
		return like(names...)
	},
}
