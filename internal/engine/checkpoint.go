package engine

import (
	"maps"
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

// SaveCheckpoint implements lighter.Trainer.
func (t *Trainer) SaveCheckpoint(path string, weightsOnly bool) error {
	defer t.profile(saveCheckpoint)()
	s := tensor.Open()
	defer s.Close()
	states, logged := t.logStates()
	root, err := t.checkpoint(states, weightsOnly)
	if err != nil {
		return err
	}
	snap, err := torchfile.NewSnapshot(root)
	if err != nil {
		return failed(err)
	}
	if !weightsOnly {
		t.saved = savedState{path, t.standing()}
	}
	return t.saver.save(path, snap, logged)
}

// Checkpoints changes the files of checkpoints.
func (t *Trainer) Checkpoints() lighter.CheckpointFiles { return t.saver }

// checkpoint is what a file holds. Its tensors belong to the run and to the innermost scope.
func (t *Trainer) checkpoint(logs lighter.List, weightsOnly bool) (*torchfile.Dict, error) {
	root := torchfile.NewDict(
		"epoch", int64(t.state.Epoch),
		"global_step", t.state.GlobalStep,
		"pytorch-lightning_version", lightningVersion,
		"state_dict", stateDict(t.model.Tree().State()),
		"loops", t.loopState(),
	)
	if !weightsOnly {
		root.Set("callbacks", t.callbackState())
		optimizers, schedulers := []any{}, []any{}
		for _, o := range t.optimizers {
			optimizers = append(optimizers, optimizerState(o.o.StateDict()))
		}
		for _, s := range t.schedules {
			schedulers = append(schedulers, toFile(s.Scheduler.StateDict()))
		}
		root.Set("optimizer_states", optimizers)
		root.Set("lr_schedulers", schedulers)
		if t.scaler != nil {
			root.Set(scalerKey, t.scaler.state())
		}
		root.Set(ownKey, t.positionState(logs))
	}
	t.saveLearnt(root)
	if err := t.saveHooks(root, weightsOnly); err != nil {
		return nil, err
	}
	root.Set("hparams_name", "kwargs")
	root.Set("hyper_parameters", torchfile.NewDict("config", t.config.dict))
	if !weightsOnly {
		t.saveAverage(root)
	}
	return root, nil
}

func stateDict(state []lighter.Named) *torchfile.Dict {
	d := &torchfile.Dict{Kind: torchfile.OrderedDict}
	shared := map[tensor.Tensor]*torchfile.Tensor{}
	for _, e := range state {
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
			if state := s.StateDict(); state != nil {
				d.Set(s.StateKey(), toFile(state))
			}
		}
	}
	return d
}
