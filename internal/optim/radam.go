package optim

import (
	"cmp"
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() { register("radam", "RAdam", RAdam{LR: 1e-3, Betas: []float64{0.9, 0.999}, Eps: 1e-8}) }

// RAdam is torch.optim.RAdam (Liu et al., arXiv:1908.03265): Adam whose variance is rectified.
type RAdam struct {
	Params               lighter.Params `cfg:"params,required,aka=parameters" help:"what to optimize: parameters, or groups of them"`
	LR                   float64        `cfg:"lr,aka=learning_rate" help:"learning rate"`
	Betas                []float64      `cfg:"betas" help:"decay of the running averages of the gradient and of its square"`
	Eps                  float64        `cfg:"eps,aka=epsilon" help:"added to the denominator"`
	WeightDecay          float64        `cfg:"weight_decay,aka=wd|decay|l2" help:"L2 penalty"`
	DecoupledWeightDecay bool           `cfg:"decoupled_weight_decay" help:"decay the weights apart from the gradient, as AdamW"`
	Foreach              *bool          `cfg:"foreach" help:"the step is PyTorch's order of operations either way"`
	Maximize             bool           `cfg:"maximize" help:"ascend instead"`
	Capturable           bool           `cfg:"capturable,ignored" help:"for CUDA graphs, which are not recorded here"`
	Differentiable       bool           `cfg:"differentiable" help:"not available: keep it false"`
}

func (c RAdam) options() []lighter.Option {
	return []lighter.Option{
		{Name: "lr", Value: c.LR},
		{Name: "betas", Value: c.Betas},
		{Name: "eps", Value: c.Eps},
		{Name: "weight_decay", Value: c.WeightDecay},
		{Name: "maximize", Value: c.Maximize},
		{Name: "foreach", Value: maybe(c.Foreach)},
		{Name: "capturable", Value: c.Capturable},
		{Name: "decoupled_weight_decay", Value: c.DecoupledWeightDecay},
		{Name: "differentiable", Value: c.Differentiable},
	}
}

// Validate implements the registry's Validator.
func (c RAdam) Validate() error {
	return cmp.Or(validate(c.options(), checkAdam), implementation(c.Foreach, nil, c.Differentiable))
}

// Build implements the registry's Builder.
func (c RAdam) Build(env *lighter.Env) (lighter.Optimizer, error) {
	return build(env, "RAdam", radam, c.Params, c.options(), checkAdam)
}

var radam = &rule{
	step: tensor.RuleRAdam, counts: true,
	options: []string{"lr", "betas", "eps", "weight_decay", "decoupled_weight_decay", "maximize"},
	columns: always(like("exp_avg", "exp_avg_sq")),
}
