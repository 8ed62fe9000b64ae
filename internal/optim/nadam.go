package optim

import (
	"cmp"
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	register("nadam", "NAdam", NAdam{LR: 2e-3, Betas: []float64{0.9, 0.999}, Eps: 1e-8, MomentumDecay: 4e-3})
}

// NAdam is torch.optim.NAdam (Dozat 2016): Adam with Nesterov's momentum.
type NAdam struct {
	Params               lighter.Params `cfg:"params,required,aka=parameters" help:"what to optimize: parameters, or groups of them"`
	LR                   float64        `cfg:"lr,aka=learning_rate" help:"learning rate"`
	Betas                []float64      `cfg:"betas" help:"decay of the running averages of the gradient and of its square"`
	Eps                  float64        `cfg:"eps,aka=epsilon" help:"added to the denominator"`
	WeightDecay          float64        `cfg:"weight_decay,aka=wd|decay|l2" help:"L2 penalty"`
	MomentumDecay        float64        `cfg:"momentum_decay" help:"how the momentum falls"`
	DecoupledWeightDecay bool           `cfg:"decoupled_weight_decay" help:"decay the weights apart from the gradient, as AdamW"`
	Foreach              *bool          `cfg:"foreach" help:"the step is PyTorch's order of operations either way"`
	Maximize             bool           `cfg:"maximize" help:"ascend instead"`
	Capturable           bool           `cfg:"capturable,ignored" help:"for CUDA graphs, which are not recorded here"`
	Differentiable       bool           `cfg:"differentiable" help:"not available: keep it false"`
}

func (c NAdam) options() []lighter.Option {
	return []lighter.Option{
		{Name: "lr", Value: c.LR},
		{Name: "betas", Value: c.Betas},
		{Name: "eps", Value: c.Eps},
		{Name: "weight_decay", Value: c.WeightDecay},
		{Name: "momentum_decay", Value: c.MomentumDecay},
		{Name: "decoupled_weight_decay", Value: c.DecoupledWeightDecay},
		{Name: "maximize", Value: c.Maximize},
		{Name: "foreach", Value: maybe(c.Foreach)},
		{Name: "capturable", Value: c.Capturable},
		{Name: "differentiable", Value: c.Differentiable},
	}
}

// Validate implements the registry's Validator.
func (c NAdam) Validate() error {
	return cmp.Or(validate(c.options(), checkNAdam), implementation(c.Foreach, nil, c.Differentiable))
}

// Build implements the registry's Builder.
func (c NAdam) Build(env *lighter.Env) (lighter.Optimizer, error) {
	return build(env, "NAdam", nadam, c.Params, c.options(), checkNAdam)
}

func checkNAdam(g *lighter.ParamGroup) error {
	return cmp.Or(notNegative(g, "lr", "learning rate", "eps", "epsilon value"), checkBetas(g),
		notNegative(g, "weight_decay", "weight_decay value", "momentum_decay", "momentum_decay value"))
}

var nadam = &rule{
	step: tensor.RuleNAdam, counts: true,
	options: []string{"lr", "betas", "eps", "weight_decay", "momentum_decay", "decoupled_weight_decay", "maximize"},
	columns: always(append([]spec{{name: "mu_product", scalar: true, begin: func(*lighter.ParamGroup) float64 { return 1 }}}, like("exp_avg", "exp_avg_sq")...)),
}
