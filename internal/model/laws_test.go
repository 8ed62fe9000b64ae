package model

import (
	"math"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// ramp is n fixed values of both signs, as a float64 tensor of a shape.
func ramp(shape ...int64) tensor.Tensor {
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	v := make([]float64, n)
	for i := range v {
		v[i] = 2 * math.Sin(float64(3*i+1))
	}
	return tensor.FromSlice(v, shape...)
}

func equalTensors(t *testing.T, what string, got, want tensor.Tensor) {
	t.Helper()
	if !got.SameShape(want.Shape()) {
		t.Errorf("%s: got %v, want %v", what, got, want)
		return
	}
	a, b := tensor.Values[float64](got), tensor.Values[float64](want)
	for i := range a {
		if math.Abs(a[i]-b[i]) > 1e-12 {
			t.Errorf("%s: element %d is %v, want %v", what, i, a[i], b[i])
			return
		}
	}
}

func lossValue(t *testing.T, class string, kwargs map[string]any, x, y tensor.Tensor) tensor.Tensor {
	t.Helper()
	return build(t, "torch.nn."+class, nil, kwargs).Forward(x, y).(tensor.Tensor)
}

func TestLossesKeepTheirLaws(t *testing.T) {
	tensortest.Scope(t)
	x, y := ramp(4, 3), ramp(3, 4).Reshape(4, 3).MulScalar(0.5)
	bits := tensor.CallOne("gt", y, 0.0).To(tensor.Device{}, tensor.Float64)
	equalTensors(t, "Huber is delta · SmoothL1", lossValue(t, "HuberLoss", map[string]any{"delta": 0.7}, x, y),
		lossValue(t, "SmoothL1Loss", map[string]any{"beta": 0.7}, x, y).MulScalar(0.7))
	equalTensors(t, "SmoothL1 without a squared part is L1", lossValue(t, "SmoothL1Loss", map[string]any{"beta": 0.0}, x, y), lossValue(t, "L1Loss", nil, x, y))
	equalTensors(t, "SmoothL1 with a wide squared part is MSE / (2 beta)", lossValue(t, "SmoothL1Loss", map[string]any{"beta": 50.0}, x, y),
		lossValue(t, "MSELoss", nil, x, y).MulScalar(0.01))
	equalTensors(t, "BCE of probabilities is that of logits", lossValue(t, "BCELoss", nil, tensor.CallOne("sigmoid", x), bits), lossValue(t, "BCEWithLogitsLoss", nil, x, bits))
	equalTensors(t, "a broadcast target", lossValue(t, "MSELoss", nil, x, y.Narrow(0, 1, 1)),
		lossValue(t, "MSELoss", nil, x, tensor.Cat([]tensor.Tensor{y.Narrow(0, 1, 1), y.Narrow(0, 1, 1), y.Narrow(0, 1, 1), y.Narrow(0, 1, 1)}, 0)))
}

// "same" with an even kernel puts the odd element after the input, as PyTorch does.
func TestSamePaddingOfAnEvenKernel(t *testing.T) {
	tensortest.Scope(t)
	for _, mode := range []string{"zeros", "replicate"} {
		kwargs := map[string]any{"dtype": tensor.Float64, "padding_mode": mode}
		tensor.ManualSeed(1)
		valid := build(t, "torch.nn.Conv2d", []any{2, 3, 4}, kwargs)
		kwargs["padding"] = "same"
		tensor.ManualSeed(1)
		same := build(t, "torch.nn.Conv2d", []any{2, 3, 4}, kwargs)
		x := ramp(1, 2, 5, 6)
		padded := tensor.CallOne("pad", x, []int64{1, 2, 1, 2}, map[string]string{"zeros": "constant", "replicate": "replicate"}[mode])
		equalTensors(t, mode, same.Forward(x).(tensor.Tensor), valid.Forward(padded).(tensor.Tensor))
	}
}

func TestEmbeddingOptions(t *testing.T) {
	tensortest.Scope(t)
	index := tensor.FromSlice([]int64{0, 2, 2}, 3)
	m := build(t, "torch.nn.Embedding", []any{4, 3}, map[string]any{"max_norm": 0.1, "_freeze": true})
	norms := tensor.CallOne("norm", m.Forward(index).(tensor.Tensor), 2.0, []int64{1})
	for _, n := range tensor.Values[float64](norms) {
		if n > 0.1001 {
			t.Errorf("a vector looked up has norm %v, want at most 0.1", n)
		}
	}
	if m.Tree().Params()[0].Value.RequiresGrad() {
		t.Error("frozen vectors are trained")
	}
	given := ramp(2, 3)
	m = build(t, "torch.nn.Embedding", []any{2, 3}, map[string]any{"_weight": given})
	equalTensors(t, "given vectors", m.Forward(tensor.FromSlice([]int64{1}, 1)).(tensor.Tensor), given.Narrow(0, 1, 1))
}

func TestPoolingOptions(t *testing.T) {
	tensortest.Scope(t)
	x := ramp(1, 2, 4, 6)
	out := build(t, "torch.nn.MaxPool2d", []any{2}, map[string]any{"return_indices": true}).Forward(x).(lighter.List)
	if len(out) != 2 || out[1].(tensor.Tensor).DType() != tensor.Int64 {
		t.Errorf("return_indices gives %v", out)
	}
	adaptive := build(t, "torch.nn.AdaptiveAvgPool2d", []any{[]any{nil, 3}}, nil).Forward(x).(tensor.Tensor)
	if !adaptive.SameShape([]int64{1, 2, 4, 3}) {
		t.Errorf("output_size [null, 3] gives %v", adaptive)
	}
	equalTensors(t, "divisor_override", build(t, "torch.nn.AvgPool2d", []any{2}, map[string]any{"divisor_override": 1}).Forward(x).(tensor.Tensor),
		build(t, "torch.nn.AvgPool2d", []any{2}, nil).Forward(x).(tensor.Tensor).MulScalar(4))
}

func TestInplaceActivationsOverwriteTheirInput(t *testing.T) {
	tensortest.Scope(t)
	for _, class := range []string{"ReLU", "ReLU6", "SELU", "SiLU", "Mish", "Hardswish", "Hardsigmoid", "LeakyReLU", "ELU"} {
		x := ramp(5)
		want := build(t, "torch.nn."+class, nil, nil).Forward(x).(tensor.Tensor)
		equalTensors(t, class+" leaves its input", x, ramp(5))
		build(t, "torch.nn."+class, nil, map[string]any{"inplace": true}).Forward(x)
		equalTensors(t, class+" in place", x, want)
	}
}

func TestSoftmaxWithoutDim(t *testing.T) {
	tensortest.Scope(t)
	for dims, want := range map[int]int64{1: 0, 2: 1, 3: 0, 4: 1} {
		shape := []int64{2, 3, 2, 2}[:dims]
		equalTensors(t, "softmax", build(t, "torch.nn.Softmax", nil, nil).Forward(ramp(shape...)).(tensor.Tensor), ramp(shape...).Softmax(want))
	}
}

func TestEvaluationModeReachesEveryLayer(t *testing.T) {
	tensortest.Scope(t)
	m := sequence(t, sequence(t, build(t, "torch.nn.Dropout", []any{0.9}, nil)), build(t, "torch.nn.Dropout2d", []any{0.9}, nil))
	x := ramp(2, 3, 4, 4)
	m.Tree().SetTraining(false)
	equalTensors(t, "evaluation", m.Forward(x).(tensor.Tensor), x)
	m.Tree().SetTraining(true)
	if zeros := count(t, m.Forward(x).(tensor.Tensor)); zeros == 0 {
		t.Error("in training nothing is dropped")
	}
}

func count(t *testing.T, x tensor.Tensor) (zeros int) {
	t.Helper()
	for _, v := range tensor.Values[float64](x) {
		if v == 0 {
			zeros++
		}
	}
	return zeros
}
