package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/lighter-go/lighter"
)

// fit trains until an epoch, step or callback limit is reached.
func (t *Trainer) fit() error {
	t.enterPhase(phaseStart)
	if err := t.sanityCheck(); err != nil {
		return err
	}
	if err := t.openTraining(); err != nil {
		return err
	}
	n := t.loops[lighter.Train].all()
	if n == 0 {
		t.log.Info().Msg("`Trainer.fit` stopped: No training batches.")
		return nil
	}
	if every := t.LogEveryNSteps(); len(t.loggers) > 0 && n > 0 && n < every {
		t.log.Warn().Msgf("The number of training batches (%d) is smaller than the logging interval Trainer(log_every_n_steps=%d). Set a lower value for log_every_n_steps if you want to see logs for the training epoch.", n, every)
	}
	t.validates = t.hasValidation()
	t.guarded = t.savesOnException()
	if err := t.completeEpoch(); err != nil {
		return err
	}
	if in := inEval(t.model.Tree()); len(in) > 0 {
		t.log.Warn().Msgf("Found %d module(s) in eval mode at the start of training. This may lead to unexpected behavior during training. If this is intentional, you can ignore this warning.", len(in))
	}
	began, before := time.Now(), t.state.GlobalStep
	t.validated = began
	if t.unfinished() || !t.done() {
		if err := t.train(); err != nil {
			return err
		}
	}
	elapsed := time.Since(began)
	t.log.Info().Int64("steps", t.state.GlobalStep-before).Float64("seconds", elapsed.Seconds()).Msg(t.endReason())
	return nil
}

// train runs the epochs.
func (t *Trainer) train() error {
	defer t.enter(lighter.Train)()
	defer t.closeAhead()
	if err := t.startTraining(); err != nil {
		return err
	}
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
	return t.call(onTrainEnd)
}

func (t *Trainer) trainEpoch() error {
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
		if err := t.validate(); err != nil {
			return true, err
		}
		t.validated = time.Now()
	}
	if err := t.stepSchedules("step", true); err != nil {
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
	out, err := t.trainOn(batch, idx)
	if err != nil {
		return err
	}
	if err := t.stepSchedules("step", false); err != nil {
		return err
	}
	if l := &t.loops[lighter.Train]; l.over || l.isLast(idx) {
		if err := t.stepSchedules("epoch", false); err != nil || l.over {
			return err
		}
	}
	t.enterPhase(phaseBatch)
	t.stepBatchEnd(out, idx)
	t.at.rowDue = t.StepLogged()
	err = t.endBatch(out, t.trainResult(out), batch, idx)
	if rowErr := t.takeRow(); err == nil {
		err = rowErr
	}
	if err != nil {
		return err // a checkpoint saved for it holds the row
	}
	return t.writePending()
}

// trainOn does a batch's hooks and its step. A hook may end the epoch with it.
func (t *Trainer) trainOn(batch lighter.Value, idx int) (lighter.Output, error) {
	if batch == nil {
		t.warnOnce("train_dataloader yielded None. If this was on purpose, ignore this warning...")
		return lighter.Output{}, nil
	}
	skip, err := t.startTrainBatch(batch, idx)
	switch {
	case err != nil || skip:
		t.loops[lighter.Train].over = skip
		return nil, err
	case t.model.AutomaticOptimization():
		return t.learn(batch, idx)
	}
	return t.learnByItself(batch, idx)
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
	if t.stepper != nil {
		t.measured(modelEpochEnd, func() { t.stepper.EpochEnd(t) })
	}
	values, err := t.endTrainLogs()
	if err != nil {
		return err
	}
	t.at.row, t.at.rowStep = append(t.results.epochRow(lighter.Train), values...), t.state.Stepped-1
	t.enterPhase(phaseEpoch)
	if err := t.dispatchEpochEnd(); err != nil {
		return err
	}
	if err := t.stepSchedules("epoch", true); err != nil {
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
