package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/torchfile"
)

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
		if which == "last" && (strings.HasPrefix(f.Name(), "last") || f.Name() == interruptName) {
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
