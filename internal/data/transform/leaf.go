package transform

import (
	"fmt"
	"math"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data/image"
	"github.com/lighter-go/lighter/tensor"
)

type padding = image.Padding

// onLeaf does one thing to an image as Pillow does it and to a tensor as libtorch does. Colours of a mask stay.
func onLeaf(v lighter.Value, pil func(*image.Image) (*image.Image, error), t func(tensor.Tensor) (tensor.Tensor, error)) (lighter.Value, error) {
	if m, ok := v.(*image.Image); ok {
		return pil(m)
	}
	x, ok := tensorOf(v)
	if !ok {
		return nil, fmt.Errorf("expected an image or a tensor, got %s", typeName(v))
	}
	out, err := t(x)
	if err != nil {
		return nil, err
	}
	return rewrap(v, out), nil
}

// recolor is onLeaf for what leaves masks alone; Pillow's function must know the mode.
func recolor(pil func(*image.Image) *image.Image, t func(tensor.Tensor) (tensor.Tensor, error)) leafFunc {
	return func(v lighter.Value) (lighter.Value, error) {
		if _, mask := v.(Mask); mask {
			return v, nil
		}
		return onLeaf(v, func(m *image.Image) (*image.Image, error) {
			if m.Mode == image.I16 || m.Mode == image.CMYK {
				return nil, fmt.Errorf("not supported for mode %s", m.Mode)
			}
			return pil(m), nil
		}, t)
	}
}

func hflip(v lighter.Value) (lighter.Value, error) {
	return onLeaf(v, func(m *image.Image) (*image.Image, error) { return m.FlipLeftRight(), nil },
		func(t tensor.Tensor) (tensor.Tensor, error) { return call("flip", t, []int64{-1}), nil })
}

func vflip(v lighter.Value) (lighter.Value, error) {
	return onLeaf(v, func(m *image.Image) (*image.Image, error) { return m.FlipTopBottom(), nil },
		func(t tensor.Tensor) (tensor.Tensor, error) { return call("flip", t, []int64{-2}), nil })
}

func crop(v lighter.Value, top, left, height, width int) (lighter.Value, error) {
	return onLeaf(v, func(m *image.Image) (*image.Image, error) { return m.Crop(top, left, height, width), nil },
		func(t tensor.Tensor) (tensor.Tensor, error) { return cropTensor(t, top, left, height, width), nil })
}

func pad(v lighter.Value, p padding, fill Fill, mode string) (lighter.Value, error) {
	f := fill.of(v)
	_, mask := v.(Mask)
	if mask && len(f) > 1 {
		return nil, says("Non-scalar fill value is not supported for masks")
	}
	_, h, w, err := dims(v)
	if err != nil {
		return nil, err
	}
	if h+p.Top+p.Bottom <= 0 || w+p.Left+p.Right <= 0 {
		return nil, fmt.Errorf("padding [%d, %d, %d, %d] leaves nothing of an image of %dx%d", p.Left, p.Top, p.Right, p.Bottom, h, w)
	}
	return onLeaf(v, func(m *image.Image) (*image.Image, error) {
		if mode != "constant" {
			return m.PadBy(p, mode), nil
		}
		c, err := color(f, m)
		if err != nil {
			return nil, err
		}
		return m.Pad(p, c), nil
	}, func(t tensor.Tensor) (tensor.Tensor, error) { return padTensor(t, p, f, mode) })
}

// resize is resize to a height and width; a mask keeps its values.
func resize(v lighter.Value, h, w int, i Interpolation, antialias bool) (lighter.Value, error) {
	if _, mask := v.(Mask); mask {
		i = Nearest
	}
	return onLeaf(v, func(m *image.Image) (*image.Image, error) { return m.Resize(w, h, i.filter()), nil },
		func(t tensor.Tensor) (tensor.Tensor, error) { return resizeTensor(t, h, w, i, antialias) })
}

