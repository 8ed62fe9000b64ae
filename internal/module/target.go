package module

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// checkOnHost looks at the targets of a batch for a GPU as they were on the host. On the device one that is out of range stops the
// program without a word about it, and nothing of the device can be used after.
func (m *Module) checkOnHost(t lighter.Trainer, pred, target lighter.Value) error {
	c, ok := m.Criterion.(lighter.TargetChecker)
	if y, isTensor := target.(tensor.Tensor); !ok || !isTensor || y.Device().Type == tensor.CPU {
		return nil
	}
	h, ok := t.(lighter.HostBatcher)
	if !ok {
		return nil
	}
	pair, _ := h.HostBatch().(lighter.List)
	if len(pair) != 2 {
		return nil
	}
	if y, ok := pair[1].(tensor.Tensor); !ok || y.Device().Type != tensor.CPU {
		return nil
	}
	return c.CheckTarget(pred, pair[1])
}

// blameTarget, deferred, says of an operation that failed which sample's target was the reason, where one was.
func (m *Module) blameTarget(pred, target lighter.Value, err *error) {
	r := recover()
	if r == nil {
		return
	}
	c, checks := m.Criterion.(lighter.TargetChecker)
	y, isTensor := target.(tensor.Tensor)
	if _, failed := r.(*tensor.Error); failed && checks && isTensor && y.Device().Type == tensor.CPU {
		if *err = c.CheckTarget(pred, target); *err != nil {
			return
		}
	}
	panic(r)
}
