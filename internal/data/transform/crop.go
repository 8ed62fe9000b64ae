package transform

import (
	"fmt"
	"math"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
)

// Resize is torchvision.transforms.Resize.
type Resize struct {
	Size          Size          `cfg:"size,required" help:"height and width; one int is the shorter side"`
	Interpolation Interpolation `cfg:"interpolation" help:"how pixels are interpolated"`
	MaxSize       *int          `cfg:"max_size" help:"the most the longer side may have"`
	Antialias     *bool         `cfg:"antialias" help:"smooth when a tensor is made smaller; images are always smoothed"`
}

// Validate checks the sizes.
func (c Resize) Validate() error {
	switch {
	case c.Size.values == nil && c.MaxSize == nil:
		return lighter.FieldError("max_size", "max_size must be an integer when size is None, but got null instead.")
	case c.MaxSize != nil && len(c.Size.values) == 2:
		return lighter.FieldError("max_size", "max_size should only be passed if size is None or specifies the length of the smaller edge, i.e. size should be an int or a sequence of length 1 in torchscript mode.")
	case c.MaxSize != nil && len(c.Size.values) == 1 && *c.MaxSize <= c.Size.values[0]:
		return lighter.FieldError("max_size", "max_size = %d must be strictly greater than the requested size for the smaller edge size = %d", *c.MaxSize, c.Size.values[0])
	case c.MaxSize != nil && *c.MaxSize < 1:
		return lighter.FieldError("max_size", "must be positive, got %d", *c.MaxSize)
	}
	return nil
}

// target is the size that an image of h by w becomes.
func (c Resize) target(h, w int) (int, int) {
	short, long := min(h, w), max(h, w)
	var s, l int
	switch {
	case len(c.Size.values) == 2:
		return c.Size.values[0], c.Size.values[1]
	case c.Size.values == nil:
		s, l = *c.MaxSize*short/long, *c.MaxSize
	default:
		s = c.Size.values[0]
		l = s * long / short
		if c.MaxSize != nil && l > *c.MaxSize {
			s, l = *c.MaxSize*s/l, *c.MaxSize
		}
	}
	if w <= h {
		return l, s
	}
	return s, l
}

// Build makes the transform.
func (c Resize) Build(*lighter.Env) (lighter.Transform, error) {
	antialias := c.Antialias != nil && *c.Antialias
	return fixed(func(v lighter.Value) (lighter.Value, error) {
		_, h, w, err := dims(v)
		if err != nil {
			return nil, err
		}
		if h == 0 || w == 0 {
			return nil, fmt.Errorf("an image of %dx%d cannot be resized", h, w)
		}
		th, tw := c.target(h, w)
		return resize(v, max(th, 1), max(tw, 1), c.Interpolation, antialias)
	}), nil
}

// CenterCrop is torchvision.transforms.CenterCrop.
type CenterCrop struct {
	Size Size `cfg:"size,required" help:"height and width; one int for both"`
}

// Build makes the transform.
func (c CenterCrop) Build(*lighter.Env) (lighter.Transform, error) {
	th, tw := c.Size.hw()
	whole := func(v lighter.Value) (lighter.Value, error) { return centerCrop(v, th, tw) }
	return cropped{planned: fixed(whole), begin: func(h, w int, _ lighter.Rand) (part, leafFunc, error) {
		if th > h || tw > w {
			return part{0, 0, h, w}, whole, nil
		}
		return part{centered(h, th), centered(w, tw), th, tw}, nil, nil
	}}, nil
}

// FiveCrop is torchvision.transforms.FiveCrop.
type FiveCrop struct {
	Size Size `cfg:"size,required" help:"height and width; one int for both"`
}

// Doc is the reference's text.
func (FiveCrop) Doc() string { return "The four corners and the middle, as a list of five images." }

func fiveCrop(v lighter.Value, h, w int) (lighter.List, error) {
	_, ih, iw, err := dims(v)
	if err != nil {
		return nil, err
	}
	if _, mask := v.(Mask); mask {
		return nil, fmt.Errorf("BoundingBoxes'es and Mask's are not supported by FiveCrop()")
	}
	if h > ih || w > iw {
		return nil, says("Requested crop size [%d, %d] is bigger than input size (%d, %d)", h, w, ih, iw)
	}
	var out lighter.List
	for _, at := range [][2]int{{0, 0}, {0, iw - w}, {ih - h, 0}, {ih - h, iw - w}} {
		part, err := crop(v, at[0], at[1], h, w)
		if err != nil {
			return nil, err
		}
		out = append(out, part)
	}
	middle, err := centerCrop(v, h, w)
	return append(out, middle), err
}

// Build makes the transform.
func (c FiveCrop) Build(*lighter.Env) (lighter.Transform, error) {
	h, w := c.Size.hw()
	return fixed(func(v lighter.Value) (lighter.Value, error) { return fiveCrop(v, h, w) }), nil
}

