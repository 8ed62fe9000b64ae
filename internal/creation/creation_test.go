package creation_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lighter-go/lighter/internal/config"
	_ "github.com/lighter-go/lighter/internal/creation"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

func TestMain(m *testing.M) { tensortest.Main(m) }

// build builds what stands under "x" in a configuration, in the innermost scope.
func build(t *testing.T, input any) (tensor.Tensor, error) {
	t.Helper()
	c, problems := config.Compose(input)
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	return registry.Get[tensor.Tensor](registry.NewBuild(c, registry.Env{Stage: "fit"}), "x")
}

// written is a fixture's argument as a configuration has it.
func written(v any) any {
	switch v := v.(type) {
	case tensor.DType:
		return "torch." + v.String()
	case map[string]any:
		for k := range v {
			v[k] = written(v[k])
		}
	}
	return v
}

func TestPyTorchsFunctions(t *testing.T) {
	type fixture struct {
		tensortest.Call
		Name   string
		Seed   uint64
		Output *tensortest.Tensor
		Next   int64
	}
	cases := append(tensortest.Load[fixture](t, "function"), tensortest.Load[fixture](t, "random")...)
	ran := 0
	for _, c := range cases {
		if _, ok := registry.Lookup(c.Target); !ok {
			if strings.HasPrefix(c.Target, "torch.Tensor.") || strings.HasPrefix(c.Target, "torch.nn.") || c.Target == "torch.bernoulli" || c.Target == "torch.multinomial" {
				continue // operators, not targets
			}
			t.Errorf("%s: no target %s", c.Name, c.Target)
			continue
		}
		ran++
		t.Run(c.Name, func(t *testing.T) {
			tensortest.Scope(t)
			node := map[string]any{"_target_": c.Target}
			for k, v := range c.Kwargs.V.(map[string]any) {
				node[k] = written(v)
			}
			if args := c.Args.V.([]any); len(args) > 0 {
				node["_args_"] = args
			}
			tensor.ManualSeed(c.Seed)
			got, err := build(t, map[string]any{"x": node})
			if err != nil {
				t.Fatal(err)
			}
			tensortest.Equal(t, "output", got, c.Output)
			if next := tensor.RandomInt64(); next != c.Next {
				t.Errorf("the generator gives %d next, PyTorch's %d: another count of draws", next, c.Next)
			}
		})
	}
	if ran < 60 {
		t.Errorf("only %d cases ran", ran)
	}
}

