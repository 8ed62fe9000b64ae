package lighter

import "github.com/lighter-go/lighter/tensor"

// MapTensors is v with f applied to every tensor in it.
func MapTensors(v Value, f func(tensor.Tensor) tensor.Tensor) Value {
	switch x := v.(type) {
	case tensor.Tensor:
		return f(x)
	case List:
		out := make(List, len(x))
		for i := range x {
			out[i] = MapTensors(x[i], f)
		}
		return out
	case Dict:
		out := make(Dict, len(x))
		for k := range x {
			out[k] = MapTensors(x[k], f)
		}
		return out
	}
	return v
}

// SampleError is a fault of one sample of a batch, by its place in the batch.
type SampleError struct {
	K   int
	Err error
}

// Error is the fault's.
func (e *SampleError) Error() string { return e.Err.Error() }

// Unwrap returns the fault.
func (e *SampleError) Unwrap() error { return e.Err }

// TargetChecker is a Criterion whose target must hold the numbers of classes.
type TargetChecker interface {
	// CheckTarget finds a target that is no class of the prediction: a *[SampleError]. Reading the target waits for its device; of the
	// prediction only the shape is looked at.
	CheckTarget(pred, target Value) error
}

// HostBatcher is a Trainer that has the batch under way as the loader gave it, before it went to a device.
type HostBatcher interface{ HostBatch() Value }
