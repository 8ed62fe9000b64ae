package engine

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

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
		root.Set("lr_schedulers", []any{})
		root.Set(ownKey, torchfile.NewDict("rng_state", fromTensor(tensor.RNGState(tensor.Device{})), "stepped", t.state.Stepped,
			"val_batches", t.loops[lighter.Val].total, "train_batches", t.loops[lighter.Train].total))
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

// fromTensor describes a tensor for the file; its bytes are read when they are written, so it must live until then. Tensors
// that share a storage in memory share it in the file only when they are one parameter under two names, which is what
// state_dict gives.
func fromTensor(t tensor.Tensor) *torchfile.Tensor {
	dtype := t.DType()
	size := t.Numel() * int64(dtype.Size())
	storage := torchfile.LazyStorage(size, func(w io.Writer) error {
		_, err := w.Write(t.Bytes())
		return err
	})
	return &torchfile.Tensor{DType: fileDTypes[dtype], Shape: t.Shape(), Storage: storage}
}

var fileDTypes = map[tensor.DType]torchfile.DType{
	tensor.Float32: torchfile.Float32, tensor.Float64: torchfile.Float64, tensor.Float16: torchfile.Float16,
	tensor.BFloat16: torchfile.BFloat16, tensor.Int8: torchfile.Int8, tensor.Int16: torchfile.Int16,
	tensor.Int32: torchfile.Int32, tensor.Int64: torchfile.Int64, tensor.Uint8: torchfile.Uint8,
	tensor.Bool: torchfile.Bool, tensor.Complex64: torchfile.Complex64, tensor.Complex128: torchfile.Complex128,
}

