package tensor

// #include "lighter.h"
import "C"

import "unsafe"

// RequiresGrad says whether autograd records what is done with t.
func (t Tensor) RequiresGrad() bool { return t.flag(flagRequiresGrad) }

// SetRequiresGrad makes autograd record what is done with t. It returns t.
func (t Tensor) SetRequiresGrad(on bool) Tensor {
	check("requires_grad_", C.lt_set_requires_grad(C.lt_tensor(t.p), boolC(on)))
	return t
}

// Grad is the gradient gathered so far; undefined when there is none.
func (t Tensor) Grad() Tensor {
	p := unsafe.Pointer(C.lt_grad(C.lt_tensor(t.p)))
	if p == nil {
		return Tensor{}
	}
	return adoptNew("grad", p)
}

// SetGrad puts grad, of t's shape, type and device, in place of the gradient gathered so far; an undefined one means none. Both share
// the data.
func (t Tensor) SetGrad(grad Tensor) {
	check("set_grad", C.lt_set_grad(C.lt_tensor(t.p), C.lt_tensor(grad.p)))
}

// Backward adds the gradients of a scalar to its leaves and frees the graph.
func (t Tensor) Backward() { t.BackwardFrom(Tensor{}, false) }

// BackwardFrom starts from a gradient of t's shape, or from 1 when it is undefined; retain keeps the graph.
func (t Tensor) BackwardFrom(gradient Tensor, retain bool) {
	check("backward", C.lt_backward(C.lt_tensor(t.p), C.lt_tensor(gradient.p), boolC(retain)))
}

// SetGradEnabled sets the thread's grad mode and returns the call that puts the old one back.
func SetGradEnabled(on bool) (restore func()) {
	was := C.lt_grad_enabled()
	C.lt_set_grad_enabled(boolC(on))
	return func() { C.lt_set_grad_enabled(was) }
}

// GradEnabled is the thread's grad mode.
func GradEnabled() bool { return C.lt_grad_enabled() != 0 }

// NoGrad runs f without recording for autograd.
func NoGrad(f func()) {
	defer SetGradEnabled(false)()
	f()
}

// InferenceMode enters libtorch's inference mode on this thread, in which tensors carry no autograd data at all, and
// returns the call that leaves it. Calls nest and must be undone in reverse order.
func InferenceMode() (restore func()) {
	guard := C.lt_inference_enter(1)
	return func() { C.lt_inference_exit(guard) }
}

// DetectAnomaly makes backward name the forward operation that gave a NaN, at a high price.
func DetectAnomaly(on bool) { C.lt_set_anomaly(boolC(on)) }

// Autocast runs eligible operations of a device type in dtype on this thread, and returns the call that restores the
// earlier state and drops the cached casts of the weights.
func Autocast(device DeviceType, dtype DType) (restore func()) {
	return autocast(device, true, dtype)
}

// AutocastOff runs operations of a device type in the types of their arguments on this thread, and returns the call that restores
// the earlier state.
func AutocastOff(device DeviceType) (restore func()) { return autocast(device, false, BFloat16) }

func autocast(device DeviceType, on bool, dtype DType) (restore func()) {
	var was, wasDType, ignored C.int
	check("autocast", C.lt_autocast(C.int(device), boolC(on), C.int(dtype), &was, &wasDType))
	return func() {
		C.lt_autocast_clear()
		C.lt_autocast(C.int(device), was, wasDType, &ignored, &ignored)
	}
}
