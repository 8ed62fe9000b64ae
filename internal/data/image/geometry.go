package image

// Crop is the part of height by width pixels whose upper left corner is (left, top); what lies outside is 0.
func (m *Image) Crop(top, left, height, width int) *Image {
	if top == 0 && left == 0 && height == m.Height && width == m.Width {
		return m
	}
	out := m.like(width, height)
	k := m.Mode.Bands()
	x0, x1 := max(left, 0), min(left+width, m.Width)
	if x0 >= x1 {
		return out
	}
	for y := max(top, 0); y < min(top+height, m.Height); y++ {
		copy(out.row(y - top)[(x0-left)*k:], m.row(y)[x0*k:x1*k])
	}
	return out
}

// FlipLeftRight mirrors the image.
func (m *Image) FlipLeftRight() *Image {
	out := m.like(m.Width, m.Height)
	k := m.Mode.Bands()
	for y := range m.Height {
		from, to := m.row(y), out.row(y)
		if k == 3 {
			for i, j := 0, len(from)-3; j >= 0; i, j = i+3, j-3 {
				p, q := to[i:i+3:i+3], from[j:j+3:j+3]
				p[0], p[1], p[2] = q[0], q[1], q[2]
			}
			continue
		}
		for i, j := 0, len(from)-k; j >= 0; i, j = i+k, j-k {
			copy(to[i:i+k], from[j:])
		}
	}
	return out
}

// FlipTopBottom turns the image upside down.
func (m *Image) FlipTopBottom() *Image {
	out := m.like(m.Width, m.Height)
	for y := range m.Height {
		copy(out.row(m.Height-1-y), m.row(y))
	}
	return out
}

// turn gives the image whose pixel (x, y) is at source(x, y).
func (m *Image) turn(width, height int, source func(x, y int) (sx, sy int)) *Image {
	out := m.like(width, height)
	k := m.Mode.Bands()
	for y := range height {
		to := out.row(y)
		for x := range width {
			sx, sy := source(x, y)
			copy(to[x*k:x*k+k], m.Pix[(sy*m.Width+sx)*k:])
		}
	}
	return out
}

// Padding is how many pixels are added to each side; negative ones are cut off.
type Padding struct{ Left, Top, Right, Bottom int }

// Pad adds pixels of one colour.
func (m *Image) Pad(p Padding, color []byte) *Image {
	out := m.like(m.Width+p.Left+p.Right, m.Height+p.Top+p.Bottom)
	out.fill(color)
	k := m.Mode.Bands()
	x0, x1 := max(-p.Left, 0), min(m.Width, m.Width+p.Right)
	for y := max(-p.Top, 0); y < min(m.Height, m.Height+p.Bottom); y++ {
		if x0 < x1 {
			copy(out.row(y + p.Top)[(x0+p.Left)*k:], m.row(y)[x0*k:x1*k])
		}
	}
	return out
}

// PadBy adds pixels as numpy.pad does: "edge", "reflect" or "symmetric".
func (m *Image) PadBy(p Padding, mode string) *Image {
	cut := Padding{min(p.Left, 0), min(p.Top, 0), min(p.Right, 0), min(p.Bottom, 0)}
	if cut != (Padding{}) {
		m = m.Pad(cut, make([]byte, m.Mode.Bands()))
		p = Padding{max(p.Left, 0), max(p.Top, 0), max(p.Right, 0), max(p.Bottom, 0)}
	}
	xs := padIndex(m.Width, p.Left, p.Right, mode)
	ys := padIndex(m.Height, p.Top, p.Bottom, mode)
	return m.turn(len(xs), len(ys), func(x, y int) (int, int) { return xs[x], ys[y] })
}

// padIndex is the source of every place of a padded line of n.
func padIndex(n, before, after int, mode string) []int {
	at := make([]int, before+n+after)
	for i := range at {
		x := i - before
		switch {
		case mode == "edge" || n == 1 && mode == "reflect":
			x = min(max(x, 0), n-1)
		case mode == "reflect":
			period := 2 * (n - 1)
			if x = ((x % period) + period) % period; x >= n {
				x = period - x
			}
		default:
			if x = ((x % (2 * n)) + 2*n) % (2 * n); x >= n {
				x = 2*n - 1 - x
			}
		}
		at[i] = x
	}
	return at
}
