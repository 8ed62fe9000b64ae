package tensor

// #include "lighter.h"
import "C"

import "unsafe"

// Rule is how an optimizer steps, in PyTorch's order of operations.
type Rule int

// The rules, in the order of lighter.h's.
const (
	RuleSGD Rule = iota
	RuleAdam
	RuleNAdam
	RuleRAdam
	RuleAdamax
	RuleAdagrad
	RuleAdadelta
	RuleRMSprop
	RuleRprop
	RuleASGD
	RuleAdafactor
	RuleMuon
	RuleSparseAdam
)

// OptimizerStep steps all parameters that have a gradient. state holds a list for each column of the rule's state; step one
// float32 scalar on the CPU a parameter, counted up by the step, or nothing. first, when it is not nil, marks the parameters
// that have no state yet. Options are those that optim.cc reads, in its order.
func (l List) OptimizerStep(rule Rule, state []List, step List, first []bool, options []float64) {
	lists := make([]C.lt_list, len(state))
	for i, s := range state {
		lists[i] = s.p
	}
	check("step", C.lt_optimizer_step(C.int(rule), l.p, unsafe.SliceData(lists), C.int(len(lists)), step.p,
		(*C.uchar)(unsafe.Pointer(unsafe.SliceData(first))), (*C.double)(unsafe.Pointer(unsafe.SliceData(options))), C.int(len(options))))
}

// AdagradStep holds the arguments of one fused step of Adagrad, by PyTorch's names.
type AdagradStep struct {
	LR, LRDecay, WeightDecay, Eps float64
	Maximize                      bool
}

// FusedAdagrad steps all parameters that have a gradient, on the CPU; step is as for [List.OptimizerStep].
func (l List) FusedAdagrad(sum, step List, s AdagradStep) {
	check("_fused_adagrad_", C.lt_fused_adagrad(l.p, sum.p, step.p, C.double(s.LR), C.double(s.LRDecay), C.double(s.WeightDecay),
		C.double(s.Eps), boolC(s.Maximize)))
}

// IsSparse says whether only the elements that differ from 0 are stored, as in the gradient of a sparse embedding.
func (t Tensor) IsSparse() bool { return !t.flag(flagStrided) }
