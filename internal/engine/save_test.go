package engine

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/tensor"
)

func snapshot(t *testing.T, text string) *torchfile.Snapshot {
	t.Helper()
	s, err := torchfile.NewSnapshot(torchfile.NewDict("w", torchfile.NewTensor(torchfile.Uint8, []int64{int64(len(text))}, []byte(text))))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A save waits for nothing but the copy; what it replaces is removed when it is on the disk, and names count as they will be.
func TestSaverOverlaps(t *testing.T) {
	dir := t.TempDir()
	s := &saver{log: zerolog.Nop()}
	path, old, last := filepath.Join(dir, "a", "one.ckpt"), write(t, filepath.Join(dir, "old.ckpt"), "old"), filepath.Join(dir, "last.ckpt")
	release := make(chan struct{})
	if err := s.save(path, snapshot(t, "one"), []func() error{func() error { <-release; return nil }}); err != nil {
		t.Fatal(err)
	}
	if err := s.Copy(path, last); err != nil {
		t.Fatal(err)
	}
	s.Remove(old)
	for p, want := range map[string]bool{path: true, last: true, old: false} {
		if s.Exists(p) != want {
			t.Errorf("meanwhile Exists(%s) is %v", filepath.Base(p), !want)
		}
	}
	if names, _ := os.ReadDir(dir); len(names) != 1 || names[0].Name() != "old.ckpt" {
		t.Errorf("before the log was written there are %v", names)
	}
	close(release)
	if err := s.drain(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old); err == nil || !bytes.Equal(read(t, path), read(t, last)) {
		t.Errorf("the old one is still there, or the copy differs: %v", err)
	}
}

// After a failure nothing that comes with the checkpoint is done: what it was to replace stays. The error comes once, and later
// saves work.
func TestSaverFails(t *testing.T) {
	dir := t.TempDir()
	s := &saver{log: zerolog.Nop()}
	old := write(t, filepath.Join(dir, "old.ckpt"), "old")
	release := make(chan struct{})
	lost := errors.New("device lost")
	if err := s.save(filepath.Join(dir, "new.ckpt"), snapshot(t, "new"), []func() error{func() error { <-release; return lost }}); err != nil {
		t.Fatal(err)
	}
	s.Remove(old)
	close(release)
	var coded *Error
	if err := s.save(filepath.Join(dir, "next.ckpt"), snapshot(t, "next"), nil); !errors.Is(err, lost) || !errors.As(err, &coded) || coded.Code != ExitCheckpoint {
		t.Errorf("the next save gives %v", err)
	}
	if !s.Exists(old) || s.Exists(filepath.Join(dir, "new.ckpt")) {
		t.Error("the old checkpoint is gone, or the new one there")
	}
	if err := errors.Join(s.save(filepath.Join(dir, "next.ckpt"), snapshot(t, "next"), nil), s.drain()); err != nil || string(read(t, old)) != "old" {
		t.Errorf("afterwards: %v", err)
	}
	if err := errors.Join(s.Copy(filepath.Join(dir, "missing.ckpt"), old), s.drain()); err == nil || string(read(t, old)) != "old" {
		t.Errorf("a copy of nothing gives %v", err)
	}
}

// The buffer is used again; a state that would take more than half of the free memory is written while the run waits.
func TestSaverMemory(t *testing.T) {
	dir := t.TempDir()
	s := &saver{log: zerolog.Nop(), free: func() int64 { return 100 }}
	save := func(text string) {
		t.Helper()
		if err := s.save(filepath.Join(dir, text[:3]), snapshot(t, text), nil); err != nil {
			t.Fatal(err)
		}
	}
	save("abc" + strings.Repeat("x", 40))
	first := &s.buf[0]
	save("def")
	if err := s.drain(); err != nil || &s.buf[0] != first {
		t.Errorf("another buffer, %v", err)
	}
	save("ghi" + strings.Repeat("x", 60))
	if _, err := os.Stat(filepath.Join(dir, "ghi")); err != nil || s.buf != nil {
		t.Errorf("a large state was not written at once: %v", err)
	}
}

// A checkpoint written while the run goes on has the bytes of one that the run waited for, whatever happens to the tensors.
func TestOverlappedBytes(t *testing.T) {
	scope := tensor.Open()
	defer scope.Close()
	j := &journal{batches: [4]int{2}}
	tr := newFit(j, arguments{})
	defer tr.free()
	j.Param("weight", j.weight)
	if err := tr.openLoaders(lighter.Train); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	waited, overlapped := filepath.Join(dir, "waited"), filepath.Join(dir, "overlapped")
	tr.saver.free = func() int64 { return 1 }
	if err := tr.SaveCheckpoint(waited, false); err != nil {
		t.Fatal(err)
	}
	tr.saver.free = nil
	release := make(chan struct{})
	root, err := tr.checkpoint(lighter.List{lighter.Dict{}}, false)
	if err != nil {
		t.Fatal(err)
	}
	snap, err := torchfile.NewSnapshot(root)
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.saver.save(overlapped, snap, []func() error{func() error { <-release; return nil }}); err != nil {
		t.Fatal(err)
	}
	tensor.NoGrad(func() { j.weight.Fill(7) })
	tensor.ManualSeed(3)
	close(release)
	if err := tr.saver.drain(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, waited), read(t, overlapped)) {
		t.Error("the files differ")
	}
}
