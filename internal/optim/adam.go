package optim

import (
	"fmt"
	"math"
	"math/big"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
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

// Validate implements the registry's Validator.
func (c Adam) Validate() error { return c.validate() }

func (c Adam) validate() error {
	switch {
	case !(c.LR >= 0):
		return lighter.FieldError("lr", "Invalid learning rate: %s", expr.Float(c.LR))
	case !(c.Eps >= 0):
		return lighter.FieldError("eps", "Invalid epsilon value: %s", expr.Float(c.Eps))
	case !(c.WeightDecay >= 0):
		return lighter.FieldError("weight_decay", "Invalid weight_decay value: %s", expr.Float(c.WeightDecay))
	case c.Capturable && (c.Foreach != nil || c.Fused != nil && !*c.Fused):
		return lighter.FieldError("capturable", "only the fused implementation is capturable: leave foreach and fused null")
	}
	if err := betas(c.Betas); err != nil {
		return lighter.FieldError("betas", "%v", err)
	}
	return implementation(c.Foreach, c.Fused, c.Differentiable)
}

func betas(b []float64) error {
	if len(b) != 2 {
		return fmt.Errorf("must be two floats, got %d", len(b))
	}
	for i, beta := range b {
		if !(beta >= 0 && beta < 1) {
			//lint:ignore ST1005 PyTorch's wording
			return fmt.Errorf("Invalid beta parameter at index %d: %s", i, expr.Float(beta))
		}
	}
	return nil
}

// Build implements the registry's Builder.
func (c Adam) Build(env *lighter.Env) (lighter.Optimizer, error) { return c.build(env, "Adam") }

func (c Adam) build(env *lighter.Env, name string) (lighter.Optimizer, error) {
	return build(env, name, adam{}, c.Params, []lighter.Option{
		{Name: "lr", Value: c.LR}, {Name: "betas", Value: c.Betas}, {Name: "eps", Value: c.Eps}, {Name: "weight_decay", Value: c.WeightDecay},
		{Name: "amsgrad", Value: c.AMSGrad}, {Name: "maximize", Value: c.Maximize}, {Name: "foreach", Value: maybe(c.Foreach)},
		{Name: "capturable", Value: c.Capturable}, {Name: "differentiable", Value: c.Differentiable}, {Name: "fused", Value: maybe(c.Fused)},
		{Name: "decoupled_weight_decay", Value: c.DecoupledWeightDecay},
	}, func(g *lighter.ParamGroup) error {
		if err := betas(g.Option("betas").([]float64)); err != nil {
			return err
		}
		return notNegative(g, "lr", "learning rate", "eps", "epsilon value", "weight_decay", "weight_decay value")
	})
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
func (c AdamW) Validate() error { return c.adam().validate() }

// Build implements the registry's Builder.
func (c AdamW) Build(env *lighter.Env) (lighter.Optimizer, error) {
	return c.adam().build(env, "AdamW")
}

type adam struct{}

func (adam) counts() bool { return true }

func (adam) columns(g *lighter.ParamGroup) []string {
	if flag(g, "amsgrad") {
		return []string{"exp_avg", "exp_avg_sq", "max_exp_avg_sq"}
	}
	return []string{"exp_avg", "exp_avg_sq"}
}

func (adam) fused(b *bucket) {
	b.newly()
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

// plain is PyTorch's _single_tensor_adam.
func (adam) plain(g *lighter.ParamGroup, w *work) {
	beta, lr := g.Option("betas").([]float64), option(g, "lr")
	grads := direction(g, w)
	if wd := option(g, "weight_decay"); wd != 0 {
		if flag(g, "decoupled_weight_decay") {
			tensor.Call("_foreach_mul_", w.params, 1-lr*wd)
		} else {
			grads = foreach("_foreach_add", grads, w.params, alpha(wd))
		}
	}
	avg, square := w.state[0], w.state[1]
	tensor.Call("_foreach_lerp_", avg, grads, 1-beta[0])
	tensor.Call("_foreach_mul_", square, beta[1])
	tensor.Call("_foreach_addcmul_", square, grads, grads, 1-beta[1])
	if len(w.state) > 2 {
		tensor.Call("_foreach_maximum_", w.state[2], square)
		square = w.state[2]
	}
	size, root := make([]float64, len(w.steps)), make([]float64, len(w.steps))
	for i, step := range w.steps {
		if i > 0 && step == w.steps[i-1] {
			size[i], root[i] = size[i-1], root[i-1]
			continue
		}
		size[i] = -(lr / (1 - power(beta[0], step)))
		root[i] = math.Sqrt(1 - power(beta[1], step))
	}
	denominators := foreach("_foreach_sqrt", square)
	tensor.Call("_foreach_div_", denominators, root)
	tensor.Call("_foreach_add_", denominators, option(g, "eps"))
	tensor.Call("_foreach_addcdiv_", w.params, avg, denominators, size)
}

// power is x to the n-th, correctly rounded as the C library's pow is; math.Pow may be off in the last bits.
func power(x, n float64) float64 {
	result, square := big.NewFloat(1).SetPrec(128), big.NewFloat(x).SetPrec(128)
	for k := uint64(n); k > 0; k >>= 1 {
		if k&1 == 1 {
			result.Mul(result, square)
		}
		square.Mul(square, square)
	}
	f, _ := result.Float64()
	return f
}
