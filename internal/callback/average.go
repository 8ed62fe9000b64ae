package callback

import (
	"errors"
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// AverageDevice is an argument that names where an average is kept; null is the device of the model.
type AverageDevice struct {
	tensor.Device
	given bool
}

// ConfigType names the forms.
func (*AverageDevice) ConfigType() string {
	return `a device such as "cpu" or "cuda:0", or null for that of the model`
}

// DecodeConfig takes a name, or the number of a GPU.
func (d *AverageDevice) DecodeConfig(v any) (err error) {
	d.given = v != nil
	switch x := v.(type) {
	case nil:
	case string:
		d.Device, err = tensor.ParseDevice(x)
	case int64:
		d.Device, err = tensor.ParseDevice(fmt.Sprintf("cuda:%d", x))
	default:
		err = fmt.Errorf("must be %s, got %s", d.ConfigType(), registry.Describe(v))
	}
	return err
}

// String is the argument as a configuration has it.
func (d AverageDevice) String() string {
	if !d.given {
		return "null"
	}
	return d.Device.String()
}

// of is the device for the average of a model that is on another one.
func (d AverageDevice) of(model tensor.Device) (tensor.Device, error) {
	switch {
	case !d.given || d.Device == model:
		return model, nil
	case d.Type == tensor.CUDA && model.Type != tensor.CUDA:
		return model, fmt.Errorf("device is %q, but the fit runs on the %s: set trainer::accelerator to gpu, or device to null", d.Device, model)
	}
	return d.Device, nil
}

// average holds copies of a model's tensors: averages of its parameters, and maybe of its buffers. They belong to the scope it
// was made in.
type average struct {
	model   *lighter.Node
	params  []pair
	buffers []pair
	n       int64 // sets of weights taken in
}

// pair is a tensor of the model and its counterpart.
type pair struct{ model, average tensor.Tensor }

func averageOf(model *lighter.Node, device tensor.Device) *average {
	a := &average{model: model}
	tensor.NoGrad(func() {
		pairs := func(of []lighter.Named) []pair {
			out := make([]pair, len(of))
			for i, e := range of {
				s := tensor.Open()
				out[i] = pair{e.Value, s.Return(e.Value.Detach().Clone().To(device, e.Value.DType()))}
				s.Close()
			}
			return out
		}
		a.params, a.buffers = pairs(model.Params()), pairs(model.Buffers())
	})
	return a
}

func (a *average) all() []pair { return append(a.params[:len(a.params):len(a.params)], a.buffers...) }

// update takes the weights of now in, the first as they are.
func (a *average) update(f Averaging, of []pair) {
	s := tensor.Open()
	defer s.Close()
	tensor.NoGrad(func() {
		var averages, now []tensor.Tensor
		for _, p := range of {
			m := p.model.Detach()
			if m.Device() != p.average.Device() {
				m = m.To(p.average.Device(), m.DType())
			}
			switch {
			case a.n == 0:
				p.average.CopyInPlace(m)
			case m.IsFloat():
				averages, now = append(averages, p.average), append(now, m)
			default:
				p.average.CopyInPlace(f.mix(p.average, m, a.n))
			}
		}
		if len(averages) > 0 {
			f.update(averages, now, a.n)
		}
	})
	a.n++
}

// follow makes the averages what the model has.
func (a *average) follow(of []pair) {
	tensor.NoGrad(func() {
		for _, p := range of {
			p.average.CopyInPlace(p.model)
		}
	})
}

// swap exchanges average and model.
func (a *average) swap(of []pair) {
	s := tensor.Open()
	defer s.Close()
	tensor.NoGrad(func() {
		for _, p := range of {
			was := p.average.Clone()
			p.average.CopyInPlace(p.model.Detach())
			p.model.CopyInPlace(was)
		}
	})
}

// transfer makes the averages the model's tensors.
func (a *average) transfer(of []pair) {
	tensor.NoGrad(func() {
		for _, p := range of {
			p.model.CopyInPlace(p.average)
		}
	})
}

// state are the counterparts under the names of the model's state_dict.
func (a *average) state() []lighter.Named {
	counterpart := map[tensor.Tensor]tensor.Tensor{}
	for _, p := range a.all() {
		counterpart[p.model] = p.average
	}
	state := a.model.State()
	for i := range state {
		state[i].Value = counterpart[state[i].Value]
	}
	return state
}

// load copies tensors of a checkpoint into the counterparts.
func (a *average) load(state map[string]tensor.Tensor) error {
	for _, e := range a.state() {
		v, ok := state[e.Name]
		switch {
		case !ok:
			return fmt.Errorf("the average in the checkpoint has no %q: it is that of another model", e.Name)
		case !v.SameShape(e.Value.Shape()):
			return fmt.Errorf("size mismatch for %s: the average in the checkpoint has %v, the current model %v", e.Name, v.Shape(), e.Value.Shape())
		}
		tensor.NoGrad(func() { e.Value.CopyInPlace(v) })
	}
	return nil
}

// controlOf is a Trainer as callbacks see it that change how a fit goes.
func controlOf(t lighter.Trainer) (lighter.FitControl, error) {
	c, ok := t.(lighter.FitControl)
	if !ok {
		return nil, errors.New("this Trainer lets no callback change how a fit goes")
	}
	return c, nil
}
