package engine

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/lighter-go/lighter"
)

// interrupted says whether a fit ended because it was asked to.
func (t *Trainer) interrupted(err error) bool {
	return t.stage == "fit" && t.ctx.Err() != nil && errors.Is(err, context.Cause(t.ctx))
}

// saveInterrupt saves what there is when a fit is stopped, so that --ckpt_path last goes on from there.
func (t *Trainer) saveInterrupt() error {
	path := filepath.Join(t.checkpointDir(), interruptName)
	if err := errors.Join(t.SaveCheckpoint(path, false), t.saver.drain()); err != nil {
		return err
	}
	t.log.Warn().Msgf("saved %s: `--ckpt_path %s` goes on from there", path, path)
	return nil
}

const interruptName = "interrupt.ckpt"

// checkpointDir is where the configuration's checkpoints go: those of the first callback that saves some.
func (t *Trainer) checkpointDir() string {
	for _, c := range t.callbacks {
		if k, ok := c.(lighter.Checkpointer); ok {
			if dir := k.Dirpath(); dir != "" {
				return dir
			}
			break
		}
	}
	if dir := t.LogDir(); dir != "" {
		return filepath.Join(dir, "checkpoints")
	}
	return filepath.Join(t.DefaultRootDir(), "checkpoints")
}
