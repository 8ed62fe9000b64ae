package transform

import (
	"fmt"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/data/image"
	"github.com/lighter-go/lighter/internal/diag"
	"github.com/lighter-go/lighter/internal/registry"
)

// Interpolation is torchvision.transforms.InterpolationMode, by its value; an int is Pillow's number.
type Interpolation string

// The interpolations.
const (
	Nearest      Interpolation = "nearest"
	NearestExact Interpolation = "nearest-exact"
	Bilinear     Interpolation = "bilinear"
	Bicubic      Interpolation = "bicubic"
	Box          Interpolation = "box"
	Hamming      Interpolation = "hamming"
	Lanczos      Interpolation = "lanczos"
)

var interpolations = []Interpolation{Nearest, NearestExact, Bilinear, Bicubic, Box, Hamming, Lanczos}

// filter is Pillow's number.
func (i Interpolation) filter() image.Filter {
	return map[Interpolation]image.Filter{
		Bilinear: image.Bilinear, Bicubic: image.Bicubic, Box: image.Box, Hamming: image.Hamming, Lanczos: image.Lanczos,
	}[i]
}

// ConfigType implements [registry.Decoder].
func (*Interpolation) ConfigType() string {
	return `an interpolation mode such as "bilinear", or Pillow's number of it`
}

// DecodeConfig implements [registry.Decoder].
func (i *Interpolation) DecodeConfig(v any) error {
	switch x := v.(type) {
	case Interpolation:
		*i = x
		return nil
	case int64:
		byNumber := []Interpolation{Nearest, Lanczos, Bilinear, Bicubic, Box, Hamming}
		if x >= 0 && x < int64(len(byNumber)) {
			*i = byNumber[x]
			return nil
		}
		return fmt.Errorf("interpolation %d is none of Pillow's, which go from 0 to 5", x)
	case string:
		name := strings.ToLower(x[strings.LastIndexByte(x, '.')+1:])
		name = strings.ReplaceAll(name, "_", "-")
		var names []string
		for _, known := range interpolations {
			if name == string(known) {
				*i = known
				return nil
			}
			names = append(names, string(known))
		}
		msg := fmt.Sprintf("unknown interpolation mode %q, must be one of %s", x, strings.Join(names, ", "))
		if near := diag.Nearest(name, names, 1); len(near) > 0 {
			msg += fmt.Sprintf("; did you mean %q?", near[0])
		}
		return fmt.Errorf("%s", msg)
	}
	return fmt.Errorf("must be %s", i.ConfigType())
}

// numbers reads a number or a list of numbers.
func numbers(v any) (list []float64, single, ok bool) {
	items, isList := v.([]any)
	if !isList {
		items = []any{v}
	}
	for _, item := range items {
		switch x := item.(type) {
		case int64:
			list = append(list, float64(x))
		case float64:
			list = append(list, x)
		default:
			return nil, false, false
		}
	}
	return list, !isList, true
}

// Numbers is a number or a list of numbers; null leaves it unset.
type Numbers struct {
	values []float64
	single bool
	whole  bool // all are ints
}

func listed(v ...float64) Numbers { return Numbers{values: v} }
func number(v float64) Numbers    { return Numbers{values: []float64{v}, single: true} }

// ConfigType implements [registry.Decoder].
func (*Numbers) ConfigType() string { return "a number or a list of numbers" }

// DecodeConfig implements [registry.Decoder].
func (n *Numbers) DecodeConfig(v any) error {
	*n = Numbers{}
	if v == nil {
		return nil
	}
	list, single, ok := numbers(v)
	if !ok {
		return fmt.Errorf("must be %s, got %s", n.ConfigType(), registry.Describe(v))
	}
	*n = Numbers{values: list, single: single, whole: wholeNumbers(v)}
	return nil
}

func wholeNumbers(v any) bool {
	items, isList := v.([]any)
	if !isList {
		items = []any{v}
	}
	for _, item := range items {
		if _, ok := item.(int64); !ok {
			return false
		}
	}
	return true
}

func (n Numbers) given() bool { return n.values != nil }

// pair is one number twice, or two.
func (n Numbers) pair() [2]float64 {
	if len(n.values) == 1 {
		return [2]float64{n.values[0], n.values[0]}
	}
	return [2]float64{n.values[0], n.values[1]}
}

// Size is a height and a width, or one number for both.
type Size struct{ values []int }

// ConfigType implements [registry.Decoder].
func (*Size) ConfigType() string { return "an int or a list of 1 or 2 ints" }

