package runner_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/runner"
)

// stopAt is a callback that stops a fit, as a signal does, in its n-th batch of training or validation; 0 is before the first,
// in the sanity check.
type stopAt struct {
	Batch int `cfg:"batch,required" help:"the batch, counted over training and validation"`
}

var (
	errStop = errors.New("stopped by the test")
	stop    context.CancelCauseFunc
)

func (s stopAt) Build(*lighter.Env) (lighter.Callback, error) { return &stopping{left: s.Batch}, nil }

type stopping struct{ left int }

func (s *stopping) StageStart(lighter.Trainer) error {
	if s.left == 0 {
		stop(errStop)
	}
	return nil
}

func (s *stopping) BatchEnd(t lighter.Trainer, _ lighter.Output, _ int) error {
	if t.SanityChecking() {
		return nil
	}
	if s.left--; s.left == 0 {
		stop(errStop)
	}
	return nil
}

func init() { lighter.Register[lighter.Callback]("test.StopAt", stopAt{}) }

// stage runs a stage of the resume configuration in dir.
func stage(t *testing.T, name, dir string, o runner.Options, overrides ...any) (*runner.Result, error) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	stop = cancel
	inputs := append([]any{"testdata/resume.yaml", "trainer::logger::save_dir=" + dir}, overrides...)
	return runner.Run(ctx, name, append(inputs, o)...)
}

// fit runs the resume configuration in dir and returns the run's folder.
func fit(t *testing.T, dir, ckpt string, overrides ...any) (string, error) {
	t.Helper()
	r, err := stage(t, "fit", dir, runner.Options{CkptPath: ckpt}, overrides...)
	if err != nil {
		return "", err
	}
	return r.LogDir, nil
}

// weights are the bytes of every tensor of a checkpoint's model and optimizer.
func weights(t *testing.T, path string) []byte {
	t.Helper()
	f, err := torchfile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all bytes.Buffer
	var walk func(v any)
	walk = func(v any) {
		switch x := v.(type) {
		case *torchfile.Tensor:
			b, err := x.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			all.Write(b)
		case *torchfile.Dict:
			for k, item := range x.All() {
				fmt.Fprint(&all, k)
				walk(item)
			}
		case []any:
			for _, item := range x {
				walk(item)
			}
		default:
			fmt.Fprint(&all, x)
		}
	}
	root := f.Root.(*torchfile.Dict)
	for _, key := range []string{"epoch", "global_step", "state_dict", "optimizer_states", "lr_schedulers", "current_model_state", "averaging_state"} {
		v, _ := root.Get(key)
		walk(v)
	}
	callbacks, _ := root.Get("callbacks")
	for name, state := range callbacks.(*torchfile.Dict).All() {
		if !strings.HasPrefix(fmt.Sprint(name), "ModelCheckpoint") { // its paths differ
			walk(state)
		}
	}
	return all.Bytes()
}

