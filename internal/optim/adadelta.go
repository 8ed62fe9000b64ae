package optim

import (
	"cmp"
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

func init() { register("adadelta", "Adadelta", Adadelta{LR: 1, Rho: 0.9, Eps: 1e-6}) }

// Adadelta is torch.optim.Adadelta (Zeiler, arXiv:1212.5701).
type Adadelta struct {
	Params         lighter.Params `cfg:"params,required,aka=parameters" help:"what to optimize: parameters, or groups of them"`
	LR             float64        `cfg:"lr,aka=learning_rate" help:"scales the step"`
	Rho            float64        `cfg:"rho" help:"decay of the running average of the squared gradient"`
	Eps            float64        `cfg:"eps,aka=epsilon" help:"added to the denominator"`
	WeightDecay    float64        `cfg:"weight_decay,aka=wd|decay|l2" help:"L2 penalty"`
	Foreach        *bool          `cfg:"foreach" help:"the step is PyTorch's order of operations either way"`
	Capturable     bool           `cfg:"capturable,ignored" help:"for CUDA graphs, which are not recorded here"`
	Maximize       bool           `cfg:"maximize" help:"ascend instead"`
	Differentiable bool           `cfg:"differentiable" help:"not available: keep it false"`
}

func (c Adadelta) options() []lighter.Option {
	return []lighter.Option{
		{Name: "lr", Value: c.LR},
		{Name: "rho", Value: c.Rho},
		{Name: "eps", Value: c.Eps},
		{Name: "weight_decay", Value: c.WeightDecay},
		{Name: "maximize", Value: c.Maximize},
		{Name: "capturable", Value: c.Capturable},
		{Name: "foreach", Value: maybe(c.Foreach)},
		{Name: "differentiable", Value: c.Differentiable},
	}
}

// Validate implements the registry's Validator.
func (c Adadelta) Validate() error {
	return cmp.Or(validate(c.options(), checkAdadelta), implementation(c.Foreach, nil, c.Differentiable))
}

// Build implements the registry's Builder.
func (c Adadelta) Build(env *lighter.Env) (lighter.Optimizer, error) {
	return build(env, "Adadelta", adadelta, c.Params, c.options(), checkAdadelta)
}

func checkAdadelta(g *lighter.ParamGroup) error {
	if err := notNegative(g, "lr", "learning rate"); err != nil {
		return err
	}
	if rho := option(g, "rho"); !(rho >= 0 && rho <= 1) {
		return refuse("rho", "Invalid rho value: %s", expr.Float(rho))
	}
	return notNegative(g, "eps", "epsilon value", "weight_decay", "weight_decay value")
}

var adadelta = &rule{
	step: tensor.RuleAdadelta, counts: true,
	options: []string{"lr", "rho", "eps", "weight_decay", "maximize"},
	columns: always(like("square_avg", "acc_delta")),
}
