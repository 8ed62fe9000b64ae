package torchscript

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry/registrytest"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

func TestMain(m *testing.M) { tensortest.Main(m) }

func TestContract(t *testing.T) {
	tensortest.Scope(t)
	path := filepath.Join(t.TempDir(), "model.pt")
	if err := os.WriteFile(path, tensortest.Load[scriptCase](t, "script")[0].File, 0o600); err != nil {
		t.Fatal(err)
	}
	registrytest.Contract(t, "torch.jit.", map[string]registrytest.Args{target: {"f": path}})
}

type scriptCase struct {
	Name     string
	File     []byte // base64 in the fixture
	Method   string
	Operator string
	Inputs   tensortest.Arg
	Kwargs   tensortest.Arg
	Modules  map[string]string
	State    tensortest.Named
	Trained  []string
	Output   tensortest.Arg
	Target   *tensortest.Tensor
	Loss     float64
	Grads    map[string]*tensortest.Tensor
	Buffers  map[string]*tensortest.Tensor
	Eval     tensortest.Arg `json:"eval_output"`
	Losses   []float64
}

// load builds the network of a file; the scope that is open owns its tensors.
func load(t *testing.T, file []byte) (network, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.pt")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := Load{F: path}.Build(&lighter.Env{Log: zerolog.Nop()})
	if err != nil {
		return network{}, err
	}
	n := m.(network)
	t.Cleanup(func() { n.Close() })
	return n, nil
}

// value is an argument of a call, tensors made.
func value(t *testing.T, v any) lighter.Value {
	switch x := v.(type) {
	case *tensortest.Tensor:
		return x.Make(t)
	case []any:
		out := lighter.List{}
		for _, item := range x {
			out = append(out, value(t, item))
		}
		return out
	case map[string]any:
		out := lighter.Dict{}
		for k, item := range x {
			out[k] = value(t, item)
		}
		return out
	}
	return v
}

