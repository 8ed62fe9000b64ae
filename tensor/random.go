package tensor

// #include "lighter.h"
import "C"

import "unsafe"

// ManualSeed seeds libtorch's default generators, as torch.manual_seed does.
func ManualSeed(seed uint64) { check("manual_seed", C.lt_manual_seed(C.uint64_t(seed))) }

// RNGState is the state of a device's default generator, a byte tensor as torch.get_rng_state gives.
func RNGState(d Device) Tensor {
	return adoptNew("get_rng_state", unsafe.Pointer(C.lt_rng_state(C.int(d.Type), d.index())))
}

// SetRNGState puts a device's default generator back to a state of [RNGState].
func SetRNGState(d Device, state Tensor) {
	check("set_rng_state", C.lt_set_rng_state(C.int(d.Type), d.index(), C.lt_tensor(state.p)))
}

// RandomInt64 draws one number from the default CPU generator as `torch.empty((), dtype=torch.int64).random_()` does.
func RandomInt64() int64 {
	s := Open()
	defer s.Close()
	return CallOne("random_", Empty(nil, Int64, Device{})).Int()
}

// RandPerm is torch.randperm(n) from a generator of its own with this seed: int64 of shape [n].
func RandPerm(n int64, seed uint64) Tensor {
	return adoptNew("randperm", unsafe.Pointer(C.lt_randperm(C.int64_t(n), C.uint64_t(seed))))
}

// DrawFrom lets what draws on this thread take its numbers from a generator of its own with this seed, where it names none, until
// the function it returns is called. The goroutine must be locked to its thread, as within a [Scope].
func DrawFrom(seed uint64) (restore func()) {
	C.lt_draw_from(1, C.uint64_t(seed))
	return func() { C.lt_draw_from(0, 0) }
}
