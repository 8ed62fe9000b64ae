package tensor_test

import (
	"math"
	"slices"
	"testing"

	"github.com/lighter-go/lighter/tensor"
)

func TestCallByName(t *testing.T) {
	s := tensor.Open()
	defer s.Close()
	x := tensor.FromSlice([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	for _, c := range []struct {
		name string
		got  func() any
		want any
	}{
		{"overload by a number", func() any { return tensor.Values[float32](tensor.CallOne("add", x, 1.5)) }, []float32{2.5, 3.5, 4.5, 5.5, 6.5, 7.5}},
		{"default arguments", func() any { return tensor.Values[float32](tensor.CallOne("sum", x)) }, []float32{21}},
		{"int for a list", func() any { return tensor.CallOne("sum", x, 0).Shape() }, []int64{3}},
		{"keyword", func() any {
			return tensor.CallOne("sum", x, []int64{1}, tensor.Kwarg{Name: "keepdim", Value: true}).Shape()
		}, []int64{2, 1}},
		{"int for a float", func() any { return tensor.Values[float32](tensor.CallOne("leaky_relu", x.MulScalar(-1), 2))[0] }, float32(-2)},
		{"dtype and device", func() any {
			return tensor.CallOne("zeros", []int64{2}, tensor.Kwarg{Name: "dtype", Value: tensor.Int32}, tensor.Kwarg{Name: "device", Value: tensor.Device{}}).DType()
		}, tensor.Int32},
		{"list of tensors", func() any { return tensor.CallOne("cat", []tensor.Tensor{x, x}, 1).Shape() }, []int64{2, 6}},
		{"empty list", func() any { return tensor.CallOne("zeros", []int64{}).Dim() }, 0},
		{"several results", func() any { return tensor.Values[int64](tensor.Call("max", x, 1)[1].(tensor.Tensor)) }, []int64{2, 2}},
		{"result is a list", func() any { return len(tensor.Call("split", x, 1)[0].([]any)) }, 2},
		{"result is a number", func() any { return tensor.Call("size", x, 1)[0] }, int64(3)},
		{"one size for both dimensions", func() any {
			return tensor.CallOne("max_pool2d", tensor.Ones([]int64{1, 1, 4, 4}, tensor.Float32, tensor.Device{}), 2).Shape()
		}, []int64{1, 1, 2, 2}},
		{"none", func() any { return tensor.CallOne("clamp", x, nil, 2.0).DType() }, tensor.Float32},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := tensor.Open() // a subtest has a thread of its own
			defer s.Close()
			if got := c.got(); !equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
	if n := len(tensor.Operators()); n < 1000 {
		t.Errorf("%d operators are known, want over a thousand", n)
	}
	if got := tensor.Schemas("linear"); len(got) == 0 {
		t.Error("linear has no schema")
	}
}

func equal(a, b any) bool {
	switch x := a.(type) {
	case []float32:
		y, ok := b.([]float32)
		return ok && slices.Equal(x, y)
	case []int64:
		y, ok := b.([]int64)
		return ok && slices.Equal(x, y)
	}
	return a == b
}

func TestRNGStateRepeatsDraws(t *testing.T) {
	s := tensor.Open()
	defer s.Close()
	tensor.ManualSeed(7)
	state := tensor.RNGState(tensor.Device{})
	first := tensor.Values[float32](tensor.CallOne("randn", []int64{40}))
	tensor.SetRNGState(tensor.Device{}, state)
	if again := tensor.Values[float32](tensor.CallOne("randn", []int64{40})); !slices.Equal(first, again) {
		t.Error("the same state gave other numbers")
	}
	if got := tensor.Values[int64](tensor.RandPerm(10, 3)); !slices.Equal(slices.Sorted(slices.Values(got)), []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
		t.Errorf("RandPerm gave %v", got)
	}
}

func TestGradModes(t *testing.T) {
	s := tensor.Open()
	defer s.Close()
	w := tensor.FromSlice([]float32{2}, 1).SetRequiresGrad(true)
	w.Mul(w).Sum(tensor.Float32).Backward()
	if g := w.Grad().Item(); g != 4 {
		t.Errorf("d(w²)/dw at 2 is %v, want 4", g)
	}
	tensor.NoGrad(func() {
		if w.MulScalar(2).RequiresGrad() {
			t.Error("a result in no-grad mode requires a gradient")
		}
	})
	leave := tensor.InferenceMode()
	y := w.MulScalar(2)
	leave()
	if err := tensor.Catch(func() { w.Mul(y).Sum(tensor.Float32).Backward() }); err == nil {
		t.Error("autograd took an inference tensor")
	}
	if !tensor.GradEnabled() {
		t.Error("grad mode was not restored")
	}
}

func TestAutocast(t *testing.T) {
	s := tensor.Open()
	defer s.Close()
	x := tensor.Ones([]int64{2, 2}, tensor.Float32, tensor.Device{})
	restore := tensor.Autocast(tensor.CPU, tensor.BFloat16)
	if got := x.Matmul(x).DType(); got != tensor.BFloat16 {
		t.Errorf("matmul under autocast gives %s, want bfloat16", got)
	}
	restore()
	if got := x.Matmul(x).DType(); got != tensor.Float32 {
		t.Errorf("matmul after autocast gives %s, want float32", got)
	}
}

func TestMemoryFormat(t *testing.T) {
	s := tensor.Open()
	defer s.Close()
	x := tensor.Ones([]int64{2, 3, 4, 5}, tensor.Float32, tensor.Device{}).ToMemoryFormat(tensor.ChannelsLast)
	if !x.IsChannelsLast() || !slices.Equal(x.Strides(), []int64{60, 1, 15, 3}) {
		t.Errorf("channels_last strides are %v", x.Strides())
	}
}

func TestClipGradNorm(t *testing.T) {
	s := tensor.Open()
	defer s.Close()
	a := tensor.FromSlice([]float32{3}, 1).SetRequiresGrad(true)
	b := tensor.FromSlice([]float32{4}, 1).SetRequiresGrad(true)
	params := tensor.NewList([]tensor.Tensor{a, b})
	defer params.Free()
	a.Mul(a).Add(b.Mul(b)).Sum(tensor.Float32).Backward() // gradients 6 and 8
	if norm := params.GradNorm(2).Item(); norm != 10 {
		t.Errorf("the norm of (6, 8) is %v, want 10", norm)
	}
	params.ClipGradNorm(5, 2)
	if got := a.Grad().Item(); math.Abs(got-3) > 1e-5 {
		t.Errorf("a gradient of 6 under a norm of 10 clipped to 5 is %v, want 3", got)
	}
	params.ClipGradValue(1)
	if got := b.Grad().Item(); got != 1 {
		t.Errorf("a gradient clipped to 1 by value is %v", got)
	}
	params.ZeroGrad(true)
	if a.Grad().Defined() {
		t.Error("ZeroGrad left a gradient")
	}
}

// Ten fused steps stay within the last bits of the textbook formula.
func TestFusedOptimizersFollowTheFormula(t *testing.T) {
	s := tensor.Open()
	defer s.Close()
	if err := tensor.Catch(func() { fusedSGD(t) }); err != nil {
		if tensor.Version() < "2.3" {
			t.Skip("libtorch before 2.3 has no fused optimizers on the CPU")
		}
		t.Fatal(err)
	}
	fusedAdam(t)
}

func grad(p tensor.Tensor, l tensor.List) float64 {
	l.ZeroGrad(true)
	p.Mul(p).Sum(tensor.Float64).Backward()
	return 2 * p.Item()
}

func fusedSGD(t *testing.T) {
	p := tensor.FromSlice([]float64{1}, 1).SetRequiresGrad(true)
	l, buf := tensor.NewList([]tensor.Tensor{p}), tensor.NewList([]tensor.Tensor{tensor.Zeros([]int64{1}, tensor.Float64, tensor.Device{})})
	defer l.Free()
	defer buf.Free()
	want, velocity := 1.0, 0.0
	for i := range 10 {
		g := grad(p, l)
		if velocity = 0.9*velocity + g; i == 0 {
			velocity = g
		}
		want -= 0.1 * velocity
		l.FusedSGD(buf, tensor.SGDStep{LR: 0.1, Momentum: 0.9, First: i == 0})
		if got := p.Item(); math.Abs(got-want) > 1e-12 {
			t.Fatalf("SGD step %d: %v, want %v", i, got, want)
		}
	}
}

func fusedAdam(t *testing.T) {
	p := tensor.FromSlice([]float64{1}, 1).SetRequiresGrad(true)
	list := func(d tensor.DType, shape []int64) tensor.List {
		return tensor.NewList([]tensor.Tensor{tensor.Zeros(shape, d, tensor.Device{})})
	}
	l := tensor.NewList([]tensor.Tensor{p})
	state := tensor.AdamState{ExpAvg: list(tensor.Float64, []int64{1}), ExpAvgSq: list(tensor.Float64, []int64{1}), Step: list(tensor.Float32, nil)}
	for _, x := range []tensor.List{l, state.ExpAvg, state.ExpAvgSq, state.Step} {
		defer x.Free()
	}
	want, m, v := 1.0, 0.0, 0.0
	for i := 1; i <= 10; i++ {
		g := grad(p, l)
		m, v = 0.9*m+0.1*g, 0.999*v+0.001*g*g
		want -= 0.1 * (m / (1 - math.Pow(0.9, float64(i)))) / (math.Sqrt(v/(1-math.Pow(0.999, float64(i)))) + 1e-8)
		l.FusedAdam(state, tensor.AdamStep{LR: 0.1, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8})
		if got := p.Item(); math.Abs(got-want) > 1e-9 {
			t.Fatalf("Adam step %d: %v, want %v", i, got, want)
		}
	}
}
