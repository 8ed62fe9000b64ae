package transform

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// probability is a rule of what is done with probability p.
func probability(p float64) error {
	if !(p >= 0 && p <= 1) {
		return lighter.FieldError("p", "`p` should be a floating point value in the interval [0.0, 1.0], got %v", p)
	}
	return nil
}

// RandomHorizontalFlip is torchvision.transforms.RandomHorizontalFlip.
type RandomHorizontalFlip struct {
	P float64 `cfg:"p" help:"the probability of a flip"`
}

// Validate checks p.
func (c RandomHorizontalFlip) Validate() error { return probability(c.P) }

// Build makes the transform.
func (c RandomHorizontalFlip) Build(*lighter.Env) (lighter.Transform, error) {
	return sometimes(c.P, always(hflip)), nil
}

// RandomVerticalFlip is torchvision.transforms.RandomVerticalFlip.
type RandomVerticalFlip struct {
	P float64 `cfg:"p" help:"the probability of a flip"`
}

// Validate checks p.
func (c RandomVerticalFlip) Validate() error { return probability(c.P) }

// Build makes the transform.
func (c RandomVerticalFlip) Build(*lighter.Env) (lighter.Transform, error) {
	return sometimes(c.P, always(vflip)), nil
}

// angles is a range of degrees: a number stands for -n to n.
func angles(n Numbers, name string, sizes ...int) ([]float64, error) {
	if n.single {
		if n.values[0] < 0 {
			return nil, lighter.FieldError(name, "If %s is a single number, it must be positive.", name)
		}
		return []float64{-n.values[0], n.values[0]}, nil
	}
	for _, s := range sizes {
		if len(n.values) == s {
			for i := 0; i < s; i += 2 {
				if n.values[i] > n.values[i+1] {
					return nil, lighter.FieldError(name, "%v is no range: its first number must not be greater than its second", n.values[i:i+2])
				}
			}
			return n.values, nil
		}
	}
	return nil, lighter.FieldError(name, "%s should be a sequence of length %s.", name, joined(sizes))
}

func joined(sizes []int) string {
	if len(sizes) == 2 {
		return fmt.Sprintf("%d or %d", sizes[0], sizes[1])
	}
	return fmt.Sprint(sizes[0])
}

// centerOf is a center of rotation, nil for the image's middle.
func centerOf(c []float64) (*[2]float64, error) {
	switch len(c) {
	case 0:
		return nil, nil
	case 2:
		return &[2]float64{c[0], c[1]}, nil
	}
	return nil, lighter.FieldError("center", "center should be a sequence of length 2.")
}

// RandomRotation is torchvision.transforms.RandomRotation.
type RandomRotation struct {
	Degrees       Numbers       `cfg:"degrees,required" help:"from and to, in degrees; one number is from -n to n"`
	Interpolation Interpolation `cfg:"interpolation" help:"how pixels are interpolated"`
	Expand        bool          `cfg:"expand" help:"make the image so large that nothing is cut off"`
	Center        []float64     `cfg:"center" help:"x and y of what stays in place; the middle when null"`
	Fill          Fill          `cfg:"fill" help:"the colour outside"`
}

// Validate checks the ranges.
func (c RandomRotation) Validate() error {
	if _, err := centerOf(c.Center); err != nil {
		return err
	}
	if !c.Degrees.given() {
		return nil
	}
	_, err := angles(c.Degrees, "degrees", 2)
	return err
}

// Build makes the transform.
func (c RandomRotation) Build(*lighter.Env) (lighter.Transform, error) {
	center, err := centerOf(c.Center)
	if err != nil {
		return nil, err
	}
	d, err := angles(c.Degrees, "degrees", 2)
	if err != nil {
		return nil, err
	}
	return planned{plan: func(_ []lighter.Value, r lighter.Rand) (leafFunc, error) {
		angle := r.Uniform(d[0], d[1])
		return func(v lighter.Value) (lighter.Value, error) {
			return rotate(v, angle, c.Interpolation, c.Expand, center, c.Fill)
		}, nil
	}}, nil
}

