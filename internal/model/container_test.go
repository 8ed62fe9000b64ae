package model

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
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

// Layers inside a layer have paths too.
func TestAnErrorKnowsItsLayerInATransformer(t *testing.T) {
	tensortest.Scope(t)
	layer := build(t, "torch.nn.TransformerEncoderLayer", []any{4, 2, 8}, nil)
	m := sequence(t, build(t, "torch.nn.TransformerEncoder", []any{layer, 2}, nil), dense(t, 3, 1))
	for size, want := range map[int64]string{3: "0.layers.0.self_attn", 4: "1"} {
		if err := tensor.Catch(func() { m.Forward(ones(5, 1, size)) }); err == nil {
			t.Fatalf("an input of size %d passes", size)
		}
		if path, _ := m.Tree().Failed(); path != want {
			t.Errorf("the failed layer is %q, want %q", path, want)
		}
	}
}

// An encoder's layers begin with the weights of the layer it is given and go their own ways.
func TestAnEncoderCopiesItsLayer(t *testing.T) {
	tensortest.Scope(t)
	layer := build(t, "torch.nn.TransformerEncoderLayer", []any{4, 2, 8}, nil)
	m := build(t, "torch.nn.TransformerEncoder", []any{layer, 2}, nil)
	given, params := layer.Tree().Params(), m.Tree().Params()
	if len(params) != 2*len(given) {
		t.Fatalf("there are %d parameters, want %d", len(params), 2*len(given))
	}
	for i, p := range params {
		equalTensors(t, p.Name, p.Value, given[i%len(given)].Value)
		tensor.NoGrad(func() { p.Value.AddInPlace(ones(1), float64(i+1)) })
	}
	for i, p := range params[:len(given)] {
		if slices.Equal(p.Value.Bytes(), params[len(given)+i].Value.Bytes()) {
			t.Errorf("%s is shared", p.Name)
		}
	}
}

