package optim

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

type optimizerCase struct {
	Name string
	tensortest.Call
	Groups []struct {
		Params []int
		LR     *float64
	}
	Rows           []int64 // of an embedding, whose gradients are sparse
	Inputs, Grads  []*tensortest.Tensor
	Scales         []float64
	First, Outputs []*tensortest.Tensor
	StateDict      struct {
		State  map[string]map[string]tensortest.Arg
		Groups []orderedOptions `json:"param_groups"`
	} `json:"state_dict"`
}

// fromCase builds a case's optimizer over fresh parameters.
func (c optimizerCase) build(t *testing.T) (lighter.Optimizer, []tensor.Tensor) {
	var params []tensor.Tensor
	for _, p := range c.Inputs {
		params = append(params, p.Make(t).SetRequiresGrad(true))
	}
	args := c.Kwargs.V.(map[string]any)
	var groups []any
	for _, g := range c.Groups {
		var members []any
		for _, i := range g.Params {
			members = append(members, params[i])
		}
		d := dict("params", members)
		if g.LR != nil {
			d.Keys, d.Values = append(d.Keys, "lr"), append(d.Values, *g.LR)
		}
		groups = append(groups, d)
	}
	args["params"] = groups
	return newOptimizer(t, c.Target, args), params
}

// steps takes the steps from first on, before last.
func (c optimizerCase) steps(t *testing.T, o lighter.Optimizer, params []tensor.Tensor, first, last int) {
	for _, scale := range c.Scales[first:last] {
		s := tensor.Open()
		o.ZeroGrad()
		for i, g := range c.Grads {
			switch {
			case g != nil && c.Rows != nil:
				rows := tensor.CallOne("embedding", params[i], tensor.FromSlice(c.Rows, int64(len(c.Rows))), tensor.Kwarg{Name: "sparse", Value: true})
				rows.Mul(g.Make(t).Narrow(0, 0, int64(len(c.Rows))).MulScalar(scale)).Sum(rows.DType()).Backward()
			case g != nil:
				setGrad(params[i], g.Make(t).MulScalar(scale))
			}
		}
		o.Step()
		s.Close()
	}
}

func TestStepsGivePyTorchsNumbers(t *testing.T) {
	for _, c := range tensortest.Load[optimizerCase](t, "optimizer") {
		t.Run(c.Name, func(t *testing.T) {
			tensortest.Scope(t)
			o, params := c.build(t)
			if n := len(o.StateDict().State); n != 0 && (n != 3 || o.Name() != "Adagrad") {
				t.Errorf("there is state of %d parameters before the first step", n)
			}
			c.steps(t, o, params, 0, 1)
			same := tensortest.Equal
			args := c.Kwargs.V.(map[string]any)
			// PyTorch keeps the momentum of sparse gradients sparse, and adds the values of a row one by one.
			if args["fused"] == true || c.Rows != nil && args["momentum"] != nil {
				same = tensortest.Close
			}
			for i, p := range params {
				same(t, fmt.Sprintf("parameter %d after one step", i), p, c.First[i])
			}
			c.steps(t, o, params, 1, len(c.Scales))
			for i, p := range params {
				same(t, fmt.Sprintf("parameter %d after all steps", i), p, c.Outputs[i])
			}
			c.compareState(t, o)
		})
	}
}

func (c optimizerCase) compareState(t *testing.T, o lighter.Optimizer) {
	d := o.StateDict()
	if len(d.State) != len(c.StateDict.State) {
		t.Errorf("state of %d parameters, want %d", len(d.State), len(c.StateDict.State))
	}
	for i, values := range d.State {
		want := c.StateDict.State[strconv.Itoa(i)]
		if len(values) != len(want) {
			t.Errorf("parameter %d has %d values, want %d", i, len(values), len(want))
		}
		for _, v := range values {
			what := fmt.Sprintf("%s of parameter %d", v.Name, i)
			if x, ok := v.Value.(tensor.Tensor); ok {
				tensortest.Close(t, what, x, want[v.Name].V.(*tensortest.Tensor))
			} else if v.Value != want[v.Name].V {
				t.Errorf("%s is %v, want %v", what, v.Value, want[v.Name].V)
			}
		}
	}
	for i, g := range d.Groups {
		want := c.StateDict.Groups[i]
		var names []string
		for k, opt := range g.Options {
			names = append(names, opt.Name)
			if k < len(want.names) && fmt.Sprint(opt.Value) != fmt.Sprint(want.values[k]) {
				t.Errorf("group %d: %s is %v, want %v", i, opt.Name, opt.Value, want.values[k])
			}
		}
		if got := fmt.Sprint(append(names, "params")); got != fmt.Sprint(want.names) {
			t.Errorf("group %d has %v, want %v", i, got, want.names)
		}
	}
}

// A run that stops and goes on from its state dict must not differ from one that does not stop, also when the
// implementation changes in between.
func TestStateDictResumes(t *testing.T) {
	for _, c := range tensortest.Load[optimizerCase](t, "optimizer") {
		t.Run(c.Name, func(t *testing.T) {
			tensortest.Scope(t)
			o, params := c.build(t)
			c.steps(t, o, params, 0, 4)
			saved := o.StateDict()

			again, others := c.build(t)
			c.steps(t, again, others, 5, 6) // state that loading must replace
			for i := range params {
				tensor.NoGrad(func() { others[i].CopyInPlace(params[i]) })
			}
			if err := again.LoadStateDict(saved); err != nil {
				t.Fatal(err)
			}
			c.steps(t, again, others, 4, len(c.Scales))
			for i, p := range others {
				tensortest.Close(t, fmt.Sprintf("parameter %d", i), p, c.Outputs[i])
			}
			c.compareState(t, again)
		})
	}
}
