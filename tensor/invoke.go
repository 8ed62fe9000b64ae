package tensor

// #cgo noescape lt_invoke
// #cgo noescape lt_index
// #cgo noescape lt_index_put
// #include "lighter.h"
// #include <stdlib.h>
import "C"

import (
	"encoding/binary"
	"math"
	"runtime"
	"strconv"
	"strings"
	"unsafe"
)

// Overload is one overload of an operator, for calls that have chosen it already: [Overload.Invoke] costs about a third of
// [Call].
type Overload struct {
	Schema string // as libtorch writes it
	handle C.uintptr_t
}

// Overloads are the overloads of an operator by its name, "add" or "aten::add"; none when there is no such operator.
func Overloads(name string) []Overload {
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var n C.size_t
	p := C.lt_overloads(c, &n)
	var all []Overload
	for line := range strings.Lines(C.GoStringN(p, C.int(n))) {
		handle, schema, _ := strings.Cut(strings.TrimSpace(line), "\t")
		h, _ := strconv.ParseUint(handle, 10, 64)
		all = append(all, Overload{Schema: schema, handle: C.uintptr_t(h)})
	}
	return all
}

// Args are the arguments of an [Overload], one for each of its schema's, in order. The zero value is ready; a set may be used
// again after Reset.
type Args struct {
	b    []byte
	room [192]byte
}

// Reset empties a.
func (a *Args) Reset() {
	if a.b == nil {
		a.b = a.room[:0]
	}
	a.b = a.b[:0]
}

// Default takes the schema's default.
func (a *Args) Default() { a.b = append(a.b, 'y') }

// None gives None.
func (a *Args) None() { a.b = append(a.b, 'n') }

// Tensor gives a tensor; an undefined one is None.
func (a *Args) Tensor(t Tensor) { a.b = appendTensor(a.b, t) }

// Int gives an int, also as a number, a dtype, a layout or a memory format.
func (a *Args) Int(i int64) { a.b = appendInt(a.b, i) }

// Float gives a float.
func (a *Args) Float(f float64) { a.b = appendFloat(a.b, f) }

// Bool gives a bool.
func (a *Args) Bool(v bool) { a.b = appendBool(a.b, v) }

// Text gives a string.
func (a *Args) Text(s string) { a.b = appendText(append(a.b, 's'), s) }

// Device gives a device.
func (a *Args) Device(d Device) { a.b = appendDevice(a.b, d) }

// Wrapped begins a number that stands for a tensor; the number follows.
func (a *Args) Wrapped() { a.b = append(a.b, 'w') }

// List begins a list of n elements, which follow. Its kind is t for tensors, o for tensors or None, i for ints, d for floats,
// b for bools, x for numbers, s for texts.
func (a *Args) List(kind byte, n int) {
	a.b = binary.LittleEndian.AppendUint32(append(a.b, 'L', kind), uint32(n))
}

// Invoke calls the overload. op is the name for errors. Results are as [Call]'s, and tensors among them belong to the innermost
// scope.
func (o Overload) Invoke(op string, a *Args) []any {
	r := o.invoke(op, a)
	results := make([]any, r.uint32())
	for i := range results {
		results[i] = r.value()
	}
	return results
}

// InvokeOne is [Overload.Invoke] for one tensor as the result.
func (o Overload) InvokeOne(op string, a *Args) Tensor {
	r := o.invoke(op, a)
	if n := r.uint32(); n != 1 || r.b[0] != 't' {
		Fail(op, "gives %d results, not one tensor", n)
	}
	r.take(1)
	return r.tensor()
}

func (o Overload) invoke(op string, a *Args) reader {
	var out *C.char
	var n C.size_t
	if C.lt_invoke(o.handle, (*C.char)(unsafe.Pointer(unsafe.SliceData(a.b))), C.size_t(len(a.b)), &out, &n) != 0 {
		check(op, 1)
	}
	return reader{unsafe.Slice((*byte)(unsafe.Pointer(out)), int(n))}
}

// Index is an index of a tensor as Python writes it, part by part.
type Index struct {
	b []byte
	n int
}

func (x *Index) part(tag byte) {
	x.b = append(x.b, tag)
	x.n++
}

// None adds a dimension.
func (x *Index) None() { x.part('n') }

// Ellipsis takes as many dimensions as the other parts leave.
func (x *Index) Ellipsis() { x.part('e') }

