package transform

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// AugMix is torchvision.transforms.AugMix: Hendrycks et al., https://arxiv.org/abs/1912.02781.
type AugMix struct {
	Severity      int           `cfg:"severity" help:"strengths to choose from, of 10"`
	MixtureWidth  int           `cfg:"mixture_width" help:"chains that are mixed"`
	ChainDepth    int           `cfg:"chain_depth" help:"operations of a chain; -1 draws 1 to 3"`
	Alpha         float64       `cfg:"alpha" help:"of the Dirichlet and beta distributions of the weights"`
	AllOps        bool          `cfg:"all_ops" help:"also brightness, contrast, colour and sharpness"`
	Interpolation Interpolation `cfg:"interpolation" help:"how pixels are interpolated"`
	Fill          Fill          `cfg:"fill" help:"the colour outside; null is black"`
	v2            bool
}

// Validate checks the numbers.
func (c AugMix) Validate() error {
	switch {
	case c.Severity < 1 || c.Severity > 10:
		return lighter.FieldError("severity", "The severity must be between [1, 10]. Got %d instead.", c.Severity)
	case c.MixtureWidth < 1:
		return lighter.FieldError("mixture_width", "must be at least 1, got %d", c.MixtureWidth)
	case !(c.Alpha > 0):
		return lighter.FieldError("alpha", "must be greater than 0, got %v", c.Alpha)
	}
	return nil
}

// Build makes the transform. An image is changed as a tensor, as in torchvision.
func (c AugMix) Build(*lighter.Env) (lighter.Transform, error) {
	a := augmenter{c.Interpolation, c.Fill, c.v2}
	ops := partMixOps
	if c.AllOps {
		ops = wholeMixOps
	}
	return a.on("AugMix", func(v lighter.Value, h, w int, r lighter.Rand) (lighter.Value, error) {
		return viaTensor(v, func(t tensor.Tensor) (tensor.Tensor, error) { return c.mix(a, t, ops, h, w, r) })
	}), nil
}

func (c AugMix) mix(a augmenter, t tensor.Tensor, ops []operation, h, w int, r lighter.Rand) (tensor.Tensor, error) {
	m := r.Dirichlet([]float64{c.Alpha, c.Alpha})
	alphas := make([]float64, c.MixtureWidth)
	for i := range alphas {
		alphas[i] = c.Alpha
	}
	weights := r.Dirichlet(alphas)
	scaled := func(x tensor.Tensor, w float64) tensor.Tensor {
		// One weight a batch, a float32 tensor: integers become float32.
		return x.Mul(tensor.FromSlice([]float32{float32(w)}, 1))
	}
	mix := scaled(t, m[0])
	for i := range c.MixtureWidth {
		var aug lighter.Value = t
		depth := c.ChainDepth
		if depth <= 0 {
			depth = int(r.Int(1, 4))
		}
		for range depth {
			var err error
			if aug, err = a.drawn(aug, ops, 10, c.Severity, h, w, r); err != nil {
				return t, err
			}
		}
		mix = mix.Add(scaled(aug.(tensor.Tensor), float64(float32(weights[i])*float32(m[1]))))
	}
	return mix.To(mix.Device(), t.DType()), nil
}

func init() {
	mix := AugMix{Severity: 3, MixtureWidth: 3, ChainDepth: -1, Alpha: 1, AllOps: true, Interpolation: Bilinear}
	mix2 := mix
	mix2.v2 = true
	each("AugMix", mix, mix2)
}
