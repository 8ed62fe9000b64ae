// Package scheduler holds learning-rate schedulers under PyTorch's names, with PyTorch's arguments, arithmetic and state dicts.
//
// A learning rate follows from the one before it, as in PyTorch's chainable get_lr, in float64 and in PyTorch's order of
// operations. A product that is added to something is converted, float64(a*b) + c, so that no compiler makes the two one
// operation with other last bits.
package scheduler

import (
	"errors"
	"math/big"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/libm"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

func register(class string, prototype registry.Builder[lighter.Scheduler]) {
	lighter.Register("torch.optim.lr_scheduler."+class, prototype)
}

// member is a scheduler that others can be made of.
type member interface {
	lighter.Scheduler
	of() lighter.Optimizer
	// Name is the class's.
	Name() string
	// advance is PyTorch's step.
	advance() error
	// undo takes back what the initial step counted; begin does that step again.
	undo()
	begin() error
	last() []float64
}

// rule is what an algorithm adds to what all schedulers share.
type rule interface {
	// rates is PyTorch's get_lr: the learning rate of each group at the scheduler's last epoch.
	rates(s *scheduler) ([]float64, error)
	// attributes are what the state dict holds of the rule. The first is how its state is recognised.
	attributes() []attribute
}

// starter is a rule with PyTorch's closed form. Only its value at epoch 0 is ever asked for, by a SequentialLR.
type starter interface {
	start(base float64) (float64, error)
}

// counter is a rule that counts its steps in its own way.
type counter interface {
	count(s *scheduler)
}

// scheduler is the part that all but the composed schedulers and ReduceLROnPlateau share.
type scheduler struct {
	class     string
	rule      rule
	optimizer lighter.Optimizer
	lastEpoch int
	steps     int
	initial   bool // the initial step is being done
	baseLRs   []float64
	lastLRs   []float64
}

// build makes a scheduler and does its initial step. With a last epoch of -1 a schedule begins, else the groups must know
// their initial_lr.
func build(class string, o lighter.Optimizer, lastEpoch int, r rule) (*scheduler, error) {
	if err := given(o); err != nil {
		return nil, err
	}
	s := &scheduler{class: class, rule: r, optimizer: o, lastEpoch: lastEpoch}
	for i, g := range o.Groups() {
		initial := g.Option("initial_lr")
		if initial == nil && lastEpoch != -1 {
			return nil, lighter.FieldError("last_epoch", "param 'initial_lr' is not specified in param_groups[%d] when resuming scheduler with last_epoch >= 0. A resumed run restores it by itself: leave last_epoch at -1", i)
		}
		if initial == nil {
			initial = g.LR()
			g.SetOption("initial_lr", initial)
		}
		lr, ok := number(initial)
		if !ok {
			return nil, lighter.FieldError("optimizer", "initial_lr of param_groups[%d] must be a float, got %v", i, initial)
		}
		s.baseLRs = append(s.baseLRs, lr)
	}
	return s, s.begin()
}

// given refuses a null optimizer.
func given(o lighter.Optimizer) error {
	if o == nil {
		return lighter.FieldError("optimizer", "NoneType is not an Optimizer")
	}
	return nil
}

// built gives a scheduler as the contract, and no scheduler as nil.
func built(s *scheduler, err error) (lighter.Scheduler, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (s *scheduler) groups() []*lighter.ParamGroup { return s.optimizer.Groups() }

// current gives each group's learning rate as it is.
func (s *scheduler) current() ([]float64, error) {
	return s.each(func(lr float64) float64 { return lr }), nil
}

// scaled gives each group's learning rate times factor.
func (s *scheduler) scaled(factor float64) ([]float64, error) {
	return s.each(func(lr float64) float64 { return lr * factor }), nil
}

func (s *scheduler) each(f func(lr float64) float64) []float64 {
	lrs := rates(s.optimizer)
	for i, lr := range lrs {
		lrs[i] = f(lr)
	}
	return lrs
}

func rates(o lighter.Optimizer) []float64 {
	lrs := make([]float64, len(o.Groups()))
	for i, g := range o.Groups() {
		lrs[i], _ = number(g.Option("lr"))
	}
	return lrs
}

func (s *scheduler) of() lighter.Optimizer { return s.optimizer }

// Name is the class's.
func (s *scheduler) Name() string { return s.class }

func (s *scheduler) last() []float64 { return s.lastLRs }
func (s *scheduler) undo()           { s.lastEpoch-- }

func (s *scheduler) begin() error {
	s.steps, s.initial = 0, true
	defer func() { s.initial = false }()
	return s.advance()
}

func (s *scheduler) advance() error {
	if c, ok := s.rule.(counter); ok {
		c.count(s)
	} else {
		s.steps++
		s.lastEpoch++
	}
	return s.update(s.rule.rates(s))
}

func (s *scheduler) restart() error {
	s.lastEpoch = 0
	r, ok := s.rule.(starter)
	if !ok {
		return s.update(s.rule.rates(s))
	}
	lrs := make([]float64, len(s.baseLRs))
	for i, base := range s.baseLRs {
		var err error
		if lrs[i], err = r.start(base); err != nil {
			return err
		}
	}
	return s.update(lrs, nil)
}

func (s *scheduler) update(lrs []float64, err error) error {
	if err != nil {
		return err
	}
	for i, g := range s.groups() {
		g.SetOption("lr", lrs[i])
	}
	s.lastLRs = lrs
	return nil
}

// Step implements lighter.Scheduler. Where PyTorch raises an error it panics with a *tensor.Error.
func (s *scheduler) Step(float64) { must(s.class, s.advance()) }

func must(class string, err error) {
	if err != nil {
		tensor.Fail(class, "%v", err)
	}
}

// NeedsMetric implements lighter.Scheduler.
func (s *scheduler) NeedsMetric() bool { return false }

func (s *scheduler) attributes() []attribute {
	return append(s.rule.attributes(),
		attribute{"base_lrs", &s.baseLRs}, attribute{"last_epoch", &s.lastEpoch}, attribute{"_step_count", &s.steps},
		attribute{"_is_initial", &s.initial}, attribute{"_last_lr", &s.lastLRs})
}

// StateDict implements lighter.Scheduler.
func (s *scheduler) StateDict() lighter.Dict {
	d := save(s.attributes())
	d["_get_lr_called_within_step"] = false
	return d
}

// LoadStateDict implements lighter.Scheduler. As in PyTorch the state's arguments replace those configured.
func (s *scheduler) LoadStateDict(d lighter.Dict) error { return load(s.class, d, s.attributes()) }

// pow is x to the power y. As in Python 0 has no negative powers.
func pow(x, y float64) (float64, error) {
	if x == 0 && y < 0 {
		return 0, errDivision
	}
	return libm.Pow(x, y), nil
}

var errDivision = errors.New("float division by zero")

// number takes what Python would calculate with.
func number(v any) (float64, bool) {
	switch n := v.(type) {
	case float64:
		return n, true
	case int64:
		return float64(n), true
	case int:
		return float64(n), true
	case bool:
		if n {
			return 1, true
		}
		return 0, true
	case *big.Int:
		f, _ := new(big.Float).SetInt(n).Float64()
		return f, true
	}
	return 0, false
}
