package image

import (
	"fmt"
	"math"

	"github.com/lighter-go/lighter/internal/data/image/native"
)

// Filter is an interpolation, by Pillow's numbers.
type Filter int

// The filters of Image.resize and Image.transform.
const (
	Nearest  Filter = 0
	Lanczos  Filter = 1
	Bilinear Filter = 2
	Bicubic  Filter = 3
	Box      Filter = 4
	Hamming  Filter = 5
)

// kernel is the filter's support and weight.
func (f Filter) kernel() (support float64, weight func(x float64) float64) {
	switch f {
	case Box:
		return 0.5, func(x float64) float64 {
			if x > -0.5 && x <= 0.5 {
				return 1
			}
			return 0
		}
	case Bilinear:
		return 1, func(x float64) float64 { return max(1-math.Abs(x), 0) }
	case Hamming:
		return 1, func(x float64) float64 {
			x = math.Abs(x)
			if x == 0 {
				return 1
			}
			if x >= 1 {
				return 0
			}
			x *= math.Pi
			return math.Sin(x) / x * (0.54 + 0.46*math.Cos(x))
		}
	case Bicubic:
		const a = -0.5
		return 2, func(x float64) float64 {
			x = math.Abs(x)
			switch {
			case x < 1:
				return ((a+2)*x-(a+3))*x*x + 1
			case x < 2:
				return (((x-5)*x+8)*x - 4) * a
			}
			return 0
		}
	case Lanczos:
		sinc := func(x float64) float64 {
			if x == 0 {
				return 1
			}
			x *= math.Pi
			return math.Sin(x) / x
		}
		return 3, func(x float64) float64 {
			if x >= -3 && x < 3 {
				return sinc(x) * sinc(x/3)
			}
			return 0
		}
	}
	panic(fmt.Sprintf("image: filter %d has no kernel", f))
}

// weightBits is the precision of the weights, Pillow's.
const weightBits = 32 - 8 - 2

// spans are the weights of every output sample; the source range in0..in1 is stretched over out samples.
func spans(in int, in0, in1 float64, out int, f Filter) *native.Spans {
	support, weight := f.kernel()
	scale := (in1 - in0) / float64(out)
	filterScale := max(scale, 1)
	support *= filterScale
	most := 2*int(math.Ceil(support)) + 1
	s := &native.Spans{Most: most, Bits: weightBits, From: make([]int32, out), Count: make([]int32, out), Weights: make([]int32, out*most)}
	k := make([]float64, 0, most)
	for i := range out {
		center := in0 + (float64(i)+0.5)*scale
		from := max(int(center-support+0.5), 0)
		to := min(int(center+support+0.5), in)
		k = k[:0]
		sum := 0.0
		for x := from; x < to; x++ {
			w := weight((float64(x) - center + 0.5) * (1 / filterScale))
			k = append(k, w)
			sum += w
		}
		for j, w := range k {
			if sum != 0 {
				w /= sum
			}
			w *= 1 << weightBits
			if w < 0 {
				w -= 0.5
			} else {
				w += 0.5
			}
			s.Weights[i*most+j] = int32(w)
		}
		s.From[i], s.Count[i] = int32(from), int32(len(k))
	}
	return s
}

// Resize is Image.resize((width, height), f).
func (m *Image) Resize(width, height int, f Filter) *Image {
	return m.ResizeBox(0, 0, m.Width, m.Height, width, height, f)
}

// ResizeBox resizes the box that begins at (x, y), w by h pixels large, of the image cropped to it: it equals Crop and Resize.
func (m *Image) ResizeBox(x, y, w, h, width, height int, f Filter) *Image {
	if x != 0 || y != 0 || w != m.Width || h != m.Height {
		m = m.Crop(y, x, h, w)
	}
	switch {
	case width == m.Width && height == m.Height:
		return m
	case m.Mode == I16 || f == Nearest:
		return m.resizeNearest(width, height)
	case m.Mode == RGBA || m.Mode == LA:
		return m.premultiplied().resample(width, height, f).straight()
	}
	return m.resample(width, height, f)
}

func (m *Image) resizeNearest(width, height int) *Image {
	out := m.like(width, height)
	k := m.Mode.Bands()
	index := func(in, out int) []int {
		step := float64(in) / float64(out)
		at := step * 0.5
		list := make([]int, out)
		for i := range list {
			list[i] = min(int(at), in-1)
			at += step
		}
		return list
	}
	xs, ys := index(m.Width, width), index(m.Height, height)
	for y, sy := range ys {
		from, to := m.row(sy), out.row(y)
		for x, sx := range xs {
			copy(to[x*k:x*k+k], from[sx*k:])
		}
	}
	return out
}

// resample goes over columns and rows one after the other; Pillow takes the rows first where that saves enough of them.
func (m *Image) resample(width, height int, f Filter) *Image {
	if height < m.Height && m.Height-height > 2*(m.Width-width) {
		return m.resampleRows(height, f).resampleColumns(width, f)
	}
	return m.resampleColumns(width, f).resampleRows(height, f)
}

func (m *Image) resampleColumns(width int, f Filter) *Image {
	if width == m.Width {
		return m
	}
	out := m.like(width, m.Height)
	spans(m.Width, 0, float64(m.Width), width, f).Columns(m.Pix, m.Width, m.Height, m.Mode.Bands(), out.Pix)
	return out
}

func (m *Image) resampleRows(height int, f Filter) *Image {
	if height == m.Height {
		return m
	}
	out := m.like(m.Width, height)
	spans(m.Height, 0, float64(m.Height), height, f).Rows(m.Pix, m.Width*m.Mode.Bands(), out.Pix)
	return out
}

// premultiplied is Pillow's mode RGBa or La: colours times alpha.
func (m *Image) premultiplied() *Image {
	out := m.like(m.Width, m.Height)
	k := m.Mode.Bands()
	for i := 0; i < len(m.Pix); i += k {
		a := m.Pix[i+k-1]
		for c := range k - 1 {
			out.Pix[i+c] = byte(mulDiv255(int(m.Pix[i+c]), int(a)))
		}
		out.Pix[i+k-1] = a
	}
	return out
}

// straight undoes premultiplied, in place.
func (m *Image) straight() *Image {
	k := m.Mode.Bands()
	for i := 0; i < len(m.Pix); i += k {
		a := int(m.Pix[i+k-1])
		if a == 0 || a == 255 {
			continue
		}
		for c := range k - 1 {
			m.Pix[i+c] = clip(255 * int(m.Pix[i+c]) / a)
		}
	}
	return m
}
