package transform

import (
	"fmt"
	"math"

	"github.com/lighter-go/lighter"
)

// operation is one of what AutoAugment and its kin choose from.
type operation struct {
	name string
	// bins gives the magnitudes of n bins for an image of h by w; nil when there is none.
	bins   func(n, h, w int) []float64
	signed bool
}

// linear is torch.linspace(from, to, n).
func linear(from, to float64) func(n, h, w int) []float64 {
	return func(n, _, _ int) []float64 { return linspace32(from, to, n) }
}

// linspace32 is torch.linspace's float32 numbers: the upper half is counted from the end.
func linspace32(from, to float64, n int) []float64 {
	out := make([]float64, n)
	if n == 1 {
		out[0] = from
		return out
	}
	a, b := float32(from), float32(to)
	step := (b - a) / float32(n-1)
	for i := range out {
		if i < n/2 {
			out[i] = float64(a + step*float32(i))
		} else {
			out[i] = float64(b - step*float32(n-1-i))
		}
	}
	return out
}

// posterizing goes from bits down, over n bins, by a number of bits.
func posterizing(bits, down float64) func(n, h, w int) []float64 {
	return func(n, _, _ int) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = float64(math.RoundToEven(float64(float32(bits) - float32(i)/float32(float64(n-1)/down))))
		}
		return out
	}
}

// space lists operations in the order that they are numbered in.
func space(shear float64, translate func(side int) float64, rotate, factor float64, posterize func(n, h, w int) []float64) map[string]operation {
	ops := map[string]operation{
		"Identity":     {},
		"ShearX":       {bins: linear(0, shear), signed: true},
		"ShearY":       {bins: linear(0, shear), signed: true},
		"TranslateX":   {bins: func(n, _, w int) []float64 { return linspace32(0, translate(w), n) }, signed: true},
		"TranslateY":   {bins: func(n, h, _ int) []float64 { return linspace32(0, translate(h), n) }, signed: true},
		"Rotate":       {bins: linear(0, rotate), signed: true},
		"Brightness":   {bins: linear(0, factor), signed: true},
		"Color":        {bins: linear(0, factor), signed: true},
		"Contrast":     {bins: linear(0, factor), signed: true},
		"Sharpness":    {bins: linear(0, factor), signed: true},
		"Posterize":    {bins: posterize},
		"Solarize":     {bins: linear(1, 0)},
		"AutoContrast": {},
		"Equalize":     {},
		"Invert":       {},
	}
	for name, op := range ops {
		op.name = name
		ops[name] = op
	}
	return ops
}

func listOf(ops map[string]operation, names ...string) []operation {
	var list []operation
	for _, n := range names {
		list = append(list, ops[n])
	}
	return list
}

var (
	partOf      = func(side int) float64 { return 150.0 / 331.0 * float64(side) }
	autoSpace   = space(0.3, partOf, 30, 0.9, posterizing(8, 4))
	wideSpace   = space(0.99, func(int) float64 { return 32 }, 135, 0.99, posterizing(8, 6))
	mixSpace    = space(0.3, func(side int) float64 { return float64(side) / 3 }, 30, 0.9, posterizing(4, 4))
	mostNames   = []string{"Identity", "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness", "Color", "Contrast", "Sharpness", "Posterize", "Solarize", "AutoContrast", "Equalize"}
	randOps     = listOf(autoSpace, mostNames...)
	wideOps     = listOf(wideSpace, mostNames...)
	partMixOps  = listOf(mixSpace, "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Posterize", "Solarize", "AutoContrast", "Equalize")
	wholeMixOps = append(partMixOps[:len(partMixOps):len(partMixOps)], listOf(mixSpace, "Brightness", "Color", "Contrast", "Sharpness")...)
)

// augmenter is what the classes share: how an operation is done, and how its sign is drawn.
type augmenter struct {
	interpolation Interpolation
	fill          Fill
	v2            bool
}

// magnitude is that of a bin. Version 1 counts the thresholds of Solarize in grey levels.
func (a augmenter) magnitude(op operation, bins, bin, h, w int) float64 {
	if op.name == "Solarize" && !a.v2 {
		return linspace32(255, 0, bins)[bin]
	}
	return op.bins(bins, h, w)[bin]
}

// negative draws a sign.
func (a augmenter) negative(r lighter.Rand) bool {
	if a.v2 {
		return r.Uniform(0, 1) <= 0.5
	}
	return r.Int(0, 2) == 1
}

