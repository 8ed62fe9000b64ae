package model

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("upsampling", "Upsample", Upsample{Mode: "nearest"})
	layer("upsampling", "UpsamplingNearest2d", Upsampling2d{class: "UpsamplingNearest2d", mode: "nearest"})
	layer("upsampling", "UpsamplingBilinear2d", Upsampling2d{class: "UpsamplingBilinear2d", mode: "bilinear"})
}

// Factors are floats: one for all dimensions, or a list.
type Factors []float64

// ConfigType implements the registry's Decoder.
func (*Factors) ConfigType() string { return "a float or a list of floats" }

// DecodeConfig implements the registry's Decoder.
func (f *Factors) DecodeConfig(v any) (err error) {
	*f, err = floatsOf(v, 0)
	if err != nil {
		err = fmt.Errorf("must be %s, %w", f.ConfigType(), err)
	}
	return err
}

// Scale is what an output's size is given by: one of the two.
type Scale struct {
	Size        Shape   `cfg:"size" help:"size of the output; or give scale_factor"`
	ScaleFactor Factors `cfg:"scale_factor,aka=scale" help:"size of the output by that of the input"`
}

// Validate implements the registry's Validator.
func (c Scale) Validate() error {
	switch {
	case c.Size == nil && c.ScaleFactor == nil:
		return lighter.FieldError("size", "either size or scale_factor should be defined")
	case c.Size != nil && c.ScaleFactor != nil:
		return lighter.FieldError("size", "only one of size or scale_factor should be defined")
	}
	return nil
}

// Upsample is torch.nn.Upsample: input [N, C, ...] with 1, 2 or 3 more dimensions.
type Upsample struct {
	Scale
	Mode                 string `cfg:"mode" oneof:"nearest|linear|bilinear|bicubic|trilinear|nearest-exact|area" help:"how values between elements are found"`
	AlignCorners         *bool  `cfg:"align_corners" help:"the corners of input and output lie on each other; for the linear modes"`
	RecomputeScaleFactor *bool  `cfg:"recompute_scale_factor" help:"take the factor of the rounded size, not scale_factor itself"`
}

// Validate implements the registry's Validator.
func (c Upsample) Validate() error {
	if err := c.Scale.Validate(); err != nil {
		return err
	}
	switch c.Mode {
	case "nearest", "area", "nearest-exact":
		if c.AlignCorners != nil {
			return lighter.FieldError("align_corners", "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear")
		}
	}
	if c.Size != nil && c.RecomputeScaleFactor != nil && *c.RecomputeScaleFactor {
		return lighter.FieldError("recompute_scale_factor", "recompute_scale_factor is not meaningful with an explicit size.")
	}
	return nil
}

// Build implements the registry's Builder.
func (c Upsample) Build(*lighter.Env) (lighter.Module, error) {
	return newFunction("Upsample", func(m *lighter.Node, x tensor.Tensor) tensor.Tensor { return c.interpolate(m, x) }), nil
}

// interpolation is an operator by a mode and the input's dimensions; the linear ones take align_corners.
var interpolation = map[string]map[int]string{
	"nearest":       {3: "upsample_nearest1d", 4: "upsample_nearest2d", 5: "upsample_nearest3d"},
	"nearest-exact": {3: "_upsample_nearest_exact1d", 4: "_upsample_nearest_exact2d", 5: "_upsample_nearest_exact3d"},
	"area":          {3: "adaptive_avg_pool1d", 4: "adaptive_avg_pool2d", 5: "adaptive_avg_pool3d"},
	"linear":        {3: "upsample_linear1d"},
	"bilinear":      {4: "upsample_bilinear2d"},
	"bicubic":       {4: "upsample_bicubic2d"},
	"trilinear":     {5: "upsample_trilinear3d"},
}

// interpolate is torch.nn.functional.interpolate.
func (c Upsample) interpolate(m *lighter.Node, x tensor.Tensor) tensor.Tensor {
	op := interpolation[c.Mode][x.Dim()]
	if op == "" {
		for d := range interpolation[c.Mode] {
			if len(interpolation[c.Mode]) == 1 {
				tensor.Fail(m.Class(), "Got %dD input, but %s mode needs %dD input", x.Dim(), c.Mode, d)
			}
		}
		tensor.Fail(m.Class(), "Input Error: Only 3D, 4D and 5D input Tensors supported (got %dD)", x.Dim())
	}
	spatial := x.Shape()[2:]
	size, factors := c.outputSize(m, spatial)
	switch {
	case c.Mode == "area":
		return tensor.CallOne(op, x, size)
	case len(interpolation[c.Mode]) == 3:
		return tensor.CallOne(op, x, orNone(size), orNone(factors))
	}
	return tensor.CallOne(op, x, orNone(size), c.AlignCorners != nil && *c.AlignCorners, orNone(factors))
}

func orNone[V any](s []V) any {
	if s == nil {
		return nil
	}
	return s
}

// outputSize gives one of the output's size and its factors.
func (c Upsample) outputSize(m *lighter.Node, spatial []int64) (size []int64, factors []float64) {
	n := len(spatial)
	fit := func(what string, given int) {
		if given != n && given != 1 {
			tensor.Fail(m.Class(), "Input and %s must have the same number of spatial dimensions, but got input with spatial dimensions of %s and %s of %d elements",
				what, list(spatial), what, given)
		}
	}
	if c.Size != nil {
		fit("output size", len(c.Size))
		for i := range spatial {
			size = append(size, c.Size[min(i, len(c.Size)-1)])
		}
		return size, nil
	}
	fit("scale_factor", len(c.ScaleFactor))
	for i := range spatial {
		factors = append(factors, c.ScaleFactor[min(i, len(c.ScaleFactor)-1)])
	}
	if c.Mode != "area" && (c.RecomputeScaleFactor == nil || !*c.RecomputeScaleFactor) {
		return nil, factors
	}
	for i, d := range spatial {
		size = append(size, int64(float64(d)*factors[i]))
	}
	return size, nil
}

// Upsampling2d is torch.nn.UpsamplingNearest2d and torch.nn.UpsamplingBilinear2d, which aligns the corners.
type Upsampling2d struct {
	Scale

	class, mode string
}

// Build implements the registry's Builder.
func (c Upsampling2d) Build(*lighter.Env) (lighter.Module, error) {
	u := Upsample{Scale: c.Scale, Mode: c.mode}
	if c.mode == "bilinear" {
		align := true
		u.AlignCorners = &align
	}
	return newFunction(c.class, func(m *lighter.Node, x tensor.Tensor) tensor.Tensor { return u.interpolate(m, x) }), nil
}