// toTensor copies a tensor of a file into the innermost scope.
func toTensor(f *torchfile.Tensor) (tensor.Tensor, error) {
	for dtype, name := range fileDTypes {
		if name != f.DType {
			continue
		}
		b, err := f.Bytes()
		if err != nil {
			return tensor.Tensor{}, err
		}
		return tensor.FromBytes(b, dtype, f.Shape), nil
	}
	return tensor.Tensor{}, fmt.Errorf("a tensor of type %s is not supported", f.DType)
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

// toFile converts a value to the file's types. Betas are a tuple in PyTorch.
func toFile(v any) any {
	switch x := v.(type) {
	case tensor.Tensor:
		return fromTensor(x)
	case []float64:
		t := make(torchfile.Tuple, len(x))
		for i, f := range x {
			t[i] = f
		}
		return t
	case int:
		return int64(x)
	case lighter.List:
		items := make([]any, len(x))
		for i := range x {
			items[i] = toFile(x[i])
		}
		return items
	case lighter.Dict:
		d := torchfile.NewDict()
		for _, k := range slices.Sorted(maps.Keys(x)) {
			d.Set(k, toFile(x[k]))
		}
		return d
	}
	return v
}

// fromFile is the other way; tensors go to the innermost scope.
func fromFile(v any) (any, error) {
	switch x := v.(type) {
	case *torchfile.Tensor:
		return toTensor(x)
	case torchfile.Tuple:
		return fromFile([]any(x))
	case []any:
		items := make(lighter.List, len(x))
		for i := range x {
			item, err := fromFile(x[i])
			if err != nil {
				return nil, err
			}
			items[i] = item
		}
		return items, nil
	case *torchfile.Dict:
		d := lighter.Dict{}
		for k, v := range x.All() {
			item, err := fromFile(v)
			if err != nil {
				return nil, err
			}
			d[fmt.Sprint(k)] = item
		}
		return d, nil
	}
	return v, nil
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
			d.Set("is_last_batch", batches.batch == batches.numBatches)
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
	epoch, _ := get[int64](root, "epoch")
	t.state.Epoch = int(epoch) + 1
	t.state.GlobalStep, _ = get[int64](root, "global_step")
	t.state.Stepped = t.state.GlobalStep
	if own, ok := get[*torchfile.Dict](root, ownKey); ok {
		t.state.Stepped, _ = get[int64](own, "stepped")
		t.loops[lighter.Train].total, _ = get[int64](own, "train_batches")
		if rng, ok := get[*torchfile.Tensor](own, "rng_state"); ok {
			state, err := toTensor(rng)
			if err != nil {
				return err
			}
			tensor.SetRNGState(tensor.Device{}, state)
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

// option gives a group's value the type of lighter.Option: a list of numbers is []float64.
func option(v any) any {
	items, ok := v.(lighter.List)
	if !ok {
		return v
	}
	out := make([]float64, 0, len(items))
	for _, i := range items {
		f, ok := i.(float64)
		if !ok {
			return v
		}
		out = append(out, f)
	}
	return out
}

func get[V any](d *torchfile.Dict, key string) (V, bool) {
	v, _ := d.Get(key)
	x, ok := v.(V)
	return x, ok
}

// findCheckpoint turns "last" and "best" into a file: of the folder the configuration gives, else of the newest run that has
// one. A path is taken as it is, "" too.
func (t *Trainer) findCheckpoint(which string) (string, error) {
	if which == "" {
		return "", nil
	}
	if which != "last" && which != "best" {
		if _, err := os.Stat(which); err != nil {
			return "", &Error{Code: ExitCheckpoint, Err: fmt.Errorf("checkpoint %q: %w", which, errors.Unwrap(err))}
		}
		return which, nil
	}
	var folders []string
	for _, c := range t.callbacks {
		if k, ok := c.(lighter.Checkpointer); ok && k.Dirpath() != "" {
			folders = append(folders, k.Dirpath())
		}
	}
	if dir := t.LogDir(); folders == nil && dir != "" {
		folders, _ = filepath.Glob(filepath.Join(filepath.Dir(dir), "*", "checkpoints"))
	}
	if folders == nil {
		folders = []string{filepath.Join(t.DefaultRootDir(), "checkpoints")}
	}
	newest, files := "", []fs.FileInfo(nil)
	for _, dir := range folders {
		found := checkpointsIn(dir)
		if len(found) > 0 && (files == nil || found[0].ModTime().After(files[0].ModTime())) {
			newest, files = dir, found
		}
	}
	if files == nil {
		return "", &Error{Code: ExitCheckpoint, Err: fmt.Errorf("--ckpt_path %s: no checkpoint in %s; run `lighter fit` first or give a file", which, strings.Join(folders, ", "))}
	}
	if which == "best" {
		if best := bestOf(filepath.Join(newest, files[0].Name())); best != "" {
			return best, nil
		}
	}
	for _, f := range files {
		if which == "last" && strings.HasPrefix(f.Name(), "last") {
			return filepath.Join(newest, f.Name()), nil
		}
	}
	return filepath.Join(newest, files[0].Name()), nil
}

// checkpointsIn lists the checkpoints of a folder, newest first.
func checkpointsIn(dir string) []fs.FileInfo {
	var files []fs.FileInfo
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && filepath.Ext(e.Name()) == ".ckpt" {
			files = append(files, info)
		}
	}
	slices.SortStableFunc(files, func(a, b fs.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	return files
}

// bestOf is the best checkpoint that a checkpoint's callbacks know of, when the file is still there.
func bestOf(path string) string {
	f, err := torchfile.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	root, _ := f.Root.(*torchfile.Dict)
	if root == nil {
		return ""
	}
	callbacks, _ := get[*torchfile.Dict](root, "callbacks")
	if callbacks == nil {
		return ""
	}
	for _, v := range callbacks.All() {
		state, ok := v.(*torchfile.Dict)
		if !ok {
			continue
		}
		best, _ := get[string](state, "best_model_path")
		if _, err := os.Stat(best); best != "" && err == nil {
			return best
		}
	}
	return ""
}