// results are the weights that a fit ends with.
func results(t *testing.T, dir string) []byte {
	t.Helper()
	all := weights(t, filepath.Join(dir, "checkpoints", "last.ckpt"))
	if swa := filepath.Join(dir, "checkpoints", "swa.ckpt"); exists(swa) {
		all = append(all, weights(t, swa)...)
	}
	return all
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// lastEpoch is what training logged of the last epoch.
func lastEpoch(t *testing.T, dir string) string {
	t.Helper()
	series := readSeries(t, filepath.Join(dir, "metrics.csv"))
	var out []string
	for _, name := range []string{"train/loss/epoch", "train/metrics/MulticlassAccuracy/epoch"} {
		if p := series[name]; len(p) > 0 {
			out = append(out, fmt.Sprintf("%s=%v", name, p[len(p)-1]))
		}
	}
	return strings.Join(out, " ")
}

// TestResumeIsBitExact stops a fit at every batch, in training, in the middle of an accumulation window and in validation, goes
// on from the checkpoint it leaves, and ends with the bytes of a fit that was never stopped: with shuffling, dropout,
// accumulation and a validation within the epoch, with averages of the weights and changing windows. So are the last epoch's
// metrics of training.
func TestResumeIsBitExact(t *testing.T) {
	for name, overrides := range map[string][]any{
		"plain":                      {"trainer::val_check_interval=1.0"},
		"accumulation":               {"trainer::accumulate_grad_batches=2"},
		"validation within a window": {"trainer::accumulate_grad_batches=2", "trainer::val_check_interval=3"},
		"a generator of its own":     {"data::train_dataloader::generator=7"},
		"a stream of unknown length": {stream(", shuffle: true, noise: 0.5"), "trainer::accumulate_grad_batches=2", "trainer::val_check_interval=1.0"},
		"64-true, clipped":           {"trainer::precision=64-true", "trainer::gradient_clip_val=0.1", "trainer::val_check_interval=1.0"},
		"bf16-true":                  {"trainer::precision=bf16-true", "trainer::val_check_interval=1.0"},
		"stochastic weight averaging": {
			"trainer::callbacks=[{_target_: pytorch_lightning.callbacks.StochasticWeightAveraging, swa_lrs: 0.02, swa_epoch_start: 2, annealing_epochs: 3}]",
			"model::scheduler={_target_: torch.optim.lr_scheduler.StepLR, optimizer: '@model::optimizer', step_size: 1}",
			"model::network::_args_=[{_target_: torch.nn.BatchNorm1d, num_features: 10}]",
		},
		"moving average, windows by epoch": {
			"trainer::callbacks=[{_target_: pytorch_lightning.callbacks.EMAWeightAveraging, decay: 0.8, update_every_n_steps: 2, update_starting_at_epoch: 1}]",
			"trainer::callbacks=[{_target_: pytorch_lightning.callbacks.GradientAccumulationScheduler, scheduling: {1: 3, 2: 2}}]",
			"model::network::_args_=[{_target_: torch.nn.BatchNorm1d, num_features: 10}]",
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			whole, err := fit(t, dir, "", overrides...)
			if err != nil {
				t.Fatal(err)
			}
			want, wantRows := results(t, whole), lastEpoch(t, whole)
			stops := 0
			for k := 0; ; k++ {
				at := fmt.Sprintf("trainer::callbacks=[{_target_: test.StopAt, batch: %d}]", k)
				sub := filepath.Join(dir, fmt.Sprint(k))
				if _, err := fit(t, sub, "", append(overrides, at)...); err == nil {
					break // there are fewer batches
				} else if !errors.Is(err, errStop) {
					t.Fatal(err)
				}
				stops++
				found, _ := filepath.Glob(filepath.Join(sub, "*", "*", "checkpoints", "interrupt.ckpt"))
				if len(found) != 1 {
					t.Fatalf("stopped at batch %d: %d checkpoints, want one", k, len(found))
				}
				again := stopAgain(t, filepath.Join(sub, "again"), found[0], overrides)
				rest, err := fit(t, sub, again, overrides...)
				if err != nil {
					t.Fatalf("going on after batch %d: %v", k, err)
				}
				if !bytes.Equal(results(t, rest), want) {
					t.Errorf("stopped at batch %d: the weights differ from those of a fit that was not stopped", k)
				}
				if got := lastEpoch(t, rest); got != wantRows {
					t.Errorf("stopped at batch %d: the last epoch logs\n%s\nwant\n%s", k, got, wantRows)
				}
			}
			if stops < 10 {
				t.Errorf("only %d stops were tried", stops)
			}
		})
	}
}

// stopAgain goes on from a checkpoint, is stopped before it has done anything, and returns the checkpoint that leaves.
func stopAgain(t *testing.T, dir, ckpt string, overrides []any) string {
	t.Helper()
	now := "trainer::callbacks=[{_target_: test.StopAt, batch: 0}]"
	if _, err := fit(t, dir, ckpt, append(overrides[:len(overrides):len(overrides)], now)...); !errors.Is(err, errStop) {
		t.Fatalf("stopped at once after going on: %v", err)
	}
	found, _ := filepath.Glob(filepath.Join(dir, "*", "*", "checkpoints", "interrupt.ckpt"))
	if len(found) != 1 {
		t.Fatalf("%d checkpoints after a stop at once, want one", len(found))
	}
	return found[0]
}

// TestResumeAtEpochEnd goes on from the checkpoint of every epoch.
func TestResumeAtEpochEnd(t *testing.T) {
	dir := t.TempDir()
	whole, err := fit(t, dir, "")
	if err != nil {
		t.Fatal(err)
	}
	want := weights(t, filepath.Join(whole, "checkpoints", "last.ckpt"))
	saved, _ := filepath.Glob(filepath.Join(whole, "checkpoints", "epoch=*.ckpt"))
	if len(saved) < 2 {
		t.Fatalf("%d checkpoints, want one an epoch", len(saved))
	}
	for _, ckpt := range saved[:len(saved)-1] {
		rest, err := fit(t, filepath.Join(dir, filepath.Base(ckpt)), ckpt)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(weights(t, filepath.Join(rest, "checkpoints", "last.ckpt")), want) {
			t.Errorf("from %s: the weights differ from those of a fit that was not stopped", filepath.Base(ckpt))
		}
	}
}
