package files

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

// npyFile is an open file of numpy.save: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
type npyFile struct {
	path    string
	r       io.ReaderAt
	closer  io.Closer
	data    int64 // where the elements begin
	descr   string
	kind    byte // b, i, u, f or c
	size    int64
	big     bool // big-endian
	fortran bool // the first index runs fastest
	shape   []int64
}

const (
	npyMagic     = "\x93NUMPY"
	npyMaxHeader = 1 << 16 // NumPy's own limit is 10,000 bytes
)

func openNPY(path string) (*npyFile, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no file", path)
	}
	var f *npyFile
	if err == nil {
		f, err = readNPY(path, file, info.Size())
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	f.closer = file
	return f, nil
}

func (f *npyFile) close() { _ = f.closer.Close() }

// readNPY reads the header and checks that size bytes hold all the elements.
func readNPY(path string, r io.ReaderAt, size int64) (*npyFile, error) {
	f := &npyFile{path: path, r: r}
	var start [12]byte
	n, err := r.ReadAt(start[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	switch {
	case n < 10 || string(start[:6]) != npyMagic:
		hint := ""
		if bytes.HasPrefix(start[:n], []byte("PK")) {
			hint = ": it is a zip archive, as numpy.savez makes; save one array with numpy.save"
		}
		return nil, fmt.Errorf("%s is no .npy file%s", path, hint)
	case start[6] < 1 || start[6] > 3:
		return nil, fmt.Errorf("%s is of version %d.%d of the .npy format; 1.0 to 3.0 are known", path, start[6], start[7])
	}
	length := int64(binary.LittleEndian.Uint16(start[8:]))
	f.data = 10
	if start[6] > 1 {
		length = int64(binary.LittleEndian.Uint32(start[8:]))
		f.data = 12
	}
	if length > npyMaxHeader || f.data+length > size {
		return nil, fmt.Errorf("%s is damaged: its header has %d bytes, the file %d", path, length, size)
	}
	header := make([]byte, length)
	if _, err := r.ReadAt(header, f.data); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	f.data += length
	if err := f.parse(string(header)); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	need := f.size
	for _, d := range f.shape {
		if d > 0 && need > math.MaxInt64/d {
			return nil, fmt.Errorf("%s is damaged: its shape %v is too large", path, f.shape)
		}
		need *= d
	}
	if need > size-f.data {
		return nil, fmt.Errorf("%s is truncated: its shape %v of %q takes %d bytes, and %d are there", path, f.shape, f.descr, need, size-f.data)
	}
	return f, nil
}

// parse reads the header, a Python dict of exactly descr, fortran_order and shape.
func (f *npyFile) parse(header string) error {
	p := literal{text: header}
	v, err := p.value(0)
	if err == nil && strings.TrimSpace(p.text) != "" {
		err = fmt.Errorf("unexpected %.20q after it", p.text)
	}
	if err != nil {
		return fmt.Errorf("the header is damaged: %w", err)
	}
	d, ok := v.(map[string]any)
	if !ok || len(d) != 3 {
		return errors.New("the header is damaged: it must be a dict of descr, fortran_order and shape")
	}
	f.fortran, ok = d["fortran_order"].(bool)
	if !ok {
		return errors.New("the header is damaged: fortran_order must be a bool")
	}
	shape, ok := d["shape"].([]any)
	if !ok || len(shape) > 32 {
		return errors.New("the header is damaged: shape must be a tuple of at most 32 ints")
	}
	for _, item := range shape {
		n, ok := item.(int64)
		if !ok || n < 0 {
			return errors.New("the header is damaged: shape must be a tuple of ints")
		}
		f.shape = append(f.shape, n)
	}
	f.descr, ok = d["descr"].(string)
	if !ok {
		return errors.New("it holds an array of records; only arrays of numbers are read")
	}
	return f.element()
}

// element takes descr apart: a byte order, a kind and a size, "<f4".
func (f *npyFile) element() error {
	order, rest := byte('='), f.descr
	if rest != "" && strings.IndexByte("<>=|", rest[0]) >= 0 {
		order, rest = rest[0], rest[1:]
	}
	if rest == "" {
		return fmt.Errorf("the dtype %q is unknown", f.descr)
	}
	if rest[0] == 'O' {
		return errors.New("it holds Python objects, which are pickled: reading them could run code, so they are refused. Save an array of numbers")
	}
	size, err := strconv.Atoi(rest[1:])
	known := map[byte][]int{'b': {1}, 'i': {1, 2, 4, 8}, 'u': {1, 2, 4, 8}, 'f': {2, 4, 8}, 'c': {8, 16}}[rest[0]]
	if err != nil || !slices.Contains(known, size) {
		return fmt.Errorf("the dtype %q is no number that a tensor holds: save the array as float32, int64 or the like", f.descr)
	}
	f.kind, f.size, f.big = rest[0], int64(size), order == '>'
	return nil
}

// rows reads the elements of rows start to stop in the machine's byte order. Unsigned integers that libtorch has no type for come as
// the next wider signed ones: kind and size then are those.
func (f *npyFile) rows(start, stop int64) ([]byte, error) {
	outer, n := int64(1), f.shape[0]
	for _, d := range f.shape[1:] {
		outer *= d
	}
	block, blocks, step := (stop-start)*outer*f.size, int64(1), int64(0)
	first := f.data + start*outer*f.size
	if f.fortran {
		block, blocks, step = (stop-start)*f.size, outer, n*f.size
		first = f.data + start*f.size
	}
	out := make([]byte, block*blocks)
	for k := range blocks {
		if _, err := f.r.ReadAt(out[k*block:(k+1)*block], first+k*step); err != nil && block > 0 {
			return nil, fmt.Errorf("read %s: %w", f.path, err)
		}
	}
	if f.big {
		swap(out, map[bool]int64{true: f.size / 2, false: f.size}[f.kind == 'c'])
	}
	switch {
	case f.kind == 'b':
		for i := range out {
			out[i] = min(out[i], 1)
		}
	case f.kind == 'u' && f.size > 1:
		return f.widen(out)
	}
	return out, nil
}

func swap(b []byte, size int64) {
	for ; size > 1 && int64(len(b)) >= size; b = b[size:] {
		slices.Reverse(b[:size])
	}
}

func (f *npyFile) widen(b []byte) ([]byte, error) {
	f.kind = 'i'
	switch f.size {
	case 2:
		f.size = 4
		out := make([]byte, 0, 2*len(b))
		for ; len(b) > 0; b = b[2:] {
			out = append(out, b[0], b[1], 0, 0)
		}
		return out, nil
	case 4:
		f.size = 8
		out := make([]byte, 0, 2*len(b))
		for ; len(b) > 0; b = b[4:] {
			out = append(out, b[0], b[1], b[2], b[3], 0, 0, 0, 0)
		}
		return out, nil
	}
	for i := 7; i < len(b); i += 8 {
		if b[i] > 0x7f {
			return nil, fmt.Errorf("%s holds %d, which is beyond int64", f.path, binary.LittleEndian.Uint64(b[i-7:]))
		}
	}
	return b, nil
}

// literal reads a Python literal of dicts with str keys, tuples, lists, str, int and bool.
type literal struct{ text string }

func (p *literal) next() byte {
	p.text = strings.TrimLeft(p.text, " \t\n\r")
	if p.text == "" {
		return 0
	}
	return p.text[0]
}

func (p *literal) value(depth int) (any, error) {
	c := p.next()
	switch {
	case depth > 8:
		return nil, errors.New("it is nested too deeply")
	case c == '{':
		return p.dict(depth)
	case c == '(':
		return p.sequence(')', depth)
	case c == '[':
		return p.sequence(']', depth)
	case c == '\'' || c == '"':
		end := strings.IndexByte(p.text[1:], c)
		if end < 0 || strings.ContainsRune(p.text[1:1+end], '\\') {
			return nil, errors.New("a str is not closed or has a backslash")
		}
		s := p.text[1 : 1+end]
		p.text = p.text[end+2:]
		return s, nil
	}
	end := strings.IndexAny(p.text, ",:)]} \t\n\r")
	if end < 0 {
		end = len(p.text)
	}
	word := p.text[:end]
	p.text = p.text[end:]
	switch word {
	case "True", "False":
		return word == "True", nil
	}
	// Python 2 wrote long integers as 3L.
	n, err := strconv.ParseInt(strings.TrimSuffix(word, "L"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%.20q is no literal", word)
	}
	return n, nil
}

func (p *literal) sequence(closing byte, depth int) (any, error) {
	items := []any{}
	p.text = p.text[1:]
	for p.next() != closing {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		items = append(items, v)
		if err := p.comma(closing); err != nil {
			return nil, err
		}
	}
	p.text = p.text[1:]
	return items, nil
}

func (p *literal) dict(depth int) (any, error) {
	d := map[string]any{}
	p.text = p.text[1:]
	for p.next() != '}' {
		k, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		key, ok := k.(string)
		if !ok || p.next() != ':' {
			return nil, errors.New("a key is missing")
		}
		p.text = p.text[1:]
		if d[key], err = p.value(depth + 1); err != nil {
			return nil, err
		}
		if err := p.comma('}'); err != nil {
			return nil, err
		}
	}
	p.text = p.text[1:]
	return d, nil
}

// comma takes the comma after an item, or sees that the sequence ends.
func (p *literal) comma(closing byte) error {
	switch p.next() {
	case ',':
		p.text = p.text[1:]
	case closing:
	default:
		return fmt.Errorf("a comma is missing before %.20q", p.text)
	}
	return nil
}