// on applies f to the one image of a sample.
func (a augmenter) on(name string, f func(v lighter.Value, h, w int, r lighter.Rand) (lighter.Value, error)) lighter.Transform {
	return function(func(v lighter.Value, r lighter.Rand) (lighter.Value, error) {
		var images []lighter.Value
		for _, in := range imagesOf(v) {
			if _, mask := in.(Mask); mask {
				return nil, says("Inputs of type Mask are not supported by %s()", name)
			}
			images = append(images, in)
		}
		switch len(images) {
		case 0:
			return nil, says("Found no image in the sample.")
		case 1:
		default:
			return nil, says("Auto augment transformations are only properly defined for a single image or video, but found %d.", len(images))
		}
		_, h, w, err := dims(images[0])
		if err != nil {
			return nil, err
		}
		out, err := f(images[0], h, w, r)
		if err != nil {
			return nil, err
		}
		return mapSelected(v, images, func(lighter.Value) (lighter.Value, error) { return out, nil })
	})
}

func degrees(radians float64) float64 { return radians * (180 / math.Pi) }

// do does one operation.
func (a augmenter) do(v lighter.Value, op string, magnitude float64) (lighter.Value, error) {
	move := affineMove{scale: 1, v1: !a.v2}
	switch op {
	case "Identity":
		return v, nil
	case "ShearX", "ShearY":
		k := 0
		if op == "ShearY" {
			k = 1
		}
		move.shear[k] = degrees(math.Atan(magnitude))
		move.center = &[2]float64{}
		return affine(v, move, a.interpolation, a.fill)
	case "TranslateX":
		move.translate[0] = math.Trunc(magnitude)
		return affine(v, move, a.interpolation, a.fill)
	case "TranslateY":
		move.translate[1] = math.Trunc(magnitude)
		return affine(v, move, a.interpolation, a.fill)
	case "Rotate":
		return rotate(v, magnitude, a.interpolation, false, nil, a.fill)
	case "Brightness":
		return brightness(1 + magnitude)(v)
	case "Color":
		return saturation(1 + magnitude)(v)
	case "Contrast":
		return contrast(1 + magnitude)(v)
	case "Sharpness":
		return sharpness(1 + magnitude)(v)
	case "Posterize":
		return posterize(int(magnitude))(v)
	case "Solarize":
		top := 255.0
		if t, ok := tensorOf(v); ok {
			top = bound(t.DType())
		}
		if !a.v2 {
			magnitude /= 255 / top
			top = 1
		}
		return solarize(top * magnitude)(v)
	case "AutoContrast":
		return autocontrast()(v)
	case "Equalize":
		return equalize()(v)
	case "Invert":
		return invert()(v)
	}
	return nil, says("No transform available for %s", op)
}

// AutoAugmentPolicy is torchvision's enumeration, by its value.
type AutoAugmentPolicy string

// ConfigType implements [registry.Decoder].
func (*AutoAugmentPolicy) ConfigType() string { return `"imagenet", "cifar10" or "svhn"` }

// DecodeConfig implements [registry.Decoder].
func (p *AutoAugmentPolicy) DecodeConfig(v any) error {
	switch x := v.(type) {
	case AutoAugmentPolicy:
		*p = x
		return nil
	case string:
		for name := range policies {
			if string(name) == lowerLast(x) {
				*p = name
				return nil
			}
		}
		return says("The provided policy %s is not recognized: it must be %s", x, p.ConfigType())
	}
	return fmt.Errorf("must be %s", p.ConfigType())
}

// AutoAugment is torchvision.transforms.AutoAugment: Cubuk et al., https://arxiv.org/abs/1805.09501.
type AutoAugment struct {
	Policy        AutoAugmentPolicy `cfg:"policy" help:"the learned policy: imagenet, cifar10 or svhn"`
	Interpolation Interpolation     `cfg:"interpolation" help:"how pixels are interpolated"`
	Fill          Fill              `cfg:"fill" help:"the colour outside; null is black"`
	v2            bool
}

// Build makes the transform.
func (c AutoAugment) Build(*lighter.Env) (lighter.Transform, error) {
	a := augmenter{c.Interpolation, c.Fill, c.v2}
	list := policies[c.Policy]
	return a.on("AutoAugment", func(v lighter.Value, h, w int, r lighter.Rand) (lighter.Value, error) {
		policy := list[r.Int(0, int64(len(list)))]
		var probs [2]float64
		var negative [2]bool
		if !c.v2 {
			probs[0], probs[1] = r.Uniform(0, 1), r.Uniform(0, 1)
			negative[0], negative[1] = r.Int(0, 2) == 0, r.Int(0, 2) == 0
		}
		for i, s := range policy {
			if c.v2 {
				probs[i] = r.Uniform(0, 1)
			}
			if !(probs[i] <= float64(float32(s.p))) {
				continue
			}
			op, magnitude := autoSpace[s.op], 0.0
			if op.bins != nil && s.bin >= 0 {
				magnitude = a.magnitude(op, 10, s.bin, h, w)
				if op.signed && c.v2 {
					negative[i] = a.negative(r)
				}
				if op.signed && negative[i] {
					magnitude = -magnitude
				}
			}
			var err error
			if v, err = a.do(v, op.name, magnitude); err != nil {
				return nil, err
			}
		}
		return v, nil
	}), nil
}

