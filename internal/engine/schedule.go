package engine

import (
	"fmt"
	"maps"
	"slices"

	"github.com/lighter-go/lighter"
)

// Schedule says when the fit's learning rates change: the first of its schedules.
func (t *Trainer) Schedule() *lighter.Schedule {
	if len(t.schedules) == 0 {
		return nil
	}
	return t.schedules[0]
}

// stepSchedules steps the schedulers whose interval ends: "step" after a batch whose window is complete, "epoch" after the last
// batch. Schedulers that need a metric come later than the others, when validation and the epoch's end have given theirs. In
// manual optimization the model steps them.
func (t *Trainer) stepSchedules(interval string, withMetric bool) error {
	if len(t.schedules) == 0 || !t.model.AutomaticOptimization() {
		return nil
	}
	count := t.state.Epoch
	if interval == "step" {
		if count = t.loops[lighter.Train].batch; !t.windowEnds(count) {
			return nil
		}
	}
	for _, s := range t.schedules {
		if s.Interval != interval || onPlateau(s) != withMetric || (count+1)%s.Frequency != 0 {
			continue
		}
		if err := t.stepSchedule(s, withMetric); err != nil {
			return err
		}
	}
	return nil
}

func onPlateau(s *lighter.Schedule) bool {
	if s.OnPlateau != nil {
		return *s.OnPlateau
	}
	return s.Scheduler.NeedsMetric()
}

func (t *Trainer) stepSchedule(s *lighter.Schedule, withMetric bool) error {
	var metric float64
	var given lighter.Value
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
		metric, given = v, v
	}
	if _, ok, err := t.callLast(lrSchedulerStep, s.Scheduler, given); err != nil {
		return err
	} else if !ok {
		t.measured(schedulerStep, func() { s.Scheduler.Step(metric) })
	}
	t.progress.scheduler.step()
	return nil
}
