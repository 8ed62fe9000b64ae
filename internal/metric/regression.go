package metric

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	const regression = "torchmetrics.regression"
	register("MeanSquaredError", MeanSquaredError{Squared: true, NumOutputs: 1, Options: standard}, "torchmetrics", regression, regression+".mse")
	register("MeanAbsoluteError", MeanAbsoluteError{NumOutputs: 1, Options: standard}, "torchmetrics", regression, regression+".mae")
	register("R2Score", R2Score{Multioutput: "uniform_average", Options: standard}, "torchmetrics", regression, regression+".r2")
}

// MeanSquaredError is torchmetrics.MeanSquaredError: the mean of (prediction - target)², or its root. With num_outputs above
// 1 predictions are [N, num_outputs], and so is the value.
type MeanSquaredError struct {
	Squared    bool  `cfg:"squared" help:"false gives the root of the mean"`
	NumOutputs int64 `cfg:"num_outputs" help:"number of outputs that have a value of their own"`
	Options
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
	Options
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
	var shape []int64
	if outputs > 1 {
		shape = []int64{outputs}
	}
	m := &metric{name: name, accumulator: &accumulator{states: sums(tensor.Zeros(shape, tensor.Float32, tensor.Device{}))}}
	m.update = func(parts []tensor.Tensor, pred, target lighter.Value) ([]tensor.Tensor, int64) {
		p, t := both(name, pred, target)
		sameShape(name, p, t)
		each := of(p.Sub(t))
		if outputs == 1 {
			return append(parts, tensor.CallOne("sum", each)), t.Numel()
		}
		if p.Dim() != 2 || p.Size(1) != outputs {
			tensor.Fail(name, "with num_outputs=%d predictions and targets must be of shape (N, %d), got %s", outputs, outputs, lighter.SizeText(p))
		}
		return append(parts, sumOf(each, 0)), t.Size(0)
	}
	m.value = func(s []tensor.Tensor, n int64) lighter.Value { return finish(s[0].DivScalar(float64(n))) }
	return m, nil
}

// R2Score is torchmetrics.R2Score: the share of the targets' variance that predictions explain. Predictions and targets are
// [N] or [N, outputs].
type R2Score struct {
	Adjusted    int64  `cfg:"adjusted" help:"number of independent regressors to adjust for"`
	Multioutput string `cfg:"multioutput" oneof:"raw_values|uniform_average|variance_weighted" help:"how several outputs become one value"`
	Options
}

// Validate implements the registry's Validator.
func (c R2Score) Validate() error {
	if c.Adjusted < 0 {
		return lighter.FieldError("adjusted", "`adjusted` parameter should be an integer larger or equal to 0.")
	}
	return nil
}

// Build implements the registry's Builder.
func (c R2Score) Build(env *lighter.Env) (_ lighter.Metric, err error) {
	defer tensor.Recover(&err)
	const name = "R2Score"
	states := sums(scalar(0), scalar(0), scalar(0))
	for _, s := range states {
		s.kind = added
	}
	m := &metric{name: name, accumulator: &accumulator{states: states}}
	m.update = func(parts []tensor.Tensor, pred, target lighter.Value) ([]tensor.Tensor, int64) {
		p, t := both(name, pred, target)
		sameShape(name, p, t)
		if p.Dim() > 2 || p.Dim() == 0 {
			tensor.Fail(name, "Expected both prediction and target to be 1D or 2D tensors, but received tensors with dimension %s", lighter.SizeText(p))
		}
		residual := t.Sub(p)
		return append(parts, sumOf(t.Mul(t), 0), sumOf(t, 0), sumOf(residual.Mul(residual), 0)), t.Size(0)
	}
	say := notice{name: name, log: env.Log}
	m.value = func(s []tensor.Tensor, n int64) lighter.Value {
		if n < 2 {
			tensor.Fail(name, "Needs at least two samples to calculate r2 score.")
		}
		r2 := c.score(s[0], s[1], s[2], n)
		switch {
		case c.Adjusted == 0:
		case c.Adjusted > n-1:
			say.warn("More independent regressions than data points in adjusted r2 score. Falls back to standard r2 score.")
		case c.Adjusted == n-1:
			say.warn("Division by zero in adjusted r2 score. Falls back to standard r2 score.")
		default:
			lost := tensor.CallOne("rsub", r2, int64(1)).MulScalar(float64(n - 1)).DivScalar(float64(n - c.Adjusted - 1))
			return tensor.CallOne("rsub", lost, int64(1))
		}
		return r2
	}
	return m, nil
}

// score is 1 - rss/tss, by output. Where the targets don't vary it is 0, where there is no error 1.
func (c R2Score) score(squares, sum, rss tensor.Tensor, n int64) tensor.Tensor {
	tss := squares.Sub(sum.Mul(sum.DivScalar(float64(n))))
	tiny := func(x tensor.Tensor) tensor.Tensor { return tensor.CallOne("isclose", x, x.ZerosLike(), 1e-5, 1e-4) }
	raw := tensor.CallOne("rsub", rss.Div(tss), int64(1))
	raw = tensor.CallOne("where", tiny(tss), raw.ZerosLike(), raw)
	raw = tensor.CallOne("where", tiny(rss), tensor.CallOne("ones_like", raw), raw)
	switch c.Multioutput {
	case "raw_values":
		return raw
	case "variance_weighted":
		return tensor.CallOne("sum", tss.Div(tensor.CallOne("sum", tss)).Mul(raw))
	}
	return raw.Mean()
}

// scalar is a float32 state that begins with v.
func scalar(v float64) tensor.Tensor {
	t := tensor.Zeros(nil, tensor.Float32, tensor.Device{})
	t.Fill(v)
	return t
}
