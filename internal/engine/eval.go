package engine

import (
	"github.com/lighter-go/lighter"
)

// evaluate runs validation, test or prediction over one loader.
func (t *Trainer) evaluate(m lighter.Mode, loader lighter.Loader) error {
	defer t.enter(m)()
	it, err := loader.Iter(0)
	if err != nil {
		return &Error{Code: ExitData, Err: err}
	}
	defer it.Close()
	if err := t.dispatchEpochStart(); err != nil {
		return err
	}
	err = t.each(m, it, 0, t.evalBatch, nil)
	if err != nil {
		return err
	}
	t.model.EpochEnd(t)
	if err := t.write(t.results.epochRow(m), t.state.Stepped, true); err != nil {
		return err
	}
	if t.at.phase == phaseValidating {
		t.enterPhase(phaseValidated)
	}
	return t.dispatchEpochEnd()
}

// evalBatch is one step without an update. The row's step counts batches over all evaluations.
func (t *Trainer) evalBatch(batch lighter.Value, idx int) error {
	out, _, err := t.step(batch, idx)
	if err != nil {
		return err
	}
	t.model.BatchEnd(t, out, idx)
	if t.StepLogged() {
		if err := t.write(t.results.stepRow(t.mode), t.loops[t.mode].total, false); err != nil {
			return err
		}
	}
	return t.dispatchBatchEnd(out, idx)
}
