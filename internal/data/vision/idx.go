package vision

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// maxData bounds what an archive may unfold to.
const maxData = 4 << 30

// idx is a file of MNIST's format: bytes with a shape.
type idx struct {
	shape []int
	data  []byte
}

// parseIDX reads the format of http://yann.lecun.com/exdb/mnist: two zeros, the type, the number of dimensions, their sizes as
// 32 bits big-endian, the elements. Only bytes are known here.
func parseIDX(data []byte) (idx, error) {
	if len(data) < 4 {
		return idx{}, errors.New("the file ends before its header")
	}
	if data[0] != 0 || data[1] != 0 {
		return idx{}, fmt.Errorf("magic number 0x%x is not one of an IDX file", data[:4])
	}
	if data[2] != 8 {
		return idx{}, fmt.Errorf("x should be of dtype torch.uint8 instead of type 0x%02x", data[2])
	}
	nd := int(data[3])
	if nd < 1 || nd > 3 {
		return idx{}, fmt.Errorf("an IDX file of %d dimensions, it must have 1 to 3", nd)
	}
	if len(data) < 4+4*nd {
		return idx{}, errors.New("the file ends within its header")
	}
	var x idx
	size := uint64(1)
	for k := range nd {
		d := binary.BigEndian.Uint32(data[4+4*k:])
		x.shape = append(x.shape, int(d))
		if size *= uint64(d); size > maxData {
			return idx{}, fmt.Errorf("an IDX file of shape %v is too large", x.shape)
		}
	}
	x.data = data[4+4*nd:]
	if uint64(len(x.data)) != size {
		return idx{}, fmt.Errorf("the file is truncated or damaged: shape %v needs %d bytes, there are %d", x.shape, size, len(x.data))
	}
	return x, nil
}

// readIDX reads path, or path.gz where only that is there.
func readIDX(path string, dims int) (idx, error) {
	data, name, err := readMaybeZipped(path)
	if err != nil {
		return idx{}, err
	}
	x, err := parseIDX(data)
	if err == nil && len(x.shape) != dims {
		err = fmt.Errorf("x should have %d dimension instead of %d", dims, len(x.shape))
	}
	if err != nil {
		return idx{}, fmt.Errorf("%s: %w", name, err)
	}
	return x, nil
}

func readMaybeZipped(path string) (data []byte, name string, err error) {
	data, err = os.ReadFile(path)
	if !errors.Is(err, os.ErrNotExist) {
		return data, path, err
	}
	zipped, err := os.ReadFile(path + ".gz")
	if err != nil {
		return nil, path, err
	}
	z, err := gzip.NewReader(bytes.NewReader(zipped))
	if err == nil {
		data, err = io.ReadAll(io.LimitReader(z, maxData))
	}
	if err != nil {
		return nil, path, fmt.Errorf("%s.gz: the archive is truncated or damaged: %w", path, err)
	}
	return data, path + ".gz", nil
}
