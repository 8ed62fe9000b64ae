package runner_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/lighter-go/lighter/internal/atomicfile"
	"github.com/lighter-go/lighter/runner"
)

// faultyDisk fails what broken says, by the number of the operation; a write that fails has written half.
type faultyDisk struct {
	atomicfile.Files
	mu     sync.Mutex
	n      int
	broken func(n int, op string, bytes int) error
}

func (d *faultyDisk) fails(op string, bytes int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.n++
	return d.broken(d.n, op, bytes)
}

func (d *faultyDisk) Open(name string, flag int) (atomicfile.File, error) {
	if err := d.fails("open", 0); err != nil {
		return nil, err
	}
	f, err := d.Files.Open(name, flag)
	return faultyFile{f, d}, err
}

func (d *faultyDisk) Rename(from, to string) error {
	if err := d.fails("rename", 0); err != nil {
		return err
	}
	return d.Files.Rename(from, to)
}

func (d *faultyDisk) SyncDir(dir string) error { return d.fails("sync of a folder", 0) }

type faultyFile struct {
	atomicfile.File
	disk *faultyDisk
}

func (f faultyFile) Write(p []byte) (int, error) {
	if err := f.disk.fails("write", len(p)); err != nil {
		n, _ := f.File.Write(p[:len(p)/2])
		return n, err
	}
	return f.File.Write(p)
}

func (f faultyFile) Sync() error { return f.disk.fails("sync", 0) }

// faultConfig has no report: a page that can't be written is a warning.
var faultConfig = []any{"trainer::max_epochs=2", "trainer::val_check_interval=1.0", "trainer::callbacks::0::save_top_k=1", "trainer::report=false"}

// TestFailingDisk fails each write, sync and rename of a run in turn, on a disk that works again afterwards or stays broken until
// the run ends. The run ends with the exit code of a checkpoint, or of another failure when a log was hit, and the command,
// repeated, ends where an undisturbed run does.
func TestFailingDisk(t *testing.T) {
	root := t.TempDir()
	count := &faultyDisk{Files: atomicfile.Disk, broken: func(int, string, int) error { return nil }}
	restore := atomicfile.Replace(count)
	r, err := autoFit(t, filepath.Join(root, "whole"), -1, nil, faultConfig...)
	restore()
	if err != nil {
		t.Fatal(err)
	}
	want := remains(t, r.LogDir)
	step := 5
	if os.Getenv("LIGHTER_SOAK") != "" {
		step = 1
	}
	codes := map[int]int{}
	for n := 1 + rand.IntN(step); n <= count.n; n += step {
		dir, failed := filepath.Join(root, fmt.Sprint(n)), ""
		disk := &faultyDisk{Files: atomicfile.Disk, broken: func(i int, op string, _ int) error {
			if i < n || n%2 == 0 && i > n {
				return nil
			}
			if i == n {
				failed = op
			}
			return syscall.EIO
		}}
		restore := atomicfile.Replace(disk)
		_, err := autoFit(t, dir, -1, nil, faultConfig...)
		restore()
		if disk.n < n {
			break // logs were written in fewer pieces this time
		}
		if !errors.Is(err, syscall.EIO) {
			t.Fatalf("operation %d, a %s, failed, and the run ended with %v", n, failed, err)
		}
		codes[runner.ExitCode(err)]++
		r, err := autoFit(t, dir, -1, nil, faultConfig...)
		if err != nil {
			t.Fatalf("after operation %d, a %s, failed: %v", n, failed, err)
		}
		sameRemains(t, fmt.Sprintf("operation %d, a %s, failed", n, failed), remains(t, r.LogDir), want)
	}
	if codes[runner.ExitCheckpoint] == 0 {
		t.Errorf("exit codes %v, want that of a checkpoint", codes)
	}
}

// TestFullDisk runs on a disk that fills up, and again with more room.
func TestFullDisk(t *testing.T) {
	root := t.TempDir()
	whole := filepath.Join(root, "whole")
	r, err := autoFit(t, whole, -1, nil, faultConfig...)
	if err != nil {
		t.Fatal(err)
	}
	want, size := remains(t, r.LogDir), bytesIn(whole)
	stopped := 0
	for i := range int64(8) {
		dir := filepath.Join(root, fmt.Sprint(i))
		room := size * (i + 1) / 7
		disk := &faultyDisk{Files: atomicfile.Disk, broken: func(_ int, _ string, bytes int) error {
			if bytes > 0 && bytesIn(dir)+int64(bytes) > room {
				return syscall.ENOSPC
			}
			return nil
		}}
		restore := atomicfile.Replace(disk)
		_, err := autoFit(t, dir, -1, nil, faultConfig...)
		restore()
		if err != nil {
			stopped++
			if !errors.Is(err, syscall.ENOSPC) {
				t.Fatal(err)
			}
		}
		r, err := autoFit(t, dir, -1, nil, faultConfig...)
		if err != nil {
			t.Fatal(err)
		}
		sameRemains(t, fmt.Sprintf("room for %d bytes", room), remains(t, r.LogDir), want)
	}
	if stopped < 4 {
		t.Errorf("%d runs were stopped by a full disk", stopped)
	}
}

// bytesIn is how much room a folder takes.
func bytesIn(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			n += info.Size()
		}
		return nil
	})
	return n
}
