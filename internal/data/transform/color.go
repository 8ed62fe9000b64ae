package transform

import (
	"math"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data/image"
	"github.com/lighter-go/lighter/tensor"
)

// Grayscale is torchvision.transforms.Grayscale.
type Grayscale struct {
	NumOutputChannels int `cfg:"num_output_channels" help:"1, or 3 equal ones"`
}

// Validate checks the number.
func (c Grayscale) Validate() error {
	if c.NumOutputChannels != 1 && c.NumOutputChannels != 3 {
		return lighter.FieldError("num_output_channels", "num_output_channels must be 1 or 3, got %d.", c.NumOutputChannels)
	}
	return nil
}

// Build makes the transform.
func (c Grayscale) Build(*lighter.Env) (lighter.Transform, error) {
	return fixed(func(v lighter.Value) (lighter.Value, error) { return grayscale(v, c.NumOutputChannels) }), nil
}

// RandomGrayscale is torchvision.transforms.RandomGrayscale.
type RandomGrayscale struct {
	P float64 `cfg:"p" help:"the probability of grey"`
}

// Validate checks p.
func (c RandomGrayscale) Validate() error { return probability(c.P) }

// Build makes the transform.
func (c RandomGrayscale) Build(*lighter.Env) (lighter.Transform, error) {
	return sometimes(c.P, func(in []lighter.Value, _ lighter.Rand) (leafFunc, error) {
		channels, _, _, err := shapeOf(in)
		if err != nil {
			return nil, err
		}
		if channels != 1 && channels != 3 {
			return nil, says("num_output_channels must be 1 or 3, got %d.", channels)
		}
		return func(v lighter.Value) (lighter.Value, error) { return grayscale(v, channels) }, nil
	}), nil
}

// RGB is torchvision.transforms.v2.RGB.
type RGB struct{}

// Doc is the reference's text.
func (RGB) Doc() string { return "Grey as three equal channels; an image with alpha loses it." }

// Build makes the transform.
func (RGB) Build(*lighter.Env) (lighter.Transform, error) {
	return fixed(leafOnly(func(v lighter.Value) (lighter.Value, error) {
		return onLeaf(v, func(m *image.Image) (*image.Image, error) { return m.Convert(image.RGB), nil },
			func(t tensor.Tensor) (tensor.Tensor, error) { return grayscaleOrSame(t) })
	})), nil
}

func grayscaleOrSame(t tensor.Tensor) (tensor.Tensor, error) {
	c, err := channelsOf(t)
	if err != nil || c == 3 {
		return t, err
	}
	return grayscaleTensor(t, 3)
}

// ColorJitter is torchvision.transforms.ColorJitter.
type ColorJitter struct {
	Brightness Numbers `cfg:"brightness" help:"the factor, from and to; one number n is from 1-n to 1+n"`
	Contrast   Numbers `cfg:"contrast" help:"the factor, from and to; one number n is from 1-n to 1+n"`
	Saturation Numbers `cfg:"saturation" help:"the factor, from and to; one number n is from 1-n to 1+n"`
	Hue        Numbers `cfg:"hue" help:"the part of the colour circle, from and to; one number is from -n to n"`
}

// jitter is the range of a factor; nil changes nothing.
func jitter(n Numbers, name string, center, low, high float64) (*[2]float64, error) {
	if !n.given() {
		return nil, nil
	}
	var span [2]float64
	switch {
	case n.single && n.values[0] < 0:
		return nil, lighter.FieldError(name, "If %s is a single number, it must be non negative.", name)
	case n.single:
		span = [2]float64{center - n.values[0], center + n.values[0]}
		if center == 1 {
			span[0] = max(span[0], 0)
		}
	case len(n.values) == 2:
		span = [2]float64{n.values[0], n.values[1]}
	default:
		return nil, lighter.FieldError(name, "%s=%v should be a single number or a sequence with length 2.", name, n.values)
	}
	if !(low <= span[0] && span[0] <= span[1] && span[1] <= high) {
		return nil, lighter.FieldError(name, "%s values should be between (%v, %v) and increasing, but got [%v, %v].", name, low, high, span[0], span[1])
	}
	if span[0] == center && span[1] == center {
		return nil, nil
	}
	return &span, nil
}

