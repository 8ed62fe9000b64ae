package transform

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/creation"
	"github.com/lighter-go/lighter/internal/data/image"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// pixelwise is a transform whose result for a number of a tensor [..., C, H, W] comes from that number and its channel alone:
// the loader then does it once a batch, or looks up what it makes of each byte. It draws nothing.
type pixelwise struct {
	planned
	begins func(*image.Image) bool // it makes a tensor of an image, and can of this one
	batch  func(tensor.Tensor) (tensor.Tensor, error)
}

// leafOnly is a transform of leaves that are no masks.
func leafOnly(f leafFunc) leafFunc {
	return func(v lighter.Value) (lighter.Value, error) {
		if _, mask := v.(Mask); mask {
			return v, nil
		}
		return f(v)
	}
}

func bytesOnly(m *image.Image) bool { return m.Mode != image.I16 }

// unit is bytes as floats from 0 to 1, the others as they are.
func unit(t tensor.Tensor) tensor.Tensor {
	if t.DType() != tensor.Uint8 {
		return t
	}
	return t.To(t.Device(), tensor.Float32).DivScalar(255)
}

// ToTensor is torchvision.transforms.ToTensor.
type ToTensor struct{ v2 bool }

// Doc is the reference's text.
func (ToTensor) Doc() string {
	return "An image as a float32 tensor [C, H, W] from 0 to 1; grey of 16 bits stays int16, as in torchvision."
}

// Build makes the transform.
func (c ToTensor) Build(*lighter.Env) (lighter.Transform, error) {
	return pixelwise{
		planned: fixed(func(v lighter.Value) (lighter.Value, error) {
			m, ok := v.(*image.Image)
			switch {
			case ok:
				return unit(toTensor(m)), nil
			case c.v2:
				return v, nil
			}
			return nil, fmt.Errorf("pic should be PIL Image or ndarray. Got %s", typeName(v))
		}),
		begins: bytesOnly,
		batch:  func(t tensor.Tensor) (tensor.Tensor, error) { return unit(t), nil },
	}, nil
}

// PILToTensor is torchvision.transforms.PILToTensor.
type PILToTensor struct{ v2 bool }

// Doc is the reference's text.
func (PILToTensor) Doc() string { return "An image as a uint8 tensor [C, H, W]." }

// Build makes the transform.
func (c PILToTensor) Build(*lighter.Env) (lighter.Transform, error) {
	return pixelwise{
		planned: fixed(func(v lighter.Value) (lighter.Value, error) {
			m, ok := v.(*image.Image)
			switch {
			case ok:
				return toTensor(m), nil
			case c.v2:
				return v, nil
			}
			return nil, fmt.Errorf("pic should be PIL Image. Got %s", typeName(v))
		}),
		begins: bytesOnly,
		batch:  func(t tensor.Tensor) (tensor.Tensor, error) { return t, nil },
	}, nil
}

// ToImage is torchvision.transforms.v2.ToImage.
type ToImage struct{}

// Doc is the reference's text.
func (ToImage) Doc() string {
	return "An image or a plain tensor as a tensor that is known to be an image."
}

// Build makes the transform.
func (ToImage) Build(*lighter.Env) (lighter.Transform, error) {
	return pixelwise{
		planned: fixed(func(v lighter.Value) (lighter.Value, error) {
			switch x := v.(type) {
			case *image.Image:
				return Picture{toTensor(x)}, nil
			case tensor.Tensor:
				return Picture{x}, nil
			}
			return v, nil
		}),
		begins: bytesOnly,
		batch:  func(t tensor.Tensor) (tensor.Tensor, error) { return t, nil },
	}, nil
}

// ToPILImage is torchvision.transforms.ToPILImage.
type ToPILImage struct {
	Mode string `cfg:"mode" help:"the image's mode; by the number of channels when null" oneof:"L|LA|RGB|RGBA|CMYK"`
}

// Doc is the reference's text.
func (ToPILImage) Doc() string {
	return "A tensor [C, H, W] as an image, so that what follows treats it as Pillow does. Floats are taken as from 0 to 1."
}

