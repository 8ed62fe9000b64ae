package image

import (
	"bytes"
	"errors"
	"fmt"
	std "image"
	"image/png"
)

// Indices reads a picture of whole numbers, one a pixel and row by row, as segmentation masks are stored: the entries of a
// palette rather than their colours, the grey of the others, 0 and 1 where there are two.
func Indices(path string) (pix []int64, w, h int, err error) {
	data, err := readFile(path)
	if err != nil {
		return nil, 0, 0, err
	}
	if pix, w, h, err = indices(data); err != nil {
		return nil, 0, 0, fmt.Errorf("%s: %w", path, err)
	}
	return pix, w, h, nil
}

func indices(data []byte) (pix []int64, w, h int, err error) {
	f, err := parse(data) // what is wrong with the file is said here
	if err != nil {
		return nil, 0, 0, err
	}
	m, err := f.Image()
	if err != nil {
		return nil, 0, 0, err
	}
	pix = make([]int64, m.Width*m.Height)
	isPNG := bytes.HasPrefix(data, []byte("\x89PNG"))
	const depth, kind = 24, 25 // of a PNG file's head
	switch {
	case isPNG && data[kind] == 3:
		src, err := png.Decode(bytes.NewReader(data))
		p, ok := src.(*std.Paletted)
		if err != nil || !ok {
			return nil, 0, 0, errors.New("its palette cannot be read")
		}
		for i := range pix {
			pix[i] = int64(p.Pix[i/m.Width*p.Stride+i%m.Width])
		}
	case m.Mode == I16:
		for i := range pix {
			pix[i] = int64(m.Pix[2*i]) | int64(m.Pix[2*i+1])<<8
		}
	case m.Mode == L:
		for i, v := range m.Pix {
			pix[i] = int64(v)
			if isPNG && data[depth] == 1 {
				pix[i] &= 1
			}
		}
	default:
		return nil, 0, 0, fmt.Errorf("a mask must be grey or have a palette, this is of mode %s: save it as a PNG file of class numbers", m.Mode)
	}
	return pix, m.Width, m.Height, nil
}
