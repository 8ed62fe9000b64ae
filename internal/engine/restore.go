package engine

import (
	"errors"
	"fmt"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/checkpoint"
	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/internal/weights"
	"github.com/lighter-go/lighter/tensor"
)

// load restores a stage from a checkpoint: the weights, and for a fit everything else. weightsOnly lets a fit begin with a file
// that holds weights alone; a file that holds a fit is gone on with all the same, as in Lightning, whose flag of this name says
// how files are read.
func (t *Trainer) load(path string, weightsOnly bool) error {
	f, err := checkpoint.Open(path)
	if err != nil {
		return loadError(path, err)
	}
	defer f.Close()
	t.goesOn = t.stage == "fit" && (!weightsOnly || holdsFit(f))
	err = loading(path, func() error {
		if t.goesOn && f.Kind != checkpoint.Lightning {
			return fmt.Errorf("it holds no state of a fit to go on with, only weights (%s, %s): --weights_only loads those", f.Kind, f.Format)
		}
		return t.loadModel(f)
	})
	if err != nil {
		return err
	}
	t.resumed = path
	if err := t.begin(savedWithin(f.Root)); err != nil || t.stage != "fit" {
		return err
	}
	return loading(path, func() error {
		if err := t.restoreAverage(f.Root, !t.goesOn); err != nil || !t.goesOn {
			return err
		}
		return t.restore(f.Root)
	})
}

// loading does a part of it in a scope of its own; its error names the file.
func loading(path string, do func() error) (err error) {
	s := tensor.Open()
	defer s.Close()
	defer func() { err = loadError(path, err) }()
	defer tensor.Recover(&err)
	return do()
}

func loadError(path string, err error) error {
	if err == nil {
		return nil
	}
	if !strings.HasPrefix(err.Error(), path) { // an error in opening the file names it
		err = fmt.Errorf("%s: %w", path, err)
	}
	return &Error{Code: ExitCheckpoint, Err: fmt.Errorf("load %w", err)}
}

// holdsFit says whether a file has more of a fit than its weights.
func holdsFit(f *checkpoint.File) bool {
	if f.Kind != checkpoint.Lightning {
		return false
	}
	states, _ := get[[]any](f.Root, "optimizer_states")
	return len(states) > 0
}

// tensorsOf copies the tensors of a state dict into the innermost scope.
func tensorsOf(d *torchfile.Dict) (state map[string]tensor.Tensor, err error) {
	state = map[string]tensor.Tensor{}
	for k, v := range d.All() {
		ft, ok := v.(*torchfile.Tensor)
		if !ok {
			continue
		}
		if state[fmt.Sprint(k)], err = weights.ToTensor(ft); err != nil {
			return nil, err
		}
	}
	return state, nil
}

func (t *Trainer) restore(root *torchfile.Dict) error {
	if err := t.restoreOptimizers(root); err != nil {
		return err
	}
	if err := t.restoreCallbacks(root); err != nil { // first: one of them may have put a schedule of its own in place
		return err
	}
	if err := t.restoreSchedulers(root); err != nil {
		return err
	}
	if d, ok := get[*torchfile.Dict](root, scalerKey); ok && t.scaler != nil {
		t.scaler.load(d)
	}
	epoch, _ := get[int64](root, "epoch")
	t.state.Epoch = int(epoch)
	t.state.GlobalStep, _ = get[int64](root, "global_step")
	l := loopsOf(root)
	t.restoreProgress(l)
	if own, ok := get[*torchfile.Dict](root, ownKey); !ok {
		t.restoreLoops(l)
	} else if err := t.restorePosition(own); err != nil {
		return err
	}
	epochs := t.state.Epoch
	if t.resume != nil && t.resume.phase == phaseEpoch {
		epochs++
	}
	if last := t.MaxEpochs(); last >= 0 && epochs > last && !t.run.continues {
		return fmt.Errorf("you restored a checkpoint with current_epoch=%d, but you have set Trainer(max_epochs=%d)", epochs, last)
	}
	return nil
}

func (t *Trainer) restoreOptimizers(root *torchfile.Dict) error {
	states, ok := get[[]any](root, "optimizer_states")
	switch {
	case !ok || len(states) == 0 && len(t.optimizers) > 0:
		return errors.New("it holds no optimizer state: it was saved with weights only (--weights_only loads just those)")
	case len(states) != len(t.optimizers):
		return fmt.Errorf("it holds the state of %d optimizer(s), the model has %d", len(states), len(t.optimizers))
	}
	for i, o := range t.optimizers {
		state, err := optimizerFromFile(states[i])
		if err != nil {
			return err
		}
		if err := o.o.LoadStateDict(state); err != nil {
			return err
		}
	}
	return nil
}

func (t *Trainer) restoreSchedulers(root *torchfile.Dict) error {
	states, ok := get[[]any](root, "lr_schedulers")
	switch {
	case !ok || len(t.schedules) == 0:
		return nil
	case len(states) != len(t.schedules):
		return fmt.Errorf("it holds the state of %d scheduler(s), the configuration has %d", len(states), len(t.schedules))
	}
	for i, s := range t.schedules {
		v, err := fromFile(states[i])
		if err != nil {
			return err
		}
		state, ok := v.(lighter.Dict)
		if !ok {
			return errors.New("its scheduler state is no dict")
		}
		if err := s.Scheduler.LoadStateDict(state); err != nil {
			return err
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
