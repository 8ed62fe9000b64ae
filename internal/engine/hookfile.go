package engine

import (
	"fmt"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/checkpoint"
	"github.com/lighter-go/lighter/internal/safetensors"
	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/internal/weights"
	"github.com/lighter-go/lighter/tensor"
)

// What hooks have in a checkpoint: the data module's state under its class's name, and what on_save_checkpoint adds.

// ownKeys are those of a checkpoint that hooks do not change.
var ownKeys = []string{"pytorch-lightning_version", "loops", "callbacks", "optimizer_states", "lr_schedulers", scalerKey, ownKey, "hparams_name", "hyper_parameters"}

// loadModel gives a checkpoint to the hooks that change it, and its weights to the model.
func (t *Trainer) loadModel(f *checkpoint.File) error {
	hooks := t.hooks.calls[onLoadCheckpoint]
	var c lighter.Checkpoint
	if len(hooks) > 0 {
		var err error
		if c, err = fileCheckpoint(f); err != nil {
			return err
		}
	}
	for _, h := range hooks { // the model's comes first here
		if h.callback == len(t.callbacks) {
			if _, err := t.callOne(onLoadCheckpoint, h, []lighter.Value{c}); err != nil {
				return err
			}
			if err := setWeights(f, c); err != nil {
				return err
			}
		}
	}
	if err := weights.Load(t.model.Tree(), f, t.log); err != nil {
		return err
	}
	if f.Root != nil && t.hooks.has(loadStateDict) {
		if d, ok := get[*torchfile.Dict](f.Root, t.class(t.data)); ok {
			v, err := fromFile(d)
			if err != nil {
				return err
			}
			if err := t.call(loadStateDict, v); err != nil {
				return err
			}
		}
	}
	for _, h := range hooks {
		if h.callback < len(t.callbacks) {
			if _, err := t.callOne(onLoadCheckpoint, h, []lighter.Value{c}); err != nil {
				return err
			}
		}
	}
	return nil
}

// fileCheckpoint is a file as hooks see it. Its tensors belong to the innermost scope.
func fileCheckpoint(f *checkpoint.File) (lighter.Checkpoint, error) {
	c, state := lighter.Checkpoint{}, lighter.Dict{}
	for _, w := range f.Weights {
		v, err := weights.ToTensor(w.Tensor)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", w.Name, err)
		}
		state[w.Name] = v
	}
	if f.Root != nil && f.Key != "" {
		for k, v := range f.Root.All() {
			if k == f.Key || k == ownKey {
				continue
			}
			x, err := fromFile(v)
			if err != nil {
				return nil, err
			}
			c[fmt.Sprint(k)] = x
		}
	}
	c["state_dict"] = state
	return c, nil
}

// setWeights takes over the weights of a checkpoint that a hook has been given.
func setWeights(f *checkpoint.File, c lighter.Checkpoint) error {
	state, ok := c["state_dict"].(lighter.Dict)
	if !ok {
		return fmt.Errorf("on_load_checkpoint: state_dict must be a dict, got %s", lighter.TypeName(c["state_dict"]))
	}
	var names []string
	for _, w := range f.Weights {
		names = append(names, w.Name)
	}
	f.Weights = nil
	return eachTensor(state, names, func(name string, x tensor.Tensor) {
		f.Weights = append(f.Weights, safetensors.Tensor{Name: name, Tensor: fromTensor(x)})
	})
}

// eachTensor visits a state dict, its known names first and in their order.
func eachTensor(state lighter.Dict, known []string, visit func(string, tensor.Tensor)) error {
	var more []string
	for name := range state {
		if !slices.Contains(known, name) {
			more = append(more, name)
		}
	}
	slices.Sort(more)
	for _, name := range append(known, more...) {
		v, ok := state[name]
		if !ok {
			continue
		}
		x, ok := v.(tensor.Tensor)
		if !ok {
			return fmt.Errorf("state_dict[%q] must be a Tensor, got %s", name, lighter.TypeName(v))
		}
		visit(name, x)
	}
	return nil
}

// saveHooks adds to a checkpoint what the data module and the hooks have to save.
func (t *Trainer) saveHooks(root *torchfile.Dict, weightsOnly bool) error {
	if v, ok, err := t.callLast(stateDictHook); err != nil {
		return err
	} else if d, isDict := v.(lighter.Dict); ok && isDict && len(d) > 0 {
		root.Set(t.class(t.data), toFile(d))
	}
	hooks := t.hooks.calls[onSaveCheckpoint]
	if len(hooks) == 0 {
		return nil
	}
	state, names := lighter.Dict{}, []string(nil)
	for _, e := range t.model.Tree().State() {
		state[e.Name], names = e.Value, append(names, e.Name)
	}
	c := lighter.Checkpoint{"state_dict": state, "epoch": int64(t.state.Epoch), "global_step": t.state.GlobalStep}
	for _, h := range hooks {
		if h.callback < len(t.callbacks) && weightsOnly { // in Lightning they are called for whole checkpoints only
			continue
		}
		if _, err := t.callOne(onSaveCheckpoint, h, []lighter.Value{c}); err != nil {
			return err
		}
	}
	given, ok := c["state_dict"].(lighter.Dict)
	if !ok {
		return fmt.Errorf("on_save_checkpoint: state_dict must be a dict, got %s", lighter.TypeName(c["state_dict"]))
	}
	var saved []lighter.Named
	if err := eachTensor(given, names, func(name string, x tensor.Tensor) {
		saved = append(saved, lighter.Named{Name: name, Value: x})
	}); err != nil {
		return fmt.Errorf("on_save_checkpoint: %w", err)
	}
	root.Set("state_dict", stateDict(saved))
	for k, v := range c {
		if k == "state_dict" || k == "epoch" || k == "global_step" {
			continue
		}
		if slices.Contains(ownKeys, k) {
			return fmt.Errorf("on_save_checkpoint: the key %q is the Trainer's: choose another one", k)
		}
		root.Set(k, toFile(v))
	}
	return nil
}
