package runner_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/runner"
	"github.com/lighter-go/lighter/tensor"
)

// journal is what the hooks of the run under way have noted, and what some of them do.
var journal struct {
	calls []string
	names struct{ Model, Loaders, Data, Callback []string }
	hookCase
	save   string // where to save at the end of the fit
	middle string // where to save at step 4
	step   int64
	weight float64
}

type hookCase struct {
	Name, Stage               string
	Save, Resume, Own, Manual bool
	Many, Middle              bool
	From                      string
	Skip, Fail                *int
	Trainer                   map[string]any
	Calls                     string
	GlobalStep                int64 `json:"global_step"`
	Weight                    float64
}

// noted gives the hooks that the fixture's objects define; do is what one does beyond being noted.
func noted(who, name string, names []string, do map[string]lighter.HookFunc) lighter.HookFunc {
	for _, n := range names {
		if n == name {
			return func(t lighter.LightningTrainer, args ...lighter.Value) (lighter.Value, error) {
				journal.calls = append(journal.calls, who+"."+name)
				if f := do[name]; f != nil {
					return f(t, args...)
				}
				return nil, nil
			}
		}
	}
	return nil
}

type notedNet struct {
	lighter.LightningModule
	net lighter.Module
	env *lighter.Env
}

type notedNetArgs struct{}

func (notedNetArgs) Build(env *lighter.Env) (lighter.Model, error) {
	tensor.ManualSeed(1)
	m := &notedNet{env: env}
	m.ManualOptimization = journal.Manual
	var err error
	m.net, err = linear(env, 1, 1)
	m.SetClass("test.NotedNet")
	m.Add("net", m.net)
	return m, err
}

func (m *notedNet) Forward(in ...lighter.Value) lighter.Value { return m.net.Forward(in...) }

func (m *notedNet) Hook(name string) lighter.HookFunc {
	names := journal.names.Model
	if journal.Own {
		names = append(names[:len(names):len(names)], journal.names.Loaders...)
	}
	nothing := func(lighter.LightningTrainer, ...lighter.Value) (lighter.Value, error) { return nil, nil }
	mode := func(training bool) lighter.HookFunc {
		return func(lighter.LightningTrainer, ...lighter.Value) (lighter.Value, error) {
			m.SetTraining(training)
			return nil, nil
		}
	}
	do := map[string]lighter.HookFunc{
		"training_step": m.trainingStep, "validation_step": m.validationStep, "test_step": nothing, "predict_step": m.predict,
		"configure_optimizers": m.configureOptimizers,
		"configure_callbacks":  func(lighter.LightningTrainer, ...lighter.Value) (lighter.Value, error) { return lighter.List{}, nil },
		"on_train_batch_start": func(_ lighter.LightningTrainer, a ...lighter.Value) (lighter.Value, error) {
			if journal.Skip != nil && a[1] == int64(*journal.Skip) {
				return int64(-1), nil
			}
			return nil, nil
		},
		"on_train_batch_end": func(t lighter.LightningTrainer, a ...lighter.Value) (lighter.Value, error) {
			if _, ok := a[0].(lighter.Dict)["loss"].(tensor.Tensor); !ok || len(a) != 3 {
				return nil, fmt.Errorf("on_train_batch_end is given %v", a)
			}
			if journal.Middle && t.GlobalStep() == 4 {
				return nil, t.SaveCheckpoint(journal.middle, false)
			}
			return nil, nil
		},
		"backward": func(_ lighter.LightningTrainer, a ...lighter.Value) (lighter.Value, error) {
			a[0].(tensor.Tensor).Backward()
			return nil, nil
		},
		"optimizer_step": func(_ lighter.LightningTrainer, a ...lighter.Value) (lighter.Value, error) {
			return nil, a[2].(lighter.LightningOptimizer).Step(a[3].(func() (lighter.Value, error)))
		},
		"optimizer_zero_grad": func(_ lighter.LightningTrainer, a ...lighter.Value) (lighter.Value, error) {
			a[2].(lighter.LightningOptimizer).ZeroGrad()
			return nil, nil
		},
		"configure_gradient_clipping": func(t lighter.LightningTrainer, a ...lighter.Value) (lighter.Value, error) {
			var value *float64
			if v, ok := a[1].(float64); ok {
				value = &v
			}
			return nil, t.ClipGradients(a[0].(lighter.LightningOptimizer), value, nil)
		},
		"lr_scheduler_step": func(_ lighter.LightningTrainer, a ...lighter.Value) (lighter.Value, error) {
			metric, _ := a[1].(float64)
			a[0].(lighter.Scheduler).Step(metric)
			return nil, nil
		},
		"on_validation_model_eval": mode(false), "on_test_model_eval": mode(false), "on_predict_model_eval": mode(false),
		"on_validation_model_train": mode(true), "on_test_model_train": mode(true),
		"on_before_batch_transfer": batchOf, "transfer_batch_to_device": batchOf, "on_after_batch_transfer": batchOf,
		"on_fit_end": func(t lighter.LightningTrainer, _ ...lighter.Value) (lighter.Value, error) {
			if journal.step, journal.weight = t.GlobalStep(), m.net.Tree().Params()[0].Value.Item(); journal.save == "" {
				return nil, nil
			}
			return nil, t.SaveCheckpoint(journal.save, false)
		},
	}
	for name, f := range loaderHooks {
		do[name] = f
	}
	return noted("model", name, names, do)
}

