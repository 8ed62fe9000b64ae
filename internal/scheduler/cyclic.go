package scheduler

import (
	"math"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
)

func init() {
	register("CyclicLR", CyclicLR{
		StepSizeUp: 2000, Mode: "triangular", Gamma: 1, ScaleMode: "cycle", CycleMomentum: true, BaseMomentum: same(0.8), MaxMomentum: same(0.9),
		LastEpoch: -1,
	})
}

// CyclicLR is torch.optim.lr_scheduler.CyclicLR: the learning rate goes up and down between base_lr and max_lr, the momentum
// against it (Smith, arXiv:1506.01186).
type CyclicLR struct {
	Optimizer     lighter.Optimizer `cfg:"optimizer,required" help:"whose learning rates to change"`
	BaseLR        PerGroup          `cfg:"base_lr,required" help:"lowest learning rate: a float, or a list with one a group"`
	MaxLR         PerGroup          `cfg:"max_lr,required" help:"highest learning rate: a float, or a list with one a group"`
	StepSizeUp    float64           `cfg:"step_size_up" help:"steps from the lowest to the highest"`
	StepSizeDown  *float64          `cfg:"step_size_down" help:"steps back to the lowest; null for as many"`
	Mode          string            `cfg:"mode" help:"triangular; triangular2: halved with each cycle; exp_range: times gamma**step"`
	Gamma         float64           `cfg:"gamma" help:"base of exp_range"`
	ScaleFn       Function          `cfg:"scale_fn" help:"gives the height of a cycle, from 0 to 1, in place of mode"`
	ScaleMode     string            `cfg:"scale_mode" oneof:"cycle|iterations" help:"what scale_fn is given: the cycle's number, from 1, or the step's"`
	CycleMomentum bool              `cfg:"cycle_momentum" help:"cycle the momentum, or beta1, against the learning rate"`
	BaseMomentum  PerGroup          `cfg:"base_momentum" help:"lowest momentum: a float, or a list with one a group"`
	MaxMomentum   PerGroup          `cfg:"max_momentum" help:"highest momentum: a float, or a list with one a group"`
	LastEpoch     int               `cfg:"last_epoch" help:"index of the last step; -1 to begin"`
}

var cyclicModes = []string{"triangular", "triangular2", "exp_range"}

// Validate implements the registry's Validator.
func (c CyclicLR) Validate() error {
	switch {
	case c.ScaleFn.call == nil && !slices.Contains(cyclicModes, c.Mode):
		return lighter.FieldError("mode", "mode is invalid and scale_fn is None: mode must be one of %q, got %q", cyclicModes, c.Mode)
	case c.StepSizeUp <= 0:
		return lighter.FieldError("step_size_up", "must be above 0")
	case c.StepSizeDown != nil && *c.StepSizeDown < 0:
		return lighter.FieldError("step_size_down", "must not be negative")
	}
	return nil
}

// Build implements the registry's Builder.
func (c CyclicLR) Build(*lighter.Env) (lighter.Scheduler, error) {
	if err := given(c.Optimizer); err != nil {
		return nil, err
	}
	down := c.StepSizeUp
	if c.StepSizeDown != nil {
		down = *c.StepSizeDown
	}
	r := &cyclicLR{size: c.StepSizeUp + down, mode: c.Mode, gamma: c.Gamma, custom: c.ScaleFn.call, scaleMode: c.ScaleMode}
	r.ratio = c.StepSizeUp / r.size
	base, err := c.BaseLR.of(c.Optimizer, "base_lr")
	if err != nil {
		return nil, err
	}
	if r.maxLRs, err = c.MaxLR.of(c.Optimizer, "max_lr"); err != nil {
		return nil, err
	}
	if c.LastEpoch == -1 {
		for i, g := range c.Optimizer.Groups() {
			g.SetOption("lr", base[i])
		}
	}
	r.settle()
	r.low, r.high = make([]float64, len(base)), make([]float64, len(base))
	if c.CycleMomentum {
		if r.low, r.high, err = r.cycle(c.Optimizer, c.LastEpoch, c.BaseMomentum, c.MaxMomentum); err != nil {
			return nil, err
		}
	}
	s, err := build("CyclicLR", c.Optimizer, c.LastEpoch, r)
	if err != nil {
		return nil, err
	}
	s.baseLRs = base // the initial step begins at initial_lr, which an earlier scheduler may have set
	return s, nil
}

type cyclicLR struct {
	momentum
	maxLRs      []float64
	size, ratio float64 // steps of a cycle, and the part of them that goes up
	mode        string
	gamma       float64
	custom      registry.Func
	scaleMode   string
	low, high   []float64 // of the momentum
}

func (r *cyclicLR) attributes() []attribute {
	return append([]attribute{
		{"max_lrs", &r.maxLRs}, {"total_size", &r.size}, {"step_ratio", &r.ratio}, {"mode", &r.mode}, {"gamma", &r.gamma},
		{"scale_mode", &r.scaleMode}, {"_scale_fn_custom", stateless{r}}, {"base_momentums", onlyIf{&r.cycled, &r.low}},
		{"max_momentums", onlyIf{&r.cycled, &r.high}},
	}, r.momentum.attributes()...)
}

// stateless is the place of scale_fn in the state, null for a function. It comes after what settles with it.
type stateless struct{ r *cyclicLR }

func (s stateless) save() lighter.Value { return nil }

func (s stateless) load(lighter.Value) error {
	s.r.settle()
	return nil
}

// settle sets what a mode scales by; a function of the user's has its own scale_mode.
func (r *cyclicLR) settle() {
	switch {
	case r.custom != nil:
	case r.mode == "exp_range":
		r.scaleMode = "iterations"
	default:
		r.scaleMode = "cycle"
	}
}

func (r *cyclicLR) scale(x int) (float64, error) {
	switch {
	case r.custom != nil:
		y, err := call(r.custom, x)
		if err != nil {
			return 0, lighter.FieldError("scale_fn", "%v", err)
		}
		return y, nil
	case r.mode == "triangular2":
		return 1 / math.Ldexp(1, x-1), nil
	case r.mode == "exp_range":
		return pow(r.gamma, float64(x))
	}
	return 1, nil
}

func (r *cyclicLR) rates(s *scheduler) ([]float64, error) {
	if r.size == 0 || r.ratio == 0 {
		return nil, errDivision
	}
	part := float64(s.lastEpoch) / r.size
	cycle := math.Floor(1 + part)
	x := 1 + part - cycle
	height := x / r.ratio
	if x > r.ratio {
		height = (x - 1) / (r.ratio - 1)
	}
	at := s.lastEpoch
	if r.scaleMode == "cycle" {
		at = int(cycle)
	}
	scale, err := r.scale(at)
	if err != nil {
		return nil, err
	}
	lrs := make([]float64, len(s.baseLRs))
	for i, base := range s.baseLRs {
		lrs[i] = base + float64((r.maxLRs[i]-base)*height*scale)
	}
	if r.cycled {
		for i, g := range s.groups() {
			if err := r.set(g, r.high[i]-float64((r.high[i]-r.low[i])*height*scale)); err != nil {
				return nil, err
			}
		}
	}
	return lrs, nil
}
