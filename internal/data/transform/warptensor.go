package transform

import (
	"fmt"
	"math"

	"github.com/lighter-go/lighter/tensor"
)

// What torchvision.transforms.v2.functional does to the geometry of tensors [..., C, H, W].

func call(name string, args ...any) tensor.Tensor { return tensor.CallOne(name, args...) }

func kwarg(name string, v any) tensor.Kwarg { return tensor.Kwarg{Name: name, Value: v} }

// planes is t as [N, C, H, W]; back undoes it for a result of another height and width. A tensor [H, W] has one channel.
func planes(t tensor.Tensor) (p tensor.Tensor, back func(tensor.Tensor) tensor.Tensor) {
	s := t.Shape()
	n := len(s)
	if n == 2 {
		return t.Reshape(1, 1, s[0], s[1]), func(r tensor.Tensor) tensor.Tensor {
			rs := r.Shape()
			return r.Reshape(rs[2], rs[3])
		}
	}
	return t.Reshape(-1, s[n-3], s[n-2], s[n-1]), func(r tensor.Tensor) tensor.Tensor {
		rs := r.Shape()
		return r.Reshape(append(append([]int64{}, s[:n-3]...), rs[1], rs[2], rs[3])...)
	}
}

func cropTensor(t tensor.Tensor, top, left, height, width int) tensor.Tensor {
	s := t.Shape()
	h, w := int(s[len(s)-2]), int(s[len(s)-1])
	y0, y1 := min(max(top, 0), h), min(max(top+height, 0), h)
	x0, x1 := min(max(left, 0), w), min(max(left+width, 0), w)
	out := t.Narrow(-2, int64(y0), int64(max(y1-y0, 0))).Narrow(-1, int64(x0), int64(max(x1-x0, 0)))
	if top < 0 || left < 0 || top+height > h || left+width > w {
		pad := []int64{int64(x0 - left), int64(left + width - max(x1, x0)), int64(y0 - top), int64(top + height - max(y1, y0))}
		out = call("constant_pad_nd", out, pad, 0.0)
	}
	return out
}

// padTensor adds left, top, right and bottom pixels.
func padTensor(t tensor.Tensor, p padding, fill []float64, mode string) (tensor.Tensor, error) {
	torch := []int64{int64(p.Left), int64(p.Right), int64(p.Top), int64(p.Bottom)}
	in, back := planes(t)
	switch mode {
	case "constant":
		if len(fill) > 1 {
			return padColor(t, p, fill)
		}
		v := 0.0
		if len(fill) == 1 {
			v = fill[0]
		}
		return back(call("constant_pad_nd", in, torch, v)), nil
	case "symmetric":
		s := in.Shape()
		ys, xs := symmetric(int(s[2]), p.Top, p.Bottom), symmetric(int(s[3]), p.Left, p.Right)
		return back(in.IndexSelect(2, ys).IndexSelect(3, xs)), nil
	}
	op := map[string]string{"edge": "replication_pad2d", "reflect": "reflection_pad2d"}[mode]
	dtype := in.DType()
	if !dtype.IsFloat() {
		in = in.To(in.Device(), tensor.Float32)
	}
	return back(call(op, in, torch).To(in.Device(), dtype)), nil
}

// symmetric is the source of every place of a line of n padded with its mirror image; a negative padding cuts.
func symmetric(n, before, after int) tensor.Tensor {
	var at []int64
	for i := -before; i < n+after; i++ {
		x := ((i % (2 * n)) + 2*n) % (2 * n)
		if x >= n {
			x = 2*n - 1 - x
		}
		at = append(at, int64(x))
	}
	return tensor.FromSlice(at, int64(len(at)))
}

// padColor pads with a colour that differs by channel.
func padColor(t tensor.Tensor, p padding, fill []float64) (tensor.Tensor, error) {
	s := t.Shape()
	if c := s[max(len(s)-3, 0)]; len(s) < 3 || c != int64(len(fill)) {
		return t, says("The number of elements in 'fill' does not match the number of channels of the image (%d != %d)", len(fill), c)
	}
	color := tensor.FromSlice(fill, int64(len(fill)), 1, 1).To(t.Device(), t.DType())
	inside := call("constant_pad_nd", call("ones_like", t.Narrow(-3, 0, 1), kwarg("dtype", tensor.Bool)),
		[]int64{int64(p.Left), int64(p.Right), int64(p.Top), int64(p.Bottom)}, 0.0)
	out := call("constant_pad_nd", t, []int64{int64(p.Left), int64(p.Right), int64(p.Top), int64(p.Bottom)}, 0.0)
	return call("where", inside, out, color), nil
}

