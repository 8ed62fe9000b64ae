package torchfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
	"strings"
)

// maxPickle bounds the structure's own record, and with it the memory that the
// values other than tensors can take. A checkpoint's is some 200 bytes a tensor.
const maxPickle = 256 << 20

// maxVersion is the newest archive version PyTorch 2.11 reads
// (kMaxSupportedFileFormatVersion).
const maxVersion = 10

// record is one entry of the archive. Its bytes lie in the file as they are.
type record struct {
	name   string // as in the archive: "archive/data/0"
	r      io.ReaderAt
	offset int64
	size   int64
	crc    uint32
	bare   bool // of a format without checksums
}

// read passes the record's bytes to emit, in order, and then checks their checksum.
func (r *record) read(emit func([]byte) error) error {
	buf := make([]byte, min(r.size, chunk))
	return r.chunks(func(_, n int64) []byte { return buf[:n] }, emit)
}

// readInto fills dst, whose length is the record's, and then checks the checksum.
func (r *record) readInto(dst []byte) error {
	return r.chunks(func(at, n int64) []byte { return dst[at : at+n] }, func([]byte) error { return nil })
}

// chunks reads the record piece by piece into the buffers it is given.
func (r *record) chunks(buffer func(at, n int64) []byte, emit func([]byte) error) error {
	var crc uint32
	for at := int64(0); at < r.size; {
		p := buffer(at, min(r.size-at, chunk))
		if n, err := r.r.ReadAt(p, r.offset+at); n < len(p) {
			if err == io.EOF {
				return r.damaged("the file ends inside it")
			}
			return fmt.Errorf("record %q: %w", r.name, err)
		}
		if !r.bare {
			crc = crc32.Update(crc, crc32.IEEETable, p)
		}
		if err := emit(p); err != nil {
			return err
		}
		at += int64(len(p))
	}
	if !r.bare && crc != r.crc {
		return r.damaged("checksum %08x, the archive says %08x", crc, r.crc)
	}
	return nil
}

// bytes returns the record's bytes, checked; limit bounds what is allocated.
func (r *record) bytes(limit int64) ([]byte, error) {
	if r.size > limit {
		return nil, fmt.Errorf("record %q: %d bytes, more than the %d that are read", r.name, r.size, limit)
	}
	b := make([]byte, r.size)
	return b, r.readInto(b)
}

func (r *record) damaged(format string, args ...any) error {
	return fmt.Errorf("%w: record %q: %s", ErrDamaged, r.name, fmt.Sprintf(format, args...))
}

// archive is the zip of a checkpoint.
type archive struct {
	length   int64
	prefix   string // the archive's name: the folder all its records are in
	records  map[string]*record
	storages map[string]*Storage
	order    []*record // as in the directory
}

func (a *archive) size() int64 { return a.length }

// storage is the one in the record data/KEY.
func (a *archive) storage(key string, elems, elemSize int64, view any) (*Storage, error) {
	if view != nil {
		return nil, fmt.Errorf("persistent id of a part of a storage, in an archive")
	}
	s := a.storages[key]
	if s == nil {
		rec, err := a.record("data/" + key)
		if err != nil {
			return nil, err
		}
		s = &Storage{size: rec.size, rec: rec}
		a.storages[key] = s
	}
	if mulAdd(uint64(elems), uint64(elemSize), 0) != uint64(s.size) {
		return nil, s.rec.damaged("it has %d bytes, and the pickle says %d elements of %d", s.size, elems, elemSize)
	}
	return s, nil
}

// openArchive reads the directory and checks every record against it.
func openArchive(r io.ReaderAt, size int64) (*archive, error) {
	a, err := readDirectory(r, size)
	if err != nil {
		return nil, err
	}
	for _, rec := range a.order {
		if err := rec.read(func([]byte) error { return nil }); err != nil {
			return nil, err
		}
	}
	return a, a.header()
}

// peekArchive checks the header's records only.
func peekArchive(r io.ReaderAt, size int64) (*archive, error) {
	a, err := readDirectory(r, size)
	if err != nil {
		return nil, err
	}
	return a, a.header()
}

// readDirectory finds the records and checks that they can be what PyTorch writes.
func readDirectory(r io.ReaderAt, size int64) (*archive, error) {
	zr, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("%w: its directory, at the end of the file, is missing or broken: %w", ErrDamaged, err)
	}
	a := &archive{length: size, records: make(map[string]*record, len(zr.File)), storages: map[string]*Storage{}}
	if err := a.identify(zr.File); err != nil {
		return nil, err
	}
	var total uint64
	first, atStart := localExtra(r), false
	for _, f := range zr.File {
		rec, err := a.add(r, f)
		if err != nil {
			return nil, err
		}
		// Records that overlap could make a small file take for ever to check.
		if total += uint64(rec.size); total > uint64(size) {
			return nil, rec.damaged("the records claim more bytes than the file holds")
		}
		atStart = atStart || rec.offset == int64(30+len(f.Name)+first)
	}
	if !atStart {
		return nil, fmt.Errorf("%w: the archive does not begin at the file's first byte", ErrDamaged)
	}
	return a, nil
}

