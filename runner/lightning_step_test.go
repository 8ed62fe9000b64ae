package runner_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/runner"
	"github.com/lighter-go/lighter/tensor"
)

// stepNet is a model with the hooks of the test under way. Its steps return what the test says.
var stepNet struct {
	manual bool
	hooks  map[string]lighter.HookFunc
}

type stepModel struct {
	lighter.LightningModule
	net lighter.Module
	env *lighter.Env
}

type stepModelArgs struct{}

func (stepModelArgs) Build(env *lighter.Env) (lighter.Model, error) {
	m := &stepModel{env: env}
	m.ManualOptimization = stepNet.manual
	var err error
	m.net, err = linear(env, 1, 1)
	m.SetClass("test.StepModel")
	m.Add("net", m.net)
	return m, err
}

func (m *stepModel) Forward(in ...lighter.Value) lighter.Value {
	return m.net.Forward(in[0].(lighter.List)[0])
}

func (m *stepModel) Hook(name string) lighter.HookFunc {
	if name == "configure_optimizers" && stepNet.hooks[name] != nil {
		return func(t lighter.LightningTrainer, a ...lighter.Value) (lighter.Value, error) {
			switch v, err := stepNet.hooks[name](t, a...); {
			case v == "none":
				return nil, nil
			case v != nil || err != nil:
				return v, err
			}
			return optimizer(m.env, "SGD", m.net, map[string]any{"lr": 0.1})
		}
	}
	return stepNet.hooks[name]
}

type keptData struct{ lighter.LightningDataModule }

type keptDataArgs struct{}

func (keptDataArgs) Build(*lighter.Env) (lighter.DataModule, error) { return &keptData{}, nil }

func (*keptData) TrainDataloader(lighter.LightningTrainer) (lighter.Value, error) {
	return pairs{4}, nil
}
func (*keptData) StateDict() lighter.Dict { return lighter.Dict{"seen": int64(7)} }
func (*keptData) LoadStateDict(d lighter.Dict) error {
	if d["seen"] != int64(7) {
		return errors.New("the data module's state is another one")
	}
	return errLoaded
}

var errLoaded = errors.New("the data module's state was loaded")

func init() {
	lighter.Register[lighter.Model]("test.StepModel", stepModelArgs{})
	lighter.Register[lighter.DataModule]("test.KeptData", keptDataArgs{})
}

func gives(v lighter.Value, err error) lighter.HookFunc {
	return func(lighter.LightningTrainer, ...lighter.Value) (lighter.Value, error) { return v, err }
}

func runSteps(t *testing.T, stage, ckpt string, hooks map[string]lighter.HookFunc, more map[string]any) (*runner.Result, error) {
	t.Helper()
	stepNet.hooks = hooks
	config := map[string]any{
		"model":   map[string]any{"_target_": "test.StepModel"},
		"trainer": trainerOf(nil, map[string]any{"default_root_dir": t.TempDir(), "max_epochs": 1}),
	}
	for k, v := range more {
		if args, ok := v.(map[string]any); ok && k == "trainer" {
			for name, arg := range args {
				config["trainer"].(map[string]any)[name] = arg
			}
			continue
		}
		config[k] = v
	}
	return runner.Run(context.Background(), stage, []any{config}, runner.Options{CkptPath: ckpt})
}

