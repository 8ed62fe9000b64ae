package tensor

// #include "lighter.h"
import "C"

import "unsafe"

// List is a list of tensors held on the C++ side, so that an operation on all parameters is one call. It shares the
// tensors' data and is freed with [List.Free].
type List struct {
	p C.lt_list
	n int
}

// NewList shares the data of ts.
func NewList(ts []Tensor) List {
	return List{p: C.lt_list_new((*C.lt_tensor)(unsafe.Pointer(unsafe.SliceData(ts))), C.int64_t(len(ts))), n: len(ts)}
}

// Len is the number of tensors.
func (l List) Len() int { return l.n }

// Free drops the list, not the tensors it was made from.
func (l List) Free() {
	if l.p != nil {
		C.lt_list_free(l.p)
	}
}

// ZeroGrad drops every tensor's gradient, or with setToNone false fills it with zeros.
func (l List) ZeroGrad(setToNone bool) { check("zero_grad", C.lt_zero_grad(l.p, boolC(setToNone))) }

// GradNorm is the norm of all gradients together, a scalar on their device.
func (l List) GradNorm(normType float64) Tensor {
	var out C.lt_tensor
	check("grad_norm", C.lt_grad_norm(l.p, C.double(normType), &out))
	return adoptNew("grad_norm", unsafe.Pointer(out))
}

// ClipGradNorm is torch.nn.utils.clip_grad_norm_ and returns the norm before clipping. The host does not wait.
func (l List) ClipGradNorm(maxNorm, normType float64) Tensor {
	var out C.lt_tensor
	check("clip_grad_norm_", C.lt_clip_grad_norm(l.p, C.double(maxNorm), C.double(normType), &out))
	return adoptNew("clip_grad_norm_", unsafe.Pointer(out))
}

// ClipGradValue is torch.nn.utils.clip_grad_value_.
func (l List) ClipGradValue(value float64) {
	check("clip_grad_value_", C.lt_clip_grad_value(l.p, C.double(value)))
}

// SGDStep holds the arguments of one fused step of SGD, by PyTorch's names. First marks the step that fills the
// momentum buffers.
type SGDStep struct {
	LR, Momentum, Dampening, WeightDecay float64
	Nesterov, Maximize, First            bool
}

// FusedSGD steps all parameters that have a gradient; momentum is an empty List when there is none.
func (l List) FusedSGD(momentum List, s SGDStep) {
	check("_fused_sgd_", C.lt_fused_sgd(l.p, momentum.p, C.double(s.LR), C.double(s.Momentum), C.double(s.Dampening),
		C.double(s.WeightDecay), boolC(s.Nesterov), boolC(s.Maximize), boolC(s.First)))
}

// AdamStep holds the arguments of one fused step of Adam, by PyTorch's names; Decoupled makes it AdamW.
type AdamStep struct {
	LR, Beta1, Beta2, WeightDecay, Eps float64
	AMSGrad, Maximize, Decoupled       bool
}

// AdamState is Adam's state for a list of parameters; MaxExpAvgSq is an empty List without AMSGrad. Step holds one
// float32 scalar a parameter, counted up by the step.
type AdamState struct{ ExpAvg, ExpAvgSq, MaxExpAvgSq, Step List }

// FusedAdam steps all parameters that have a gradient.
func (l List) FusedAdam(state AdamState, s AdamStep) {
	check("_fused_adam_", C.lt_fused_adam(boolC(s.Decoupled), l.p, state.ExpAvg.p, state.ExpAvgSq.p, state.MaxExpAvgSq.p,
		state.Step.p, C.double(s.LR), C.double(s.Beta1), C.double(s.Beta2), C.double(s.WeightDecay), C.double(s.Eps),
		boolC(s.AMSGrad), boolC(s.Maximize)))
}
