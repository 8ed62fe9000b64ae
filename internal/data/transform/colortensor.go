package transform

import (
	"fmt"

	"github.com/lighter-go/lighter/tensor"
)

// What torchvision.transforms.v2.functional does to the colours of tensors [..., C, H, W].

// bound is the largest value of an image of this type.
func bound(d tensor.DType) float64 {
	switch d {
	case tensor.Uint8:
		return 255
	case tensor.Int8:
		return 127
	case tensor.Int16:
		return 32767
	case tensor.Int32:
		return 2147483647
	case tensor.Int64:
		return 9223372036854775807
	}
	return 1
}

// valueBits is how many bits of an integer hold a value.
func valueBits(d tensor.DType) int {
	switch d {
	case tensor.Uint8:
		return 8
	case tensor.Int8:
		return 7
	case tensor.Int16:
		return 15
	case tensor.Int32:
		return 31
	}
	return 63
}

// channelsOf checks that a tensor has 1 or 3 channels and gives their number.
func channelsOf(t tensor.Tensor) (int64, error) {
	s := t.Shape()
	if len(s) < 3 || s[len(s)-3] != 1 && s[len(s)-3] != 3 {
		return 0, says("Input image tensor permitted channel values are 1 or 3, but found shape %v", s)
	}
	return s[len(s)-3], nil
}

// back turns a float result to the type of t, cutting fractions.
func backTo(t, out tensor.Tensor) tensor.Tensor {
	if t.IsFloat() {
		return out
	}
	return out.To(out.Device(), t.DType())
}

func clamp(t tensor.Tensor, high float64) tensor.Tensor { return call("clamp", t, 0.0, high) }

// greyTensor is the luma, [..., 1, H, W], as a float where t holds integers.
func greyTensor(t tensor.Tensor) tensor.Tensor {
	part := func(c int64) tensor.Tensor { return t.Narrow(-3, c, 1) }
	l := part(0).MulScalar(0.2989)
	l.AddInPlace(part(1), 0.587)
	l.AddInPlace(part(2), 0.114)
	return l
}

func grayscaleTensor(t tensor.Tensor, channels int) (tensor.Tensor, error) {
	c, err := channelsOf(t)
	if err != nil {
		return t, err
	}
	out := t
	if c == 3 {
		out = backTo(t, greyTensor(t))
	}
	if channels == 3 {
		out = call("repeat_interleave", out, 3, -3)
	}
	return out, nil
}

// blendTensor is t·ratio + o·(1-ratio) within the type's range.
func blendTensor(t, o tensor.Tensor, ratio float64) tensor.Tensor {
	out := t.MulScalar(ratio)
	return backTo(t, clamp(call("add", out, o, kwarg("alpha", 1-ratio)), bound(t.DType())))
}

func brightnessTensor(t tensor.Tensor, f float64) (tensor.Tensor, error) {
	if _, err := channelsOf(t); err != nil {
		return t, err
	}
	return backTo(t, clamp(t.MulScalar(f), bound(t.DType()))), nil
}

func floored(t, grey tensor.Tensor) tensor.Tensor {
	if t.IsFloat() {
		return grey
	}
	return call("floor", grey)
}

func contrastTensor(t tensor.Tensor, f float64) (tensor.Tensor, error) {
	c, err := channelsOf(t)
	if err != nil {
		return t, err
	}
	grey := t
	switch {
	case c == 3:
		grey = floored(t, greyTensor(t))
	case !t.IsFloat():
		grey = t.To(t.Device(), tensor.Float32)
	}
	return blendTensor(t, call("mean", grey, []int64{-3, -2, -1}, true), f), nil
}

func saturationTensor(t tensor.Tensor, f float64) (tensor.Tensor, error) {
	c, err := channelsOf(t)
	if err != nil || c == 1 {
		return t, err
	}
	return blendTensor(t, floored(t, greyTensor(t)), f), nil
}

// convFloat is t as floats [N, C, H, W], for a convolution.
func convFloat(t tensor.Tensor) (in tensor.Tensor, back func(tensor.Tensor) tensor.Tensor) {
	in, back = planes(t)
	if !t.IsFloat() {
		in = in.To(in.Device(), tensor.Float32)
	}
	return in, back
}

func conv(in, kernel tensor.Tensor) tensor.Tensor {
	c, k := in.Shape()[1], kernel.Shape()
	return call("conv2d", in, call("expand", kernel, []int64{c, 1, k[0], k[1]}), nil, []int64{1, 1}, []int64{0, 0}, []int64{1, 1}, int(c))
}

