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
	f, err := createTemp(dir, filepath.Base(path))
	if err != nil {
		return fmt.Errorf("saving %s: %w", path, err)
	}
	renamed := false
	defer func() { // also when write panics
		if !renamed {
			os.Remove(f.Name())
		}
	}()
	if err := fill(f, write); err != nil {
		return fmt.Errorf("saving %s: %w", path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("saving %s: %w", path, err)
	}
	renamed = true
	if err := syncDir(dir); err != nil {
		return fmt.Errorf("saving %s: it is written, but may not last through a loss of power: %w", path, err)
	}
	return nil
}

// leftover is what the names of createTemp look like.
var leftover = regexp.MustCompile(`^\..+\.[0-9]+\.tmp$`)

// RemoveLeftovers removes the temporary files that killed processes left in dir.
// Nothing else may be writing there with this package meanwhile.
func RemoveLeftovers(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Type().IsRegular() && leftover.MatchString(e.Name()) {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// fill writes, syncs and closes f.
func fill(f *os.File, write func(io.Writer) error) error {
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
func createTemp(dir, base string) (*os.File, error) {
	for try := 0; ; try++ {
		name := filepath.Join(dir, fmt.Sprintf(".%s.%d.tmp", base, rand.Uint32()))
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) && try < 100 {
			continue
		}
		return f, err
	}
}

// syncDir makes a rename in dir last through a loss of power.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
