package callback

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/lighter-go/lighter/internal/callback/callbacktest"
)

func TestOnExceptionCheckpoint(t *testing.T) {
	dir := realTempDir(t)
	built, _ := build(t, OnExceptionCheckpoint{Dirpath: dir, Filename: "failed"})
	c := built.(*onException)
	path := filepath.Join(dir, "failed.ckpt")
	for range 2 { // the second overwrites the first
		tr := &callbacktest.Trainer{}
		must(t, c.Exception(tr, errors.New("a bad batch")))
		if !slices.Equal(tr.Saved, []string{path}) || c.LastPath() != path || c.Dirpath() != dir {
			t.Errorf("saved %q, last %q", tr.Saved, c.LastPath())
		}
	}
	must(t, c.StageEnd(&callbacktest.Trainer{Command: "validate"}))
	if !exists(path) {
		t.Error("a validation removed the checkpoint of a fit")
	}
	for range 2 {
		must(t, c.StageEnd(&callbacktest.Trainer{}))
		if exists(path) {
			t.Error("a fit that succeeded left the checkpoint of a failure")
		}
	}
	if err := (OnExceptionCheckpoint{Dirpath: dir}).Validate(); err == nil {
		t.Error("an empty filename was accepted")
	}
}
