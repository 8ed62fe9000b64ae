package scheduler

import (
	"sort"

	"github.com/lighter-go/lighter"
)

func init() { register("SequentialLR", SequentialLR{LastEpoch: -1}) }

// SequentialLR is torch.optim.lr_scheduler.SequentialLR: several schedulers of one optimizer, each from its milestone on.
type SequentialLR struct {
	Optimizer  lighter.Optimizer   `cfg:"optimizer,required" help:"the schedulers' optimizer"`
	Schedulers []lighter.Scheduler `cfg:"schedulers,required" help:"the schedulers, one after the other"`
	Milestones []int               `cfg:"milestones,required" help:"the steps at which each scheduler but the first begins"`
	LastEpoch  int                 `cfg:"last_epoch" help:"index of the last step; -1 to begin"`
}

// Validate implements the registry's Validator.
func (c SequentialLR) Validate() error {
	switch {
	case len(c.Schedulers) == 0:
		return lighter.FieldError("schedulers", "SequentialLR expects at least one scheduler, but got no scheduler.")
	case len(c.Milestones) != len(c.Schedulers)-1:
		return lighter.FieldError("milestones", "Sequential Schedulers expects number of schedulers provided to be one more than the number of milestone points, but got number of schedulers %d and the number of milestones to be equal to %d", len(c.Schedulers), len(c.Milestones))
	}
	return nil
}

// Build implements the registry's Builder.
func (c SequentialLR) Build(*lighter.Env) (lighter.Scheduler, error) {
	if err := given(c.Optimizer); err != nil {
		return nil, err
	}
	members, err := partsOf("SequentialLR", c.Optimizer, c.Schedulers)
	if err != nil {
		return nil, err
	}
	for i, m := range members[1:] {
		if _, ok := m.(*scheduler); !ok {
			return nil, lighter.FieldError("schedulers", "the %s at index %d must be the first: SequentialLR cannot begin one later on", m.Name(), i+1)
		}
	}
	s := &sequential{composed: composed{members: members}, milestones: c.Milestones, lastEpoch: c.LastEpoch + 1}
	for _, g := range c.Optimizer.Groups() {
		lr, _ := number(g.Option("initial_lr"))
		g.SetOption("lr", lr)
	}
	s.undo()
	if err := members[0].begin(); err != nil {
		return nil, err
	}
	s.lastLRs = members[0].last()
	return s, nil
}

type sequential struct {
	composed
	milestones []int
	lastEpoch  int
}

// Name is the class's.
func (s *sequential) Name() string { return "SequentialLR" }

func (s *sequential) begin() error {
	s.begun = true
	return s.advance()
}

func (s *sequential) advance() error {
	s.lastEpoch++
	i := sort.SearchInts(s.milestones, s.lastEpoch+1)
	m := s.members[i]
	var err error
	if later, ok := m.(*scheduler); ok && i > 0 && s.milestones[i-1] == s.lastEpoch {
		err = later.restart()
	} else {
		err = m.advance()
	}
	if err != nil {
		return err
	}
	s.lastLRs = m.last()
	return nil
}

// Step implements lighter.Scheduler. Where PyTorch raises an error it panics with a *tensor.Error.
func (s *sequential) Step(float64) { must(s.Name(), s.advance()) }

func (s *sequential) attributes() []attribute {
	return append([]attribute{{"_milestones", &s.milestones}, {"last_epoch", &s.lastEpoch}}, s.composed.attributes()...)
}

// StateDict implements lighter.Scheduler.
func (s *sequential) StateDict() lighter.Dict { return save(s.attributes()) }

// LoadStateDict implements lighter.Scheduler.
func (s *sequential) LoadStateDict(d lighter.Dict) error { return load(s.Name(), d, s.attributes()) }
