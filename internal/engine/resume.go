package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/atomicfile"
)

// resumeAuto is the value of --resume: go on with the newest run of this configuration, if there is one.
const resumeAuto = "auto"

// runRecord says which run a fit is.
type runRecord struct {
	folder    string // the name of the first logger's folder
	number    int64  // among the runs whose checkpoints are in one folder
	auto      bool   // by --resume auto
	continues bool   // it goes on in its folder
	logs      lighter.List
	lock      *os.File
}

func (r *runRecord) unlock() {
	if r.lock != nil {
		r.lock.Close()
	}
}

// savedState is what the newest checkpoint holds.
type savedState struct {
	path string
	at   standing
}

// findRun is the newest sound checkpoint of a run of this configuration, nil when there is none.
func (t *Trainer) findRun() *candidate {
	t.run.auto = true
	all, where := t.candidates()
	other := ""
	c := t.soundest(all, func(c *candidate) bool {
		if !c.resumable {
			return false
		}
		d := difference(t.config.dict, c.config)
		if d != "" && other == "" {
			other = fmt.Sprintf("; %s is of another configuration: %s", c.path, d)
		}
		return d == ""
	})
	if c == nil {
		t.log.Info().Msgf("--resume auto: no checkpoint of this configuration in %s%s: the run starts afresh", strings.Join(where, ", "), other)
		return nil
	}
	t.log.Info().Msgf("--resume auto goes on from %s", c.path)
	t.run.continues = true
	t.run.number = c.number
	return c
}

// continueFolders lets the loggers write to the folder of the run that goes on. It comes before they make theirs.
func (t *Trainer) continueFolders(c *candidate) {
	if !t.run.continues || c.folder == "" {
		return
	}
	for _, l := range t.loggers {
		if k, ok := l.(lighter.LogKeeper); ok {
			if info, err := os.Stat(filepath.Join(k.Root(), c.folder)); err == nil && info.IsDir() {
				k.Continue(c.folder)
			}
		}
	}
}

// beginRun makes the folder of a fit its own: it keeps other processes from going on with the run, removes what killed ones
// left, and numbers a new run among those whose checkpoints are in the same folders.
func (t *Trainer) beginRun() error {
	if t.stage != "fit" {
		return nil
	}
	dirs := []string{t.checkpointDir()}
	for _, c := range t.callbacks {
		if k, ok := c.(lighter.Checkpointer); ok && k.Dirpath() != "" && !slices.Contains(dirs, k.Dirpath()) {
			dirs = append(dirs, k.Dirpath())
		}
	}
	if !t.run.continues {
		for _, dir := range dirs {
			for _, c := range (checkpointFolder{dir: dir}).candidates() {
				t.run.number = max(t.run.number, c.number+1)
			}
		}
	}
	if dir := t.LogDir(); dir != "" {
		t.run.folder = filepath.Base(dir)
		dirs = append([]string{dir}, dirs...)
	}
	if err := t.lockRun(dirs[0]); err != nil {
		return err
	}
	for _, dir := range dirs {
		if err := atomicfile.RemoveLeftovers(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.log.Warn().Err(err).Msg("what a killed process left could not be removed")
		}
	}
	return nil
}

// lockRun takes the lock of a run's folder until the process ends.
func (t *Trainer) lockRun(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return nil // it is made later
	}
	t.run.lock = d
	err = unix.Flock(int(d.Fd()), unix.LOCK_EX|unix.LOCK_NB) // not every file system has locks
	if errors.Is(err, unix.EWOULDBLOCK) && t.run.auto {
		return fmt.Errorf("--resume auto: another process is training in %s: wait until it ends, or stop it", dir)
	}
	return nil
}

// logStates says how much every logger has logged; written waits until that is on the disk.
func (t *Trainer) logStates() (states lighter.List, written []func() error) {
	for _, l := range t.loggers {
		k, ok := l.(lighter.LogKeeper)
		if !ok {
			states = append(states, lighter.Dict{})
			continue
		}
		state, wait := k.LogState()
		states, written = append(states, state), append(written, wait)
	}
	return states, written
}

// continueLogs drops from the logs what came after the checkpoint.
func (t *Trainer) continueLogs() error {
	for i, l := range t.loggers {
		k, ok := l.(lighter.LogKeeper)
		if !ok {
			continue
		}
		var state lighter.Dict
		if i < len(t.run.logs) {
			state, _ = t.run.logs[i].(lighter.Dict)
		}
		if err := k.LoadLogState(state, t.state.Stepped); err != nil {
			return err
		}
	}
	return nil
}

// alreadyDone says, of a run that goes on, whether there is nothing left to do.
func (t *Trainer) alreadyDone() (bool, error) {
	if !t.run.continues {
		return false, nil
	}
	t.validates = t.hasValidation() // what is left to do may depend on it
	if err := t.completeEpoch(); err != nil {
		return false, err
	}
	if t.unfinished() || !t.done() {
		return false, nil
	}
	t.log.Info().Msgf("--resume auto: the run of %s is done: %s", t.resumed, t.endReason())
	return true, nil
}

// endName is the checkpoint of a run's end.
const endName = "end.ckpt"

// saveEnd sees to it that --resume auto finds the end of a run, also when no callback has saved it.
func (t *Trainer) saveEnd() error {
	if !t.run.auto {
		return nil
	}
	path := filepath.Join(t.checkpointDir(), endName)
	end := t.standing()
	at := t.saved.at
	saved := t.saved.path != "" && at.step == end.step && at.batches == end.batches && at.phase >= slices.Index(phases, phaseEpoch)
	switch {
	case !saved || !t.saver.Exists(t.saved.path):
		return t.SaveCheckpoint(path, false)
	case t.saver.Exists(path):
		t.saver.Remove(path)
	}
	return nil
}
