package image

import (
	"fmt"
	"io"
	"os"

	"github.com/lighter-go/lighter/internal/data/image/native"
)

// File is an image file that is known to be sound. The pixels of a JPEG file are decoded when they are asked for, so that a
// part of them costs less than all.
type File struct {
	Width, Height int
	path          string
	image         *Image // nil: jpeg is decoded when asked for
	jpeg          []byte
	mode          Mode
	to            Mode // what the pixels are converted to; "" leaves them
}

// FileOf is a file of which the pixels are known.
func FileOf(m *Image) *File { return &File{Width: m.Width, Height: m.Height, image: m} }

// Convert is a file whose pixels are converted; see [Image.Convert].
func (f *File) Convert(mode Mode) *File {
	out := *f
	out.to = mode
	return &out
}

// Read reads an image file. What is wrong with it is found here: asking for its pixels fails only where memory does. Errors
// name the path.
func Read(path string) (*File, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	f, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f.path = path
	return f, nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case st.IsDir():
		return nil, fmt.Errorf("%s: is a folder, not an image", path)
	case st.Size() > maxFile:
		return nil, fmt.Errorf("%s: %d bytes are too many for an image", path, st.Size())
	}
	data := make([]byte, st.Size())
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return data, nil
}

// isJPEG tells a JPEG file by its first bytes.
var isJPEG = starts("\xff\xd8\xff")

// parse reads what can tell a broken file from a sound one: a head, or all of the pixels.
func parse(data []byte) (*File, error) {
	if !isJPEG(data) {
		m, err := decodeWhole(data)
		if err != nil {
			return nil, err
		}
		return &File{Width: m.Width, Height: m.Height, image: m}, nil
	}
	head, err := native.ReadHead(data)
	if err != nil {
		return nil, damaged("JPEG", err)
	}
	if err := checkSize(head.Width, head.Height); err != nil {
		return nil, err
	}
	f := &File{Width: head.Width, Height: head.Height, jpeg: data, mode: map[int]Mode{1: L, 3: RGB, 4: CMYK}[head.Bands]}
	if !head.Croppable {
		f.image, err = f.Image()
	}
	return f, err
}

// Image is all of it.
func (f *File) Image() (*Image, error) { return f.Crop(0, 0, f.Height, f.Width) }

// Crop is the part that begins at (left, top), w by h pixels large, as Image and then [Image.Crop] give it.
func (f *File) Crop(top, left, h, w int) (*Image, error) {
	m, err := f.part(top, left, h, w)
	if err == nil && f.to != "" {
		m = m.Convert(f.to)
	}
	return m, err
}

func (f *File) part(top, left, h, w int) (*Image, error) {
	inside := top >= 0 && left >= 0 && h > 0 && w > 0 && top+h <= f.Height && left+w <= f.Width
	switch {
	case f.image == nil && inside:
		return f.decode(top, left, h, w)
	case f.image == nil:
		m, err := f.decode(0, 0, f.Height, f.Width)
		if err != nil {
			return nil, err
		}
		return m.Crop(top, left, h, w), nil
	case inside && h == f.Height && w == f.Width:
		return f.image, nil
	}
	return f.image.Crop(top, left, h, w), nil
}

func (f *File) decode(top, left, h, w int) (*Image, error) {
	m := New(f.mode, w, h)
	if err := native.Decode(f.jpeg, top, left, h, w, m.Pix); err != nil {
		err = damaged("JPEG", err)
		if f.path != "" {
			err = fmt.Errorf("%s: %w", f.path, err)
		}
		return nil, err
	}
	if f.mode == CMYK { // Adobe's programs write the inks inverted, and Pillow takes every file as theirs
		for i, v := range m.Pix {
			m.Pix[i] = 255 - v
		}
	}
	return m, nil
}
