package image

import (
	"errors"
	"fmt"
	"io"
	"math"
)

// pnm is the head of a portable bitmap, greymap or pixmap.
type pnm struct {
	bits, text    bool // 0 and 1; numbers in text
	bands         int
	width, height int
	most          int // the number that is white
	data          []byte
}

var errPNM = errors.New("its head must be a P1 to P6, a width, a height and a largest value")

// isSpace says what separates numbers.
func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// number reads a number and what ends it, after spaces and comments.
func (p *pnm) number() (int, error) {
	for len(p.data) > 0 && (isSpace(p.data[0]) || p.data[0] == '#') {
		if p.data[0] == '#' {
			for len(p.data) > 0 && p.data[0] != '\n' && p.data[0] != '\r' {
				p.data = p.data[1:]
			}
			continue
		}
		p.data = p.data[1:]
	}
	n, digits := 0, 0
	for len(p.data) > 0 && p.data[0] >= '0' && p.data[0] <= '9' && digits < 10 {
		n = 10*n + int(p.data[0]-'0')
		digits++
		p.data = p.data[1:]
		if p.bits && p.text && p.most > 0 { // the pixels of a P1 may stand side by side
			return n, nil
		}
	}
	switch {
	case digits == 0 && len(p.data) == 0:
		return 0, io.ErrUnexpectedEOF
	case digits == 0 || digits == 10 || len(p.data) > 0 && !isSpace(p.data[0]):
		return 0, errPNM
	}
	p.data = p.data[min(1, len(p.data)):]
	return n, nil
}

func parsePNM(data []byte) (p pnm, err error) {
	if len(data) < 3 || data[0] != 'P' || data[1] < '1' || data[1] > '6' || !isSpace(data[2]) {
		return p, errPNM
	}
	kind := data[1] - '1'
	p = pnm{bits: kind%3 == 0, text: kind < 3, bands: 1, data: data[2:]}
	if kind%3 == 2 {
		p.bands = 3
	}
	most := 1
	for _, to := range []*int{&p.width, &p.height, &most} {
		if to == &most && p.bits {
			break
		}
		if *to, err = p.number(); err != nil {
			return p, err
		}
	}
	if most < 1 || most > 65535 {
		return p, fmt.Errorf("its largest value must be from 1 to 65535, got %d", most)
	}
	p.most = most
	return p, nil
}

// decodePNM reads a PBM, PGM or PPM file. Values are spread over a byte; grey of 16 bits stays so.
func decodePNM(data []byte) (*Image, error) {
	p, err := parsePNM(data)
	if err != nil {
		return nil, err
	}
	mode, out := L, 255.0
	switch {
	case p.bands == 3:
		mode = RGB
	case p.most > 255:
		mode, out = I16, 65535
	}
	n := p.width * p.height * p.bands
	if !p.text {
		need := n
		switch {
		case p.bits:
			need = (p.width + 7) / 8 * p.height
		case p.most > 255:
			need *= 2
		}
		if len(p.data) < need {
			return nil, io.ErrUnexpectedEOF
		}
	} else if len(p.data) < n {
		return nil, io.ErrUnexpectedEOF
	}
	m := New(mode, p.width, p.height)
	for i := range n {
		v, err := p.value(i)
		if err != nil {
			return nil, err
		}
		v = int(min(math.RoundToEven(float64(v)/float64(p.most)*out), out))
		switch {
		case mode == I16:
			m.Pix[2*i], m.Pix[2*i+1] = byte(v), byte(v>>8)
		case p.bits: // 1 is black
			m.Pix[i] = 255 - byte(v)
		default:
			m.Pix[i] = byte(v)
		}
	}
	return m, nil
}

// value is the number at i; those in text are read one after the other.
func (p *pnm) value(i int) (int, error) {
	switch {
	case p.text:
		v, err := p.number()
		if err == nil && v > p.most {
			err = fmt.Errorf("channel value too large for this mode: %d, the largest is %d", v, p.most)
		}
		return v, err
	case p.bits:
		x, y := i%p.width, i/p.width
		return int(p.data[y*((p.width+7)/8)+x/8]>>(7-x%8)) & 1, nil
	case p.most > 255:
		return int(p.data[2*i])<<8 | int(p.data[2*i+1]), nil
	}
	return int(p.data[i]), nil
}
