package mine

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// ErrorRate is the share of samples whose highest logit is not the target's.
type ErrorRate struct{}

func init() { lighter.Register[lighter.Metric]("mine.ErrorRate", ErrorRate{}) }

func (ErrorRate) Build(*lighter.Env) (lighter.Metric, error) {
	zero := func() tensor.Tensor { return tensor.Zeros(nil, tensor.Float32, tensor.Device{}) }
	return &errorRate{wrong: zero(), count: zero(), batch: zero()}, nil
}

// errorRate gathers on the device: Update never waits for it. Its tensors belong to the run, so they are changed in place.
type errorRate struct{ wrong, count, batch tensor.Tensor }

func (m *errorRate) Name() string { return "ErrorRate" }

func (m *errorRate) Update(pred, target lighter.Value) {
	in := []lighter.Value{pred, target}
	p, t := lighter.TensorArg("ErrorRate", in, 0), lighter.TensorArg("ErrorRate", in, 1)
	wrong := tensor.CallOne("ne", p.Argmax(1), t).Sum(tensor.Float32)
	n := float64(t.Numel())
	m.wrong.AddInPlace(wrong, 1)
	m.count.CopyInPlace(m.count.AddScalar(n))
	m.batch.CopyInPlace(wrong.DivScalar(n))
}

func (m *errorRate) Batch() lighter.Value   { return m.batch }
func (m *errorRate) Compute() lighter.Value { return m.wrong.Div(m.count) }

func (m *errorRate) Reset() {
	m.wrong.Fill(0)
	m.count.Fill(0)
}

func (m *errorRate) States() []tensor.Tensor { return []tensor.Tensor{m.wrong, m.count, m.batch} }

func (m *errorRate) StateDict() lighter.Dict {
	return lighter.Dict{"wrong": m.wrong.Clone(), "count": m.count.Clone()}
}

func (m *errorRate) LoadStateDict(d lighter.Dict) error {
	for name, t := range map[string]tensor.Tensor{"wrong": m.wrong, "count": m.count} {
		v, ok := d[name].(tensor.Tensor)
		if !ok {
			return fmt.Errorf("the state of ErrorRate holds no tensor %q", name)
		}
		t.CopyInPlace(v)
	}
	return nil
}
