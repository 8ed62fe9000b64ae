package engine

import (
	"errors"
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/lightning"
	"github.com/lighter-go/lighter/tensor"
)

// How a batch's loss becomes a step of the optimizer: Lightning's automatic optimization.

// learn does a batch's step and, at the end of a window, steps the optimizer. The step counts also where it gave no loss.
func (t *Trainer) learn(batch lighter.Value, idx int) (out lighter.Output, err error) {
	ran := false
	closure := func() (lighter.Value, error) {
		ran = true
		var loss tensor.Tensor
		if out, loss, err = t.trainStep(batch, idx); err != nil {
			return nil, err
		}
		if !loss.Defined() {
			t.warnOnce("`training_step` returned `None`. If this was on purpose, ignore this warning...")
		} else if err := t.checkLoss(loss); err != nil {
			return nil, err
		}
		if t.forwardOnly {
			return nil, nil
		}
		if err := t.zeroGrad(idx); err != nil || !loss.Defined() {
			return nil, err
		}
		if k := t.args.AccumulateGradBatches; k > 1 {
			loss = loss.DivScalar(float64(k)) // Lightning's rule: the constant, also in a short last window
		}
		return loss, t.backward(loss)
	}
	if !t.windowEnds(idx) {
		_, err = closure()
		return out, err
	}
	if t.forwardOnly { // Lightning counts such a step, too
		_, err = closure()
	} else if err = t.optimizerStep(idx, closure); err == nil && !ran {
		err = lightning.Wording("The closure hasn't been executed. HINT: did you call `optimizer_closure()` in your `optimizer_step` hook? It could also happen because the `optimizer.step(optimizer_closure)` call did not execute it internally.")
	}
	if err == nil {
		t.state.GlobalStep++
	}
	return out, err
}

// trainStep is a training step with its loss, which is undefined when there is none.
func (t *Trainer) trainStep(batch lighter.Value, idx int) (out lighter.Output, loss tensor.Tensor, err error) {
	v, err := t.step(batch, idx)
	if err != nil {
		return nil, loss, err
	}
	if t.stepper != nil {
		out, _ = v.(lighter.Output)
		loss, err = lossOf(out)
		return out, loss, err
	}
	switch x := v.(type) {
	case nil:
		return lighter.Output{}, loss, nil
	case tensor.Tensor:
		return lighter.Output{"loss": x}, x, nil
	case lighter.Dict:
		given, ok := x["loss"]
		if !ok || given == nil {
			return nil, loss, lightning.Wording("In automatic_optimization, when `training_step` returns a dict, the 'loss' key needs to be present")
		}
		if loss, ok = given.(tensor.Tensor); !ok {
			return nil, loss, lightning.Wording("In automatic_optimization, when `training_step` returns a dict, its 'loss' must be a Tensor, got %s", lighter.TypeName(given))
		}
		return x, loss, nil
	}
	return nil, loss, lightning.Wording("In automatic optimization, `training_step` must return a Tensor, a dict, or None (where the step will be skipped). It returned %s", lighter.TypeName(v))
}

// zeroGrad drops the gradients at the start of a window.
func (t *Trainer) zeroGrad(idx int) error {
	if idx%t.args.AccumulateGradBatches != 0 {
		return nil
	}
	o := t.optimizers[0]
	if err := t.call(onBeforeZeroGrad, o); err != nil {
		return err
	}
	if _, ok, err := t.callLast(optimizerZeroGrad, int64(t.state.Epoch), int64(idx), o); ok {
		return err
	}
	t.measured(zeroGrad, o.ZeroGrad)
	return nil
}

// backward adds a loss's gradients to those of its window.
func (t *Trainer) backward(loss tensor.Tensor) error {
	loss = t.scaler.scaled(loss)
	if err := t.call(onBeforeBackward, loss); err != nil {
		return err
	}
	_, ok, err := t.callLast(backwardHook, loss)
	if err != nil {
		return err
	}
	if !ok {
		t.measured(backward, loss.Backward)
	}
	return t.call(onAfterBackward)
}

// optimizerStep steps a fit's only optimizer.
func (t *Trainer) optimizerStep(idx int, closure func() (lighter.Value, error)) error {
	o := t.optimizers[0]
	if _, ok, err := t.callLast(optimizerStepHook, int64(t.state.Epoch), int64(idx), o, closure); ok {
		return err
	}
	return o.Step(closure)
}

