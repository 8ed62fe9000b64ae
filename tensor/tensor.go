package tensor

// #cgo noescape lt_sizes
// #cgo nocallback lt_sizes
// #cgo noescape lt_dim
// #cgo nocallback lt_dim
// #cgo noescape lt_from_bytes
// #cgo nocallback lt_from_bytes
// #include "lighter.h"
import "C"

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/sugarme/gotch/libtch"
)

// Tensor is a handle on a libtorch tensor. The zero value is undefined: libtorch's None. It is as wide as a pointer,
// so that it moves into an interface without an allocation. See the package documentation for who frees it.
type Tensor struct{ p unsafe.Pointer }

func (t Tensor) c() libtch.Ctensor { return libtch.Ctensor(t.p) }

const (
	flagDefined = iota
	flagRequiresGrad
	flagLeaf
	flagContiguous
	flagChannelsLast
	flagFloat
	flagStrided
	flagInference
)

func (t Tensor) flag(which C.int) bool { return C.lt_flag(C.lt_tensor(t.p), which) != 0 }

// Defined says whether there is a tensor at all.
func (t Tensor) Defined() bool { return t.p != nil && t.flag(flagDefined) }

// Same says whether both are the same handle.
func (t Tensor) Same(o Tensor) bool { return t.p == o.p }

// Dim is the number of dimensions.
func (t Tensor) Dim() int { return int(C.lt_dim(C.lt_tensor(t.p))) }

// Shape is the size of every dimension.
func (t Tensor) Shape() []int64 {
	s := make([]int64, t.Dim())
	if len(s) > 0 {
		C.lt_sizes(C.lt_tensor(t.p), (*C.int64_t)(unsafe.Pointer(&s[0])), nil)
	}
	return s
}

// Strides is the step, in elements, of every dimension.
func (t Tensor) Strides() []int64 {
	s := make([]int64, t.Dim())
	if len(s) > 0 {
		C.lt_sizes(C.lt_tensor(t.p), nil, (*C.int64_t)(unsafe.Pointer(&s[0])))
	}
	return s
}

// Size is the size of dimension d; negative d counts from the end.
func (t Tensor) Size(d int) int64 {
	s := t.Shape()
	if d < 0 {
		d += len(s)
	}
	if d < 0 || d >= len(s) {
		Fail("size", "Dimension out of range (a tensor of shape %v has %d)", s, len(s))
	}
	return s[d]
}

// Numel is the number of elements.
func (t Tensor) Numel() int64 { return int64(C.lt_numel(C.lt_tensor(t.p))) }

// DType is the type of the elements.
func (t Tensor) DType() DType { return DType(C.lt_dtype(C.lt_tensor(t.p))) }

// Device is where the data lies.
func (t Tensor) Device() Device {
	var index C.int
	d := Device{Type: DeviceType(C.lt_device(C.lt_tensor(t.p), &index))}
	if d.Type != CPU {
		d.Index = int(index)
	}
	return d
}

// IsFloat says whether the elements are floating-point numbers.
func (t Tensor) IsFloat() bool { return t.flag(flagFloat) }

// IsContiguous says whether the elements lie in C order without gaps.
func (t Tensor) IsContiguous() bool { return t.flag(flagContiguous) }

// IsChannelsLast says whether a 4-d tensor's channels lie innermost.
func (t Tensor) IsChannelsLast() bool { return t.flag(flagChannelsLast) }

// IsLeaf says whether the tensor was made by the user and not by an operation that autograd recorded.
func (t Tensor) IsLeaf() bool { return t.flag(flagLeaf) }

// IsInference says whether the tensor was made in inference mode.
func (t Tensor) IsInference() bool { return t.flag(flagInference) }

// StorageOffset is the place of the first element in the storage, in elements.
func (t Tensor) StorageOffset() int64 { return int64(C.lt_storage_offset(C.lt_tensor(t.p))) }

// Storage is the memory behind a CPU tensor, shared by all its views. It is valid as long as the tensor lives; its
// address identifies it.
func (t Tensor) Storage() []byte {
	if d := t.Device(); d.Type != CPU {
		Fail("storage", "the data lies on %s", d)
	}
	var n C.int64_t
	p := C.lt_storage(C.lt_tensor(t.p), &n)
	return unsafe.Slice((*byte)(p), int(n))
}

// String tells dtype, shape and device, for messages.
func (t Tensor) String() string {
	if !t.Defined() {
		return "tensor(undefined)"
	}
	s := fmt.Sprintf("%s%v", t.DType(), t.Shape())
	if d := t.Device(); d.Type != CPU {
		s += " on " + d.String()
	}
	return s
}

// TypeName is the class's name in PyTorch, for messages.
func (Tensor) TypeName() string { return "Tensor" }

