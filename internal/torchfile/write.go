package torchfile

import (
	"archive/zip"
	"fmt"
	"hash/fnv"
	"io"
)

// archiveName is the folder of the records inside the archive. It is the name
// PyTorch itself gives an archive that is not written to a path.
const archiveName = "archive"

// alignment of every record's bytes within the file, as PyTorch's, so that a
// memory map of the file serves for tensors.
const alignment = 64

// Write writes root as torch.save would, in pickle protocol 2 and with only the
// classes that torch.load(weights_only=True) allows. The same root gives the
// same bytes. Tensors are written as on the CPU, wherever they came from.
//
// The structure is checked in full before the first byte goes out.
func Write(w io.Writer, root any) error {
	s, err := NewSnapshot(root)
	if err != nil {
		return err
	}
	return s.Write(w)
}

// archiveWriter writes records one after the other; after an error it does nothing.
type archiveWriter struct {
	zw      *zip.Writer
	headers []*zip.FileHeader
	offset  int64 // of the next entry
	err     error
}

func newArchiveWriter(w io.Writer) *archiveWriter { return &archiveWriter{zw: zip.NewWriter(w)} }

func (a *archiveWriter) bytes(name string, p []byte) { a.record(name, NewStorage(p)) }

func (a *archiveWriter) record(name string, s *Storage) {
	if a.err != nil {
		return
	}
	h := &zip.FileHeader{Name: archiveName + "/" + name, Method: zip.Store}
	// The bytes before an entry's data are a header of 30, the name and the extra
	// field, which is the padding: an id ("FB", PyTorch's), its length, and Z's.
	start := a.offset + 30 + int64(len(h.Name)) + 4
	pad := -start & (alignment - 1)
	h.Extra = append(h.Extra, 'F', 'B', byte(pad), 0)
	for range pad {
		h.Extra = append(h.Extra, 'Z')
	}
	w, err := a.zw.CreateHeader(h)
	if err == nil {
		_, err = s.WriteTo(w)
	}
	if err != nil {
		a.err = fmt.Errorf("writing record %q: %w", h.Name, err)
		return
	}
	a.headers = append(a.headers, h)
	// A record is followed by its checksum and two sizes, of 4 or 8 bytes each.
	a.offset = start + pad + s.Size() + 16
	if s.Size() >= 1<<32-1 {
		a.offset += 8
	}
}

// id writes the record by which PyTorch's usage logs tell archives apart: 20
// digits from the records' names and 20 from their checksums.
func (a *archiveWriter) id() {
	names, sums := fnv.New64a(), fnv.New64a()
	for _, h := range a.headers {
		fmt.Fprintf(names, "%s\n", h.Name)
		// The last one's is 0 still, and stands for a constant: the version.
		fmt.Fprintf(sums, "%08x\n", h.CRC32)
	}
	a.bytes(".data/serialization_id", fmt.Appendf(nil, "%020d%020d", names.Sum64(), sums.Sum64()))
}
