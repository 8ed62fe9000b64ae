package tensor

// #include "lighter.h"
import "C"

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Filled is a new CPU tensor of elements E whose memory fill sets, in C order; it must not keep the slice.
func Filled[E Element](shape []int64, fill func([]E)) Tensor {
	t := Empty(shape, dtypeOf[E](), Device{})
	if n := t.Numel(); n > 0 {
		p := C.lt_data(C.lt_tensor(t.p))
		inLargePages(unsafe.Slice((*byte)(p), n*int64(t.DType().Size())))
		fill(unsafe.Slice((*E)(p), n))
	}
	return t
}

// inLargePages asks for large pages for fresh memory: the kernel then clears a batch of images a few times instead of
// thousands of times, which is a fifth of the work of making one.
func inLargePages(memory []byte) {
	const large = 4 << 20
	page := os.Getpagesize()
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(memory)))) & (page - 1)
	if len(memory) < large {
		return
	}
	n := (len(memory) - skip) &^ (page - 1)
	_ = unix.Madvise(memory[skip:skip+n], unix.MADV_HUGEPAGE) // a kernel without them says no, and all is as it was
}
