package torchfile

import (
	"archive/zip"
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzRead: no file makes Read panic, and what it accepts can be walked.
func FuzzRead(f *testing.F) {
	for _, name := range goldens(f) {
		f.Add(testFile(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if root, err := Read(bytes.NewReader(data), int64(len(data))); err == nil {
			walk(t, root)
		}
	})
}

// FuzzPickle gets past the checksums: the pickle is fuzzed inside a sound
// archive. What is accepted is written and read back as the same.
func FuzzPickle(f *testing.F) {
	for _, name := range goldens(f) {
		data := testFile(f, name)
		if zr, err := zip.NewReader(bytes.NewReader(data), int64(len(data))); err == nil {
			for _, r := range zr.File {
				if strings.HasSuffix(r.Name, "/data.pkl") {
					off, _ := r.DataOffset()
					f.Add(data[off : off+int64(r.UncompressedSize64)])
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, pickle []byte) {
		data := zipOf(t, zip.Store, "a/data.pkl", string(pickle), "a/data/0", string(le(1, 2, 3)), "a/data/1", "12345678", "a/data/2", "1", "a/data/3", "", "a/version", "3")
		root, err := Read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		walk(t, root)
		var b bytes.Buffer
		if Write(&b, root) != nil {
			return // a class as a value, a tensor of two types, text that is not UTF-8
		}
		if got, want := render(t, readBytes(t, b.Bytes())), render(t, root); got != want {
			t.Errorf("written and read back: %s\nwas %s", got, want)
		}
	})
}

// walk takes every tensor's bytes.
func walk(t *testing.T, root any) {
	if len(render(t, root)) == 0 {
		t.Error("a value renders as nothing")
	}
}

func goldens(t testing.TB) []string {
	var names []string
	for _, pattern := range []string{"*.pt", "*.ckpt"} {
		found, err := filepath.Glob(filepath.Join("testdata", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			names = append(names, filepath.Base(f))
		}
	}
	return names
}