// Build makes the transform.
func (c ToPILImage) Build(*lighter.Env) (lighter.Transform, error) {
	return fixed(leafOnly(func(v lighter.Value) (lighter.Value, error) {
		t, ok := tensorOf(v)
		if !ok {
			return nil, says("pic should be Tensor or ndarray. Got %s.", typeName(v))
		}
		s := t.Shape()
		if len(s) == 2 {
			t = t.Reshape(1, s[0], s[1])
			s = t.Shape()
		}
		if len(s) != 3 {
			return nil, says("pic should be 2/3 dimensional. Got %d dimensions.", len(s))
		}
		if s[0] > 4 || s[0] < 1 {
			return nil, says("pic should not have > 4 channels. Got %d channels.", s[0])
		}
		mode := []image.Mode{image.L, image.LA, image.RGB, image.RGBA}[s[0]-1]
		if c.Mode != "" {
			mode = image.Mode(c.Mode)
			if int64(mode.Bands()) != s[0] {
				return nil, says("Incorrect mode (%s) supplied for a tensor of %d channels", c.Mode, s[0])
			}
		}
		switch {
		case t.IsFloat():
			t = t.MulScalar(255).To(t.Device(), tensor.Int32).To(t.Device(), tensor.Uint8)
		case t.DType() == tensor.Int16 && s[0] == 1:
			return &image.Image{Mode: image.I16, Width: int(s[2]), Height: int(s[1]), Pix: t.Contiguous().Bytes()}, nil
		case t.DType() != tensor.Uint8:
			return nil, says("Input type %s is not supported", t.DType())
		}
		return toImage(t, mode), nil
	})), nil
}

// ConvertImageDtype is torchvision.transforms.ConvertImageDtype.
type ConvertImageDtype struct {
	DType creation.DType `cfg:"dtype" help:"the result's type; values go over its range"`
}

// Build makes the transform.
func (c ConvertImageDtype) Build(*lighter.Env) (lighter.Transform, error) {
	return converting(c.DType.Or(tensor.Float32), true), nil
}

func converting(d tensor.DType, scale bool) lighter.Transform {
	f := func(t tensor.Tensor) (tensor.Tensor, error) { return convertTensor(t, d, scale) }
	return pixelwise{
		planned: fixed(leafOnly(func(v lighter.Value) (lighter.Value, error) {
			t, ok := tensorOf(v)
			if !ok {
				return v, nil
			}
			t, err := f(t)
			return rewrap(v, t), err
		})),
		batch: f,
	}
}

// ToDtype is torchvision.transforms.v2.ToDtype.
type ToDtype struct {
	DType DTypes `cfg:"dtype,required" help:"the result's type, or a mapping of kinds to types"`
	Scale bool   `cfg:"scale" help:"spread the values of images over the range of the type"`
}

// Build makes the transform.
func (c ToDtype) Build(*lighter.Env) (lighter.Transform, error) {
	if c.DType.by == nil {
		return converting(c.DType.all, c.Scale), nil
	}
	return fixed(func(v lighter.Value) (lighter.Value, error) {
		t, ok := tensorOf(v)
		if !ok {
			return v, nil
		}
		d := byKind(c.DType.by, v)
		if d == nil {
			return v, nil
		}
		_, mask := v.(Mask)
		t, err := convertTensor(t, *d, c.Scale && !mask)
		return rewrap(v, t), err
	}), nil
}

// DTypes is an element type, or one for each kind of value.
type DTypes struct {
	all tensor.DType
	by  map[string]*tensor.DType
}

// ConfigType implements [registry.Decoder].
func (*DTypes) ConfigType() string {
	return `a dtype such as "torch.float32", or a mapping of types to dtypes`
}

// DecodeConfig implements [registry.Decoder].
func (t *DTypes) DecodeConfig(v any) error {
	*t = DTypes{}
	one := func(v any) (*tensor.DType, error) {
		var d creation.DType
		if err := d.DecodeConfig(v); err != nil || v == nil {
			return nil, err
		}
		value := d.Or(tensor.Float32)
		return &value, nil
	}
	d, ok := v.(*config.Dict)
	if !ok {
		all, err := one(v)
		if err != nil {
			return err
		}
		if all == nil {
			return fmt.Errorf("dtype must be a dict or a torch.dtype, got null instead")
		}
		t.all = *all
		return nil
	}
	t.by = map[string]*tensor.DType{}
	for i, k := range d.Keys {
		kind, err := kindOf(k)
		if err != nil {
			return err
		}
		if t.by[kind], err = one(d.Values[i]); err != nil {
			return err
		}
	}
	return nil
}

