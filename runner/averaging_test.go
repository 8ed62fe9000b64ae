package runner_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lighter-go/lighter/internal/torchfile"
)

// averagingCase is a fit that internal/callback/testdata/averaging.py did with Lightning's Trainer.
type averagingCase struct {
	Name, Target              string
	Args                      map[string]any
	Norm, Schedule, Validates bool
	Epochs                    int
	LR                        json.Number
	Trainer                   map[string]any
	LRs                       []float64
	Val                       []float64
	Final                     map[string]any
	Last                      map[string]any
	State                     map[string]map[string]any
	Search                    *struct{ Suggestion float64 }
}

func averagingCases(t *testing.T) (cases []averagingCase) {
	t.Helper()
	data, err := os.ReadFile("../internal/callback/testdata/averaging.json")
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

type object = map[string]any

// config writes the case's configuration.
func (c averagingCase) config(t *testing.T, dir string) string {
	t.Helper()
	loader := func(start, stop, batch int, shuffle bool) object {
		return object{
			"_target_": "torch.utils.data.DataLoader", "batch_size": batch, "shuffle": shuffle,
			"dataset": object{"_target_": "lighter.datasets.Digits", "start": start, "stop": stop},
		}
	}
	callback := object{"_target_": c.Target}
	for k, v := range c.Args {
		callback[k] = v
	}
	layers := []object{{"_target_": "torch.nn.Linear", "in_features": 64, "out_features": 4}}
	if c.Norm {
		layers = append(layers, object{"_target_": "torch.nn.BatchNorm1d", "num_features": 4})
	}
	layers = append(layers, object{"_target_": "torch.nn.ReLU"}, object{"_target_": "torch.nn.Linear", "in_features": 4, "out_features": 10})
	model := object{
		"_target_": "lighter.LighterModule", "network": object{"_target_": "torch.nn.Sequential", "_args_": layers},
		"criterion": object{"_target_": "torch.nn.CrossEntropyLoss"},
		"optimizer": object{"_target_": "torch.optim.SGD", "params": "$@model::network.parameters()", "lr": c.LR, "momentum": 0.9, "fused": false},
	}
	if c.Schedule {
		model["scheduler"] = object{"_target_": "torch.optim.lr_scheduler.StepLR", "optimizer": "@model::optimizer", "step_size": 1, "gamma": 0.5}
	}
	trainer := object{
		"_target_": "pytorch_lightning.Trainer", "max_epochs": c.Epochs, "accelerator": "cpu", "memory_format": "contiguous", "enable_progress_bar": false,
		"enable_model_summary": false, "logger": object{"_target_": "pytorch_lightning.loggers.CSVLogger", "save_dir": dir},
		"callbacks": []object{callback, {"_target_": "pytorch_lightning.callbacks.ModelCheckpoint", "save_last": true, "save_on_train_epoch_end": true}},
	}
	for k, v := range c.Trainer {
		trainer[k] = v
	}
	data := object{"_target_": "lighter.LighterDataModule", "train_dataloader": loader(0, 60, 8, true)}
	if c.Validates {
		data["val_dataloader"] = loader(100, 140, 20, false)
	}
	return writeConfig(t, dir, object{"seed": 0, "trainer": trainer, "model": model, "data": data})
}

// writeConfig writes a configuration; a JSON file is a YAML file.
func writeConfig(t *testing.T, dir string, config object) string {
	t.Helper()
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(path, text, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestAveragesAsLightning compares fits with callbacks that average weights, change the windows of accumulation or look for a
// learning rate with those of Lightning: the rates, what validation gives, the weights in the checkpoints and the callbacks' state.
func TestAveragesAsLightning(t *testing.T) {
	for _, c := range averagingCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			dir := t.TempDir()
			fit := run(t, "fit", "", c.config(t, dir))
			series := readSeries(t, filepath.Join(fit.LogDir, "metrics.csv"))
			same(t, "learning rates", values(series["train/optimizer/SGD/lr/epoch"]), c.LRs)
			if c.Search != nil {
				return
			}
			if c.Validates {
				same(t, "validation losses", values(series["val/loss/epoch"]), c.Val)
			}
			last := open(t, filepath.Join(fit.LogDir, "checkpoints", "last.ckpt"))
			for name, want := range c.Last {
				if name == "keys" {
					continue
				}
				got, _ := last.Get(name)
				sameValue(t, name, got, want)
			}
			callbacks, _ := last.Get("callbacks")
			for name, want := range c.State {
				got, _ := callbacks.(*torchfile.Dict).Get(name)
				sameValue(t, name, got, object(want))
			}
			if !strings.HasSuffix(c.Target, "StochasticWeightAveraging") {
				return
			}
			state, _ := open(t, filepath.Join(fit.LogDir, "checkpoints", "swa.ckpt")).Get("state_dict")
			sameValue(t, "the fit's weights", state, object(c.Final))
		})
	}
}