func sharpnessTensor(t tensor.Tensor, f float64) (tensor.Tensor, error) {
	if _, err := channelsOf(t); err != nil {
		return t, err
	}
	s := t.Shape()
	h, w := s[len(s)-2], s[len(s)-1]
	if h <= 2 || w <= 2 {
		return t, nil
	}
	in, back := convFloat(t)
	const a, b = 1.0 / 13, 5.0 / 13
	kernel := tensor.FromSlice([]float64{a, a, a, a, b, a, a, a, a}, 3, 3).To(tensor.Device{}, in.DType())
	blurred := conv(in, kernel)
	if !t.IsFloat() {
		blurred = call("round", blurred)
	}
	out := in.Clone()
	view := out.Narrow(-2, 1, h-2).Narrow(-1, 1, w-2)
	view.AddInPlace(blurred.Sub(view), 1-f)
	return back(backTo(t, clamp(out, bound(t.DType())))), nil
}

func hueTensor(t tensor.Tensor, f float64) (tensor.Tensor, error) {
	c, err := channelsOf(t)
	if err != nil || c == 1 {
		return t, err
	}
	v, err := convertTensor(t, tensor.Float32, true)
	if err != nil {
		return t, err
	}
	hsv := hsvTensor(v)
	h := call("remainder", hsv[0].AddScalar(f), 1.0)
	return convertTensor(rgbTensor(h, hsv[1], hsv[2]), t.DType(), true)
}

func hsvTensor(t tensor.Tensor) [3]tensor.Tensor {
	r, g := t.Select(-3, 0), t.Select(-3, 1)
	lo, hi := call("amin", t, []int64{-3}), call("amax", t, []int64{-3})
	eq := hi.Eq(lo)
	spread := hi.Sub(lo)
	ones := call("ones_like", hi)
	s := spread.Div(call("where", eq, ones, hi))
	divisor := call("unsqueeze", call("where", eq, ones, spread), -3)
	d := call("unsqueeze", hi, -3).Sub(t).Div(divisor)
	rc, gc, bc := d.Select(-3, 0), d.Select(-3, 1), d.Select(-3, 2)
	notR, isG := call("ne", hi, r), hi.Eq(g)
	hg := rc.AddScalar(2).Sub(bc).Mul(call("logical_and", isG, notR))
	hr := bc.Sub(gc).Mul(call("logical_not", notR))
	hb := gc.AddScalar(4).Sub(rc).Mul(call("logical_and", notR, call("logical_not", isG)))
	h := hr.Add(hg).Add(hb)
	h = call("fmod", h.MulScalar(1.0/6).AddScalar(1), 1.0)
	return [3]tensor.Tensor{h, s, hi}
}

func rgbTensor(h, s, v tensor.Tensor) tensor.Tensor {
	h6 := h.MulScalar(6)
	i := call("floor", h6)
	sxf := s.Mul(h6.Sub(i))
	oneMinus := call("rsub", s, 1.0)
	q := clamp(call("rsub", sxf, 1.0).Mul(v), 1)
	t := clamp(sxf.Add(oneMinus).Mul(v), 1)
	p := clamp(oneMinus.Mul(v), 1)
	sector := call("remainder", i.To(i.Device(), tensor.Int64), 6)
	choice := tensor.FromSlice([]int64{0, 2, 1, 1, 3, 0, 3, 0, 0, 2, 1, 1, 1, 1, 3, 0, 0, 2}, 3, 6).To(h.Device(), tensor.Int64)
	shape := sector.Shape()
	var channels []tensor.Tensor
	for c := range int64(3) {
		channels = append(channels, choice.Select(0, c).IndexSelect(0, sector.Reshape(-1)).Reshape(shape...))
	}
	return call("gather", call("stack", []tensor.Tensor{v, p, q, t}, -3), -3, call("stack", channels, -3))
}

func posterizeTensor(t tensor.Tensor, bits int) (tensor.Tensor, error) {
	if t.IsFloat() {
		levels := float64(int(1) << bits)
		return clamp(call("floor", t.MulScalar(levels)), levels-1).MulScalar(1 / levels), nil
	}
	n := valueBits(t.DType())
	if bits >= n {
		return t, nil
	}
	return call("bitwise_and", t, ((1<<bits)-1)<<(n-bits)), nil
}

func invertTensor(t tensor.Tensor) tensor.Tensor {
	switch {
	case t.IsFloat():
		return call("rsub", t, 1.0)
	case t.DType() == tensor.Uint8:
		return call("bitwise_not", t)
	}
	return call("bitwise_xor", t, int64(1)<<valueBits(t.DType())-1)
}

