package profiler

import (
	"github.com/lighter-go/lighter"
)

// Schedule is torch.profiler.schedule: which steps are recorded. A cycle skips wait steps, gets ready in warmup steps and records active
// ones. https://docs.pytorch.org/docs/stable/profiler.html#torch.profiler.schedule
type Schedule struct {
	Wait      int `cfg:"wait,required" help:"steps of a cycle that are left out"`
	Warmup    int `cfg:"warmup,required" help:"steps of a cycle in which the profiler gets ready"`
	Active    int `cfg:"active,required" help:"steps of a cycle that are recorded"`
	Repeat    int `cfg:"repeat" help:"cycles; 0 is one, as Lightning has it"`
	SkipFirst int `cfg:"skip_first" help:"steps before the first cycle"`
	SkipWait  int `cfg:"skip_first_wait" help:"1 leaves out the first cycle's wait"`
}

func init() { lighter.Register[*Schedule]("torch.profiler.schedule", Schedule{}) }

// Doc is the reference's text.
func (Schedule) Doc() string {
	return "Which steps PyTorchProfiler records: PyTorch's torch.profiler.schedule."
}

// Validate checks the numbers as PyTorch does.
func (s Schedule) Validate() error {
	for _, f := range []struct {
		name         string
		value, least int
	}{{"wait", s.Wait, 0}, {"warmup", s.Warmup, 0}, {"active", s.Active, 1}, {"repeat", s.Repeat, 0}, {"skip_first", s.SkipFirst, 0}, {"skip_first_wait", s.SkipWait, 0}} {
		if f.value < f.least {
			return lighter.FieldError(f.name, "must be at least %d, got %d", f.least, f.value)
		}
	}
	return nil
}

// Build gives the schedule.
func (s Schedule) Build(*lighter.Env) (*Schedule, error) { return &s, nil }

type phase int

const (
	idle phase = iota
	warming
	recording
	saving // the last step of a recording
)

// at is what is done in step n, counted from 0.
func (s *Schedule) at(n int) phase {
	n -= s.SkipFirst
	if n < 0 {
		return idle
	}
	if s.SkipWait > 0 {
		n += s.Wait
	}
	cycle := s.Wait + s.Warmup + s.Active
	if n/cycle >= max(s.Repeat, 1) {
		return idle
	}
	switch n %= cycle; {
	case n < s.Wait:
		return idle
	case n < s.Wait+s.Warmup:
		return warming
	case n < cycle-1:
		return recording
	}
	return saving
}
