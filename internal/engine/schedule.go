package engine

import (
	"fmt"
	"maps"
	"slices"

	"github.com/lighter-go/lighter"
)

// Schedule says when the fit's learning rates change.
func (t *Trainer) Schedule() *lighter.Schedule { return t.schedule }

// stepSchedule steps the scheduler when an interval ends: "step" after a batch whose window is complete, "epoch" after the last
// batch. Schedulers that need a metric come later than the others, when validation and the epoch's end have given theirs.
func (t *Trainer) stepSchedule(interval string, withMetric bool) error {
	s := t.schedule
	if s == nil || s.Interval != interval || s.Scheduler.NeedsMetric() != withMetric {
		return nil
	}
	count := t.state.Epoch
	if interval == "step" {
		if count = t.loops[lighter.Train].batch; !t.windowEnds(count) {
			return nil
		}
	}
	if (count+1)%s.Frequency != 0 {
		return nil
	}
	var metric float64
	if withMetric {
		values := t.Metrics()
		v, ok := values[s.Monitor]
		if !ok && s.Strict {
			return fmt.Errorf("scheduler: ReduceLROnPlateau conditioned on metric %s which is not available. Available metrics are: %q. Condition can be set using `monitor` key in lr scheduler dict", s.Monitor, slices.Sorted(maps.Keys(values)))
		}
		if !ok {
			t.log.Warn().Msgf("ReduceLROnPlateau conditioned on metric %s which is not available but strict is set to `False`. Skipping learning rate update.", s.Monitor)
			return nil
		}
		metric = v
	}
	t.measured(schedulerStep, func() { s.Scheduler.Step(metric) })
	t.progress.scheduler.step()
	return nil
}
