package engine

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/tensor"
)

// The layout is PyTorch Lightning 2.6's, so that it resumes from ours and we from its. What Lightning does not keep (the
// generator's state) goes under a key of our own, which it ignores.
const (
	lightningVersion = "2.6.6"
	ownKey           = "lighter"
)

// SaveCheckpoint writes the run's state to path, whole or not at all.
func (t *Trainer) SaveCheckpoint(path string, weightsOnly bool) error {
	s := tensor.Open()
	defer s.Close()
	root := torchfile.NewDict(
		"epoch", int64(t.state.Epoch),
		"global_step", t.state.GlobalStep,
		"pytorch-lightning_version", lightningVersion,
		"state_dict", stateDict(t.model.Tree()),
	)
	if !weightsOnly {
		root.Set("loops", t.loopState())
		root.Set("callbacks", t.callbackState())
		root.Set("optimizer_states", []any{optimizerState(t.optimizer.StateDict())})
		schedulers := []any{}
		if t.schedule != nil {
			schedulers = append(schedulers, toFile(t.schedule.Scheduler.StateDict()))
		}
		root.Set("lr_schedulers", schedulers)
		if t.scaler != nil {
			root.Set(scalerKey, t.scaler.state())
		}
		root.Set(ownKey, t.positionState())
	}
	root.Set("hparams_name", "kwargs")
	root.Set("hyper_parameters", torchfile.NewDict("config", t.config.dict))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return &Error{Code: ExitCheckpoint, Err: fmt.Errorf("save checkpoint: %w", err)}
	}
	if err := torchfile.Save(path, root); err != nil {
		return &Error{Code: ExitCheckpoint, Err: fmt.Errorf("save checkpoint: %w", err)}
	}
	return nil
}

func stateDict(n *lighter.Node) *torchfile.Dict {
	d := &torchfile.Dict{Kind: torchfile.OrderedDict}
	shared := map[tensor.Tensor]*torchfile.Tensor{}
	for _, e := range n.State() {
		f, ok := shared[e.Value]
		if !ok {
			f = fromTensor(e.Value)
			shared[e.Value] = f
		}
		d.Set(e.Name, f)
	}
	return d
}

func optimizerState(o lighter.OptimizerState) *torchfile.Dict {
	state := torchfile.NewDict()
	for _, i := range slices.Sorted(maps.Keys(o.State)) {
		values := torchfile.NewDict()
		for _, v := range o.State[i] {
			values.Set(v.Name, toFile(v.Value))
		}
		state.Set(int64(i), values)
	}
	var groups []any
	for _, g := range o.Groups {
		d := torchfile.NewDict()
		for _, opt := range g.Options {
			d.Set(opt.Name, toFile(opt.Value))
		}
		params := make([]any, len(g.Params))
		for i, p := range g.Params {
			params[i] = int64(p)
		}
		d.Set("params", params)
		groups = append(groups, d)
	}
	return torchfile.NewDict("state", state, "param_groups", groups)
}

func (t *Trainer) callbackState() *torchfile.Dict {
	d := torchfile.NewDict()
	for _, c := range t.callbacks {
		if s, ok := c.(lighter.Stateful); ok {
			d.Set(s.StateKey(), toFile(s.StateDict()))
		}
	}
	return d
}

// loopState is Lightning's progress of the fit loop. A checkpoint is saved when the last batch of an epoch is done and the
// epoch is not yet counted as completed.
func (t *Trainer) loopState() *torchfile.Dict {
	epoch, batches := int64(t.state.Epoch), t.loops[lighter.Train]
	done := int64(batches.batch)
	progress := func(total, current, completed int64, last bool) *torchfile.Dict {
		count := func(n int64) *torchfile.Dict {
			return torchfile.NewDict("ready", n, "started", n, "processed", n, "completed", n-completed)
		}
		d := torchfile.NewDict("total", count(total), "current", count(current))
		if last {
			d.Set("is_last_batch", batches.batch == batches.numBatches())
		}
		return d
	}
	steps := func(total, current int64) *torchfile.Dict {
		count := func(n int64) *torchfile.Dict { return torchfile.NewDict("ready", n, "completed", n) }
		return torchfile.NewDict("total", count(total), "current", count(current))
	}
	fit := torchfile.NewDict(
		"state_dict", torchfile.NewDict(),
		"epoch_loop.state_dict", torchfile.NewDict("_batches_that_stepped", t.state.Stepped),
		"epoch_loop.batch_progress", progress(batches.total, done, 0, true),
		"epoch_loop.scheduler_progress", steps(0, 0),
		"epoch_loop.automatic_optimization.state_dict", torchfile.NewDict(),
		"epoch_loop.automatic_optimization.optim_progress", torchfile.NewDict("optimizer", torchfile.NewDict(
			"step", steps(t.state.GlobalStep, t.state.GlobalStep),
			"zero_grad", torchfile.NewDict(
				"total", torchfile.NewDict("ready", t.state.GlobalStep, "started", t.state.GlobalStep, "completed", t.state.GlobalStep),
				"current", torchfile.NewDict("ready", t.state.GlobalStep, "started", t.state.GlobalStep, "completed", t.state.GlobalStep)))),
		"epoch_loop.manual_optimization.state_dict", torchfile.NewDict(),
		"epoch_loop.manual_optimization.optim_step_progress", steps(0, 0),
		"epoch_loop.val_loop.state_dict", torchfile.NewDict(),
		"epoch_loop.val_loop.batch_progress", progress(t.loops[lighter.Val].total, 0, 0, true),
		"epoch_progress", progress(epoch+1, epoch+1, 1, false),
	)
	return torchfile.NewDict("fit_loop", fit)
}
