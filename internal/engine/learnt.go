package engine

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/internal/torchfile"
)

// learntKey is where a checkpoint, also one of weights alone, holds what was learnt from data before the first step.
const learntKey = "lighter_learnt"

// saveLearnt adds it to a checkpoint.
func (t *Trainer) saveLearnt(root *torchfile.Dict) {
	if len(t.learnt) == 0 {
		return
	}
	all := lighter.Dict{}
	for path, state := range t.learnt {
		all[path] = state
	}
	root.Set(learntKey, toFile(all))
}

// findLearnt looks for the checkpoint that the stage starts from and gives what its run had learnt. A file
// that can't be read is reported where it is loaded.
func (t *Trainer) findLearnt(o Options) (registry.Learnt, error) {
	var err error
	if t.from, err = t.findCheckpoint(o); err != nil || t.from == nil {
		return nil, err
	}
	f, err := torchfile.Peek(t.from.path)
	if err != nil {
		return nil, nil
	}
	defer f.Close()
	root, _ := f.Root.(*torchfile.Dict)
	d, ok := get[*torchfile.Dict](root, learntKey)
	if !ok {
		return nil, nil
	}
	v, err := fromFile(d)
	if err != nil {
		return nil, err
	}
	learnt := registry.Learnt{}
	for path, state := range v.(lighter.Dict) {
		learnt[path], _ = state.(lighter.Dict)
	}
	return learnt, nil
}