func batchOf(_ lighter.LightningTrainer, a ...lighter.Value) (lighter.Value, error) { return a[0], nil }

func (m *notedNet) trainingStep(t lighter.LightningTrainer, a ...lighter.Value) (lighter.Value, error) {
	if journal.Fail != nil && a[1] == int64(*journal.Fail) {
		journal.step, journal.weight = t.GlobalStep(), m.net.Tree().Params()[0].Value.Item()
		return nil, errFailed
	}
	batch := a[0].(lighter.List)
	loss := tensor.CallOne("mse_loss", m.net.Forward(batch[0]), batch[1])
	if !m.ManualOptimization {
		return loss, nil
	}
	o := t.Optimizers()[0]
	o.ZeroGrad()
	if err := t.ManualBackward(loss); err != nil {
		return nil, err
	}
	if err := o.Step(nil); err != nil {
		return nil, err
	}
	t.LRSchedulers()[0].Step(0)
	return loss, nil
}

var errFailed = errors.New("the test's")

func (m *notedNet) validationStep(t lighter.LightningTrainer, a ...lighter.Value) (lighter.Value, error) {
	v := tensor.CallOne("mean", m.net.Forward(a[0].(lighter.List)[0]))
	return v, t.LogValue("v", v, lighter.LogArgs{})
}

func (m *notedNet) predict(_ lighter.LightningTrainer, a ...lighter.Value) (lighter.Value, error) {
	return m.net.Forward(a[0].(lighter.List)[0]), nil
}

func (m *notedNet) configureOptimizers(lighter.LightningTrainer, ...lighter.Value) (lighter.Value, error) {
	o, err := optimizer(m.env, "SGD", m.net, map[string]any{"lr": 0.1})
	if err != nil {
		return nil, err
	}
	if journal.Many {
		halves, err1 := scheduler(m.env, "StepLR", o, map[string]any{"step_size": int64(1), "gamma": 0.5})
		falls, err2 := scheduler(m.env, "ExponentialLR", o, map[string]any{"gamma": 0.9})
		plateau, err3 := scheduler(m.env, "ReduceLROnPlateau", o, map[string]any{"patience": int64(0), "threshold": 10.0})
		return lighter.List{lighter.List{o}, lighter.List{
			lighter.Dict{"scheduler": halves, "interval": "step", "frequency": int64(2)}, falls, lighter.Dict{"scheduler": plateau, "monitor": "v"},
		}}, errors.Join(err1, err2, err3)
	}
	s, err := scheduler(m.env, "StepLR", o, map[string]any{"step_size": int64(1)})
	return lighter.List{lighter.List{o}, lighter.List{lighter.Dict{"scheduler": s, "interval": "step"}}}, err
}

func loads(sizes ...int) lighter.HookFunc {
	return func(lighter.LightningTrainer, ...lighter.Value) (lighter.Value, error) {
		var l lighter.List
		for _, n := range sizes {
			l = append(l, pairs{n})
		}
		return l, nil
	}
}

var loaderHooks = map[string]lighter.HookFunc{
	"train_dataloader": loads(5), "val_dataloader": loads(3), "test_dataloader": loads(3, 2), "predict_dataloader": loads(3),
}

type notedData struct{ lighter.LightningDataModule }

