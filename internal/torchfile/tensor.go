package torchfile

import (
	"fmt"
	"io"
	"math"
	"math/bits"
)

// chunk is how much is checksummed and copied at a time: small enough to stay
// in a core's cache between the two.
const chunk = 256 << 10

// Storage is a run of bytes that one or more tensors look into. Its identity is
// its address: tensors that share a *Storage share memory in Python too, and
// its bytes are written once.
type Storage struct {
	size int64
	fill func(dst []byte) error
	data []byte  // set by NewStorage
	rec  *record // set by Open and Read
}

// NewStorage is a storage over data, which is not copied and must not change
// until it is written.
func NewStorage(data []byte) *Storage {
	return &Storage{size: int64(len(data)), data: data}
}

// LazyStorage is a storage of size bytes that are fetched when they are needed:
// fill is given a buffer of exactly that size.
func LazyStorage(size int64, fill func(dst []byte) error) *Storage {
	return &Storage{size: size, fill: fill}
}

// Size is the number of bytes.
func (s *Storage) Size() int64 { return s.size }

// WriteTo writes the bytes. It implements io.WriterTo.
func (s *Storage) WriteTo(w io.Writer) (int64, error) {
	cw := &countWriter{w: w}
	if s.rec != nil {
		err := s.rec.read(func(p []byte) error { _, err := cw.Write(p); return err })
		return cw.n, err
	}
	data, err := s.Bytes()
	for p := data; len(p) > 0 && err == nil; p = p[min(len(p), chunk):] {
		_, err = cw.Write(p[:min(len(p), chunk)])
	}
	return cw.n, err
}

// ReadInto fills dst, whose length must be Size, and checks the checksum of a
// storage that comes from a file. On an error dst's content is undefined.
func (s *Storage) ReadInto(dst []byte) error {
	if int64(len(dst)) != s.size {
		return fmt.Errorf("buffer of %d bytes for a storage of %d", len(dst), s.size)
	}
	switch {
	case s.rec != nil:
		return s.rec.readInto(dst)
	case s.fill != nil:
		return s.fill(dst)
	}
	copy(dst, s.data)
	return nil
}

// Bytes returns the bytes: NewStorage's own slice, else a fresh copy.
func (s *Storage) Bytes() ([]byte, error) {
	if s.fill == nil && s.rec == nil {
		return s.data, nil
	}
	dst := make([]byte, s.size)
	return dst, s.ReadInto(dst)
}

// Tensor is a view into a storage, as in PyTorch: element (i, j) is at
// Offset + i*Stride[0] + j*Stride[1], all counted in elements.
type Tensor struct {
	DType        DType
	Shape        []int64 // empty for a scalar
	Stride       []int64 // nil for row-major
	Offset       int64
	Storage      *Storage
	RequiresGrad bool
	Parameter    bool // an nn.Parameter; its RequiresGrad is the parameter's
}

// NewTensor is a row-major tensor over data, which is not copied.
func NewTensor(d DType, shape []int64, data []byte) *Tensor {
	return &Tensor{DType: d, Shape: shape, Storage: NewStorage(data)}
}

