package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/atomicfile"
	machine "github.com/lighter-go/lighter/internal/memory"
	"github.com/lighter-go/lighter/internal/torchfile"
)

// saver writes checkpoints, and changes their files, on a goroutine of its own, one after the other. The run waits for the copy
// of its state only; for a second checkpoint it waits until the first is on the disk, because both need the buffer.
type saver struct {
	log  zerolog.Logger
	wait bool            // for each file: nothing goes on meanwhile
	buf  []byte          // the copy of the state, kept for the next one
	plan map[string]bool // what the changes under way will make of files
	lost map[string]bool // damaged files, whose names are free
	free func() int64    // bytes of memory; nil asks the machine

	mu    sync.Mutex
	idle  *sync.Cond // nil until the first change
	busy  bool
	queue []func() error
	err   error // of the first change that failed; taken by the next call that can return it
}

var _ lighter.CheckpointFiles = (*saver)(nil)

// save writes a snapshot to path, after what `before` waits for. The snapshot's tensors are copied first; where memory does not
// allow that, they are written before save returns.
func (s *saver) save(path string, snap *torchfile.Snapshot, before []func() error) error {
	if err := s.drain(); err != nil {
		return err
	}
	write := func() error {
		for _, written := range before {
			if err := written(); err != nil {
				return err
			}
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		return snap.Save(path)
	}
	if !s.reserve(snap.Size()) {
		return failed(write())
	}
	if err := snap.Copy(s.buf); err != nil {
		return failed(err)
	}
	return s.change(path, true, write)
}

// reserve makes room for a copy of n bytes; false says that it would take more than half of the memory that is free.
func (s *saver) reserve(n int64) bool {
	if int64(cap(s.buf)) < n {
		s.buf = nil
		free := machine.Read("/").Free
		if s.free != nil {
			free = s.free()
		}
		if free > 0 && n > free/2 {
			return false
		}
		s.buf = make([]byte, n)
	}
	s.buf = s.buf[:n]
	return true
}

// Copy implements lighter.CheckpointFiles.
func (s *saver) Copy(src, dst string) error {
	return s.change(dst, true, func() error { return atomicfile.Copy(src, dst) })
}

// Link implements lighter.CheckpointFiles.
func (s *saver) Link(src, dst string) error {
	if src == dst {
		return nil
	}
	return s.change(dst, true, func() error { return atomicfile.Link(src, dst) })
}

// Remove implements lighter.CheckpointFiles.
func (s *saver) Remove(path string) {
	s.enqueue(path, false, func() error {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.log.Warn().Err(err).Msg("a checkpoint that another has replaced could not be removed")
		}
		return nil
	})
}

// Exists implements lighter.CheckpointFiles.
func (s *saver) Exists(path string) bool {
	if exists, planned := s.plan[path]; planned {
		return exists
	}
	_, err := os.Stat(path)
	return err == nil && !s.lost[path]
}

// replace says that a file is damaged, so that another may take its place.
func (s *saver) replace(path string) {
	if s.lost == nil {
		s.lost = map[string]bool{}
	}
	s.lost[path] = true
}

// change asks for a change of the file path, which exists afterwards or does not.
func (s *saver) change(path string, exists bool, do func() error) error {
	if err := s.failure(); err != nil {
		return err
	}
	s.enqueue(path, exists, func() error { return failed(do()) })
	if s.wait {
		return s.drain()
	}
	return nil
}

// failed is a checkpoint's error.
func failed(err error) error {
	if err == nil {
		return nil
	}
	return &Error{Code: ExitCheckpoint, Err: fmt.Errorf("save checkpoint: %w", err)}
}

func (s *saver) enqueue(path string, exists bool, do func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	if s.plan == nil {
		s.plan, s.idle = map[string]bool{}, sync.NewCond(&s.mu)
	}
	s.plan[path] = exists
	delete(s.lost, path)
	s.queue = append(s.queue, do)
	if !s.busy {
		s.busy = true
		go s.serve()
	}
}

// serve makes the changes until there are none left or one fails.
func (s *saver) serve() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) > 0 {
		do := s.queue[0]
		s.queue = s.queue[1:]
		s.mu.Unlock()
		err := do()
		s.mu.Lock()
		if err != nil {
			s.err, s.queue = err, nil
		}
	}
	s.busy = false
	s.idle.Broadcast()
}

// failure is the error of a change that failed, once.
func (s *saver) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.err
	s.err = nil
	return err
}

// drain waits until all changes are made.
func (s *saver) drain() error {
	s.mu.Lock()
	for s.busy {
		s.idle.Wait()
	}
	clear(s.plan)
	s.mu.Unlock()
	return s.failure()
}
