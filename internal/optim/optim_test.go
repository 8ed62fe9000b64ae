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
	examples := map[string]registrytest.Args{
		"torch.optim.Muon": {"params": []any{tensor.Zeros([]int64{2, 2}, tensor.Float32, tensor.Device{}).SetRequiresGrad(true)}},
	}
	for _, class := range []string{
		"SGD", "Adam", "AdamW", "NAdam", "RAdam", "Adamax", "Adagrad", "Adadelta", "Adafactor", "RMSprop", "Rprop", "ASGD", "SparseAdam", "LBFGS",
	} {
		examples["torch.optim."+class] = args
	}
	registrytest.Contract(t, "torch.optim.", examples)
}

func newOptimizer(t *testing.T, target string, args map[string]any) lighter.Optimizer {
	t.Helper()
	if args["fused"] == true && !fusedByDefault() {
		t.Skipf("libtorch %s has no fused optimizers on the CPU", tensor.Version())
	}
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
		{"LBFGS", map[string]any{"params": []any{dict("params", p), dict("params", q)}}, "LBFGS doesn't support per-parameter options (parameter groups)"},
		{"LBFGS", map[string]any{"params": []any{dict("params", p, "line_search_fn", "wolfe")}}, "line_search_fn must be strong_wolfe or null, got wolfe"},
		{"LBFGS", map[string]any{"params": []any{p}, "lr": -1.0}, "Invalid learning rate: -1.0"},
		{"NAdam", map[string]any{"params": []any{p}, "momentum_decay": -1.0}, "Invalid momentum_decay value: -1.0"},
		{"RAdam", map[string]any{"params": []any{p}, "eps": -1.0}, "Invalid epsilon value: -1.0"},
		{"Adamax", map[string]any{"params": []any{p}, "betas": []any{0.9, 2.0}}, "Invalid beta parameter at index 1: 2.0"},
		{"Adagrad", map[string]any{"params": []any{p}, "lr_decay": -0.1}, "Invalid lr_decay value: -0.1"},
		{"Adagrad", map[string]any{"params": []any{p}, "initial_accumulator_value": -0.1}, "Invalid initial_accumulator_value value: -0.1"},
		{"Adadelta", map[string]any{"params": []any{p}, "rho": 1.5}, "Invalid rho value: 1.5"},
		{"Adafactor", map[string]any{"params": []any{p}, "beta2_decay": 0.5}, "beta2_decay should be <= 0 but is: 0.5"},
		{"Adafactor", map[string]any{"params": []any{p}, "eps": []any{-1.0, 0.1}}, "epsilon1 should be >= 0 but is: -1.0"},
		{"Adafactor", map[string]any{"params": []any{p}, "d": 0.5}, "Clipping threshold d should be >= 1 but is: 0.5"},
		{"Muon", map[string]any{"params": []any{p}}, "Muon only supports 2D parameters whereas we found a parameter with size: torch.Size([1])"},
		{"Muon", map[string]any{"params": []any{p}, "ns_steps": int64(100)}, "Number of steps must be less than 100"},
		{"RMSprop", map[string]any{"params": []any{p}, "alpha": -0.5}, "Invalid alpha value: -0.5"},
		{"Rprop", map[string]any{"params": []any{p}, "etas": []any{1.5, 1.2}}, "Invalid eta values: 1.5, 1.2"},
		{"ASGD", map[string]any{"params": []any{p}, "weight_decay": -0.5}, "Invalid weight_decay value: -0.5"},
		{"SparseAdam", map[string]any{"params": []any{p}, "lr": 0.0}, "Invalid learning rate: 0.0"},
		{"AdamW", map[string]any{"params": []any{p}, "fused": true, "foreach": true}, "`fused` and `foreach` cannot be `True` together."},
		{"AdamW", map[string]any{"params": []any{p}, "differentiable": true}, "not available"},
	} {
		_, err := registry.New[lighter.Optimizer]("torch.optim."+c.target, &registry.Env{}, c.args)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s(%v): got %v, want %q", c.target, c.args, err, c.want)
		}
	}
}

