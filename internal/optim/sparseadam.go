package optim

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	register("sparse_adam", "SparseAdam", SparseAdam{LR: 1e-3, Betas: []float64{0.9, 0.999}, Eps: 1e-8})
}

// SparseAdam is torch.optim.SparseAdam: Adam for sparse gradients, those of `torch.nn.Embedding` with `sparse: true`.
type SparseAdam struct {
	Params   lighter.Params `cfg:"params,required,aka=parameters" help:"what to optimize: parameters, or groups of them"`
	LR       float64        `cfg:"lr,aka=learning_rate" help:"learning rate"`
	Betas    []float64      `cfg:"betas" help:"decay of the running averages of the gradient and of its square"`
	Eps      float64        `cfg:"eps,aka=epsilon" help:"added to the denominator"`
	Maximize bool           `cfg:"maximize" help:"ascend instead"`
}

func (c SparseAdam) options() []lighter.Option {
	return []lighter.Option{
		{Name: "lr", Value: c.LR},
		{Name: "betas", Value: c.Betas},
		{Name: "eps", Value: c.Eps},
		{Name: "maximize", Value: c.Maximize},
	}
}

// Validate implements the registry's Validator.
func (c SparseAdam) Validate() error { return validate(c.options(), checkSparseAdam) }

// Build implements the registry's Builder.
func (c SparseAdam) Build(env *lighter.Env) (lighter.Optimizer, error) {
	return build(env, "SparseAdam", sparseAdam, c.Params, c.options(), checkSparseAdam)
}

func checkSparseAdam(g *lighter.ParamGroup) error {
	for _, c := range [][2]string{{"lr", "learning rate"}, {"eps", "epsilon value"}} {
		if v := option(g, c[0]); !(v > 0) {
			return refuse(c[0], "Invalid %s: %s", c[1], expr.Float(v))
		}
	}
	return checkBetas(g)
}

var sparseAdam = &rule{
	step: tensor.RuleSparseAdam, counts: true, whole: true,
	options: []string{"lr", "betas", "eps", "maximize"},
	columns: always(like("exp_avg", "exp_avg_sq")),
}