// Numel is the number of elements.
func (t *Tensor) Numel() int64 {
	n := int64(1)
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Contiguous reports whether the elements lie in row-major order without gaps.
func (t *Tensor) Contiguous() bool {
	if t.Stride == nil {
		return true
	}
	if len(t.Stride) != len(t.Shape) {
		return false
	}
	want := int64(1)
	for i := len(t.Shape) - 1; i >= 0; i-- {
		if t.Shape[i] == 0 {
			return true
		}
		if t.Shape[i] != 1 {
			if t.Stride[i] != want {
				return false
			}
			want *= t.Shape[i]
		}
	}
	return true
}

// ReadInto writes the elements in row-major order to dst, whose length must be
// Numel * DType.Size. A contiguous tensor that fills its storage is read
// without another copy.
func (t *Tensor) ReadInto(dst []byte) error {
	if err := t.check(math.MaxInt64); err != nil {
		return err
	}
	size := t.DType.Size()
	n := t.Numel() * size
	if int64(len(dst)) != n {
		return fmt.Errorf("buffer of %d bytes for a tensor of %d", len(dst), n)
	}
	if n == 0 {
		return nil
	}
	if t.Contiguous() && t.Offset == 0 && n == t.Storage.size {
		return t.Storage.ReadInto(dst)
	}
	src, err := t.Storage.Bytes()
	if err != nil {
		return err
	}
	if t.Contiguous() {
		copy(dst, src[t.Offset*size:])
		return nil
	}
	t.gather(dst, src, 0, t.Offset)
	return nil
}

// Bytes returns the elements in row-major order, in a fresh slice.
func (t *Tensor) Bytes() ([]byte, error) {
	if err := t.check(math.MaxInt64); err != nil {
		return nil, err
	}
	dst := make([]byte, t.Numel()*t.DType.Size())
	return dst, t.ReadInto(dst)
}

// gather copies dimension dim and those below it, and returns what is left of dst.
func (t *Tensor) gather(dst, src []byte, dim int, at int64) []byte {
	size := t.DType.Size()
	if dim == len(t.Shape) {
		copy(dst[:size], src[at*size:])
		return dst[size:]
	}
	for range t.Shape[dim] {
		dst = t.gather(dst, src, dim+1, at)
		at += t.Stride[dim]
	}
	return dst
}

// maxDims is PyTorch's own bound on the number of dimensions.
const maxDims = 64

// check reports a tensor whose elements do not all lie in its storage, or that
// takes more than limit bytes once it is laid out (strides of 0 repeat elements).
func (t *Tensor) check(limit int64) error {
	size := t.DType.Size()
	switch {
	case size == 0:
		return fmt.Errorf("tensor has the unknown data type %v", t.DType)
	case t.Storage == nil:
		return fmt.Errorf("tensor has no storage")
	case len(t.Shape) > maxDims:
		return fmt.Errorf("tensor has %d dimensions, more than %d", len(t.Shape), maxDims)
	case t.Stride != nil && len(t.Stride) != len(t.Shape):
		return fmt.Errorf("tensor has %d dimensions but %d strides", len(t.Shape), len(t.Stride))
	case t.Offset < 0:
		return fmt.Errorf("tensor has the negative offset %d", t.Offset)
	}
	elems, last := uint64(1), uint64(t.Offset)
	strides, empty := t.strides(), false
	for i, d := range t.Shape {
		if d < 0 || strides[i] < 0 {
			return fmt.Errorf("tensor has a negative size or stride: shape %v, stride %v", t.Shape, strides)
		}
		if d == 0 {
			empty = true
		}
	}
	if empty {
		return nil
	}
	for i, d := range t.Shape {
		elems = mulAdd(elems, uint64(d), 0)
		last = mulAdd(uint64(d-1), uint64(strides[i]), last)
	}
	if mulAdd(last, uint64(size), uint64(size)) > uint64(t.Storage.size) {
		return fmt.Errorf("tensor of shape %v, stride %v, offset %d reaches beyond its storage of %d bytes", t.Shape, strides, t.Offset, t.Storage.size)
	}
	if mulAdd(elems, uint64(size), 0) > uint64(limit) {
		return fmt.Errorf("tensor of shape %v claims more bytes than the file holds", t.Shape)
	}
	return nil
}

// strides returns Stride, or the row-major ones.
func (t *Tensor) strides() []int64 {
	if t.Stride != nil {
		return t.Stride
	}
	s := make([]int64, len(t.Shape))
	n := int64(1)
	for i := len(s) - 1; i >= 0; i-- {
		s[i] = n
		n = int64(min(mulAdd(uint64(n), uint64(max(t.Shape[i], 1)), 0), math.MaxInt64))
	}
	return s
}

// mulAdd is a*b + c, or the largest uint64 if that does not fit.
func mulAdd(a, b, c uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	sum, carry := bits.Add64(lo, c, 0)
	if hi != 0 || carry != 0 {
		return math.MaxUint64
	}
	return sum
}

type countWriter struct {
	w io.Writer
	n int64
}

func (c *countWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// SectionStorage is a storage over size bytes at offset of r, of a format
// without checksums. Where they end is checked when they are taken.
func SectionStorage(r io.ReaderAt, name string, offset, size int64) *Storage {
	return &Storage{size: size, rec: &record{name: name, r: r, offset: offset, size: size, bare: true}}
}
