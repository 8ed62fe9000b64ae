package engine

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/torchfile"
)

// findCheckpoint gives the checkpoint that a stage starts from, nil for none: that of the run that --resume goes on with, else
// that of --ckpt_path, which is a file or "last" or "best" of the newest run whose weights fit the model.
func (t *Trainer) findCheckpoint(o Options) (*candidate, error) {
	if o.Resume == resumeAuto && t.stage == "fit" && t.args.FastDevRun == 0 {
		if c := t.findRun(); c != nil {
			return c, nil
		}
	}
	which := o.CkptPath
	switch which {
	case "":
		return nil, nil
	case "last", "best":
	default:
		if _, err := os.Stat(which); err != nil {
			return nil, &Error{Code: ExitCheckpoint, Err: fmt.Errorf("checkpoint %q: %w", which, errors.Unwrap(err))}
		}
		return &candidate{path: which}, nil
	}
	all, where := t.candidates()
	shapes := shapesOf(t.model.Tree())
	c := t.soundest(all, func(c *candidate) bool {
		return (c.resumable || t.stage != "fit" || o.WeightsOnly) && maps.EqualFunc(c.shapes, shapes, slices.Equal)
	})
	if c == nil { // loading it will say what does not fit
		c = t.soundest(all, func(*candidate) bool { return true })
	}
	switch {
	case c == nil && len(all) > 0:
		return nil, &Error{Code: ExitCheckpoint, Err: fmt.Errorf("--ckpt_path %s: every checkpoint in %s is damaged", which, strings.Join(where, ", "))}
	case c == nil:
		return nil, &Error{Code: ExitCheckpoint, Err: fmt.Errorf("--ckpt_path %s: no checkpoint in %s; run `lighter fit` first or give a file", which, strings.Join(where, ", "))}
	case which == "best":
		c = &candidate{path: c.bestPath()}
	}
	t.log.Info().Msgf("--ckpt_path %s is %s", which, c.path)
	return c, nil
}

// candidate is a checkpoint's file and what it says of itself.
type candidate struct {
	path     string
	modified time.Time
	err      error // why it can't be read
	config   *torchfile.Dict
	best     []string // the best checkpoints, as its callbacks know them
	shapes   map[string][]int64

	folder    string // the name of the run's folder, "" when there is none
	number    int64  // of the run among those that share a folder
	at        standing
	resumable bool // it holds more than weights
}

// standing is how far a fit is.
type standing struct {
	step, batches, epoch int64
	phase                int // after the batch, an index of phases
}

func (a standing) compare(b standing) int {
	return slices.Compare([]int64{a.step, a.batches, a.epoch, int64(a.phase)}, []int64{b.step, b.batches, b.epoch, int64(b.phase)})
}

// peek reads what a file says of itself. It is not checked for damage but for what that needs.
func peek(path string, info fs.FileInfo) *candidate {
	c := &candidate{path: path, modified: info.ModTime()}
	f, err := torchfile.Peek(path)
	if err != nil {
		c.err = err
		return c
	}
	defer f.Close()
	root, _ := f.Root.(*torchfile.Dict)
	c.at.step, _ = get[int64](root, "global_step")
	c.at.epoch, _ = get[int64](root, "epoch")
	_, c.resumable = get[[]any](root, "optimizer_states")
	c.at.phase = slices.Index(phases, phaseEpoch) // Lightning's
	if own, ok := get[*torchfile.Dict](root, ownKey); ok {
		c.at.batches, _ = get[int64](own, "train_batches")
		p, _ := get[string](own, "phase")
		c.at.phase = slices.Index(phases, phase(p))
		c.folder, _ = get[string](own, "folder")
		c.number, _ = get[int64](own, "run")
	}
	c.shapes = map[string][]int64{}
	weights, _ := get[*torchfile.Dict](root, "state_dict")
	for name, v := range weights.All() {
		if w, ok := v.(*torchfile.Tensor); ok {
			c.shapes[fmt.Sprint(name)] = w.Shape
		}
	}
	hparams, _ := get[*torchfile.Dict](root, "hyper_parameters")
	c.config, _ = get[*torchfile.Dict](hparams, "config")
	callbacks, _ := get[*torchfile.Dict](root, "callbacks")
	for _, v := range callbacks.All() {
		state, _ := v.(*torchfile.Dict)
		if best, _ := get[string](state, "best_model_path"); best != "" {
			c.best = append(c.best, best)
		}
	}
	return c
}

// shapesOf are those of a model's tensors, by name.
func shapesOf(n *lighter.Node) map[string][]int64 {
	shapes := map[string][]int64{}
	for _, e := range n.State() {
		shapes[e.Name] = e.Value.Shape()
	}
	return shapes
}

// bestPath is the best checkpoint of the run, also when its folder was moved; the checkpoint itself when it knows of none.
func (c *candidate) bestPath() string {
	for _, best := range c.best {
		for _, path := range []string{best, filepath.Join(filepath.Dir(c.path), filepath.Base(best))} {
			if _, err := os.Stat(path); err == nil {
				return path
			}
		}
	}
	return c.path
}

