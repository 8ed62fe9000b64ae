package native

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	if err := Check(); err != nil {
		t.Error(err)
	}
}

// plain is the sum that resampling is, one number after the other.
func plain(s *Spans, at func(i int) byte, x int) byte {
	sum := int32(1) << (s.Bits - 1)
	for j := range s.Count[x] {
		sum += int32(at(int(s.From[x]+j))) * s.Weights[x*s.Most+int(j)]
	}
	return byte(min(max(sum>>s.Bits, 0), 255))
}

// TestResampling: the vector code gives the plain sums for every number of bands and of weights, and reads nothing that
// belongs to nobody: an image here ends where its memory does.
func TestResampling(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 400 {
		bands, width, height, out := 1+r.IntN(4), 1+r.IntN(40), 1+r.IntN(9), 1+r.IntN(50)
		spans := func(in int) *Spans {
			s := &Spans{Most: 1 + r.IntN(9), Bits: 22, From: make([]int32, out), Count: make([]int32, out)}
			s.Weights = make([]int32, out*s.Most)
			for i := range s.Weights {
				s.Weights[i] = r.Int32N(1<<21) - 1<<19
			}
			for i := range out {
				s.Count[i] = int32(1 + r.IntN(min(s.Most, in)))
				s.From[i] = int32(r.IntN(in - int(s.Count[i]) + 1))
			}
			return s
		}
		pix := make([]byte, width*height*bands)
		for i := range pix {
			pix[i] = byte(r.Uint32())
		}
		s := spans(width)
		got, want := make([]byte, out*height*bands), make([]byte, 0, out*height*bands)
		s.Columns(pix, width, height, bands, got)
		for y := range height {
			for x := range out {
				for b := range bands {
					want = append(want, plain(s, func(i int) byte { return pix[(y*width+i)*bands+b] }, x))
				}
			}
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("columns of %dx%d, %d bands, to %d: %v, want %v", width, height, bands, out, got, want)
		}
		s, n := spans(height), width*bands
		got, want = make([]byte, out*n), want[:0]
		s.Rows(pix, n, got)
		for y := range out {
			for x := range n {
				want = append(want, plain(s, func(i int) byte { return pix[i*n+x] }, y))
			}
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("rows of %dx%d bytes to %d: %v, want %v", n, height, out, got, want)
		}
	}
}

// TestCutFiles: a file that ends too early is an error at every length, and no part of it counts as sound.
func TestCutFiles(t *testing.T) {
	out := make([]byte, 24*20*3)
	for n := range len(checkFile) - 2 {
		h, err := ReadHead(checkFile[:n])
		if err == nil && h.Croppable {
			t.Fatalf("the first %d bytes count as whole", n)
		}
		if err == nil {
			err = Decode(checkFile[:n], 0, 0, 20, 24, out)
		}
		if err == nil || !strings.Contains(err.Error(), "image file is truncated") {
			t.Fatalf("the error of the first %d bytes of %d is %v", n, len(checkFile), err)
		}
	}
}

// FuzzDecode: whatever three bytes of a file are, a file that counts as sound has all of its parts. The library is not
// instrumented, so that changes of a sound file find more than free bytes do.
func FuzzDecode(f *testing.F) {
	f.Add(uint16(160), byte(0x11), uint16(300), byte(0xff), uint16(301), byte(0xd0), uint16(0))
	f.Fuzz(func(t *testing.T, a uint16, x byte, b uint16, y byte, c uint16, z byte, cut uint16) {
		data := bytes.Clone(checkFile)
		n := uint16(len(data))
		data[a%n], data[b%n], data[c%n] = x, y, z
		data = data[:n-cut%n]
		h, err := ReadHead(data)
		if err != nil || h.Width*h.Height > 1<<20 {
			return
		}
		whole, part := make([]byte, h.Width*h.Height*h.Bands), make([]byte, h.Bands)
		err = Decode(data, 0, 0, h.Height, h.Width, whole)
		if !h.Croppable {
			return
		}
		if err != nil {
			t.Fatalf("a file that counts as sound is not: %v", err)
		}
		column, row := h.Width/2, h.Height/2
		if err := Decode(data, row, column, 1, 1, part); err != nil {
			t.Fatalf("a part of a sound file: %v", err)
		}
		if at := (row*h.Width + column) * h.Bands; !bytes.Equal(part, whole[at:at+h.Bands]) {
			t.Fatalf("the pixel at (%d, %d) is %v, in the whole picture %v", column, row, part, whole[at:at+h.Bands])
		}
	})
}
