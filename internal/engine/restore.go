package engine

import (
	"errors"
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/tensor"
)

// load restores a stage from a checkpoint: the weights, and for a fit everything else that it holds.
func (t *Trainer) load(path string, weightsOnly bool) (err error) {
	s := tensor.Open()
	defer s.Close()
	defer func() {
		if err != nil {
			err = &Error{Code: ExitCheckpoint, Err: fmt.Errorf("load %s: %w", path, err)}
		}
	}()
	defer tensor.Recover(&err)
	f, err := torchfile.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	root, ok := f.Root.(*torchfile.Dict)
	if !ok {
		return errors.New("not a Lightning checkpoint: it holds no dict")
	}
	weights, ok := get[*torchfile.Dict](root, "state_dict")
	if !ok {
		return errors.New("not a Lightning checkpoint: it has no state_dict")
	}
	state := map[string]tensor.Tensor{}
	for k, v := range weights.All() {
		ft, ok := v.(*torchfile.Tensor)
		if !ok {
			continue
		}
		if state[fmt.Sprint(k)], err = toTensor(ft); err != nil {
			return err
		}
	}
	if err := t.model.Tree().LoadState(state, true); err != nil {
		return err
	}
	t.resumed = path
	if t.stage != "fit" || weightsOnly {
		return nil
	}
	return t.restore(root)
}

func (t *Trainer) restore(root *torchfile.Dict) error {
	states, ok := get[[]any](root, "optimizer_states")
	if !ok || len(states) == 0 {
		return errors.New("it holds no optimizer state: it was saved with weights only (--weights_only loads just those)")
	}
	o, err := optimizerFromFile(states[0])
	if err != nil {
		return err
	}
	if err := t.optimizer.LoadStateDict(o); err != nil {
		return err
	}
	if schedulers, ok := get[[]any](root, "lr_schedulers"); ok && t.schedule != nil {
		if len(schedulers) != 1 {
			return fmt.Errorf("it holds the state of %d schedulers, the configuration has one", len(schedulers))
		}
		v, err := fromFile(schedulers[0])
		if err != nil {
			return err
		}
		state, ok := v.(lighter.Dict)
		if !ok {
			return errors.New("its scheduler state is no dict")
		}
		if err := t.schedule.Scheduler.LoadStateDict(state); err != nil {
			return err
		}
	}
	if d, ok := get[*torchfile.Dict](root, scalerKey); ok && t.scaler != nil {
		t.scaler.load(d)
	}
	epoch, _ := get[int64](root, "epoch")
	t.state.GlobalStep, _ = get[int64](root, "global_step")
	t.state.Epoch, t.state.Stepped = int(epoch)+1, t.state.GlobalStep // Lightning's checkpoints are taken for those of an epoch's end
	if own, ok := get[*torchfile.Dict](root, ownKey); ok {
		t.state.Epoch = int(epoch)
		if err := t.restorePosition(own); err != nil {
			return err
		}
	}
	saved, _ := get[*torchfile.Dict](root, "callbacks")
	for _, c := range t.callbacks {
		s, ok := c.(lighter.Stateful)
		if !ok || saved == nil {
			continue
		}
		if d, ok := get[*torchfile.Dict](saved, s.StateKey()); ok {
			v, err := fromFile(d)
			if err != nil {
				return err
			}
			if err := s.LoadStateDict(v.(lighter.Dict)); err != nil {
				return err
			}
		}
	}
	return nil
}

func optimizerFromFile(v any) (lighter.OptimizerState, error) {
	o := lighter.OptimizerState{State: map[int][]lighter.NamedValue{}}
	d, ok := v.(*torchfile.Dict)
	if !ok {
		return o, errors.New("its optimizer state is no dict")
	}
	if state, ok := get[*torchfile.Dict](d, "state"); ok {
		for k, v := range state.All() {
			i, isInt := k.(int64)
			values, isDict := v.(*torchfile.Dict)
			if !isInt || !isDict {
				return o, errors.New("its optimizer state is not PyTorch's")
			}
			for name, v := range values.All() {
				x, err := fromFile(v)
				if err != nil {
					return o, err
				}
				o.State[int(i)] = append(o.State[int(i)], lighter.NamedValue{Name: fmt.Sprint(name), Value: x})
			}
		}
	}
	groups, _ := get[[]any](d, "param_groups")
	for _, g := range groups {
		gd, ok := g.(*torchfile.Dict)
		if !ok {
			return o, errors.New("its optimizer state is not PyTorch's")
		}
		var gs lighter.GroupState
		for k, v := range gd.All() {
			if k == "params" {
				items, _ := v.([]any)
				for _, p := range items {
					n, _ := p.(int64)
					gs.Params = append(gs.Params, int(n))
				}
				continue
			}
			x, err := fromFile(v)
			if err != nil {
				return o, err
			}
			gs.Options = append(gs.Options, lighter.Option{Name: fmt.Sprint(k), Value: option(x)})
		}
		o.Groups = append(o.Groups, gs)
	}
	return o, nil
}
