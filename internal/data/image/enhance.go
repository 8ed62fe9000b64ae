package image

import "math"

// blend is Image.blend(a, m, f): a + f·(m - a), in place of a where f is no fraction clipped.
func (m *Image) blend(f float64, degenerate func(i int) byte) *Image {
	out := m.like(m.Width, m.Height)
	g := float32(f)
	inside := g >= 0 && g <= 1
	for i, v := range m.Pix {
		d := degenerate(i)
		t := float32(int(d)) + g*float32(int(v)-int(d))
		switch {
		case inside:
			out.Pix[i] = byte(t)
		case t <= 0:
			out.Pix[i] = 0
		case t >= 255:
			out.Pix[i] = 255
		default:
			out.Pix[i] = byte(t)
		}
	}
	return m.keepAlpha(out)
}

// keepAlpha puts the alpha of m into out.
func (m *Image) keepAlpha(out *Image) *Image {
	if k := m.Mode.Bands(); m.Mode == RGBA || m.Mode == LA {
		for i := k - 1; i < len(m.Pix); i += k {
			out.Pix[i] = m.Pix[i]
		}
	}
	return out
}

// table maps every byte of the colour bands.
func (m *Image) table(lut *[256]byte) *Image {
	out := m.like(m.Width, m.Height)
	for i, v := range m.Pix {
		out.Pix[i] = lut[v]
	}
	return m.keepAlpha(out)
}

// Brightness is ImageEnhance.Brightness(m).enhance(f).
func (m *Image) Brightness(f float64) *Image { return m.blendTo(f, 0) }

// blendTo is blend with one grey.
func (m *Image) blendTo(f float64, grey byte) *Image {
	one := Image{L, 256, 1, make([]byte, 256)}
	for i := range one.Pix {
		one.Pix[i] = byte(i)
	}
	return m.table((*[256]byte)(one.blend(f, func(int) byte { return grey }).Pix))
}

// Contrast is ImageEnhance.Contrast(m).enhance(f): towards the mean grey.
func (m *Image) Contrast(f float64) *Image {
	grey := m.Convert(L)
	sum := 0
	for _, v := range grey.Pix {
		sum += int(v)
	}
	return m.blendTo(f, byte(float64(sum)/float64(len(grey.Pix))+0.5))
}

// Saturation is ImageEnhance.Color(m).enhance(f): towards grey.
func (m *Image) Saturation(f float64) *Image {
	grey, k := m.Convert(L).Pix, m.Mode.Bands()
	return m.blend(f, func(i int) byte { return grey[i/k] })
}

// Sharpness is ImageEnhance.Sharpness(m).enhance(f): towards ImageFilter.SMOOTH.
func (m *Image) Sharpness(f float64) *Image {
	smooth := m.smooth().Pix
	return m.blend(f, func(i int) byte { return smooth[i] })
}

// smooth is ImageFilter.SMOOTH: a 3x3 kernel of ones with 5 in the middle; the border stays.
func (m *Image) smooth() *Image {
	out := m.like(m.Width, m.Height)
	copy(out.Pix, m.Pix)
	k := m.Mode.Bands()
	for y := 1; y < m.Height-1; y++ {
		a, b, c, to := m.row(y-1), m.row(y), m.row(y+1), out.row(y)
		for i := k; i < len(b)-k; i++ {
			sum := int(a[i-k]) + int(a[i]) + int(a[i+k]) + int(b[i-k]) + 5*int(b[i]) + int(b[i+k]) + int(c[i-k]) + int(c[i]) + int(c[i+k])
			to[i] = byte((2*sum + 13) / 26)
		}
	}
	return out
}

// Invert is ImageOps.invert; Solarize and Posterize are ImageOps'.
func (m *Image) Invert() *Image { return m.table(lut(func(i int) int { return 255 - i })) }

// Solarize inverts all values from the threshold on.
func (m *Image) Solarize(threshold float64) *Image {
	return m.table(lut(func(i int) int {
		if float64(i) < threshold {
			return i
		}
		return 255 - i
	}))
}

// Posterize keeps the upper bits of each value.
func (m *Image) Posterize(bits int) *Image {
	mask := 0xff &^ (1<<(8-min(max(bits, 0), 8)) - 1)
	return m.table(lut(func(i int) int { return i & mask }))
}

