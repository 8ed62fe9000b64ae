package engine

import (
	"errors"

	"github.com/lighter-go/lighter"
)

// What a fit that goes on does first: what was left to do where its checkpoint was saved.

// resumePending takes over what waited. A row does so only for the log that has those before it.
func (t *Trainer) resumePending(p *position) {
	t.at.called, t.at.row, t.at.rowStep = p.called, nil, p.rowStep
	if t.run.continues {
		t.at.row = p.row
	}
}

// unfinished says that the checkpoint was saved before all that follows its batch was done, which may be the end of the epoch
// also when no other batch follows.
func (t *Trainer) unfinished() bool {
	last := t.MaxEpochs()
	return t.resume != nil && t.resume.phase != phaseBetween && (last < 0 || t.state.Epoch < last)
}

// completeEpoch does what was left to do of the epoch at whose end the checkpoint was saved.
func (t *Trainer) completeEpoch() error {
	if t.resume == nil || t.resume.phase != phaseEpoch {
		return nil
	}
	t.resumePending(t.resume)
	err := resumeDispatch(t, lighter.Train, hookEpochEnd, func(h lighter.EpochEnder) error { return h.EpochEnd(t) })
	if err == nil {
		err = t.stepSchedules("epoch", true)
	}
	if err == nil {
		err = t.writePending()
	}
	t.resume.free()
	t.resume = nil
	t.state.Epoch++
	t.enterPhase(phaseStart)
	return err
}

// completeBatch does what was left to do of the batch, or of the validation, after which the checkpoint was saved, before what
// follows it.
func (t *Trainer) completeBatch() error {
	var err error
	switch t.at.phase {
	case phaseBatch:
		err = resumeDispatch(t, lighter.Train, hookBatchEnd, func(h lighter.BatchEnder) error { return h.BatchEnd(t, nil, t.loops[lighter.Train].batch) })
	case phaseValidated:
		own := t.at.called <= len(t.callbacks)
		err = resumeDispatch(t, lighter.Val, hookEpochEnd, func(h lighter.EpochEnder) error { return h.EpochEnd(t) })
		if calls := t.hooks.calls[onValidationEnd]; err == nil && own && len(calls) > 0 && calls[len(calls)-1].callback == len(t.callbacks) {
			_, err = t.callOne(onValidationEnd, calls[len(calls)-1], nil)
		}
	}
	return errors.Join(err, t.writePending())
}

// resumeDispatch lets the callbacks act that come after the one that saved the checkpoint: others that save.
func resumeDispatch[H any](t *Trainer, m lighter.Mode, which hook, call func(H) error) error {
	was := t.mode
	t.mode = m
	defer func() { t.mode = was }()
	return dispatchNoted(t, t.at.called, which, func(c lighter.Checkpointer) error {
		if h, ok := c.(H); ok {
			return call(h)
		}
		return nil
	})
}

// takeRow takes the row that a training batch is due to write, while its values are there.
func (t *Trainer) takeRow() error {
	if !t.at.rowDue {
		return nil
	}
	values, err := t.stepValues()
	t.at.row, t.at.rowStep, t.at.rowDue = append(t.results.stepRow(lighter.Train), values...), t.state.Stepped, false
	return err
}

// trainRow is that row before it is taken, for a checkpoint.
func (t *Trainer) trainRow() []lighter.Scalar {
	values, err := t.stepValues()
	if err != nil {
		t.warnOnce(err.Error())
	}
	return append(t.results.stepRow(lighter.Train), values...)
}

// writePending writes the row that waited for the callbacks.
func (t *Trainer) writePending() error {
	row := t.at.row
	t.at.row = nil
	return t.write(row, t.at.rowStep, true)
}
