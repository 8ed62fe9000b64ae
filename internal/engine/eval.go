package engine

import (
	"github.com/lighter-go/lighter"
)

// evaluateStage is a stage that is one evaluation.
func (t *Trainer) evaluateStage(m lighter.Mode) error {
	if t.late {
		if err := t.needLoader(m); err != nil {
			return err
		}
	}
	return t.evaluateSome(m)
}

// evaluateSome evaluates unless there are no batches.
func (t *Trainer) evaluateSome(m lighter.Mode) error {
	if t.loops[m].all() == 0 {
		return nil
	}
	return t.evaluate(m)
}

// evaluate runs validation, test or prediction over the mode's loaders, one after the other. Rows of a stage that is one
// evaluation carry epoch 0 and step 0, whatever the checkpoint says.
func (t *Trainer) evaluate(m lighter.Mode) error {
	defer t.enter(m)()
	t.progress.evaluate(t.loops[m].total)
	back := t.model.Tree().Modes()
	for i := range t.loops[m].loaders {
		if err := t.evaluateLoader(m, i); err != nil {
			back()
			return err
		}
	}
	if !t.sanity {
		t.progress.evaluated = t.loops[m].total - t.progress.evaluating
	}
	values, err := t.endEvalLogs(m)
	if err != nil {
		return err
	}
	if err := t.write(append(t.results.epochRow(m), values...), t.state.Stepped, true); err != nil {
		return err
	}
	if t.at.phase == phaseValidating {
		t.enterPhase(phaseValidated)
	}
	if err := t.callNoted(endPoints[m]); err != nil {
		return err
	}
	return t.endEvaluation(m, back)
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
		if err := t.startEvaluation(m); err != nil {
			return err
		}
	}
	if err := t.each(m, it, 0, t.evalBatch, nil); err != nil {
		return err
	}
	if t.stepper != nil {
		t.measured(modelEpochEnd, func() { t.stepper.EpochEnd(t) })
	}
	return t.loaderValues()
}

// evalBatch is one step without an update. The row's step counts the loader's batches over all evaluations.
func (t *Trainer) evalBatch(batch lighter.Value, idx int) error {
	if err := t.startBatch(batch, idx); err != nil {
		return err
	}
	v, err := t.step(batch, idx)
	if err != nil {
		return err
	}
	out := t.evalOutput(v)
	t.stepBatchEnd(out, idx)
	if err := t.endBatch(out, v, batch, idx); err != nil || !t.StepLogged() {
		return err
	}
	return t.writeEvalRow()
}
