package safetensors

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/bits"
	"os"
	"slices"
	"unicode/utf8"

	"github.com/lighter-go/lighter/internal/torchfile"
)

// maxHeader is the format's own limit.
const maxHeader = 100_000_000

// metadataKey names texts about the file among the tensors.
const metadataKey = "__metadata__"

// File is a file that is open for reading. Its tensors can be used until Close.
type File struct {
	Tensors  []Tensor // in the order of their bytes
	Metadata map[string]string
	f        *os.File
}

// Open opens a file and checks that its header accounts for every byte.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err // names the path
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("%w: not a regular file", ErrNotSafetensors)
	}
	var out *File
	if err == nil {
		out, err = Read(f, st.Size())
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	out.f = f
	return out, nil
}

// Close closes the file.
func (f *File) Close() error { return f.f.Close() }

// Is says whether a file that begins with head, at least nine bytes of it, is one of this format.
func Is(head []byte) bool {
	return len(head) >= 9 && head[8] == '{' && binary.LittleEndian.Uint64(head) <= maxHeader
}

// Read is Open for a file of size bytes in r.
func Read(r io.ReaderAt, size int64) (*File, error) {
	var head [9]byte
	if size < int64(len(head)) {
		return nil, damaged("it has %d bytes", size)
	}
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint64(head[:])
	switch {
	case head[8] != '{':
		return nil, fmt.Errorf("%w: its header begins with %q, not with \"{\"", ErrNotSafetensors, head[8:])
	case n > maxHeader:
		return nil, damaged("it claims a header of %d bytes, and %d is the most", n, maxHeader)
	case int64(n) > size-8:
		return nil, damaged("it claims a header of %d bytes in a file of %d", n, size)
	}
	header := make([]byte, n)
	if _, err := r.ReadAt(header, 8); err != nil {
		return nil, err
	}
	entries, metadata, err := parse(header)
	if err != nil {
		return nil, err
	}
	f := &File{Metadata: metadata}
	start := 8 + int64(n)
	if err := cover(entries, size-start); err != nil {
		return nil, err
	}
	for _, e := range entries {
		storage := torchfile.SectionStorage(r, e.name, start+int64(e.begin), int64(e.end-e.begin))
		f.Tensors = append(f.Tensors, Tensor{e.name, &torchfile.Tensor{DType: e.dtype, Shape: e.shape, Storage: storage}})
	}
	return f, nil
}

// entry is what the header says of a tensor. Its bytes are those from begin to end after the header.
type entry struct {
	name       string
	dtype      torchfile.DType
	shape      []int64
	begin, end uint64
}

// cover sorts the entries by place and checks that they lie one after the other from the first byte to the last.
func cover(entries []entry, size int64) error {
	slices.SortStableFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	at := uint64(0)
	for _, e := range entries {
		if e.begin != at {
			return damaged("tensor %q begins at byte %d where %d is next: there must be no hole and no overlap", e.name, e.begin, at)
		}
		at = e.end
		if at > uint64(size) {
			return damaged("tensor %q ends at byte %d of %d", e.name, at, size)
		}
	}
	if at != uint64(size) {
		return damaged("%d bytes belong to no tensor", uint64(size)-at)
	}
	return nil
}

// parse reads the header. It goes token by token because encoding/json takes the last of two values of one name and ignores
// case.
func parse(header []byte) (entries []entry, metadata map[string]string, err error) {
	if !utf8.Valid(header) || !json.Valid(header) {
		return nil, nil, damaged("its header is not JSON")
	}
	p := newParser(header)
	err = p.object("the header", func(name string) error {
		if name == metadataKey {
			metadata, err = p.texts()
			return err
		}
		e, err := p.entry(name)
		entries = append(entries, e)
		return err
	})
	return entries, metadata, err
}

// check completes an entry: the type is known, and the shape fits the bytes.
func (e *entry) check(dtype string) error {
	var known bool
	if e.dtype, known = dtypeOf(dtype); !known {
		return fmt.Errorf("tensor %q has the type %q, which lighter does not read", e.name, dtype)
	}
	want := uint64(e.dtype.Size())
	for _, d := range e.shape {
		hi, lo := bits.Mul64(want, uint64(d))
		if hi != 0 {
			return damaged("tensor %q: the product of shape %v is too large", e.name, e.shape)
		}
		want = lo
	}
	if e.end < e.begin || e.end-e.begin != want {
		return damaged("tensor %q of shape %v and type %s takes %d bytes, its place is from %d to %d", e.name, e.shape, dtype, want, e.begin, e.end)
	}
	return nil
}

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}
