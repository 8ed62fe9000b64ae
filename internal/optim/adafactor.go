package optim

import (
	"cmp"
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	register("_adafactor", "Adafactor", Adafactor{LR: 1e-2, Beta2Decay: -0.8, Eps: []*float64{nil, pointer(1e-3)}, D: 1})
}

// Adafactor is torch.optim.Adafactor (Shazeer and Stern, arXiv:1804.04235): a second moment of rows and columns.
type Adafactor struct {
	Params      lighter.Params `cfg:"params,required,aka=parameters" help:"what to optimize: parameters, or groups of them"`
	LR          float64        `cfg:"lr,aka=learning_rate" help:"largest relative step size, and factor of the weight decay"`
	Beta2Decay  float64        `cfg:"beta2_decay" help:"power by which beta2 nears 1"`
	Eps         []*float64     `cfg:"eps,aka=epsilon" help:"least variance (null: the type's epsilon) and least scale of a parameter"`
	D           float64        `cfg:"d" help:"updates larger than this are clipped"`
	WeightDecay float64        `cfg:"weight_decay,aka=wd|decay|l2" help:"decay of the weights"`
	Foreach     *bool          `cfg:"foreach" help:"the step is PyTorch's order of operations either way"`
	Maximize    bool           `cfg:"maximize" help:"ascend instead"`
}

func (c Adafactor) options() []lighter.Option {
	return []lighter.Option{
		{Name: "lr", Value: c.LR},
		{Name: "beta2_decay", Value: c.Beta2Decay},
		{Name: "eps", Value: nullable(c.Eps)},
		{Name: "d", Value: c.D},
		{Name: "weight_decay", Value: c.WeightDecay},
		{Name: "foreach", Value: maybe(c.Foreach)},
		{Name: "maximize", Value: c.Maximize},
	}
}

// Validate implements the registry's Validator.
func (c Adafactor) Validate() error {
	return cmp.Or(validate(c.options(), checkAdafactor), implementation(c.Foreach, nil, false))
}

// Build implements the registry's Builder.
func (c Adafactor) Build(env *lighter.Env) (lighter.Optimizer, error) {
	return build(env, "Adafactor", adafactor, c.Params, c.options(), checkAdafactor)
}

func pointer(v float64) *float64 { return &v }

// nullable is a list of numbers, some of which are null, as an option.
func nullable(list []*float64) []any {
	out := make([]any, len(list))
	for i, v := range list {
		if v != nil {
			out[i] = *v
		}
	}
	return out
}

func checkAdafactor(g *lighter.ParamGroup) error {
	eps, _ := g.Option("eps").([]any)
	if len(eps) != 2 || eps[1] == nil {
		return refuse("eps", "must be a float or null, and a float")
	}
	eps1, given := number(eps[0])
	eps2, _ := number(eps[1])
	for _, c := range []struct {
		ok     bool
		option string
		words  string
		value  float64
	}{
		{option(g, "lr") >= 0, "lr", "Learning rate should be >= 0 but is", option(g, "lr")},
		{option(g, "beta2_decay") <= 0, "beta2_decay", "beta2_decay should be <= 0 but is", option(g, "beta2_decay")},
		{!given || eps1 >= 0, "eps", "epsilon1 should be >= 0 but is", eps1},
		{eps2 >= 0, "eps", "epsilon2 should be >= 0 but is", eps2},
		{option(g, "d") >= 1, "d", "Clipping threshold d should be >= 1 but is", option(g, "d")},
		{option(g, "weight_decay") >= 0, "weight_decay", "weight_decay should be >= 0 but is", option(g, "weight_decay")},
	} {
		if !c.ok {
			return refuse(c.option, "%s: %s", c.words, expr.Float(c.value))
		}
	}
	return nil
}

// shrunk is a parameter's shape with one of its last two dimensions reduced to 1; vectors have none.
func shrunk(dim int) func(p tensor.Tensor) ([]int64, bool) {
	return func(p tensor.Tensor) ([]int64, bool) {
		shape := p.Shape()
		if len(shape) < 2 {
			return nil, false
		}
		shape[len(shape)-dim] = 1
		return shape, true
	}
}

var adafactor = &rule{
	step: tensor.RuleAdafactor, counts: true,
	options: []string{"lr", "beta2_decay", "eps", "d", "weight_decay", "maximize"},
	columns: always([]spec{
		{name: "row_var", shape: shrunk(1)},
		{name: "col_var", shape: shrunk(2)},
		{name: "variance", shape: func(p tensor.Tensor) ([]int64, bool) { return p.Shape(), p.Dim() < 2 }},
	}),
}
