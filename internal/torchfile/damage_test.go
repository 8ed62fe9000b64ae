package torchfile

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// damaged returns the files whose every byte the tests below damage.
func damaged(t *testing.T) map[string][]byte {
	return map[string][]byte{
		"ours":      write(t, NewDict("w", NewTensor(Float32, []int64{3}, le(1, 2, 3)), "b", NewTensor(Int8, []int64{2}, []byte{1, 2}), "n", 1, "s", "text")),
		"pytorch":   testFile(t, "small.pt"),
		"lightning": testFile(t, "lightning.ckpt"),
	}
}

func TestTruncationIsFound(t *testing.T) {
	for name, data := range damaged(t) {
		for n := range data {
			if _, err := Read(bytes.NewReader(data[:n]), int64(n)); err == nil {
				t.Fatalf("%s: cut to %d of %d bytes, it opens", name, n, len(data))
			} else if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNotCheckpoint) {
				t.Fatalf("%s: cut to %d bytes: %v is not ErrDamaged", name, n, err)
			}
		}
	}
}

// TestFlippedByteIsFound: a changed byte is an error, or one of those that mean
// nothing (padding, dates): then every value is as before.
func TestFlippedByteIsFound(t *testing.T) {
	for name, data := range damaged(t) {
		want := render(t, readBytes(t, data))
		found := 0
		for i := range data {
			for _, mask := range []byte{0x01, 0x80, 0xff} {
				data[i] ^= mask
				root, err := Read(bytes.NewReader(data), int64(len(data)))
				if err != nil {
					found++
				} else if got := render(t, root); got != want {
					t.Fatalf("%s: byte %d ^ %#x changes the values and is not found:\ngot  %s\nwant %s", name, i, mask, got, want)
				}
				data[i] ^= mask
			}
		}
		t.Logf("%s: %d of %d changes give an error, the others change nothing", name, found, 3*len(data))
	}
}

func TestDamageNamesTheRecord(t *testing.T) {
	data := damaged(t)["ours"]
	data[bytes.Index(data, le(1, 2, 3))] ^= 4
	_, err := Read(bytes.NewReader(data), int64(len(data)))
	if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), `record "archive/data/0": checksum`) {
		t.Errorf("error %v does not name the record", err)
	}
}

// TestChangeAfterOpenIsFound: a tensor's bytes are checked when they are taken, too.
func TestChangeAfterOpenIsFound(t *testing.T) {
	data := damaged(t)["ours"]
	w, _ := readBytes(t, data).(*Dict).Get("w")
	at := bytes.Index(data, le(1, 2, 3))
	data[at] ^= 4
	if _, err := w.(*Tensor).Bytes(); !errors.Is(err, ErrDamaged) {
		t.Errorf("bytes that changed after Read: %v", err)
	}
	if err := Write(io.Discard, w); !errors.Is(err, ErrDamaged) {
		t.Errorf("written to another file: %v", err)
	}
}

// TestRandomDamage changes several bytes at once.
func TestRandomDamage(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for name, data := range damaged(t) {
		want := render(t, readBytes(t, data))
		for range 2000 {
			bad := bytes.Clone(data)
			for range 1 + rng.IntN(8) {
				bad[rng.IntN(len(bad))] = byte(rng.Uint32())
			}
			if root, err := Read(bytes.NewReader(bad), int64(len(bad))); err == nil && render(t, root) != want {
				t.Fatalf("%s: damage changes the values and is not found", name)
			}
		}
	}
}
