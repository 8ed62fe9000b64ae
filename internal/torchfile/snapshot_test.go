package torchfile

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
)

// A snapshot has the bytes of Write, and once it is copied it depends on its buffer alone.
func TestSnapshot(t *testing.T) {
	data := []byte{1, 2, 3, 4}
	root := NewDict("root", sample(), "mine", NewTensor(Uint8, []int64{4}, data))
	want := write(t, root)
	s, err := NewSnapshot(root)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Copy(make([]byte, s.Size()-1)); err == nil {
		t.Error("a buffer too small is taken")
	}
	if err := s.Copy(make([]byte, s.Size()+9)); err != nil {
		t.Fatal(err)
	}
	clear(data)
	for range 2 {
		var got bytes.Buffer
		if err := s.Write(&got); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Fatal("the bytes differ from those of Write")
		}
	}
	lost := errors.New("device lost")
	if s, err = NewSnapshot(&Tensor{DType: Int8, Storage: LazyStorage(1, func([]byte) error { return lost })}); err != nil {
		t.Fatal(err)
	}
	if err := s.Copy(make([]byte, 1)); !errors.Is(err, lost) {
		t.Errorf("got %v", err)
	}
}

// Peek reads the structure of a file whose tensors are damaged, and nothing of one whose structure is.
func TestPeek(t *testing.T) {
	path := t.TempDir() + "/x.ckpt"
	if err := Save(path, NewDict("step", 5, "w", NewTensor(Uint8, []int64{300}, bytes.Repeat([]byte{77}, 300)))); err != nil {
		t.Fatal(err)
	}
	tensor := bytes.Repeat([]byte{77}, 300)
	damage(t, path, tensor)
	f, err := Peek(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if step, _ := f.Root.(*Dict).Get("step"); step != int64(5) {
		t.Errorf("step %v", step)
	}
	w, _ := f.Root.(*Dict).Get("w")
	if _, err := w.(*Tensor).Bytes(); !errors.Is(err, ErrDamaged) {
		t.Errorf("the tensor's bytes: %v", err)
	}
	damage(t, path, []byte("step"))
	if _, err := Peek(path); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path) {
		t.Errorf("a damaged structure: %v", err)
	}
}

// damage changes the first of these bytes in a file.
func damage(t *testing.T, path string, these []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(data, these)
	if at < 0 {
		t.Fatalf("%s does not hold %.20q", path, these)
	}
	data[at] ^= 1
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}