// resizeTensor is resize_image.
func resizeTensor(t tensor.Tensor, h, w int, i Interpolation, antialias bool) (tensor.Tensor, error) {
	s := t.Shape()
	if int(s[len(s)-2]) == h && int(s[len(s)-1]) == w {
		return t, nil
	}
	in, back := planes(t)
	dtype := in.DType()
	size := []int64{int64(h), int64(w)}
	native := dtype == tensor.Float32 || dtype == tensor.Float64 || dtype == tensor.Uint8
	if !native {
		in = in.To(in.Device(), tensor.Float32)
	}
	var out tensor.Tensor
	switch {
	case i == Nearest:
		out = call("upsample_nearest2d", in, size)
	case i == NearestExact:
		out = call("_upsample_nearest_exact2d", in, size)
	case i == Bilinear && antialias:
		out = call("_upsample_bilinear2d_aa", in, size, false)
	case i == Bilinear:
		out = call("upsample_bilinear2d", in, size, false)
	case i == Bicubic && antialias:
		out = call("_upsample_bicubic2d_aa", in, size, false)
	case i == Bicubic:
		out = call("upsample_bicubic2d", in, size, false)
	default:
		return t, fmt.Errorf("Interpolation mode %q is unsupported with Tensor input", i)
	}
	if !native {
		if !dtype.IsFloat() {
			out = call("round", out)
		}
		out = out.To(out.Device(), dtype)
	}
	return back(out), nil
}

// inverseAffine is torchvision's _get_inverse_affine_matrix.
func inverseAffine(center [2]float64, angle float64, translate [2]float64, scale float64, shear [2]float64) [6]float64 {
	rad := math.Pi / 180
	rot, sx, sy := angle*rad, shear[0]*rad, shear[1]*rad
	cx, cy := center[0], center[1]
	cosSy, tanSx := math.Cos(sy), math.Tan(sx)
	a := math.Cos(rot-sy) / cosSy
	b := -(a*tanSx + math.Sin(rot))
	c := math.Sin(rot-sy) / cosSy
	d := math.Cos(rot) - c*tanSx
	m := [6]float64{d / scale, -b / scale, 0, -c / scale, a / scale, 0}
	m[2] += cx - m[0]*(cx+translate[0]) - m[1]*(cy+translate[1])
	m[5] += cy - m[3]*(cx+translate[0]) - m[4]*(cy+translate[1])
	return m
}

// inverseAffine1 is the same of torchvision.transforms, whose last bits differ.
func inverseAffine1(center [2]float64, angle float64, translate [2]float64, scale float64, shear [2]float64) [6]float64 {
	rad := math.Pi / 180
	rot, sx, sy := angle*rad, shear[0]*rad, shear[1]*rad
	cx, cy := center[0], center[1]
	a := math.Cos(rot-sy) / math.Cos(sy)
	b := -math.Cos(rot-sy)*math.Tan(sx)/math.Cos(sy) - math.Sin(rot)
	c := math.Sin(rot-sy) / math.Cos(sy)
	d := -math.Sin(rot-sy)*math.Tan(sx)/math.Cos(sy) + math.Cos(rot)
	m := [6]float64{d / scale, -b / scale, 0, -c / scale, a / scale, 0}
	m[2] += m[0]*(-cx-translate[0]) + m[1]*(-cy-translate[1])
	m[5] += m[3]*(-cx-translate[0]) + m[4]*(-cy-translate[1])
	m[2] += cx
	m[5] += cy
	return m
}

// gridType is the type that a tensor's grid is computed in.
func gridType(t tensor.Tensor) tensor.DType {
	if t.IsFloat() {
		return t.DType()
	}
	return tensor.Float32
}

func linspace(from, to float64, n int, dtype tensor.DType) tensor.Tensor {
	return call("linspace", from, to, n, kwarg("dtype", dtype))
}

// baseGrid is [1, oh·ow, 3]: x, y and 1 of every pixel.
func baseGrid(x, y tensor.Tensor) tensor.Tensor {
	ow, oh := x.Shape()[0], y.Shape()[0]
	xs := call("expand", x.Reshape(1, ow), []int64{oh, ow})
	ys := call("expand", y.Reshape(oh, 1), []int64{oh, ow})
	return call("stack", []tensor.Tensor{xs, ys, call("ones_like", xs)}, -1).Reshape(1, oh*ow, 3)
}

// affineTensor moves the pixels by a matrix about the middle of the image; the result is oh by ow large.
func affineTensor(t tensor.Tensor, m [6]float64, oh, ow int, i Interpolation, fill []float64) (tensor.Tensor, error) {
	dtype := gridType(t)
	s := t.Shape()
	h, w := float64(s[len(s)-2]), float64(s[len(s)-1])
	base := baseGrid(linspace((1-float64(ow))*0.5, (float64(ow)-1)*0.5, ow, dtype), linspace((1-float64(oh))*0.5, (float64(oh)-1)*0.5, oh, dtype))
	theta := call("transpose", tensor.FromSlice(m[:], 1, 2, 3).To(tensor.Device{}, dtype), 1, 2)
	theta = theta.Div(tensor.FromSlice([]float64{0.5 * w, 0.5 * h}, 2).To(tensor.Device{}, dtype))
	grid := call("bmm", base, theta).Reshape(1, int64(oh), int64(ow), 2)
	return sampleGrid(t, grid, i, fill)
}

