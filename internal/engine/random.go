package engine

import (
	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/tensor"
)

// generators is the state of the default generators that a run draws from: the CPU's and, on another device, that device's.
// Its tensors are kept.
type generators struct{ cpu, device tensor.Tensor }

// generators reads the state there is now. Waits for the device.
func (t *Trainer) generators() (g generators) {
	s := tensor.Open()
	defer s.Close()
	g.cpu = tensor.RNGState(tensor.Device{}).Keep()
	if t.device.Type != tensor.CPU {
		g.device = tensor.RNGState(t.device).Keep()
	}
	return g
}

// drawFrom makes the run draw from this state on.
func (t *Trainer) drawFrom(g generators) {
	tensor.SetRNGState(tensor.Device{}, g.cpu)
	if g.device.Defined() && t.device.Type != tensor.CPU {
		tensor.SetRNGState(t.device, g.device)
	}
}

func (g *generators) free() {
	g.cpu.Free()
	g.device.Free()
	*g = generators{}
}

// keep makes handles of the state that no scope owns.
func (g generators) keep() generators {
	g.cpu = g.cpu.Keep()
	if g.device.Defined() {
		g.device = g.device.Keep()
	}
	return g
}

const rngKey, deviceRNGKey = "rng_state", "device_rng_state"

// save puts the state into a checkpoint's dict.
func (g generators) save(d *torchfile.Dict) {
	d.Set(rngKey, fromTensor(g.cpu))
	if g.device.Defined() {
		d.Set(deviceRNGKey, fromTensor(g.device))
	}
}

// adopt gives the state to the innermost scope.
func (g generators) adopt() {
	g.cpu.Adopt()
	if g.device.Defined() {
		g.device.Adopt()
	}
}