// A module has one set of parametrizations, whatever name it is reached under.
func TestASecondParametrization(t *testing.T) {
	tensortest.Scope(t)
	l := dense(t, 3, 2)
	kwargs := map[string]any{"module": l}
	first := build(t, "torch.nn.utils.parametrizations.weight_norm", nil, kwargs)
	if got := first.Tree().Target(); got != "torch.nn.utils.parametrize.ParametrizedLinear" {
		t.Errorf("its class is %s", got)
	}
	if _, err := tryBuild(t, "torch.nn.utils.parametrizations.weight_norm", nil, kwargs); err == nil || !strings.Contains(err.Error(), "parametrized already") {
		t.Errorf("got %v", err)
	}
	kwargs["name"] = "bias"
	if second := build(t, "torch.nn.utils.parametrizations.spectral_norm", nil, kwargs); second != first {
		t.Error("the module is wrapped twice")
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

func TestChildrenByName(t *testing.T) {
	tensortest.Scope(t)
	head := dense(t, 2, 1)
	m := build(t, "torch.nn.ModuleDict", nil, map[string]any{"modules": &config.Dict{Keys: []any{"body", "head"}, Values: []any{dense(t, 3, 2), head}}})
	if got, err := m.Tree().Index("head"); err != nil || got != any(head) {
		t.Errorf("[\"head\"] is %v, %v", got, err)
	}
	if _, err := m.Tree().Index("tail"); err == nil {
		t.Error("there is a module of another name")
	}
}

func TestForwardRefusesOtherValues(t *testing.T) {
	tensortest.Scope(t)
	for want, f := range map[string]func(){
		"forward() takes 1 argument, got 2":                                    func() { dense(t, 2, 2).Forward(ones(1, 2), ones(1, 2)) },
		"argument 1 must be a Tensor, not str":                                 func() { dense(t, 2, 2).Forward("x") },
		"forward() takes 2 arguments, got 1":                                   func() { build(t, "torch.nn.MSELoss", nil, nil).Forward(ones(1)) },
		"expected 2D or 3D input (got 4D input)":                               func() { build(t, "torch.nn.BatchNorm1d", []any{2}, nil).Forward(ones(1, 2, 3, 4)) },
		"expected 4D input (got 2D input)":                                     func() { build(t, "torch.nn.BatchNorm2d", []any{2}, nil).Forward(ones(1, 2)) },
		"Expected more than 1 value per channel when training":                 func() { build(t, "torch.nn.BatchNorm1d", []any{2}, nil).Forward(ones(1, 2)) },
		"Target size (torch.Size([3])) must be the same as input size":         func() { build(t, "torch.nn.BCEWithLogitsLoss", nil, nil).Forward(ones(3, 1), ones(3)) },
		"Using a target size (torch.Size([3])) that is different":              func() { build(t, "torch.nn.BCELoss", nil, nil).Forward(ones(3, 1), ones(3)) },
		"expected input with shape [*, 3], but got input of size[2, 2]":        func() { build(t, "torch.nn.LayerNorm", []any{3}, nil).Forward(ones(2, 2)) },
		"expected input[1, 2, 4, 4] to have 3 channels, but got 2 channels":    func() { build(t, "torch.nn.Conv2d", []any{3, 4, 3}, nil).Forward(ones(1, 2, 4, 4)) },
		"running_mean should contain 3 elements not 2 (input of shape [4, 3])": func() { build(t, "torch.nn.BatchNorm1d", []any{2}, nil).Forward(ones(4, 3)) },
		"weight should contain 3 elements not 2 (input of shape [4, 3])": func() {
			build(t, "torch.nn.BatchNorm1d", []any{2}, map[string]any{"track_running_stats": false}).Forward(ones(4, 3))
		},
		"(input of shape [2, 3], target of shape [2, 4])": func() { build(t, "torch.nn.MSELoss", nil, nil).Forward(ones(2, 3), ones(2, 4)) },
		"Expected input to be 2D or 3D, got 4D instead":   func() { build(t, "torch.nn.LSTM", []any{2, 3}, nil).Forward(ones(1, 1, 1, 2)) },
		"Expected 2, got 3 (input of shape [4, 1, 3])":    func() { build(t, "torch.nn.GRU", []any{2, 3}, nil).Forward(ones(4, 1, 3)) },
		"Expected hidden[1] size [1, 1, 3], got [1, 1, 2]": func() {
			build(t, "torch.nn.LSTM", []any{2, 3}, nil).Forward(ones(4, 1, 2), lighter.List{ones(1, 1, 3), ones(1, 1, 2)})
		},
		"argument 'hx' must be a pair of Tensors, not Tensor": func() { build(t, "torch.nn.LSTM", []any{2, 3}, nil).Forward(ones(4, 1, 2), ones(1, 1, 3)) },
		"expecting embedding dimension of 4, but got 3 (query of shape [5, 1, 3])": func() {
			x := ones(5, 1, 3)
			build(t, "torch.nn.MultiheadAttention", []any{4, 2}, nil).Forward(x, x, x)
		},
		"key shape [5, 1, 4] does not match value shape [3, 1, 4]": func() {
			build(t, "torch.nn.MultiheadAttention", []any{4, 2}, nil).Forward(ones(5, 1, 4), ones(5, 1, 4), ones(3, 1, 4))
		},
		"The shape of the 2D attn_mask is torch.Size([2, 2]), but should be [5, 5].": func() {
			x := ones(5, 1, 4)
			build(t, "torch.nn.MultiheadAttention", []any{4, 2}, nil).Forward(x, x, x, nil, true, ones(2, 2))
		},
		"the batch number of src and tgt must be equal: src has shape [5, 1, 4], tgt [5, 2, 4]": func() {
			build(t, "torch.nn.Transformer", []any{4, 2, 1, 1, 8}, nil).Forward(ones(5, 1, 4), ones(5, 2, 4))
		},
		"forward() missing 1 required positional argument: 'memory'":   func() { build(t, "torch.nn.TransformerDecoderLayer", []any{4, 2, 8}, nil).Forward(ones(5, 1, 4)) },
		"forward() missing 1 required positional argument: 'negative'": func() { build(t, "torch.nn.TripletMarginLoss", nil, nil).Forward(ones(1), ones(1)) },
		"forward() takes 2 arguments, got 3":                           func() { build(t, "torch.nn.CosineSimilarity", nil, nil).Forward(ones(1), ones(1), ones(1)) },
		"valid sizes range from [7] to [8] (for an input of [4])": func() {
			build(t, "torch.nn.ConvTranspose1d", []any{1, 1, 1, 2}, nil).Forward(ones(1, 1, 4), lighter.List{int64(9)})
		},
		"expected input's size at dim=1 to match num_features (3), but got: 2.": func() {
			build(t, "torch.nn.InstanceNorm1d", []any{3}, map[string]any{"affine": true}).Forward(ones(1, 2, 4))
		},
		"Got 3D input, but bilinear mode needs 4D input": func() {
			build(t, "torch.nn.Upsample", nil, map[string]any{"scale_factor": 2, "mode": "bilinear"}).Forward(ones(1, 2, 4))
		},
		"Target values should be in [0, 9], but values in range [0, 10] were found.": func() {
			build(t, "torch.nn.AdaptiveLogSoftmaxWithLoss", []any{8, 10, []any{4}}, nil).Forward(ones(2, 8), tensor.FromSlice([]int64{0, 10}, 2))
		},
		`missing the required "forward" function`: func() { build(t, "torch.nn.ModuleList", nil, nil).Forward(ones(1)) },
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
		{"ConvTranspose2d", []any{4, 4, 3}, map[string]any{"output_padding": 1}, "output padding must be smaller than either stride or dilation"},
		{"ConvTranspose1d", []any{4, 4, 3}, map[string]any{"padding_mode": "reflect"}, `Only "zeros" padding mode is supported for ConvTranspose1d`},
		{"Bilinear", []any{0, 2, 3}, nil, "in1_features must be > 0, but got 0"},
		{"GroupNorm", []any{2, 3}, nil, "num_channels (3) must be divisible by num_groups (2)"},
		{"LSTM", []any{0, 2}, nil, "input_size must be greater than zero"},
		{"LSTM", two, map[string]any{"proj_size": 2}, "proj_size has to be smaller than hidden_size"},
		{"GRU", two, map[string]any{"dropout": 1.5}, "dropout should be a number in range [0, 1]"},
		{"RNN", two, map[string]any{"nonlinearity": "gelu"}, "must be one of tanh, relu"},
		{"MultiheadAttention", []any{5, 2}, nil, "embed_dim must be divisible by num_heads"},
		{"TransformerEncoderLayer", two, map[string]any{"activation": "swish"}, "activation should be relu/gelu, not swish"},
		{"Upsample", nil, nil, "either size or scale_factor should be defined"},
		{"Upsample", []any{2}, map[string]any{"align_corners": true}, "align_corners option can only be set with the interpolating modes"},
		{"FractionalMaxPool2d", []any{2}, nil, "requires specifying either an output size, or a pooling ratio"},
		{"FractionalMaxPool2d", []any{2}, map[string]any{"output_ratio": 1.0}, "output_ratio must be between 0 and 1"},
		{"ReflectionPad2d", []any{[]any{1, 2}}, nil, "must be an int or a list of 4 ints"},
		{"Hardtanh", []any{1.0, 1.0}, nil, "max_val must be larger than min_val"},
		{"Softshrink", []any{-1.0}, nil, "lambda must be greater or equal to 0, but found to be -1.0."},
		{"RReLU", []any{1.0, 0.5}, nil, "Lower bound should be less than or equal to the upper bound"},
		{"AdaptiveLogSoftmaxWithLoss", []any{8, 10, []any{5, 3}}, nil, "cutoffs should be a sequence of unique, positive integers sorted"},
		{"EmbeddingBag", two, map[string]any{"mode": "max", "scale_grad_by_freq": true}, "max mode does not support scaling the gradient"},
		{"MultiMarginLoss", []any{3}, nil, "only p == 1 and p == 2 supported"},
		{"TripletMarginLoss", []any{0.0}, nil, "expected margin to be greater than 0, got 0.0 instead"},
		{"KLDivLoss", nil, map[string]any{"reduction": "avg"}, "must be one of none, mean, sum, batchmean"},
		{"utils.parametrizations.spectral_norm", nil, map[string]any{"module": dense(t, 2, 2), "name": "wieght"}, "it has [weight bias]"},
		{"utils.parametrizations.spectral_norm", nil, map[string]any{"module": dense(t, 2, 2), "dim": 2}, "expected to be in range of [-2, 1] but got 2"},
		{"utils.parametrizations.orthogonal", nil, map[string]any{"module": dense(t, 2, 2), "name": "bias"}, "Expected a matrix or batch of matrices. Got a tensor of 1 dimensions."},
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
