package tensor

// #include "lighter.h"
import "C"

// UnscaleGrad multiplies every gradient by invScale and sets foundInf to 1 when one of them is not finite; both are
// float32 scalars. It is torch.amp.GradScaler.unscale_. The host does not wait.
func (l List) UnscaleGrad(invScale, foundInf Tensor) {
	check("unscale_", C.lt_unscale_grad(l.p, C.lt_tensor(invScale.p), C.lt_tensor(foundInf.p)))
}

// UpdateScale is torch.amp.GradScaler.update: scale, a float32 scalar, shrinks by backoff when foundInf is set, and grows by
// growth after interval steps without. tracker, an int32 scalar, counts those.
func UpdateScale(scale, tracker, foundInf Tensor, growth, backoff float64, interval int64) {
	check("update", C.lt_update_scale(C.lt_tensor(scale.p), C.lt_tensor(tracker.p), C.lt_tensor(foundInf.p), C.double(growth), C.double(backoff), C.int64_t(interval)))
}
