package optim

import (
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// A momentum that a scheduler turns on after the build works from the next step on, in the fused form and in the loop.
func TestMomentumTurnedOnLater(t *testing.T) {
	for _, fused := range []bool{true, false} {
		tensortest.Scope(t)
		p := tensor.FromSlice([]float64{1}, 1).SetRequiresGrad(true)
		params := lighter.Params{Groups: []lighter.ParamsGroup{{Params: []tensor.Tensor{p}}}}
		o, err := SGD{Params: params, LR: 0.1, Fused: &fused}.Build(&lighter.Env{})
		if err != nil {
			t.Fatal(err)
		}
		step := func() {
			s := tensor.Open()
			defer s.Close()
			o.ZeroGrad()
			p.Sum(tensor.Float64).Backward() // the gradient is 1
			o.Step()
		}
		step() // 1 - 0.1
		o.Groups()[0].SetOption("momentum", 0.5)
		step() // - 0.1 * 1
		step() // - 0.1 * 1.5
		if got := p.Item(); got < 0.65-1e-12 || got > 0.65+1e-12 {
			t.Errorf("fused %t: %v after a plain step and two with momentum 0.5, want 0.65", fused, got)
		}
		if err := o.(interface{ Close() error }).Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// State that a checkpoint's options ask for outlives the scope it is loaded in, and what an option adds in the middle of the
// columns leaves the others alone.
func TestStateMadeAfterTheBuild(t *testing.T) {
	tensortest.Scope(t)
	build := func(kwargs map[string]any) (lighter.Optimizer, tensor.Tensor) {
		p := parameter(1, 2)
		args := map[string]any{"params": []any{p}}
		for k, v := range kwargs {
			args[k] = v
		}
		return newOptimizer(t, "torch.optim.RMSprop", args), p
	}
	step := func(o lighter.Optimizer, p tensor.Tensor) {
		s := tensor.Open()
		defer s.Close()
		o.ZeroGrad()
		setGrad(p, p.Detach())
		o.Step()
	}
	full, p := build(map[string]any{"momentum": 0.5, "centered": true})
	step(full, p)
	plain, q := build(nil)
	s := tensor.Open()
	tensor.NoGrad(func() { q.CopyInPlace(p) })
	if err := plain.LoadStateDict(full.StateDict()); err != nil {
		t.Fatal(err)
	}
	s.Close()
	for range 3 {
		step(full, p)
		step(plain, q)
	}
	if a, b := tensor.Values[float64](p), tensor.Values[float64](q); a[0] != b[0] || a[1] != b[1] {
		t.Errorf("after loading the parameters are %v, want %v", b, a)
	}
	grown, r := build(map[string]any{"centered": true})
	step(grown, r)
	mean := tensor.Values[float64](grown.StateDict().State[0][2].Value.(tensor.Tensor))
	grown.Groups()[0].SetOption("momentum", 0.5)
	tensor.NoGrad(func() { r.Fill(0) })
	step(grown, r) // a gradient of 0 only decays the averages
	values := grown.StateDict().State[0]
	if values[3].Name != "grad_avg" || tensor.Values[float64](values[3].Value.(tensor.Tensor))[0] != mean[0]*0.99 {
		t.Errorf("the state is %v, want grad_avg decayed from %v", values, mean)
	}
}