// RandomAffine is torchvision.transforms.RandomAffine.
type RandomAffine struct {
	Degrees       Numbers       `cfg:"degrees,required" help:"from and to, in degrees; one number is from -n to n"`
	Translate     []float64     `cfg:"translate" help:"the most it is shifted, as parts of width and height"`
	Scale         []float64     `cfg:"scale" help:"the factor of its size, from and to"`
	Shear         Numbers       `cfg:"shear" help:"degrees of shear: one, from and to of x, or of x and y"`
	Interpolation Interpolation `cfg:"interpolation" help:"how pixels are interpolated"`
	Fill          Fill          `cfg:"fill" help:"the colour outside"`
	Center        []float64     `cfg:"center" help:"x and y of what stays in place; the middle when null"`
}

// Validate checks the ranges.
func (c RandomAffine) Validate() error {
	if c.Translate != nil && len(c.Translate) != 2 {
		return lighter.FieldError("translate", "translate should be a sequence of length 2.")
	}
	for _, t := range c.Translate {
		if t < 0 || t > 1 {
			return lighter.FieldError("translate", "translation values should be between 0 and 1")
		}
	}
	if c.Scale != nil && len(c.Scale) != 2 {
		return lighter.FieldError("scale", "scale should be a sequence of length 2.")
	}
	for _, s := range c.Scale {
		if s <= 0 {
			return lighter.FieldError("scale", "scale values should be positive")
		}
	}
	if len(c.Scale) == 2 && c.Scale[0] > c.Scale[1] {
		return lighter.FieldError("scale", "%v is no range: its first number must not be greater than its second", c.Scale)
	}
	if c.Shear.given() {
		if _, err := angles(c.Shear, "shear", 2, 4); err != nil {
			return err
		}
	}
	if _, err := centerOf(c.Center); err != nil {
		return err
	}
	if !c.Degrees.given() {
		return nil
	}
	_, err := angles(c.Degrees, "degrees", 2)
	return err
}

// Build makes the transform.
func (c RandomAffine) Build(*lighter.Env) (lighter.Transform, error) {
	center, _ := centerOf(c.Center)
	degrees, err := angles(c.Degrees, "degrees", 2)
	if err != nil {
		return nil, err
	}
	var shear []float64
	if c.Shear.given() {
		if shear, err = angles(c.Shear, "shear", 2, 4); err != nil {
			return nil, err
		}
	}
	return planned{plan: func(in []lighter.Value, r lighter.Rand) (leafFunc, error) {
		h, w, err := sizeOf(in)
		if err != nil {
			return nil, err
		}
		a := affineMove{angle: r.Uniform(degrees[0], degrees[1]), scale: 1, center: center}
		if c.Translate != nil {
			dx, dy := c.Translate[0]*float64(w), c.Translate[1]*float64(h)
			a.translate[0] = float64(round(r.Uniform(-dx, dx)))
			a.translate[1] = float64(round(r.Uniform(-dy, dy)))
		}
		if c.Scale != nil {
			a.scale = r.Uniform(c.Scale[0], c.Scale[1])
		}
		if shear != nil {
			a.shear[0] = r.Uniform(shear[0], shear[1])
			if len(shear) == 4 {
				a.shear[1] = r.Uniform(shear[2], shear[3])
			}
		}
		return func(v lighter.Value) (lighter.Value, error) { return affine(v, a, c.Interpolation, c.Fill) }, nil
	}}, nil
}

// RandomPerspective is torchvision.transforms.RandomPerspective.
type RandomPerspective struct {
	DistortionScale float64       `cfg:"distortion_scale" help:"how far the corners may go, from 0 to 1"`
	P               float64       `cfg:"p" help:"the probability of a distortion"`
	Interpolation   Interpolation `cfg:"interpolation" help:"how pixels are interpolated"`
	Fill            Fill          `cfg:"fill" help:"the colour outside"`
}

// Validate checks the numbers.
func (c RandomPerspective) Validate() error {
	if c.DistortionScale < 0 || c.DistortionScale > 1 {
		return lighter.FieldError("distortion_scale", "Argument distortion_scale value should be between 0 and 1")
	}
	return probability(c.P)
}

// Build makes the transform.
func (c RandomPerspective) Build(*lighter.Env) (lighter.Transform, error) {
	return sometimes(c.P, func(in []lighter.Value, r lighter.Rand) (leafFunc, error) {
		h, w, err := sizeOf(in)
		if err != nil {
			return nil, err
		}
		bh, bw := int64(c.DistortionScale*float64(h/2))+1, int64(c.DistortionScale*float64(w/2))+1
		H, W := int64(h), int64(w)
		start := [4][2]float64{{0, 0}, {float64(w - 1), 0}, {float64(w - 1), float64(h - 1)}, {0, float64(h - 1)}}
		var end [4][2]float64
		for i, at := range [4][4]int64{{0, bw, 0, bh}, {W - bw, W, 0, bh}, {W - bw, W, H - bh, H}, {0, bw, H - bh, H}} {
			end[i][0] = float64(r.Int(at[0], at[1]))
			end[i][1] = float64(r.Int(at[2], at[3]))
		}
		a := perspectiveCoefficients(start, end)
		return func(v lighter.Value) (lighter.Value, error) { return perspective(v, a, c.Interpolation, c.Fill) }, nil
	}), nil
}

