package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// fit trains until an epoch, step or callback limit is reached.
func (t *Trainer) fit() error {
	n := t.loops[lighter.Train].all()
	if n == 0 {
		t.log.Info().Msg("`Trainer.fit` stopped: No training batches.")
		return nil
	}
	if every := t.LogEveryNSteps(); len(t.loggers) > 0 && n > 0 && n < every {
		t.log.Warn().Msgf("The number of training batches (%d) is smaller than the logging interval Trainer(log_every_n_steps=%d). Set a lower value for log_every_n_steps if you want to see logs for the training epoch.", n, every)
	}
	t.validates = t.loops[lighter.Val].all() != 0
	t.guarded = t.savesOnException()
	if err := t.completeEpoch(); err != nil {
		return err
	}
	t.enterPhase(phaseStart)
	if err := t.sanityCheck(); err != nil {
		return err
	}
	began, before := time.Now(), t.state.GlobalStep
	t.validated = began
	for t.unfinished() || !t.done() {
		if t.ctx.Err() != nil {
			return context.Cause(t.ctx)
		}
		if err := t.trainEpoch(); err != nil {
			return err
		}
		t.state.Epoch++
		t.enterPhase(phaseStart)
	}
	elapsed := time.Since(began)
	t.log.Info().Int64("steps", t.state.GlobalStep-before).Float64("seconds", elapsed.Seconds()).Msg(t.endReason())
	return nil
}

// sanityCheck validates a few batches before the first epoch. What it draws and logs leaves no trace.
func (t *Trainer) sanityCheck() error {
	n := orElse(t.args.NumSanityValSteps, 2)
	if !t.validates || n == 0 || t.resumed != "" {
		return nil
	}
	s := tensor.Open()
	defer s.Close()
	before := t.generators()
	defer before.free()
	all := t.loops[lighter.Val]
	t.loops[lighter.Val].atMost(n)
	t.sanity = true
	err := t.evaluate(lighter.Val)
	t.sanity = false
	t.loops[lighter.Val] = all
	t.results.forget()
	t.drawFrom(before)
	return err
}

func (t *Trainer) trainEpoch() error {
	defer t.enter(lighter.Train)()
	defer t.profile(runTrainingEpoch)()
	it, from, err := t.beginEpoch()
	if it != nil {
		defer it.Close()
	}
	if err != nil {
		return err
	}
	if from > 0 && t.at.phase != phaseBetween { // the checkpoint was saved before all that follows a batch was done
		t.loops[lighter.Train].batch = from - 1
		if err := t.completeBatch(); err != nil {
			return err
		}
		stop, err := t.afterBatch()
		if err != nil {
			return err
		}
		if stop {
			return t.endEpoch()
		}
	}
	if err := t.each(lighter.Train, it, from, t.trainBatch, t.afterBatch); err != nil {
		return err
	}
	return t.endEpoch()
}

// afterBatch is what comes between two training batches, outside their scopes: a validation, a scheduler that waits for it,
// and whether to stop.
func (t *Trainer) afterBatch() (stop bool, err error) {
	if t.at.phase == phaseBatch && t.validationDue() {
		t.beginValidation()
		if err := t.evaluate(lighter.Val); err != nil {
			return true, err
		}
		t.validated = time.Now()
	}
	if err := t.stepSchedule("step", true); err != nil {
		return true, err
	}
	if t.windowEnds(t.loops[lighter.Train].batch) {
		t.state.Stepped++
	}
	t.enterPhase(phaseBetween)
	return t.stepsDone() || t.mayStop(), nil
}

