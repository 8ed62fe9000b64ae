package scheduler

import (
	"fmt"

	"github.com/lighter-go/lighter"
)

// composed is what the schedulers made of others share.
type composed struct {
	members parts
	lastLRs []float64
	begun   bool // a SequentialLR did the initial step, which leaves its marks in the state
	steps   int
	initial bool
}

// partsOf checks that schedulers can be parts of another one. A nil optimizer is that of the first.
func partsOf(class string, o lighter.Optimizer, schedulers []lighter.Scheduler) (parts, error) {
	var all parts
	for i, s := range schedulers {
		m, ok := s.(member)
		if !ok && s != nil && s.NeedsMetric() {
			return nil, lighter.FieldError("schedulers", "%s does not support `ReduceLROnPlateau` scheduler as it requires additional kwargs to be specified when calling `step`, but got one at index %d in the given schedulers sequence.", class, i)
		}
		if !ok {
			return nil, lighter.FieldError("schedulers", "%s at index %d should have `optimizer` as its attribute.", class, i)
		}
		if o == nil {
			o = m.Optimizer()
		}
		if o != m.Optimizer() {
			return nil, lighter.FieldError("schedulers", "%s expects all schedulers to belong to the same optimizer, but got scheduler %s at index %d has another %s, which is different from %s.", class, m.Name(), i, m.Optimizer().Name(), o.Name())
		}
		all = append(all, m)
	}
	return all, nil
}

// Optimizer is the one whose learning rates change.
func (c *composed) Optimizer() lighter.Optimizer { return c.members[0].Optimizer() }
func (c *composed) last() []float64              { return c.lastLRs }

func (c *composed) undo() {
	for _, m := range c.members {
		m.undo()
	}
}

// NeedsMetric implements lighter.Scheduler.
func (c *composed) NeedsMetric() bool { return false }

func (c *composed) attributes() []attribute {
	return []attribute{
		{"_schedulers", c.members}, {"_last_lr", &c.lastLRs}, {"_step_count", onlyIf{&c.begun, &c.steps}}, {"_is_initial", onlyIf{&c.begun, &c.initial}},
	}
}

// parts are the schedulers; their states are a list of dicts.
type parts []member

func (m parts) save() lighter.Value {
	return list(m, func(m member) any { return m.StateDict() })
}

func (m parts) load(v lighter.Value) error {
	dicts, err := items(len(m), as[lighter.Dict]("a list of dicts"))(v)
	for i := 0; i < len(dicts) && err == nil; i++ {
		if err = m[i].LoadStateDict(dicts[i]); err != nil {
			err = fmt.Errorf("at index %d: %w", i, err)
		}
	}
	return err
}
