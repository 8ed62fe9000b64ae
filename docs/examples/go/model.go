package mine

import (
	"errors"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// Classifier is a whole model: it says what a step does, what is logged and what trains it. Where lighter.LighterModule does, with
// a loss and metrics of yours, there is no need for one.
type Classifier struct {
	Network   lighter.Module    `cfg:"network,required" help:"gives logits [N, C]"`
	Optimizer lighter.Optimizer `cfg:"optimizer" help:"updates the network; fit needs one"`
	Smoothing float64           `cfg:"smoothing" help:"label smoothing of the cross entropy"`
}

func init() { lighter.Register[lighter.Model]("mine.Classifier", Classifier{}) }

func (c Classifier) Build(*lighter.Env) (lighter.Model, error) {
	m := &classifier{Classifier: c}
	m.SetClass("mine.Classifier")
	m.Add("network", c.Network) // so its weights are network.… in a checkpoint
	return m, nil
}

type classifier struct {
	lighter.LightningModule
	Classifier
}

func (m *classifier) Forward(in ...lighter.Value) lighter.Value { return m.Run(0, in...) }

func (m *classifier) Has(mode lighter.Mode) error {
	if mode == lighter.Train && m.Optimizer == nil {
		return errors.New("model::optimizer is missing: fit needs one")
	}
	return nil
}

func (m *classifier) Step(t lighter.Trainer, batch lighter.Value, _ int) (lighter.Output, error) {
	pair, ok := batch.(lighter.List)
	if !ok || len(pair) != 2 {
		return nil, errors.New("a batch must be (input, target), got " + lighter.TypeName(batch))
	}
	pred := m.Forward(pair[0])
	out := lighter.Output{"pred": pred, "target": pair[1]}
	if t.Mode() != lighter.Predict {
		in := []lighter.Value{pred, pair[1]}
		out["loss"] = tensor.CrossEntropy(lighter.TensorArg(m.Class(), in, 0), lighter.TensorArg(m.Class(), in, 1), tensor.Tensor{},
			tensor.ReduceMean, -100, m.Smoothing)
	}
	return out, nil
}

func (m *classifier) BatchEnd(t lighter.Trainer, out lighter.Output, _ int) {
	if loss, ok := out["loss"].(tensor.Tensor); ok {
		t.Log(t.Mode().String()+"/loss", loss, lighter.LogOptions{Step: t.Mode() == lighter.Train, Epoch: t.Mode() != lighter.Train})
	}
}

func (m *classifier) EpochEnd(lighter.Trainer) {}

func (m *classifier) ConfigureOptimizers(lighter.LightningTrainer) (lighter.Value, error) {
	return m.Optimizer, nil
}
