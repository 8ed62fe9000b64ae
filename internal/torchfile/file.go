package torchfile

import (
	"fmt"
	"io"
	"os"
)

// File is a checkpoint that is open for reading. Root's tensors read from the
// file, so they can be used until Close.
type File struct {
	Root   any // the object that was saved
	Format Format
	// Records is how many records were checked against their checksums, 0 for a Legacy file.
	Records int
	f       *os.File
}

// Format is a layout of torch.save's files.
type Format int

// The layouts. Every record of a Zip has a checksum; a Legacy file, from PyTorch before 1.6, has none.
const (
	Zip Format = iota
	Legacy
)

// Open opens a checkpoint, checks all of it and decodes its structure. The
// tensors' bytes stay in the file.
func Open(path string) (*File, error) { return openFile(path, openArchive) }

// Peek is Open without a check of the tensors' records, which their readers
// check: for a look at the structure of a large file.
func Peek(path string) (*File, error) { return openFile(path, peekArchive) }

func openFile(path string, open func(io.ReaderAt, int64) (*archive, error)) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err // names the path
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("%w: not a regular file", ErrNotCheckpoint)
	}
	var root any
	var format Format
	records := 0
	if err == nil {
		root, format, records, err = readFile(f, st.Size(), open)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &File{Root: root, Format: format, Records: records, f: f}, nil
}

// Close closes the file.
func (f *File) Close() error { return f.f.Close() }

// Read is Open for a checkpoint of size bytes in r. The tensors of the result
// read from r.
func Read(r io.ReaderAt, size int64) (any, error) {
	root, _, _, err := readFile(r, size, openArchive)
	return root, err
}

// readFile also tells the format, and how many records have a checksum.
func readFile(r io.ReaderAt, size int64, open func(io.ReaderAt, int64) (*archive, error)) (root any, format Format, records int, err error) {
	old, err := sniff(r, size)
	if err != nil {
		return nil, 0, 0, err
	}
	if old {
		root, err = readLegacy(r, size)
		return root, Legacy, 0, err
	}
	a, err := open(r, size)
	if err != nil {
		return nil, 0, 0, err
	}
	root, err = a.root()
	return root, Zip, len(a.records), err
}

// root decodes the object that was saved.
func (a *archive) root() (any, error) {
	rec, err := a.record("data.pkl")
	if err != nil {
		return nil, err
	}
	pickle, err := rec.bytes(maxPickle)
	if err != nil {
		return nil, err
	}
	root, err := newMachine(pickle, a).run()
	if err != nil {
		return nil, fmt.Errorf("record %q: %w", rec.name, err)
	}
	return root, nil
}

// Save writes a checkpoint to a file, whole or not at all: see
// [atomicfile.Write].
func Save(path string, root any) error {
	s, err := NewSnapshot(root)
	if err != nil {
		return err
	}
	return s.Save(path)
}
