package callback

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
)

// OnExceptionCheckpoint are the arguments of Lightning's callback that saves a checkpoint when a fit fails.
// https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.OnExceptionCheckpoint.html
type OnExceptionCheckpoint struct {
	Dirpath  string `cfg:"dirpath,required" help:"the folder to save in"`
	Filename string `cfg:"filename" help:"the file's name, without the extension"`
}

func init() {
	lighter.Register[lighter.Callback]("pytorch_lightning.callbacks.OnExceptionCheckpoint", OnExceptionCheckpoint{Filename: "on_exception"},
		aliases("callbacks", "on_exception_checkpoint", "OnExceptionCheckpoint")...)
}

// Validate refuses an empty name.
func (a OnExceptionCheckpoint) Validate() error {
	if a.Filename == "" {
		return lighter.FieldError("filename", "The filename cannot be empty")
	}
	return nil
}

// Build makes the callback.
func (a OnExceptionCheckpoint) Build(env *lighter.Env) (lighter.Callback, error) {
	dir, err := realPath(a.Dirpath)
	if err != nil {
		return nil, lighter.FieldError("dirpath", "%v", err)
	}
	return &onException{dir: dir, path: filepath.Join(dir, a.Filename+".ckpt"), log: env.Log}, nil
}

// onException counts as a checkpoint callback: with it the Trainer adds none of its own, as in Lightning.
type onException struct {
	dir, path string
	log       zerolog.Logger
	saved     bool
}

var (
	_ lighter.Failer       = (*onException)(nil)
	_ lighter.StageEnder   = (*onException)(nil)
	_ lighter.Checkpointer = (*onException)(nil)
)

// BestPath is "": it knows of no best.
func (c *onException) BestPath() string { return "" }

// LastPath is the checkpoint of the failure.
func (c *onException) LastPath() string {
	if c.saved {
		return c.path
	}
	return ""
}

// Dirpath is the folder.
func (c *onException) Dirpath() string { return c.dir }

// SavesOnException is true.
func (c *onException) SavesOnException() bool { return true }

// Exception saves what there is, over an earlier one.
func (c *onException) Exception(t lighter.Trainer, cause error) error {
	if t.Stage() != "fit" {
		return nil
	}
	if err := t.SaveCheckpoint(c.path, false); err != nil {
		return err
	}
	c.saved = true
	c.log.Info().Msgf("the run failed (%v), saved checkpoint to %s", cause, c.path)
	return nil
}

// StageEnd removes the checkpoint of an earlier failure once a fit has succeeded.
func (c *onException) StageEnd(t lighter.Trainer) error {
	if t.Stage() != "fit" {
		return nil
	}
	if err := os.Remove(c.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("OnExceptionCheckpoint: %w", err)
	}
	return nil
}
