package vision

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/internal/registry/registrytest"
	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"

	_ "github.com/lighter-go/lighter/internal/model" // the layers
)

func TestMain(m *testing.M) { tensortest.Main(m) }

// digest is a tensor of initial weights: type, shape and the beginning of its hash.
type digest struct {
	dtype string
	shape []int64
	hash  string
}

func (d *digest) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&d.dtype, &d.shape, &d.hash})
}

type networkCase struct {
	Name string
	tensortest.Call
	Seed       uint64
	State      map[string]digest
	Next       int64
	Inputs     []*tensortest.Tensor
	Output     *tensortest.Tensor
	GradOutput *tensortest.Tensor `json:"grad_output"`
	Grads      map[string]*tensortest.Tensor
	EvalOutput *tensortest.Tensor `json:"eval_output"`
}

func TestNetworksGiveTorchvisionsNumbers(t *testing.T) {
	for _, c := range tensortest.Load[networkCase](t, "network") {
		t.Run(c.Name, func(t *testing.T) {
			tensortest.Scope(t)
			tensor.ManualSeed(c.Seed)
			kwargs, _ := c.Kwargs.V.(map[string]any)
			m := network(t, c.Target, kwargs)
			state := m.Tree().State()
			if len(state) != len(c.State) {
				t.Errorf("state_dict has %d entries, want %d", len(state), len(c.State))
			}
			for _, s := range state {
				sum := sha256.Sum256(s.Value.Bytes())
				got := digest{s.Value.DType().String(), s.Value.Shape(), hex.EncodeToString(sum[:])[:16]}
				if want := c.State[s.Name]; got.dtype != want.dtype || !slices.Equal(got.shape, want.shape) || got.hash != want.hash {
					t.Errorf("%s at first is %v, want %v", s.Name, got, want)
				}
			}
			if next := tensor.RandomInt64(); next != c.Next {
				t.Errorf("the generator gives %d next, want %d", next, c.Next)
			}
			if c.Output == nil {
				return
			}
			for _, s := range state {
				if s.Value.IsFloat() {
					s.Value.SetData(s.Value.Detach().To(tensor.Device{}, tensor.Float64))
				}
			}
			x := c.Inputs[0].Make(t).SetRequiresGrad(true)
			big := tensor.CallOne("repeat_interleave", tensor.CallOne("repeat_interleave", x, 4, 2), 4, 3)
			out := m.Forward(big).(tensor.Tensor)
			tensortest.Close(t, "output", out, c.Output)
			out.BackwardFrom(c.GradOutput.Make(t), false)
			tensortest.Close(t, "gradient of the input", x.Grad(), c.Grads["input"])
			for _, p := range m.Tree().Params() {
				if want := c.Grads[p.Name]; want != nil {
					tensortest.Close(t, "gradient of "+p.Name, p.Value.Grad(), want)
				}
			}
			m.Tree().SetTraining(false)
			tensor.NoGrad(func() { tensortest.Close(t, "output in eval mode", m.Forward(big).(tensor.Tensor), c.EvalOutput) })
		})
	}
}

func network(t *testing.T, target string, kwargs map[string]any) lighter.Module {
	t.Helper()
	m, err := registry.New[lighter.Module](target, &registry.Env{}, kwargs)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestEveryNetworkKeepsTheContract(t *testing.T) {
	tensortest.Scope(t)
	examples := map[string]registrytest.Args{}
	for _, r := range resnets {
		examples[models+r.name] = registrytest.Args{"num_classes": int64(2)}
	}
	registrytest.Contract(t, models, examples)
}

func TestWrongArguments(t *testing.T) {
	tensortest.Scope(t)
	t.Setenv("TORCH_HOME", t.TempDir())
	other := filepath.Join(t.TempDir(), "other.pth")
	if err := torchfile.Save(other, torchfile.NewDict("fc.bias", torchfile.NewTensor(torchfile.Float32, []int64{1}, make([]byte, 4)))); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		kwargs map[string]any
		want   string
	}{
		{"resnet18", map[string]any{"groups": int64(2)}, "BasicBlock only supports groups=1 and base_width=64"},
		{"resnet18", map[string]any{"replace_stride_with_dilation": []any{false, false, true}}, "Dilation > 1 not supported in BasicBlock"},
		{"resnet50", map[string]any{"replace_stride_with_dilation": []any{true}}, "or a 3-element tuple"},
		{"resnet18", map[string]any{"weights": "IMAGENET1K_V2"}, `did you mean "IMAGENET1K_V1"`},
		{"resnet18", map[string]any{"weights": "DEFAULT"}, "https://download.pytorch.org/models/resnet18-f37072fd.pth"},
		{"resnet50", map[string]any{"weights": "ResNet50_Weights.DEFAULT"}, "resnet50-11ad3fa6.pth"},
		{"resnet50", map[string]any{"pretrained": true}, "resnet50-0676ba61.pth"},
		{"resnet50", map[string]any{"weights": "DEFAULT", "num_classes": int64(10)}, "expected value 1000 but got 10 instead"},
		{"resnet18", map[string]any{"weights": "no/such.pth"}, "no such file"},
		{"resnet18", map[string]any{"weights": other}, "size mismatch for fc.bias"},
		{"resnet18", map[string]any{"norm_layer": registry.Func(func([]any, map[string]any) (any, error) { return int64(1), nil })}, "must make modules, it made int"},
	} {
		_, err := registry.New[lighter.Module](models+c.name, &registry.Env{}, c.kwargs)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s(%v): got %v, want %q", c.name, c.kwargs, err, c.want)
		}
	}
}

// The weights of a network come back from a file, by its path and by torchvision's name where torch.hub keeps it.
func TestWeightsFromAFile(t *testing.T) {
	tensortest.Scope(t)
	home := t.TempDir()
	t.Setenv("TORCH_HOME", home)
	folder := filepath.Join(home, "hub", "checkpoints")
	if err := os.MkdirAll(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "resnet18-f37072fd.pth")
	saved := network(t, models+"resnet18", nil)
	dict := &torchfile.Dict{Kind: torchfile.OrderedDict}
	for _, s := range saved.Tree().State() {
		dtype := map[tensor.DType]torchfile.DType{tensor.Float32: torchfile.Float32, tensor.Int64: torchfile.Int64}[s.Value.DType()]
		dict.Set(s.Name, torchfile.NewTensor(dtype, s.Value.Shape(), s.Value.Bytes()))
	}
	if err := torchfile.Save(path, dict); err != nil {
		t.Fatal(err)
	}
	for _, weights := range []string{path, "DEFAULT", "IMAGENET1K_V1", "ResNet18_Weights.IMAGENET1K_V1"} {
		loaded := network(t, models+"resnet18", map[string]any{"weights": weights}).Tree().State()
		for i, s := range saved.Tree().State() {
			if !slices.Equal(s.Value.Bytes(), loaded[i].Value.Bytes()) {
				t.Errorf("weights %q: %s differs", weights, s.Name)
			}
		}
	}
}

func TestNormLayer(t *testing.T) {
	tensortest.Scope(t)
	norm := registry.Func(func(args []any, _ map[string]any) (any, error) {
		return registry.New[lighter.Module]("torch.nn.GroupNorm", &registry.Env{}, map[string]any{"num_groups": int64(2), "num_channels": args[0]})
	})
	m := network(t, models+"resnet18", map[string]any{"norm_layer": norm, "num_classes": int64(2)})
	for _, s := range m.Tree().State() {
		if s.Buffer {
			t.Errorf("there is a buffer %s", s.Name)
		}
	}
}