// A parameter may get its first gradient late, and none in some steps. The fused operation must then do what the loop does.
func TestLateAndMissingGradients(t *testing.T) {
	for _, c := range []struct {
		target string
		args   map[string]any
	}{
		{"SGD", map[string]any{"lr": 0.1, "momentum": 0.9, "dampening": 0.5}},
		{"SGD", map[string]any{"lr": 0.1}},
		{"Adam", map[string]any{"amsgrad": true}},
	} {
		var results [2][]float64
		for k, fused := range []bool{false, true} {
			s := tensor.Open()
			params := []tensor.Tensor{parameter(1, 2), parameter(3, 4), parameter(5, 6)}
			args := map[string]any{"params": []any{params[0], params[1], params[2]}, "fused": fused}
			for name, v := range c.args {
				args[name] = v
			}
			o := newOptimizer(t, "torch.optim."+c.target, args)
			for _, with := range [][]int{{0}, {0, 1}, {1}, {0, 1, 2}, {2}} {
				o.ZeroGrad()
				for _, i := range with {
					setGrad(params[i], tensor.FromSlice([]float64{0.5, -2}, 2))
				}
				o.Step()
			}
			for _, p := range params {
				results[k] = append(results[k], tensor.Values[float64](p)...)
			}
			if n := len(o.StateDict().State); n != 3 && c.args["lr"] != 0.1 {
				t.Errorf("%s: state of %d parameters, want 3", c.target, n)
			}
			s.Close()
		}
		for i := range results[0] {
			if d := results[0][i] - results[1][i]; d > 1e-12 || d < -1e-12 {
				t.Errorf("%s(%v): fused gives %v, the loop %v", c.target, c.args, results[1], results[0])
				break
			}
		}
	}
}

