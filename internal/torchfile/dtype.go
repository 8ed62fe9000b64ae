package torchfile

import "fmt"

// DType is the element type of a tensor. The zero DType is invalid.
type DType uint8

// The element types of PyTorch that have a fixed size and need no scale.
const (
	Float32 DType = iota + 1
	Float64
	Float16
	BFloat16
	Int8
	Int16
	Int32
	Int64
	Uint8
	Bool
	Complex64
	Complex128
	Uint16
	Uint32
	Uint64
	Complex32
	Float8E4M3FN
	Float8E5M2
	Float8E4M3FNUZ
	Float8E5M2FNUZ
	Float8E8M0FNU
)

// dtypes holds, for each DType, PyTorch's name, the bytes of one element, and
// the storage class it is pickled under. The types PyTorch added after typed
// storages were given up have no such class: they are pickled by
// _rebuild_tensor_v3 over an UntypedStorage.
var dtypes = [...]struct {
	name    string
	size    int64
	storage string
}{
	Float32:        {"float32", 4, "FloatStorage"},
	Float64:        {"float64", 8, "DoubleStorage"},
	Float16:        {"float16", 2, "HalfStorage"},
	BFloat16:       {"bfloat16", 2, "BFloat16Storage"},
	Int8:           {"int8", 1, "CharStorage"},
	Int16:          {"int16", 2, "ShortStorage"},
	Int32:          {"int32", 4, "IntStorage"},
	Int64:          {"int64", 8, "LongStorage"},
	Uint8:          {"uint8", 1, "ByteStorage"},
	Bool:           {"bool", 1, "BoolStorage"},
	Complex64:      {"complex64", 8, "ComplexFloatStorage"},
	Complex128:     {"complex128", 16, "ComplexDoubleStorage"},
	Uint16:         {"uint16", 2, ""},
	Uint32:         {"uint32", 4, ""},
	Uint64:         {"uint64", 8, ""},
	Complex32:      {"complex32", 4, ""},
	Float8E4M3FN:   {"float8_e4m3fn", 1, ""},
	Float8E5M2:     {"float8_e5m2", 1, ""},
	Float8E4M3FNUZ: {"float8_e4m3fnuz", 1, ""},
	Float8E5M2FNUZ: {"float8_e5m2fnuz", 1, ""},
	Float8E8M0FNU:  {"float8_e8m0fnu", 1, ""},
}

// Valid reports whether d is one of the constants above.
func (d DType) Valid() bool { return d > 0 && int(d) < len(dtypes) }

// Size is the number of bytes of one element, 0 if d is not valid.
func (d DType) Size() int64 {
	if !d.Valid() {
		return 0
	}
	return dtypes[d].size
}

// String is PyTorch's name without the module: "float32".
func (d DType) String() string {
	if !d.Valid() {
		return fmt.Sprintf("DType(%d)", uint8(d))
	}
	return dtypes[d].name
}
