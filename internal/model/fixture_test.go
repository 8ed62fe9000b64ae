package model

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

type layerCase struct {
	Name string
	tensortest.Call
	Seed       uint64
	State      tensortest.Named
	Inputs     []tensortest.Arg
	Output     tensortest.Arg
	GradOutput []*tensortest.Tensor `json:"grad_output"`
	Grads      map[string]*tensortest.Tensor
	StateAfter map[string]*tensortest.Tensor `json:"state_after"`
	Next       int64
	EvalOutput tensortest.Arg `json:"eval_output"`
}

func TestLayersGivePyTorchsNumbers(t *testing.T) {
	for _, family := range layerFamilies(t) {
		t.Run(family, func(t *testing.T) {
			for _, c := range tensortest.Load[layerCase](t, family) {
				t.Run(c.Name, c.run)
			}
		})
	}
}

// layerFamilies are the fixtures of layers.
func layerFamilies(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("../../testdata/fixtures/layer_*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for i, file := range files {
		files[i] = strings.TrimSuffix(filepath.Base(file), ".json")
	}
	return files
}

func (c layerCase) run(t *testing.T) {
	tensortest.Scope(t)
	tensor.ManualSeed(c.Seed)
	m := callOf(t, c.Call).(lighter.Module)
	var keys []string
	for _, s := range m.Tree().State() {
		keys = append(keys, s.Name)
	}
	if strings.Join(keys, " ") != strings.Join(c.State.Keys, " ") {
		t.Errorf("state_dict has %v, want %v", keys, c.State.Keys)
	}
	for _, s := range m.Tree().State() {
		tensortest.Equal(t, s.Name+" at first", s.Value, c.State.Tensors[s.Name])
	}
	var in []lighter.Value
	var leaves []tensor.Tensor
	for _, x := range c.Inputs {
		v, made := inputOf(t, x.V)
		in, leaves = append(in, v), append(leaves, made...)
	}
	for i, x := range leaves {
		if c.Grads[fmt.Sprintf("input.%d", i)] != nil {
			x.SetRequiresGrad(true)
		}
	}
	out := m.Forward(in...)
	same(t, "output", out, c.Output.V)
	var ends []tensor.Tensor
	for _, end := range flat(out) {
		if end.RequiresGrad() {
			ends = append(ends, end)
		}
	}
	if len(ends) != len(c.GradOutput) {
		t.Fatalf("%d results depend on an input, want %d", len(ends), len(c.GradOutput))
	}
	for i, end := range ends {
		end.BackwardFrom(c.GradOutput[i].Make(t), i < len(ends)-1)
	}
	for i, x := range leaves {
		if x.IsFloat() {
			tensortest.Close(t, "gradient of the input", x.Grad(), c.Grads[fmt.Sprintf("input.%d", i)])
		}
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
	tensor.NoGrad(func() { same(t, "output in eval mode", m.Forward(in...), c.EvalOutput.V) })
}

// inputOf makes an argument of a forward pass and the tensors in it that gradients are looked at of.
func inputOf(t *testing.T, v any) (value lighter.Value, leaves []tensor.Tensor) {
	t.Helper()
	switch x := v.(type) {
	case *tensortest.Tensor:
		made := x.Make(t)
		return made, []tensor.Tensor{made}
	case []any:
		out := lighter.List{}
		for _, item := range x {
			v, made := inputOf(t, item)
			out, leaves = append(out, v), append(leaves, made...)
		}
		return out, leaves
	case map[string]any:
		if spec, ok := x["packed"].([]any); ok {
			padded := spec[0].(*tensortest.Tensor).Make(t).SetRequiresGrad(true)
			options, sorted := spec[2].(map[string]any), true
			if v, ok := options["enforce_sorted"].(bool); ok {
				sorted = v
			}
			first, _ := options["batch_first"].(bool)
			return packPadded(padded, spec[1].(*tensortest.Tensor).Make(t), first, sorted), []tensor.Tensor{padded}
		}
	}
	return v, nil
}

// flat are the tensors of a value, in order.
func flat(v lighter.Value) []tensor.Tensor {
	switch x := v.(type) {
	case tensor.Tensor:
		return []tensor.Tensor{x}
	case lighter.List:
		var out []tensor.Tensor
		for _, item := range x {
			out = append(out, flat(item)...)
		}
		return out
	case *PackedSequence:
		return []tensor.Tensor{x.Data}
	}
	return nil
}

// same compares a result with that of a fixture.
func same(t *testing.T, what string, got lighter.Value, want any) {
	t.Helper()
	switch w := want.(type) {
	case *tensortest.Tensor:
		x, ok := got.(tensor.Tensor)
		if !ok {
			t.Errorf("%s is a %s, want a tensor", what, lighter.TypeName(got))
			return
		}
		tensortest.Close(t, what, x, w)
	case []any:
		items, ok := got.(lighter.List)
		if !ok || len(items) != len(w) {
			t.Errorf("%s is %v, want a list of %d", what, got, len(w))
			return
		}
		for i := range w {
			same(t, fmt.Sprintf("%s[%d]", what, i), items[i], w[i])
		}
	case map[string]any:
		p, ok := got.(*PackedSequence)
		if !ok {
			t.Errorf("%s is a %s, want a packed sequence", what, lighter.TypeName(got))
			return
		}
		same(t, what, lighter.List{p.Data, p.BatchSizes, orNil(p.SortedIndices), orNil(p.UnsortedIndices)}, w["packed"])
	case nil:
		if got != nil {
			t.Errorf("%s is %v, want none", what, got)
		}
	default:
		t.Errorf("%s: the fixture holds a %T", what, want)
	}
}

func orNil(t tensor.Tensor) lighter.Value {
	if !t.Defined() {
		return nil
	}
	return t
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
			m := callOf(t, c.Call).(lighter.Module)
			var in []lighter.Value
			for i, x := range c.Inputs {
				v := x.Make(t)
				in = append(in, v.SetRequiresGrad(c.Grads[fmt.Sprintf("input.%d", i)] != nil))
			}
			out := m.Forward(in...).(tensor.Tensor)
			tensortest.Close(t, "loss", out, c.Output)
			out.BackwardFrom(tensor.Ones(out.Shape(), out.DType(), tensor.Device{}), false)
			for i, x := range in {
				tensortest.Close(t, "gradient", x.(tensor.Tensor).Grad(), c.Grads[fmt.Sprintf("input.%d", i)])
			}
		})
	}
}

type functionCase struct {
	Name string
	tensortest.Call
	Output *tensortest.Tensor
}

func TestFunctionsGivePyTorchsNumbers(t *testing.T) {
	for _, c := range tensortest.Load[functionCase](t, "functional") {
		t.Run(c.Name, func(t *testing.T) {
			tensortest.Scope(t)
			tensortest.Close(t, "output", callOf(t, c.Call).(tensor.Tensor), c.Output)
		})
	}
}
