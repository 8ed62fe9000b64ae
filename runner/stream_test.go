package runner_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/runner"
	"github.com/lighter-go/lighter/tensor"
)

// streamed is a dataset as one whose samples only come one after the other, shuffled where that is asked for, with noise that each
// sample draws.
type streamed struct {
	Dataset lighter.Dataset `cfg:"dataset,required" help:"the samples"`
	Shuffle bool            `cfg:"shuffle" help:"an order for each epoch"`
	Noise   float64         `cfg:"noise" help:"the most that is added to a sample"`
	Sized   bool            `cfg:"sized" help:"the length is known"`
}

func (s streamed) Build(*lighter.Env) (lighter.IterableDataset, error) {
	if s.Sized {
		return sizedStream{s}, nil
	}
	return s, nil
}

type sizedStream struct{ streamed }

func (s sizedStream) Len() int { return s.Dataset.Len() }

func (s streamed) Stream(r lighter.Rand) (lighter.Stream, error) {
	run := &streamRun{streamed: s}
	if s.Shuffle {
		run.order = r.Perm(s.Dataset.Len())
	}
	return run, nil
}

type streamRun struct {
	streamed
	order []int64
	at    int
}

func (s *streamRun) Next() (p lighter.Pending, ok bool, err error) {
	i := s.at
	if i == s.Dataset.Len() {
		return p, false, nil
	}
	s.at++
	if s.order != nil {
		i = int(s.order[i])
	}
	return lighter.Pending{Where: fmt.Sprintf("shard-0.tar: %d.png", i), Make: func(r lighter.Rand) (lighter.Value, error) {
		v, err := s.Dataset.Item(i)
		if err != nil || s.Noise == 0 {
			return v, err
		}
		pair := v.(lighter.List)
		return lighter.List{pair[0].(tensor.Tensor).AddScalar(r.Uniform(0, s.Noise)), pair[1]}, nil
	}}, true, nil
}

func (s *streamRun) Close() error { return nil }

func init() { lighter.Register[lighter.IterableDataset]("test.Stream", streamed{}) }

// stream is the resume configuration's training data, streamed.
func stream(arguments string) string {
	return "=data::train_dataloader={_target_: torch.utils.data.DataLoader, batch_size: 8, dataset: {_target_: test.Stream, dataset: {_target_: lighter.datasets.Digits, start: 0, stop: 36}" + arguments + "}}"
}

// A loader that does not know its length trains as one that does: the last accumulation window, the scheduler, the validations and
// the rows that are written.
func TestUnknownLengthChangesNothing(t *testing.T) {
	inOrder := "data::train_dataloader::shuffle=false"
	for name, overrides := range map[string][]any{
		"accumulation":            {"trainer::accumulate_grad_batches=2", "trainer::val_check_interval=1.0"},
		"a window beyond the end": {"trainer::accumulate_grad_batches=7", "trainer::val_check_interval=1.0"},
		"validation by batches":   {"trainer::val_check_interval=2", "trainer::accumulate_grad_batches=3"},
		"over epochs":             {"trainer::val_check_interval=7", "trainer::check_val_every_n_epoch=null"},
		"a limit":                 {"trainer::limit_train_batches=3", "trainer::val_check_interval=1.0", "trainer::accumulate_grad_batches=2"},
		"a limit beyond the end":  {"trainer::limit_train_batches=50", "trainer::val_check_interval=1.0", "trainer::accumulate_grad_batches=2"},
		"a scheduler":             {"trainer::val_check_interval=1.0", "model::scheduler={_target_: torch.optim.lr_scheduler.StepLR, optimizer: '@model::optimizer', step_size: 1}"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			whole, err := fit(t, dir, "", append(overrides, inOrder)...)
			if err != nil {
				t.Fatal(err)
			}
			for _, data := range []string{stream(""), stream(", sized: true")} {
				got, err := fit(t, dir, "", append(overrides, data)...)
				if err != nil {
					t.Fatal(err)
				}
				for series, worst := range compareSeries(t, filepath.Join(whole, "metrics.csv"), filepath.Join(got, "metrics.csv"), 0, nil) {
					if worst != 0 {
						t.Errorf("%s differs by %g", series, worst)
					}
				}
			}
		})
	}
}

func TestUnknownLengthConflicts(t *testing.T) {
	for want, override := range map[string]string{
		"when using an IterableDataset for `train_dataloader`, `Trainer(val_check_interval)` must be time based, `1.0` or an int. An int k specifies checking validation every k training batches": "trainer::val_check_interval=0.5",
		"when using an `IterableDataset`, `Trainer(limit_train_batches)` must be `1.0` or an int. An int specifies `num_train_batches` to use":                                                     "trainer::limit_train_batches=0.5",
		"DataLoader with IterableDataset: expected unspecified shuffle option, but got shuffle=True":                                                                                               "data::train_dataloader::shuffle=true",
	} {
		_, err := fit(t, t.TempDir(), "", stream(""), override)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", override, err, want)
		}
	}
}

// A fault of a sample ends a run with exit code 3 and says which sample it is, where it lies, and what would be right.
func TestFaultsOfSamples(t *testing.T) {
	table := func(x, y string) string {
		return fmt.Sprintf("=data::train_dataloader={_target_: torch.utils.data.DataLoader, batch_size: 2, num_workers: 1, dataset: {_target_: torch.utils.data.ConcatDataset, datasets: [{_target_: torch.utils.data.TensorDataset, _args_: [%s, %s]}]}}", x, y)
	}
	zeros := "{_target_: torch.zeros, _args_: [4, 64]}"
	for _, c := range []struct{ data, want string }{
		{table(zeros, "{_target_: torch.tensor, data: [0, 9, 3, 10]}"), "train, epoch 0, batch 1: sample 3: Target 10 is out of bounds: the prediction has 10 classes, so targets must be from 0 to 9"},
		{table(zeros, "{_target_: torch.tensor, data: [-1, 9, 3, 1]}"), "train, epoch 0, batch 0: sample 0: Target -1 is out of bounds"},
		{table("{_target_: torch.full, size: [4, 64], fill_value: .nan}", "{_target_: torch.tensor, data: [0, 1, 2, 3]}"), "sample 0: the loss is NaN because the data is"},
		{"=data::train_dataloader::dataset={_target_: torch.utils.data.TensorDataset, _args_: [{_target_: torch.zeros, _args_: [0, 64]}]}", "is empty: there is nothing to load"},
		{"data::train_dataloader={batch_size: 50, drop_last: true}", "batch_size=50 with drop_last leaves no batch of 36 samples"},
	} {
		_, err := runner.Run(context.Background(), "fit", "testdata/resume.yaml", "trainer::logger=false", "trainer::enable_checkpointing=false", "~trainer::callbacks", "~model::train_metrics", "trainer::limit_val_batches=0", c.data)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.data, err, c.want)
			continue
		}
		if code := runner.ExitCode(err); code != runner.ExitData {
			t.Errorf("%s: exit code %d, want 3", c.data, code)
		}
	}
}
