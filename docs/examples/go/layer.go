package mine

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// Scale multiplies every feature by a factor that is learned: [..., features].
type Scale struct {
	Features int64   `cfg:"features,required" help:"size of the last dimension"`
	Init     float64 `cfg:"init" help:"the factors at first"`
}

func init() { lighter.Register[lighter.Module]("mine.Scale", Scale{Init: 1}) }

// Validate runs before anything is built, so that all mistakes of a configuration are shown at once.
func (c Scale) Validate() error {
	if c.Features < 1 {
		return lighter.FieldError("features", "must be at least 1, got %d", c.Features)
	}
	return nil
}

// Build makes the layer. Its tensors belong to the run.
func (c Scale) Build(*lighter.Env) (lighter.Module, error) {
	m := &scale{}
	m.SetClass("mine.Scale")
	factor := tensor.Empty([]int64{c.Features}, tensor.Float32, tensor.Device{})
	factor.Fill(c.Init)
	m.factor = m.Param("factor", factor) // named as in PyTorch's state_dict
	return m, nil
}

type scale struct {
	lighter.Node
	factor tensor.Tensor
}

func (m *scale) Forward(in ...lighter.Value) lighter.Value {
	return lighter.TensorArg(m.Class(), in, 0).Mul(m.factor)
}
