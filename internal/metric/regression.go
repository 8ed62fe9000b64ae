package metric

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	register("MeanSquaredError", MeanSquaredError{Squared: true, NumOutputs: 1}, "torchmetrics", "torchmetrics.regression", "torchmetrics.regression.mse")
	register("MeanAbsoluteError", MeanAbsoluteError{NumOutputs: 1}, "torchmetrics", "torchmetrics.regression", "torchmetrics.regression.mae")
}

// MeanSquaredError is torchmetrics.MeanSquaredError: the mean of (prediction - target)², or its root. With num_outputs above
// 1 predictions are [N, num_outputs], and so is the value.
type MeanSquaredError struct {
	Squared    bool  `cfg:"squared" help:"false gives the root of the mean"`
	NumOutputs int64 `cfg:"num_outputs" help:"number of outputs that have a value of their own"`
}

// Validate implements the registry's Validator.
func (c MeanSquaredError) Validate() error { return outputs(c.NumOutputs) }

// Build implements the registry's Builder.
func (c MeanSquaredError) Build(*lighter.Env) (lighter.Metric, error) {
	return meanOf("MeanSquaredError", c.NumOutputs, func(d tensor.Tensor) tensor.Tensor { return d.Mul(d) }, func(mean tensor.Tensor) tensor.Tensor {
		if c.Squared {
			return mean
		}
		return tensor.CallOne("sqrt", mean)
	})
}

// MeanAbsoluteError is torchmetrics.MeanAbsoluteError: the mean of |prediction - target|. With num_outputs above 1 predictions
// are [N, num_outputs], and so is the value.
type MeanAbsoluteError struct {
	NumOutputs int64 `cfg:"num_outputs" help:"number of outputs that have a value of their own"`
}

// Validate implements the registry's Validator.
func (c MeanAbsoluteError) Validate() error { return outputs(c.NumOutputs) }

// Build implements the registry's Builder.
func (c MeanAbsoluteError) Build(*lighter.Env) (lighter.Metric, error) {
	return meanOf("MeanAbsoluteError", c.NumOutputs, func(d tensor.Tensor) tensor.Tensor { return tensor.CallOne("abs", d) },
		func(mean tensor.Tensor) tensor.Tensor { return mean })
}

func outputs(n int64) error {
	if n < 1 {
		return lighter.FieldError("num_outputs", "Expected num_outputs to be a positive integer but got %d", n)
	}
	return nil
}

// meanOf is the mean of a function of the differences, finished by another.
func meanOf(name string, outputs int64, of, finish func(tensor.Tensor) tensor.Tensor) (_ lighter.Metric, err error) {
	defer tensor.Recover(&err)
	m := &sums{name: name}
	var shape []int64
	if outputs > 1 {
		shape = []int64{outputs}
	}
	m.states = []tensor.Tensor{tensor.Zeros(shape, tensor.Float32, tensor.Device{})}
	m.update = func(parts []tensor.Tensor, pred, target lighter.Value) ([]tensor.Tensor, int64) {
		p, t := m.both(pred, target)
		m.sameShape(p, t)
		each := of(p.Detach().Sub(t))
		if outputs == 1 {
			return append(parts, tensor.CallOne("sum", each)), t.Numel()
		}
		if p.Dim() != 2 || p.Size(1) != outputs {
			tensor.Fail(name, "with num_outputs=%d predictions and targets must be of shape (N, %d), got %s", outputs, outputs, lighter.SizeText(p))
		}
		return append(parts, tensor.CallOne("sum", each, []int64{0})), t.Size(0)
	}
	m.compute = func(s []tensor.Tensor, n int64) tensor.Tensor { return finish(s[0].DivScalar(float64(n))) }
	return m, nil
}
