package engine

import (
	"errors"
	"fmt"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// chooseDevice opens the accelerator the configuration asks for.
func (t *Trainer) chooseDevice() error {
	if name := t.args.Strategy.ddp; name != "" {
		t.log.Info().Msgf("strategy %q with one device is training on it alone", name)
	}
	switch t.args.Accelerator {
	case "cpu":
		return nil
	case "auto":
		if !tensor.HasNVIDIADevice() {
			return nil
		}
		if err := tensor.OpenCUDA(); err != nil {
			t.log.Warn().Msgf("a GPU is present but is not used: %v", err)
			return nil
		}
		if tensor.DeviceCount() == 0 {
			return nil
		}
	default:
		if err := tensor.OpenCUDA(); err != nil {
			return fmt.Errorf("trainer::accelerator is %q: %w", t.args.Accelerator, err)
		}
		if tensor.DeviceCount() == 0 {
			return errors.New("trainer::accelerator is \"" + t.args.Accelerator + "\", but no usable GPU was found: `lighter doctor` says why; trainer::accelerator=cpu runs without one")
		}
	}
	n, err := t.args.Devices.of(tensor.DeviceCount())
	t.device = tensor.Device{Type: tensor.CUDA, Index: n}
	return err
}

// moveModel takes the model and its metrics to the device, gives the model the run's element type, and lays out convolutions.
// Metrics keep their types.
func (t *Trainer) moveModel() {
	if t.args.MemoryFormat == "channels_last" || t.args.MemoryFormat == "auto" && convolves(t.model.Tree()) && !fixed(t.model) {
		t.format = tensor.ChannelsLast
	}
	s := tensor.Open()
	defer s.Close()
	tensor.NoGrad(func() {
		for _, x := range t.model.Tree().Tensors() {
			t.move(x, t.args.Precision.of(x))
		}
		if h, ok := t.model.(lighter.TensorHolder); ok {
			for _, x := range h.States() {
				t.move(x, x.DType())
			}
		}
	})
}

// moveOptimizers takes what optimizers hold to the device; the state of their parameters follows those when it is first used.
func (t *Trainer) moveOptimizers() {
	s := tensor.Open()
	defer s.Close()
	tensor.NoGrad(func() {
		for _, o := range t.optimizers {
			if h, ok := o.o.(lighter.TensorHolder); ok {
				for _, x := range h.States() {
					t.move(x, x.DType())
				}
			}
		}
	})
}

// move gives a tensor new data.
func (t *Trainer) move(x tensor.Tensor, dtype tensor.DType) {
	to := x
	if t.device.Type != tensor.CPU || dtype != x.DType() {
		to = to.To(t.device, dtype)
	}
	if t.format == tensor.ChannelsLast && x.Dim() == 4 {
		to = to.ToMemoryFormat(tensor.ChannelsLast)
	}
	if !to.Same(x) {
		x.SetData(to)
	}
}

// convolves says whether a network has two-dimensional convolutions: weights with four dimensions.
func convolves(n *lighter.Node) bool {
	for _, p := range n.Params() {
		if p.Value.Dim() == 4 {
			return true
		}
	}
	return false
}

// fixed says whether a module, or one inside it, needs tensors in C order.
func fixed(m lighter.Module) bool {
	_, is := m.(lighter.FixedLayout)
	return is || slices.ContainsFunc(m.Tree().Children(), func(c lighter.Child) bool { return fixed(c.Module) })
}