// spans are the ranges in the order that they are drawn in.
func (c ColorJitter) spans() (all [4]*[2]float64, err error) {
	inf := math.Inf(1)
	for i, f := range []struct {
		n                 Numbers
		name              string
		center, low, high float64
	}{
		{c.Brightness, "brightness", 1, 0, inf}, {c.Contrast, "contrast", 1, 0, inf},
		{c.Saturation, "saturation", 1, 0, inf}, {c.Hue, "hue", 0, -0.5, 0.5},
	} {
		if all[i], err = jitter(f.n, f.name, f.center, f.low, f.high); err != nil {
			return all, err
		}
	}
	return all, nil
}

// Validate checks the ranges.
func (c ColorJitter) Validate() error {
	_, err := c.spans()
	return err
}

// Build makes the transform.
func (c ColorJitter) Build(*lighter.Env) (lighter.Transform, error) {
	all, err := c.spans()
	if err != nil {
		return nil, err
	}
	change := []func(float64) leafFunc{brightness, contrast, saturation, hue}
	return planned{plan: func(_ []lighter.Value, r lighter.Rand) (leafFunc, error) {
		order := r.Perm(4)
		var steps [4]leafFunc
		for i, s := range all {
			if s != nil {
				steps[i] = change[i](r.Uniform(s[0], s[1]))
			}
		}
		return func(v lighter.Value) (lighter.Value, error) {
			for _, i := range order {
				if steps[i] == nil {
					continue
				}
				var err error
				if v, err = steps[i](v); err != nil {
					return nil, err
				}
			}
			return v, nil
		}, nil
	}}, nil
}

// RandomInvert is torchvision.transforms.RandomInvert.
type RandomInvert struct {
	P float64 `cfg:"p" help:"the probability of inversion"`
}

// Validate checks p.
func (c RandomInvert) Validate() error { return probability(c.P) }

// Build makes the transform.
func (c RandomInvert) Build(*lighter.Env) (lighter.Transform, error) {
	return sometimes(c.P, always(invert())), nil
}

// RandomPosterize is torchvision.transforms.RandomPosterize.
type RandomPosterize struct {
	Bits int     `cfg:"bits,required" help:"upper bits of each channel that stay, from 0 to 8"`
	P    float64 `cfg:"p" help:"the probability of posterizing"`
}

// Validate checks the numbers.
func (c RandomPosterize) Validate() error {
	if c.Bits < 0 || c.Bits > 8 {
		return lighter.FieldError("bits", "The number if bits should be between 0 and 8. Got %d", c.Bits)
	}
	return probability(c.P)
}

// Build makes the transform.
func (c RandomPosterize) Build(*lighter.Env) (lighter.Transform, error) {
	return sometimes(c.P, always(posterize(c.Bits))), nil
}

// RandomSolarize is torchvision.transforms.RandomSolarize.
type RandomSolarize struct {
	Threshold float64 `cfg:"threshold,required" help:"values from this one on are inverted"`
	P         float64 `cfg:"p" help:"the probability of solarizing"`
}

// Validate checks p.
func (c RandomSolarize) Validate() error { return probability(c.P) }

// Build makes the transform.
func (c RandomSolarize) Build(*lighter.Env) (lighter.Transform, error) {
	return sometimes(c.P, always(solarize(c.Threshold))), nil
}

// RandomAdjustSharpness is torchvision.transforms.RandomAdjustSharpness.
type RandomAdjustSharpness struct {
	SharpnessFactor float64 `cfg:"sharpness_factor,required" help:"0 blurs, 1 changes nothing, 2 sharpens"`
	P               float64 `cfg:"p" help:"the probability of a change"`
}

