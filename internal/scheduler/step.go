package scheduler

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/torchfile"
)

func init() {
	register("StepLR", StepLR{Gamma: 0.1, LastEpoch: -1})
	register("MultiStepLR", MultiStepLR{Gamma: 0.1, LastEpoch: -1})
}

// StepLR is torch.optim.lr_scheduler.StepLR: the learning rate times gamma after every step_size steps.
type StepLR struct {
	Optimizer lighter.Optimizer `cfg:"optimizer,required" help:"whose learning rates to change"`
	StepSize  int               `cfg:"step_size,required" help:"steps from one decay to the next"`
	Gamma     float64           `cfg:"gamma" help:"factor of the learning rate"`
	LastEpoch int               `cfg:"last_epoch" help:"index of the last step; -1 to begin"`
}

// Validate implements the registry's Validator.
func (c StepLR) Validate() error {
	if c.StepSize == 0 {
		return lighter.FieldError("step_size", "must not be 0")
	}
	return nil
}

// Build implements the registry's Builder.
func (c StepLR) Build(*lighter.Env) (lighter.Scheduler, error) {
	return built(build("StepLR", c.Optimizer, c.LastEpoch, &stepLR{c.StepSize, c.Gamma}))
}

type stepLR struct {
	size  int
	gamma float64
}

func (r *stepLR) attributes() []attribute {
	return []attribute{{"step_size", &r.size}, {"gamma", &r.gamma}}
}

func (r *stepLR) rates(s *scheduler) ([]float64, error) {
	switch {
	case r.size == 0:
		return nil, errDivision
	case s.lastEpoch == 0 || s.lastEpoch%r.size != 0:
		return s.current()
	}
	return s.scaled(r.gamma)
}

func (r *stepLR) start(base float64) (float64, error) { return base, nil }

// MultiStepLR is torch.optim.lr_scheduler.MultiStepLR: the learning rate times gamma at each milestone, as often as it is named.
type MultiStepLR struct {
	Optimizer  lighter.Optimizer `cfg:"optimizer,required" help:"whose learning rates to change"`
	Milestones []int             `cfg:"milestones,required" help:"the steps that decay, increasing"`
	Gamma      float64           `cfg:"gamma" help:"factor of the learning rate"`
	LastEpoch  int               `cfg:"last_epoch" help:"index of the last step; -1 to begin"`
}

// Validate implements the registry's Validator.
func (c MultiStepLR) Validate() error {
	if c.Milestones == nil {
		return lighter.FieldError("milestones", "must be a list of ints, got null")
	}
	return nil
}

// Build implements the registry's Builder.
func (c MultiStepLR) Build(*lighter.Env) (lighter.Scheduler, error) {
	r := &multiStepLR{times{}, c.Gamma}
	for _, m := range c.Milestones {
		r.milestones[m]++
	}
	return built(build("MultiStepLR", c.Optimizer, c.LastEpoch, r))
}

type multiStepLR struct {
	milestones times
	gamma      float64
}

func (r *multiStepLR) attributes() []attribute {
	return []attribute{{"milestones", r.milestones}, {"gamma", &r.gamma}}
}

func (r *multiStepLR) rates(s *scheduler) ([]float64, error) {
	n, ok := r.milestones[s.lastEpoch]
	if !ok {
		return s.current()
	}
	factor, err := pow(r.gamma, float64(n))
	if err != nil {
		return nil, err
	}
	return s.scaled(factor)
}

func (r *multiStepLR) start(base float64) (float64, error) {
	n := 0
	for m, count := range r.milestones {
		if m <= 0 {
			n += count
		}
	}
	factor, err := pow(r.gamma, float64(n))
	return base * factor, err
}

// times says how often each milestone is named: a collections.Counter in PyTorch's state dict.
type times map[int]int

func (t times) save() lighter.Value {
	d := &torchfile.Dict{Kind: torchfile.Counter}
	for _, m := range slices.Sorted(maps.Keys(t)) {
		d.Set(int64(m), int64(t[m]))
	}
	return d
}

// load takes a Counter, or a mapping whose keys have become strings.
func (t times) load(v lighter.Value) error {
	counts := lighter.Dict{}
	switch d := v.(type) {
	case *torchfile.Dict:
		for k, n := range d.All() {
			counts[fmt.Sprint(k)] = n
		}
	case lighter.Dict:
		counts = d
	default:
		return fmt.Errorf("must be a dict, got %s", lighter.TypeName(v))
	}
	clear(t)
	for k, n := range counts {
		m, err := strconv.Atoi(k)
		if err != nil {
			return fmt.Errorf("must have ints as keys, got %q", k)
		}
		if t[m], err = whole(n); err != nil {
			return err
		}
	}
	return nil
}
