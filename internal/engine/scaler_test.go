package engine

import (
	"math"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// counting is an optimizer that counts its steps.
type counting struct {
	stepper
	params tensor.List
	steps  int
}

func (c *counting) Step()               { c.steps++ }
func (c *counting) Params() tensor.List { return c.params }

var _ lighter.Optimizer = (*counting)(nil)

// TestScaler goes through the scales of torch.amp.GradScaler(growth_interval=2): halved at a gradient that is not finite, whose
// step is left out, doubled after two steps that are.
func TestScaler(t *testing.T) {
	tensortest.Scope(t)
	a := newScaler(tensor.Device{})
	defer func() { a.free() }()
	a.interval = 2
	p := tensor.Ones([]int64{3}, tensor.Float32, tensor.Device{}).SetRequiresGrad(true)
	o := &counting{stepper: stepper{&journal{}}, params: tensor.NewList([]tensor.Tensor{p})}
	defer o.params.Free()
	for i, c := range []struct {
		gradient, scale float64
		steps           int
	}{
		{0.5, 65536, 1}, {0.25, 131072, 2}, {math.Inf(1), 65536, 2}, {math.NaN(), 32768, 2}, {1, 32768, 3}, {1, 65536, 4}, {1, 65536, 5},
	} {
		o.params.ZeroGrad(true)
		a.scaled(p.MulScalar(c.gradient).Sum(tensor.Float32)).Backward()
		a.unscale(o.Params())
		if g := p.Grad().Narrow(0, 0, 1).Item(); !math.IsInf(c.gradient, 0) && !math.IsNaN(c.gradient) && g != c.gradient {
			t.Errorf("step %d: the gradient is %v, want %v", i, g, c.gradient)
		}
		a.step(o)
		if got := a.scale.Item(); got != c.scale || o.steps != c.steps {
			t.Errorf("step %d: scale %v after %d steps, want %v after %d", i, got, o.steps, c.scale, c.steps)
		}
		state := a.state() // goes on from a checkpoint
		a.free()
		a = newScaler(tensor.Device{})
		a.load(state)
	}
}

// TestScalerInManualOptimization: the backward pass is scaled, a step unscales its optimizer's gradients first and is left out
// where one is not finite, and counts in any case.
func TestScalerInManualOptimization(t *testing.T) {
	tensortest.Scope(t)
	j := &journal{batches: [4]int{1}}
	j.ManualOptimization = true
	tr := newFit(j, arguments{})
	defer tr.free()
	tr.scaler = newScaler(tensor.Device{})
	p := tensor.Ones([]int64{3}, tensor.Float32, tensor.Device{}).SetRequiresGrad(true)
	o := &counting{stepper: stepper{j}, params: tensor.NewList([]tensor.Tensor{p})}
	defer o.params.Free()
	w := &wrapped{tr, o}
	grad := func() float64 { return p.Grad().Narrow(0, 0, 1).Item() }
	for i, c := range []struct {
		gradient float64
		steps    int
	}{{0.5, 1}, {math.Inf(1), 1}, {0.25, 2}} {
		o.params.ZeroGrad(true)
		scale := tr.scaler.scale.Item()
		loss := p.MulScalar(c.gradient).Sum(tensor.Float32)
		if err := tr.ManualBackward(loss); err != nil {
			t.Fatal(err)
		}
		if got := grad(); got != c.gradient*scale {
			t.Errorf("step %d: the gradient is %v, want %v", i, got, c.gradient*scale)
		}
		if err := w.Step(nil); err != nil {
			t.Fatal(err)
		}
		if got := grad(); !math.IsInf(c.gradient, 0) && got != c.gradient {
			t.Errorf("step %d: the optimizer sees the gradient %v, want %v", i, got, c.gradient)
		}
		if o.steps != c.steps || tr.GlobalStep() != int64(i+1) {
			t.Errorf("step %d: the optimizer has stepped %d times of %d, want %d", i, o.steps, tr.GlobalStep(), c.steps)
		}
	}
}
