package callback

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// saveBoth saves a checkpoint among the best, and last.ckpt.
func (c *Checkpoint) saveBoth(cs candidates) error {
	if err := c.saveTopK(cs); err != nil {
		return err
	}
	return c.saveLast(cs)
}

// saveTopK saves if the monitored value is among the best, or always without a monitor.
func (c *Checkpoint) saveTopK(cs candidates) error {
	if c.args.SaveTopK == 0 {
		return nil
	}
	if c.monitor == "" {
		return c.saveNewest(cs)
	}
	score, ok := cs.score(c.monitor)
	if !ok {
		return c.missing(cs)
	}
	if !c.amongBest(score) {
		if c.args.Verbose {
			c.log.Info().Msgf("Epoch %d, global step %d: %q was not in top %d", cs.epoch, cs.step, c.monitor, c.args.SaveTopK)
		}
		return nil
	}
	return c.saveBest(score, cs)
}

// missing is the error of a monitor that nothing logs; a warning while no validation has run yet.
func (c *Checkpoint) missing(cs candidates) error {
	names := append(slices.Sorted(maps.Keys(cs.metrics)), "epoch", "step")
	msg := fmt.Sprintf("`ModelCheckpoint(monitor='%s')` could not find the monitored key in the returned metrics: %s.",
		c.monitor, pythonList(names))
	if c.validated {
		return errors.New(msg)
	}
	if !c.warned {
		c.warned = true
		c.log.Warn().Msg(msg)
	}
	return nil
}

func (c *Checkpoint) better(a, b float64) bool {
	if c.args.Mode == "max" {
		return a > b
	}
	return a < b
}

func (c *Checkpoint) amongBest(score float64) bool {
	k := c.args.SaveTopK
	return k == -1 || len(c.best) < k || c.better(score, c.kthValue)
}

// saveNewest saves without a monitor: the newest takes the place of the one before.
func (c *Checkpoint) saveNewest(cs candidates) error {
	path, err := c.freePath(cs, c.bestPath)
	if err != nil {
		return err
	}
	previous := c.bestPath
	c.bestPath = path // before saving: it is part of the state
	if err := c.save(path); err != nil {
		return err
	}
	if c.args.SaveTopK == 1 && previous != "" {
		c.remove(previous, path)
	}
	return nil
}

// saveBest saves a checkpoint that is among the best k and removes the one that no longer is.
func (c *Checkpoint) saveBest(score float64, cs candidates) error {
	k := c.args.SaveTopK
	if k == -1 {
		k = len(c.best) + 1
	}
	dropped := ""
	if len(c.best) == k {
		dropped = c.kthPath
		c.forget(dropped)
	}
	if math.IsNaN(score) {
		score = math.Inf(1)
		if c.args.Mode == "max" {
			score = math.Inf(-1)
		}
	}
	path, err := c.freePath(cs, dropped)
	if err != nil {
		return err
	}
	c.keep(path, score, k)
	if c.args.Verbose {
		c.log.Info().Msgf("Epoch %d, global step %d: %q reached %.5f (best %.5f), saving model to %q as top %d",
			cs.epoch, cs.step, c.monitor, score, *c.bestScore, path, k)
	}
	if err := c.save(path); err != nil {
		return err
	}
	if dropped != "" {
		c.remove(dropped, path)
	}
	return nil
}

func (c *Checkpoint) forget(path string) {
	c.best = slices.DeleteFunc(c.best, func(b kept) bool { return b.path == path })
}

// keep puts a checkpoint among the best. Among equals the first kept is the best, and the worst.
func (c *Checkpoint) keep(path string, score float64, k int) {
	if i := slices.IndexFunc(c.best, func(b kept) bool { return b.path == path }); i >= 0 {
		c.best[i].score = score
	} else {
		c.best = append(c.best, kept{path, score})
	}
	best, worst := c.best[0], c.best[0]
	for _, b := range c.best[1:] {
		if c.better(b.score, best.score) {
			best = b
		}
		if c.better(worst.score, b.score) {
			worst = b
		}
	}
	if len(c.best) == k {
		c.kthPath, c.kthValue = worst.path, worst.score
	}
	c.bestPath, c.bestScore, c.lastScore = best.path, &best.score, &score
}

