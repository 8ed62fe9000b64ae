package optim

import (
	"fmt"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	register("_muon", "Muon", Muon{LR: 1e-3, WeightDecay: 0.1, Momentum: 0.95, Nesterov: true, NSCoefficients: []float64{3.4445, -4.775, 2.0315}, Eps: 1e-7, NSSteps: 5})
}

// Muon is torch.optim.Muon: momentum made orthogonal by Newton and Schulz, for the matrices of hidden layers.
type Muon struct {
	Params         lighter.Params `cfg:"params,required,aka=parameters" help:"what to optimize: parameters, or groups of them"`
	LR             float64        `cfg:"lr,aka=learning_rate" help:"learning rate"`
	WeightDecay    float64        `cfg:"weight_decay,aka=wd|decay|l2" help:"decay of the weights"`
	Momentum       float64        `cfg:"momentum,aka=mom" help:"momentum factor"`
	Nesterov       bool           `cfg:"nesterov" help:"Nesterov's momentum"`
	NSCoefficients []float64      `cfg:"ns_coefficients" help:"coefficients of the Newton-Schulz polynomial"`
	Eps            float64        `cfg:"eps,aka=epsilon" help:"least norm to divide by"`
	NSSteps        int64          `cfg:"ns_steps" help:"number of Newton-Schulz steps"`
	AdjustLRFn     *string        `cfg:"adjust_lr_fn" oneof:"original|match_rms_adamw" help:"how the shape changes the learning rate"`
}

func (c Muon) options() []lighter.Option {
	return []lighter.Option{
		{Name: "lr", Value: c.LR},
		{Name: "weight_decay", Value: c.WeightDecay},
		{Name: "momentum", Value: c.Momentum},
		{Name: "nesterov", Value: c.Nesterov},
		{Name: "ns_coefficients", Value: c.NSCoefficients},
		{Name: "eps", Value: c.Eps},
		{Name: "ns_steps", Value: c.NSSteps},
		{Name: "adjust_lr_fn", Value: word(c.AdjustLRFn)},
	}
}

// Validate implements the registry's Validator.
func (c Muon) Validate() error { return validate(c.options(), checkMuon) }

// Build implements the registry's Builder.
func (c Muon) Build(env *lighter.Env) (lighter.Optimizer, error) {
	return build(env, "Muon", muon, c.Params, c.options(), checkMuon)
}

// word is an option that is a word or null.
func word(s *string) any {
	if s == nil {
		return nil
	}
	return *s
}

func checkMuon(g *lighter.ParamGroup) error {
	for _, c := range [][2]string{{"lr", "Learning rate"}, {"momentum", "momentum"}, {"weight_decay", "weight decay"}} {
		if v := option(g, c[0]); !(v >= 0) {
			return refuse(c[0], "%s should be >= 0 but is: %s", c[1], expr.Float(v))
		}
	}
	coefficients, _ := g.Option("ns_coefficients").([]float64)
	switch {
	case len(coefficients) != 3:
		return refuse("ns_coefficients", "Coefficients must be a tuple of exactly 3 values")
	case option(g, "ns_steps") >= 100:
		return refuse("ns_steps", "Number of steps must be less than 100 for computational efficiency")
	}
	for _, p := range g.Params {
		if p.Dim() != 2 {
			return refuse("params", "Muon only supports 2D parameters whereas we found a parameter with size: torch.Size(%s)", strings.ReplaceAll(fmt.Sprint(p.Shape()), " ", ", "))
		}
	}
	return nil
}

var muon = &rule{
	step:    tensor.RuleMuon,
	options: []string{"lr", "weight_decay", "momentum", "nesterov", "ns_coefficients", "eps", "ns_steps"},
	more: func(g *lighter.ParamGroup) []float64 {
		if g.Option("adjust_lr_fn") == "match_rms_adamw" {
			return []float64{1}
		}
		return []float64{0}
	},
	columns: always(like("momentum_buffer")),
}
