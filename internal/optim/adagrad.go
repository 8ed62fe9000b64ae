package optim

import (
	"cmp"
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() { register("adagrad", "Adagrad", Adagrad{LR: 1e-2, Eps: 1e-10}) }

// Adagrad is torch.optim.Adagrad (Duchi et al. 2011). It takes sparse gradients.
type Adagrad struct {
	Params                  lighter.Params `cfg:"params,required,aka=parameters" help:"what to optimize: parameters, or groups of them"`
	LR                      float64        `cfg:"lr,aka=learning_rate" help:"learning rate"`
	LRDecay                 float64        `cfg:"lr_decay" help:"how the learning rate falls with the steps"`
	WeightDecay             float64        `cfg:"weight_decay,aka=wd|decay|l2" help:"L2 penalty"`
	InitialAccumulatorValue float64        `cfg:"initial_accumulator_value" help:"what the sum of squares begins with"`
	Eps                     float64        `cfg:"eps,aka=epsilon" help:"added to the denominator"`
	Foreach                 *bool          `cfg:"foreach" help:"the step is PyTorch's order of operations either way"`
	Maximize                bool           `cfg:"maximize" help:"ascend instead"`
	Differentiable          bool           `cfg:"differentiable" help:"not available: keep it false"`
	Fused                   *bool          `cfg:"fused" help:"one operation a step, on the CPU; otherwise PyTorch's order"`
}

func (c Adagrad) options() []lighter.Option {
	return []lighter.Option{
		{Name: "lr", Value: c.LR},
		{Name: "lr_decay", Value: c.LRDecay},
		{Name: "eps", Value: c.Eps},
		{Name: "weight_decay", Value: c.WeightDecay},
		{Name: "initial_accumulator_value", Value: c.InitialAccumulatorValue},
		{Name: "foreach", Value: maybe(c.Foreach)},
		{Name: "maximize", Value: c.Maximize},
		{Name: "differentiable", Value: c.Differentiable},
		{Name: "fused", Value: maybe(c.Fused)},
	}
}

// Validate implements the registry's Validator.
func (c Adagrad) Validate() error {
	return cmp.Or(validate(c.options(), checkAdagrad), implementation(c.Foreach, c.Fused, c.Differentiable))
}

// Build implements the registry's Builder.
func (c Adagrad) Build(env *lighter.Env) (lighter.Optimizer, error) {
	return build(env, "Adagrad", adagrad, c.Params, c.options(), checkAdagrad)
}

func checkAdagrad(g *lighter.ParamGroup) error {
	return notNegative(g, "lr", "learning rate", "lr_decay", "lr_decay value", "weight_decay", "weight_decay value",
		"initial_accumulator_value", "initial_accumulator_value value", "eps", "epsilon value")
}

var adagrad = &rule{
	step: tensor.RuleAdagrad, counts: true, eager: true,
	options: []string{"lr", "lr_decay", "weight_decay", "eps", "maximize"},
	columns: always([]spec{{name: "sum", begin: func(g *lighter.ParamGroup) float64 { return option(g, "initial_accumulator_value") }}}),
	fused: func(b *bucket, _ []int) {
		g := b.g.ParamGroup
		if d := g.Params[0].Device(); d.Type != tensor.CPU {
			tensor.Fail("Adagrad", "`fused=True` requires all the params to be floating point Tensors of supported devices: ['cpu'] but %s and %s", g.Params[0].DType(), d.Type)
		}
		b.params.FusedAdagrad(b.state[0], b.step, tensor.AdagradStep{
			LR: option(g, "lr"), LRDecay: option(g, "lr_decay"), WeightDecay: option(g, "weight_decay"), Eps: option(g, "eps"), Maximize: flag(g, "maximize"),
		})
	},
}
