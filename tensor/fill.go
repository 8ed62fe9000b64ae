package tensor

// #include "lighter.h"
import "C"

import "unsafe"

// Filled is a new CPU tensor of elements E whose memory fill sets, in C order; it must not keep the slice.
func Filled[E Element](shape []int64, fill func([]E)) Tensor {
	t := Empty(shape, dtypeOf[E](), Device{})
	if n := t.Numel(); n > 0 {
		fill(unsafe.Slice((*E)(C.lt_data(C.lt_tensor(t.p))), n))
	}
	return t
}