// yaml writes a configuration whose "x" is text, and gives its path. An equals sign in the path, as t.TempDir takes it
// over from a test's name, would make it an override.
func yaml(t *testing.T, text string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "creation")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "c.yaml")
	if err := os.WriteFile(path, []byte("x: "+text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestConversions(t *testing.T) {
	for _, c := range []struct {
		text string
		want string // dtype, shape
		data []float64
	}{
		{"{_target_: torch.tensor, data: [true, 2]}", "int64[2]", []float64{1, 2}},
		{"{_target_: torch.tensor, data: [true, 1.5]}", "float32[2]", []float64{1, 1.5}},
		{"{_target_: torch.tensor, data: [[], []]}", "float32[2 0]", nil},
		{"{_target_: torch.tensor, data: [0.5, 0.0], dtype: torch.bool}", "bool[2]", []float64{1, 0}},
		{"{_target_: torch.tensor, data: [-1, -255], dtype: torch.uint8}", "uint8[2]", []float64{255, 1}},
		{"{_target_: torch.tensor, data: [-128, 127], dtype: torch.int8}", "int8[2]", []float64{-128, 127}},
		{"{_target_: torch.tensor, data: [9007199254740993], dtype: torch.int64}", "int64[1]", []float64{9007199254740992}},
		{"{_target_: torch.tensor, data: [16777217], dtype: torch.float32}", "float32[1]", []float64{16777216}},
		{"{_target_: torch.tensor, data: [1180591620717411303424], dtype: torch.float32}", "float32[1]", []float64{0x1p70}},
		{"{_target_: torch.tensor, data: [1.0e+300, .inf]}", "float32[2]", []float64{math.Inf(1), math.Inf(1)}},
		{"{_target_: torch.tensor, data: [70000], dtype: torch.float16}", "float16[1]", []float64{math.Inf(1)}},
		{"{_target_: torch.tensor, data: [1], dtype: $torch.float64}", "float64[1]", []float64{1}},
		{"{_target_: torch.tensor, data: [1], dtype: $torch.half}", "float16[1]", []float64{1}},
		{"{_target_: torch.tensor, data: [1.5], dtype: null, device: cpu}", "float32[1]", []float64{1.5}},
		{"{_target_: torch.tensor, data: {_target_: torch.arange, end: 3}, dtype: torch.float32}", "float32[3]", []float64{0, 1, 2}},
		{"$torch.tensor([1.0, 2.0])", "float32[2]", []float64{1, 2}},
		{"$torch.zeros(2, 1)", "float32[2 1]", []float64{0, 0}},
		{"$torch.zeros([2, 1], dtype=torch.int32)", "int32[2 1]", []float64{0, 0}},
		{"{_target_: torch.zeros, size: []}", "float32[]", []float64{0}},
		{"{_target_: torch.full, size: [2], fill_value: true}", "bool[2]", []float64{1, 1}},
		{"{_target_: torch.full, size: [2], fill_value: 1.5}", "float32[2]", []float64{1.5, 1.5}},
		{"{_target_: torch.arange, _args_: [5, 1, -1]}", "int64[4]", []float64{5, 4, 3, 2}},
		{"{_target_: torch.arange, _args_: [1], end: 3}", "int64[2]", []float64{1, 2}},
		{"{_target_: torch.eye, _args_: [2, 3]}", "float32[2 3]", []float64{1, 0, 0, 0, 1, 0}},
	} {
		t.Run(c.text, func(t *testing.T) {
			tensortest.Scope(t)
			got, err := build(t, yaml(t, c.text))
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != c.want {
				t.Fatalf("got %v, want %s", got, c.want)
			}
			for i, v := range tensor.Values[float64](got) {
				if v != c.data[i] {
					t.Errorf("element %d is %v, want %v", i, v, c.data[i])
				}
			}
		})
	}
}

func TestBadArguments(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"{_target_: torch.tensor, data: [[1, 2], [3]]}", "expected sequence of length 2 at dim 1 (got 1), at data[1]"},
		{"{_target_: torch.tensor, data: [[1, 2], 3]}", "not a sequence"},
		{"{_target_: torch.tensor, data: [[1, 2], [3, [4]]]}", "'list' object cannot be interpreted as a number: its neighbours are numbers, at data[1][1]"},
		{"{_target_: torch.tensor, data: [a]}", `invalid data type 'str': "a" is not a number`},
		{"{_target_: torch.tensor, data: [null]}", "could not infer dtype of NoneType"},
		{"{_target_: torch.tensor, data: {a: 1}}", "is not a number"},
		{"{_target_: torch.tensor, data: [300], dtype: torch.uint8}", "value cannot be converted to type uint8 without overflow"},
		{"{_target_: torch.tensor, data: [-0.5], dtype: torch.uint8}", "value cannot be converted to type uint8 without overflow"},
		{"{_target_: torch.tensor, data: [.nan], dtype: torch.int64}", "value cannot be converted to type int64 without overflow"},
		{"{_target_: torch.tensor, data: [9.3e+18], dtype: torch.int64}", "value cannot be converted to type int64 without overflow"},
		{"{_target_: torch.tensor, data: [9223372036854775808]}", "value cannot be converted to type int64 without overflow"},
		{"{_target_: torch.tensor, data: [1], dtype: torch.flaot32}", `unknown dtype "torch.flaot32", did you mean "torch.float32"?`},
		{"{_target_: torch.tensor, data: [1], dtype: 32}", "must be a dtype"},
		{"{_target_: torch.tensor, data: [1], device: tpu}", `unknown device "tpu"`},
		{"{_target_: torch.tensor, data: [1], requires_grad: true}", "floating point"},
		{"{_target_: torch.zeros}", `missing 1 required argument: "size"`},
		{"{_target_: torch.zeros, _args_: [2, -1]}", "must be non-negative, got -1 at position 1"},
		{"{_target_: torch.zeros, _args_: [2, [3]]}", "must be ints or one list of ints"},
		{"{_target_: torch.zeros, _args_: [2.0]}", "must be ints or one list of ints"},
		{"{_target_: torch.zeros, _args_: [1000000, 1000000, 10]}", "allocate memory"},
		{"{_target_: torch.randn, _args_: [2], dtype: torch.int64}", "not implemented for 'Long'"},
		{"{_target_: torch.arange}", "arange needs at least the end"},
		{"{_target_: torch.arange, _args_: [5, 1]}", "upper bound and lower bound inconsistent with step sign"},
		{"{_target_: torch.arange, _args_: [0, 5, 0]}", "step must be nonzero"},
		{"{_target_: torch.arange, _args_: [0, 5], start: 1}", "multiple values"},
		{"{_target_: torch.arange, _args_: [0, 5, 1, 2]}", "at most start, end and step"},
		{"{_target_: torch.linspace, _args_: [0, 1, -1]}", "number of steps must be non-negative"},
		{"{_target_: torch.randint, _args_: [5, 5, [2]]}", "expects 'from' to be less than 'to'"},
		{"{_target_: torch.randint, high: 5}", "needs high and size"},
	} {
		t.Run(c.text, func(t *testing.T) {
			tensortest.Scope(t)
			_, err := build(t, yaml(t, c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
			if err != nil && !strings.Contains(err.Error(), "c.yaml:1:") {
				t.Errorf("%v does not say where", err)
			}
		})
	}
}
