package inferer

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/internal/registry/registrytest"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

func TestMain(m *testing.M) { tensortest.Main(m) }

func TestContract(t *testing.T) {
	tensortest.Scope(t)
	registrytest.Contract(t, "monai.", map[string]registrytest.Args{
		"monai.inferers.SimpleInferer":        {},
		"monai.inferers.SlidingWindowInferer": {"roi_size": int64(4)},
	})
}

// network is that of testdata/sliding.py: its output depends on the place within a window.
func network(v lighter.Value) lighter.Value {
	x := v.(tensor.Tensor)
	last := x.Dim() - 1
	steps := tensor.CallOne("arange", x.Size(last), tensor.Kwarg{Name: "dtype", Value: tensor.Float32})
	return tensor.CallOne("cat", []any{tensor.CallOne("cumsum", x, last), x.Mul(steps)}, 1)
}

func TestSlidingWindowsGiveMONAIsNumbers(t *testing.T) {
	data, err := os.ReadFile("testdata/sliding.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Input, Output *tensortest.Tensor
		Args          tensortest.Arg
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		tensortest.Scope(t)
		args := c.Args.V.(map[string]any)
		i, err := registry.New[lighter.Inferer]("monai.inferers.SlidingWindowInferer", &lighter.Env{}, args)
		if err != nil {
			t.Fatal(err)
		}
		x := c.Input.Make(t)
		tensortest.Close(t, c.Input.String(), i.Infer(x, network).(tensor.Tensor), c.Output)

		dict := i.Infer(x, func(v lighter.Value) lighter.Value { return lighter.Dict{"a": network(v), "b": network(v)} })
		tensortest.Close(t, "of a mapping", dict.(lighter.Dict)["b"].(tensor.Tensor), c.Output)
	}
}

func TestMistakes(t *testing.T) {
	tensortest.Scope(t)
	for _, c := range []struct {
		args registrytest.Args
		want string
	}{
		{registrytest.Args{"roi_size": "big"}, "must be an int or a list of ints"},
		{registrytest.Args{"roi_size": int64(3), "overlap": 1.0}, "overlap must be >= 0 and < 1, got 1."},
		{registrytest.Args{"roi_size": int64(3), "sw_batch_size": int64(0)}, "must be at least 1, got 0"},
		{registrytest.Args{"roi_size": int64(3), "with_coord": true}, "must be false"},
	} {
		_, err := registry.New[lighter.Inferer]("monai.inferers.SlidingWindowInferer", &lighter.Env{}, c.args)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.args, err, c.want)
		}
	}
	i := Sliding{ROISize: Sizes{4, 4}, BatchSize: 1, Overlap: Fractions{0.25}, Mode: "constant", PaddingMode: "constant"}
	for _, c := range []struct {
		shape []int64
		out   func(lighter.Value) lighter.Value
		want  string
	}{
		{[]int64{1, 8}, network, "Inputs must have a batch, a channel and spatial dimensions"},
		{[]int64{1, 1, 8, 8, 8}, network, "Inputs must have 4 dimensions for 2D roi_size"},
		{[]int64{1, 1, 8, 8}, func(v lighter.Value) lighter.Value { return v.(tensor.Tensor).Sum(tensor.Float32) }, "the network must give a tensor of the window's size [4 4]"},
	} {
		err := tensor.Catch(func() { i.Infer(tensor.Ones(c.shape, tensor.Float32, tensor.Device{}), c.out) })
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.shape, err, c.want)
		}
	}
}
