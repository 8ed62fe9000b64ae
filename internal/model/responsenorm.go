package model

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("normalization", "LocalResponseNorm", LocalResponseNorm{Response{Alpha: 1e-4, Beta: 0.75, K: 1}})
	layer("normalization", "CrossMapLRN2d", CrossMapLRN2d{Response{Alpha: 1e-4, Beta: 0.75, K: 1}})
}

// Response holds the arguments of the norms over neighbouring channels: x / (k + alpha·mean of squares)^beta.
type Response struct {
	Size  int64   `cfg:"size,required" help:"number of neighbouring channels"`
	Alpha float64 `cfg:"alpha" help:"factor of their mean square"`
	Beta  float64 `cfg:"beta" help:"exponent"`
	K     float64 `cfg:"k" help:"added to the mean square"`
}

// Validate implements the registry's Validator.
func (c Response) Validate() error {
	if c.Size <= 0 {
		return lighter.FieldError("size", "must be at least 1, got %d", c.Size)
	}
	return nil
}

// LocalResponseNorm is torch.nn.LocalResponseNorm: input [N, C, ...].
type LocalResponseNorm struct{ Response }

// Build implements the registry's Builder.
func (c LocalResponseNorm) Build(*lighter.Env) (lighter.Module, error) {
	before, after := c.Size/2, (c.Size-1)/2
	return newFunction("LocalResponseNorm", func(m *lighter.Node, x tensor.Tensor) tensor.Tensor {
		shape := x.Shape()
		if len(shape) < 3 {
			tensor.Fail(m.Class(), "Expected 3D or higher dimensionality input (got %d dimensions)", len(shape))
		}
		if x.Numel() == 0 {
			return x
		}
		mean := x.Mul(x)
		if len(shape) == 3 {
			mean = tensor.CallOne("pad", tensor.CallOne("unsqueeze", mean, 1), []int64{0, 0, before, after})
			mean = tensor.CallOne("avg_pool2d", mean, []int64{c.Size, 1}, []int64{1, 1})
			mean = tensor.CallOne("squeeze", mean, 1)
		} else {
			mean = tensor.CallOne("pad", mean.Reshape(shape[0], 1, shape[1], shape[2], -1), []int64{0, 0, 0, 0, before, after})
			mean = tensor.CallOne("avg_pool3d", mean, []int64{c.Size, 1, 1}, []int64{1, 1, 1})
			mean = mean.Reshape(shape...)
		}
		return x.Div(tensor.CallOne("pow", mean.MulScalar(c.Alpha).AddScalar(c.K), c.Beta))
	}), nil
}

// CrossMapLRN2d is torch.nn.CrossMapLRN2d: input [N, C, H, W]. It has PyTorch's own window, which for channels in the middle keeps the
// first channel of all, and its gradient, which goes by the window without that.
type CrossMapLRN2d struct{ Response }

// Build implements the registry's Builder.
func (c CrossMapLRN2d) Build(*lighter.Env) (lighter.Module, error) {
	return newFunction("CrossMapLRN2d", func(m *lighter.Node, x tensor.Tensor) tensor.Tensor {
		if x.Dim() != 4 {
			tensor.Fail(m.Class(), "Expected input to be 4D, got %dD instead.", x.Dim())
		}
		channels := x.Size(1)
		near := c.windows(channels, x, true)
		still := x.Detach()
		scale := mix(near, still.Mul(still)).MulScalar(c.Alpha / float64(c.Size)).AddScalar(c.K)
		factor := tensor.CallOne("pow", scale, -c.Beta)
		out := factor.Mul(still)
		if !x.RequiresGrad() || !tensor.GradEnabled() {
			return out
		}
		// A function of x with PyTorch's gradient, whose value is taken away again.
		inner := mix(tensor.CallOne("t", c.windows(channels, x, false)), still.Mul(x)).Mul(out.Div(scale))
		path := factor.Mul(x).Sub(inner.MulScalar(2 * c.Alpha * c.Beta / float64(c.Size)))
		return out.Add(path.Sub(path.Detach()))
	}), nil
}

// windows is a matrix [C, C] with 1 where a channel's sum takes another one in.
func (c CrossMapLRN2d) windows(channels int64, like tensor.Tensor, forward bool) tensor.Tensor {
	w := make([]float64, channels*channels)
	ahead := (c.Size-1)/2 + 1
	for to := range channels {
		for from := range channels {
			in := from < to+ahead && (from > to-ahead || from == 0)
			if !forward {
				first := to - (c.Size+1)/2
				in = from >= first && from < first+c.Size
			}
			if in {
				w[to*channels+from] = 1
			}
		}
	}
	return tensor.FromSlice(w, channels, channels).To(like.Device(), like.DType())
}

// mix sums channels: w [C, C], x [N, C, H, W].
func mix(w, x tensor.Tensor) tensor.Tensor {
	return tensor.CallOne("matmul", w, x.Flatten(2, 3)).Reshape(x.Shape()...)
}
