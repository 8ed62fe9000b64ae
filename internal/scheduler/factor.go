package scheduler

import "github.com/lighter-go/lighter"

func init() {
	register("ConstantLR", ConstantLR{Factor: 1.0 / 3, TotalIters: 5, LastEpoch: -1})
	register("LinearLR", LinearLR{StartFactor: 1.0 / 3, EndFactor: 1, TotalIters: 5, LastEpoch: -1})
}

// ConstantLR is torch.optim.lr_scheduler.ConstantLR: the learning rate times a factor, until total_iters steps are done.
type ConstantLR struct {
	Optimizer  lighter.Optimizer `cfg:"optimizer,required" help:"whose learning rates to change"`
	Factor     float64           `cfg:"factor" help:"factor of the learning rate, from 0 to 1"`
	TotalIters float64           `cfg:"total_iters" help:"number of steps with the factor"`
	LastEpoch  int               `cfg:"last_epoch" help:"index of the last step; -1 to begin"`
}

// Validate implements the registry's Validator.
func (c ConstantLR) Validate() error {
	if c.Factor > 1 || c.Factor < 0 {
		return lighter.FieldError("factor", "Constant multiplicative factor expected to be between 0 and 1.")
	}
	return nil
}

// Build implements the registry's Builder.
func (c ConstantLR) Build(*lighter.Env) (lighter.Scheduler, error) {
	return built(build("ConstantLR", c.Optimizer, c.LastEpoch, &constantLR{c.Factor, c.TotalIters}))
}

type constantLR struct{ factor, iters float64 }

func (r *constantLR) attributes() []attribute {
	return []attribute{{"factor", &r.factor}, {"total_iters", intOrFloat{&r.iters}}}
}

func (r *constantLR) rates(s *scheduler) ([]float64, error) {
	switch {
	case s.lastEpoch == 0:
		return s.scaled(r.factor)
	case float64(s.lastEpoch) != r.iters:
		return s.current()
	case r.factor == 0:
		return nil, errDivision
	}
	return s.scaled(1 / r.factor)
}

func (r *constantLR) start(base float64) (float64, error) {
	if r.iters <= 0 {
		return base * (r.factor + (1 - r.factor)), nil
	}
	return base * r.factor, nil
}

// LinearLR is torch.optim.lr_scheduler.LinearLR: the learning rate times a factor that goes from start_factor to end_factor in
// total_iters steps.
type LinearLR struct {
	Optimizer   lighter.Optimizer `cfg:"optimizer,required" help:"whose learning rates to change"`
	StartFactor float64           `cfg:"start_factor" help:"first factor of the learning rate, above 0 and up to 1"`
	EndFactor   float64           `cfg:"end_factor" help:"last factor of the learning rate, from 0 to 1"`
	TotalIters  float64           `cfg:"total_iters" help:"number of steps until the last factor"`
	LastEpoch   int               `cfg:"last_epoch" help:"index of the last step; -1 to begin"`
}

// Validate implements the registry's Validator.
func (c LinearLR) Validate() error {
	switch {
	case c.StartFactor > 1 || c.StartFactor <= 0:
		return lighter.FieldError("start_factor", "Starting multiplicative factor expected to be greater than 0 and less or equal to 1.")
	case c.EndFactor > 1 || c.EndFactor < 0:
		return lighter.FieldError("end_factor", "Ending multiplicative factor expected to be between 0 and 1.")
	}
	return nil
}

// Build implements the registry's Builder.
func (c LinearLR) Build(*lighter.Env) (lighter.Scheduler, error) {
	return built(build("LinearLR", c.Optimizer, c.LastEpoch, &linearLR{c.StartFactor, c.EndFactor, c.TotalIters}))
}

type linearLR struct{ first, last, iters float64 }

func (r *linearLR) attributes() []attribute {
	return []attribute{{"start_factor", &r.first}, {"end_factor", &r.last}, {"total_iters", intOrFloat{&r.iters}}}
}

func (r *linearLR) rates(s *scheduler) ([]float64, error) {
	epoch := float64(s.lastEpoch)
	switch {
	case s.lastEpoch == 0:
		return s.scaled(r.first)
	case s.initial || epoch > r.iters:
		return s.current()
	}
	before := float64(r.iters*r.first) + float64((epoch-1)*(r.last-r.first))
	if before == 0 {
		return nil, errDivision
	}
	return s.scaled(1 + (r.last-r.first)/before)
}

func (r *linearLR) start(base float64) (float64, error) {
	if r.iters == 0 {
		return 0, errDivision
	}
	return base * (r.first + float64((r.last-r.first)*min(r.iters, 0))/r.iters), nil
}
