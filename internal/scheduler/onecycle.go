package scheduler

import (
	"errors"
	"fmt"
	"math"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/internal/libm"
)

func init() {
	register("OneCycleLR", OneCycleLR{
		PctStart: 0.3, AnnealStrategy: "cos", CycleMomentum: true, BaseMomentum: same(0.85), MaxMomentum: same(0.95), DivFactor: 25,
		FinalDivFactor: 1e4, LastEpoch: -1,
	})
}

// OneCycleLR is torch.optim.lr_scheduler.OneCycleLR: the learning rate goes up to max_lr and then down far below where it began,
// the momentum against it (Smith and Topin, arXiv:1708.07120). It steps after every batch: `interval: step`.
type OneCycleLR struct {
	Optimizer      lighter.Optimizer `cfg:"optimizer,required" help:"whose learning rates to change"`
	MaxLR          PerGroup          `cfg:"max_lr,required" help:"highest learning rate: a float, or a list with one a group"`
	TotalSteps     *int              `cfg:"total_steps" help:"number of steps; null for epochs times steps_per_epoch"`
	Epochs         *int              `cfg:"epochs" help:"number of epochs"`
	StepsPerEpoch  *int              `cfg:"steps_per_epoch" help:"number of steps of an epoch"`
	PctStart       float64           `cfg:"pct_start" help:"the part of the steps that goes up, from 0 to 1"`
	AnnealStrategy string            `cfg:"anneal_strategy" oneof:"cos|linear" help:"the form of each phase"`
	CycleMomentum  bool              `cfg:"cycle_momentum" help:"cycle the momentum, or beta1, against the learning rate"`
	BaseMomentum   PerGroup          `cfg:"base_momentum" help:"lowest momentum: a float, or a list with one a group"`
	MaxMomentum    PerGroup          `cfg:"max_momentum" help:"highest momentum: a float, or a list with one a group"`
	DivFactor      float64           `cfg:"div_factor" help:"max_lr over the first learning rate"`
	FinalDivFactor float64           `cfg:"final_div_factor" help:"the first learning rate over the last"`
	ThreePhase     bool              `cfg:"three_phase" help:"down to the first learning rate as fast as up, then to the last"`
	LastEpoch      int               `cfg:"last_epoch" help:"index of the last step; -1 to begin"`
}

// Validate implements the registry's Validator.
func (c OneCycleLR) Validate() error {
	switch {
	case c.TotalSteps != nil && *c.TotalSteps <= 0:
		return lighter.FieldError("total_steps", "Expected positive integer total_steps, but got %d", *c.TotalSteps)
	case c.TotalSteps == nil && (c.Epochs == nil || c.StepsPerEpoch == nil):
		return lighter.FieldError("total_steps", "You must define either total_steps OR (epochs AND steps_per_epoch)")
	case c.TotalSteps == nil && *c.Epochs <= 0:
		return lighter.FieldError("epochs", "Expected positive integer epochs, but got %d", *c.Epochs)
	case c.TotalSteps == nil && *c.StepsPerEpoch <= 0:
		return lighter.FieldError("steps_per_epoch", "Expected positive integer steps_per_epoch, but got %d", *c.StepsPerEpoch)
	case !(c.PctStart >= 0 && c.PctStart <= 1):
		return lighter.FieldError("pct_start", "Expected float between 0 and 1 pct_start, but got %s", expr.Float(c.PctStart))
	case c.DivFactor == 0:
		return lighter.FieldError("div_factor", "must not be 0")
	case c.FinalDivFactor == 0:
		return lighter.FieldError("final_div_factor", "must not be 0")
	case c.PctStart*float64(c.steps()) == 1:
		return lighter.FieldError("pct_start", "float division by zero: the way up would be a single step of %d, of no length; give pct_start another value", c.steps())
	}
	return nil
}

func (c OneCycleLR) steps() int {
	if c.TotalSteps != nil {
		return *c.TotalSteps
	}
	return *c.Epochs * *c.StepsPerEpoch
}

