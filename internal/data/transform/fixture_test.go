package transform

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	_ "github.com/lighter-go/lighter/internal/creation"
	"github.com/lighter-go/lighter/internal/data/draw"
	"github.com/lighter-go/lighter/internal/data/image"
	"github.com/lighter-go/lighter/internal/pyrandom"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

func TestMain(m *testing.M) { tensortest.Main(m) }

type m = map[string]any

// packed is a value as testdata/fixtures.py wrote it.
type packed struct {
	List  []packed
	Kind  string
	Shape []int64
	Data  []byte
}

type fixtures struct {
	Inputs map[string]packed
	Cases  []struct {
		Version  int
		Name, In string
		Args     map[string]any
		Seed     uint64
		Out      packed
		Next     json.Number
	}
}

func readFixtures(t *testing.T) (f fixtures) {
	t.Helper()
	file, err := os.Open("testdata/torchvision.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(z)
	d.UseNumber()
	if err := d.Decode(&f); err != nil {
		t.Fatal(err)
	}
	return f
}

func (p packed) value() lighter.Value {
	if p.List != nil {
		var out lighter.List
		for _, e := range p.List {
			out = append(out, e.value())
		}
		return out
	}
	kind, name, _ := strings.Cut(p.Kind, " ")
	if kind == "pil" {
		return &image.Image{Mode: image.Mode(name), Height: int(p.Shape[0]), Width: int(p.Shape[1]), Pix: p.Data}
	}
	d, _ := tensor.ParseDType(name)
	t := tensor.FromBytes(p.Data, d, p.Shape)
	if kind == "mask" {
		return Mask{t}
	}
	return t
}

// plainArgs turns JSON's values into a configuration's.
func plainArgs(v any, module string) any {
	switch x := v.(type) {
	case json.Number:
		if n, err := x.Int64(); err == nil {
			return int(n)
		}
		f, _ := x.Float64()
		return f
	case []any:
		if name, ok := x[0].(string); ok {
			return target(module+name, x[1].(map[string]any), module)
		}
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = plainArgs(e, module)
		}
		return out
	}
	return v
}

func target(name string, args map[string]any, module string) m {
	out := m{"_target_": name}
	for k, v := range args {
		out[k] = plainArgs(v, module)
	}
	return out
}

func build(t testing.TB, x m) (lighter.Transform, error) {
	t.Helper()
	c, problems := config.Compose(m{"x": x})
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	return registry.Get[lighter.Transform](registry.NewBuild(c, registry.Env{Stage: "fit", Log: zerolog.Nop()}), "x")
}

// difference is the largest difference of two values, in units of a grey level for bytes.
func difference(got, want lighter.Value) (worst float64, count int, err error) {
	if w, ok := want.(lighter.List); ok {
		g, ok := got.(lighter.List)
		if !ok || len(g) != len(w) {
			return 0, 0, fmt.Errorf("got %v, want a list of %d", got, len(w))
		}
		for i := range w {
			d, n, err := difference(g[i], w[i])
			if err != nil {
				return 0, 0, fmt.Errorf("part %d: %w", i, err)
			}
			worst, count = max(worst, d), count+n
		}
		return worst, count, nil
	}
	flat := func(v lighter.Value) ([]float64, string) {
		switch x := v.(type) {
		case *image.Image:
			out := make([]float64, len(x.Pix))
			for i, b := range x.Pix {
				out[i] = float64(b)
			}
			return out, fmt.Sprint("pil ", x.Mode, x.Height, x.Width)
		case Picture:
			v = x.Tensor
		case Mask:
			v = x.Tensor
		}
		t := v.(tensor.Tensor)
		return tensor.Values[float64](t), fmt.Sprint(t.DType(), t.Shape())
	}
	g, gk := flat(got)
	w, wk := flat(want)
	if gk != wk {
		return 0, 0, fmt.Errorf("got %s, want %s", gk, wk)
	}
	for i := range w {
		if d := math.Abs(g[i] - w[i]); d > 0 || d != d {
			worst, count = max(worst, d), count+1
		}
	}
	return worst, count, nil
}

// TestNumbersAreTorchvisions: from a seed every transform gives torchvision's image, exactly with Pillow's images, by one grey level
// with tensors of bytes (and another where several operations follow each other) and 1e-6 of the range with floats, and leaves the default generator where torchvision does.
func TestNumbersAreTorchvisions(t *testing.T) {
	f := readFixtures(t)
	for i, c := range f.Cases {
		module := map[int]string{1: "torchvision.transforms.", 2: "torchvision.transforms.v2."}[c.Version]
		name := fmt.Sprintf("%d/%s%s%v/%s/%d", i, module[len("torchvision.transforms."):], c.Name, c.Args, c.In, c.Seed)
		err := tensor.Catch(func() {
			s := tensor.Open()
			defer s.Close()
			tr, err := build(t, target(module+c.Name, c.Args, module))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			in := f.Inputs[c.In].value()
			if pair, ok := in.(lighter.List); ok && c.In == "pair" {
				pair[0] = Picture{pair[0].(tensor.Tensor)}
			}
			tensor.ManualSeed(c.Seed)
			pyrandom.Default.Seed(c.Seed)
			got, err := tr.Apply(in, draw.Default{})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			want := c.Out.value()
			worst, n, err := difference(got, want)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			limit := 0.0
			switch c.In {
			case "bytes", "pair":
				limit = 1
			case "floats", "batch":
				limit = 1e-6
			}
			if strings.Contains(c.Name, "Blur") || strings.Contains(c.Name, "Elastic") || c.Name == "AugMix" {
				limit = max(limit, 1)
			}
			if c.Name == "RandAugment" { // several operations in a row
				limit++
			}
			if worst > limit {
				t.Errorf("%s: %d numbers differ, by up to %g", name, n, worst)
			}
			next, _ := c.Next.Float64()
			if got := (draw.Default{}).Uniform(0, 1); got != next {
				t.Errorf("%s: the next draw is %v, torchvision's %v", name, got, next)
			}
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
