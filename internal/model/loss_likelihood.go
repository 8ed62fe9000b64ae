package model

import (
	"math"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("loss", "PoissonNLLLoss", PoissonNLLLoss{LogInput: true, Eps: 1e-8, Reduction: "mean"})
	layer("loss", "GaussianNLLLoss", GaussianNLLLoss{Eps: 1e-6, Reduction: "mean"})
	layer("loss", "KLDivLoss", KLDivLoss{Reduction: "mean"})
	layer("loss", "CTCLoss", CTCLoss{Reduction: "mean"})
}

// PoissonNLLLoss is torch.nn.PoissonNLLLoss: the negative log likelihood of counts.
type PoissonNLLLoss struct {
	LogInput    bool    `cfg:"log_input" help:"the input is the logarithm of the rate"`
	Full        bool    `cfg:"full" help:"add Stirling's approximation of what is constant"`
	SizeAverage *bool   `cfg:"size_average" help:"deprecated in PyTorch: use reduction"`
	Eps         float64 `cfg:"eps" help:"added to a rate whose logarithm is taken"`
	Reduce      *bool   `cfg:"reduce" help:"deprecated in PyTorch: use reduction"`
	Reduction   string  `cfg:"reduction" oneof:"none|mean|sum" help:"how the losses of a batch become one"`
}

// Build implements the registry's Builder.
func (c PoissonNLLLoss) Build(*lighter.Env) (lighter.Module, error) {
	m, reduction := newLoss("PoissonNLLLoss"), reductionOf(c.Reduction, c.SizeAverage, c.Reduce)
	m.f = func(x, y tensor.Tensor) tensor.Tensor {
		return tensor.CallOne("poisson_nll_loss", x, y, c.LogInput, c.Full, c.Eps, int64(reduction))
	}
	return m, nil
}

// GaussianNLLLoss is torch.nn.GaussianNLLLoss: its forward is (input, target, var), the mean, the value and the variance.
type GaussianNLLLoss struct {
	Full      bool    `cfg:"full" help:"add what is constant"`
	Eps       float64 `cfg:"eps" help:"least variance"`
	Reduction string  `cfg:"reduction" oneof:"none|mean|sum" help:"how the losses of a batch become one"`
}

// Build implements the registry's Builder.
func (c GaussianNLLLoss) Build(*lighter.Env) (lighter.Module, error) {
	reduction := reductionOf(c.Reduction, nil, nil)
	return lossOf("GaussianNLLLoss", "input, target, var", func(a arguments) tensor.Tensor {
		x := a.tensor(0)
		variance := c.variance(x, a)
		tensor.NoGrad(func() { tensor.Call("clamp_", variance, c.Eps) })
		difference := x.Sub(a.tensor(1))
		l := tensor.CallOne("log", variance).Add(tensor.CallOne("pow", difference, 2).Div(variance)).MulScalar(0.5)
		if c.Full {
			l = l.AddScalar(0.5 * math.Log(2*math.Pi))
		}
		return reduce(l, reduction)
	}), nil
}

// variance is a copy of the third argument in a shape that fits x.
func (c GaussianNLLLoss) variance(x tensor.Tensor, a arguments) tensor.Tensor {
	if v, ok := a.values[2].(float64); ok {
		if v < 0 {
			tensor.Fail("gaussian_nll_loss", "var has negative entry/entries")
		}
		return tensor.CallOne("full_like", x, v)
	}
	v := a.tensor(2)
	if tensor.CallOne("any", tensor.CallOne("lt", v, 0)).Int() != 0 { // the host waits, as PyTorch's does
		tensor.Fail("gaussian_nll_loss", "var has negative entry/entries")
	}
	in, got := x.Shape(), v.Shape()
	differ := int64(0)
	for i := range in {
		if i < len(got) && in[i] != got[i] {
			differ += got[i]
		}
	}
	switch {
	case v.SameShape(in):
	case len(in) > 0 && v.SameShape(in[:len(in)-1]):
		v = unsqueeze(v, -1)
	case len(in) != len(got) || differ != 1:
		tensor.Fail("gaussian_nll_loss", "var is of incorrect size: input has shape %s, var %s", list(in), list(got))
	}
	return v.Clone()
}

// KLDivLoss is torch.nn.KLDivLoss: the divergence of the target from the input, which is log-probabilities.
type KLDivLoss struct {
	SizeAverage *bool  `cfg:"size_average" help:"deprecated in PyTorch: use reduction"`
	Reduce      *bool  `cfg:"reduce" help:"deprecated in PyTorch: use reduction"`
	Reduction   string `cfg:"reduction" oneof:"none|mean|sum|batchmean" help:"batchmean is the sum over the number of samples, the divergence itself"`
	LogTarget   bool   `cfg:"log_target" help:"the target is log-probabilities too"`
}

// Build implements the registry's Builder.
func (c KLDivLoss) Build(env *lighter.Env) (lighter.Module, error) {
	m := newLoss("KLDivLoss")
	batch := c.Reduction == "batchmean" && c.SizeAverage == nil && c.Reduce == nil
	reduction := tensor.ReduceSum
	if !batch {
		reduction = reductionOf(c.Reduction, c.SizeAverage, c.Reduce)
	}
	if c.Reduction == "mean" && c.SizeAverage == nil && c.Reduce == nil {
		env.Log.Warn().Msg("KLDivLoss: reduction: 'mean' divides the total loss by both the batch size and the support size. 'batchmean' divides only by the batch size, and aligns with the KL div math definition.")
	}
	m.f = func(x, y tensor.Tensor) tensor.Tensor {
		l := tensor.CallOne("kl_div", x, y, int64(reduction), tensor.Kwarg{Name: "log_target", Value: c.LogTarget})
		if batch && x.Dim() > 0 {
			l = l.DivScalar(float64(x.Size(0)))
		}
		return l
	}
	return m, nil
}

// CTCLoss is torch.nn.CTCLoss: its forward is (log_probs, targets, input_lengths, target_lengths).
type CTCLoss struct {
	Blank        int64  `cfg:"blank" help:"the class that stands for no label"`
	Reduction    string `cfg:"reduction" oneof:"none|mean|sum" help:"how the losses of a batch become one"`
	ZeroInfinity bool   `cfg:"zero_infinity" help:"zero for targets that are too long for their input, not infinity"`
}

// Build implements the registry's Builder.
func (c CTCLoss) Build(*lighter.Env) (lighter.Module, error) {
	reduction := reductionOf(c.Reduction, nil, nil)
	return lossOf("CTCLoss", "log_probs, targets, input_lengths, target_lengths", func(a arguments) tensor.Tensor {
		lengths := func(i int) any {
			if _, ok := a.values[i].(lighter.List); ok {
				return a.ints(i)
			}
			return a.tensor(i)
		}
		return tensor.CallOne("ctc_loss", a.tensor(0), a.tensor(1), lengths(2), lengths(3), c.Blank, int64(reduction), c.ZeroInfinity)
	}), nil
}
