package runner_test

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// lock holds a folder as a process does that trains in it.
func lock(t *testing.T, dir string) (release func()) {
	t.Helper()
	d, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Flock(int(d.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	return func() { d.Close() }
}
