package tensor

// #include "lighter.h"
import "C"

import "unsafe"

func pointerC(v *int64) *C.int64_t { return (*C.int64_t)(unsafe.Pointer(v)) }

// Outside counts the elements that are no whole number from 0 to below n, nor ignore. On a device, where reading them would make
// the host wait, it is -1.
func (t Tensor) Outside(n int64, ignore *int64) int64 {
	var count C.int64_t
	check("outside", C.lt_outside(C.lt_tensor(t.p), C.int64_t(n), pointerC(ignore), &count))
	return int64(count)
}

// BinaryCounts gives the true positives, the true negatives, the negatives and the positives of predictions and targets of one
// shape: int64 [4], or [labels, 4] when labels, the size of the second dimension, is not 0. Floating-point predictions are 1
// above the threshold; when some lie outside 0 to 1 they are all logits. A target that is ignore does not count. It is
// undefined for tensors that are not contiguous ones on the CPU.
func BinaryCounts(pred, target Tensor, labels int64, threshold float64, ignore *int64) Tensor {
	var out C.lt_tensor
	check("binary_counts", C.lt_binary_counts(C.lt_tensor(pred.p), C.lt_tensor(target.p), C.int64_t(labels), C.double(threshold), pointerC(ignore), &out))
	if out == nil {
		return Tensor{}
	}
	return adoptNew("binary_counts", unsafe.Pointer(out))
}
