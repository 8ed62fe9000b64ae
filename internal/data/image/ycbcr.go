package image

import (
	"bytes"
	std "image"
	"image/jpeg"

	"golang.org/x/image/webp"
)

// decodeJPEG reads a JPEG file with libjpeg's upsampling of the colour planes and its conversion, which Pillow's pixels come
// from; the standard library's own repeat each sample.
func decodeJPEG(data []byte) (*Image, error) {
	src, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	y, ok := src.(*std.YCbCr)
	if !ok {
		return fromStd(src), nil
	}
	return fromJPEG(y), nil
}

// plane is one component at its own resolution.
type plane struct {
	pix    []byte
	stride int
	w, h   int
}

func (p plane) row(y int) []byte { return p.pix[y*p.stride : y*p.stride+p.w] }

// clampedRow is the nearest row that there is.
func (p plane) clampedRow(y int) []byte { return p.row(min(max(y, 0), p.h-1)) }

// Fixed-point terms of the conversion by the value of Cb or Cr (jdcolor.c).
var crR, cbB, crG, cbG [256]int

func init() {
	fix := func(f float64) int { return int(f*65536 + 0.5) }
	for i := range 256 {
		x := i - 128
		crR[i] = (fix(1.40200)*x + 32768) >> 16
		cbB[i] = (fix(1.77200)*x + 32768) >> 16
		crG[i] = -fix(0.71414) * x
		cbG[i] = -fix(0.34414)*x + 32768
	}
}

func fromJPEG(s *std.YCbCr) *Image {
	w, h := s.Rect.Dx(), s.Rect.Dy()
	sx, sy := 1, 1
	switch s.SubsampleRatio {
	case std.YCbCrSubsampleRatio422:
		sx = 2
	case std.YCbCrSubsampleRatio420:
		sx, sy = 2, 2
	case std.YCbCrSubsampleRatio440:
		sy = 2
	case std.YCbCrSubsampleRatio411:
		sx = 4
	case std.YCbCrSubsampleRatio410:
		sx, sy = 4, 2
	}
	cw, ch := (w+sx-1)/sx, (h+sy-1)/sy
	cb, cr := plane{s.Cb, s.CStride, cw, ch}, plane{s.Cr, s.CStride, cw, ch}
	m := New(RGB, w, h)
	up := upsampler{sx: sx, sy: sy, sum: make([]int, cw), out: make([]byte, cw*sx)}
	bs := make([]byte, cw*sx)
	for y := range h {
		copy(bs, up.row(cb, y))
		rs := up.row(cr, y)
		ys, to := s.Y[y*s.YStride:][:w], m.row(y)
		for x, l := range ys {
			v, b, r := int(l), bs[x], rs[x]
			p := to[3*x : 3*x+3 : 3*x+3]
			p[0], p[1], p[2] = clip(v+crR[r]), clip(v+(cbG[b]+crG[r])>>16), clip(v+cbB[b])
		}
	}
	return m
}

// upsampler widens rows of a colour plane as libjpeg's jdsample.c does: by a triangle where it does, by repetition elsewhere.
type upsampler struct {
	sx, sy int
	sum    []int
	out    []byte
}

// row is row y of the picture. It is valid until the next call.
func (u *upsampler) row(p plane, y int) []byte {
	fancy := p.w > 2
	switch {
	case u.sx == 1 && u.sy == 1:
		return p.row(y)
	case u.sx == 2 && u.sy == 1 && fancy:
		u.h2v1(p.row(y))
	case u.sx == 2 && u.sy == 2 && fancy:
		u.h2v2(p.row(y/2), p.clampedRow(y/2+2*(y%2)-1))
	case u.sx == 1 && u.sy == 2:
		near, far := p.row(y/2), p.clampedRow(y/2+2*(y%2)-1)
		for x, v := range near {
			u.out[x] = byte((3*int(v) + int(far[x]) + 1 + y%2) >> 2)
		}
	default:
		for x, v := range p.row(y / u.sy) {
			for k := range u.sx {
				u.out[x*u.sx+k] = v
			}
		}
	}
	return u.out
}

func (u *upsampler) h2v1(in []byte) {
	n, out := len(in), u.out
	for x := range n {
		v := 3 * int(in[x])
		out[2*x] = byte((v + int(in[max(x-1, 0)]) + 1) >> 2)
		out[2*x+1] = byte((v + int(in[min(x+1, n-1)]) + 2) >> 2)
	}
	out[0], out[2*n-1] = in[0], in[n-1]
}

func (u *upsampler) h2v2(near, far []byte) {
	s, n, out := u.sum, len(near), u.out
	for x, v := range near {
		s[x] = 3*int(v) + int(far[x])
	}
	for x := range n {
		out[2*x] = byte((3*s[x] + s[max(x-1, 0)] + 8) >> 4)
		out[2*x+1] = byte((3*s[x] + s[min(x+1, n-1)] + 7) >> 4)
	}
}

// decodeWebP reads a WebP file with libwebp's upsampling and conversion: VP8's luma goes from 16 to 235, unlike JPEG's.
func decodeWebP(data []byte) (*Image, error) {
	src, err := webp.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	switch s := src.(type) {
	case *std.YCbCr:
		return fromWebP(s), nil
	case *std.NYCbCrA:
		rgb := fromWebP(&s.YCbCr)
		m := rgb.Convert(RGBA)
		for y := range m.Height {
			for x := range m.Width {
				m.Pix[4*(y*m.Width+x)+3] = s.A[y*s.AStride+x]
			}
		}
		return m, nil
	}
	return fromStd(src), nil
}

func fromWebP(s *std.YCbCr) *Image {
	w, h := s.Rect.Dx(), s.Rect.Dy()
	cw, ch := (w+1)/2, (h+1)/2
	u, v := plane{s.Cb, s.CStride, cw, ch}, plane{s.Cr, s.CStride, cw, ch}
	m := New(RGB, w, h)
	us, vs := make([]byte, 2*cw), make([]byte, 2*cw)
	for y := range h {
		far := y/2 + 2*(y%2) - 1 // the row above an even one, below an odd one
		webpRow(us, u.row(y/2), u.clampedRow(far))
		webpRow(vs, v.row(y/2), v.clampedRow(far))
		ys, to := s.Y[y*s.YStride:][:w], m.row(y)
		for x, l := range ys {
			yy, uu, vv := int(l)*19077>>8, int(us[x]), int(vs[x])
			p := to[3*x : 3*x+3 : 3*x+3]
			p[0] = clip((yy + vv*26149>>8 - 14234) >> 6)
			p[1] = clip((yy - uu*6419>>8 - vv*13320>>8 + 8708) >> 6)
			p[2] = clip((yy + uu*33050>>8 - 17685) >> 6)
		}
	}
	return m
}

// webpRow widens a row by libwebp's fancy upsampling (dsp/upsampling.c).
func webpRow(out, near, far []byte) {
	n := len(near)
	out[0] = byte((3*int(near[0]) + int(far[0]) + 2) >> 2)
	for x := 1; x < n; x++ {
		l, r, fl, fr := int(near[x-1]), int(near[x]), int(far[x-1]), int(far[x])
		avg := l + r + fl + fr + 8
		d12 := (avg + 2*(r+fl)) >> 3
		d03 := (avg + 2*(l+fr)) >> 3
		out[2*x-1] = byte((d12 + l) >> 1)
		out[2*x] = byte((d03 + r) >> 1)
	}
	out[2*n-1] = byte((3*int(near[n-1]) + int(far[n-1]) + 2) >> 2)
}
