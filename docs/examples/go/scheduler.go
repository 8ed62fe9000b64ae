package mine

import (
	"fmt"

	"github.com/lighter-go/lighter"
)

// Warmup lets the learning rates grow evenly to what the optimizer has, and leaves them there.
type Warmup struct {
	Optimizer lighter.Optimizer `cfg:"optimizer,required" help:"whose learning rates to change"`
	Steps     int64             `cfg:"steps" help:"number of steps until the whole learning rate"`
}

func init() { lighter.Register[lighter.Scheduler]("mine.Warmup", Warmup{Steps: 10}) }

func (c Warmup) Validate() error {
	if c.Steps < 1 {
		return lighter.FieldError("steps", "must be at least 1, got %d", c.Steps)
	}
	return nil
}

// Build does the first step, as PyTorch's schedulers do.
func (c Warmup) Build(*lighter.Env) (lighter.Scheduler, error) {
	s := &warmup{c: c, done: -1}
	for _, g := range c.Optimizer.Groups() {
		s.full = append(s.full, g.LR())
	}
	s.Step(0)
	return s, nil
}

type warmup struct {
	c    Warmup
	full []float64
	done int64
}

func (s *warmup) Step(float64) {
	s.done = min(s.done+1, s.c.Steps)
	for i, g := range s.c.Optimizer.Groups() {
		g.SetOption("lr", s.full[i]*float64(s.done)/float64(s.c.Steps))
	}
}

func (s *warmup) NeedsMetric() bool { return false }

func (s *warmup) StateDict() lighter.Dict { return lighter.Dict{"done": s.done} }

func (s *warmup) LoadStateDict(d lighter.Dict) (err error) {
	var ok bool
	if s.done, ok = d["done"].(int64); !ok {
		return fmt.Errorf("the state of Warmup holds no int \"done\"")
	}
	return nil
}