// same compares a result, of whatever form, with PyTorch's.
func same(t *testing.T, what string, got lighter.Value, want any) {
	t.Helper()
	switch w := want.(type) {
	case *tensortest.Tensor:
		x, ok := got.(tensor.Tensor)
		if !ok {
			t.Errorf("%s: got %s, want a Tensor", what, lighter.TypeName(got))
			return
		}
		tensortest.Close(t, what, x, w)
	case []any:
		list, ok := got.(lighter.List)
		if !ok || len(list) != len(w) {
			t.Errorf("%s: got %v, want a list of %d", what, got, len(w))
			return
		}
		for i := range w {
			same(t, what, list[i], w[i])
		}
	case map[string]any:
		dict, ok := got.(lighter.Dict)
		if !ok || len(dict) != len(w) {
			t.Errorf("%s: got %v, want a dict of %d", what, got, len(w))
			return
		}
		for k := range w {
			same(t, what+" "+k, dict[k], w[k])
		}
	default:
		if got != want {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
}

func logits(v lighter.Value) tensor.Tensor {
	if d, ok := v.(lighter.Dict); ok {
		v = d["logits"]
	}
	return v.(tensor.Tensor)
}

func loss(pred, target tensor.Tensor) tensor.Tensor {
	return tensor.CallOne("cross_entropy_loss", pred, target)
}

func TestNetworksTrainAsInPyTorch(t *testing.T) {
	for _, c := range tensortest.Load[scriptCase](t, "script") {
		t.Run(c.Name, func(t *testing.T) {
			tensortest.Scope(t)
			m, err := load(t, c.File)
			if err != nil {
				t.Fatal(err)
			}
			compareTree(t, m, c)
			args, _ := value(t, c.Inputs.V).(lighter.List)
			kwargs, _ := value(t, c.Kwargs.V).(lighter.Dict)
			target := c.Target.Make(t)

			out := m.ForwardKeywords(args, kwargs)
			same(t, "output", out, c.Output.V)
			loss(logits(out), target).Backward()
			params := map[string]tensor.Tensor{}
			var trained []tensor.Tensor
			for _, p := range m.Params() {
				params[p.Name] = p.Value
				if p.Value.RequiresGrad() {
					trained = append(trained, p.Value)
				}
			}
			for name, want := range c.Grads {
				tensortest.Close(t, "gradient of "+name, params[name].Grad(), want)
			}
			for _, b := range m.Buffers() {
				tensortest.Close(t, b.Name, b.Value, c.Buffers[b.Name])
			}
			m.SetTraining(false)
			tensor.NoGrad(func() { same(t, "evaluation", m.ForwardKeywords(args, kwargs), c.Eval.V) })

			m.SetTraining(true)
			list := tensor.NewList(trained)
			defer list.Free()
			momentum := make([]tensor.Tensor, len(trained))
			for i, p := range trained {
				momentum[i] = tensor.Zeros(p.Shape(), p.DType(), tensor.Device{})
			}
			held := tensor.NewList(momentum)
			defer held.Free()
			for i, want := range c.Losses {
				step := tensor.Open()
				list.ZeroGrad(true)
				l := loss(logits(m.ForwardKeywords(args, kwargs)), target)
				l.Backward()
				list.FusedSGD(held, tensor.SGDStep{LR: 0.1, Momentum: 0.9, First: i == 0})
				if got := l.Item(); got < want*(1-1e-4)-1e-6 || got > want*(1+1e-4)+1e-6 {
					t.Errorf("loss of step %d is %v, want %v", i, got, want)
				}
				step.Close()
			}
		})
	}
}

// compareTree compares the names of modules, state and what is trained.
func compareTree(t *testing.T, m network, c scriptCase) {
	t.Helper()
	m.Walk(func(path string, n *lighter.Node) {
		if got := n.Class(); got != c.Modules[path] {
			t.Errorf("module %q is a %s, want %s", path, got, c.Modules[path])
		}
	})
	var names, trained []string
	for _, e := range m.State() {
		names = append(names, e.Name)
		tensortest.Equal(t, e.Name, e.Value, c.State.Tensors[e.Name])
	}
	if !slices.Equal(names, c.State.Keys) {
		t.Errorf("state_dict has %v, want %v", names, c.State.Keys)
	}
	for _, p := range m.Params() {
		if p.Value.RequiresGrad() {
			trained = append(trained, p.Name)
		}
	}
	if !slices.Equal(trained, c.Trained) {
		t.Errorf("trained are %v, want %v", trained, c.Trained)
	}
}

func TestMethods(t *testing.T) {
	for _, c := range tensortest.Load[scriptCase](t, "script_method") {
		t.Run(c.Name, func(t *testing.T) {
			tensortest.Scope(t)
			m, err := load(t, c.File)
			if err != nil {
				t.Fatal(err)
			}
			method, ok, _ := m.Attr(c.Method)
			if !ok {
				t.Fatalf("no method %s", c.Method)
			}
			args, _ := value(t, c.Inputs.V).(lighter.List)
			kwargs, _ := value(t, c.Kwargs.V).(lighter.Dict)
			out, err := method.(func([]any, map[string]any) (any, error))(args, kwargs)
			if err != nil {
				t.Fatal(err)
			}
			same(t, c.Method, out, c.Output.V)
		})
	}
}

func TestFilesThatReachBeyondTheNetworkAreRefused(t *testing.T) {
	cases := tensortest.Load[scriptCase](t, "script_refused")
	t.Chdir(t.TempDir())
	for _, c := range cases {
		tensortest.Scope(t)
		_, err := load(t, c.File)
		if err == nil || !strings.Contains(err.Error(), "uses "+c.Operator+", which can reach beyond the network") {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
	if _, err := os.Stat("written.pt"); err == nil {
		t.Error("a file was written")
	}
}

func TestMistakesInCalls(t *testing.T) {
	tensortest.Scope(t)
	c := tensortest.Load[scriptCase](t, "script")[1] // control flow
	m, err := load(t, c.File)
	if err != nil {
		t.Fatal(err)
	}
	x := tensor.Ones([]int64{2, 5}, tensor.Float32, tensor.Device{})
	for _, c := range []struct {
		args   []any
		kwargs map[string]any
		want   []string
	}{
		{nil, nil, []string{"forward() is missing value for argument 'x'"}},
		{[]any{x, 3.5}, nil, []string{"Expected a value of type 'Optional[Tensor]' for argument 'mask' but instead found type 'float'"}},
		{[]any{x}, map[string]any{"stepz": int64(1)}, []string{"Unknown keyword argument 'stepz'"}},
		{[]any{x.Reshape(5, 2)}, nil, []string{
			"mat1 and mat2 shapes cannot be multiplied (5x2 and 5x5)", "Traceback of TorchScript (most recent call last):", "in forward", "torch.linear(input, weight, bias)\n",
		}},
		{[]any{x.MulScalar(1e12)}, map[string]any{"steps": int64(0)}, []string{"ValueError: too large\nTraceback"}},
	} {
		err := tensor.Catch(func() { m.ForwardKeywords(c.args, c.kwargs) })
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v %v: %v; want %q", c.args, c.kwargs, err, want)
			}
		}
		if err != nil && strings.Contains(err.Error(), "Exception raised from") {
			t.Errorf("C++ frames in %v", err)
		}
	}
}

// Training keeps no more from step to step, and Close gives all back.
func TestMemoryStaysFlat(t *testing.T) {
	before := tensor.Live()
	func() {
		s := tensor.Open()
		defer s.Close()
		for _, c := range tensortest.Load[scriptCase](t, "script")[4:6] {
			m, err := load(t, c.File)
			if err != nil {
				t.Fatal(err)
			}
			args, _ := value(t, c.Inputs.V).(lighter.List)
			target := c.Target.Make(t)
			var live int64
			for i := range 6 {
				step := tensor.Open()
				loss(logits(m.Forward(args...)), target).Backward()
				step.Close()
				if i == 0 {
					live = tensor.Live()
				}
			}
			if now := tensor.Live(); now != live {
				t.Errorf("%s: %d tensors after six steps, %d after one", c.Name, now, live)
			}
		}
	}()
	if now := tensor.Live(); now != before {
		t.Errorf("%d tensors are left", now-before)
	}
}

// A damaged or foreign file is told from a network, and never ends the program.
func FuzzFile(f *testing.F) {
	var c []scriptCase
	for _, family := range []string{"script", "script_refused"} {
		c = append(c, tensortest.Load[scriptCase](f, family)...)
	}
	for _, c := range c {
		f.Add(c.File)
	}
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, file []byte) {
		s := tensor.Open()
		defer s.Close()
		load(t, file)
	})
}
