package torchfile

import (
	"fmt"
	"io"
	"path/filepath"
	"testing"
)

// hundred is a state_dict of 100 MB in 25 tensors.
func hundred() *Dict {
	d := NewDict()
	for i := range 25 {
		b := make([]byte, 4<<20)
		for j := range b {
			b[j] = byte(i * j >> 3)
		}
		d.Set(fmt.Sprintf("w%d", i), NewTensor(Float32, []int64{1 << 20}, b))
	}
	return d
}

func BenchmarkWrite(b *testing.B) {
	root := hundred()
	b.SetBytes(25 * 4 << 20)
	for b.Loop() {
		if err := Write(io.Discard, root); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSave(b *testing.B) {
	root, path := hundred(), filepath.Join(b.TempDir(), "x.ckpt")
	b.SetBytes(25 * 4 << 20)
	for b.Loop() {
		if err := Save(path, root); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpen checks every record of the file, and BenchmarkLoad takes the
// tensors' bytes as well, as a run that resumes does.
func BenchmarkOpen(b *testing.B) { open(b, func(*Tensor) error { return nil }) }

func BenchmarkLoad(b *testing.B) {
	dst := make([]byte, 4<<20)
	open(b, func(t *Tensor) error { return t.ReadInto(dst) })
}

func open(b *testing.B, use func(*Tensor) error) {
	path := filepath.Join(b.TempDir(), "x.ckpt")
	if err := Save(path, hundred()); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(25 * 4 << 20)
	for b.Loop() {
		f, err := Open(path)
		if err != nil {
			b.Fatal(err)
		}
		for _, v := range f.Root.(*Dict).All() {
			if err := use(v.(*Tensor)); err != nil {
				b.Fatal(err)
			}
		}
		f.Close()
	}
}