func TestLoadStateDictRefusesAnotherModels(t *testing.T) {
	tensortest.Scope(t)
	one := newOptimizer(t, "torch.optim.Adam", map[string]any{"params": []any{parameter(1, 2)}})
	two := newOptimizer(t, "torch.optim.Adam", map[string]any{"params": []any{parameter(1), parameter(2)}})
	groups := newOptimizer(t, "torch.optim.Adam", map[string]any{"params": []any{dict("params", parameter(1)), dict("params", parameter(2))}})
	other := newOptimizer(t, "torch.optim.Adam", map[string]any{"params": []any{parameter(1, 2, 3)}})
	p := other.Groups()[0].Params[0]
	setGrad(p, p.Detach())
	other.Step()
	for want, from := range map[string]lighter.Optimizer{
		"loaded state dict has a different number of parameter groups":                            groups,
		"loaded state dict contains a parameter group that doesn't match the size of optimizer's": two,
		"exp_avg has shape [3] in the checkpoint, [2] here":                                       other,
	} {
		if err := one.LoadStateDict(from.StateDict()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// Sparse gradients are for the optimizers that know them; the fused ones leave them to the loop.
func TestSparseGradients(t *testing.T) {
	tensortest.Scope(t)
	for class, want := range map[string]string{
		"SGD": "", "Adagrad": "", "SparseAdam": "",
		"Adam":  "Adam does not support sparse gradients, please consider SparseAdam instead",
		"NAdam": "NAdam does not support sparse gradients", "RMSprop": "RMSprop does not support sparse gradients",
	} {
		p := tensor.FromSlice([]float64{1, 2, 3, 4}, 2, 2).SetRequiresGrad(true)
		o := newOptimizer(t, "torch.optim."+class, map[string]any{"params": []any{p}})
		rows := tensor.CallOne("embedding", p, tensor.FromSlice([]int64{1, 1}, 2), tensor.Kwarg{Name: "sparse", Value: true})
		rows.Sum(tensor.Float64).Backward()
		err := tensor.Catch(o.Step)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", class, err, want)
		}
		if v := tensor.Values[float64](p); v[0] != 1 || want == "" && v[2] >= 3 {
			t.Errorf("%s: the parameter is %v: only its second row has a gradient", class, v)
		}
	}
	p := parameter(1)
	setGrad(p, p.Detach())
	o := newOptimizer(t, "torch.optim.SparseAdam", map[string]any{"params": []any{p}})
	if err := tensor.Catch(o.Step); err == nil || !strings.Contains(err.Error(), "SparseAdam does not support dense gradients, please consider Adam instead") {
		t.Errorf("SparseAdam and a dense gradient: %v", err)
	}
}

// The implementation is an option of the state dict too: what one wrote the other goes on from.
func TestLoadingChangesTheImplementation(t *testing.T) {
	tensortest.Scope(t)
	p := parameter(1, 2)
	loop := newOptimizer(t, "torch.optim.Adam", map[string]any{"params": []any{p}, "fused": false})
	setGrad(p, p.Detach())
	loop.Step()
	fused := newOptimizer(t, "torch.optim.Adam", map[string]any{"params": []any{p}})
	if err := fused.LoadStateDict(loop.StateDict()); err != nil {
		t.Fatal(err)
	}
	fused.Step()
	d := fused.StateDict()
	if v := fused.Groups()[0].Option("fused"); v != false {
		t.Errorf("fused is %v after loading, want false", v)
	}
	if step := d.State[0][0].Value.(tensor.Tensor).Item(); step != 2 {
		t.Errorf("step is %v, want 2", step)
	}
}

func TestNamedParametersKeepTheirNames(t *testing.T) {
	tensortest.Scope(t)
	o := newOptimizer(t, "torch.optim.SGD", map[string]any{"params": []any{[]any{"a", parameter(1)}, []any{"b", parameter(2)}}})
	names, _ := o.StateDict().Groups[0].Options[0], 0
	if list, ok := names.Value.([]any); names.Name != "param_names" || !ok || len(list) != 2 || list[1] != "b" {
		t.Errorf("the first option is %v, want param_names [a b]", names)
	}
}

func BenchmarkAdamStep(b *testing.B) {
	tensortest.Scope(b)
	var params []any
	for _, shape := range [][]int64{{128, 64}, {128}, {10, 128}, {10}} {
		p := tensor.Zeros(shape, tensor.Float32, tensor.Device{}).SetRequiresGrad(true)
		p.Sum(tensor.Float32).Backward()
		params = append(params, p)
	}
	o, err := registry.New[lighter.Optimizer]("torch.optim.Adam", &registry.Env{}, map[string]any{"params": params})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		o.Step()
	}
}

// The trainer may lay out weights as channels_last after the optimizer was built; the state must follow, or it would be
// saved in another order than the weights.
func TestStateFollowsTheLayoutOfItsParameter(t *testing.T) {
	tensortest.Scope(t)
	var results [2][]float64
	for k, format := range []tensor.MemoryFormat{tensor.ContiguousFormat, tensor.ChannelsLast} {
		values := make([]float64, 2*3*2*2)
		for i := range values {
			values[i] = float64(i)
		}
		p := tensor.FromSlice(values, 2, 3, 2, 2)
		g := p.MulScalar(0.1)
		p.SetRequiresGrad(true)
		o := newOptimizer(t, "torch.optim.Adam", map[string]any{"params": []any{p}})
		p.SetData(p.Detach().ToMemoryFormat(format))
		setGrad(p, g)
		o.Step()
		for _, v := range o.StateDict().State[0] {
			results[k] = append(results[k], tensor.Values[float64](v.Value.(tensor.Tensor).Contiguous())...)
		}
	}
	for i := range results[0] {
		if results[0][i] != results[1][i] {
			t.Fatalf("the state differs: %v, want %v", results[1], results[0])
		}
	}
}

// TestLoadingLeavesTheImplementation: a state of PyTorch's default, which names no implementation, leaves the one configured.
func TestLoadingLeavesTheImplementation(t *testing.T) {
	like := lighter.Option{Name: "fused"}
	if v, err := converted(like, false); err != nil || v != false {
		t.Errorf("got %v, %v", v, err)
	}
	if _, err := converted(lighter.Option{Name: "nesterov"}, false); err == nil {
		t.Error("a null flag is taken")
	}
}