// wrapped is an optimizer of a fit, as hooks and training steps have it.
type wrapped struct {
	t *Trainer
	o lighter.Optimizer
}

var _ lighter.LightningOptimizer = (*wrapped)(nil)

// Optimizer implements lighter.LightningOptimizer.
func (o *wrapped) Optimizer() lighter.Optimizer { return o.o }

// ZeroGrad implements lighter.LightningOptimizer.
func (o *wrapped) ZeroGrad() { o.o.ZeroGrad() }

// Step implements lighter.LightningOptimizer.
func (o *wrapped) Step(closure func() (lighter.Value, error)) error {
	t := o.t
	if t.model.AutomaticOptimization() {
		return t.update(o, closure)
	}
	done := t.profile(optimizerStep)
	err := t.update(o, closure)
	done()
	if err == nil {
		t.state.GlobalStep++
	}
	return err
}

// update evaluates the closure and updates an optimizer's parameters.
func (t *Trainer) update(o *wrapped, closure func() (lighter.Value, error)) error {
	if again, ok := o.o.(lighter.ClosureOptimizer); ok {
		if closure == nil {
			return fmt.Errorf("%s evaluates its batch several times: step() needs a closure that gives the loss", o.o.Name())
		}
		defer t.profile(optimizerStep)()
		return again.StepClosure(repeated(func() (lighter.Value, error) {
			loss, err := closure()
			if err != nil {
				return nil, err
			}
			return loss, t.beforeStep(o)
		}))
	}
	var loss lighter.Value
	if closure != nil {
		var err error
		if loss, err = closure(); err != nil {
			return err
		}
	}
	scaled := t.scaler != nil && (loss != nil || !t.model.AutomaticOptimization()) // else there was no backward pass
	if scaled {
		t.scaler.unscale(o.o.Params())
	}
	if err := t.beforeStep(o); err != nil {
		return err
	}
	switch {
	case t.scaler == nil:
		t.measured(optimizerStep, o.o.Step)
	case scaled:
		t.measured(optimizerStep, func() { t.scaler.step(o.o) })
	}
	return nil
}

// beforeStep lets hooks look at the gradients, and clips them.
func (t *Trainer) beforeStep(o *wrapped) error {
	if err := t.call(onBeforeOptimizerStep, o); err != nil || !t.model.AutomaticOptimization() {
		return err
	}
	if t.hooks.has(configureGradientClipping) {
		var value, algorithm lighter.Value
		if c := t.args.GradientClipVal; c != nil {
			value = *c
		}
		if a := t.args.GradientClipAlgorithm; a != nil {
			algorithm = *a
		}
		_, _, err := t.callLast(configureGradientClipping, o, value, algorithm)
		return err
	}
	if c := t.args.GradientClipVal; c != nil && *c > 0 {
		t.measured(clipGradients, func() { clip(o.o.Params(), *c, t.clipAlgorithm()) })
	}
	return nil
}

func (t *Trainer) clipAlgorithm() string {
	if a := t.args.GradientClipAlgorithm; a != nil {
		return *a
	}
	return "norm"
}

func clip(params tensor.List, value float64, algorithm string) {
	switch {
	case params == tensor.List{}: // a fit without an optimizer
	case algorithm == "value":
		params.ClipGradValue(value)
	default:
		params.ClipGradNorm(value, 2)
	}
}

// repeated makes an optimizer's closure of an evaluation. Each frees the tensors of the one before; those of the last, which the
// batch's end looks at, go with the batch's scope.
func repeated(evaluate func() (lighter.Value, error)) func() (float64, error) {
	var last *tensor.Scope
	return func() (float64, error) {
		if last != nil {
			last.Close()
		}
		s := tensor.Open()
		last = &s
		loss, err := evaluate()
		if err != nil {
			return 0, err
		}
		switch x := loss.(type) {
		case tensor.Tensor:
			return x.Item(), nil
		case float64:
			return x, nil
		}
		return 0, errors.New("an optimizer that evaluates its batch several times needs a loss of every step")
	}
}

// windowEnds says whether batch idx of the epoch is the last of its accumulation window.
func (t *Trainer) windowEnds(idx int) bool {
	l := &t.loops[lighter.Train]
	return (idx+1)%t.args.AccumulateGradBatches == 0 || l.isLast(idx) || l.over
}
