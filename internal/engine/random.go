package engine

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/pyrandom"
	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/tensor"
)

// generators is the state of the default generators that a run draws from: the CPU's and, on another device, that device's,
// and Python's. Its tensors are kept.
type generators struct {
	cpu, device tensor.Tensor
	python      []uint32 // nil where the run has not drawn from it
}

// generators reads the state there is now. Waits for the device.
func (t *Trainer) generators() (g generators) {
	s := tensor.Open()
	defer s.Close()
	g.cpu = tensor.RNGState(tensor.Device{}).Keep()
	g.python = pyrandom.Default.State()
	if t.device.Type != tensor.CPU {
		g.device = tensor.RNGState(t.device).Keep()
	}
	return g
}

// drawFrom makes the run draw from this state on.
func (t *Trainer) drawFrom(g generators) {
	tensor.SetRNGState(tensor.Device{}, g.cpu)
	pyrandom.Default.SetState(g.python)
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

const rngKey, deviceRNGKey, pythonRNGKey = "rng_state", "device_rng_state", "python_rng_state"

// save puts the state into a checkpoint's dict.
func (g generators) save(d *torchfile.Dict) {
	d.Set(rngKey, fromTensor(g.cpu))
	if g.device.Defined() {
		d.Set(deviceRNGKey, fromTensor(g.device))
	}
	if g.python != nil {
		words := make([]any, len(g.python))
		for i, w := range g.python {
			words[i] = int64(w)
		}
		d.Set(pythonRNGKey, words)
	}
}

// pythonState is the state of Python's generator that save put into a checkpoint's dict.
func pythonState(own lighter.Dict) (state []uint32, ok bool) {
	words, _ := own[pythonRNGKey].(lighter.List)
	for _, w := range words {
		n, _ := w.(int64)
		state = append(state, uint32(n))
	}
	return state, new(pyrandom.Generator).SetState(state)
}

// adopt gives the state to the innermost scope.
func (g generators) adopt() {
	g.cpu.Adopt()
	if g.device.Defined() {
		g.device.Adopt()
	}
}
