package image

import (
	"math"
	"strconv"
)

// Affine is Image.transform(size, AFFINE, a, f, fillcolor=color): output pixel (x, y) comes from a[0]x+a[1]y+a[2],
// a[3]x+a[4]y+a[5].
func (m *Image) Affine(width, height int, a [6]float64, f Filter, color []byte) *Image {
	if f == Nearest {
		out := Filled(m.Mode, width, height, color)
		if a[1] == 0 && a[3] == 0 {
			m.scaleNearest(out, a)
		} else {
			m.affineNearest(out, a)
		}
		return out
	}
	return m.warp(width, height, f, color, func(x, y float64) (float64, float64) {
		return a[0]*x + a[1]*y + a[2], a[3]*x + a[4]*y + a[5]
	})
}

// Perspective is Image.transform(size, PERSPECTIVE, a, f, fillcolor=color).
func (m *Image) Perspective(width, height int, a [8]float64, f Filter, color []byte) *Image {
	return m.warp(width, height, f, color, func(x, y float64) (float64, float64) {
		d := a[6]*x + a[7]*y + 1
		return (a[0]*x + a[1]*y + a[2]) / d, (a[3]*x + a[4]*y + a[5]) / d
	})
}

// floorCoord is Pillow's COORD: any negative number is -1.
func floorCoord(v float64) int {
	if v < 0 || v >= math.MaxInt32 || v != v {
		return -1
	}
	return int(v)
}

func (m *Image) scaleNearest(out *Image, a [6]float64) {
	k := m.Mode.Bands()
	xs := make([]int, out.Width)
	at := a[2] + a[0]*0.5
	for x := range xs {
		xs[x] = floorCoord(at)
		at += a[0]
	}
	at = a[5] + a[4]*0.5
	for y := range out.Height {
		sy := floorCoord(at)
		at += a[4]
		if sy < 0 || sy >= m.Height {
			continue
		}
		from, to := m.row(sy), out.row(y)
		for x, sx := range xs {
			if sx >= 0 && sx < m.Width {
				copy(to[x*k:x*k+k], from[sx*k:])
			}
		}
	}
}

// affineNearest goes in steps of 1/65536 of a pixel, as Pillow does.
func (m *Image) affineNearest(out *Image, a [6]float64) {
	fix := func(v float64) int64 { return int64(math.Floor(v*65536 + 0.5)) }
	a0, a1, a3, a4 := fix(a[0]), fix(a[1]), fix(a[3]), fix(a[4])
	a2 := fix(a[2] + a[0]*0.5 + a[1]*0.5)
	a5 := fix(a[5] + a[3]*0.5 + a[4]*0.5)
	k := m.Mode.Bands()
	for y := range out.Height {
		xx, yy := a2, a5
		to := out.row(y)
		for x := range out.Width {
			sx, sy := int(xx>>16), int(yy>>16)
			if uint(sx) < uint(m.Width) && uint(sy) < uint(m.Height) {
				copy(to[x*k:x*k+k], m.Pix[(sy*m.Width+sx)*k:])
			}
			xx += a0
			yy += a3
		}
		a2 += a1
		a5 += a4
	}
}

// warp fills each output pixel from the place that at gives for its middle.
func (m *Image) warp(width, height int, f Filter, color []byte, at func(x, y float64) (float64, float64)) *Image {
	alpha := f != Nearest && (m.Mode == RGBA || m.Mode == LA)
	if alpha {
		m = m.premultiplied() // but not the colour: Pillow fills with it as it is
	}
	out := Filled(m.Mode, width, height, color)
	k := m.Mode.Bands()
	for y := range height {
		to := out.row(y)
		for x := range width {
			u, v := at(float64(x)+0.5, float64(y)+0.5)
			m.sample(to[x*k:x*k+k], u, v, f)
		}
	}
	if alpha {
		return out.straight()
	}
	return out
}

