package optim

import (
	"cmp"
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	register("rprop", "Rprop", Rprop{LR: 1e-2, Etas: []float64{0.5, 1.2}, StepSizes: []float64{1e-6, 50}})
}

// Rprop is torch.optim.Rprop: resilient backpropagation, which looks at the gradient's sign alone.
type Rprop struct {
	Params         lighter.Params `cfg:"params,required,aka=parameters" help:"what to optimize: parameters, or groups of them"`
	LR             float64        `cfg:"lr,aka=learning_rate" help:"the first step size"`
	Etas           []float64      `cfg:"etas" help:"factors of the step size when the sign changes and when it stays"`
	StepSizes      []float64      `cfg:"step_sizes" help:"least and largest step size"`
	Capturable     bool           `cfg:"capturable,ignored" help:"for CUDA graphs, which are not recorded here"`
	Foreach        *bool          `cfg:"foreach" help:"the step is PyTorch's order of operations either way"`
	Maximize       bool           `cfg:"maximize" help:"ascend instead"`
	Differentiable bool           `cfg:"differentiable" help:"not available: keep it false"`
}

func (c Rprop) options() []lighter.Option {
	return []lighter.Option{
		{Name: "lr", Value: c.LR},
		{Name: "etas", Value: c.Etas},
		{Name: "step_sizes", Value: c.StepSizes},
		{Name: "foreach", Value: maybe(c.Foreach)},
		{Name: "maximize", Value: c.Maximize},
		{Name: "differentiable", Value: c.Differentiable},
		{Name: "capturable", Value: c.Capturable},
	}
}

// Validate implements the registry's Validator.
func (c Rprop) Validate() error {
	return cmp.Or(validate(c.options(), checkRprop), implementation(c.Foreach, nil, c.Differentiable))
}

// Build implements the registry's Builder.
func (c Rprop) Build(env *lighter.Env) (lighter.Optimizer, error) {
	return build(env, "Rprop", rprop, c.Params, c.options(), checkRprop)
}

func checkRprop(g *lighter.ParamGroup) error {
	if err := notNegative(g, "lr", "learning rate"); err != nil {
		return err
	}
	etas, _ := g.Option("etas").([]float64)
	sizes, _ := g.Option("step_sizes").([]float64)
	switch {
	case len(etas) != 2:
		return refuse("etas", "must be two floats, got %d", len(etas))
	case !(0 < etas[0] && etas[0] < 1 && 1 < etas[1]):
		return refuse("etas", "Invalid eta values: %s, %s", expr.Float(etas[0]), expr.Float(etas[1]))
	case len(sizes) != 2:
		return refuse("step_sizes", "must be two floats, got %d", len(sizes))
	}
	return nil
}

var rprop = &rule{
	step: tensor.RuleRprop, counts: true,
	options: []string{"etas", "step_sizes", "maximize"},
	columns: always([]spec{{name: "prev"}, {name: "step_size", begin: (*lighter.ParamGroup).LR}}),
}
