package lightertest

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// The components below are each wrong in one way.

type forgetful struct {
	N int64 `cfg:"n" help:"a size"`
}

func (c forgetful) Build(*lighter.Env) (lighter.Module, error) {
	m := &forgetfulModule{values: make([]int, c.N)} // panics for a negative size
	m.SetClass("broken.Forgetful")
	return m, nil
}

type forgetfulModule struct {
	lighter.Node
	values []int
}

func (m *forgetfulModule) Forward(in ...lighter.Value) lighter.Value { return in[0] } // panics without one

type leaking struct{}

func (leaking) Build(*lighter.Env) (lighter.Module, error) {
	m := &leakingModule{}
	m.Param("w", tensor.Zeros([]int64{2}, tensor.Float32, tensor.Device{}).Keep())
	return m, nil
}

type leakingModule struct{ lighter.Node }

func (m *leakingModule) Forward(in ...lighter.Value) lighter.Value {
	return lighter.TensorArg("x", in, 0)
}

type lastBatch struct{}

func (lastBatch) Build(*lighter.Env) (lighter.Metric, error) { return &lastBatchMetric{}, nil }

// lastBatchMetric forgets all but the last batch, and does not keep that in a checkpoint.
type lastBatchMetric struct{ mean float64 }

func (m *lastBatchMetric) Name() string                     { return "LastBatch" }
func (m *lastBatchMetric) Update(pred, _ lighter.Value)     { m.mean = pred.(tensor.Tensor).Mean().Item() }
func (m *lastBatchMetric) Batch() lighter.Value             { return tensor.FromSlice([]float64{m.mean}) }
func (m *lastBatchMetric) Compute() lighter.Value           { return m.Batch() }
func (m *lastBatchMetric) Reset()                           {}
func (m *lastBatchMetric) States() []tensor.Tensor          { return nil }
func (m *lastBatchMetric) StateDict() lighter.Dict          { return nil }
func (m *lastBatchMetric) LoadStateDict(lighter.Dict) error { return nil }

type careless struct{}

func (careless) Build(*lighter.Env) (lighter.Transform, error) { return careless{}, nil }

func (careless) Apply(v lighter.Value, _ lighter.Rand) (lighter.Value, error) {
	t := v.(tensor.Tensor)
	t.Fill(0)
	return tensor.CallOne("rand", []int64{2}), nil
}

type standing struct {
	Params lighter.Params `cfg:"params,required" help:"parameters"`
}

func (c standing) Build(*lighter.Env) (lighter.Optimizer, error) {
	groups, err := lighter.NewParamGroups(c.Params, []lighter.Option{{Name: "lr", Value: 1.0}}, "step")
	return &standingOptimizer{ParamGroups: groups}, err
}

// standingOptimizer grows its steps by a count that no checkpoint has.
type standingOptimizer struct {
	*lighter.ParamGroups
	count float64
}

func (o *standingOptimizer) Name() string { return "Standing" }

func (o *standingOptimizer) Step() {
	o.count++
	o.Each(func(_ *lighter.ParamGroup, p, grad tensor.Tensor, _ []tensor.Tensor) {
		p.AddInPlace(grad, -0.01*o.count)
	})
}

const broken = "LIGHTERTEST_BROKEN"

func init() {
	if os.Getenv(broken) == "" {
		return
	}
	lighter.Register[lighter.Module]("broken.Forgetful", forgetful{})
	lighter.Register[lighter.Module]("broken.Leaking", leaking{})
	lighter.Register[lighter.Metric]("broken.LastBatch", lastBatch{})
	lighter.Register[lighter.Transform]("broken.Careless", careless{})
	lighter.Register[lighter.Optimizer]("broken.Standing", standing{})
}

// TestBroken runs in a process of its own, where it must fail.
func TestBroken(t *testing.T) {
	if os.Getenv(broken) == "" {
		t.Skip("TestRunFindsMistakes runs it")
	}
	batch := func(v ...float32) [2]lighter.Value {
		x := tensor.FromSlice(v, int64(len(v)))
		return [2]lighter.Value{x, x}
	}
	Run(t, "broken.",
		Case{Target: "broken.LastBatch", Batches: func() [][2]lighter.Value { return [][2]lighter.Value{batch(1, 2), batch(5)} }},
		Case{Target: "broken.Careless", Input: func() []lighter.Value { return []lighter.Value{tensor.FromSlice([]float32{1, 2}, 2)} }},
	)
}

// TestRunFindsMistakes: every kind of mistake is found and told.
func TestRunFindsMistakes(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run", "^TestBroken$")
	cmd.Env = append(os.Environ(), broken+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatalf("it finds nothing:\n%s", out)
	}
	for _, want := range []string{
		"broken.Forgetful with n=-1 panics: runtime error",
		"tensor handles are left",
		"as one batch the value is",
		"Apply changes its input",
		"the same numbers of Rand give",
		"with the state taken over the parameters become",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("it does not find %q:\n%s", want, out)
		}
	}
}