// localExtra is the length of the extra field of the file's first entry.
func localExtra(r io.ReaderAt) int {
	var b [2]byte
	if _, err := r.ReadAt(b[:], 28); err != nil {
		return -1
	}
	return int(binary.LittleEndian.Uint16(b[:]))
}

// add takes an entry of the directory over, if it can be what PyTorch writes.
func (a *archive) add(r io.ReaderAt, f *zip.File) (*record, error) {
	rec := &record{name: f.Name, r: r, crc: f.CRC32}
	if a.records[f.Name] != nil {
		return nil, rec.damaged("there are two of that name")
	}
	if f.Method != zip.Store || f.CompressedSize64 != f.UncompressedSize64 {
		return nil, rec.damaged("it is compressed, and PyTorch stores records as they are")
	}
	off, err := f.DataOffset()
	if err != nil || off < 0 {
		return nil, rec.damaged("it has no header where the directory says (%v)", err)
	}
	if f.UncompressedSize64 > uint64(a.length) || off > a.length-int64(f.UncompressedSize64) {
		return nil, rec.damaged("it claims %d bytes at %d in a file of %d", f.UncompressedSize64, off, a.length)
	}
	rec.offset, rec.size = off, int64(f.UncompressedSize64)
	a.records[f.Name], a.order = rec, append(a.order, rec)
	return rec, nil
}

// identify finds the archive's name, and tells a checkpoint from other zips.
func (a *archive) identify(files []*zip.File) error {
	found := false
	for _, f := range files {
		if prefix, ok := strings.CutSuffix(f.Name, "/data.pkl"); ok && !strings.Contains(prefix, "/") {
			a.prefix, found = prefix, true
		}
	}
	for _, f := range files {
		rest := strings.TrimPrefix(f.Name, a.prefix+"/")
		if rest == "constants.pkl" || strings.HasPrefix(rest, "code/") {
			return ErrTorchScript
		}
	}
	if !found {
		return fmt.Errorf("%w: a zip archive without a record %q", ErrNotCheckpoint, "data.pkl")
	}
	return nil
}

// header checks the two records that say how the others are to be read.
func (a *archive) header() error {
	v, err := a.small("version")
	if err != nil {
		return err
	}
	if n, err := strconv.Atoi(v); err != nil || n < 1 || n > maxVersion {
		return fmt.Errorf("record %q: archive version %q, 1 to %d can be read", a.prefix+"/version", v, maxVersion)
	}
	if a.records[a.prefix+"/byteorder"] == nil {
		return nil // before PyTorch 2.1, and little-endian by its rule
	}
	order, err := a.small("byteorder")
	if err == nil && order != "little" {
		err = fmt.Errorf("record %q: byte order %q, only %q can be read", a.prefix+"/byteorder", order, "little")
	}
	return err
}

// small returns a short text record without the white space around it.
func (a *archive) small(name string) (string, error) {
	rec, err := a.record(name)
	if err != nil {
		return "", err
	}
	b, err := rec.bytes(64)
	return strings.TrimSpace(string(b)), err
}

func (a *archive) record(name string) (*record, error) {
	if rec := a.records[a.prefix+"/"+name]; rec != nil {
		return rec, nil
	}
	return nil, fmt.Errorf("%w: record %q is missing", ErrDamaged, a.prefix+"/"+name)
}

// sniff tells what a file is by its first bytes.
func sniff(r io.ReaderAt, size int64) (legacy bool, err error) {
	head := make([]byte, min(size, 512))
	if n, err := r.ReadAt(head, 0); n < len(head) {
		return false, err
	}
	switch {
	case size == 0:
		return false, fmt.Errorf("%w: it is empty", ErrDamaged)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return false, nil
	case len(head) >= 4 && head[0] == opProto && head[1] >= 2 && head[1] <= highestProtocol:
		return true, nil
	case len(head) > 262 && string(head[257:262]) == "ustar":
		return false, fmt.Errorf("%w, which only Python can open; convert it there, if you trust it: "+
			"torch.save(torch.load(old, map_location=\"cpu\", weights_only=False), new)", ErrTar)
	case len(bytes.Trim(head, "\x00")) == 0:
		return false, fmt.Errorf("%w: it begins with zeros", ErrDamaged)
	}
	return false, fmt.Errorf("%w: it begins with %q", ErrNotCheckpoint, head[:min(len(head), 8)])
}
