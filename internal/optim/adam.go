package optim

import (
	"cmp"
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	register("adam", "Adam", Adam{LR: 1e-3, Betas: []float64{0.9, 0.999}, Eps: 1e-8})
	register("adamw", "AdamW", AdamW{LR: 1e-3, Betas: []float64{0.9, 0.999}, Eps: 1e-8, WeightDecay: 1e-2})
}

// Adam is torch.optim.Adam (Kingma and Ba, arXiv:1412.6980).
type Adam struct {
	Params               lighter.Params `cfg:"params,required,aka=parameters" help:"what to optimize: parameters, or groups of them"`
	LR                   float64        `cfg:"lr,aka=learning_rate" help:"learning rate"`
	Betas                []float64      `cfg:"betas" help:"decay of the running averages of the gradient and of its square"`
	Eps                  float64        `cfg:"eps,aka=epsilon" help:"added to the denominator"`
	WeightDecay          float64        `cfg:"weight_decay,aka=wd|decay|l2" help:"L2 penalty"`
	AMSGrad              bool           `cfg:"amsgrad" help:"divide by the largest average so far"`
	Foreach              *bool          `cfg:"foreach" help:"PyTorch's order of operations, as with fused: false"`
	Maximize             bool           `cfg:"maximize" help:"ascend instead"`
	Capturable           bool           `cfg:"capturable" help:"usable in a CUDA graph; only with the fused operation"`
	Differentiable       bool           `cfg:"differentiable" help:"not available: keep it false"`
	Fused                *bool          `cfg:"fused" help:"one operation a step (the default); false for PyTorch's order"`
	DecoupledWeightDecay bool           `cfg:"decoupled_weight_decay" help:"decay the weights apart from the gradient, as AdamW"`
}

func (c Adam) options() []lighter.Option {
	return []lighter.Option{
		{Name: "lr", Value: c.LR}, {Name: "betas", Value: c.Betas}, {Name: "eps", Value: c.Eps}, {Name: "weight_decay", Value: c.WeightDecay},
		{Name: "amsgrad", Value: c.AMSGrad}, {Name: "maximize", Value: c.Maximize}, {Name: "foreach", Value: maybe(c.Foreach)},
		{Name: "capturable", Value: c.Capturable}, {Name: "differentiable", Value: c.Differentiable}, {Name: "fused", Value: maybe(c.Fused)},
		{Name: "decoupled_weight_decay", Value: c.DecoupledWeightDecay},
	}
}

// Validate implements the registry's Validator.
func (c Adam) Validate() error {
	if c.Capturable && (c.Foreach != nil || c.Fused != nil && !*c.Fused) {
		return lighter.FieldError("capturable", "only the fused implementation is capturable: leave foreach and fused null")
	}
	return cmp.Or(validate(c.options(), checkAdam), implementation(c.Foreach, c.Fused, c.Differentiable))
}

// checkAdam checks what Adam and its relatives have in common.
func checkAdam(g *lighter.ParamGroup) error {
	return cmp.Or(notNegative(g, "lr", "learning rate", "eps", "epsilon value"), checkBetas(g), notNegative(g, "weight_decay", "weight_decay value"))
}

// Build implements the registry's Builder.
func (c Adam) Build(env *lighter.Env) (lighter.Optimizer, error) {
	return build(env, "Adam", adam, c.Params, c.options(), checkAdam)
}

// AdamW is torch.optim.AdamW (Loshchilov and Hutter, arXiv:1711.05101): Adam with decoupled weight decay.
type AdamW struct {
	Params         lighter.Params `cfg:"params,required,aka=parameters" help:"what to optimize: parameters, or groups of them"`
	LR             float64        `cfg:"lr,aka=learning_rate" help:"learning rate"`
	Betas          []float64      `cfg:"betas" help:"decay of the running averages of the gradient and of its square"`
	Eps            float64        `cfg:"eps,aka=epsilon" help:"added to the denominator"`
	WeightDecay    float64        `cfg:"weight_decay,aka=wd|decay|l2" help:"decay of the weights"`
	AMSGrad        bool           `cfg:"amsgrad" help:"divide by the largest average so far"`
	Maximize       bool           `cfg:"maximize" help:"ascend instead"`
	Foreach        *bool          `cfg:"foreach" help:"PyTorch's order of operations, as with fused: false"`
	Capturable     bool           `cfg:"capturable" help:"usable in a CUDA graph; only with the fused operation"`
	Differentiable bool           `cfg:"differentiable" help:"not available: keep it false"`
	Fused          *bool          `cfg:"fused" help:"one operation a step (the default); false for PyTorch's order"`
}

func (c AdamW) adam() Adam {
	return Adam{
		Params: c.Params, LR: c.LR, Betas: c.Betas, Eps: c.Eps, WeightDecay: c.WeightDecay, AMSGrad: c.AMSGrad, Foreach: c.Foreach,
		Maximize: c.Maximize, Capturable: c.Capturable, Differentiable: c.Differentiable, Fused: c.Fused, DecoupledWeightDecay: true,
	}
}

// Validate implements the registry's Validator.
func (c AdamW) Validate() error { return c.adam().Validate() }

// Build implements the registry's Builder.
func (c AdamW) Build(env *lighter.Env) (lighter.Optimizer, error) {
	return build(env, "AdamW", adam, c.Params, c.adam().options(), checkAdam)
}

var adam = &rule{
	step: tensor.RuleAdam, counts: true, byDefault: true,
	options: []string{"lr", "betas", "eps", "weight_decay", "decoupled_weight_decay", "maximize"},
	columns: func(g *lighter.ParamGroup) []spec {
		if flag(g, "amsgrad") {
			return like("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
		}
		return like("exp_avg", "exp_avg_sq")
	},
	fused: fusedAdam,
}

func fusedAdam(b *bucket, _ []int) {
	g := b.g.ParamGroup
	beta := g.Option("betas").([]float64)
	state := tensor.AdamState{ExpAvg: b.state[0], ExpAvgSq: b.state[1], Step: b.step}
	if len(b.state) > 2 {
		state.MaxExpAvgSq = b.state[2]
	}
	b.params.FusedAdam(state, tensor.AdamStep{
		LR: option(g, "lr"), Beta1: beta[0], Beta2: beta[1], WeightDecay: option(g, "weight_decay"), Eps: option(g, "eps"),
		AMSGrad: len(b.state) > 2, Maximize: flag(g, "maximize"), Decoupled: flag(g, "decoupled_weight_decay"),
	})
}
