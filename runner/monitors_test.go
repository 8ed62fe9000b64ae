package runner_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
)

// loggedRow is what a logger was given. Counts are the values that no clock decides.
type loggedRow struct {
	Step   int64
	Epoch  *float64
	Names  []string
	Counts map[string]float64
}

// rowLogger keeps the rows of the callbacks that monitor a run, in order.
type rowLogger struct{}

var monitored []loggedRow

func (rowLogger) Build(*lighter.Env) (lighter.Logger, error) { return rowLogger{}, nil }
func (rowLogger) Dir() string                                { return filepath.Join(os.TempDir(), "rows") }
func (rowLogger) Open() error                                { return os.MkdirAll(rowLogger{}.Dir(), 0o777) }
func (rowLogger) LogHyperparams([]byte) error                { return nil }
func (rowLogger) Flush()                                     {}
func (rowLogger) Finalize(string) error                      { return os.RemoveAll(rowLogger{}.Dir()) }
func (rowLogger) LogMetrics(row []lighter.Scalar, step int64) error {
	r := loggedRow{Step: step, Names: []string{}, Counts: map[string]float64{}}
	for _, s := range row {
		switch {
		case s.Name == "epoch":
			r.Epoch = &s.Value
			continue
		case strings.Contains(s.Name, "loss") || strings.Contains(s.Name, "optimizer"):
			return nil // the model's own
		}
		r.Names = append(r.Names, s.Name)
		last := s.Name[strings.LastIndexAny(s.Name, "/.")+1:]
		if slices.Contains([]string{"batches", "samples", "lengths"}, last) {
			r.Counts[s.Name] = s.Value
		}
	}
	slices.Sort(r.Names)
	monitored = append(monitored, r)
	return nil
}

func init() { lighter.Register[lighter.Logger]("test.Rows", rowLogger{}) }

// TestMonitorsAsLightning compares the rows of the callbacks that watch the machine and the pace with Lightning's, which
// internal/callback/testdata/monitors.py noted.
func TestMonitorsAsLightning(t *testing.T) {
	data, err := os.ReadFile("../internal/callback/testdata/monitors.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name, Target        string
		Args, Trainer       object
		Fit, Validate, Test []loggedRow
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		for stage, want := range map[string][]loggedRow{"fit": c.Fit, "validate": c.Validate, "test": c.Test} {
			t.Run(c.Name+", "+stage, func(t *testing.T) {
				loader := func(start, stop, batch int) object {
					return object{
						"_target_": "torch.utils.data.DataLoader", "batch_size": batch,
						"dataset": object{"_target_": "lighter.datasets.Digits", "start": start, "stop": stop},
					}
				}
				callback := object{"_target_": c.Target}
				for k, v := range c.Args {
					callback[k] = v
				}
				trainer := object{
					"_target_": "pytorch_lightning.Trainer", "max_epochs": 2, "accelerator": "cpu", "enable_progress_bar": false, "enable_model_summary": false,
					"enable_checkpointing": false, "logger": object{"_target_": "test.Rows"}, "callbacks": []object{callback},
				}
				for k, v := range c.Trainer {
					trainer[k] = v
				}
				config := object{
					"trainer": trainer,
					"model": object{
						"_target_": "lighter.LighterModule", "network": object{"_target_": "torch.nn.Linear", "in_features": 64, "out_features": 10},
						"criterion": object{"_target_": "torch.nn.CrossEntropyLoss"},
						"optimizer": object{"_target_": "torch.optim.SGD", "params": "$@model::network.parameters()", "lr": 0.1},
					},
					"data": object{
						"_target_": "lighter.LighterDataModule", "train_dataloader": loader(0, 60, 8), "val_dataloader": loader(100, 140, 10),
						"test_dataloader": loader(100, 140, 10),
					},
				}
				monitored = nil
				run(t, stage, "", writeConfig(t, t.TempDir(), config))
				if len(monitored) != len(want) {
					t.Fatalf("%d rows, want %d\n%+v", len(monitored), len(want), monitored)
				}
				for i, w := range want {
					g := monitored[i]
					sameEpoch := (g.Epoch == nil) == (w.Epoch == nil) && (w.Epoch == nil || *g.Epoch == *w.Epoch)
					if g.Step != w.Step || !sameEpoch || !slices.Equal(g.Names, w.Names) || !equalCounts(g.Counts, w.Counts) {
						t.Fatalf("row %d is %+v, want %+v", i, g, w)
					}
				}
			})
		}
	}
}

func equalCounts(a, b map[string]float64) bool {
	for name, v := range b {
		if a[name] != v {
			return false
		}
	}
	return len(a) == len(b)
}