func centerCrop(v lighter.Value, height, width int) (lighter.Value, error) {
	_, h, w, err := dims(v)
	if err != nil {
		return nil, err
	}
	if height > h || width > w {
		p := padding{Left: max(width-w, 0) / 2, Top: max(height-h, 0) / 2, Right: (max(width-w, 0) + 1) / 2, Bottom: (max(height-h, 0) + 1) / 2}
		if v, err = pad(v, p, fillOf(0), "constant"); err != nil {
			return nil, err
		}
		h, w = max(h, height), max(w, width)
	}
	return crop(v, centered(h, height), centered(w, width), height, width)
}

// centered is where the middle part of a side begins.
func centered(side, part int) int { return int(math.RoundToEven(float64(side-part) / 2)) }

// pillowFilter is the filter of a warp, of which Pillow has three.
func pillowFilter(i Interpolation) (image.Filter, error) {
	switch i {
	case Nearest, NearestExact, Bilinear, Bicubic:
		return i.filter(), nil
	}
	return 0, fmt.Errorf("Interpolation mode %q is unsupported for warping an image: it must be nearest, bilinear or bicubic", i)
}

// warped does a warp with its filter and fill.
func warped(v lighter.Value, i Interpolation, fill Fill, pil func(m *image.Image, f image.Filter, color []byte) *image.Image,
	t func(t tensor.Tensor, i Interpolation, fill []float64) (tensor.Tensor, error)) (lighter.Value, error) {
	if _, mask := v.(Mask); mask {
		i = Nearest
	}
	f := fill.of(v)
	return onLeaf(v, func(m *image.Image) (*image.Image, error) {
		filter, err := pillowFilter(i)
		if err != nil {
			return nil, err
		}
		c, err := color(f, m)
		if err != nil {
			return nil, err
		}
		return pil(m, filter, c), nil
	}, func(x tensor.Tensor) (tensor.Tensor, error) { return t(x, i, f) })
}

// affineMove is the arguments of torchvision's affine; a nil center is the image's.
type affineMove struct {
	angle     float64
	translate [2]float64
	scale     float64
	shear     [2]float64
	center    *[2]float64
	v1        bool // with the arithmetic of torchvision.transforms
}

func (a affineMove) matrix(center [2]float64) [6]float64 {
	if a.v1 {
		return inverseAffine1(center, a.angle, a.translate, a.scale, a.shear)
	}
	return inverseAffine(center, a.angle, a.translate, a.scale, a.shear)
}

func affine(v lighter.Value, a affineMove, i Interpolation, fill Fill) (lighter.Value, error) {
	_, h, w, err := dims(v)
	if err != nil {
		return nil, err
	}
	middle := [2]float64{float64(w) * 0.5, float64(h) * 0.5}
	return warped(v, i, fill, func(m *image.Image, f image.Filter, c []byte) *image.Image {
		center := middle
		if a.center != nil {
			center = *a.center
		}
		return m.Affine(w, h, a.matrix(center), f, c)
	}, func(t tensor.Tensor, i Interpolation, f []float64) (tensor.Tensor, error) {
		return affineTensor(t, a.matrix(fromMiddle(a.center, middle)), h, w, i, f)
	})
}

// fromMiddle is a center as torchvision counts it for tensors: from the middle.
func fromMiddle(center *[2]float64, middle [2]float64) [2]float64 {
	if center == nil {
		return [2]float64{}
	}
	return [2]float64{center[0] - middle[0], center[1] - middle[1]}
}

func rotate(v lighter.Value, angle float64, i Interpolation, expand bool, center *[2]float64, fill Fill) (lighter.Value, error) {
	_, h, w, err := dims(v)
	if err != nil {
		return nil, err
	}
	return warped(v, i, fill, func(m *image.Image, f image.Filter, c []byte) *image.Image {
		return m.Rotate(angle, f, expand, center, c)
	}, func(t tensor.Tensor, i Interpolation, f []float64) (tensor.Tensor, error) {
		turn := math.Mod(angle, 360)
		if turn < 0 {
			turn += 360
		}
		if quarter := turn / 90; center == nil && quarter == math.Trunc(quarter) && (quarter == 0 || quarter == 2 || expand || w == h) {
			return call("rot90", t, int(quarter), []int64{-2, -1}), nil
		}
		m := inverseAffine(fromMiddle(center, [2]float64{float64(w) * 0.5, float64(h) * 0.5}), -turn, [2]float64{}, 1, [2]float64{})
		oh, ow := h, w
		if expand {
			ow, oh = rotatedSize(m, w, h)
		}
		return affineTensor(t, m, oh, ow, i, f)
	})
}

