package atomicfile

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func put(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

func content(t *testing.T, path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestWriteReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "last.ckpt")
	for _, s := range []string{"one", "second"} {
		if err := Write(path, put(s)); err != nil {
			t.Fatal(err)
		}
		if got := content(t, path); got != s {
			t.Errorf("file holds %q, want %q", got, s)
		}
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm()&0o400 == 0 || st.Mode().Perm()&0o111 != 0 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
}

func TestTheOldFileIsThereWhileTheNewIsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "last.ckpt")
	if err := Write(path, put("old")); err != nil {
		t.Fatal(err)
	}
	err := Write(path, func(w io.Writer) error {
		if _, err := w.Write(make([]byte, 1<<20)); err != nil {
			return err
		}
		if got := content(t, path); got != "old" {
			t.Errorf("while it is written, the file holds %d bytes", len(got))
		}
		if names, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*.ckpt")); len(names) != 1 {
			t.Errorf("a search for checkpoints finds the temporary file: %v", names)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestFailureLeavesNothing: what was at the path stays, no temporary file does.
func TestFailureLeavesNothing(t *testing.T) {
	lost := errors.New("device lost")
	for _, c := range []struct {
		name    string
		prepare func(path string) error
		write   func(io.Writer) error
		want    error
	}{
		{"while writing", func(p string) error { return os.WriteFile(p, []byte("old"), 0o600) },
			func(w io.Writer) error { w.Write(make([]byte, 1<<20)); return lost }, lost},
		{"at the rename", func(p string) error { return os.MkdirAll(filepath.Join(p, "a folder"), 0o700) }, put("new"), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "last.ckpt")
			if err := c.prepare(path); err != nil {
				t.Fatal(err)
			}
			before, _ := os.Stat(path)
			err := Write(path, c.write)
			if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v, want %v and the path", err, c.want)
			}
			if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
				t.Errorf("what was there is gone: %v", err)
			}
			if names, _ := os.ReadDir(dir); len(names) != 1 {
				t.Errorf("left behind: %v", names)
			}
		})
	}
	missing := filepath.Join(t.TempDir(), "none", "last.ckpt")
	if err := Write(missing, put("new")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is missing gives %v", err)
	}
}

func TestPanicLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	func() {
		defer func() { recover() }()
		Write(filepath.Join(dir, "last.ckpt"), func(io.Writer) error { panic("out of memory") })
	}()
	if names, _ := os.ReadDir(dir); len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
}

// TestLeftoversInUse: what is being written is no leftover, nor a link that may be about to get its name.
func TestLeftoversInUse(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "last.ckpt")
	for name, text := range map[string]string{".dead.ckpt.1.tmp": "half", ".empty.ckpt.2.tmp": "", "mine.tmp": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("mine.tmp", filepath.Join(dir, ".link.ckpt.4.tmp")); err != nil {
		t.Fatal(err)
	}
	err := Write(path, func(w io.Writer) error {
		if _, err := w.Write(make([]byte, 1<<20)); err != nil {
			return err
		}
		return RemoveLeftovers(dir)
	})
	if err != nil || len(content(t, path)) != 1<<20 {
		t.Errorf("a file was taken away while it was written: %v", err)
	}
	var left []string
	names, _ := os.ReadDir(dir)
	for _, n := range names {
		left = append(left, n.Name())
	}
	if want := []string{".link.ckpt.4.tmp", "last.ckpt", "mine.tmp"}; !slices.Equal(left, want) {
		t.Errorf("left are %q, want %q", left, want)
	}
}

// TestCopyAndLink: both replace what is there, and an error leaves it.
func TestCopyAndLink(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.ckpt"), filepath.Join(dir, "b.ckpt")
	if err := errors.Join(Write(a, put("one")), Write(b, put("two")), Copy(a, b)); err != nil || content(t, b) != "one" {
		t.Errorf("copied: %v", err)
	}
	if err := errors.Join(Write(a, put("three")), Link(a, b)); err != nil || content(t, b) != "three" {
		t.Errorf("linked: %v", err)
	}
	if target, err := os.Readlink(b); err != nil || target != "a.ckpt" {
		t.Errorf("the link leads to %q, %v", target, err)
	}
	if err := Copy(filepath.Join(dir, "none"), a); !errors.Is(err, fs.ErrNotExist) || content(t, a) != "three" {
		t.Errorf("a copy of nothing gives %v", err)
	}
	full := errors.New("no space left on device")
	defer Replace(failing{Disk, full})()
	if err := Link(b, a); !errors.Is(err, full) || content(t, a) != "three" {
		t.Errorf("a link that fails gives %v", err)
	}
	if err := Append(a, []byte("four")); err != nil || content(t, a) != "threefour" {
		t.Errorf("appended: %v", err)
	}
}

// failing can't rename.
type failing struct {
	Files
	err error
}

func (f failing) Rename(string, string) error { return f.err }

// TestKilledWriter kills a process that saves without a pause, at ever other
// moments, and looks whether the file is whole.
func TestKilledWriter(t *testing.T) {
	const size = 4 << 20
	if path := os.Getenv("ATOMICFILE_TEST_PATH"); path != "" {
		for i := byte(1); ; i++ {
			if err := Write(path, func(w io.Writer) error { _, err := w.Write(bytes.Repeat([]byte{i}, size)); return err }); err != nil {
				t.Fatal(err)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "last.ckpt")
	if err := Write(path, func(w io.Writer) error { _, err := w.Write(make([]byte, size)); return err }); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledWriter$")
		cmd.Env = append(os.Environ(), "ATOMICFILE_TEST_PATH="+path)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(20+7*i) * time.Millisecond)
		cmd.Process.Kill()
		cmd.Wait()
		b := content(t, path)
		if len(b) != size || strings.Count(b, b[:1]) != size {
			t.Fatalf("after kill %d the file is not whole: %d bytes", i, len(b))
		}
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), ".notes.tmp"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := RemoveLeftovers(filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	if names, _ := os.ReadDir(filepath.Dir(path)); len(names) != 2 {
		t.Errorf("after RemoveLeftovers there are %v, want the file and the user's own", names)
	}
}
