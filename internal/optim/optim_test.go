package optim

import (
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/internal/registry/registrytest"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

func TestMain(m *testing.M) { tensortest.Main(m) }

// parameter is a leaf that requires a gradient.
func parameter(values ...float64) tensor.Tensor {
	return tensor.FromSlice(values, int64(len(values))).SetRequiresGrad(true)
}

func TestEveryOptimizerKeepsTheContract(t *testing.T) {
	tensortest.Scope(t)
	args := registrytest.Args{"params": []any{parameter(1, 2)}}
	registrytest.Contract(t, map[string]registrytest.Args{"torch.optim.SGD": args, "torch.optim.Adam": args, "torch.optim.AdamW": args})
}

func build_(t *testing.T, target string, args map[string]any) lighter.Optimizer {
	t.Helper()
	o, err := registry.New[lighter.Optimizer](target, &registry.Env{}, args)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.(interface{ Close() error }).Close() })
	return o
}

func dict(pairs ...any) *config.Dict {
	d := &config.Dict{}
	for i := 0; i < len(pairs); i += 2 {
		d.Keys, d.Values = append(d.Keys, pairs[i]), append(d.Values, pairs[i+1])
	}
	return d
}

// setGrad gives p the gradient g, by the backward pass of sum(p·g).
func setGrad(p, g tensor.Tensor) {
	p.Mul(g).Sum(p.DType()).Backward()
}

func TestErrorsArePyTorchs(t *testing.T) {
	tensortest.Scope(t)
	p, q := parameter(1), parameter(2)
	for _, c := range []struct {
		target string
		args   map[string]any
		want   string
	}{
		{"Adam", map[string]any{"params": []any{p}, "lr": -1.0}, "Invalid learning rate: -1.0"},
		{"SGD", map[string]any{"params": []any{p}, "momentum": -0.5}, "Invalid momentum value: -0.5"},
		{"Adam", map[string]any{"params": []any{p}, "betas": []any{0.9, 1.0}}, "Invalid beta parameter at index 1: 1.0"},
		{"Adam", map[string]any{"params": []any{p}, "betas": []any{0.9}}, "must be two floats"},
		{"SGD", map[string]any{"params": []any{p}, "nesterov": true}, "Nesterov momentum requires a momentum and zero dampening"},
		{"Adam", map[string]any{"params": []any{}}, "optimizer got an empty parameter list"},
		{"Adam", map[string]any{"params": p}, "should be an iterable of Tensors or dicts, but got Tensor"},
		{"Adam", map[string]any{"params": []any{1.0}}, "optimizer can only optimize Tensors, but one of the params is float"},
		{"Adam", map[string]any{"params": []any{p.MulScalar(2)}}, "can't optimize a non-leaf Tensor"},
		{"Adam", map[string]any{"params": []any{dict("params", []any{p}), dict("params", []any{q, p})}}, "some parameters appear in more than one parameter group"},
		{"Adam", map[string]any{"params": []any{dict("lr", 0.1)}}, "params is missing"},
		{"Adam", map[string]any{"params": []any{dict("params", p, "learning_rate", 0.1)}}, `unknown option "learning_rate"`},
		{"Adam", map[string]any{"params": []any{dict("params", p), dict("params", q, "lr", -0.1)}}, "parameter group 1: Invalid learning rate: -0.1"},
		{"Adam", map[string]any{"params": []any{dict("params", p, "lr", "fast")}}, "lr must be a float"},
		{"Adam", map[string]any{"params": []any{dict("params", []any{[]any{"a", p}}), dict("params", q)}}, "cannot add param group without names"},
		{"AdamW", map[string]any{"params": []any{p}, "fused": true, "foreach": true}, "`fused` and `foreach` cannot be `True` together."},
		{"AdamW", map[string]any{"params": []any{p}, "differentiable": true}, "not available"},
	} {
		_, err := registry.New[lighter.Optimizer]("torch.optim."+c.target, &registry.Env{}, c.args)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s(%v): got %v, want %q", c.target, c.args, err, c.want)
		}
	}
}
