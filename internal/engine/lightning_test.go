package engine

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/tensor"
)

// ready, started, processed, completed of an event in this epoch; a run's are the same here.
func event4(ready, started, processed, completed int) *torchfile.Dict {
	d := torchfile.NewDict("ready", ready, "started", started, "processed", processed, "completed", completed)
	return torchfile.NewDict("total", d, "current", d)
}

// checkpointOf is what a version of Lightning keeps of a fit's position, under the names it gave.
func checkpointOf(version string, names [2]string, epoch, batch *torchfile.Dict, last bool, val *torchfile.Dict) *torchfile.Dict {
	if batch != nil {
		batch.Set("is_last_batch", last)
	}
	steps := torchfile.NewDict("optimizer", torchfile.NewDict("step", torchfile.NewDict("total", torchfile.NewDict("ready", 7, "completed", 7))))
	fit := torchfile.NewDict("epoch_progress", epoch, "epoch_loop.batch_progress", batch, names[0], steps, names[1], val,
		"epoch_loop.state_dict", torchfile.NewDict("_batches_that_stepped", 6))
	return torchfile.NewDict("epoch", 3, "global_step", 9, "pytorch-lightning_version", version, "loops", torchfile.NewDict("fit_loop", fit))
}

// TestPositionOfLightnings covers the moments at which Lightning's versions save, in a fit of five batches an epoch and two
// batches a step.
func TestPositionOfLightnings(t *testing.T) {
	today := [2]string{"epoch_loop.automatic_optimization.optim_progress", "epoch_loop.val_loop.batch_progress"}
	old := [2]string{"epoch_loop.batch_loop.optimizer_loop.optim_progress", "epoch_loop.val_loop.epoch_loop.batch_progress"}
	for _, c := range []struct {
		name string
		root *torchfile.Dict
		want string // epoch, global step, batches that stepped, where it goes on
	}{
		{"an epoch's end", checkpointOf("2.6.6", today, event4(3, 3, 3, 2), event4(5, 5, 5, 5), true, event4(2, 2, 2, 2)), "3 7 6 epoch"},
		{"between two epochs", checkpointOf("2.6.6", today, event4(3, 3, 3, 3), event4(5, 5, 5, 5), true, event4(2, 2, 2, 2)), "3 7 6 epoch"},
		{"an epoch's start", checkpointOf("2.6.6", today, event4(3, 2, 2, 2), event4(5, 5, 5, 5), true, event4(2, 2, 2, 2)), "2 7 6 epoch"},
		{"before the first batch", checkpointOf("2.6.6", today, event4(3, 3, 2, 2), event4(0, 0, 0, 0), false, event4(0, 0, 0, 0)), "2 7 6 epoch"},
		{"after a batch", checkpointOf("2.6.6", today, event4(3, 3, 2, 2), event4(2, 2, 2, 1), false, event4(0, 0, 0, 0)), "2 7 6 batch 2"},
		{"after the last batch", checkpointOf("2.6.6", today, event4(3, 3, 2, 2), event4(5, 5, 5, 4), true, event4(0, 0, 0, 0)), "3 7 7 epoch"},
		{"a validation's end", checkpointOf("2.6.6", today, event4(3, 3, 2, 2), event4(4, 4, 4, 4), false, event4(2, 2, 2, 2)), "2 7 7 between 4"},
		{"a validation's end in a window", checkpointOf("2.6.6", today, event4(3, 3, 2, 2), event4(3, 3, 3, 3), false, event4(2, 2, 2, 2)), "2 7 6 between 3"},
		{"the last validation's end", checkpointOf("2.6.6", today, event4(3, 3, 2, 2), event4(5, 5, 5, 5), true, event4(2, 2, 2, 2)), "3 7 7 epoch"},
		{"within a validation", checkpointOf("2.6.6", today, event4(3, 3, 2, 2), event4(5, 5, 5, 5), true, event4(2, 2, 1, 1)), "2 7 6 batch 5"},
		{"an exception in a batch", checkpointOf("2.6.6", today, event4(3, 3, 2, 2), event4(3, 3, 2, 2), false, event4(0, 0, 0, 0)), "2 7 6 between 2"},
		{"fewer batches than before", checkpointOf("2.6.6", today, event4(3, 3, 2, 2), event4(8, 8, 8, 7), false, event4(0, 0, 0, 0)), "3 7 7 epoch"},
		{"1.9", checkpointOf("1.9.0", old, event4(3, 3, 2, 2), event4(4, 4, 4, 3), false, event4(0, 0, 0, 0)), "2 7 6 batch 4"},
		{"1.6 pre-release", checkpointOf("1.6.0rc1", old, event4(3, 3, 3, 2), event4(5, 5, 5, 5), true, event4(2, 2, 2, 2)), "3 7 6 epoch"},
		{"1.5, whose epoch is the next", checkpointOf("1.5.10", old, event4(3, 3, 3, 2), event4(5, 5, 5, 5), true, event4(2, 2, 2, 2)), "3 9 9 epoch"},
		{"1.0, without loops", torchfile.NewDict("epoch", 4, "global_step", 12, "pytorch-lightning_version", "1.0.8"), "4 12 12 epoch"},
		{"counts that are none", checkpointOf("2.6.6", today, torchfile.NewDict("current", 3), torchfile.NewDict("current", torchfile.NewDict("ready", -4)), false, nil), "0 7 6 epoch"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := tensor.Open()
			defer s.Close()
			var log bytes.Buffer
			tr := &Trainer{stage: "fit", log: zerolog.New(&log), saver: &saver{}}
			tr.args.AccumulateGradBatches = 2
			tr.loops[lighter.Train].batches = []int{5}
			var file bytes.Buffer
			if err := torchfile.Write(&file, c.root); err != nil {
				t.Fatal(err)
			}
			read, err := torchfile.Read(bytes.NewReader(file.Bytes()), int64(file.Len()))
			if err != nil {
				t.Fatal(err)
			}
			root := read.(*torchfile.Dict)
			epoch, _ := get[int64](root, "epoch")
			tr.state.Epoch = int(epoch)
			tr.state.GlobalStep, _ = get[int64](root, "global_step")
			l := loopsOf(root)
			tr.restoreProgress(l)
			tr.restoreLoops(l)
			got := fmt.Sprint(tr.state.Epoch, tr.state.GlobalStep, tr.state.Stepped, " epoch")
			if tr.resume != nil {
				got = fmt.Sprint(tr.state.Epoch, tr.state.GlobalStep, tr.state.Stepped, " ", tr.resume.phase, " ", tr.resume.batch)
				tr.resume.free()
			}
			if got != c.want {
				t.Errorf("goes on at %s, want %s", got, c.want)
			}
			if warned := bytes.Contains(log.Bytes(), []byte("ended before the epoch ended")); warned != (tr.resume != nil) {
				t.Errorf("the log says %s", log.Bytes())
			}
		})
	}
}

func TestKeysOfCallbacks(t *testing.T) {
	for key, want := range map[string]string{
		"EarlyStopping{'monitor': 'loss', 'mode': 'min'}":                                         "EarlyStopping{'monitor': 'loss', 'mode': 'min'}",
		"pytorch_lightning.callbacks.early_stopping.EarlyStopping":                                "EarlyStopping",
		"ModelCheckpoint{'monitor': None, 'every_n_epochs': 1, 'save_on_train_epoch_end': None}":  "ModelCheckpoint{'monitor': None, 'every_n_epochs': 1}",
		"ModelCheckpoint{'monitor': None, 'train_time_interval': None, 'save_on_train_epoch': 1}": "ModelCheckpoint{'monitor': None, 'train_time_interval': None, 'save_on_train_epoch': 1}",
	} {
		if got := stateKey(key); got != want {
			t.Errorf("%s is %s, want %s", key, got, want)
		}
	}
}