// candidates are the checkpoints in the folders that the configuration names, the newest first and those that can't be read
// last, and those folders.
func (t *Trainer) candidates() (all []*candidate, where []string) {
	for _, f := range t.checkpointFolders() {
		where = append(where, f.dir)
		all = append(all, f.candidates()...)
	}
	return newestFirst(all), where
}

// checkpointFolder is a folder of checkpoints, or a pattern of one in every run's folder.
type checkpointFolder struct {
	dir  string
	runs bool
}

func (f checkpointFolder) candidates() (all []*candidate) {
	dirs := []string{f.dir}
	if f.runs {
		dirs, _ = filepath.Glob(f.dir) // the pattern is sound
	}
	for _, dir := range dirs {
		entries, _ := os.ReadDir(dir) // a folder that is not there has none
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			info, err := os.Stat(path) // of what a link leads to
			if err != nil || info.IsDir() || filepath.Ext(path) != ".ckpt" {
				continue
			}
			c := peek(path, info)
			if f.runs {
				c.folder = filepath.Base(filepath.Dir(dir))
			}
			all = append(all, c)
		}
	}
	return all
}

// checkpointFolders are the dirpath of every callback that saves checkpoints; when one has none, or there is none, also the
// folders of the logger's runs, or without a logger default_root_dir.
func (t *Trainer) checkpointFolders() []checkpointFolder {
	var folders []checkpointFolder
	given := true
	for _, c := range t.callbacks {
		k, ok := c.(lighter.Checkpointer)
		switch {
		case ok && k.Dirpath() == "":
			given = false
		case ok && !slices.Contains(folders, checkpointFolder{dir: k.Dirpath()}):
			folders = append(folders, checkpointFolder{dir: k.Dirpath()})
		}
	}
	switch root := t.logRoot(); {
	case given && folders != nil:
	case root != "":
		folders = append(folders, checkpointFolder{filepath.Join(root, "*", "checkpoints"), true})
	default:
		folders = append(folders, checkpointFolder{dir: filepath.Join(t.DefaultRootDir(), "checkpoints")})
	}
	return folders
}

// logRoot is the folder that the first logger's runs are in.
func (t *Trainer) logRoot() string {
	if len(t.loggers) == 0 {
		return ""
	}
	if k, ok := t.loggers[0].(lighter.LogKeeper); ok {
		return k.Root()
	}
	return filepath.Dir(t.loggers[0].Dir())
}

// newestFirst sorts by runs, and within a run by how far it was: the number in the name of a run's folder and the steps tell
// that better than the time of a file that was copied or touched. The time decides where there is nothing else.
func newestFirst(all []*candidate) []*candidate {
	runs := map[string]time.Time{} // when the newest file of a run was written
	numbered := true
	for _, c := range all {
		if c.modified.After(runs[c.folder]) {
			runs[c.folder] = c.modified
		}
		numbered = numbered && (c.err != nil || versionOf(c.folder) >= 0)
	}
	between := func(a, b string) int {
		if numbered {
			return cmp.Compare(versionOf(a), versionOf(b))
		}
		return cmp.Or(runs[a].Compare(runs[b]), strings.Compare(a, b))
	}
	slices.SortStableFunc(all, func(b, a *candidate) int {
		switch {
		case (a.err == nil) != (b.err == nil):
			if a.err == nil {
				return 1
			}
			return -1
		case a.err == nil && a.folder != b.folder:
			return between(a.folder, b.folder)
		case a.err == nil:
			if order := cmp.Or(cmp.Compare(a.number, b.number), a.at.compare(b.at)); order != 0 {
				return order
			}
		}
		return cmp.Or(a.modified.Compare(b.modified), strings.Compare(a.path, b.path))
	})
	return all
}

// versionOf is n of "version_<n>", -1 of another name.
func versionOf(folder string) int {
	text, ok := strings.CutPrefix(folder, "version_")
	n, err := strconv.ParseUint(text, 10, 31)
	if !ok || err != nil {
		return -1
	}
	return int(n)
}

// soundest is the first candidate that fits and is not damaged. Damaged ones that may be newer are reported.
func (t *Trainer) soundest(all []*candidate, fits func(*candidate) bool) (sound *candidate) {
	var damaged []error
	for _, c := range all {
		err := c.err
		switch {
		case err != nil && sound != nil && c.modified.Before(sound.modified):
			continue
		case err == nil && (sound != nil || !fits(c)), t.saver.lost[c.path]:
			continue // or it was reported before
		case err == nil:
			err = verify(c.path)
		}
		if err == nil {
			sound = c
			continue
		}
		damaged = append(damaged, err)
		t.saver.replace(c.path)
	}
	for _, err := range damaged {
		if sound != nil {
			err = fmt.Errorf("%w; %s, the newest sound one, is taken", err, sound.path)
		}
		t.log.Warn().Msg(err.Error())
	}
	return sound
}

// verify checks every record of a file.
func verify(path string) error {
	f, err := torchfile.Open(path)
	if err != nil {
		return err
	}
	return f.Close()
}
