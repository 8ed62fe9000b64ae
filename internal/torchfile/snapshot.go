package torchfile

import (
	"fmt"
	"io"

	"github.com/lighter-go/lighter/internal/atomicfile"
)

// Snapshot is a value as [Write] writes it. Its structure is taken when it is
// made; its tensors' bytes are fetched when it is written, or before, by Copy.
type Snapshot struct {
	pickle   []byte
	storages []*Storage
}

// NewSnapshot checks and encodes the structure of root.
func NewSnapshot(root any) (*Snapshot, error) {
	enc := newEncoder()
	if err := enc.encode(root); err != nil {
		return nil, err
	}
	return &Snapshot{enc.out.Bytes(), enc.storages}, nil
}

// Size is how many bytes the tensors have.
func (s *Snapshot) Size() (n int64) {
	for _, st := range s.storages {
		n += st.size
	}
	return n
}

// Copy fetches the tensors' bytes into buf, of at least Size bytes. From then on
// the snapshot depends on buf alone, which must not change until it is written.
func (s *Snapshot) Copy(buf []byte) error {
	if n := s.Size(); int64(len(buf)) < n {
		return fmt.Errorf("buffer of %d bytes for tensors of %d", len(buf), n)
	}
	copied := make([]*Storage, len(s.storages))
	for i, st := range s.storages {
		if err := st.ReadInto(buf[:st.size]); err != nil {
			return fmt.Errorf("copying tensor %d: %w", i, err)
		}
		copied[i] = NewStorage(buf[:st.size:st.size])
		buf = buf[st.size:]
	}
	s.storages = copied
	return nil
}

// Write writes the file's bytes.
func (s *Snapshot) Write(w io.Writer) error {
	aw := newArchiveWriter(w)
	aw.bytes("data.pkl", s.pickle)
	aw.bytes("byteorder", []byte("little"))
	for i, st := range s.storages {
		aw.record(fmt.Sprintf("data/%d", i), st)
	}
	aw.bytes("version", []byte("3\n"))
	aw.id()
	if aw.err != nil {
		return aw.err
	}
	return aw.zw.Close()
}

// Save writes the file, whole or not at all: see [atomicfile.Write].
func (s *Snapshot) Save(path string) error { return atomicfile.Write(path, s.Write) }