// trainBatch is one step: forward, loss, backward, and at the end of an accumulation window the update.
func (t *Trainer) trainBatch(batch lighter.Value, idx int) error {
	defer t.profile(runTrainingBatch)()
	if t.guarded {
		t.keepRNG(phaseTraining)
	}
	var out lighter.Output
	learned, err := t.learn(idx, func() (loss tensor.Tensor, err error) {
		out, loss, err = t.step(batch, idx)
		return loss, err
	})
	if err != nil {
		return err
	}
	if learned {
		if err := t.stepSchedule("step", false); err != nil {
			return err
		}
		if t.loops[lighter.Train].isLast(idx) {
			if err := t.stepSchedule("epoch", false); err != nil {
				return err
			}
		}
	}
	t.enterPhase(phaseBatch)
	t.measured(modelBatchEnd, func() { t.model.BatchEnd(t, out, idx) })
	t.at.rowDue = t.StepLogged()
	err = t.dispatchBatchEnd(out, idx)
	t.takeRow()
	if err != nil {
		return err // a checkpoint saved for it holds the row
	}
	return t.writePending()
}

// validationDue says whether a validation follows the batch just done: at a fraction of the epoch, after a number of
// batches, counted across epochs when check_val_every_n_epoch is null, or when enough time has passed.
func (t *Trainer) validationDue() bool {
	l := t.loops[lighter.Train]
	if !t.validates {
		return false
	}
	every := t.args.CheckValEveryNEpoch
	if every != nil && (t.state.Epoch+1)%*every != 0 {
		return false
	}
	if t.mayStop() {
		return true
	}
	if wait := t.args.ValCheckInterval.every; wait > 0 {
		return t.overdue(wait)
	}
	if l.batch+1 == l.end && t.args.ValCheckInterval.isFraction() { // fewer than the limit
		return true
	}
	interval := t.valInterval()
	if interval <= 0 {
		return l.isLast(l.batch)
	}
	if every == nil {
		return l.total%int64(interval) == 0
	}
	return (l.batch+1)%interval == 0
}

// overdue says whether the last validation is so long ago. The answer stays the same for a batch, however often it is asked.
func (t *Trainer) overdue(wait time.Duration) bool {
	if n := t.loops[lighter.Train].total; t.asked != n {
		t.asked, t.waited = n, time.Since(t.validated) >= wait
	}
	return t.waited
}

// valInterval is the number of batches between validations; 0 for the end of the epoch.
func (t *Trainer) valInterval() int {
	v, n := t.args.ValCheckInterval, t.loops[lighter.Train].numBatches()
	switch {
	case !v.set:
		return max(n, 0)
	case !v.isFraction():
		return v.count
	case n < 0:
		return 0
	}
	return max(1, int(float64(n)*v.fraction))
}

// endEpoch closes a training epoch: the model's and the callbacks' turn, then its row, which carries the step of the last
// training row.
func (t *Trainer) endEpoch() error {
	t.foresee(true)
	t.measured(modelEpochEnd, func() { t.model.EpochEnd(t) })
	t.at.row, t.at.rowStep = t.results.epochRow(lighter.Train), t.state.Stepped-1
	t.enterPhase(phaseEpoch)
	if err := t.dispatchEpochEnd(); err != nil {
		return err
	}
	if err := t.stepSchedule("epoch", true); err != nil {
		return err
	}
	if err := t.writePending(); err != nil {
		return err
	}
	for _, l := range t.loggers {
		l.Flush()
	}
	return t.saver.failure()
}

func (t *Trainer) stepsDone() bool {
	return t.args.MaxSteps >= 0 && t.state.GlobalStep >= int64(t.args.MaxSteps)
}

// mayStop says whether a callback asked to stop and the minimum is reached.
func (t *Trainer) mayStop() bool {
	return t.stopping != "" && t.state.Epoch >= orElse(t.args.MinEpochs, 0) && t.state.GlobalStep >= int64(orElse(t.args.MinSteps, 0))
}

func (t *Trainer) done() bool {
	last := t.MaxEpochs()
	return t.stepsDone() || last >= 0 && t.state.Epoch >= last || t.mayStop()
}

// endReason is Lightning's wording of why a fit ended.
func (t *Trainer) endReason() string {
	switch {
	case t.stopping != "":
		return t.stopping
	case t.stepsDone():
		return fmt.Sprintf("`Trainer.fit` stopped: `max_steps=%d` reached.", t.args.MaxSteps)
	}
	return fmt.Sprintf("`Trainer.fit` stopped: `max_epochs=%d` reached.", t.MaxEpochs())
}