// saveLast writes last.ckpt: a file of its own, or a link to the file saved last.
func (c *Checkpoint) saveLast(cs candidates) error {
	if !c.args.SaveLast.on {
		return nil
	}
	const name = "last"
	path := c.file(name)
	for n := 1; c.args.EnableVersionCounter && exists(path) && path != c.lastPath; n++ {
		path = c.file(fmt.Sprintf("%s-v%d", name, n))
	}
	previous := c.lastPath
	c.lastPath = path
	var err error
	if c.args.SaveLast.link && c.savedPath != "" && c.args.SaveTopK != 0 {
		err = link(c.savedPath, path)
	} else {
		err = c.save(path)
	}
	if err == nil && previous != "" {
		c.remove(previous, path)
	}
	return err
}

// link makes path a relative symbolic link to target, replacing what was there at once.
func link(target, path string) error {
	if target == path {
		return nil
	}
	rel, err := filepath.Rel(filepath.Dir(path), target)
	if err != nil {
		return err
	}
	temp := fmt.Sprintf("%s.%d.tmp", path, os.Getpid())
	if err := os.Symlink(rel, temp); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		os.Remove(temp)
		return err
	}
	return nil
}

// freePath is the name of a new checkpoint: with a version when the file exists, unless it is the one to be dropped.
func (c *Checkpoint) freePath(cs candidates, dropped string) (string, error) {
	name, err := c.name.format(cs, c.args.AutoInsertMetricName)
	if err != nil {
		return "", err
	}
	path := c.file(name)
	for n := 1; c.args.EnableVersionCounter && exists(path) && path != dropped; n++ {
		path = c.file(fmt.Sprintf("%s-v%d", name, n))
	}
	return path, nil
}

func (c *Checkpoint) file(name string) string { return filepath.Join(c.dir, name+".ckpt") }

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func (c *Checkpoint) save(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return fmt.Errorf("ModelCheckpoint: %w", err)
	}
	if err := c.t.SaveCheckpoint(path, c.args.SaveWeightsOnly); err != nil {
		return err
	}
	c.savedStep, c.savedPath = c.t.GlobalStep(), path
	return nil
}

// remove deletes a checkpoint that current has replaced, unless the run was resumed from it or it is not ours.
func (c *Checkpoint) remove(previous, current string) {
	if previous == current || !inside(c.dir, previous) || sameFile(previous, c.t.CkptPath()) {
		return
	}
	if err := os.Remove(previous); err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.log.Warn().Err(err).Msg("a checkpoint that is no longer among the best could not be removed")
	}
}

func inside(dir, path string) bool {
	d, err1 := filepath.Abs(dir)
	p, err2 := filepath.Abs(path)
	return err1 == nil && err2 == nil && strings.HasPrefix(p, strings.TrimSuffix(d, "/")+"/")
}

// sameFile says whether two paths name one file, also when one of them is a link to it.
func sameFile(a, b string) bool {
	if b == "" {
		return false
	}
	x, err1 := os.Stat(a)
	y, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}

// StateKey tells this callback from others of its kind in a checkpoint, as Lightning does.
func (c *Checkpoint) StateKey() string {
	monitor := "None"
	if c.args.Monitor != nil {
		monitor = pythonRepr(*c.args.Monitor)
	}
	return fmt.Sprintf("ModelCheckpoint{'monitor': %s, 'mode': '%s', 'every_n_train_steps': %d, 'every_n_epochs': %d, 'train_time_interval': %s}",
		monitor, c.args.Mode, c.everySteps, c.everyEpochs, c.args.intervalText())
}