// At takes one element of a dimension.
func (x *Index) At(i int64) {
	x.part('i')
	x.b = binary.LittleEndian.AppendUint64(x.b, uint64(i))
}

// Bool adds a dimension of size 1 or 0.
func (x *Index) Bool(v bool) {
	x.part('b')
	if v {
		x.b = append(x.b, 1)
	} else {
		x.b = append(x.b, 0)
	}
}

// Tensor takes the elements that a tensor of ints names, or those where a mask is true.
func (x *Index) Tensor(t Tensor) {
	x.part('t')
	x.b = binary.LittleEndian.AppendUint64(x.b, uint64(uintptr(t.p)))
}

// Slice takes a range; nil leaves a bound open.
func (x *Index) Slice(start, stop, step *int64) {
	x.part('r')
	for _, p := range []*int64{start, stop, step} {
		if p == nil {
			x.b = append(x.b, 0)
			continue
		}
		x.b = binary.LittleEndian.AppendUint64(append(x.b, 1), uint64(*p))
	}
}

func (x *Index) appendTo(b []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(b, uint32(x.n)), x.b...)
}

// At is t[x]: a view where Python's is one.
func (t Tensor) At(x *Index) Tensor {
	var out C.lt_tensor
	b := x.appendTo(make([]byte, 0, 64))
	check("index", C.lt_index(C.lt_tensor(t.p), (*C.char)(unsafe.Pointer(unsafe.SliceData(b))), C.size_t(len(b)), &out))
	return Tensor{unsafe.Pointer(out)}
}

// Put is t[x] = value, a tensor, bool, int64 or float64.
func (t Tensor) Put(x *Index, value any) {
	b := x.appendTo(appendValue("index_put_", make([]byte, 0, 64), value))
	check("index_put_", C.lt_index_put(C.lt_tensor(t.p), (*C.char)(unsafe.Pointer(unsafe.SliceData(b))), C.size_t(len(b))))
}

// BackwardOf is torch.autograd.backward: gradients of the outputs, each undefined for a scalar's 1, go to the leaves, or to inputs
// alone when there are any.
func BackwardOf(outputs, grads, inputs []Tensor, retainGraph, createGraph bool) {
	check("backward", C.lt_backward_of(handles(outputs), handles(grads), C.int(len(outputs)), handles(inputs), C.int(len(inputs)), boolC(retainGraph), boolC(createGraph)))
}

// GradOf is torch.autograd.grad: undefined where an input took no part and allowUnused is set.
func GradOf(outputs, grads, inputs []Tensor, retainGraph, createGraph, allowUnused bool) []Tensor {
	out := make([]Tensor, len(inputs))
	check("grad", C.lt_grad_of(handles(outputs), handles(grads), C.int(len(outputs)), handles(inputs), C.int(len(inputs)), boolC(retainGraph), boolC(createGraph), boolC(allowUnused), handles(out)))
	return out
}

func handles(ts []Tensor) *C.lt_tensor { return (*C.lt_tensor)(unsafe.Pointer(unsafe.SliceData(ts))) }

// GradFn is the name of the node that computes t's gradient, "AddBackward0"; "" for a leaf.
func (t Tensor) GradFn() string {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return C.GoString(C.lt_grad_fn(C.lt_tensor(t.p)))
}

// Layout is the number of libtorch's layout: 0 strided, 1 sparse_coo, 2 sparse_csr.
func (t Tensor) Layout() int { return int(C.lt_layout(C.lt_tensor(t.p))) }

// Identity is the same for all handles of a tensor.
func (t Tensor) Identity() uintptr { return uintptr(C.lt_identity(C.lt_tensor(t.p))) }

func appendTensor(b []byte, t Tensor) []byte {
	if t.p == nil {
		return append(b, 'n')
	}
	return binary.LittleEndian.AppendUint64(append(b, 't'), uint64(uintptr(t.p)))
}

func appendFloat(b []byte, f float64) []byte {
	return binary.LittleEndian.AppendUint64(append(b, 'd'), math.Float64bits(f))
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 'b', 1)
	}
	return append(b, 'b', 0)
}

func appendDevice(b []byte, d Device) []byte {
	b = binary.LittleEndian.AppendUint32(append(b, 'v'), uint32(d.Type))
	return binary.LittleEndian.AppendUint32(b, uint32(int32(d.index())))
}
