package eventfile

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// A file that is cut after some of its events and gone on with is one that was never left, whatever followed those events.
func TestContinue(t *testing.T) {
	record := func(w *Writer, from, to int64) {
		for step := from; step < to; step++ {
			w.Scalar(clock, step, "loss", float64(step))
		}
		must(t, w.Flush())
	}
	whole := New(t.TempDir())
	record(whole, 0, 9)
	want := read(t, whole.Path())
	for name, spoil := range map[string]func(data []byte) []byte{
		"more events": func(data []byte) []byte { return data },
		"cut off":     func(data []byte) []byte { return data[:len(data)-3] },
		"damaged":     func(data []byte) []byte { data[len(data)-2] ^= 1; return data },
		"no length":   func(data []byte) []byte { return append(data, bytes.Repeat([]byte{255}, 40)...) },
	} {
		w := New(t.TempDir())
		record(w, 0, 7)
		must(t, os.WriteFile(w.Path(), spoil(read(t, w.Path())), 0o666))
		again, kept, err := Continue(w.dir, 6) // the version's and five
		must(t, err)
		if kept != 6 {
			t.Errorf("%s: %d events are kept", name, kept)
		}
		record(again, 5, 9)
		if again.Path() != w.Path() || !bytes.Equal(read(t, w.Path()), want) {
			t.Errorf("%s: the file differs from one that was never left", name)
		}
	}
}

// What a loss of power took is not kept; a file with nothing is made anew.
func TestContinueWithLess(t *testing.T) {
	w := New(t.TempDir())
	w.Scalar(clock, 0, "loss", 1)
	must(t, w.Flush())
	if _, kept, err := Continue(w.dir, 100); err != nil || kept != 2 {
		t.Errorf("%d events, %v", kept, err)
	}
	must(t, os.Truncate(w.Path(), 5))
	again, kept, err := Continue(w.dir, 100)
	if err != nil || kept != 0 || again.Path() != "" {
		t.Errorf("%d events, %v", kept, err)
	}
	if names, _ := filepath.Glob(filepath.Join(w.dir, "*")); len(names) != 0 {
		t.Errorf("left: %q", names)
	}
}
