package engine

import (
	"errors"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// How a batch's loss becomes a step of the optimizer.

// learn evaluates a batch and, at the end of a window, steps the optimizer. learned is false when the batch gives no loss.
func (t *Trainer) learn(idx int, forward func() (tensor.Tensor, error)) (learned bool, err error) {
	evaluate := func() (loss tensor.Tensor, err error) {
		if loss, err = forward(); err != nil || !loss.Defined() {
			return loss, err
		}
		if err := t.checkLoss(loss); err != nil {
			return loss, err
		}
		if !t.forwardOnly {
			t.backward(loss, idx)
		}
		return loss, nil
	}
	if o, ok := t.optimizer.(lighter.ClosureOptimizer); ok && t.windowEnds(idx) && !t.forwardOnly {
		done := t.profile(optimizerStep)
		err := o.StepClosure(again(evaluate, t.args.AccumulateGradBatches))
		done()
		if err != nil {
			return false, err
		}
		t.state.GlobalStep++
		return true, nil
	}
	loss, err := evaluate()
	if err != nil || !loss.Defined() {
		return false, err
	}
	if t.windowEnds(idx) {
		if !t.forwardOnly { // Lightning counts such a step, too
			t.measured(optimizerStep, func() { t.scaler.step(t.optimizer) })
		}
		t.state.GlobalStep++
	}
	return true, nil
}

// again makes an optimizer's closure of an evaluation. Each frees the tensors of the one before; those of the last, which the
// batch's end looks at, go with the batch's scope.
func again(evaluate func() (tensor.Tensor, error), accumulated int) func() (float64, error) {
	var last *tensor.Scope
	return func() (float64, error) {
		if last != nil {
			last.Close()
		}
		s := tensor.Open()
		last = &s
		loss, err := evaluate()
		switch {
		case err != nil:
			return 0, err
		case !loss.Defined():
			return 0, errors.New("an optimizer that evaluates its batch several times needs a loss of every step")
		}
		return loss.DivScalar(float64(accumulated)).Item(), nil
	}
}

// backward adds a batch's gradients to those of its window; at the window's end it clips them.
func (t *Trainer) backward(loss tensor.Tensor, idx int) {
	k := t.args.AccumulateGradBatches
	if idx%k == 0 {
		t.measured(zeroGrad, t.optimizer.ZeroGrad)
	}
	if k > 1 {
		loss = loss.DivScalar(float64(k)) // Lightning's rule: the constant, also in a short last window
	}
	t.measured(backward, func() { t.scaler.scaled(loss).Backward() })
	if !t.windowEnds(idx) {
		return
	}
	t.scaler.unscale(t.optimizer.Params())
	if c := t.args.GradientClipVal; c != nil && *c > 0 {
		done := t.profile(clipGradients)
		if a := t.args.GradientClipAlgorithm; a != nil && *a == "value" {
			t.optimizer.Params().ClipGradValue(*c)
		} else {
			t.optimizer.Params().ClipGradNorm(*c, 2)
		}
		done()
	}
}

// windowEnds says whether batch idx of the epoch is the last of its accumulation window.
func (t *Trainer) windowEnds(idx int) bool {
	return (idx+1)%t.args.AccumulateGradBatches == 0 || t.loops[lighter.Train].isLast(idx)
}