// DecodeConfig implements [registry.Decoder].
func (s *Size) DecodeConfig(v any) error {
	*s = Size{}
	if v == nil {
		return nil
	}
	list, single, ok := numbers(v)
	if !ok || !wholeNumbers(v) {
		return fmt.Errorf("Size should be int or sequence. Got %s", registry.Describe(v))
	}
	if !single && len(list) != 1 && len(list) != 2 {
		return says("If size is a sequence, it should have 1 or 2 values, got %d", len(list))
	}
	for _, f := range list {
		if f < 1 || f > 1<<24 {
			return fmt.Errorf("must be positive, got %v", f)
		}
		s.values = append(s.values, int(f))
	}
	return nil
}

// hw is the height and width.
func (s Size) hw() (h, w int) {
	if len(s.values) == 1 {
		return s.values[0], s.values[0]
	}
	return s.values[0], s.values[1]
}

// Fill is the colour of what lies outside an image: a number, one of each channel, or null; a mapping gives images and masks
// their own.
type Fill struct {
	values []float64            // nil for null
	by     map[string][]float64 // by kind: image, mask, tensor, others
}

func fillOf(v float64) Fill { return Fill{values: []float64{v}} }

// ConfigType implements [registry.Decoder].
func (*Fill) ConfigType() string {
	return "a number, a list of numbers, null, or a mapping of types to those"
}

// DecodeConfig implements [registry.Decoder].
func (f *Fill) DecodeConfig(v any) error {
	*f = Fill{}
	if v == nil {
		return nil
	}
	if d, ok := v.(*config.Dict); ok {
		f.by = map[string][]float64{}
		for i, k := range d.Keys {
			kind, err := kindOf(k)
			if err != nil {
				return err
			}
			if d.Values[i] == nil {
				f.by[kind] = nil
				continue
			}
			list, _, ok := numbers(d.Values[i])
			if !ok {
				return fmt.Errorf("must be %s, got %s for %v", f.ConfigType(), registry.Describe(d.Values[i]), k)
			}
			f.by[kind] = list
		}
		return nil
	}
	list, _, ok := numbers(v)
	if !ok || len(list) == 0 {
		return says("Got inappropriate fill arg, only Numbers, tuples, lists and dicts are allowed; must be %s", f.ConfigType())
	}
	f.values = list
	return nil
}

// kindOf is what a type means as a key: torchvision.tv_tensors.Mask.
func kindOf(key any) (string, error) {
	name := strings.ToLower(fmt.Sprint(key))
	name = name[strings.LastIndexByte(name, '.')+1:]
	switch name {
	case "image", "mask", "tensor", "others":
		return name, nil
	}
	return "", fmt.Errorf("unknown type %v, must be one of torchvision.tv_tensors.Image, torchvision.tv_tensors.Mask, torch.Tensor, others", key)
}

// of is the fill for a value; nil is none.
func (f Fill) of(v lighter.Value) []float64 {
	if f.by == nil {
		return f.values
	}
	return byKind(f.by, v)
}

func byKind[T any](by map[string]T, v lighter.Value) T {
	kind := "tensor"
	switch v.(type) {
	case Mask:
		kind = "mask"
	case *image.Image, Picture:
		kind = "image"
	}
	if t, ok := by[kind]; ok {
		return t
	}
	return by["others"]
}

// color is a fill as the bytes of a pixel of m.
func color(fill []float64, m *image.Image) ([]byte, error) {
	k := m.Mode.Bands()
	if len(fill) == 0 {
		return make([]byte, k), nil
	}
	if len(fill) > 1 && len(fill) != m.Bands() {
		return nil, says("The number of elements in 'fill' does not match the number of channels of the image (%d != %d)", len(fill), m.Bands())
	}
	out := make([]byte, k)
	for i := range out {
		out[i] = byte(min(max(fill[i%len(fill)], 0), 255))
	}
	return out, nil
}

var (
	_ registry.Decoder = (*Interpolation)(nil)
	_ registry.Decoder = (*Numbers)(nil)
	_ registry.Decoder = (*Size)(nil)
	_ registry.Decoder = (*Fill)(nil)
)

func init() {
	for _, i := range interpolations {
		name := strings.ToUpper(strings.ReplaceAll(string(i), "-", "_"))
		registry.Constant("torchvision.transforms.InterpolationMode."+name, i)
		registry.Constant("torchvision.transforms.v2.InterpolationMode."+name, i)
	}
}