// RandAugment is torchvision.transforms.RandAugment: Cubuk et al., https://arxiv.org/abs/1909.13719.
type RandAugment struct {
	NumOps           int           `cfg:"num_ops" help:"operations in a row"`
	Magnitude        int           `cfg:"magnitude" help:"the bin of their strength"`
	NumMagnitudeBins int           `cfg:"num_magnitude_bins" help:"the number of bins"`
	Interpolation    Interpolation `cfg:"interpolation" help:"how pixels are interpolated"`
	Fill             Fill          `cfg:"fill" help:"the colour outside; null is black"`
	v2               bool
}

// Validate checks the numbers.
func (c RandAugment) Validate() error {
	switch {
	case c.NumOps < 0:
		return lighter.FieldError("num_ops", "num_ops should be a non-negative integer, but got %d instead.", c.NumOps)
	case c.NumMagnitudeBins < 2:
		return lighter.FieldError("num_magnitude_bins", "must be at least 2, got %d", c.NumMagnitudeBins)
	case c.Magnitude < 0 || c.Magnitude >= c.NumMagnitudeBins:
		return lighter.FieldError("magnitude", "must be from 0 to num_magnitude_bins - 1, which is %d; got %d", c.NumMagnitudeBins-1, c.Magnitude)
	}
	return nil
}

// Build makes the transform.
func (c RandAugment) Build(*lighter.Env) (lighter.Transform, error) {
	a := augmenter{c.Interpolation, c.Fill, c.v2}
	return a.on("RandAugment", func(v lighter.Value, h, w int, r lighter.Rand) (_ lighter.Value, err error) {
		for range c.NumOps {
			op, magnitude := randOps[r.Int(0, int64(len(randOps)))], 0.0
			if op.bins != nil {
				magnitude = a.magnitude(op, c.NumMagnitudeBins, c.Magnitude, h, w)
				if op.signed && a.negative(r) {
					magnitude = -magnitude
				}
			}
			if v, err = a.do(v, op.name, magnitude); err != nil {
				return nil, err
			}
		}
		return v, nil
	}), nil
}

// TrivialAugmentWide is torchvision.transforms.TrivialAugmentWide: Müller and Hutter, https://arxiv.org/abs/2103.10158.
type TrivialAugmentWide struct {
	NumMagnitudeBins int           `cfg:"num_magnitude_bins" help:"the number of strengths to choose from"`
	Interpolation    Interpolation `cfg:"interpolation" help:"how pixels are interpolated"`
	Fill             Fill          `cfg:"fill" help:"the colour outside; null is black"`
	v2               bool
}

// Validate checks the number.
func (c TrivialAugmentWide) Validate() error {
	if c.NumMagnitudeBins < 2 {
		return lighter.FieldError("num_magnitude_bins", "must be at least 2, got %d", c.NumMagnitudeBins)
	}
	return nil
}

// Build makes the transform.
func (c TrivialAugmentWide) Build(*lighter.Env) (lighter.Transform, error) {
	a := augmenter{c.Interpolation, c.Fill, c.v2}
	return a.on("TrivialAugmentWide", func(v lighter.Value, h, w int, r lighter.Rand) (lighter.Value, error) {
		return a.drawn(v, wideOps, c.NumMagnitudeBins, c.NumMagnitudeBins, h, w, r)
	}), nil
}

// drawn does an operation that is drawn, with one of the first of bins strengths.
func (a augmenter) drawn(v lighter.Value, ops []operation, bins, of, h, w int, r lighter.Rand) (lighter.Value, error) {
	op, magnitude := ops[r.Int(0, int64(len(ops)))], 0.0
	if op.bins != nil {
		magnitude = a.magnitude(op, bins, int(r.Int(0, int64(of))), h, w)
		if op.signed && a.negative(r) {
			magnitude = -magnitude
		}
	}
	return a.do(v, op.name, magnitude)
}

func init() {
	each("AutoAugment", AutoAugment{Policy: "imagenet", Interpolation: Nearest}, AutoAugment{Policy: "imagenet", Interpolation: Nearest, v2: true})
	each("RandAugment", RandAugment{NumOps: 2, Magnitude: 9, NumMagnitudeBins: 31, Interpolation: Nearest},
		RandAugment{NumOps: 2, Magnitude: 9, NumMagnitudeBins: 31, Interpolation: Nearest, v2: true})
	each("TrivialAugmentWide", TrivialAugmentWide{NumMagnitudeBins: 31, Interpolation: Nearest}, TrivialAugmentWide{NumMagnitudeBins: 31, Interpolation: Nearest, v2: true})
}
