package runner_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/runner"
	"github.com/lighter-go/lighter/tensor"
)

// stride is between the stops that are tried, of those there are.
var stride = 4

func init() {
	if os.Getenv("LIGHTER_SOAK") != "" {
		stride = 1
	}
}

// autoFit is one go of a command with --resume auto in dir: stopped in its batch k as a signal does, or with -1 not. log gets
// what is said.
func autoFit(t *testing.T, dir string, k int, log *bytes.Buffer, overrides ...any) (*runner.Result, error) {
	t.Helper()
	o := runner.Options{Resume: "auto", Log: zerolog.Nop()}
	if log != nil {
		o.Log = zerolog.New(log)
	}
	at := fmt.Sprintf("trainer::callbacks=[{_target_: test.StopAt, batch: %d}]", k)
	return stage(t, "fit", dir, o, append(overrides[:len(overrides):len(overrides)], at)...)
}

// remains are what a run leaves: the files of checkpoints, the state in last.ckpt with that of the callbacks, and the metrics.
// Paths in it are those below the run's folder.
func remains(t *testing.T, logDir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	rows, err := os.ReadFile(filepath.Join(logDir, "metrics.csv"))
	if err != nil {
		t.Fatal(err)
	}
	out["metrics.csv"] = string(rows)
	entries, err := os.ReadDir(filepath.Join(logDir, "checkpoints"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "interrupt.ckpt" {
			out["files"] += e.Name() + " "
		}
	}
	path := filepath.Join(logDir, "checkpoints", "last.ckpt")
	out["weights"] = string(weights(t, path))
	f, err := torchfile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	callbacks, _ := f.Root.(*torchfile.Dict).Get("callbacks")
	real, err := filepath.EvalSymlinks(logDir)
	if err != nil {
		t.Fatal(err)
	}
	out["callbacks"] = strings.ReplaceAll(describe(t, callbacks), real, "")
	return out
}

func describe(t *testing.T, v any) string {
	t.Helper()
	switch x := v.(type) {
	case *torchfile.Tensor:
		b, err := x.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%x", b)
	case *torchfile.Dict:
		var items []string
		for k, item := range x.All() {
			items = append(items, fmt.Sprintf("%v: %s", k, describe(t, item)))
		}
		return "{" + strings.Join(items, ", ") + "}"
	case []any:
		var items []string
		for _, item := range x {
			items = append(items, describe(t, item))
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	return fmt.Sprint(v)
}

func sameRemains(t *testing.T, when string, got, want map[string]string) {
	t.Helper()
	for what, w := range want {
		switch {
		case got[what] == w:
		case what == "weights":
			t.Errorf("%s: the weights differ from those of a run that was not stopped", when)
		default:
			t.Errorf("%s: %s\n got %s\nwant %s", when, what, got[what], w)
		}
	}
}

// TestResumeAutoIsBitExact stops a run at its batches, repeats the command until it is done, and finds what a run leaves that
// was never stopped: the weights, the state of the optimizer, the schedulers and the callbacks, the checkpoints and every row
// of metrics.csv.
func TestResumeAutoIsBitExact(t *testing.T) {
	const scheduler = "model::scheduler={_target_: torch.optim.lr_scheduler.%s, optimizer: \"@model::optimizer\", %s}"
	const checkpoint = "=trainer::callbacks=[{_target_: pytorch_lightning.callbacks.ModelCheckpoint, save_last: true, %s}%s]"
	for name, overrides := range map[string][]any{
		"accumulation": {"trainer::accumulate_grad_batches=2"},
		"plateau": {"trainer::val_check_interval=1.0", "model::optimizer::lr=0.2",
			"model::scheduler={interval: epoch, monitor: val/loss/epoch, scheduler: {_target_: torch.optim.lr_scheduler.ReduceLROnPlateau, " +
				"optimizer: \"@model::optimizer\", patience: 0, factor: 0.5}}"},
		"step scheduler": {"model::scheduler={interval: step, frequency: 2, scheduler: {_target_: torch.optim.lr_scheduler.CosineAnnealingLR, " +
			"optimizer: \"@model::optimizer\", T_max: 5}}"},
		"early stopping": {"trainer::max_epochs=20", "model::optimizer::lr=0.3",
			"trainer::callbacks=[{_target_: pytorch_lightning.callbacks.EarlyStopping, monitor: val/loss/epoch, patience: 2, verbose: false}]"},
		"top k": {fmt.Sprintf(checkpoint, "save_top_k: 2, monitor: val/loss/epoch", "")},
		"two checkpoints": {fmt.Sprintf(checkpoint, "every_n_train_steps: 2, save_top_k: 2, monitor: step, mode: max",
			", {_target_: pytorch_lightning.callbacks.ModelCheckpoint, filename: best, monitor: train/loss/epoch, save_on_train_epoch_end: true}")},
		"link": {fmt.Sprintf(checkpoint, "save_top_k: 1", ""), "trainer::callbacks::0::save_last=link"},
		"workers": {"data::train_dataloader::num_workers=2", "data::val_dataloader::num_workers=2", "trainer::val_check_interval=2",
			"trainer::check_val_every_n_epoch=null"},
		"monitors": {"trainer::callbacks=[{_target_: pytorch_lightning.callbacks.LearningRateMonitor, logging_interval: step}]",
			fmt.Sprintf(scheduler, "StepLR", "step_size: 1")},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			dir := filepath.Join(root, "whole")
			r, err := autoFit(t, dir, -1, nil, overrides...)
			if err != nil {
				t.Fatal(err)
			}
			want := remains(t, r.LogDir)
			for k := rand.IntN(stride); ; k += stride {
				dir := filepath.Join(root, fmt.Sprint(k))
				if _, err := autoFit(t, dir, k, nil, overrides...); err == nil {
					break // there are fewer batches
				} else if !errors.Is(err, errStop) {
					t.Fatal(err)
				}
				if _, err := autoFit(t, dir, 3, nil, overrides...); err != nil && !errors.Is(err, errStop) {
					t.Fatal(err)
				}
				r, err := autoFit(t, dir, -1, nil, overrides...)
				if err != nil {
					t.Fatalf("stopped in batch %d: %v", k, err)
				}
				if filepath.Base(r.LogDir) != "version_0" {
					t.Errorf("stopped in batch %d: it went on in %s", k, r.LogDir)
				}
				sameRemains(t, fmt.Sprintf("stopped in batch %d", k), remains(t, r.LogDir), want)
				if t.Failed() {
					return
				}
			}
		})
	}
}

// TestResumeAutoDirpath: checkpoints in a folder of their own know which run's folder to go on in.
func TestResumeAutoDirpath(t *testing.T) {
	root := t.TempDir()
	var rows, last [2][]byte
	for i, stops := range [][]int{{-1}, {7, 4, -1}} {
		dir := filepath.Join(root, fmt.Sprint(i))
		dirpath := "trainer::callbacks::0::dirpath=" + filepath.Join(dir, "mine")
		for _, k := range stops {
			r, err := autoFit(t, dir, k, nil, dirpath)
			if k >= 0 && errors.Is(err, errStop) {
				continue
			}
			if err != nil || filepath.Base(r.LogDir) != "version_0" {
				t.Fatalf("%+v, %v", r, err)
			}
			if rows[i], err = os.ReadFile(filepath.Join(r.LogDir, "metrics.csv")); err != nil {
				t.Fatal(err)
			}
			last[i] = weights(t, filepath.Join(dir, "mine", "last.ckpt"))
		}
	}
	if !bytes.Equal(rows[0], rows[1]) || !bytes.Equal(last[0], last[1]) {
		t.Errorf("metrics.csv equal %t, weights equal %t", bytes.Equal(rows[0], rows[1]), bytes.Equal(last[0], last[1]))
	}
}

// TestResumeAutoTensorBoard: the events are those of a run that was not stopped, but for their times.
func TestResumeAutoTensorBoard(t *testing.T) {
	events := func(logDir string) (all []string) {
		files, _ := filepath.Glob(filepath.Join(logDir, "events.out.tfevents.*"))
		if len(files) != 1 {
			t.Fatalf("%d event files", len(files))
		}
		data, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		for len(data) > 0 { // length, its checksum, the event, its checksum
			n := binary.LittleEndian.Uint64(data)
			event := data[12 : 12+n]
			all = append(all, string(event[9:])) // after the time
			data = data[12+n+4:]
		}
		return all
	}
	root := t.TempDir()
	loggers := func(dir string) string {
		return fmt.Sprintf("=trainer::logger=[{_target_: pytorch_lightning.loggers.CSVLogger, save_dir: %s/csv}, "+
			"{_target_: pytorch_lightning.loggers.TensorBoardLogger, save_dir: %[1]s/tb}]", dir)
	}
	whole := filepath.Join(root, "whole")
	if _, err := autoFit(t, whole, -1, nil, loggers(whole)); err != nil {
		t.Fatal(err)
	}
	want := events(filepath.Join(whole, "tb/lightning_logs/version_0"))
	for _, k := range []int{0, 4, 9} {
		dir := filepath.Join(root, fmt.Sprint(k))
		for _, at := range []int{k, 3, -1, -1} {
			if _, err := autoFit(t, dir, at, nil, loggers(dir)); err != nil && !errors.Is(err, errStop) {
				t.Fatal(err)
			}
		}
		got := events(filepath.Join(dir, "tb/lightning_logs/version_0"))
		for i, event := range got { // the configurations differ
			if i < len(want) && strings.Contains(event, "_hparams_") && strings.Contains(want[i], "_hparams_") {
				got[i] = want[i]
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("stopped in batch %d: %d events, want %d, or others", k, len(got), len(want))
		}
	}
}

// failAt is a callback that fails in its n-th training batch: before the step, when random numbers were drawn, or after it.
type failAt struct {
	Batch int  `cfg:"batch,required" help:"the batch, counted over all epochs; -1 for none"`
	After bool `cfg:"after" help:"fail after the step"`
}

func (f failAt) Build(*lighter.Env) (lighter.Callback, error) { return &failing{f}, nil }

type failing struct{ failAt }

var errFail = errors.New("failed by the test")

func (f *failing) BatchStart(t lighter.Trainer, _ lighter.Value, _ int) error {
	if t.Mode() == lighter.Train && f.Batch == 0 && !f.After {
		tensor.RandomInt64()
		return errFail
	}
	return nil
}

func (f *failing) BatchEnd(t lighter.Trainer, _ lighter.Output, _ int) error {
	if t.Mode() != lighter.Train {
		return nil
	}
	if f.Batch--; f.Batch == -1 && f.After {
		return errFail
	}
	return nil
}

func init() { lighter.Register[lighter.Callback]("test.FailAt", failAt{}) }

// TestResumeAfterAFailure: with save_on_exception the run goes on in the batch that failed, with the random numbers it had.
func TestResumeAfterAFailure(t *testing.T) {
	callbacks := "=trainer::callbacks=[{_target_: test.FailAt, batch: %d, after: %t}, " +
		"{_target_: pytorch_lightning.callbacks.ModelCheckpoint, save_last: true, save_on_exception: true, save_top_k: -1, save_on_train_epoch_end: true}]"
	for _, k := range []int{1, 2, 3} {
		accumulate := fmt.Sprintf("trainer::accumulate_grad_batches=%d", k)
		root := t.TempDir()
		r, err := autoFit(t, filepath.Join(root, "whole"), -1, nil, accumulate, fmt.Sprintf(callbacks, -1, false))
		if err != nil {
			t.Fatal(err)
		}
		want := remains(t, r.LogDir)
		for batch := k; batch < 14; batch += 2 + stride {
			for _, after := range []bool{false, true} {
				dir := filepath.Join(root, fmt.Sprint(batch, after))
				if _, err := autoFit(t, dir, -1, nil, accumulate, fmt.Sprintf(callbacks, batch, after)); !errors.Is(err, errFail) {
					t.Fatal(err)
				}
				r, err := autoFit(t, dir, -1, nil, accumulate, fmt.Sprintf(callbacks, -1, false))
				if err != nil {
					t.Fatal(err)
				}
				got := remains(t, r.LogDir)
				for _, what := range []string{"weights", "metrics.csv"} {
					if got[what] != want[what] {
						t.Errorf("windows of %d, failed at batch %d, after its step %t: other %s", k, batch, after, what)
					}
				}
			}
		}
	}
}

// saveAlways is a callback that saves a checkpoint at each of its hooks, n.ckpt.
type saveAlways struct{}

func (saveAlways) Build(*lighter.Env) (lighter.Callback, error) { return &savingAlways{}, nil }

type savingAlways struct{ n int }

func (*savingAlways) BestPath() string { return "" }
func (*savingAlways) LastPath() string { return "" }
func (*savingAlways) Dirpath() string  { return "" }

func (s *savingAlways) BatchEnd(t lighter.Trainer, _ lighter.Output, _ int) error {
	return s.EpochEnd(t)
}

func (s *savingAlways) EpochEnd(t lighter.Trainer) error {
	if t.SanityChecking() || t.Continues() {
		return nil
	}
	s.n++
	return t.SaveCheckpoint(filepath.Join(t.LogDir(), "checkpoints", fmt.Sprintf("%03d.ckpt", s.n)), false)
}

func init() { lighter.Register[lighter.Callback]("test.SaveAlways", saveAlways{}) }

func modified(t *testing.T, path string) time.Time {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.ModTime()
}

// TestResumeFromEveryMoment goes on from a checkpoint saved at each moment when a callback may save one, as after a kill there.
func TestResumeFromEveryMoment(t *testing.T) {
	always := "=trainer::callbacks=[{_target_: test.SaveAlways}, {_target_: pytorch_lightning.callbacks.ModelCheckpoint, save_last: true, %s}]"
	for name, overrides := range map[string][]any{
		"every n steps": {fmt.Sprintf(always, "every_n_train_steps: 2")},
		"accumulation":  {fmt.Sprintf(always, "save_top_k: 1"), "trainer::accumulate_grad_batches=2"},
		"validation":    {fmt.Sprintf(always, "save_on_train_epoch_end: false, save_top_k: 2, monitor: val/loss/epoch"), "trainer::val_check_interval=1.0"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			dir, backup := filepath.Join(root, "run"), filepath.Join(root, "backup")
			r, err := autoFit(t, dir, -1, nil, overrides...)
			if err != nil {
				t.Fatal(err)
			}
			checkpoints := filepath.Join(r.LogDir, "checkpoints")
			want := remains(t, r.LogDir)
			if err := os.Rename(dir, backup); err != nil {
				t.Fatal(err)
			}
			moments, _ := filepath.Glob(filepath.Join(backup, "*", "*", "checkpoints", "0*.ckpt"))
			if len(moments) < 20 {
				t.Fatalf("%d checkpoints", len(moments))
			}
			for i, path := range moments {
				if i%stride != len(name)%stride {
					continue
				}
				if err := os.RemoveAll(dir); err != nil {
					t.Fatal(err)
				}
				if err := os.CopyFS(dir, os.DirFS(backup)); err != nil {
					t.Fatal(err)
				}
				saved, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
				for _, file := range saved { // what the killed run had not saved yet is not there
					if modified(t, file).After(modified(t, path)) {
						os.Remove(filepath.Join(checkpoints, filepath.Base(file)))
					}
				}
				if r, err = autoFit(t, dir, -1, nil, overrides...); err != nil {
					t.Fatal(err)
				}
				got := remains(t, r.LogDir)
				got["files"] = want["files"]
				sameRemains(t, "from "+filepath.Base(path), got, want)
				if t.Failed() {
					return
				}
			}
		})
	}
}