// sample is the pixel at (u, v); to stays as it is when that lies outside.
func (m *Image) sample(to []byte, u, v float64, f Filter) {
	if !(u >= 0 && u < float64(m.Width) && v >= 0 && v < float64(m.Height)) {
		return
	}
	k := len(to)
	if f == Nearest {
		copy(to, m.Pix[(int(v)*m.Width+int(u))*k:][:k])
		return
	}
	u -= 0.5
	v -= 0.5
	fx, fy := math.Floor(u), math.Floor(v)
	x, y := int(fx), int(fy)
	dx, dy := u-fx, v-fy
	if f == Bilinear {
		row := m.row(min(max(y, 0), m.Height-1))
		next := row
		if y+1 >= 0 && y+1 < m.Height {
			next = m.row(y + 1)
		}
		x0, x1 := min(max(x, 0), m.Width-1)*k, min(max(x+1, 0), m.Width-1)*k
		for c := range to {
			v1 := float64(row[x0+c]) + (float64(row[x1+c])-float64(row[x0+c]))*dx
			v2 := float64(next[x0+c]) + (float64(next[x1+c])-float64(next[x0+c]))*dx
			to[c] = byte(v1 + (v2-v1)*dy)
		}
		return
	}
	var xs [4]int
	for i := range xs {
		xs[i] = min(max(x-1+i, 0), m.Width-1) * k
	}
	row := m.row(min(max(y-1, 0), m.Height-1))
	for c := range to {
		var vs [4]float64
		line := row
		for j := range vs {
			if at := y - 1 + j; j > 0 {
				if at < 0 || at >= m.Height {
					vs[j] = vs[j-1]
					continue
				}
				line = m.row(at)
			}
			vs[j] = cubic(float64(line[xs[0]+c]), float64(line[xs[1]+c]), float64(line[xs[2]+c]), float64(line[xs[3]+c]), dx)
		}
		switch r := cubic(vs[0], vs[1], vs[2], vs[3], dy); {
		case r <= 0:
			to[c] = 0
		case r >= 255:
			to[c] = 255
		default:
			to[c] = byte(r)
		}
	}
}

func cubic(v1, v2, v3, v4, d float64) float64 {
	p1 := v2
	p2 := -v1 + v3
	p3 := 2*(v1-v2) + v3 - v4
	p4 := -v1 + v2 - v3 + v4
	return p1 + d*(p2+d*(p3+d*p4))
}

// Rotate is Image.rotate(angle, f, expand, center, fillcolor=color); the angle is in degrees, counter-clockwise.
func (m *Image) Rotate(angle float64, f Filter, expand bool, center *[2]float64, color []byte) *Image {
	angle = math.Mod(angle, 360)
	if angle < 0 {
		angle += 360
	}
	w, h := m.Width, m.Height
	if center == nil {
		switch {
		case angle == 0:
			return m
		case angle == 180:
			return m.turn(w, h, func(x, y int) (int, int) { return w - 1 - x, h - 1 - y })
		case angle == 90 && (expand || w == h):
			return m.turn(h, w, func(x, y int) (int, int) { return w - 1 - y, x })
		case angle == 270 && (expand || w == h):
			return m.turn(h, w, func(x, y int) (int, int) { return y, h - 1 - x })
		}
		center = &[2]float64{float64(w) / 2, float64(h) / 2}
	}
	sin, cos := math.Sincos(-angle * (math.Pi / 180))
	round := func(v float64) float64 { // Python's round(v, 15)
		r, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'f', 15, 64), 64)
		return r
	}
	a := [6]float64{round(cos), round(sin), 0, round(-sin), round(cos), 0}
	at := func(x, y float64) (float64, float64) { return a[0]*x + a[1]*y + a[2], a[3]*x + a[4]*y + a[5] }
	a[2], a[5] = at(-center[0], -center[1])
	a[2] += center[0]
	a[5] += center[1]
	if expand {
		lo, hi := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
		for _, c := range [][2]float64{{0, 0}, {float64(w), 0}, {float64(w), float64(h)}, {0, float64(h)}} {
			x, y := at(c[0], c[1])
			lo = [2]float64{min(lo[0], x), min(lo[1], y)}
			hi = [2]float64{max(hi[0], x), max(hi[1], y)}
		}
		nw := int(math.Ceil(hi[0]) - math.Floor(lo[0]))
		nh := int(math.Ceil(hi[1]) - math.Floor(lo[1]))
		a[2], a[5] = at(-float64(nw-w)/2, -float64(nh-h)/2)
		w, h = nw, nh
	}
	return m.Affine(w, h, a, f, color)
}
