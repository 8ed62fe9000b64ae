package checkpoint

import (
	"encoding/binary"
	"math"

	"github.com/lighter-go/lighter/internal/torchfile"
)

// scalar is the number of a tensor of one element, for the types that counters and scores have.
func scalar(t *torchfile.Tensor) (any, bool) {
	b, err := t.Bytes()
	if err != nil {
		return nil, false
	}
	switch t.DType {
	case torchfile.Float32:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))), true
	case torchfile.Float64:
		return math.Float64frombits(binary.LittleEndian.Uint64(b)), true
	case torchfile.Int64:
		return int64(binary.LittleEndian.Uint64(b)), true
	case torchfile.Int32:
		return int64(int32(binary.LittleEndian.Uint32(b))), true
	case torchfile.Bool:
		return b[0] != 0, true
	}
	return nil, false
}
