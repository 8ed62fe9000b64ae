package engine

import (
	"github.com/lighter-go/lighter"
)

// evaluate runs validation, test or prediction over the mode's loaders, one after the other. Rows of a stage that is one
// evaluation carry epoch 0 and step 0, whatever the checkpoint says.
func (t *Trainer) evaluate(m lighter.Mode) error {
	defer t.enter(m)()
	t.progress.evaluate(t.loops[m].total)
	for i := range t.loops[m].loaders {
		if err := t.evaluateLoader(m, i); err != nil {
			return err
		}
	}
	if !t.sanity {
		t.progress.evaluated = t.loops[m].total - t.progress.evaluating
	}
	if err := t.write(t.results.epochRow(m), t.state.Stepped, true); err != nil {
		return err
	}
	if t.at.phase == phaseValidating {
		t.enterPhase(phaseValidated)
	}
	return t.dispatchEpochEnd()
}

// evaluateLoader runs one loader's batches. The epoch's hooks come with the first loader's.
func (t *Trainer) evaluateLoader(m lighter.Mode, i int) error {
	l := &t.loops[m]
	l.loader = i
	setEpoch(l.loaders[i], t.state.Epoch)
	it, err := l.begin(l.loaders[i], 0)
	if err != nil {
		return err
	}
	defer it.Close()
	if m == lighter.Val && i == len(l.loaders)-1 && !t.sanity && t.stage == "fit" && t.trainingOver() {
		t.foresee(true) // evaluation draws no more
	}
	if i == 0 {
		if err := t.dispatchEpochStart(); err != nil {
			return err
		}
	}
	if err := t.each(m, it, 0, t.evalBatch, nil); err != nil {
		return err
	}
	t.measured(modelEpochEnd, func() { t.model.EpochEnd(t) })
	return nil
}

// evalBatch is one step without an update. The row's step counts the loader's batches over all evaluations.
func (t *Trainer) evalBatch(batch lighter.Value, idx int) error {
	out, _, err := t.step(batch, idx)
	if err != nil {
		return err
	}
	t.measured(modelBatchEnd, func() { t.model.BatchEnd(t, out, idx) })
	if t.StepLogged() {
		l := &t.loops[t.mode]
		if err := t.write(t.results.stepRow(t.mode), l.logged[l.loader], false); err != nil {
			return err
		}
		l.logged[l.loader]++
	}
	return t.dispatchBatchEnd(out, idx)
}