// Validate checks the numbers.
func (c RandomAdjustSharpness) Validate() error {
	if c.SharpnessFactor < 0 {
		return lighter.FieldError("sharpness_factor", "sharpness_factor (%v) is not non-negative.", c.SharpnessFactor)
	}
	return probability(c.P)
}

// Build makes the transform.
func (c RandomAdjustSharpness) Build(*lighter.Env) (lighter.Transform, error) {
	return sometimes(c.P, always(sharpness(c.SharpnessFactor))), nil
}

// RandomAutocontrast is torchvision.transforms.RandomAutocontrast.
type RandomAutocontrast struct {
	P float64 `cfg:"p" help:"the probability of a change"`
}

// Validate checks p.
func (c RandomAutocontrast) Validate() error { return probability(c.P) }

// Build makes the transform.
func (c RandomAutocontrast) Build(*lighter.Env) (lighter.Transform, error) {
	return sometimes(c.P, always(autocontrast())), nil
}

// RandomEqualize is torchvision.transforms.RandomEqualize.
type RandomEqualize struct {
	P float64 `cfg:"p" help:"the probability of a change"`
}

// Validate checks p.
func (c RandomEqualize) Validate() error { return probability(c.P) }

// Build makes the transform.
func (c RandomEqualize) Build(*lighter.Env) (lighter.Transform, error) {
	return sometimes(c.P, always(equalize())), nil
}

// GaussianBlur is torchvision.transforms.GaussianBlur.
type GaussianBlur struct {
	KernelSize Size    `cfg:"kernel_size,required" help:"odd width and height of the kernel; one int for both"`
	Sigma      Numbers `cfg:"sigma" help:"the standard deviation in pixels, from and to, or one number"`
}

// Validate checks the numbers.
func (c GaussianBlur) Validate() error {
	for _, k := range c.KernelSize.values {
		if k <= 0 || k%2 == 0 {
			return lighter.FieldError("kernel_size", "Kernel size value should be an odd and positive number.")
		}
	}
	if err := oneOrTwo("sigma", c.Sigma); err != nil {
		return err
	}
	if s := c.Sigma.pair(); !(0 < s[0] && s[0] <= s[1]) {
		return lighter.FieldError("sigma", "sigma values should be positive and of the form (min, max). Got [%v, %v]", s[0], s[1])
	}
	return nil
}

// Build makes the transform.
func (c GaussianBlur) Build(*lighter.Env) (lighter.Transform, error) {
	kx, ky := c.KernelSize.hw()
	s := c.Sigma.pair()
	return planned{plan: func(_ []lighter.Value, r lighter.Rand) (leafFunc, error) {
		sigma := r.Uniform(s[0], s[1])
		return func(v lighter.Value) (lighter.Value, error) { return blur(v, [2]int{kx, ky}, [2]float64{sigma, sigma}) }, nil
	}}, nil
}

func init() {
	both("Grayscale", Grayscale{NumOutputChannels: 1})
	both("RandomGrayscale", RandomGrayscale{P: 0.1})
	only2("RGB", RGB{})
	zero := number(0)
	each("ColorJitter", ColorJitter{Brightness: zero, Contrast: zero, Saturation: zero, Hue: zero}, ColorJitter{})
	both("RandomInvert", RandomInvert{P: 0.5})
	both("RandomPosterize", RandomPosterize{P: 0.5})
	both("RandomSolarize", RandomSolarize{P: 0.5})
	both("RandomAdjustSharpness", RandomAdjustSharpness{P: 0.5})
	both("RandomAutocontrast", RandomAutocontrast{P: 0.5})
	both("RandomEqualize", RandomEqualize{P: 0.5})
	both("GaussianBlur", GaussianBlur{Sigma: listed(0.1, 2)})
}
