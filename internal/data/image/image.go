// Package image holds decoded pictures as Pillow's images: 8-bit bands, interleaved, top row first. It decodes files and
// does in Go, on bytes, what torchvision does to an image with Pillow; the pixels are Pillow's. It knows no tensors.
package image

import "fmt"

// Mode says what the bands of a pixel are, by Pillow's names.
type Mode string

// The modes an [Image] can have. A palette is resolved when the file is read. I16 is grey of 16 bits, little-endian.
const (
	L    Mode = "L"
	LA   Mode = "LA"
	RGB  Mode = "RGB"
	RGBA Mode = "RGBA"
	CMYK Mode = "CMYK"
	I16  Mode = "I;16"
)

// Bands is the number of bytes of a pixel.
func (m Mode) Bands() int {
	switch m {
	case L:
		return 1
	case LA, I16:
		return 2
	case RGB:
		return 3
	}
	return 4
}

// Image is a picture. Operations give a new one and leave it as it is.
type Image struct {
	Mode          Mode
	Width, Height int
	Pix           []byte // Height rows of Width pixels of Mode.Bands() bytes
}

// New is an image with all bytes 0.
func New(mode Mode, width, height int) *Image {
	return &Image{mode, width, height, make([]byte, width*height*mode.Bands())}
}

// Bands is the number of bands of a pixel, 1 for I;16.
func (m *Image) Bands() int {
	if m.Mode == I16 {
		return 1
	}
	return m.Mode.Bands()
}

// TypeName is Pillow's class, for messages.
func (*Image) TypeName() string { return "PIL.Image.Image" }

func (m *Image) String() string {
	return fmt.Sprintf("PIL image mode=%s size=%dx%d", m.Mode, m.Width, m.Height)
}

// row is the bytes of row y.
func (m *Image) row(y int) []byte {
	n := m.Width * m.Mode.Bands()
	return m.Pix[y*n : (y+1)*n : (y+1)*n]
}

// like is an empty image of the same mode.
func (m *Image) like(width, height int) *Image { return New(m.Mode, width, height) }

// Filled is an image of one colour, a byte a band.
func Filled(mode Mode, width, height int, color []byte) *Image {
	m := New(mode, width, height)
	m.fill(color)
	return m
}

func (m *Image) fill(color []byte) {
	for _, c := range color {
		if c != 0 {
			for i := 0; i < len(m.Pix); i += len(color) {
				copy(m.Pix[i:], color)
			}
			return
		}
	}
}

// Convert is Image.convert(mode) for L, RGB and RGBA; alpha is dropped, not blended.
func (m *Image) Convert(mode Mode) *Image {
	if m.Mode == mode {
		return m
	}
	out := New(mode, m.Width, m.Height)
	in, step := m.Pix, m.Mode.Bands()
	n := m.Width * m.Height
	to := out.Pix
	switch mode {
	case L:
		for i := range n {
			to[i] = grey(m.Mode, in[i*step:])
		}
	case RGB, RGBA:
		k := mode.Bands()
		for i := range n {
			p, q := in[i*step:], to[i*k:]
			switch m.Mode {
			case L, LA, I16:
				v := grey(m.Mode, p)
				q[0], q[1], q[2] = v, v, v
			case CMYK:
				q[0], q[1], q[2] = cmyk(p)
			default:
				q[0], q[1], q[2] = p[0], p[1], p[2]
			}
			if k == 4 {
				q[3] = 255
				if m.Mode == LA {
					q[3] = p[1]
				}
			}
		}
	case LA:
		for i := range n {
			to[2*i], to[2*i+1] = grey(m.Mode, in[i*step:]), 255
			if m.Mode == RGBA {
				to[2*i+1] = in[i*step+3]
			}
		}
	default:
		panic(fmt.Sprintf("image: no conversion from %s to %s", m.Mode, mode))
	}
	return out
}

// grey is Pillow's luma of ITU-R 601-2 in fixed point.
func grey(mode Mode, p []byte) byte {
	switch mode {
	case L, LA:
		return p[0]
	case I16: // Pillow clips
		if p[1] != 0 {
			return 255
		}
		return p[0]
	case CMYK:
		r, g, b := cmyk(p)
		return luma(r, g, b)
	}
	return luma(p[0], p[1], p[2])
}

func luma(r, g, b byte) byte {
	return byte((uint32(r)*19595 + uint32(g)*38470 + uint32(b)*7471 + 0x8000) >> 16)
}

// cmyk is Pillow's colour of four inks.
func cmyk(p []byte) (r, g, b byte) {
	nk := 255 - int(p[3])
	ink := func(c byte) byte { return clip(nk - mulDiv255(int(c), nk)) }
	return ink(p[0]), ink(p[1]), ink(p[2])
}

// mulDiv255 is a·b/255, rounded.
func mulDiv255(a, b int) int {
	t := a*b + 128
	return (t>>8 + t) >> 8
}

func clip(v int) byte {
	if v < 0 {
		return 0
	}
	if v > 255 {
		return 255
	}
	return byte(v)
}

// Spread writes an image's bands one after the other, each byte as its band's table has it.
func Spread(m *Image, table [][256]float32, out []float32) {
	n := m.Width * m.Height
	if len(table) == 3 {
		r, g, b := out[:n:n], out[n:2*n:2*n], out[2*n:3*n:3*n]
		tr, tg, tb := &table[0], &table[1], &table[2]
		p := m.Pix[: 3*n : 3*n]
		for i := range r {
			q := p[:3:3]
			r[i], g[i], b[i] = tr[q[0]], tg[q[1]], tb[q[2]]
			p = p[3:]
		}
		return
	}
	for c := range table {
		t, to := &table[c], out[c*n:(c+1)*n]
		for i := range to {
			to[i] = t[m.Pix[i*len(table)+c]]
		}
	}
}
