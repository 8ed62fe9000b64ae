package model

import (
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

type layerCase struct {
	Name string
	tensortest.Call
	Seed       uint64
	State      map[string]*tensortest.Tensor
	Inputs     []*tensortest.Tensor
	Output     *tensortest.Tensor
	GradOutput *tensortest.Tensor `json:"grad_output"`
	Grads      map[string]*tensortest.Tensor
	StateAfter map[string]*tensortest.Tensor `json:"state_after"`
	Next       int64
	EvalOutput *tensortest.Tensor `json:"eval_output"`
}

func TestLayersGivePyTorchsNumbers(t *testing.T) {
	for _, c := range tensortest.Load[layerCase](t, "layer") {
		t.Run(c.Name, func(t *testing.T) {
			if _, ok := registry.Lookup(c.Target); !ok {
				t.Skipf("%s is not in the catalogue", c.Target)
			}
			tensortest.Scope(t)
			tensor.ManualSeed(c.Seed)
			m := callOf(t, c.Call)
			if got := len(m.Tree().State()); got != len(c.State) {
				t.Errorf("state_dict has %d entries, want %d", got, len(c.State))
			}
			for _, s := range m.Tree().State() {
				tensortest.Equal(t, s.Name+" at first", s.Value, c.State[s.Name])
			}
			var in []lighter.Value
			for _, x := range c.Inputs {
				v := x.Make(t)
				in = append(in, v.SetRequiresGrad(v.IsFloat()))
			}
			out := m.Forward(in...).(tensor.Tensor)
			tensortest.Close(t, "output", out, c.Output)
			out.BackwardFrom(c.GradOutput.Make(t), false)
			for i, x := range in {
				tensortest.Close(t, "gradient of the input", x.(tensor.Tensor).Grad(), c.Grads["input."+string(rune('0'+i))])
			}
			for _, p := range m.Tree().Params() {
				tensortest.Close(t, "gradient of "+p.Name, p.Value.Grad(), c.Grads[p.Name])
			}
			for _, s := range m.Tree().State() {
				if s.Buffer {
					tensortest.Close(t, s.Name+" after a step", s.Value, c.StateAfter[s.Name])
				}
			}
			if next := tensor.RandomInt64(); next != c.Next {
				t.Errorf("the generator gives %d next, want %d: as many numbers must be drawn as PyTorch draws", next, c.Next)
			}
			m.Tree().SetTraining(false)
			tensortest.Close(t, "output in eval mode", m.Forward(in...).(tensor.Tensor), c.EvalOutput)
		})
	}
}

type lossCase struct {
	Name string
	tensortest.Call
	Inputs []*tensortest.Tensor
	Output *tensortest.Tensor
	Grads  map[string]*tensortest.Tensor
}

func TestLossesGivePyTorchsNumbers(t *testing.T) {
	for _, c := range tensortest.Load[lossCase](t, "loss") {
		t.Run(c.Name, func(t *testing.T) {
			tensortest.Scope(t)
			m := callOf(t, c.Call)
			x := c.Inputs[0].Make(t).SetRequiresGrad(true)
			out := m.Forward(x, c.Inputs[1].Make(t)).(tensor.Tensor)
			tensortest.Close(t, "loss", out, c.Output)
			out.BackwardFrom(tensor.Ones(out.Shape(), out.DType(), tensor.Device{}), false)
			tensortest.Close(t, "gradient", x.Grad(), c.Grads["input.0"])
		})
	}
}