// TestSteps: what steps may return, and what is missing, in Lightning's words.
func TestSteps(t *testing.T) {
	none, loader := gives(nil, nil), gives(pairs{3}, nil)
	type hooks = map[string]lighter.HookFunc
	base := hooks{"training_step": none, "configure_optimizers": none, "train_dataloader": loader}
	with := func(more hooks) hooks {
		all := hooks{}
		for _, m := range []hooks{base, more} {
			for k, v := range m {
				all[k] = v
			}
		}
		return all
	}
	for _, c := range []struct {
		name, stage, want string
		hooks             hooks
		manual            bool
	}{
		{name: "nothing", stage: "fit", hooks: hooks{}, want: "No `training_step()` method defined. Lightning `Trainer` expects as minimum a `training_step()`, `train_dataloader()` and `configure_optimizers()` to be defined."},
		{name: "no optimizers", stage: "fit", hooks: hooks{"training_step": none}, want: "No `configure_optimizers()` method defined."},
		{name: "no loader", stage: "fit", hooks: hooks{"training_step": none, "configure_optimizers": none}, want: "`train_dataloader` must be implemented to be used with the Lightning Trainer"},
		{name: "no validation step", stage: "validate", hooks: hooks{}, want: "No `validation_step()` method defined to run `Trainer.validate`."},
		{name: "no test step", stage: "test", hooks: hooks{}, want: "No `test_step()` method defined to run `Trainer.test`."},
		{name: "no test loader", stage: "test", hooks: hooks{"test_step": none}, want: "`test_dataloader` must be implemented"},
		{name: "a loader that is none", stage: "test", hooks: hooks{"test_step": none, "test_dataloader": gives(int64(1), nil)}, want: "An invalid dataloader was returned from `StepModel.test_dataloader()`. Found int"},
		{name: "a step of nothing", stage: "fit", hooks: base},
		{name: "no loss", stage: "fit", hooks: with(hooks{"training_step": gives(lighter.Dict{"pred": 1.0}, nil)}), want: "In automatic_optimization, when `training_step` returns a dict, the 'loss' key needs to be present"},
		{name: "a loss of text", stage: "fit", hooks: with(hooks{"training_step": gives(lighter.Dict{"loss": "x"}, nil)}), want: "its 'loss' must be a Tensor, got str"},
		{name: "a number", stage: "fit", hooks: with(hooks{"training_step": gives(1.5, nil)}), want: "In automatic optimization, `training_step` must return a Tensor, a dict, or None (where the step will be skipped)."},
		{name: "a number, manual", stage: "fit", manual: true, hooks: with(hooks{"training_step": gives(1.5, nil)}), want: "In manual optimization, `training_step` must either return a Tensor or have no return."},
		{name: "no closure", stage: "fit", hooks: with(hooks{"optimizer_step": none}), want: "The closure hasn't been executed. HINT: did you call `optimizer_closure()` in your `optimizer_step` hook?"},
		{name: "manual_backward", stage: "fit", hooks: with(hooks{"training_step": func(l lighter.LightningTrainer, _ ...lighter.Value) (lighter.Value, error) {
			return nil, l.ManualBackward(tensor.Zeros(nil, tensor.Float32, tensor.Device{}))
		}}), want: "to use manual_backward, please disable automatic optimization: set model property `automatic_optimization` as False"},
		{name: "a log in predict", stage: "predict", hooks: hooks{"predict_dataloader": loader, "predict_step": func(l lighter.LightningTrainer, _ ...lighter.Value) (lighter.Value, error) {
			return nil, l.LogValue("a", 1.0, lighter.LogArgs{})
		}}, want: "You are trying to `self.log()` but the loop's result collection is not registered yet."},
		{name: "an error of a hook", stage: "fit", hooks: with(hooks{"on_train_start": gives(nil, errFailed)}), want: errFailed.Error()},
	} {
		t.Run(c.name, func(t *testing.T) {
			stepNet.manual = c.manual
			defer func() { stepNet.manual = false }()
			_, err := runSteps(t, c.stage, "", c.hooks, nil)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestSkippedSteps: a training step that returns nothing counts and changes nothing, and so does one of a fit without an optimizer.
func TestSkippedSteps(t *testing.T) {
	for name, c := range map[string]struct{ step, optimizers lighter.HookFunc }{
		"a step of nothing": {gives(nil, nil), gives(nil, nil)},
		"no optimizer": {func(l lighter.LightningTrainer, a ...lighter.Value) (lighter.Value, error) {
			return tensor.CallOne("sum", l.Model().Forward(a[0])), nil
		}, gives("none", nil)},
	} {
		t.Run(name, func(t *testing.T) {
			var steps int64
			var before, after float32
			weight := func(to *float32) lighter.HookFunc {
				return func(l lighter.LightningTrainer, _ ...lighter.Value) (lighter.Value, error) {
					steps, *to = l.GlobalStep(), tensor.Values[float32](l.Model().Tree().Params()[0].Value)[0]
					return nil, nil
				}
			}
			_, err := runSteps(t, "fit", "", map[string]lighter.HookFunc{
				"training_step": c.step, "configure_optimizers": c.optimizers, "train_dataloader": gives(pairs{5}, nil),
				"on_train_start": weight(&before), "on_train_end": weight(&after),
			}, map[string]any{"trainer": map[string]any{"gradient_clip_val": 0.5}})
			if err != nil || steps != 3 || before != after {
				t.Errorf("%v: %d steps from %v to %v", err, steps, before, after)
			}
		})
	}
}

// TestHooksInCheckpoints: on_save_checkpoint adds to the file, on_load_checkpoint may change what the model takes, and a data
// module's state has its place.
func TestHooksInCheckpoints(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.ckpt")
	data := map[string]any{"data": map[string]any{"_target_": "test.KeptData"}}
	hooks := map[string]lighter.HookFunc{
		"training_step": gives(nil, nil), "configure_optimizers": gives(nil, nil), "validation_step": gives(nil, nil), "val_dataloader": gives(pairs{2}, nil),
		"on_train_end": func(l lighter.LightningTrainer, _ ...lighter.Value) (lighter.Value, error) {
			return nil, l.SaveCheckpoint(path, false)
		},
		"on_save_checkpoint": func(_ lighter.LightningTrainer, a ...lighter.Value) (lighter.Value, error) {
			c := a[0].(lighter.Dict)
			c["mine"] = lighter.Dict{"n": int64(5), "w": c["state_dict"].(lighter.Dict)["net.weight"]}
			c["state_dict"].(lighter.Dict)["extra"] = tensor.Ones([]int64{2}, tensor.Float32, tensor.Device{})
			return nil, nil
		},
	}
	if _, err := runSteps(t, "fit", "", hooks, data); err != nil {
		t.Fatal(err)
	}
	f, err := torchfile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	root := f.Root.(*torchfile.Dict)
	mine, _ := root.Get("mine")
	if n, _ := mine.(*torchfile.Dict).Get("n"); n != int64(5) {
		t.Errorf("the hook's key holds %v", mine)
	}
	state, _ := root.Get("KeptData")
	if seen, _ := state.(*torchfile.Dict).Get("seen"); seen != int64(7) {
		t.Errorf("the data module's state is %v", state)
	}
	f.Close()

	hooks["on_load_checkpoint"] = func(_ lighter.LightningTrainer, a ...lighter.Value) (lighter.Value, error) {
		c := a[0].(lighter.Dict)
		if c["mine"].(lighter.Dict)["n"] != int64(5) || c["global_step"] != int64(2) {
			return nil, errors.New("on_load_checkpoint is given another file")
		}
		state := c["state_dict"].(lighter.Dict)
		delete(state, "extra")
		state["net.weight"] = tensor.Ones([]int64{1, 1}, tensor.Float32, tensor.Device{}).MulScalar(42)
		return nil, nil
	}
	if _, err := runSteps(t, "fit", path, hooks, data); !errors.Is(err, errLoaded) {
		t.Errorf("got %v", err)
	}
	hooks["on_validation_start"] = func(l lighter.LightningTrainer, _ ...lighter.Value) (lighter.Value, error) {
		if got := l.Model().Tree().Params()[0].Value.Item(); got != 42 {
			t.Errorf("the model's weight is %v", got)
		}
		return nil, nil
	}
	if _, err := runSteps(t, "validate", path, hooks, nil); err != nil {
		t.Error(err)
	}
	hooks["on_save_checkpoint"] = func(_ lighter.LightningTrainer, a ...lighter.Value) (lighter.Value, error) {
		a[0].(lighter.Dict)["loops"] = int64(1)
		return nil, nil
	}
	if _, err := runSteps(t, "fit", "", hooks, data); err == nil || !strings.Contains(err.Error(), `the key "loops" is the Trainer's`) {
		t.Errorf("got %v", err)
	}
}

// TestPredictions: what predict_step returns, or forward where there is none, goes to the writers.
func TestPredictions(t *testing.T) {
	for name, step := range map[string]lighter.HookFunc{
		"tensor": func(l lighter.LightningTrainer, a ...lighter.Value) (lighter.Value, error) {
			return l.Model().Forward(a[0]), nil
		},
		"dict": func(l lighter.LightningTrainer, a ...lighter.Value) (lighter.Value, error) {
			return lighter.Dict{"pred": l.Model().Forward(a[0])}, nil
		},
		"forward": nil,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "p.csv")
			hooks := map[string]lighter.HookFunc{"predict_dataloader": gives(pairs{3}, nil)}
			if step != nil {
				hooks["predict_step"] = step
			}
			writer := map[string]any{"_target_": "lighter.callbacks.CsvWriter", "path": path, "keys": []any{"pred"}}
			if _, err := runSteps(t, "predict", "", hooks, map[string]any{"trainer": map[string]any{"callbacks": writer}}); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if lines := strings.Split(strings.TrimSpace(string(b)), "\n"); len(lines) != 4 || lines[0] != "pred" {
				t.Errorf("the file holds %q", b)
			}
		})
	}
}

// TestDataSection: a configuration without `data:` is one of a model that gives its loaders, not of lighter.LighterModule.
func TestDataSection(t *testing.T) {
	_, err := runner.Run(context.Background(), "fit", []any{map[string]any{
		"model":   map[string]any{"_target_": "lighter.LighterModule", "network": map[string]any{"_target_": "torch.nn.Identity"}},
		"trainer": trainerOf(nil, nil),
	}}, runner.Options{})
	if err == nil || !strings.Contains(err.Error(), "data: section missing") {
		t.Errorf("got %v", err)
	}
}

// TestLogMetrics: every metric of a collection is logged by its name, on steps and for the epoch.
func TestLogMetrics(t *testing.T) {
	var group lighter.MetricGroup
	on := true
	r, err := runSteps(t, "validate", "", map[string]lighter.HookFunc{
		"val_dataloader": gives(pairs{4}, nil),
		"setup": func(l lighter.LightningTrainer, _ ...lighter.Value) (lighter.Value, error) {
			env := l.Model().(*stepModel).env
			var members []any
			for _, class := range []string{"MeanMetric", "MaxMetric"} {
				m, err := registry.New[lighter.Metric]("torchmetrics."+class, env, map[string]any{})
				if err != nil {
					return nil, err
				}
				members = append(members, m)
			}
			c, err := registry.New[lighter.Metric]("torchmetrics.MetricCollection", env, map[string]any{"metrics": members})
			group, _ = c.(lighter.MetricGroup)
			return nil, err
		},
		"validation_step": func(l lighter.LightningTrainer, a ...lighter.Value) (lighter.Value, error) {
			group.Update(a[0].(lighter.List)[1], nil)
			return nil, l.LogMetrics(group, lighter.LogArgs{OnStep: &on, OnEpoch: &on, Forward: group.Batch()})
		},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{"MeanMetric_epoch": 0.375, "MaxMetric_epoch": 0.75}
	for name, v := range want {
		if got := r.Metrics[0][name]; got != v {
			t.Errorf("%s is %v, want %v, of %v", name, got, v, r.Metrics[0])
		}
	}
}