func solarizeTensor(t tensor.Tensor, threshold float64) (tensor.Tensor, error) {
	if b := bound(t.DType()); threshold > b {
		return t, says("Threshold should be less or equal the maximum value of the dtype, but got %v for %s", threshold, t.DType())
	}
	return call("where", call("ge", t, threshold), invertTensor(t), t), nil
}

func autocontrastTensor(t tensor.Tensor) (tensor.Tensor, error) {
	if _, err := channelsOf(t); err != nil {
		return t, err
	}
	top := bound(t.DType())
	f := t
	if !t.IsFloat() {
		f = t.To(t.Device(), tensor.Float32)
	}
	lo, hi := call("amin", f, []int64{-2, -1}, true), call("amax", f, []int64{-2, -1}, true)
	eq := hi.Eq(lo)
	scale := hi.Sub(lo).MulScalar(1 / top)
	lo = call("masked_fill", lo, eq, 0.0)
	scale = call("masked_fill", scale, eq, 1.0)
	return backTo(t, clamp(f.Sub(lo).Div(scale), top)), nil
}

func equalizeTensor(t tensor.Tensor) (tensor.Tensor, error) {
	u, err := convertTensor(t, tensor.Uint8, true)
	if err != nil {
		return t, err
	}
	flat := u.Flatten(-2, -1).To(t.Device(), tensor.Int64)
	s := flat.Shape()
	batch := s[:len(s)-1]
	hist := tensor.Zeros(append(append([]int64{}, batch...), 256), tensor.Int64, t.Device())
	hist = call("scatter_add", hist, -1, flat, call("ones_like", flat))
	cum := call("cumsum", hist, -1)
	last := call("argmax", cum, -1, true)
	step := call("div", call("rsub", call("gather", hist, -1, last), int(s[len(s)-1])), 255, kwarg("rounding_mode", "floor"))
	valid := call("unsqueeze", call("ne", step, 0), -1)
	cum = cum.Narrow(-1, 0, 255).Add(call("div", step, 2, kwarg("rounding_mode", "floor")))
	cum = call("clamp", call("div", cum, call("clamp", step, 1), kwarg("rounding_mode", "floor")), 0, 255)
	lut := call("constant_pad_nd", cum, []int64{1, 0}, 0)
	out := call("gather", lut, -1, flat).To(t.Device(), tensor.Uint8).Reshape(u.Shape()...)
	return convertTensor(call("where", valid, out, u), t.DType(), true)
}

// convertTensor is to_dtype; with scale values go over the range of an image of the type.
func convertTensor(t tensor.Tensor, d tensor.DType, scale bool) (tensor.Tensor, error) {
	from := t.DType()
	if from == d {
		return t, nil
	}
	to := func(x tensor.Tensor) tensor.Tensor { return x.To(x.Device(), d) }
	switch {
	case !scale, from.IsFloat() && d.IsFloat():
		return to(t), nil
	case from.IsFloat():
		if from == tensor.Float32 && (d == tensor.Int32 || d == tensor.Int64) || from == tensor.Float64 && d == tensor.Int64 {
			return t, says("The conversion from torch.%s to torch.%s cannot be performed safely.", from, d)
		}
		return to(t.MulScalar(bound(d) + 1 - 0.001)), nil
	case d.IsFloat():
		return to(t).MulScalar(1 / bound(from)), nil
	}
	a, b := valueBits(from), valueBits(d)
	if a > b {
		return to(call("bitwise_right_shift", t, a-b)), nil
	}
	return call("bitwise_left_shift", to(t), b-a), nil
}

// blurTensor is gaussian_blur_image; sizes and sigmas are of x, then y.
func blurTensor(t tensor.Tensor, size [2]int, sigma [2]float64) (tensor.Tensor, error) {
	in, back := convFloat(t)
	s := in.Shape()
	if int64(size[0]/2) >= s[3] || int64(size[1]/2) >= s[2] {
		return t, fmt.Errorf("kernel_size [%d, %d] is too large for an image of %dx%d: padding must be less than the image's size", size[0], size[1], s[2], s[3])
	}
	line := func(n int, sigma float64) tensor.Tensor {
		lim := float64(n-1) / (2 * 1.4142135623730951)
		x := linspace(-lim, lim, n, in.DType()).DivScalar(sigma)
		return call("softmax", call("neg", call("pow", x, 2)), 0)
	}
	kernel := call("unsqueeze", line(size[1], sigma[1]), -1).Mul(line(size[0], sigma[0]))
	x, y := int64(size[0]/2), int64(size[1]/2)
	out := conv(call("reflection_pad2d", in, []int64{x, x, y, y}), kernel)
	if !t.IsFloat() {
		out = call("round", out)
	}
	return back(backTo(t, out)), nil
}