// perspectiveCoefficients takes the points end back to start.
func perspectiveCoefficients(start, end [4][2]float64) (a [8]float64) {
	s := tensor.Open()
	defer s.Close()
	var m, b []float64
	for i, e := range end {
		x, y := start[i][0], start[i][1]
		m = append(m, e[0], e[1], 1, 0, 0, 0, -x*e[0], -x*e[1], 0, 0, 0, e[0], e[1], 1, -y*e[0], -y*e[1])
		b = append(b, x, y)
	}
	r := tensor.Call("linalg_lstsq", tensor.FromSlice(m, 8, 8), tensor.FromSlice(b, 8), nil, kwarg("driver", "gels"))
	for i, v := range tensor.Values[float32](r[0].(tensor.Tensor)) {
		a[i] = float64(v)
	}
	return a
}

// ElasticTransform is torchvision.transforms.ElasticTransform.
type ElasticTransform struct {
	Alpha         Numbers       `cfg:"alpha" help:"how far pixels move; one number or one for x and one for y"`
	Sigma         Numbers       `cfg:"sigma" help:"how smoothly they do; one number or one for x and one for y"`
	Interpolation Interpolation `cfg:"interpolation" help:"how pixels are interpolated"`
	Fill          Fill          `cfg:"fill" help:"the colour outside"`
}

// Validate checks the numbers.
func (c ElasticTransform) Validate() error {
	if err := oneOrTwo("alpha", c.Alpha); err != nil {
		return err
	}
	return oneOrTwo("sigma", c.Sigma)
}

func oneOrTwo(name string, n Numbers) error {
	if len(n.values) != 1 && len(n.values) != 2 {
		return lighter.FieldError(name, "If %s is a sequence its length should be 1 or 2. Got %d", name, len(n.values))
	}
	return nil
}

// Build makes the transform.
func (c ElasticTransform) Build(*lighter.Env) (lighter.Transform, error) {
	alpha, sigma := c.Alpha.pair(), c.Sigma.pair()
	return planned{plan: func(in []lighter.Value, r lighter.Rand) (leafFunc, error) {
		h, w, err := sizeOf(in)
		if err != nil {
			return nil, err
		}
		side := func(k, n int) (tensor.Tensor, error) {
			d := r.UniformTensor(1, 1, int64(h), int64(w)).MulScalar(2).AddScalar(-1)
			if sigma[k] > 0 {
				size := int(8*sigma[k] + 1)
				size += 1 - size%2
				if d, err = blurTensor(d, [2]int{size, size}, sigma); err != nil {
					return d, err
				}
			}
			return d.MulScalar(alpha[k]).DivScalar(float64(n)), nil
		}
		dx, err := side(0, w)
		if err != nil {
			return nil, err
		}
		dy, err := side(1, h)
		if err != nil {
			return nil, err
		}
		displacement := call("permute", tensor.Cat([]tensor.Tensor{dx, dy}, 1), []int64{0, 2, 3, 1})
		return func(v lighter.Value) (lighter.Value, error) { return elastic(v, displacement, c.Interpolation, c.Fill) }, nil
	}}, nil
}

func init() {
	both("RandomHorizontalFlip", RandomHorizontalFlip{P: 0.5})
	both("RandomVerticalFlip", RandomVerticalFlip{P: 0.5})
	both("RandomRotation", RandomRotation{Interpolation: Nearest, Fill: fillOf(0)})
	both("RandomAffine", RandomAffine{Interpolation: Nearest, Fill: fillOf(0)})
	both("RandomPerspective", RandomPerspective{DistortionScale: 0.5, P: 0.5, Interpolation: Bilinear, Fill: fillOf(0)})
	both("ElasticTransform", ElasticTransform{Alpha: number(50), Sigma: number(5), Interpolation: Bilinear, Fill: fillOf(0)})
}