func perspective(v lighter.Value, a [8]float64, i Interpolation, fill Fill) (lighter.Value, error) {
	return warped(v, i, fill, func(m *image.Image, f image.Filter, c []byte) *image.Image {
		return m.Perspective(m.Width, m.Height, a, f, c)
	}, func(t tensor.Tensor, i Interpolation, f []float64) (tensor.Tensor, error) {
		return perspectiveTensor(t, a, i, f)
	})
}

// viaTensor does to an image what is done to tensors, as torchvision does where Pillow has nothing.
func viaTensor(v lighter.Value, f func(tensor.Tensor) (tensor.Tensor, error)) (lighter.Value, error) {
	return onLeaf(v, func(m *image.Image) (*image.Image, error) {
		t, err := f(toTensor(m))
		if err != nil {
			return nil, err
		}
		return toImage(t, m.Mode), nil
	}, f)
}

func blur(v lighter.Value, size [2]int, sigma [2]float64) (lighter.Value, error) {
	if _, mask := v.(Mask); mask {
		return v, nil
	}
	return viaTensor(v, func(t tensor.Tensor) (tensor.Tensor, error) { return blurTensor(t, size, sigma) })
}

func elastic(v lighter.Value, displacement tensor.Tensor, i Interpolation, fill Fill) (lighter.Value, error) {
	if _, mask := v.(Mask); mask {
		i = Nearest
	}
	return viaTensor(v, func(t tensor.Tensor) (tensor.Tensor, error) { return elasticTensor(t, displacement, i, fill.of(v)) })
}

func grayscale(v lighter.Value, channels int) (lighter.Value, error) {
	return recolor(func(m *image.Image) *image.Image {
		m = m.Convert(image.L)
		if channels == 3 {
			return m.Convert(image.RGB)
		}
		return m
	}, func(t tensor.Tensor) (tensor.Tensor, error) { return grayscaleTensor(t, channels) })(v)
}

func brightness(f float64) leafFunc {
	return recolor(func(m *image.Image) *image.Image { return m.Brightness(f) }, func(t tensor.Tensor) (tensor.Tensor, error) { return brightnessTensor(t, f) })
}

func contrast(f float64) leafFunc {
	return recolor(func(m *image.Image) *image.Image { return m.Contrast(f) }, func(t tensor.Tensor) (tensor.Tensor, error) { return contrastTensor(t, f) })
}

func saturation(f float64) leafFunc {
	return recolor(func(m *image.Image) *image.Image { return m.Saturation(f) }, func(t tensor.Tensor) (tensor.Tensor, error) { return saturationTensor(t, f) })
}

func hue(f float64) leafFunc {
	return recolor(func(m *image.Image) *image.Image { return m.Hue(f) }, func(t tensor.Tensor) (tensor.Tensor, error) { return hueTensor(t, f) })
}

func sharpness(f float64) leafFunc {
	return recolor(func(m *image.Image) *image.Image { return m.Sharpness(f) }, func(t tensor.Tensor) (tensor.Tensor, error) { return sharpnessTensor(t, f) })
}

func invert() leafFunc {
	return recolor((*image.Image).Invert, func(t tensor.Tensor) (tensor.Tensor, error) { return invertTensor(t), nil })
}

func posterize(bits int) leafFunc {
	return recolor(func(m *image.Image) *image.Image { return m.Posterize(bits) }, func(t tensor.Tensor) (tensor.Tensor, error) { return posterizeTensor(t, bits) })
}

func solarize(threshold float64) leafFunc {
	return recolor(func(m *image.Image) *image.Image { return m.Solarize(threshold) }, func(t tensor.Tensor) (tensor.Tensor, error) { return solarizeTensor(t, threshold) })
}

func autocontrast() leafFunc { return recolor((*image.Image).Autocontrast, autocontrastTensor) }

func equalize() leafFunc { return recolor((*image.Image).Equalize, equalizeTensor) }