// TenCrop is torchvision.transforms.TenCrop.
type TenCrop struct {
	Size         Size `cfg:"size,required" help:"height and width; one int for both"`
	VerticalFlip bool `cfg:"vertical_flip" help:"turn the second five upside down instead of mirroring them"`
}

// Doc is the reference's text.
func (TenCrop) Doc() string {
	return "The crops of FiveCrop and those of the mirrored image, as a list of ten images."
}

// Build makes the transform.
func (c TenCrop) Build(*lighter.Env) (lighter.Transform, error) {
	h, w := c.Size.hw()
	return fixed(func(v lighter.Value) (lighter.Value, error) {
		first, err := fiveCrop(v, h, w)
		if err != nil {
			return nil, err
		}
		flip := hflip
		if c.VerticalFlip {
			flip = vflip
		}
		if v, err = flip(v); err != nil {
			return nil, err
		}
		second, err := fiveCrop(v, h, w)
		return append(first, second...), err
	}), nil
}

// Padding is the argument of what pads: one number, two of left and right, top and bottom, or four.
type Padding struct {
	padding
	given bool
}

// ConfigType implements [registry.Decoder].
func (*Padding) ConfigType() string { return "an int or a list of 1, 2 or 4 ints" }

// DecodeConfig implements [registry.Decoder].
func (p *Padding) DecodeConfig(v any) error {
	*p = Padding{}
	if v == nil {
		return nil
	}
	list, single, ok := numbers(v)
	if !ok || !wholeNumbers(v) || !single && len(list) != 1 && len(list) != 2 && len(list) != 4 {
		return fmt.Errorf("Padding must be an int or a 1, 2, or 4 element of tuple or list, got %s", registry.Describe(v))
	}
	n := func(i int) int { return int(list[i]) }
	switch len(list) {
	case 1:
		p.padding = padding{Left: n(0), Top: n(0), Right: n(0), Bottom: n(0)}
	case 2:
		p.padding = padding{Left: n(0), Top: n(1), Right: n(0), Bottom: n(1)}
	default:
		p.padding = padding{Left: n(0), Top: n(1), Right: n(2), Bottom: n(3)}
	}
	p.given = true
	return nil
}

// Pad is torchvision.transforms.Pad.
type Pad struct {
	Padding     Padding `cfg:"padding,required" help:"pixels of all sides, of left/right and top/bottom, or of each"`
	Fill        Fill    `cfg:"fill" help:"the colour, for padding_mode constant"`
	PaddingMode string  `cfg:"padding_mode" help:"what is added" oneof:"constant|edge|reflect|symmetric"`
}

// Build makes the transform.
func (c Pad) Build(*lighter.Env) (lighter.Transform, error) {
	return fixed(func(v lighter.Value) (lighter.Value, error) { return pad(v, c.Padding.padding, c.Fill, c.PaddingMode) }), nil
}

// RandomCrop is torchvision.transforms.RandomCrop.
type RandomCrop struct {
	Size        Size    `cfg:"size,required" help:"height and width; one int for both"`
	Padding     Padding `cfg:"padding" help:"pixels added before: of all sides, of two or of each"`
	PadIfNeeded bool    `cfg:"pad_if_needed" help:"add pixels where the image is smaller than size"`
	Fill        Fill    `cfg:"fill" help:"the colour, for padding_mode constant"`
	PaddingMode string  `cfg:"padding_mode" help:"what is added" oneof:"constant|edge|reflect|symmetric"`
	v2          bool
}

// Build makes the transform. Version 2 draws only along a side that has room.
func (c RandomCrop) Build(*lighter.Env) (lighter.Transform, error) {
	th, tw := c.Size.hw()
	return cropping(func(ih, iw int, r lighter.Rand) (part, leafFunc, error) {
		p := c.Padding.padding
		h, w := ih+p.Top+p.Bottom, iw+p.Left+p.Right
		if diff := th - h; c.PadIfNeeded && diff > 0 {
			p.Top, p.Bottom, h = p.Top+diff, p.Bottom+diff, h+2*diff
		}
		if diff := tw - w; c.PadIfNeeded && diff > 0 {
			p.Left, p.Right, w = p.Left+diff, p.Right+diff, w+2*diff
		}
		if h < th || w < tw {
			padded := ""
			if c.v2 && c.Padding.given {
				padded = "padded "
			}
			return part{}, nil, says("Required crop size (%d, %d) is larger than %sinput image size (%d, %d)", th, tw, padded, h, w)
		}
		top, left := 0, 0
		either := !c.v2 && (h != th || w != tw)
		if either || h > th {
			top = int(r.Int(0, int64(h-th+1)))
		}
		if either || w > tw {
			left = int(r.Int(0, int64(w-tw+1)))
		}
		if p == (padding{}) {
			return part{top, left, th, tw}, nil, nil
		}
		return part{0, 0, ih, iw}, func(v lighter.Value) (lighter.Value, error) {
			v, err := pad(v, p, c.Fill, c.PaddingMode)
			if err != nil {
				return nil, err
			}
			return crop(v, top, left, th, tw)
		}, nil
	}), nil
}

