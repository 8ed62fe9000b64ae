// Package atomicfile replaces a file whole or not at all, also when the process
// is killed or the machine loses power meanwhile.
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

// Write makes the file path from what write puts into its writer. The bytes go
// to a temporary file in the same folder (".NAME.NUMBER.tmp"), which is synced
// to the disk, then takes the name path, and then the folder is synced: a
// reader finds the old file or the new one. On an error the temporary file is
// removed and what was at path is still there. Only a killed process can leave
// a temporary file behind, see RemoveLeftovers.
//
// A symbolic link at path is replaced, not followed. A new file's permissions
// are 0666 less the umask. The folder must exist.
func Write(path string, write func(io.Writer) error) error {
	dir := filepath.Dir(path)
	fsys := *files.Load()
	f, temp, err := createTemp(fsys, dir, filepath.Base(path))
	if err != nil {
		return fmt.Errorf("saving %s: %w", path, err)
	}
	renamed := false
	defer func() { // also when write panics
		if !renamed {
			os.Remove(temp)
		}
	}()
	if err := fill(f, write); err != nil {
		return fmt.Errorf("saving %s: %w", path, err)
	}
	if err := fsys.Rename(temp, path); err != nil {
		return fmt.Errorf("saving %s: %w", path, err)
	}
	renamed = true
	if err := fsys.SyncDir(dir); err != nil {
		return fmt.Errorf("saving %s: it is written, but may not last through a loss of power: %w", path, err)
	}
	return nil
}

// Copy makes the file path from the bytes of another, as [Write] does.
func Copy(from, path string) error {
	f, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("saving %s: %w", path, err)
	}
	defer f.Close()
	return Write(path, func(w io.Writer) error {
		_, err := io.Copy(w, f)
		return err
	})
}

// Link makes path a relative symbolic link to target, replacing what was there at once. It lasts as a file of [Write] does.
func Link(target, path string) error {
	dir := filepath.Dir(path)
	rel, err := filepath.Rel(dir, target)
	if err != nil {
		return err
	}
	fsys := *files.Load()
	temp := tempName(dir, filepath.Base(path))
	if err := fsys.Symlink(rel, temp); err != nil {
		return err
	}
	if err := fsys.Rename(temp, path); err != nil {
		os.Remove(temp)
		return err
	}
	return fsys.SyncDir(dir)
}

// leftover is what the names of tempName look like.
var leftover = regexp.MustCompile(`^\..+\.[0-9]+\.tmp$`)

// RemoveLeftovers removes the temporary files that killed processes left in dir, and leaves those alone that are being written.
func RemoveLeftovers(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !leftover.MatchString(e.Name()) {
			continue
		}
		if err := removeAbandoned(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// removeAbandoned removes a temporary file that has no writer, which would hold its lock. A link has none: it is one after a minute.
func removeAbandoned(path string) error {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return err
	case info.Mode().Type() == fs.ModeSymlink && time.Since(info.ModTime()) > time.Minute:
		return os.Remove(path)
	case !info.Mode().IsRegular():
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return nil
	}
	return os.Remove(path)
}

// fill writes, syncs and closes f.
func fill(f File, write func(io.Writer) error) error {
	defer f.Close() // a second Close does nothing
	w := bufio.NewWriter(f)
	err := write(w)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = f.Close()
	}
	return err
}

// createTemp is os.CreateTemp, but with the permissions of an ordinary file.
func createTemp(fsys Files, dir, base string) (f File, name string, err error) {
	for try := 0; ; try++ {
		name = tempName(dir, base)
		f, err = fsys.Open(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
		if errors.Is(err, fs.ErrExist) && try < 100 {
			continue
		}
		return f, name, err
	}
}

func tempName(dir, base string) string {
	return filepath.Join(dir, fmt.Sprintf(".%s.%d.tmp", base, rand.Uint32()))
}
