package callback

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lighter-go/lighter"
)

// saveBoth saves a checkpoint among the best, and last.ckpt.
func (c *Checkpoint) saveBoth(cs candidates) error {
	saved, err := c.saveTopK(cs)
	if err != nil || saved {
		return err
	}
	return c.saveLast()
}

// saveTopK saves if the monitored value is among the best, or always without a monitor; last.ckpt comes with it.
func (c *Checkpoint) saveTopK(cs candidates) (saved bool, err error) {
	if c.args.SaveTopK == 0 {
		return false, nil
	}
	if c.monitor == "" {
		return true, c.saveNewest(cs)
	}
	score, ok := cs.score(c.monitor)
	if !ok {
		return false, c.missing(cs)
	}
	if !c.amongBest(score) {
		if c.args.Verbose {
			c.log.Info().Msgf("Epoch %d, global step %d: %q was not in top %d", cs.epoch, cs.step, c.monitor, c.args.SaveTopK)
		}
		return false, nil
	}
	return true, c.saveBest(score, cs)
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
	previous := ""
	if c.args.SaveTopK == 1 {
		previous = c.bestPath
	}
	c.bestPath = path // before saving: it is part of the state
	return c.save(path, previous)
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
	return c.save(path, dropped)
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

// saveLast writes last.ckpt alone: a file of its own, or a link to the file saved last.
func (c *Checkpoint) saveLast() error {
	if !c.args.SaveLast.on {
		return nil
	}
	previous := c.nextLast()
	if c.links() {
		if err := c.t.Checkpoints().Link(c.savedPath, c.lastPath); err != nil {
			return err
		}
		c.remove(previous, c.lastPath)
		return nil
	}
	return c.write(c.lastPath, previous)
}

// links says that last.ckpt is a link, and that there is something to link to.
func (c *Checkpoint) links() bool {
	return c.args.SaveLast.link && c.savedPath != "" && c.args.SaveTopK != 0
}

// nextLast settles the name of last.ckpt and gives the one before.
func (c *Checkpoint) nextLast() (previous string) {
	previous = c.lastPath
	c.lastPath = c.unused("last", c.lastPath)
	return previous
}

// freePath is the name of a new checkpoint: with a version when the file exists, unless it is the one to be dropped.
func (c *Checkpoint) freePath(cs candidates, dropped string) (string, error) {
	name, err := c.name.format(cs, c.args.AutoInsertMetricName)
	if err != nil {
		return "", err
	}
	return c.unused(name, dropped), nil
}

func (c *Checkpoint) unused(name, dropped string) string {
	path := c.file(name)
	for n := 1; c.args.EnableVersionCounter && c.t.Checkpoints().Exists(path) && path != dropped; n++ {
		path = c.file(fmt.Sprintf("%s-v%d", name, n))
	}
	return path
}

func (c *Checkpoint) file(name string) string { return filepath.Join(c.dir, name+".ckpt") }

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// save saves a checkpoint in the place of another, and last.ckpt with it. Both hold one and the same state, in which both are
// there, so that a run that goes on from the first after a kill can make the second.
func (c *Checkpoint) save(path, replaced string) error {
	if !c.args.SaveLast.on {
		return c.write(path, replaced)
	}
	previous := c.nextLast()
	if err := c.write(path, replaced, previous); err != nil {
		return err
	}
	return c.completeLast(previous)
}

// completeLast makes last.ckpt from the checkpoint just saved.
func (c *Checkpoint) completeLast(previous string) error {
	files := c.t.Checkpoints()
	var err error
	switch {
	case c.lastPath == "" || c.lastPath == c.savedPath:
		return nil
	case c.links():
		err = files.Link(c.savedPath, c.lastPath)
	default:
		err = files.Copy(c.savedPath, c.lastPath)
	}
	if err == nil {
		c.remove(previous, c.lastPath)
	}
	return err
}

// write saves the state in the place of the first of the files it makes superfluous; the state names them all.
func (c *Checkpoint) write(path string, replaced ...string) error {
	c.savedStep, c.savedPath, c.replaced = c.t.GlobalStep(), path, replaced
	if err := c.t.SaveCheckpoint(path, c.args.SaveWeightsOnly); err != nil {
		return err
	}
	c.remove(replaced[0], path)
	return nil
}

// Resumed completes a save that a kill left at its first file.
func (c *Checkpoint) Resumed(t lighter.Trainer) error {
	if !t.Continues() || !sameFile(c.savedPath, t.CkptPath()) {
		return nil
	}
	for i, path := range c.replaced {
		if i == 0 {
			c.remove(path, c.savedPath)
		}
	}
	if len(c.replaced) < 2 {
		return nil
	}
	return c.completeLast(c.replaced[1])
}

// remove deletes a checkpoint that current has replaced, unless a run of another folder was begun from it or it is not ours.
func (c *Checkpoint) remove(previous, current string) {
	if previous == "" || previous == current || !inside(c.dir, previous) || !c.t.Continues() && sameFile(previous, c.t.CkptPath()) {
		return
	}
	c.t.Checkpoints().Remove(previous)
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