// Element is a Go type that has an element type in libtorch.
type Element interface {
	uint8 | int8 | int16 | int32 | int64 | float32 | float64 | bool
}

func dtypeOf[E Element]() DType {
	var e E
	switch any(e).(type) {
	case uint8:
		return Uint8
	case int8:
		return Int8
	case int16:
		return Int16
	case int32:
		return Int32
	case int64:
		return Int64
	case float32:
		return Float32
	case float64:
		return Float64
	}
	return Bool
}

// FromSlice copies data, in C order, into a new CPU tensor.
func FromSlice[E Element](data []E, shape ...int64) Tensor {
	n := int64(1)
	for _, s := range shape {
		n *= s
	}
	if n != int64(len(data)) {
		Fail("tensor", "%d elements do not fill the shape %v", len(data), shape)
	}
	return FromBytes(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(data))), len(data)*int(unsafe.Sizeof(*new(E)))), dtypeOf[E](), shape)
}

// FromBytes copies elements in the machine's byte order into a new CPU tensor.
func FromBytes(data []byte, dtype DType, shape []int64) Tensor {
	n := int64(dtype.Size())
	for _, s := range shape {
		n *= s
	}
	if n != int64(len(data)) {
		Fail("tensor", "%d bytes do not fill the shape %v of %s", len(data), shape, dtype)
	}
	p := C.lt_from_bytes(unsafe.Pointer(unsafe.SliceData(data)), (*C.int64_t)(unsafe.Pointer(unsafe.SliceData(shape))), C.int(len(shape)), C.int(dtype))
	return adoptNew("tensor", unsafe.Pointer(p))
}

// adoptNew takes a fresh result of lighter.cc into the innermost scope; nil means that the call failed.
func adoptNew(op string, p unsafe.Pointer) Tensor {
	if p == nil {
		check(op, 1)
	}
	check(op, C.lt_track(C.lt_tensor(p)))
	return Tensor{p}
}

// Bytes copies the elements, in C order, to the host. Waits for the device.
func (t Tensor) Bytes() []byte {
	data := make([]byte, t.Numel()*int64(t.DType().Size()))
	t.ReadInto(data)
	return data
}

// ReadInto is [Tensor.Bytes] into dst, which has exactly their number. Waits for the device.
func (t Tensor) ReadInto(dst []byte) {
	check("read", C.lt_read(C.lt_tensor(t.p), unsafe.Pointer(unsafe.SliceData(dst)), C.int64_t(len(dst))))
}

// Values copies the elements, in C order, to the host, converted to E. Waits for the device.
func Values[E Element](t Tensor) []E {
	s := Open()
	defer s.Close()
	if want := dtypeOf[E](); t.DType() != want {
		t = t.To(Device{}, want)
	}
	data := make([]E, t.Numel())
	size := len(data) * int(unsafe.Sizeof(*new(E)))
	check("read", C.lt_read(C.lt_tensor(t.p), unsafe.Pointer(unsafe.SliceData(data)), C.int64_t(size)))
	return data
}

// Item is the value of a tensor with one element. Waits for the device.
func (t Tensor) Item() float64 {
	var d C.double
	var i C.int64_t
	var isInt C.int
	check("item", C.lt_item(C.lt_tensor(t.p), &d, &i, &isInt))
	return float64(d)
}

// Int is the value of an integer tensor with one element. Waits for the device.
func (t Tensor) Int() int64 {
	var d C.double
	var i C.int64_t
	var isInt C.int
	check("item", C.lt_item(C.lt_tensor(t.p), &d, &i, &isInt))
	if isInt == 0 {
		return int64(d)
	}
	return int64(i)
}

// To copies to a device and element type; the tensor itself when both are so already.
func (t Tensor) To(d Device, dtype DType) Tensor { return t.to(d, dtype, false) }

// ToAsync is [Tensor.To] without waiting for a copy from pinned memory.
func (t Tensor) ToAsync(d Device, dtype DType) Tensor { return t.to(d, dtype, true) }

func (t Tensor) to(d Device, dtype DType, async bool) Tensor {
	var out C.lt_tensor
	check("to", C.lt_to(C.lt_tensor(t.p), C.int(d.Type), d.index(), C.int(dtype), boolC(async), &out))
	return adoptNew("to", unsafe.Pointer(out))
}

// SetData replaces what t holds, in place, for every holder of the handle: PyTorch's `t.data = data`.
func (t Tensor) SetData(data Tensor) {
	check("set_data", C.lt_set_data(C.lt_tensor(t.p), C.lt_tensor(data.p)))
}

// SameShape says whether a tensor has exactly this shape.
func (t Tensor) SameShape(shape []int64) bool { return slices.Equal(t.Shape(), shape) }
