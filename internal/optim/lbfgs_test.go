package optim

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

type lbfgsCase struct {
	Name string
	tensortest.Call
	Inputs  []*tensortest.Tensor // the parameters, then input and target
	Losses  []float64
	Outputs [][]*tensortest.Tensor
	State   map[string]struct { // how much each value holds
		Length *int
		Shape  []int64
		Value  float64
	}
}

// problem is the fixture's network.
type problem struct {
	lighter.ClosureOptimizer
	params []tensor.Tensor
	x, y   tensor.Tensor
}

func (c lbfgsCase) build(t *testing.T) *problem {
	n := len(c.Inputs) - 2
	p := &problem{x: c.Inputs[n].Make(t), y: c.Inputs[n+1].Make(t)}
	var given []any
	for _, in := range c.Inputs[:n] {
		p.params = append(p.params, in.Make(t).SetRequiresGrad(true))
		given = append(given, p.params[len(p.params)-1])
	}
	args := map[string]any{"params": given}
	for k, v := range c.Kwargs.V.(map[string]any) {
		args[k] = v
	}
	p.ClosureOptimizer = newOptimizer(t, c.Target, args).(lighter.ClosureOptimizer)
	return p
}

// step gives the loss of the first evaluation. Each evaluation frees the tensors of the one before, as the trainer does.
func (p *problem) step(t *testing.T) float64 {
	outer := tensor.Open()
	defer outer.Close()
	var losses []float64
	var last *tensor.Scope
	err := p.StepClosure(func() (float64, error) {
		if last != nil {
			last.Close()
		}
		s := tensor.Open()
		last = &s
		p.ZeroGrad()
		hidden := tensor.CallOne("tanh", tensor.Linear(p.x, p.params[0], p.params[1]))
		loss := tensor.MSELoss(tensor.Linear(hidden, p.params[2], tensor.Tensor{}), p.y, tensor.ReduceMean)
		loss.Backward()
		losses = append(losses, loss.Item())
		return loss.Item(), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return losses[0]
}

func TestLBFGSGivesPyTorchsNumbers(t *testing.T) {
	for _, c := range tensortest.Load[lbfgsCase](t, "lbfgs") {
		t.Run(c.Name, func(t *testing.T) {
			tensortest.Scope(t)
			p := c.build(t)
			for i := range c.Outputs {
				if i == 3 { // goes on from its state dict
					again := c.build(t)
					for k := range again.params {
						tensor.NoGrad(func() { again.params[k].CopyInPlace(p.params[k]) })
					}
					if err := again.LoadStateDict(p.StateDict()); err != nil {
						t.Fatal(err)
					}
					p = again
				}
				p.step(t)
				for k, want := range c.Outputs[i] {
					tensortest.Close(t, fmt.Sprintf("parameter %d after step %d", k, i), p.params[k], want)
				}
				if t.Failed() {
					return
				}
			}
			c.compareState(t, p.StateDict())
		})
	}
}

func (c lbfgsCase) compareState(t *testing.T, d lighter.OptimizerState) {
	t.Helper()
	if len(d.State[0]) != len(c.State) {
		t.Errorf("the state has %d values, want %d", len(d.State[0]), len(c.State))
	}
	for _, v := range d.State[0] {
		want, ok := c.State[v.Name]
		switch x := v.Value.(type) {
		case lighter.List:
			ok = ok && want.Length != nil && len(x) == *want.Length
		case int64:
			ok = ok && float64(x) == want.Value
		case tensor.Tensor:
			ok = ok && want.Length == nil && x.SameShape(want.Shape)
		default:
			ok = ok && want.Length == nil && want.Shape == nil
		}
		if !ok {
			t.Errorf("%s is %v, want %+v", v.Name, v.Value, want)
		}
	}
}

func TestLBFGSRefuses(t *testing.T) {
	tensortest.Scope(t)
	p := parameter(1, 2)
	o := newOptimizer(t, "torch.optim.LBFGS", map[string]any{"params": []any{p}}).(lighter.ClosureOptimizer)
	if err := tensor.Catch(o.Step); err == nil || !strings.Contains(err.Error(), "missing 1 required positional argument: 'closure'") {
		t.Errorf("a step without a closure: %v", err)
	}
	want := errors.New("the evaluation fails")
	if err := o.StepClosure(func() (float64, error) { return 0, want }); !errors.Is(err, want) {
		t.Errorf("got %v, want the evaluation's error", err)
	}
	other := newOptimizer(t, "torch.optim.LBFGS", map[string]any{"params": []any{parameter(1, 2, 3)}}).(lighter.ClosureOptimizer)
	square := func() (float64, error) {
		q := other.Groups()[0].Params[0]
		other.ZeroGrad()
		loss := q.Mul(q).Sum(tensor.Float64)
		loss.Backward()
		return loss.Item(), nil
	}
	if err := other.StepClosure(square); err != nil {
		t.Fatal(err)
	}
	d := other.StateDict()
	d.Groups[0].Params = d.Groups[0].Params[:1]
	if err := o.LoadStateDict(d); err == nil || !strings.Contains(err.Error(), "not that of LBFGS for these parameters") {
		t.Errorf("the state of other parameters: %v", err)
	}
}
