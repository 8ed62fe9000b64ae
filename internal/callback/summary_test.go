package callback

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/callback/callbacktest"
	"github.com/lighter-go/lighter/tensor"
)

// module is a module with nothing but a place in the tree.
type module struct {
	lighter.Node
	lighter.Model
}

func (m *module) Tree() *lighter.Node                    { return m.Node.Tree() }
func (m *module) Forward(...lighter.Value) lighter.Value { return nil }
func (m *module) param(name string, shape ...int64) tensor.Tensor {
	n := int64(1)
	for _, s := range shape {
		n *= s
	}
	return m.Param(name, tensor.FromSlice(make([]float32, n), shape...))
}

func named(class string, children ...lighter.Child) *module {
	m := &module{}
	m.SetClass(class)
	for _, c := range children {
		m.Add(c.Name, c.Module)
	}
	return m
}

// classifier is the model of testdata/lightning.py.
func classifier() *module {
	linear := func(in, out int64) *module {
		m := named("torch.nn.Linear")
		m.param("weight", out, in)
		m.param("bias", out)
		return m
	}
	relu, head := named("torch.nn.ReLU"), linear(128, 10)
	relu.SetTraining(false)
	for _, p := range head.Params() {
		p.Value.SetRequiresGrad(false)
	}
	network := named("torch.nn.Sequential", lighter.Child{Name: "0", Module: linear(64, 128)}, lighter.Child{Name: "1", Module: relu}, lighter.Child{Name: "2", Module: head})
	root := named("Classifier", lighter.Child{Name: "network", Module: network}, lighter.Child{Name: "criterion", Module: named("torch.nn.CrossEntropyLoss")})
	root.param("scale", 3)
	return root
}

func TestModelSummaryAsLightning(t *testing.T) {
	s := tensor.Open()
	defer s.Close()
	model := classifier()
	var got strings.Builder
	for _, depth := range []int{1, 2, -1} {
		env, out := envOf(false)
		c, err := ModelSummary{MaxDepth: depth}.Build(env)
		must(t, err)
		must(t, c.(lighter.StageStarter).StageStart(&callbacktest.Trainer{Network: model}))
		fmt.Fprintf(&got, "max_depth=%d\n%s", depth, out)
	}
	if want := read(t, "testdata/summary.txt"); got.String() != want {
		t.Errorf("got\n%s\nLightning\n%s", got.String(), want)
	}
}

func TestModelSummaryIsSilent(t *testing.T) {
	for name, c := range map[string]struct {
		depth int
		stage string
	}{"depth 0": {0, "fit"}, "test": {1, "test"}} {
		env, out := envOf(false)
		cb, err := ModelSummary{MaxDepth: c.depth}.Build(env)
		must(t, err)
		must(t, cb.(lighter.StageStarter).StageStart(&callbacktest.Trainer{Command: c.stage, Network: named("M")}))
		if out.Len() > 0 {
			t.Errorf("%s: printed %q", name, out)
		}
	}
	if err := (ModelSummary{MaxDepth: -2}).Validate(); err == nil || !strings.Contains(err.Error(), "`max_depth` can be -1, 0 or > 0, got -2.") {
		t.Errorf("got %v", err)
	}
}

// The examples of Lightning's get_human_readable_count, and its edges.
func TestHumanCount(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0  ", 123: "123  ", 999: "999  ", 1234: "1.2 K", 99_950: "100.0 K", 131_200: "131 K", 2_000_000: "2.0 M",
		3_000_000_000: "3.0 B", 400_000_000_000_000: "400 T", 5_000_000_000_000_000: "5,000 T",
	} {
		if got := humanCount(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
