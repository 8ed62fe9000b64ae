package runner_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// What testdata/lightning/make.py has PyTorch Lightning do with LightningModules, their hooks and self.log, done here.

// recorded reads a fixture's.
func recorded[C any](t *testing.T, name string, names any) []C {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata/lightning", name))
	if err != nil {
		t.Fatal(err)
	}
	file := struct {
		Names any
		Cases []C
	}{Names: names}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) == 0 {
		t.Fatalf("%s has no cases", name)
	}
	return file.Cases
}

// pairs is a loader of n samples (x, 2x) in batches of two.
type pairs struct{ n int }

func (p pairs) Len() int                                { return (p.n + 1) / 2 }
func (p pairs) Iter(from int) (lighter.Iterator, error) { return &pairsIterator{p.n, 2 * from}, nil }

type pairsIterator struct{ n, at int }

func (p *pairsIterator) Next() (lighter.Value, bool, error) {
	var x, y []float32
	for end := min(p.at+2, p.n); p.at < end; p.at++ {
		x, y = append(x, float32(p.at)/8), append(y, float32(p.at)/4)
	}
	if x == nil {
		return nil, false, nil
	}
	return lighter.List{tensor.FromSlice(x, int64(len(x)), 1), tensor.FromSlice(y, int64(len(y)), 1)}, true, nil
}

func (p *pairsIterator) Close() {}

// linear is a torch.nn.Linear(in, out).
func linear(env *lighter.Env, in, out int) (lighter.Module, error) {
	return registry.New[lighter.Module]("torch.nn.Linear", env, map[string]any{"in_features": int64(in), "out_features": int64(out)})
}

// optimizer builds one over all parameters of a module.
func optimizer(env *lighter.Env, class string, m lighter.Module, args map[string]any) (lighter.Optimizer, error) {
	var params []any
	for _, p := range m.Tree().Params() {
		params = append(params, p.Value)
	}
	args["params"], args["fused"] = params, false
	return registry.New[lighter.Optimizer]("torch.optim."+class, env, args)
}

func scheduler(env *lighter.Env, class string, o lighter.Optimizer, args map[string]any) (lighter.Scheduler, error) {
	args["optimizer"] = o
	return registry.New[lighter.Scheduler]("torch.optim.lr_scheduler."+class, env, args)
}

// trainerOf is a configuration's trainer with a case's arguments.
func trainerOf(args map[string]any, more map[string]any) map[string]any {
	trainer := map[string]any{"_target_": "pytorch_lightning.Trainer", "accelerator": "cpu", "logger": false, "enable_checkpointing": false,
		"enable_progress_bar": false, "enable_model_summary": false, "report": false, "max_epochs": 2}
	for _, m := range []map[string]any{more, args} {
		for k, v := range m {
			if f, ok := v.(float64); ok && f == math.Trunc(f) && k != "gradient_clip_val" {
				v = int(f) // JSON has one kind of number
			}
			trainer[k] = v
		}
	}
	return trainer
}
