package engine

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// The hooks of a loop's, an epoch's and a batch's start and end, in Lightning's order.

// startTraining makes the first epoch's iterator, as Lightning does before its hooks, and calls those of the start. What they draw
// leaves no trace in a fit that goes on: the run before has drawn it.
func (t *Trainer) startTraining() error {
	if t.resume == nil && t.state.Epoch == 0 {
		var err error
		if t.ahead, err = t.openEpoch(0); err != nil {
			return err
		}
	}
	if !t.hooks.has(onTrainStart) {
		return nil
	}
	if t.goesOn {
		before := t.generators()
		defer before.free()
		defer t.drawFrom(before)
	}
	return t.call(onTrainStart)
}

func (t *Trainer) closeAhead() {
	if t.ahead != nil {
		t.ahead.Close()
		t.ahead = nil
	}
}

// startTrainBatch says whether the model's hook skips the rest of the epoch.
func (t *Trainer) startTrainBatch(batch lighter.Value, idx int) (skip bool, err error) {
	if !t.hooks.has(onTrainBatchStart) {
		return false, nil
	}
	args := t.batchArgs(batch, idx)
	for _, c := range t.hooks.calls[onTrainBatchStart] {
		v, err := t.callOne(onTrainBatchStart, c, args)
		if err != nil {
			return false, err
		}
		skip = c.callback == len(t.callbacks) && (v == int64(-1) || v == -1)
	}
	return skip, nil
}

// startBatch calls the hooks of an evaluation's batch.
func (t *Trainer) startBatch(batch lighter.Value, idx int) error {
	p := batchStartPoints[t.mode]
	if !t.hooks.has(p) {
		return nil
	}
	return t.call(p, t.batchArgs(batch, idx)...)
}

// stepBatchEnd lets a StepModel log what a batch gave.
func (t *Trainer) stepBatchEnd(out lighter.Output, idx int) {
	if t.stepper == nil {
		return
	}
	before := t.hooks.fx
	t.hooks.fx = pointNames[batchEndPoints[t.mode]]
	t.measured(modelBatchEnd, func() { t.stepper.BatchEnd(t, out, idx) })
	t.hooks.fx = before
}

// endBatch calls the hooks of a batch's end. out is for those that are one for all modes, v is what the step returned.
func (t *Trainer) endBatch(out lighter.Output, v, batch lighter.Value, idx int) error {
	p := batchEndPoints[t.mode]
	if !t.hooks.has(p) {
		t.at.called = len(t.callbacks)
		return nil
	}
	t.hooks.out = out
	err := t.callNoted(p, append([]lighter.Value{v}, t.batchArgs(batch, idx)...)...)
	t.hooks.out = nil
	return err
}

// trainResult is what on_train_batch_end is given: a step's output with its loss as it went backward.
func (t *Trainer) trainResult(out lighter.Output) lighter.Value {
	loss, ok := out["loss"].(tensor.Tensor)
	if !ok || !t.hooks.own[onTrainBatchEnd] || !t.model.AutomaticOptimization() {
		return out
	}
	given := lighter.Output{}
	for k, v := range out {
		given[k] = v
	}
	loss = loss.Detach()
	if k := t.args.AccumulateGradBatches; k > 1 {
		loss = loss.DivScalar(float64(k))
	}
	given["loss"] = loss
	return given
}

// evalOutput is what a step of an evaluation returned, with names.
func (t *Trainer) evalOutput(v lighter.Value) lighter.Output {
	switch x := v.(type) {
	case lighter.Dict:
		return x
	case nil:
		if t.mode == lighter.Predict {
			t.warnOnce("predict returned None if it was on purpose, ignore this warning...")
		}
		return nil
	case tensor.Tensor:
		if t.mode != lighter.Predict {
			return lighter.Output{"loss": x}
		}
	}
	return lighter.Output{"pred": v}
}

// writeEvalRow writes what a batch of an evaluation logged.
func (t *Trainer) writeEvalRow() error {
	values, err := t.stepValues()
	if err != nil {
		return err
	}
	l := &t.loops[t.mode]
	err = t.write(append(t.results.stepRow(t.mode), values...), l.logged[l.loader], false)
	l.logged[l.loader]++
	return err
}

// endTrainLogs calls the hooks of an epoch's end and gives what was logged in it and in them.
func (t *Trainer) endTrainLogs() ([]lighter.Scalar, error) {
	t.inBatch = false
	if err := t.lookBefore(); err != nil {
		return nil, err
	}
	if t.logged != nil {
		t.logged.train.epochEnded()
	}
	if err := t.call(onTrainEpochEnd); err != nil || t.logged == nil {
		return nil, err
	}
	m, err := t.logged.look(t.logged.train)
	t.logged.train.restart()
	return m.log, err
}

// endEvalLogs calls the hooks of an evaluation's end and gives what was logged in it and in them, of all loaders.
func (t *Trainer) endEvalLogs(m lighter.Mode) ([]lighter.Scalar, error) {
	if t.logged != nil {
		t.logged.eval.loader = -1
	}
	if err := t.call(epochEndPoints[m]); err != nil {
		return nil, err
	}
	return t.evalValues()
}

// startEvaluation switches the model's layers to evaluation and calls the hooks of the start.
func (t *Trainer) startEvaluation(m lighter.Mode) error {
	if _, ok, err := t.callLast(evalPoints[m]); err != nil {
		return err
	} else if !ok {
		t.model.Tree().SetTraining(false)
	}
	if err := t.call(startPoints[m]); err != nil {
		return err
	}
	return t.call(epochStartPoints[m])
}

// endEvaluation begins to gather anew, and lets the model's layers be what they were.
func (t *Trainer) endEvaluation(m lighter.Mode, back func()) error {
	if t.logged != nil {
		t.logged.eval.restart()
		if t.stage == "fit" {
			t.logged.loaders = nil
		}
	}
	if m != lighter.Predict {
		if _, ok, err := t.callLast(backPoints[m]); ok {
			return err
		}
	}
	back()
	return nil
}

func zeroGrads(n *lighter.Node) {
	var all []tensor.Tensor
	for _, p := range n.Params() {
		all = append(all, p.Value)
	}
	params := tensor.NewList(all)
	params.ZeroGrad(true)
	params.Free()
}

// validate is a validation amid a fit.
func (t *Trainer) validate() error {
	if err := t.lookBefore(); err != nil {
		return err
	}
	inBatch := t.inBatch
	t.inBatch = false
	defer func() { t.inBatch = inBatch }()
	if t.windowEnds(t.loops[lighter.Train].batch) {
		if _, ok, err := t.callLast(onValidationModelZeroGrad); err != nil {
			return err
		} else if !ok && t.stepper == nil {
			zeroGrads(t.model.Tree())
		}
	}
	if err := t.openValidation(); err != nil || t.loops[lighter.Val].all() == 0 {
		return err
	}
	t.beginValidation()
	return t.evaluate(lighter.Val)
}
