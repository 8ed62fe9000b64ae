package image

import (
	"bytes"
	"encoding/binary"
	std "image"

	"golang.org/x/image/webp"
)

// decodeWebP reads a WebP file with libwebp's upsampling and conversion: VP8's luma goes from 16 to 235, unlike JPEG's.
func decodeWebP(data []byte) (*Image, error) {
	if a, ok := firstFrame(data); ok {
		m, err := decodeWebP(a.file)
		if err != nil || m.Width == a.width && m.Height == a.height {
			return m, err
		}
		screen := New(RGBA, a.width, a.height)
		m = m.Convert(RGBA)
		for y := 0; y < m.Height && a.y+y < a.height && a.x < a.width; y++ {
			copy(screen.row(a.y + y)[4*a.x:], m.row(y))
		}
		return screen, nil
	}
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

func webpSize(data []byte) (int, int, error) {
	if a, ok := firstFrame(data); ok {
		return a.width, a.height, nil
	}
	return sized(webp.DecodeConfig)(data)
}

// frame is the first picture of an animation, as a file of its own, and where it lies on the screen.
type frame struct {
	width, height, x, y int
	file                []byte
}

// firstFrame finds it; ok is false for a file that is no animation.
func firstFrame(data []byte) (f frame, ok bool) {
	three := func(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
	const head = 12 // RIFF, its size, WEBP
	if len(data) < head+18 || string(data[head:head+4]) != "VP8X" || data[head+8]&2 == 0 {
		return f, false
	}
	f.width, f.height = three(data[head+12:])+1, three(data[head+15:])+1
	for rest := data[head:]; len(rest) >= 8; {
		n := int64(binary.LittleEndian.Uint32(rest[4:]))
		if 8+n > int64(len(rest)) {
			return f, false
		}
		body := rest[8 : 8+n]
		if string(rest[:4]) == "ANMF" && n >= 16 {
			f.x, f.y = 2*three(body), 2*three(body[3:])
			flags := byte(0)
			if bytes.HasPrefix(body[16:], []byte("ALPH")) {
				flags = 0x10
			}
			chunks := append([]byte("WEBPVP8X\x0a\x00\x00\x00"), flags, 0, 0, 0)
			chunks = append(append(chunks, body[6:12]...), body[16:]...)
			f.file = append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(chunks))), chunks...)
			return f, true
		}
		rest = rest[min(int64(len(rest)), 8+n+n&1):]
	}
	return f, false
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