// Build implements the registry's Builder.
func (c OneCycleLR) Build(*lighter.Env) (lighter.Scheduler, error) {
	if err := given(c.Optimizer); err != nil {
		return nil, err
	}
	r := &oneCycleLR{steps: c.steps(), form: c.AnnealStrategy, phases: c.phases()}
	maxLRs, err := c.MaxLR.of(c.Optimizer, "max_lr")
	if err != nil {
		return nil, err
	}
	if c.LastEpoch == -1 {
		for i, g := range c.Optimizer.Groups() {
			first := maxLRs[i] / c.DivFactor
			g.SetOption("initial_lr", first)
			g.SetOption("max_lr", maxLRs[i])
			g.SetOption("min_lr", first/c.FinalDivFactor)
		}
	}
	if c.CycleMomentum {
		if _, _, err := r.cycle(c.Optimizer, c.LastEpoch, c.BaseMomentum, c.MaxMomentum); err != nil {
			return nil, err
		}
	}
	return built(build("OneCycleLR", c.Optimizer, c.LastEpoch, r))
}

func (c OneCycleLR) phases() []phase {
	n := float64(c.steps())
	up := phase{float64(c.PctStart*n) - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum"}
	if c.ThreePhase {
		return []phase{
			up,
			{float64(2*c.PctStart*n) - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum"},
			{n - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum"},
		}
	}
	return []phase{up, {n - 1, "max_lr", "min_lr", "base_momentum", "max_momentum"}}
}

// phase is a part of the cycle: its last step, and the options of a group that it goes between.
type phase struct {
	end                        float64
	startLR, endLR             string
	startMomentum, endMomentum string
}

type oneCycleLR struct {
	momentum
	steps  int
	phases []phase
	form   string
}

func (r *oneCycleLR) attributes() []attribute {
	return append([]attribute{
		{"total_steps", &r.steps}, {"_schedule_phases", phases{&r.phases}},
		{"_anneal_func_type", choice{&r.form, "_anneal_func_type", []string{"cos", "linear"}}},
	}, r.momentum.attributes()...)
}

func (r *oneCycleLR) rates(s *scheduler) ([]float64, error) {
	if s.lastEpoch > r.steps {
		//lint:ignore ST1005 PyTorch's wording
		return nil, fmt.Errorf("Tried to step %d times. The specified number of total steps is %d", s.lastEpoch, r.steps)
	}
	step, begin, i := float64(s.lastEpoch), 0.0, 0
	for ; step > r.phases[i].end && i < len(r.phases)-1; i++ {
		begin = r.phases[i].end
	}
	p := r.phases[i]
	if p.end == begin {
		return nil, errDivision
	}
	pct := (step - begin) / (p.end - begin)
	lrs := make([]float64, len(s.baseLRs))
	for i, g := range s.groups() {
		var err error
		if lrs[i], err = r.between(g, p.startLR, p.endLR, pct); err != nil {
			return nil, err
		}
		if !r.cycled {
			continue
		}
		m, err := r.between(g, p.startMomentum, p.endMomentum, pct)
		if err == nil {
			err = r.set(g, m)
		}
		if err != nil {
			return nil, err
		}
	}
	return lrs, nil
}

// between goes from one option of a group to another as pct goes from 0 to 1.
func (r *oneCycleLR) between(g *lighter.ParamGroup, from, to string, pct float64) (float64, error) {
	start, ok := number(g.Option(from))
	end, also := number(g.Option(to))
	if !ok || !also {
		return 0, fmt.Errorf("a parameter group of the optimizer has no %s or no %s, which OneCycleLR sets when it begins", from, to)
	}
	if r.form == "linear" {
		return float64((end-start)*pct) + start, nil
	}
	return end + float64((start-end)/2*(libm.Cos(math.Pi*pct)+1)), nil
}

// phases is the cycle in the state: a list of dicts.
type phases struct{ p *[]phase }

func (p *phase) attributes() []attribute {
	return []attribute{
		{"end_step", &p.end}, {"start_lr", &p.startLR}, {"end_lr", &p.endLR}, {"start_momentum", &p.startMomentum}, {"end_momentum", &p.endMomentum},
	}
}

func (p phases) save() lighter.Value {
	var l lighter.List
	for _, one := range *p.p {
		l = append(l, save(one.attributes()))
	}
	return l
}

func (p phases) load(v lighter.Value) error {
	l, err := as[lighter.List]("a list")(v)
	if err == nil && len(l) == 0 {
		err = errors.New("must not be empty")
	}
	loaded := make([]phase, len(l))
	for i := 0; i < len(l) && err == nil; i++ {
		var d lighter.Dict
		if d, err = as[lighter.Dict]("a list of dicts")(l[i]); err == nil {
			err = load("phase", d, loaded[i].attributes())
		}
	}
	if err == nil {
		*p.p = loaded
	}
	return err
}
