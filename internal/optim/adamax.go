package optim

import (
	"cmp"
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() { register("adamax", "Adamax", Adamax{LR: 2e-3, Betas: []float64{0.9, 0.999}, Eps: 1e-8}) }

// Adamax is torch.optim.Adamax: Adam with the largest gradient in place of the mean square.
type Adamax struct {
	Params         lighter.Params `cfg:"params,required,aka=parameters" help:"what to optimize: parameters, or groups of them"`
	LR             float64        `cfg:"lr,aka=learning_rate" help:"learning rate"`
	Betas          []float64      `cfg:"betas" help:"decay of the running averages of the gradient and of its square"`
	Eps            float64        `cfg:"eps,aka=epsilon" help:"added to the denominator"`
	WeightDecay    float64        `cfg:"weight_decay,aka=wd|decay|l2" help:"L2 penalty"`
	Foreach        *bool          `cfg:"foreach" help:"the step is PyTorch's order of operations either way"`
	Maximize       bool           `cfg:"maximize" help:"ascend instead"`
	Differentiable bool           `cfg:"differentiable" help:"not available: keep it false"`
	Capturable     bool           `cfg:"capturable,ignored" help:"for CUDA graphs, which are not recorded here"`
}

func (c Adamax) options() []lighter.Option {
	return []lighter.Option{
		{Name: "lr", Value: c.LR},
		{Name: "betas", Value: c.Betas},
		{Name: "eps", Value: c.Eps},
		{Name: "weight_decay", Value: c.WeightDecay},
		{Name: "foreach", Value: maybe(c.Foreach)},
		{Name: "maximize", Value: c.Maximize},
		{Name: "differentiable", Value: c.Differentiable},
		{Name: "capturable", Value: c.Capturable},
	}
}

// Validate implements the registry's Validator.
func (c Adamax) Validate() error {
	return cmp.Or(validate(c.options(), checkAdam), implementation(c.Foreach, nil, c.Differentiable))
}

// Build implements the registry's Builder.
func (c Adamax) Build(env *lighter.Env) (lighter.Optimizer, error) {
	return build(env, "Adamax", adamax, c.Params, c.options(), checkAdam)
}

var adamax = &rule{
	step: tensor.RuleAdamax, counts: true,
	options: []string{"lr", "betas", "eps", "weight_decay", "maximize"},
	columns: always(like("exp_avg", "exp_inf")),
}
