package tensor

// #include "lighter.h"
import "C"

import (
	"sync"
	"sync/atomic"
	"unsafe"
)

// gradient is the backward pass of a function written in Go.
type gradient struct {
	backward func(grads []Tensor) []Tensor
	release  func()
}

var (
	gradients    sync.Map // id -> *gradient
	lastGradient atomic.Uint64
)

// Function gives outputs as they come out of a function of inputs whose backward pass is backward: it takes the gradient of every
// output, undefined where there is none, and gives that of every input, undefined for none. What it makes belongs to a scope of
// the call. release is called once the graph is freed. A panic in backward goes on from the pass that led to it.
func Function(inputs, outputs []Tensor, backward func(grads []Tensor) []Tensor, release func()) []Tensor {
	id := lastGradient.Add(1)
	gradients.Store(id, &gradient{backward, release})
	results := make([]C.lt_tensor, len(outputs))
	check("function", C.lt_node(C.uint64_t(id), handles(inputs), C.int(len(inputs)), handles(outputs), C.int(len(outputs)), unsafe.SliceData(results)))
	made := make([]Tensor, len(outputs))
	for i, r := range results {
		made[i] = adoptNew("function", unsafe.Pointer(r))
	}
	return made
}

//export ltNodeBackward
func ltNodeBackward(id C.uint64_t, grads *C.lt_tensor, n C.int, results *C.lt_tensor, m C.int) (failed C.int) {
	v, _ := gradients.Load(uint64(id))
	g := v.(*gradient)
	s := Open()
	defer s.Close()
	defer func() {
		if r := recover(); r != nil {
			pending.Store(r)
			failed = 1
		}
	}()
	in := make([]Tensor, n)
	for i, p := range unsafe.Slice(grads, n) {
		if p != nil {
			in[i] = adoptNew("backward", unsafe.Pointer(p))
		}
	}
	var made []Tensor
	NoGrad(func() { made = g.backward(in) })
	out := unsafe.Slice(results, m)
	for i := range out {
		out[i] = nil
		if i < len(made) && made[i].Defined() {
			out[i] = C.lt_tensor(made[i].Keep().p)
		}
	}
	return 0
}

//export ltNodeRelease
func ltNodeRelease(id C.uint64_t) {
	if v, ok := gradients.LoadAndDelete(uint64(id)); ok {
		if g := v.(*gradient); g.release != nil {
			g.release()
		}
	}
}

// pending is what a backward function panicked with, for the operation that ran it: a pass fails at its first error.
var pending failure

type failure struct {
	mu sync.Mutex
	v  any
}

func (f *failure) Store(v any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.v = v
}

// take gives the panic, once; nil for none.
func (f *failure) take() any {
	f.mu.Lock()
	defer f.mu.Unlock()
	v := f.v
	f.v = nil
	return v
}