// TestFoundLearningRate looks for a learning rate; what follows is the fit of a configuration that has it, bit for bit, also under
// a scheduler that calculates from the rates it began with.
func TestFoundLearningRate(t *testing.T) {
	for name, scheduler := range map[string]string{
		"no scheduler": "",
		"base rates":   "{_target_: torch.optim.lr_scheduler.LambdaLR, optimizer: '@model::optimizer', lr_lambda: '$lambda e: 0.9 ** e'}",
		"nested":       "{_target_: torch.optim.lr_scheduler.SequentialLR, optimizer: '@model::optimizer', milestones: [1], schedulers: [{_target_: torch.optim.lr_scheduler.ConstantLR, optimizer: '@model::optimizer', factor: 0.5}, {_target_: torch.optim.lr_scheduler.CosineAnnealingLR, optimizer: '@model::optimizer', T_max: 3}]}",
	} {
		t.Run(name, func(t *testing.T) {
			overrides := []any{"trainer::val_check_interval=1.0"}
			if scheduler != "" {
				overrides = append(overrides, "model::scheduler="+scheduler)
			}
			finder := "trainer::callbacks=[{_target_: pytorch_lightning.callbacks.LearningRateFinder, num_training_steps: 15, max_lr: 0.5, min_lr: 0.001, early_stop_threshold: null}]"
			found, err := fit(t, t.TempDir(), "", append(overrides[:len(overrides):len(overrides)], finder)...)
			if err != nil {
				t.Fatal(err)
			}
			last := filepath.Join(found, "checkpoints", "last.ckpt")
			states, _ := open(t, last).Get("optimizer_states")
			groups, _ := states.([]any)[0].(*torchfile.Dict).Get("param_groups")
			option := "lr"
			if scheduler != "" {
				option = "initial_lr"
			}
			lr, _ := groups.([]any)[0].(*torchfile.Dict).Get(option)
			if lr == 0.01 {
				t.Fatal("the learning rate is the one configured")
			}
			given, err := fit(t, t.TempDir(), "", append(overrides, fmt.Sprintf("model::optimizer::lr=%v", lr))...)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(weights(t, last), weights(t, filepath.Join(given, "checkpoints", "last.ckpt"))) {
				t.Error("the fit is not that of the learning rate found")
			}
		})
	}
}

// TestAverageOfAFinishedFit goes on from the last checkpoint of a fit that is done: the model is its average once more.
func TestAverageOfAFinishedFit(t *testing.T) {
	for name, more := range map[string][]any{"plain": nil, "batch norm": {"model::network::_args_=[{_target_: torch.nn.BatchNorm1d, num_features: 10}]"}} {
		t.Run(name, func(t *testing.T) {
			overrides := append(more, "trainer::callbacks=[{_target_: pytorch_lightning.callbacks.StochasticWeightAveraging, swa_lrs: 0.02, swa_epoch_start: 1}]")
			whole, err := fit(t, t.TempDir(), "", overrides...)
			if err != nil {
				t.Fatal(err)
			}
			again, err := fit(t, t.TempDir(), filepath.Join(whole, "checkpoints", "last.ckpt"), overrides...)
			if err != nil {
				t.Fatal(err)
			}
			want, _ := open(t, filepath.Join(whole, "checkpoints", "swa.ckpt")).Get("state_dict")
			var got any
			if name == "plain" { // else the last checkpoint is the average, and nothing is left to do
				got, _ = open(t, filepath.Join(again, "checkpoints", "swa.ckpt")).Get("state_dict")
			} else {
				got, _ = open(t, filepath.Join(whole, "checkpoints", "last.ckpt")).Get("state_dict")
			}
			for name, w := range want.(*torchfile.Dict).All() {
				g, _ := got.(*torchfile.Dict).Get(name)
				if !slices.Equal(numbers(t, g), numbers(t, w)) {
					t.Errorf("%v is another", name)
				}
			}
		})
	}
}

func open(t *testing.T, path string) *torchfile.Dict {
	t.Helper()
	f, err := torchfile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f.Root.(*torchfile.Dict)
}

func values(points []point) []float64 {
	out := make([]float64, len(points))
	for i, p := range points {
		out[i] = p.value
	}
	return out
}

// same compares with a tolerance relative to the greatest value.
func same(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %v, want %v", what, got, want)
		return
	}
	scale := 0.0
	for _, v := range want {
		scale = max(scale, math.Abs(v))
	}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= tolerance()*scale) {
			t.Errorf("%s: value %d is %v, want %v", what, i, got[i], want[i])
			return
		}
	}
}

// sameValue compares a checkpoint's value with what the case has: numbers, tensors as lists, and what is named in a dict.
func sameValue(t *testing.T, what string, got, want any) {
	t.Helper()
	switch w := want.(type) {
	case object:
		d, ok := got.(*torchfile.Dict)
		if !ok {
			t.Errorf("%s is %T, want a dict", what, got)
			return
		}
		for name, item := range w {
			v, _ := d.Get(name)
			sameValue(t, what+"::"+name, v, item)
		}
	case []any:
		if list, ok := got.([]any); ok && len(list) == len(w) {
			for i := range w {
				sameValue(t, what, list[i], w[i])
			}
			return
		}
		same(t, what, numbers(t, got), numbers(t, want))
	case json.Number:
		same(t, what, numbers(t, got), numbers(t, want))
	default:
		if got != want {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
}

func numbers(t *testing.T, v any) (out []float64) {
	t.Helper()
	switch x := v.(type) {
	case json.Number:
		f, err := x.Float64()
		if err != nil {
			t.Fatal(err)
		}
		return []float64{f}
	case []any:
		for _, item := range x {
			out = append(out, numbers(t, item)...)
		}
	case float64:
		return []float64{x}
	case int64:
		return []float64{float64(x)}
	case *torchfile.Tensor:
		b, err := x.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		for ; len(b) > 0; b = b[x.DType.Size():] {
			switch x.DType {
			case torchfile.Float32:
				out = append(out, float64(math.Float32frombits(binary.LittleEndian.Uint32(b))))
			case torchfile.Int64:
				out = append(out, float64(int64(binary.LittleEndian.Uint64(b))))
			default:
				t.Fatalf("a tensor of type %s", x.DType)
			}
		}
	}
	return out
}
