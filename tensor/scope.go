package tensor

// #cgo noescape lt_track
// #cgo nocallback lt_track
// #cgo nocallback lt_scope_id
// #cgo nocallback lt_scope_is_open
// #include "lighter.h"
import "C"

import (
	"runtime"
	"unsafe"

	"github.com/sugarme/gotch/libtch"
)

// Scope owns the tensors made while it is the innermost one open on its thread.
type Scope struct{ depth int }

// Open begins a scope and locks the goroutine to its OS thread until [Scope.Close].
func Open() Scope {
	runtime.LockOSThread()
	C.lt_scope_open()
	return Scope{depth: int(C.lt_scope_depth())}
}

// Close frees every tensor of the scope, and of scopes left open inside it.
func (s Scope) Close() {
	for int(C.lt_scope_depth()) >= s.depth {
		C.lt_scope_close()
		runtime.UnlockOSThread()
	}
}

// ScopeID is the number of the innermost scope of this thread, 0 when none is open. No two scopes have the same.
func ScopeID() uint64 { return uint64(C.lt_scope_id()) }

// ScopeOpen says whether the scope of a number is still open, on any thread: whether its tensors are still there.
func ScopeOpen(id uint64) bool { return C.lt_scope_is_open(C.uint64_t(id)) != 0 }

// Return hands t to the scope around the innermost one: the way out for a function's result.
func (s Scope) Return(t Tensor) Tensor {
	var out C.lt_tensor
	check("return", C.lt_return(C.lt_tensor(t.p), &out))
	return Tensor{unsafe.Pointer(out)}
}

// Keep makes a handle of t that no scope owns. Whoever holds it calls [Tensor.Free], or gives it to a scope with
// [Tensor.Adopt]. Both handles share the data.
func (t Tensor) Keep() Tensor { return Tensor{unsafe.Pointer(C.lt_share(C.lt_tensor(t.p)))} }

// Adopt gives a kept tensor to the innermost scope, on whichever thread that is.
func (t Tensor) Adopt() Tensor {
	check("adopt", C.lt_adopt(C.lt_tensor(t.p)))
	return t
}

// Free drops a kept tensor. Freeing one that a scope owns corrupts memory.
func (t Tensor) Free() {
	if t.p != nil {
		C.lt_free(C.lt_tensor(t.p))
	}
}

// Live is the number of tensor handles in existence, over all threads.
func Live() int64 { return int64(C.lt_live()) }

// own takes a fresh result of libtch into the innermost scope; nil means that the call failed.
func own(op string, c libtch.Ctensor) Tensor {
	p := unsafe.Pointer(c)
	if p == nil {
		checkTorch(op)
		panic(newError(op, RuntimeError, "no result"))
	}
	check(op, C.lt_track(C.lt_tensor(p)))
	return Tensor{p}
}
