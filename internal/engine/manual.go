package engine

import (
	"errors"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/lightning"
	"github.com/lighter-go/lighter/tensor"
)

// Manual optimization: the model's training step does the backward pass and steps its optimizers.

// learnByItself is a batch's training step in manual optimization.
func (t *Trainer) learnByItself(batch lighter.Value, idx int) (lighter.Output, error) {
	v, err := t.step(batch, idx)
	if err != nil {
		return nil, err
	}
	switch x := v.(type) {
	case nil:
		return lighter.Output{}, nil
	case tensor.Tensor:
		return lighter.Output{"loss": x.Detach()}, nil
	case lighter.Dict:
		out := lighter.Output{}
		for k, v := range x {
			out[k] = v
		}
		if loss, ok := x["loss"].(tensor.Tensor); ok {
			out["loss"] = loss.Detach()
		}
		return out, nil
	}
	return nil, lightning.Wording("In manual optimization, `training_step` must either return a Tensor or have no return. It returned %s", lighter.TypeName(v))
}

// Optimizers implements lighter.LightningTrainer.
func (t *Trainer) Optimizers() []lighter.LightningOptimizer {
	all := make([]lighter.LightningOptimizer, len(t.optimizers))
	for i, o := range t.optimizers {
		all[i] = o
	}
	return all
}

// LRSchedulers implements lighter.LightningTrainer.
func (t *Trainer) LRSchedulers() []lighter.Scheduler {
	all := make([]lighter.Scheduler, len(t.schedules))
	for i, s := range t.schedules {
		all[i] = s.Scheduler
	}
	return all
}

// Schedules implements lighter.LightningTrainer.
func (t *Trainer) Schedules() []*lighter.Schedule { return t.schedules }

// ManualBackward implements lighter.LightningTrainer.
func (t *Trainer) ManualBackward(loss tensor.Tensor) error {
	if t.model.AutomaticOptimization() {
		return errors.New("to use manual_backward, please disable automatic optimization: set model property `automatic_optimization` as False")
	}
	if err := t.checkLoss(loss); err != nil {
		return err
	}
	return t.backward(loss)
}

// ToggleOptimizer implements lighter.LightningTrainer.
func (t *Trainer) ToggleOptimizer(o lighter.LightningOptimizer) {
	t.required = map[tensor.Tensor]bool{}
	for _, w := range t.optimizers {
		eachParam(w.o, func(p tensor.Tensor) {
			if _, seen := t.required[p]; !seen {
				t.required[p] = p.RequiresGrad()
				p.SetRequiresGrad(false)
			}
		})
	}
	eachParam(o.Optimizer(), func(p tensor.Tensor) { p.SetRequiresGrad(t.required[p]) })
}

// UntoggleOptimizer implements lighter.LightningTrainer.
func (t *Trainer) UntoggleOptimizer(o lighter.LightningOptimizer) {
	for _, w := range t.optimizers {
		if w.o == o.Optimizer() {
			continue
		}
		eachParam(w.o, func(p tensor.Tensor) {
			if on, ok := t.required[p]; ok {
				p.SetRequiresGrad(on)
			}
		})
	}
	t.required = nil
}

func eachParam(o lighter.Optimizer, visit func(tensor.Tensor)) {
	for _, g := range o.Groups() {
		for _, p := range g.Params {
			visit(p)
		}
	}
}

// ClipGradients implements lighter.LightningTrainer.
func (t *Trainer) ClipGradients(o lighter.LightningOptimizer, value *float64, algorithm *string) error {
	v, a := 0.0, t.clipAlgorithm()
	if own := t.args.GradientClipVal; own != nil {
		if v = *own; value != nil && *value != v {
			return lightning.Wording("You have set `Trainer(gradient_clip_val=%v)` and have passed `clip_gradients(gradient_clip_val=%v)`. Please use only one of them.", v, *value)
		}
	} else if value != nil {
		v = *value
	}
	if algorithm != nil {
		given := strings.ToLower(*algorithm)
		if own := t.args.GradientClipAlgorithm; own != nil && *own != given {
			return lightning.Wording("You have set `Trainer(gradient_clip_algorithm='%s')` and have passed `clip_gradients(gradient_clip_algorithm='%s') Please use only one of them.", *own, given)
		}
		a = given
	}
	if a != "norm" && a != "value" {
		return lightning.Wording("`gradient_clip_algorithm` %s is invalid. Allowed algorithms: ['value', 'norm'].", a)
	}
	if v > 0 {
		t.measured(clipGradients, func() { clip(o.Optimizer().Params(), v, a) })
	}
	return nil
}

// checkManual applies Lightning's rules on manual optimization.
func (t *Trainer) checkManual() error {
	if t.model.AutomaticOptimization() {
		return nil
	}
	if c := t.args.GradientClipVal; c != nil && *c > 0 {
		return lightning.Wording("trainer::gradient_clip_val: Automatic gradient clipping is not supported for manual optimization. Remove `Trainer(gradient_clip_val=%v)` or switch to automatic optimization.", *c)
	}
	if k := t.args.AccumulateGradBatches; k != 1 {
		return lightning.Wording("trainer::accumulate_grad_batches: Automatic gradient accumulation is not supported for manual optimization. Remove `Trainer(accumulate_grad_batches=%d)` or switch to automatic optimization.", k)
	}
	return nil
}
