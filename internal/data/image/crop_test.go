package image

import (
	"bytes"
	"fmt"
	std "image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"testing"
)

// photo is a JPEG file of a smooth picture with noise, 4:2:0 or grey.
func photo(t testing.TB, w, h int, grey bool) []byte {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(w), uint64(h)))
	at := func(x, y, c int) uint8 { return uint8((x*(c+2) + y*(5-c) + r.IntN(40)) & 255) }
	var m std.Image
	if grey {
		g := std.NewGray(std.Rect(0, 0, w, h))
		for i := range g.Pix {
			g.Pix[i] = at(i%w, i/w, 0)
		}
		m = g
	} else {
		c := std.NewRGBA(std.Rect(0, 0, w, h))
		for y := range h {
			for x := range w {
				c.SetRGBA(x, y, color.RGBA{at(x, y, 0), at(x, y, 1), at(x, y, 2), 255})
			}
		}
		m = c
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sampled says otherwise of a file's luma how often it is sampled. The number of blocks stays that of 4:2:0 where width and
// height are multiples of 32, so the file is sound, though the picture is another.
func sampled(t testing.TB, file []byte, factors byte) []byte {
	t.Helper()
	out := bytes.Clone(file)
	at := bytes.Index(out, []byte{0xff, 0xc0, 0, 17, 8})
	if at < 0 || out[at+11] != 0x22 {
		t.Fatal("it is no file of 4:2:0")
	}
	out[at+11] = factors
	return out
}

// TestCropEqualsWhole: the part of a file has the pixels that it has in the whole picture, wherever it lies.
func TestCropEqualsWhole(t *testing.T) {
	files := map[string][]byte{"grey 75x50": photo(t, 75, 50, true)}
	for _, size := range [][2]int{{1, 1}, {2, 3}, {5, 4}, {16, 16}, {17, 33}, {75, 50}, {96, 64}, {131, 127}} {
		files[fmt.Sprintf("4:2:0 %dx%d", size[0], size[1])] = photo(t, size[0], size[1], false)
	}
	even := photo(t, 128, 96, false)
	files["4:1:1 128x96"], files["4:1:0 tall 128x96"] = sampled(t, even, 0x41), sampled(t, even, 0x14)
	for _, name := range []string{"rgb444.jpg", "rgb422.jpg", "cmyk.jpg", "progressive.jpg", "line.jpg"} {
		data, err := readFile("testdata/files/" + name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = data
	}
	for name, data := range files {
		t.Run(name, func(t *testing.T) {
			f, err := parse(data)
			if err != nil {
				t.Fatal(err)
			}
			whole, err := f.Image()
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(1, 2))
			for range 300 {
				w, h := 1+r.IntN(f.Width), 1+r.IntN(f.Height)
				top, left := r.IntN(f.Height-h+1), r.IntN(f.Width-w+1)
				got, err := f.Crop(top, left, h, w)
				if err != nil {
					t.Fatal(err)
				}
				if d, n := worst(got, whole.Crop(top, left, h, w)); d != 0 {
					t.Fatalf("%dx%d from (%d, %d): %d bytes differ, by up to %d", w, h, left, top, n, d)
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	data := photo(b, 500, 375, false)
	for name, c := range map[string]func() error{
		"head":  func() error { _, err := parse(data); return err },
		"whole": func() error { _, err := Decode(data); return err },
		"crop": func() error {
			f, err := parse(data)
			if err == nil {
				_, err = f.Crop(60, 80, 260, 350)
			}
			return err
		},
		"go": func() error { _, err := jpeg.Decode(bytes.NewReader(data)); return err },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := c(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkResize(b *testing.B) {
	m, err := Decode(photo(b, 350, 260, false))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		m.Resize(224, 224, Bilinear)
	}
}
