package image

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"testing"
)

// pillow is testdata/pillow.json.gz, which testdata/pillow.py wrote.
type pillow struct {
	Files []struct {
		Name, Mode string
		RGB, Grey  packed
	}
	Inputs map[string]packed
	Ops    []struct {
		Op, In string
		Args   []any
		Out    packed
	}
}

type packed struct {
	Mode          Mode
	Width, Height int
	Pix           []byte
}

func (p packed) image() *Image { return &Image{p.Mode, p.Width, p.Height, p.Pix} }

func readPillow(t testing.TB) pillow {
	t.Helper()
	f, err := os.Open("testdata/pillow.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var p pillow
	if err := json.NewDecoder(z).Decode(&p); err != nil {
		t.Fatal(err)
	}
	return p
}

// worst is the largest difference of two images' bytes, 256 for other sizes.
func worst(a, b *Image) (d, count int) {
	if a.Mode != b.Mode || a.Width != b.Width || a.Height != b.Height || len(a.Pix) != len(b.Pix) {
		return 256, 0
	}
	for i, v := range a.Pix {
		e := max(int(v)-int(b.Pix[i]), int(b.Pix[i])-int(v))
		d = max(d, e)
		if e > 0 {
			count++
		}
	}
	return d, count
}

// TestFilesArePillows: what is read and converted has Pillow's bytes.
func TestFilesArePillows(t *testing.T) {
	for _, f := range readPillow(t).Files {
		t.Run(f.Name, func(t *testing.T) {
			m, err := Open("testdata/files/" + f.Name)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []*Image{f.RGB.image(), f.Grey.image()} {
				if d, n := worst(m.Convert(want.Mode), want); d > 0 {
					t.Errorf("%s from mode %s: %v; %d bytes differ, by up to %d", want.Mode, f.Mode, m, n, d)
				}
			}
		})
	}
}

// TestOperationsArePillows: every operation gives Pillow's bytes.
func TestOperationsArePillows(t *testing.T) {
	p := readPillow(t)
	for _, o := range p.Ops {
		m, out := p.Inputs[o.In].image(), o.Out.image()
		got := apply(m, o.Op, o.Args)
		if d, n := worst(got, out); d > 0 {
			t.Errorf("%s%v of %s: %v, want %v; %d of %d bytes differ, by up to %d", o.Op, o.Args, o.In, got, out, n, len(out.Pix), d)
		}
	}
}

func apply(m *Image, op string, args []any) *Image {
	num := func(i int) float64 { return args[i].(float64) }
	integer := func(i int) int { return int(num(i)) }
	floats := func(i int) (f []float64) {
		for _, v := range args[i].([]any) {
			f = append(f, v.(float64))
		}
		return f
	}
	color := []byte{10, 200, 30, 128}[:m.Mode.Bands()]
	if m.Mode == L {
		color = []byte{77}
	}
	switch op {
	case "resize":
		return m.Resize(integer(0), integer(1), Filter(integer(2)))
	case "crop":
		return m.Crop(integer(0), integer(1), integer(2), integer(3))
	case "flip":
		return m.FlipLeftRight()
	case "vflip":
		return m.FlipTopBottom()
	case "affine":
		return m.Affine(m.Width, m.Height, [6]float64(floats(0)), Filter(integer(1)), color)
	case "perspective":
		return m.Perspective(m.Width, m.Height, [8]float64(floats(0)), Filter(integer(1)), color)
	case "rotate":
		return m.Rotate(num(0), Filter(integer(1)), args[2].(bool), nil, color)
	case "rotate_at":
		return m.Rotate(num(0), Filter(integer(1)), false, &[2]float64{num(2), num(3)}, color)
	case "brightness":
		return m.Brightness(num(0))
	case "contrast":
		return m.Contrast(num(0))
	case "saturation":
		return m.Saturation(num(0))
	case "sharpness":
		return m.Sharpness(num(0))
	case "posterize":
		return m.Posterize(integer(0))
	case "solarize":
		return m.Solarize(num(0))
	case "invert":
		return m.Invert()
	case "equalize":
		return m.Equalize()
	case "autocontrast":
		return m.table(lut(func(v int) int { return 40 + v/2 })).Autocontrast()
	case "hue":
		return m.Hue(num(0))
	case "pad":
		return m.PadBy(Padding{Left: 4, Top: 2, Right: 1, Bottom: 3}, args[0].(string))
	}
	panic(fmt.Sprint("no operation ", op))
}
