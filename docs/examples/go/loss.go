package mine

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// FocalLoss is cross entropy that counts samples less the surer the prediction is: Lin et al., https://arxiv.org/abs/1708.02002.
// It takes logits [N, C] and classes [N].
type FocalLoss struct {
	Gamma     float64 `cfg:"gamma" help:"how much less; 0 is cross entropy"`
	Reduction string  `cfg:"reduction" oneof:"mean|sum" help:"how the samples' losses become one"`
}

func init() {
	lighter.Register[lighter.Criterion]("mine.FocalLoss", FocalLoss{Gamma: 2, Reduction: "mean"})
}

// Doc is shown by `lighter list mine.FocalLoss`.
func (FocalLoss) Doc() string {
	return "Cross entropy that counts samples less the surer the prediction is, by a factor (1-p)**gamma."
}

func (c FocalLoss) Build(*lighter.Env) (lighter.Criterion, error) {
	m := &focalLoss{c: c}
	m.SetClass("mine.FocalLoss")
	return m, nil
}

type focalLoss struct {
	lighter.Node
	c FocalLoss
}

func (m *focalLoss) Forward(in ...lighter.Value) lighter.Value {
	pred, target := lighter.TensorArg(m.Class(), in, 0), lighter.TensorArg(m.Class(), in, 1)
	// Every operator of PyTorch can be called by its name, with its arguments in order.
	logp := tensor.CallOne("gather", tensor.CallOne("log_softmax", pred, 1), 1, tensor.CallOne("unsqueeze", target, 1))
	rest := tensor.CallOne("exp", logp).MulScalar(-1).AddScalar(1)
	loss := tensor.CallOne("pow", rest, m.c.Gamma).Mul(logp).MulScalar(-1)
	return tensor.CallOne(m.c.Reduction, loss)
}
