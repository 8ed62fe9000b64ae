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
