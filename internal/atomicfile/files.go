package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sync/atomic"
	"syscall"
)

// Files are the operations on the disk that the package's functions are made of.
type Files interface {
	// Open opens a file as os.OpenFile does. A new file's permissions are 0666 less the umask.
	Open(name string, flag int) (File, error)
	Rename(from, to string) error
	Symlink(target, name string) error
	// SyncDir makes the names in a folder last through a loss of power.
	SyncDir(dir string) error
}

// File is an open file.
type File interface {
	io.WriteCloser
	Sync() error
}

// Disk is the operating system's file system.
var Disk Files = disk{}

var files atomic.Pointer[Files]

func init() { files.Store(&Disk) }

// Replace puts other operations in the place of the disk's, for tests of what happens when they fail.
func Replace(f Files) (restore func()) {
	old := files.Swap(&f)
	return func() { files.Store(old) }
}

type disk struct{}

// Open locks a file that it makes, so that RemoveLeftovers can tell whether it is being written.
func (disk) Open(name string, flag int) (File, error) {
	f, err := os.OpenFile(name, flag, 0o666)
	if err == nil && flag&os.O_EXCL != 0 && !locked(f) {
		f.Close()
		return nil, fs.ErrExist
	}
	return f, err
}

// locked takes the lock of a new file; false says that RemoveLeftovers, in another process, was faster. Not every file system
// has locks.
func locked(f *os.File) bool {
	var st syscall.Stat_t
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	return !errors.Is(err, syscall.EWOULDBLOCK) && (syscall.Fstat(int(f.Fd()), &st) != nil || st.Nlink > 0)
}

func (disk) Rename(from, to string) error { return os.Rename(from, to) }

func (disk) Symlink(target, name string) error { return os.Symlink(target, name) }

func (disk) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Append adds to the end of a file in one write.
func Append(path string, data []byte) error {
	f, err := (*files.Load()).Open(path, os.O_WRONLY|os.O_APPEND)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// Sync makes what is in a file last through a loss of power.
func Sync(path string) error {
	f, err := (*files.Load()).Open(path, os.O_WRONLY)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
