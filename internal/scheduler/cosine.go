package scheduler

import (
	"math"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/libm"
)

func init() {
	register("CosineAnnealingLR", CosineAnnealingLR{LastEpoch: -1})
	register("CosineAnnealingWarmRestarts", CosineAnnealingWarmRestarts{TMult: 1, LastEpoch: -1})
}

// CosineAnnealingLR is torch.optim.lr_scheduler.CosineAnnealingLR: half a cosine wave down to eta_min in T_max steps, and up
// again in as many (Loshchilov and Hutter, arXiv:1608.03983).
type CosineAnnealingLR struct {
	Optimizer lighter.Optimizer `cfg:"optimizer,required" help:"whose learning rates to change"`
	TMax      float64           `cfg:"T_max,required,aka=t_max|max_epochs" help:"number of steps until eta_min"`
	EtaMin    float64           `cfg:"eta_min,aka=min_lr" help:"lowest learning rate"`
	LastEpoch int               `cfg:"last_epoch" help:"index of the last step; -1 to begin"`
}

// Validate implements the registry's Validator.
func (c CosineAnnealingLR) Validate() error {
	if c.TMax == 0 {
		return lighter.FieldError("T_max", "must not be 0")
	}
	return nil
}

// Build implements the registry's Builder.
func (c CosineAnnealingLR) Build(*lighter.Env) (lighter.Scheduler, error) {
	return built(build("CosineAnnealingLR", c.Optimizer, c.LastEpoch, &cosineAnnealingLR{c.TMax, c.EtaMin}))
}

type cosineAnnealingLR struct{ steps, lowest float64 }

func (r *cosineAnnealingLR) attributes() []attribute {
	return []attribute{{"T_max", intOrFloat{&r.steps}}, {"eta_min", &r.lowest}}
}

func (r *cosineAnnealingLR) rates(s *scheduler) ([]float64, error) {
	epoch := float64(s.lastEpoch)
	switch {
	case s.initial:
		return s.current()
	case r.steps == 0:
		return nil, errDivision
	case s.steps == 1 && s.lastEpoch > 0:
		lrs := make([]float64, len(s.baseLRs))
		wave := 1 + libm.Cos(epoch*math.Pi/r.steps)
		for i, base := range s.baseLRs {
			lrs[i] = r.lowest + (base-r.lowest)*wave/2
		}
		return lrs, nil
	case math.Mod(epoch-1-r.steps, 2*r.steps) == 0: // at the lowest the factor below would be infinite
		lrs, _ := s.current()
		rise := 1 - libm.Cos(math.Pi/r.steps)
		for i, base := range s.baseLRs {
			lrs[i] += (base - r.lowest) * rise / 2
		}
		return lrs, nil
	}
	before := 1 + libm.Cos(math.Pi*(epoch-1)/r.steps)
	if before == 0 {
		return nil, errDivision
	}
	factor := (1 + libm.Cos(math.Pi*epoch/r.steps)) / before
	return s.each(func(lr float64) float64 { return float64(factor*(lr-r.lowest)) + r.lowest }), nil
}

func (r *cosineAnnealingLR) start(base float64) (float64, error) {
	return r.lowest + (base-r.lowest)*2/2, nil
}

// CosineAnnealingWarmRestarts is torch.optim.lr_scheduler.CosineAnnealingWarmRestarts: half a cosine wave down to eta_min, then
// from the top again, each time T_mult times as long (Loshchilov and Hutter, arXiv:1608.03983).
type CosineAnnealingWarmRestarts struct {
	Optimizer lighter.Optimizer `cfg:"optimizer,required" help:"whose learning rates to change"`
	T0        int               `cfg:"T_0,required,aka=t_0" help:"number of steps until the first restart"`
	TMult     int               `cfg:"T_mult,aka=t_mult" help:"how many times longer each wave is than the one before"`
	EtaMin    float64           `cfg:"eta_min,aka=min_lr" help:"lowest learning rate"`
	LastEpoch int               `cfg:"last_epoch" help:"index of the last step; -1 to begin"`
}

// Validate implements the registry's Validator.
func (c CosineAnnealingWarmRestarts) Validate() error {
	switch {
	case c.T0 <= 0:
		return lighter.FieldError("T_0", "Expected positive integer T_0, but got %d", c.T0)
	case c.TMult < 1:
		return lighter.FieldError("T_mult", "Expected integer T_mult >= 1, but got %d", c.TMult)
	}
	return nil
}

// Build implements the registry's Builder.
func (c CosineAnnealingWarmRestarts) Build(*lighter.Env) (lighter.Scheduler, error) {
	r := &warmRestarts{first: c.T0, length: c.T0, growth: c.TMult, lowest: c.EtaMin, at: float64(c.LastEpoch)}
	return built(build("CosineAnnealingWarmRestarts", c.Optimizer, c.LastEpoch, r))
}

type warmRestarts struct {
	first, length, growth int
	lowest                float64
	at                    float64 // steps since the restart; PyTorch may have stepped by fractions
}

func (r *warmRestarts) attributes() []attribute {
	return []attribute{{"T_0", &r.first}, {"T_i", &r.length}, {"T_mult", &r.growth}, {"eta_min", &r.lowest}, {"T_cur", intOrFloat{&r.at}}}
}

// count leaves PyTorch's _step_count at 0, as its own step does.
func (r *warmRestarts) count(s *scheduler) {
	if s.lastEpoch < 0 {
		s.lastEpoch, r.length, r.at = 0, r.first, 0
		return
	}
	s.lastEpoch++
	r.at++
	if length := float64(r.length); r.at >= length {
		r.at = math.Mod(r.at, length)
		r.length *= r.growth
	}
}

func (r *warmRestarts) rates(s *scheduler) ([]float64, error) {
	if r.length == 0 {
		return nil, errDivision
	}
	lrs := make([]float64, len(s.baseLRs))
	wave := 1 + libm.Cos(math.Pi*r.at/float64(r.length))
	for i, base := range s.baseLRs {
		lrs[i] = r.lowest + (base-r.lowest)*wave/2
	}
	return lrs, nil
}