// Normalize is torchvision.transforms.Normalize.
type Normalize struct {
	Mean    []float64 `cfg:"mean,required" help:"the mean of each channel"`
	Std     []float64 `cfg:"std,required" help:"the standard deviation of each channel"`
	Inplace bool      `cfg:"inplace" help:"change the tensor itself; the numbers are the same"`
}

// Validate checks the numbers.
func (c Normalize) Validate() error {
	for _, s := range c.Std {
		if s == 0 {
			return lighter.FieldError("std", "std evaluated to zero, leading to division by zero.")
		}
	}
	if len(c.Mean) == 0 || len(c.Std) == 0 {
		return lighter.FieldError("mean", "mean and std must have a number for each channel")
	}
	if len(c.Mean) != len(c.Std) && len(c.Mean) != 1 && len(c.Std) != 1 {
		return lighter.FieldError("std", "has %d numbers, mean has %d", len(c.Std), len(c.Mean))
	}
	return nil
}

// Build makes the transform.
func (c Normalize) Build(*lighter.Env) (lighter.Transform, error) {
	f := func(t tensor.Tensor) (tensor.Tensor, error) {
		s := t.Shape()
		n := max(len(c.Mean), len(c.Std))
		switch {
		case !t.IsFloat():
			return t, says("Input tensor should be a float tensor. Got torch.%s.", t.DType())
		case len(s) < 3:
			return t, says("Expected tensor to be a tensor image of size (..., C, H, W). Got %s", lighter.SizeText(t))
		case n != 1 && s[len(s)-3] != int64(n) && s[len(s)-3] != 1:
			return t, fmt.Errorf("mean and std have %d numbers, the image has %d channels", n, s[len(s)-3])
		}
		of := func(v []float64) tensor.Tensor {
			return tensor.FromSlice(v, int64(len(v)), 1, 1).To(t.Device(), t.DType())
		}
		return t.Sub(of(c.Mean)).Div(of(c.Std)), nil
	}
	return pixelwise{
		planned: fixed(leafOnly(func(v lighter.Value) (lighter.Value, error) {
			t, ok := tensorOf(v)
			if !ok {
				return nil, fmt.Errorf("img should be Tensor Image. Got %s: put ToTensor before Normalize, which does not support PIL images", typeName(v))
			}
			t, err := f(t)
			return rewrap(v, t), err
		})),
		batch: f,
	}, nil
}

// Identity is torchvision.transforms.v2.Identity.
type Identity struct{}

// Build makes the transform.
func (Identity) Build(*lighter.Env) (lighter.Transform, error) {
	return fixed(func(v lighter.Value) (lighter.Value, error) { return v, nil }), nil
}

// ToPureTensor is torchvision.transforms.v2.ToPureTensor.
type ToPureTensor struct{}

// Build makes the transform.
func (ToPureTensor) Build(*lighter.Env) (lighter.Transform, error) {
	return fixed(func(v lighter.Value) (lighter.Value, error) { return Plain(v), nil }), nil
}

// both registers a transform under its name in torchvision.transforms and in torchvision.transforms.v2.
func both(name string, prototype registry.Builder[lighter.Transform]) {
	registry.Register(("torchvision.transforms." + name), prototype, "torchvision.transforms.v2."+name, "torchvision.transforms.transforms."+name)
}

// each registers a transform that is another one in torchvision.transforms.v2.
func each(name string, v1, v2 registry.Builder[lighter.Transform]) {
	registry.Register("torchvision.transforms."+name, v1, "torchvision.transforms.transforms."+name)
	registry.Register("torchvision.transforms.v2."+name, v2)
}

// only2 registers a transform that only torchvision.transforms.v2 has.
func only2(name string, prototype registry.Builder[lighter.Transform]) {
	registry.Register("torchvision.transforms.v2."+name, prototype)
}

var _ registry.Decoder = (*DTypes)(nil)

func init() {
	each("ToTensor", ToTensor{}, ToTensor{v2: true})
	each("PILToTensor", PILToTensor{}, PILToTensor{v2: true})
	only2("ToImage", ToImage{})
	both("ToPILImage", ToPILImage{})
	both("ConvertImageDtype", ConvertImageDtype{DType: creation.DTypeOf(tensor.Float32)})
	only2("ToDtype", ToDtype{})
	both("Normalize", Normalize{})
	only2("Identity", Identity{})
	only2("ToPureTensor", ToPureTensor{})
}
