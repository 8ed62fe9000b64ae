package torchfile

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
)

// numpyType is a numpy.dtype: its code ("f8") and, once built, its byte order.
type numpyType struct{ code, order string }

func init() {
	allow(newNumpyType, "numpy.dtype")
	allow(numpyScalar, "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
}

func newNumpyType(_ *machine, args []any) (any, error) {
	if len(args) == 0 {
		return nil, badArguments(args)
	}
	code, ok := args[0].(string)
	if !ok {
		return nil, badArguments(args)
	}
	return &numpyType{code: code}, nil
}

// build takes numpy's state of a data type, whose second item is the byte order.
func (t *numpyType) build(state any) bool {
	n, ok := state.(*node)
	if !ok || len(n.items) < 2 {
		return false
	}
	t.order, ok = n.items[1].(string)
	return ok
}

// numpyScalar takes a numpy number for Python's own: people's hyper-parameters
// and learning rates hold many.
func numpyScalar(_ *machine, args []any) (any, error) {
	if len(args) != 2 {
		return nil, badArguments(args)
	}
	t, ok := args[0].(*numpyType)
	b, ok2 := args[1].([]byte)
	if !ok || !ok2 {
		return nil, badArguments(args)
	}
	if t.order != "<" && t.order != "|" || len(t.code) != 2 || len(b) != int(t.code[1]-'0') || len(b) > 8 {
		return nil, fmt.Errorf("a number of numpy's type %q is %d bytes in order %q", t.code, len(b), t.order)
	}
	var full [8]byte
	copy(full[:], b)
	n := binary.LittleEndian.Uint64(full[:])
	switch t.code {
	case "b1":
		return n != 0, nil
	case "f4":
		return float64(math.Float32frombits(uint32(n))), nil
	case "f8":
		return math.Float64frombits(n), nil
	case "u1", "u2", "u4", "u8":
		return fitInt(new(big.Int).SetUint64(n)), nil
	case "i1", "i2", "i4", "i8":
		return longInt(b), nil
	}
	return nil, fmt.Errorf("a number of numpy's type %q", t.code)
}
