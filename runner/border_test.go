package runner_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/runner"
)

// countedSamples is a dataset that counts the samples it makes.
type countedSamples struct {
	Dataset lighter.Dataset `cfg:"dataset,required" help:"the samples"`
}

var samplesMade atomic.Int64

func (c countedSamples) Build(*lighter.Env) (lighter.Dataset, error) { return c, nil }

func (c countedSamples) Len() int { return c.Dataset.Len() }

func (c countedSamples) Item(i int) (lighter.Value, error) {
	samplesMade.Add(1)
	return c.Dataset.Item(i)
}

// border waits, when a training epoch ends and another is to come, for that one's first batch.
type border struct {
	Samples int `cfg:"samples,required" help:"of an epoch"`
}

var borders atomic.Int64

func (b border) Build(*lighter.Env) (lighter.Callback, error) { return b, nil }

func (b border) EpochEnd(t lighter.Trainer) error {
	if t.Mode() != lighter.Train || t.Epoch()+1 == t.MaxEpochs() {
		return nil
	}
	want := int64(b.Samples*(t.Epoch()+1)) + 1
	for end := time.Now().Add(20 * time.Second); samplesMade.Load() < want; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("no sample of epoch %d is made when the one before ends", t.Epoch()+1)
		}
	}
	borders.Add(1)
	return nil
}

func init() {
	lighter.Register[lighter.Dataset]("test.Counted", countedSamples{})
	lighter.Register[lighter.Callback]("test.Border", border{})
}

// The first batch of an epoch is loaded before the epoch before it is over, whatever draws random numbers in between, and the
// numbers are those of a fit that loads each batch when it is asked for.
func TestNoGapBetweenEpochs(t *testing.T) {
	for name, overrides := range map[string][]any{
		"steps draw":         {"trainer::limit_val_batches=0"},
		"validation":         {},
		"nothing draws":      {"trainer::limit_val_batches=0", "model::network::_args_::1::p=0.0"},
		"workers":            {"data::train_dataloader::num_workers=2"},
		"workers, in order":  {"data::train_dataloader::num_workers=2", "data::train_dataloader::shuffle=false"},
		"a limit of batches": {"trainer::limit_train_batches=3", "data::train_dataloader::num_workers=1", "data::train_dataloader::prefetch_factor=1"},
	} {
		t.Run(name, func(t *testing.T) {
			run := func(more ...any) float64 {
				inputs := append([]any{"testdata/resume.yaml", "trainer::logger=false", "trainer::enable_checkpointing=false", "trainer::val_check_interval=1.0", "trainer::max_epochs=4"}, overrides...)
				r, err := runner.Run(context.Background(), "fit", append(inputs, more...)...)
				if err != nil {
					t.Fatal(err)
				}
				return r.Metrics[0]["train/loss/epoch"]
			}
			dataset := "=data::train_dataloader::dataset={_target_: test.Counted, dataset: {_target_: lighter.datasets.Digits, start: 0, stop: 36}}"
			samples := 36
			if name == "a limit of batches" {
				samples = 24
			}
			samplesMade.Store(0)
			borders.Store(0)
			got := run(dataset, fmt.Sprintf("=trainer::callbacks=[{_target_: test.Border, samples: %d}]", samples))
			if borders.Load() != 3 {
				t.Errorf("%d borders, want 3", borders.Load())
			}
			if want := run("=trainer::callbacks=[]"); got != want || got == 0 {
				t.Errorf("the loss is %v, in memory it is %v", got, want)
			}
		})
	}
}
