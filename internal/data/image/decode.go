package image

import (
	"bytes"
	"errors"
	"fmt"
	std "image"
	"image/color"
	"image/gif"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// WarnPixels is Pillow's MAX_IMAGE_PIXELS, above which a file may be a decompression bomb. Above MaxPixels it is taken for
// one and refused.
const (
	WarnPixels = 1024 * 1024 * 1024 / 4 / 3
	MaxPixels  = 2 * WarnPixels
)

// maxFile is the largest file that is read.
const maxFile = 1 << 30

// ErrFormat says that a file is of no format that is read here.
var ErrFormat = errors.New("cannot identify image file: it is no JPEG, PNG, WebP, TIFF, BMP, GIF or PPM")

// Open reads an image file. Its orientation in EXIF data is not applied, as torchvision's loaders do not. Errors name the
// path.
func Open(path string) (*Image, error) {
	f, err := Read(path)
	if err != nil {
		return nil, err
	}
	return f.Image()
}

// format is how files of a kind are told and read.
type format struct {
	name   string
	is     func(head []byte) bool
	size   func(data []byte) (w, h int, err error)
	decode func(data []byte) (*Image, error)
}

func starts(prefixes ...string) func([]byte) bool {
	return func(head []byte) bool {
		for _, p := range prefixes {
			if bytes.HasPrefix(head, []byte(p)) {
				return true
			}
		}
		return false
	}
}

// by is a decoder of the standard library's form.
func by(decode func(io.Reader) (std.Image, error)) func([]byte) (*Image, error) {
	return func(data []byte) (*Image, error) {
		m, err := decode(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		return fromStd(m), nil
	}
}

// sized is the size that a decoder of the standard library's form finds.
func sized(config func(io.Reader) (std.Config, error)) func([]byte) (int, int, error) {
	return func(data []byte) (int, int, error) {
		c, err := config(bytes.NewReader(data))
		return c.Width, c.Height, err
	}
}

func pnmSize(data []byte) (int, int, error) {
	p, err := parsePNM(data)
	return p.width, p.height, err
}

var formats = []format{
	{"PNG", starts("\x89PNG\r\n\x1a\n"), sized(png.DecodeConfig), by(png.Decode)},
	{"WebP", func(h []byte) bool { return len(h) >= 12 && string(h[:4]) == "RIFF" && string(h[8:12]) == "WEBP" }, webpSize, decodeWebP},
	{"TIFF", starts("II*\x00", "MM\x00*"), sized(tiff.DecodeConfig), decodeTIFF},
	{"BMP", starts("BM"), sized(bmp.DecodeConfig), by(bmp.Decode)},
	{"GIF", starts("GIF87a", "GIF89a"), sized(gif.DecodeConfig), decodeGIF},
	{"PNM", starts("P1", "P2", "P3", "P4", "P5", "P6"), pnmSize, decodePNM},
}

// Decode reads an image of a format that its first bytes tell.
func Decode(data []byte) (*Image, error) {
	f, err := parse(data)
	if err != nil {
		return nil, err
	}
	return f.Image()
}

// damaged is an error of a decoder.
func damaged(name string, err error) error {
	var feature tiff.UnsupportedError
	if errors.As(err, &feature) || errors.Is(err, bmp.ErrUnsupported) {
		return fmt.Errorf("%s image has something that is not read here (%w): save it as a PNG file", name, err)
	}
	return fmt.Errorf("%s image is damaged or truncated: %w", name, ended(err))
}

// decodeWhole reads an image by a decoder in Go.
func decodeWhole(data []byte) (m *Image, err error) {
	for _, f := range formats {
		if !f.is(data) {
			continue
		}
		defer func() {
			// A decoder must not end the program whatever a file holds.
			if r := recover(); r != nil {
				m, err = nil, fmt.Errorf("%s image is damaged: %v", f.name, r)
			}
		}()
		w, h, err := f.size(data)
		if err != nil {
			return nil, damaged(f.name, err)
		}
		if err := checkSize(w, h); err != nil {
			return nil, err
		}
		m, err := f.decode(data)
		if err != nil {
			return nil, damaged(f.name, err)
		}
		return m, nil
	}
	if len(data) == 0 {
		return nil, errors.New("cannot identify image file: it is empty")
	}
	return nil, ErrFormat
}

// ended says in words that a file stops early.
func ended(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return errors.New("the file ends too early")
	}
	return err
}

func checkSize(w, h int) error {
	switch {
	case w <= 0 || h <= 0:
		return fmt.Errorf("image has no pixels: its size is %dx%d", w, h)
	case int64(w)*int64(h) > MaxPixels:
		return says("Image size (%d pixels) exceeds limit of %d pixels, could be decompression bomb DOS attack: it is %dx%d", int64(w)*int64(h), int64(MaxPixels), w, h)
	}
	return nil
}

// fromStd takes over a picture of the standard library.
func fromStd(src std.Image) *Image {
	b := src.Bounds()
	w, h := b.Dx(), b.Dy()
	rows := func(mode Mode, pix []byte, stride int) *Image {
		m := New(mode, w, h)
		for y := range h {
			copy(m.row(y), pix[y*stride:])
		}
		return m
	}
	switch s := src.(type) {
	case *std.Gray:
		return rows(L, s.Pix, s.Stride)
	case *std.NRGBA:
		return dropOpaque(rows(RGBA, s.Pix, s.Stride))
	case *std.RGBA:
		if s.Opaque() {
			return dropOpaque(rows(RGBA, s.Pix, s.Stride))
		}
	case *std.Gray16:
		m := New(I16, w, h)
		for y := range h {
			for x := range w {
				p := s.Pix[y*s.Stride+2*x:]
				m.Pix[2*(y*w+x)], m.Pix[2*(y*w+x)+1] = p[1], p[0]
			}
		}
		return m
	case *std.Paletted:
		return fromPalette(s, w, h)
	case *std.RGBA64: // opaque: the high bytes
		if s.Opaque() {
			return highBytes(RGB, s.Pix, s.Stride, w, h)
		}
	case *std.NRGBA64:
		return highBytes(RGBA, s.Pix, s.Stride, w, h)
	}
	m := New(RGBA, w, h)
	for y := range h {
		for x := range w {
			c := color.NRGBAModel.Convert(src.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA)
			copy(m.Pix[4*(y*w+x):], []byte{c.R, c.G, c.B, c.A})
		}
	}
	return m
}

func highBytes(mode Mode, pix []byte, stride, w, h int) *Image {
	m := New(mode, w, h)
	k := mode.Bands()
	for y := range h {
		for x := range w {
			for c := range k {
				m.Pix[k*(y*w+x)+c] = pix[y*stride+8*x+2*c]
			}
		}
	}
	return m
}

// dropOpaque is an RGB image where no pixel is transparent: decoders here give files without alpha an alpha of 255.
func dropOpaque(m *Image) *Image {
	for i := 3; i < len(m.Pix); i += 4 {
		if m.Pix[i] != 255 {
			return m
		}
	}
	return m.Convert(RGB)
}

func fromPalette(s *std.Paletted, w, h int) *Image {
	var table [256][4]byte
	mode := RGB
	for i, c := range s.Palette {
		if i > 255 {
			break
		}
		n := color.NRGBAModel.Convert(c).(color.NRGBA)
		table[i] = [4]byte{n.R, n.G, n.B, n.A}
		if n.A != 255 {
			mode = RGBA
		}
	}
	m := New(mode, w, h)
	k := mode.Bands()
	for y := range h {
		for x, p := range s.Pix[y*s.Stride : y*s.Stride+w] {
			copy(m.Pix[k*(y*w+x):k*(y*w+x)+k], table[p][:])
		}
	}
	return m
}
