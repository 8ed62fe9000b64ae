package image

import (
	"bytes"
	std "image"

	"golang.org/x/image/webp"
)

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

// plane is one component at its own resolution.
type plane struct {
	pix    []byte
	stride int
	w, h   int
}

func (p plane) row(y int) []byte { return p.pix[y*p.stride : y*p.stride+p.w] }

// clampedRow is the nearest row that there is.
func (p plane) clampedRow(y int) []byte { return p.row(min(max(y, 0), p.h-1)) }