func perspectiveTensor(t tensor.Tensor, a [8]float64, i Interpolation, fill []float64) (tensor.Tensor, error) {
	dtype := gridType(t)
	s := t.Shape()
	h, w := int(s[len(s)-2]), int(s[len(s)-1])
	base := baseGrid(linspace(0.5, float64(w)-0.5, w, dtype), linspace(0.5, float64(h)-0.5, h, dtype))
	of := func(v ...float64) tensor.Tensor { return tensor.FromSlice(v, 1, 2, 3).To(tensor.Device{}, dtype) }
	one := call("transpose", of(a[0], a[1], a[2], a[3], a[4], a[5]), 1, 2)
	one = one.Div(tensor.FromSlice([]float64{0.5 * float64(w), 0.5 * float64(h)}, 2).To(tensor.Device{}, dtype))
	two := call("transpose", of(a[6], a[7], 1, a[6], a[7], 1), 1, 2)
	grid := call("bmm", base, one).Div(call("bmm", base, two)).AddScalar(-1)
	return sampleGrid(t, grid.Reshape(1, int64(h), int64(w), 2), i, fill)
}

// elasticTensor moves every pixel by a displacement of its own, [1, H, W, 2].
func elasticTensor(t, displacement tensor.Tensor, i Interpolation, fill []float64) (tensor.Tensor, error) {
	dtype := gridType(t)
	s := t.Shape()
	h, w := s[len(s)-2], s[len(s)-1]
	side := func(n int64) tensor.Tensor {
		return linspace(float64(1-n)/float64(n), float64(n-1)/float64(n), int(n), dtype)
	}
	base := baseGrid(side(w), side(h)).Narrow(2, 0, 2).Reshape(1, h, w, 2)
	return sampleGrid(t, base.Add(displacement.To(tensor.Device{}, dtype)), i, fill)
}

// sampleGrid is _apply_grid_transform.
func sampleGrid(t, grid tensor.Tensor, i Interpolation, fill []float64) (tensor.Tensor, error) {
	mode := 0
	switch i {
	case Bilinear:
	case Nearest:
		mode = 1
	default:
		return t, fmt.Errorf("Interpolation mode %q is unsupported with Tensor input", i)
	}
	in, back := planes(t)
	s := in.Shape()
	if len(fill) > 1 && int64(len(fill)) != s[1] {
		return t, says("The number of elements in 'fill' cannot broadcast to match the number of channels of the image (%d != %d)", len(fill), s[1])
	}
	f := in.To(in.Device(), grid.DType())
	if s[0] > 1 {
		gs := grid.Shape()
		grid = call("expand", grid, []int64{s[0], gs[1], gs[2], 2})
	}
	if fill != nil {
		f = tensor.Cat([]tensor.Tensor{f, call("ones_like", f.Narrow(1, 0, 1))}, 1)
	}
	f = call("grid_sampler", f, grid, mode, 0, false)
	if fill != nil {
		mask := call("expand_as", f.Narrow(1, s[1], 1), f.Narrow(1, 0, s[1]))
		f = f.Narrow(1, 0, s[1])
		color := tensor.FromSlice(fill, 1, int64(len(fill)), 1, 1).To(tensor.Device{}, f.DType())
		if mode == 1 {
			f = call("where", call("lt", mask, 0.5), call("expand_as", color, f), f)
		} else {
			f = f.Sub(color).Mul(mask).Add(color)
		}
	}
	if f.DType() != t.DType() {
		f = call("round", f).To(f.Device(), t.DType())
	}
	return back(f), nil
}

// rotatedSize is the size of the box around a rotated image.
func rotatedSize(m [6]float64, w, h int) (ow, oh int) {
	x, y := 0.5*float64(w), 0.5*float64(h)
	lo, hi := [2]float32{}, [2]float32{}
	for k, p := range [][2]float64{{-x, -y}, {-x, y}, {x, y}, {x, -y}} {
		for d := range 2 {
			v := float32(p[0])*float32(m[3*d]) + float32(p[1])*float32(m[3*d+1]) + float32(m[3*d+2])
			if k == 0 || v < lo[d] {
				lo[d] = v
			}
			if k == 0 || v > hi[d] {
				hi[d] = v
			}
		}
	}
	size := func(d int) int {
		half := float32([2]float64{x, y}[d])
		round := func(v float32) float64 { return float64(float32(math.Trunc(float64((v+half)*10000))) * 0.0001) }
		return int(math.Ceil(round(hi[d])) - math.Floor(round(lo[d])))
	}
	return size(0), size(1)
}