type notedDataArgs struct{}

func (notedDataArgs) Build(*lighter.Env) (lighter.DataModule, error) { return &notedData{}, nil }

func (notedData) Hook(name string) lighter.HookFunc {
	do := map[string]lighter.HookFunc{
		"on_before_batch_transfer": batchOf, "transfer_batch_to_device": batchOf, "on_after_batch_transfer": batchOf,
		"state_dict": func(lighter.LightningTrainer, ...lighter.Value) (lighter.Value, error) {
			return lighter.Dict{"n": int64(1)}, nil
		},
		"load_state_dict": func(_ lighter.LightningTrainer, a ...lighter.Value) (lighter.Value, error) {
			if a[0].(lighter.Dict)["n"] != int64(1) {
				return nil, fmt.Errorf("load_state_dict is given %v", a)
			}
			return nil, nil
		},
	}
	for name, f := range loaderHooks {
		do[name] = f
	}
	return noted("data", name, journal.names.Data, do)
}

type notedCallback struct{}

type notedCallbackArgs struct{}

func (notedCallbackArgs) Build(*lighter.Env) (lighter.Callback, error) { return notedCallback{}, nil }

func (notedCallback) Hook(name string) lighter.HookFunc {
	return noted("callback", name, journal.names.Callback, nil)
}

func init() {
	lighter.Register[lighter.Model]("test.NotedNet", notedNetArgs{})
	lighter.Register[lighter.DataModule]("test.NotedData", notedDataArgs{})
	lighter.Register[lighter.Callback]("test.NotedCallback", notedCallbackArgs{})
}

// TestHookOrder compares the order in which a stage calls the hooks of a model, a data module and a callback with Lightning's.
func TestHookOrder(t *testing.T) {
	all := recorded[hookCase](t, "hooks.json", &journal.names)
	dir := t.TempDir()
	path := filepath.Join(dir, "fit.ckpt")
	journal.middle = filepath.Join(dir, "middle.ckpt")
	for i, c := range all {
		if c.From != "" { // Lightning goes on with other batches
			c.Weight = all[i-1].Weight
		}
		t.Run(c.Name, func(t *testing.T) {
			journal.calls, journal.hookCase, journal.save = nil, c, ""
			if c.Save {
				journal.save = path
			}
			config := map[string]any{
				"model":   map[string]any{"_target_": "test.NotedNet"},
				"trainer": trainerOf(c.Trainer, map[string]any{"callbacks": map[string]any{"_target_": "test.NotedCallback"}, "default_root_dir": dir}),
			}
			if !c.Own {
				config["data"] = map[string]any{"_target_": "test.NotedData"}
			}
			ckpt := ""
			if c.Resume {
				if ckpt = path; c.From != "" {
					ckpt = journal.middle
				}
			}
			_, err := runner.Run(context.Background(), c.Stage, []any{config}, runner.Options{CkptPath: ckpt})
			if c.Fail == nil && err != nil || c.Fail != nil && !errors.Is(err, errFailed) {
				t.Fatal(err)
			}
			want := strings.Fields(c.Calls)
			if c.Save { // Lightning's test saves after the fit
				want = append(want[:0:0], want...)
				journal.calls = without(journal.calls, "data.state_dict", "callback.on_save_checkpoint", "model.on_save_checkpoint")
				want = without(want, "data.state_dict", "callback.on_save_checkpoint", "model.on_save_checkpoint")
			}
			compareCalls(t, journal.calls, want)
			if c.Stage == "fit" && (journal.step != c.GlobalStep || math.Abs(journal.weight-c.Weight) > 1e-6) {
				t.Errorf("global step %d with the weight %v, want %d with %v", journal.step, journal.weight, c.GlobalStep, c.Weight)
			}
		})
	}
}

func without(calls []string, names ...string) []string {
	var out []string
	for _, c := range calls {
		if !strings.Contains(" "+strings.Join(names, " ")+" ", " "+c+" ") {
			out = append(out, c)
		}
	}
	return out
}

func compareCalls(t *testing.T, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			from := max(i-4, 0)
			t.Fatalf("call %d of %d (%d):\ngot  … %s\nwant … %s", i, len(got), len(want),
				strings.Join(got[min(from, len(got)):min(i+4, len(got))], " "), strings.Join(want[min(from, len(want)):min(i+4, len(want))], " "))
		}
	}
}