func lut(f func(int) int) *[256]byte {
	var t [256]byte
	for i := range t {
		t[i] = clip(f(i))
	}
	return &t
}

// perBand maps each colour band by a table made of its histogram.
func (m *Image) perBand(f func(hist *[256]int) *[256]byte) *Image {
	k := m.Mode.Bands()
	out := m.like(m.Width, m.Height)
	for c := range k {
		var hist [256]int
		for i := c; i < len(m.Pix); i += k {
			hist[m.Pix[i]]++
		}
		t := f(&hist)
		for i := c; i < len(m.Pix); i += k {
			out.Pix[i] = t[m.Pix[i]]
		}
	}
	return m.keepAlpha(out)
}

// Autocontrast is ImageOps.autocontrast.
func (m *Image) Autocontrast() *Image {
	return m.perBand(func(hist *[256]int) *[256]byte {
		lo, hi := 0, 255
		for lo < 255 && hist[lo] == 0 {
			lo++
		}
		for hi > 0 && hist[hi] == 0 {
			hi--
		}
		if hi <= lo {
			return lut(func(i int) int { return i })
		}
		scale := 255 / float64(hi-lo)
		offset := -float64(lo) * scale
		return lut(func(i int) int { return int(float64(i)*scale + offset) })
	})
}

// Equalize is ImageOps.equalize.
func (m *Image) Equalize() *Image {
	return m.perBand(func(hist *[256]int) *[256]byte {
		used, sum, last := 0, 0, 0
		for _, n := range hist {
			if n > 0 {
				used++
				last = n
			}
			sum += n
		}
		step := (sum - last) / 255
		if used <= 1 || step == 0 {
			return lut(func(i int) int { return i })
		}
		n := step / 2
		return lut(func(i int) int {
			v := n / step
			n += hist[i]
			return v
		})
	})
}

// Hue turns the hue of an RGB image by a part of the circle, as torchvision does through Pillow's HSV.
func (m *Image) Hue(f float64) *Image {
	if m.Mode.Bands() < 3 {
		return m
	}
	shift := byte(int32(f * 255))
	out := m.like(m.Width, m.Height)
	k := m.Mode.Bands()
	for i := 0; i < len(m.Pix); i += k {
		h, s, v := hsv(m.Pix[i], m.Pix[i+1], m.Pix[i+2])
		out.Pix[i], out.Pix[i+1], out.Pix[i+2] = rgb(h+shift, s, v)
	}
	if k == 4 {
		for i := 3; i < len(out.Pix); i += 4 {
			out.Pix[i] = 255
		}
	}
	return out
}

func hsv(r, g, b byte) (h, s, v byte) {
	hi, lo := max(r, g, b), min(r, g, b)
	if hi == lo {
		return 0, 0, hi
	}
	cr := float32(hi - lo)
	sat := cr / float32(hi)
	rc, gc, bc := float32(hi-r)/cr, float32(hi-g)/cr, float32(hi-b)/cr
	var hue float32
	switch hi {
	case r:
		hue = bc - gc
	case g:
		hue = float32(2 + float64(rc) - float64(bc))
	default:
		hue = float32(4 + float64(gc) - float64(rc))
	}
	hue = float32(math.Mod(float64(hue)/6+1, 1))
	return clip(int(float64(hue) * 255)), clip(int(float64(sat) * 255)), hi
}

func rgb(h, s, v byte) (r, g, b byte) {
	if s == 0 {
		return v, v, v
	}
	sector := math.Floor(float64(h) * 6 / 255)
	f := float64(float32(float64(h)*6/255 - sector))
	fs := float64(float32(float64(s) / 255))
	part := func(x float64) byte { return clip(int(math.Round(float64(v) * (1 - x)))) }
	p, q, t := part(fs), part(fs*f), part(fs*(1-f))
	switch int(sector) % 6 {
	case 0:
		return v, t, p
	case 1:
		return q, v, p
	case 2:
		return p, v, t
	case 3:
		return p, q, v
	case 4:
		return t, p, v
	}
	return v, p, q
}
