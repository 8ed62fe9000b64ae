package columnar

import (
	"encoding/binary"
	"errors"
)

// errThrift: a structure of Parquet's metadata claims more than there is. parquet-go allocates what lists and texts claim, so
// that they are walked before it decodes them.
var errThrift = errors.New("its metadata are damaged")

// thriftStruct gives the size of the structure in Thrift's compact protocol that b begins with; every list and text in it lies
// within b. https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
func thriftStruct(b []byte) (int, error) {
	rest, err := skipStruct(b, 0)
	return len(b) - len(rest), err
}

// The protocol's types.
const (
	thriftTrue = iota + 1
	thriftFalse
	thriftByte
	thriftI16
	thriftI32
	thriftI64
	thriftDouble
	thriftBinary
	thriftList
	thriftSet
	thriftMap
	thriftStructType
)

const mostNesting = 32

func skipStruct(b []byte, depth int) ([]byte, error) {
	if depth > mostNesting {
		return b, errThrift
	}
	for {
		if len(b) == 0 {
			return b, errThrift
		}
		head := b[0]
		b = b[1:]
		if head == 0 {
			return b, nil
		}
		var err error
		if head>>4 == 0 {
			if _, b, err = uvarint(b); err != nil {
				return b, err
			}
		}
		if kind := head & 15; kind != thriftTrue && kind != thriftFalse { // those are in the head
			if b, err = skipValue(b, kind, depth); err != nil {
				return b, err
			}
		}
	}
}

func skipValue(b []byte, kind byte, depth int) ([]byte, error) {
	switch kind {
	case thriftTrue, thriftFalse, thriftByte:
		return skipBytes(b, 1)
	case thriftI16, thriftI32, thriftI64:
		_, b, err := uvarint(b)
		return b, err
	case thriftDouble:
		return skipBytes(b, 8)
	case thriftBinary:
		n, b, err := uvarint(b)
		if err != nil {
			return b, err
		}
		return skipBytes(b, n)
	case thriftList, thriftSet:
		if len(b) == 0 {
			return b, errThrift
		}
		n, of := uint64(b[0]>>4), b[0]&15
		b = b[1:]
		var err error
		if n == 15 {
			if n, b, err = uvarint(b); err != nil {
				return b, err
			}
		}
		return skipItems(b, n, depth, of)
	case thriftMap:
		n, b, err := uvarint(b)
		if err != nil || n == 0 {
			return b, err
		}
		if len(b) == 0 {
			return b, errThrift
		}
		key, value := b[0]>>4, b[0]&15
		return skipItems(b[1:], n, depth, key, value)
	case thriftStructType:
		return skipStruct(b, depth+1)
	}
	return b, errThrift
}

// skipItems skips n items of so many values; each takes a byte at least.
func skipItems(b []byte, n uint64, depth int, kinds ...byte) ([]byte, error) {
	if n > uint64(len(b)) || depth > mostNesting {
		return b, errThrift
	}
	for range n {
		for _, kind := range kinds {
			var err error
			if b, err = skipValue(b, kind, depth+1); err != nil {
				return b, err
			}
		}
	}
	return b, nil
}

func skipBytes(b []byte, n uint64) ([]byte, error) {
	if n > uint64(len(b)) {
		return b, errThrift
	}
	return b[n:], nil
}

func uvarint(b []byte) (uint64, []byte, error) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, b, errThrift
	}
	return v, b[n:], nil
}
