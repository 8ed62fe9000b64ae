package scheduler

import "github.com/lighter-go/lighter"

func init() {
	register("ExponentialLR", ExponentialLR{LastEpoch: -1})
	register("PolynomialLR", PolynomialLR{TotalIters: 5, Power: 1, LastEpoch: -1})
}

// ExponentialLR is torch.optim.lr_scheduler.ExponentialLR: the learning rate times gamma at every step.
type ExponentialLR struct {
	Optimizer lighter.Optimizer `cfg:"optimizer,required" help:"whose learning rates to change"`
	Gamma     float64           `cfg:"gamma,required" help:"factor of the learning rate"`
	LastEpoch int               `cfg:"last_epoch" help:"index of the last step; -1 to begin"`
}

// Build implements the registry's Builder.
func (c ExponentialLR) Build(*lighter.Env) (lighter.Scheduler, error) {
	return built(build("ExponentialLR", c.Optimizer, c.LastEpoch, &exponentialLR{c.Gamma}))
}

type exponentialLR struct{ gamma float64 }

func (r *exponentialLR) attributes() []attribute { return []attribute{{"gamma", &r.gamma}} }

func (r *exponentialLR) rates(s *scheduler) ([]float64, error) {
	if s.initial {
		return s.current()
	}
	return s.scaled(r.gamma)
}

func (r *exponentialLR) start(base float64) (float64, error) { return base, nil }

// PolynomialLR is torch.optim.lr_scheduler.PolynomialLR: the learning rate goes as (1 - step/total_iters)**power to 0.
type PolynomialLR struct {
	Optimizer  lighter.Optimizer `cfg:"optimizer,required" help:"whose learning rates to change"`
	TotalIters float64           `cfg:"total_iters" help:"number of steps until 0"`
	Power      float64           `cfg:"power" help:"exponent of the decay"`
	LastEpoch  int               `cfg:"last_epoch" help:"index of the last step; -1 to begin"`
}

// Build implements the registry's Builder.
func (c PolynomialLR) Build(*lighter.Env) (lighter.Scheduler, error) {
	return built(build("PolynomialLR", c.Optimizer, c.LastEpoch, &polynomialLR{c.TotalIters, c.Power}))
}

type polynomialLR struct{ iters, power float64 }

func (r *polynomialLR) attributes() []attribute {
	return []attribute{{"power", &r.power}, {"total_iters", intOrFloat{&r.iters}}}
}

func (r *polynomialLR) rates(s *scheduler) ([]float64, error) {
	epoch := float64(s.lastEpoch)
	if s.initial || epoch > r.iters {
		return s.current()
	}
	left, before := 1-epoch/r.iters, 1-(epoch-1)/r.iters
	if r.iters == 0 || before == 0 {
		return nil, errDivision
	}
	factor, err := pow(left/before, r.power)
	if err != nil {
		return nil, err
	}
	return s.scaled(factor)
}

func (r *polynomialLR) start(base float64) (float64, error) {
	if r.iters == 0 {
		return 0, errDivision
	}
	factor, err := pow(1-min(r.iters, 0)/r.iters, r.power)
	return base * factor, err
}
