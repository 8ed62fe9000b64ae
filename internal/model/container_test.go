package model

import (
	"errors"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

func ones(shape ...int64) tensor.Tensor { return tensor.Ones(shape, tensor.Float32, tensor.Device{}) }

func sequence(t testing.TB, modules ...any) lighter.Module {
	return build(t, "torch.nn.Sequential", modules, nil)
}

func dense(t testing.TB, in, out int) lighter.Module {
	return build(t, "torch.nn.Linear", []any{in, out}, nil)
}

// The step boundary must be able to name the layer that an operation failed in.
func TestAnErrorKnowsItsLayer(t *testing.T) {
	tensortest.Scope(t)
	inner := sequence(t, build(t, "torch.nn.ReLU", nil, nil), dense(t, 128, 10))
	network := sequence(t, dense(t, 8, 64), build(t, "torch.nn.Tanh", nil, nil), inner)
	err := tensor.Catch(func() { network.Forward(ones(32, 8)) })
	var op *tensor.Error
	if !errors.As(err, &op) || op.Msg != "mat1 and mat2 shapes cannot be multiplied (32x64 and 128x10)" {
		t.Fatalf("got %v", err)
	}
	if path, m := network.Tree().Failed(); path != "2.1" || m.Target() != "torch.nn.Linear" {
		t.Errorf("the failed layer is %q (%s), want 2.1 (torch.nn.Linear)", path, m.Target())
	}
	if path, _ := network.Tree().Failed(); path != "" {
		t.Errorf("a second question gives %q, want nothing", path)
	}
	sound := sequence(t, dense(t, 8, 4))
	sound.Forward(ones(2, 8))
	if path, m := sound.Tree().Failed(); path != "" || m != sound.Tree() {
		t.Errorf("after a sound step the failed layer is %q", path)
	}
}

func TestALayerInTwoPlacesIsOneParameter(t *testing.T) {
	tensortest.Scope(t)
	l := dense(t, 4, 4)
	m := sequence(t, l, build(t, "torch.nn.ReLU", nil, nil), l)
	var keys []string
	for _, s := range m.Tree().State() {
		keys = append(keys, s.Name)
	}
	if got := strings.Join(keys, " "); got != "0.weight 0.bias 2.weight 2.bias" {
		t.Errorf("state_dict has %s", got)
	}
	if n := len(m.Tree().Params()); n != 2 {
		t.Errorf("there are %d parameters, want 2", n)
	}
}

func TestForwardRefusesOtherValues(t *testing.T) {
	tensortest.Scope(t)
	for want, f := range map[string]func(){
		"forward() takes 1 argument, got 2":                                 func() { dense(t, 2, 2).Forward(ones(1, 2), ones(1, 2)) },
		"argument 1 must be a Tensor, not str":                              func() { dense(t, 2, 2).Forward("x") },
		"forward() takes 2 arguments, got 1":                                func() { build(t, "torch.nn.MSELoss", nil, nil).Forward(ones(1)) },
		"expected 2D or 3D input (got 4D input)":                            func() { build(t, "torch.nn.BatchNorm1d", []any{2}, nil).Forward(ones(1, 2, 3, 4)) },
		"expected 4D input (got 2D input)":                                  func() { build(t, "torch.nn.BatchNorm2d", []any{2}, nil).Forward(ones(1, 2)) },
		"Expected more than 1 value per channel when training":              func() { build(t, "torch.nn.BatchNorm1d", []any{2}, nil).Forward(ones(1, 2)) },
		"Target size (torch.Size([3])) must be the same as input size":      func() { build(t, "torch.nn.BCEWithLogitsLoss", nil, nil).Forward(ones(3, 1), ones(3)) },
		"Using a target size (torch.Size([3])) that is different":           func() { build(t, "torch.nn.BCELoss", nil, nil).Forward(ones(3, 1), ones(3)) },
		"expected input with shape [*, 3], but got input of size[2, 2]":     func() { build(t, "torch.nn.LayerNorm", []any{3}, nil).Forward(ones(2, 2)) },
		"expected input[1, 2, 4, 4] to have 3 channels, but got 2 channels": func() { build(t, "torch.nn.Conv2d", []any{3, 4, 3}, nil).Forward(ones(1, 2, 4, 4)) },
	} {
		if err := tensor.Catch(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestWrongArgumentsAreToldInPyTorchsWords(t *testing.T) {
	tensortest.Scope(t)
	two := []any{2, 2}
	for _, c := range []struct {
		class  string
		args   []any
		kwargs map[string]any
		want   string
	}{
		{"Linear", []any{-1, 2}, nil, "in_features of torch.nn.Linear: Trying to create tensor with negative dimension -1"},
		{"Linear", []any{1 << 40, 1 << 20}, nil, "alloc"},
		{"Linear", two, map[string]any{"dtype": tensor.Int64}, "floating-point dtype, got torch.int64"},
		{"Dropout", []any{1.5}, nil, "dropout probability has to be between 0 and 1, but got 1.5"},
		{"Conv2d", []any{3, 4, 3}, map[string]any{"groups": 2}, "in_channels must be divisible by groups"},
		{"Conv2d", []any{4, 3, 3}, map[string]any{"groups": 2}, "out_channels must be divisible by groups"},
		{"Conv2d", []any{4, 4, 3}, map[string]any{"groups": 0}, "groups must be a positive integer"},
		{"Conv2d", []any{4, 4, []any{3, 3, 3}}, nil, "must be an int or a list of 2 ints, got a list of 3"},
		{"Conv2d", []any{4, 4, 0}, nil, "must be at least 1, got [0, 0]"},
		{"Conv2d", []any{4, 4, 3}, map[string]any{"padding": "full"}, `Invalid padding string "full", should be one of {'same', 'valid'}`},
		{"Conv2d", []any{4, 4, 3, 2}, map[string]any{"padding": "same"}, "padding='same' is not supported for strided convolutions"},
		{"Conv2d", []any{4, 4, 3}, map[string]any{"padding_mode": "zero"}, "must be one of zeros, reflect, replicate, circular"},
		{"MaxPool2d", []any{2}, map[string]any{"padding": 2}, "pad should be at most half of effective kernel size, but got pad=2, kernel_size=2 and dilation=1"},
		{"Embedding", []any{3, 2}, map[string]any{"padding_idx": 3}, "Padding_idx must be within num_embeddings"},
		{"CrossEntropyLoss", nil, map[string]any{"label_smoothing": 2.0}, "label_smoothing must be between 0.0 and 1.0"},
		{"CrossEntropyLoss", nil, map[string]any{"weight": []any{1.0, "x"}}, "element 1 is x"},
		{"MSELoss", nil, map[string]any{"reduction": "avg"}, "must be one of none, mean, sum"},
	} {
		for name, v := range c.kwargs {
			c.kwargs[name] = valueOf(t, v)
		}
		_, err := tryBuild(t, "torch.nn."+c.class, c.args, c.kwargs)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s(%v, %v): got %v, want %q", c.class, c.args, c.kwargs, err, c.want)
		}
	}
}

// Names that PyTorch users write for the same class.
func TestAliases(t *testing.T) {
	tensortest.Scope(t)
	for _, name := range []string{"torch.nn.ReLU", "torch.nn.modules.activation.ReLU", "torch.nn.modules.ReLU"} {
		if got := build(t, name, nil, nil).Tree().Target(); got != "torch.nn.ReLU" {
			t.Errorf("%s is a %s", name, got)
		}
	}
}

func TestDeprecatedReductionArguments(t *testing.T) {
	tensortest.Scope(t)
	yes, no := true, false
	for _, c := range []struct {
		sizeAverage, reduce *bool
		want                tensor.Reduction
	}{
		{nil, nil, tensor.ReduceNone}, {&yes, nil, tensor.ReduceMean}, {&no, nil, tensor.ReduceSum}, {nil, &no, tensor.ReduceNone},
		{nil, &yes, tensor.ReduceMean}, {&no, &no, tensor.ReduceNone}, {&no, &yes, tensor.ReduceSum},
	} {
		if got := reductionOf("none", c.sizeAverage, c.reduce); got != c.want {
			t.Errorf("size_average %v, reduce %v: got %v, want %v", c.sizeAverage, c.reduce, got, c.want)
		}
	}
}

func BenchmarkSequentialForward(b *testing.B) {
	tensortest.Scope(b)
	tensor.SetThreads(1)
	m := sequence(b, dense(b, 64, 128), build(b, "torch.nn.ReLU", nil, nil), dense(b, 128, 10))
	x := ones(32, 64)
	b.ReportAllocs()
	for b.Loop() {
		s := tensor.Open()
		m.Forward(x)
		s.Close()
	}
}
