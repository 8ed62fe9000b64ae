package image

import (
	"bytes"
	std "image"
	"image/gif"
	"slices"
)

// decodeGIF reads a file's first picture. What a colour is stays, though it stands for transparency: the standard library
// forgets it, Pillow's conversion to RGB does not.
func decodeGIF(data []byte) (*Image, error) {
	clear, opaque := withoutTransparency(data)
	src, err := gif.Decode(bytes.NewReader(opaque))
	if err != nil {
		return nil, err
	}
	c, err := gif.DecodeConfig(bytes.NewReader(opaque))
	if err != nil {
		return nil, err
	}
	p, ok := src.(*std.Paletted)
	if !ok || p.Rect == std.Rect(0, 0, c.Width, c.Height) {
		return fromStd(src), nil
	}
	// A picture smaller than the screen lies on the transparent colour, on the first one where there is none.
	screen := std.NewPaletted(std.Rect(0, 0, c.Width, c.Height), p.Palette)
	if clear < len(p.Palette) {
		for i := range screen.Pix {
			screen.Pix[i] = byte(clear)
		}
	}
	for y := p.Rect.Min.Y; y < p.Rect.Max.Y; y++ {
		copy(screen.Pix[screen.PixOffset(p.Rect.Min.X, y):], p.Pix[p.PixOffset(p.Rect.Min.X, y):][:p.Rect.Dx()])
	}
	return fromStd(screen), nil
}

// withoutTransparency is a file whose first picture has no transparent colour, and the one that it had, or 0.
func withoutTransparency(data []byte) (clear int, opaque []byte) {
	at := 13
	if len(data) > 10 && data[10]&0x80 != 0 {
		at += 3 << (data[10]&7 + 1)
	}
	for at+7 < len(data) && data[at] == 0x21 { // an extension
		if data[at+1] == 0xf9 && data[at+2] == 4 && data[at+3]&1 != 0 {
			clear = int(data[at+6])
			data = slices.Clone(data)
			data[at+3] &^= 1
		}
		for at += 2; at < len(data) && data[at] != 0; {
			at += int(data[at]) + 1
		}
		at++
	}
	return clear, data
}
