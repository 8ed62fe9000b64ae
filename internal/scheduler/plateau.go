package scheduler

import (
	"math"

	"github.com/lighter-go/lighter"
)

func init() {
	register("ReduceLROnPlateau", ReduceLROnPlateau{Mode: "min", Factor: 0.1, Patience: 10, Threshold: 1e-4, ThresholdMode: "rel", MinLR: same(0), Eps: 1e-8})
}

// ReduceLROnPlateau is torch.optim.lr_scheduler.ReduceLROnPlateau: the learning rate times factor when a metric has not become
// better for more than patience steps.
type ReduceLROnPlateau struct {
	Optimizer     lighter.Optimizer `cfg:"optimizer,required" help:"whose learning rates to change"`
	Mode          string            `cfg:"mode" oneof:"min|max" help:"whether a better metric is a lower or a higher one"`
	Factor        float64           `cfg:"factor,aka=gamma" help:"factor of the learning rate, below 1"`
	Patience      int               `cfg:"patience" help:"steps in a row that may bring nothing better"`
	Threshold     float64           `cfg:"threshold" help:"how much better is better"`
	ThresholdMode string            `cfg:"threshold_mode" oneof:"rel|abs" help:"threshold as a part of the best metric, or as it is"`
	Cooldown      int               `cfg:"cooldown" help:"steps after a reduction that are not counted"`
	MinLR         PerGroup          `cfg:"min_lr,aka=eta_min" help:"lowest learning rate: a float, or a list with one a group"`
	Eps           float64           `cfg:"eps" help:"a reduction by less is not made"`
}

// Validate implements the registry's Validator.
func (c ReduceLROnPlateau) Validate() error {
	if c.Factor >= 1 {
		return lighter.FieldError("factor", "Factor should be < 1.0.")
	}
	return nil
}

// Build implements the registry's Builder.
func (c ReduceLROnPlateau) Build(*lighter.Env) (lighter.Scheduler, error) {
	if err := given(c.Optimizer); err != nil {
		return nil, err
	}
	n := len(c.Optimizer.Groups())
	p := &plateau{
		optimizer: c.Optimizer, factor: c.Factor, patience: c.Patience, cooldown: c.Cooldown, eps: c.Eps, mode: c.Mode, threshold: c.Threshold,
		thresholdMode: c.ThresholdMode, lastLRs: rates(c.Optimizer),
	}
	if c.MinLR.list && len(c.MinLR.values) != n {
		return nil, lighter.FieldError("min_lr", "expected %d min_lrs, got %d", n, len(c.MinLR.values))
	}
	p.minLRs = c.MinLR.spread(n)
	if !c.MinLR.list {
		p.defaultMinLR = &c.MinLR.values[0]
	}
	p.best = p.worst()
	return p, nil
}

type plateau struct {
	optimizer           lighter.Optimizer
	mode, thresholdMode string
	threshold           float64
	factor, eps         float64
	patience, cooldown  int
	defaultMinLR        *float64 // nil when each group has its own
	minLRs              []float64
	lastEpoch           int
	lastLRs             []float64
	best                float64
	coolingDown, bad    int // steps still to wait; steps without a better metric
}

func (p *plateau) worst() float64 {
	if p.mode == "min" {
		return math.Inf(1)
	}
	return math.Inf(-1)
}

func (p *plateau) better(metric float64) bool {
	switch {
	case p.mode == "min" && p.thresholdMode == "rel":
		return metric < p.best*(1-p.threshold)
	case p.mode == "min":
		return metric < p.best-p.threshold
	case p.thresholdMode == "rel":
		return metric > p.best*(p.threshold+1)
	}
	return metric > p.best+p.threshold
}

// Step implements lighter.Scheduler.
func (p *plateau) Step(metric float64) {
	p.lastEpoch++
	if p.better(metric) {
		p.best, p.bad = metric, 0
	} else {
		p.bad++
	}
	if p.coolingDown > 0 {
		p.coolingDown--
		p.bad = 0
	}
	if p.bad > p.patience {
		p.reduce()
		p.coolingDown, p.bad = p.cooldown, 0
	}
	p.lastLRs = rates(p.optimizer)
}

func (p *plateau) reduce() {
	for i, old := range rates(p.optimizer) {
		lr := float64(old * p.factor)
		if p.minLRs[i] > lr {
			lr = p.minLRs[i]
		}
		if old-lr > p.eps {
			p.optimizer.Groups()[i].SetOption("lr", lr)
		}
	}
}

// NeedsMetric implements lighter.Scheduler.
func (p *plateau) NeedsMetric() bool { return true }

func (p *plateau) attributes() []attribute {
	return []attribute{
		{"patience", &p.patience}, {"factor", &p.factor}, {"default_min_lr", &p.defaultMinLR}, {"min_lrs", &p.minLRs},
		{"cooldown", &p.cooldown}, {"eps", &p.eps}, {"last_epoch", &p.lastEpoch}, {"_last_lr", &p.lastLRs},
		{"mode", choice{&p.mode, "mode", []string{"min", "max"}}}, {"threshold", &p.threshold},
		{"threshold_mode", choice{&p.thresholdMode, "threshold mode", []string{"rel", "abs"}}},
		{"best", &p.best}, {"cooldown_counter", &p.coolingDown}, {"num_bad_epochs", &p.bad},
	}
}

// StateDict implements lighter.Scheduler.
func (p *plateau) StateDict() lighter.Dict {
	d := save(p.attributes())
	d["mode_worse"] = p.worst()
	return d
}

// LoadStateDict implements lighter.Scheduler. As in PyTorch the state's arguments replace those configured.
func (p *plateau) LoadStateDict(d lighter.Dict) error {
	return load("ReduceLROnPlateau", d, p.attributes())
}

// Optimizer is the one whose learning rates change.
func (p *plateau) Optimizer() lighter.Optimizer { return p.optimizer }

// Name is the class's.
func (p *plateau) Name() string { return "ReduceLROnPlateau" }
