package scheduler

import (
	"github.com/lighter-go/lighter"
)

func init() { register("ChainedScheduler", ChainedScheduler{}) }

// ChainedScheduler is torch.optim.lr_scheduler.ChainedScheduler: several schedulers of one optimizer, each stepped at every
// step.
type ChainedScheduler struct {
	Schedulers []lighter.Scheduler `cfg:"schedulers,required" help:"the schedulers, in the order they step"`
	Optimizer  lighter.Optimizer   `cfg:"optimizer" help:"the schedulers' optimizer; null for that of the first"`
}

// Validate implements the registry's Validator.
func (c ChainedScheduler) Validate() error {
	if len(c.Schedulers) == 0 {
		return lighter.FieldError("schedulers", "ChainedScheduler expects at least one scheduler to be chained, but got no scheduler.")
	}
	return nil
}

// Build implements the registry's Builder.
func (c ChainedScheduler) Build(*lighter.Env) (lighter.Scheduler, error) {
	members, err := partsOf("ChainedScheduler", c.Optimizer, c.Schedulers)
	if err != nil {
		return nil, err
	}
	s := &chained{composed: composed{members: members}}
	s.lastLRs = rates(s.Optimizer())
	return s, nil
}

type chained struct{ composed }

// Name is the class's.
func (s *chained) Name() string { return "ChainedScheduler" }

func (s *chained) begin() error {
	s.begun = true
	return s.advance()
}

func (s *chained) advance() error {
	for _, m := range s.members {
		if err := m.advance(); err != nil {
			return err
		}
	}
	s.lastLRs = rates(s.Optimizer())
	return nil
}

// Step implements lighter.Scheduler. Where PyTorch raises an error it panics with a *tensor.Error.
func (s *chained) Step(float64) { must(s.Name(), s.advance()) }

// StateDict implements lighter.Scheduler.
func (s *chained) StateDict() lighter.Dict { return save(s.attributes()) }

// LoadStateDict implements lighter.Scheduler.
func (s *chained) LoadStateDict(d lighter.Dict) error { return load(s.Name(), d, s.attributes()) }
