package scheduler

import (
	"math"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/libm"
)

func init() {
	lighter.Register[lighter.Scheduler]("torch.optim.swa_utils.SWALR", SWALR{AnnealEpochs: 10, AnnealStrategy: "cos", LastEpoch: -1})
}

// SWALR is torch.optim.swa_utils.SWALR: from the learning rate as it is to a constant one, for stochastic weight averaging
// (Izmailov et al., arXiv:1803.05407).
type SWALR struct {
	Optimizer      lighter.Optimizer `cfg:"optimizer,required" help:"whose learning rates to change"`
	SWALR          PerGroup          `cfg:"swa_lr,required" help:"the learning rate to reach: a float, or a list with one a group"`
	AnnealEpochs   int               `cfg:"anneal_epochs" help:"number of steps until swa_lr"`
	AnnealStrategy string            `cfg:"anneal_strategy" oneof:"cos|linear" help:"the form of the way"`
	LastEpoch      int               `cfg:"last_epoch" help:"index of the last step; -1 to begin"`
}

// Validate implements the registry's Validator.
func (c SWALR) Validate() error {
	if c.AnnealEpochs < 0 {
		return lighter.FieldError("anneal_epochs", "anneal_epochs must be equal or greater than 0, got %d", c.AnnealEpochs)
	}
	return nil
}

// Build implements the registry's Builder. The groups get an option swa_lr, as PyTorch's do.
func (c SWALR) Build(*lighter.Env) (lighter.Scheduler, error) {
	if err := given(c.Optimizer); err != nil {
		return nil, err
	}
	lrs, err := c.SWALR.of(c.Optimizer, "swa_lr")
	if err != nil {
		return nil, err
	}
	for i, g := range c.Optimizer.Groups() {
		g.SetOption("swa_lr", lrs[i])
	}
	return built(build("SWALR", c.Optimizer, c.LastEpoch, &swaLR{c.AnnealEpochs, c.AnnealStrategy}))
}

type swaLR struct {
	epochs   int
	strategy string
}

func (r *swaLR) attributes() []attribute {
	return []attribute{{"anneal_epochs", &r.epochs}, {"_anneal_strategy", choice{&r.strategy, "anneal_strategy", []string{"cos", "linear"}}}}
}

// rates takes the way's part out of the learning rate as it is, and mixes swa_lr in anew: it goes on from a rate that was changed.
func (r *swaLR) rates(s *scheduler) ([]float64, error) {
	step := s.steps - 1
	if r.epochs == 0 {
		step = max(1, step)
	}
	before, now := r.alpha(step-1), r.alpha(step)
	lrs, _ := s.current()
	for i, g := range s.groups() {
		to, _ := number(g.Option("swa_lr"))
		from := to
		if before != 1 {
			from = (lrs[i] - float64(before*to)) / (1 - before)
		}
		lrs[i] = float64(to*now) + float64(from*(1-now))
	}
	return lrs, nil
}

// alpha is how much of the way is gone, from 0 to 1.
func (r *swaLR) alpha(step int) float64 {
	t := max(0, min(1, float64(step)/float64(max(1, r.epochs))))
	if r.strategy == "linear" {
		return t
	}
	return (1 - libm.Cos(math.Pi*t)) / 2
}