// RandomResizedCrop is torchvision.transforms.RandomResizedCrop.
type RandomResizedCrop struct {
	Size          Size          `cfg:"size,required" help:"height and width of the result; one int for both"`
	Scale         []float64     `cfg:"scale" help:"the crop's part of the image's area, from and to"`
	Ratio         []float64     `cfg:"ratio" help:"the crop's width over its height, from and to"`
	Interpolation Interpolation `cfg:"interpolation" help:"how pixels are interpolated"`
	Antialias     *bool         `cfg:"antialias" help:"smooth when a tensor is made smaller; images are always smoothed"`
}

// Validate checks the ranges.
func (c RandomResizedCrop) Validate() error {
	if len(c.Scale) != 2 {
		return lighter.FieldError("scale", "Scale should be a sequence of two floats.")
	}
	if len(c.Ratio) != 2 || c.Ratio[0] <= 0 || c.Ratio[1] <= 0 {
		return lighter.FieldError("ratio", "Ratio should be a sequence of two floats, both positive.")
	}
	return ordered(c.Scale, c.Ratio)
}

// ordered refuses ranges that PyTorch's uniform_ would.
func ordered(scale, ratio []float64) error {
	if scale[0] > scale[1] {
		return lighter.FieldError("scale", "Scale and ratio should be of kind (min, max), got [%v, %v]", scale[0], scale[1])
	}
	if ratio[0] > ratio[1] {
		return lighter.FieldError("ratio", "Scale and ratio should be of kind (min, max), got [%v, %v]", ratio[0], ratio[1])
	}
	return nil
}

// round is Python's round to an int.
func round(v float64) int { return int(math.RoundToEven(v)) }

// logRange is the logarithms that an aspect ratio is drawn between, as float32.
func logRange(ratio []float64) (lo, hi float64) {
	log := func(v float64) float64 { return float64(float32(math.Log(float64(float32(v))))) }
	return log(ratio[0]), log(ratio[1])
}

// exp32 is torch.exp of a float32.
func exp32(v float64) float64 { return float64(float32(math.Exp(v))) }

func (c RandomResizedCrop) box(h, w int, r lighter.Rand) (top, left, bh, bw int) {
	area := float64(h * w)
	lo, hi := logRange(c.Ratio)
	for range 10 {
		target := area * r.Uniform(c.Scale[0], c.Scale[1])
		aspect := exp32(r.Uniform(lo, hi))
		bw, bh = round(math.Sqrt(target*aspect)), round(math.Sqrt(target/aspect))
		if 0 < bw && bw <= w && 0 < bh && bh <= h {
			top = int(r.Int(0, int64(h-bh+1)))
			left = int(r.Int(0, int64(w-bw+1)))
			return top, left, bh, bw
		}
	}
	switch in := float64(w) / float64(h); {
	case in < min(c.Ratio[0], c.Ratio[1]):
		bw, bh = w, round(float64(w)/min(c.Ratio[0], c.Ratio[1]))
	case in > max(c.Ratio[0], c.Ratio[1]):
		bw, bh = round(float64(h)*max(c.Ratio[0], c.Ratio[1])), h
	default:
		bw, bh = w, h
	}
	return (h - bh) / 2, (w - bw) / 2, bh, bw
}

// Build makes the transform.
func (c RandomResizedCrop) Build(*lighter.Env) (lighter.Transform, error) {
	th, tw := c.Size.hw()
	return cropping(func(h, w int, r lighter.Rand) (part, leafFunc, error) {
		top, left, bh, bw := c.box(h, w, r)
		return part{top, left, bh, bw}, func(v lighter.Value) (lighter.Value, error) {
			return resize(v, th, tw, c.Interpolation, c.Antialias != nil && *c.Antialias)
		}, nil
	}), nil
}

var _ registry.Decoder = (*Padding)(nil)

func init() {
	yes := true
	both("Resize", Resize{Interpolation: Bilinear, Antialias: &yes})
	both("CenterCrop", CenterCrop{})
	both("FiveCrop", FiveCrop{})
	both("TenCrop", TenCrop{})
	both("Pad", Pad{Fill: fillOf(0), PaddingMode: "constant"})
	each("RandomCrop", RandomCrop{Fill: fillOf(0), PaddingMode: "constant"}, RandomCrop{Fill: fillOf(0), PaddingMode: "constant", v2: true})
	both("RandomResizedCrop", RandomResizedCrop{Scale: []float64{0.08, 1}, Ratio: []float64{3.0 / 4, 4.0 / 3}, Interpolation: Bilinear, Antialias: &yes})
}
