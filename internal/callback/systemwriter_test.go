package callback

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/tensor"
)

func predictWith(t *testing.T, w lighter.Callback, batches ...lighter.Output) error {
	t.Helper()
	must(t, w.(lighter.Setupper).Setup(predicting))
	for i, b := range batches {
		if err := w.(lighter.BatchEnder).BatchEnd(predicting, b, i); err != nil {
			return err
		}
	}
	if e, ok := w.(lighter.EpochEnder); ok {
		return e.EpochEnd(predicting)
	}
	return nil
}

func TestTableWriterAsLighter(t *testing.T) {
	s := tensor.Open()
	defer s.Close()
	column := tensor.FromSlice([]float32{0.5, 1, -2}, 3, 1)
	rows := tensor.FromSlice([]float32{0.5, 1, -2, 0.25}, 2, 2)
	for _, c := range []struct {
		name    string
		writer  any
		batches []lighter.Output
		want    string
		err     string
	}{
		{"numbers", "tensor", []lighter.Output{{"pred": column}, {"pred": column}}, "0,0.5\n1,1.0\n2,-2.0\n3,0.5\n4,1.0\n5,-2.0\n", ""},
		{"rows", "tensor", []lighter.Output{{"pred": rows}}, "0,\"[0.5, 1.0]\"\n1,\"[-2.0, 0.25]\"\n", ""},
		{"texts are sorted", "tensor", []lighter.Output{{"pred": column, "identifier": lighter.List{"c", "a", "b"}}}, "a,1.0\nb,-2.0\nc,0.5\n", ""},
		{"whole numbers are sorted", "tensor", []lighter.Output{{"pred": column, "identifier": tensor.FromSlice([]int64{10, 9, 2}, 3)}}, "2,-2.0\n9,1.0\n10,0.5\n", ""},
		{"a function", registry.Func(func(args []any, _ map[string]any) (any, error) {
			return args[0].(tensor.Tensor).Item() * 2, nil
		}), []lighter.Output{{"pred": column}}, "0,1.0\n1,2.0\n2,-4.0\n", ""},
		{"lengths", "tensor", []lighter.Output{{"pred": column, "identifier": lighter.List{"a"}}}, "", "the number of predictions (3) does not match the number of identifiers (1)"},
	} {
		path := filepath.Join(t.TempDir(), "deep", "table.csv")
		a := TableWriter{Path: path}
		must(t, a.Writer.DecodeConfig(c.writer))
		w, _ := build(t, a)
		err := predictWith(t, w, c.batches...)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v, want %q", c.name, err, c.err)
			}
			continue
		}
		text, _ := os.ReadFile(path)
		if want := "identifier,pred\n" + c.want; err != nil || string(text) != want {
			t.Errorf("%s: %v\n%swant\n%s", c.name, err, text, want)
		}
	}
}

func TestFileWriterAsLighterBefore01(t *testing.T) {
	s := tensor.Open()
	defer s.Close()
	pred := tensor.FromSlice([]float32{1, 2, 3, 4}, 2, 2)
	dir := filepath.Join(t.TempDir(), "out")
	a := SystemFileWriter{Path: dir}
	must(t, a.Writer.DecodeConfig("tensor"))
	w, _ := build(t, a)
	must(t, predictWith(t, w, lighter.Output{"pred": pred}, lighter.Output{"pred": pred}, lighter.Output{"pred": pred, "identifier": lighter.List{"x", "y"}}))
	for _, name := range []string{"0.pt", "1.pt", "2.pt", "3.pt", "x.pt", "y.pt"} {
		f, err := torchfile.Open(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
			continue
		}
		if x, ok := f.Root.(*torchfile.Tensor); !ok || len(x.Shape) != 1 || x.Shape[0] != 2 {
			t.Errorf("%s holds %v", name, f.Root)
		}
		f.Close()
	}

	a = SystemFileWriter{Path: filepath.Join(t.TempDir(), "images")}
	must(t, a.Writer.DecodeConfig("image"))
	w, _ = build(t, a)
	pixels := tensor.FromSlice([]uint8{10, 20, 30, 40, 50, 60}, 1, 3, 1, 2)
	must(t, predictWith(t, w, lighter.Output{"pred": pixels}))
	data, err := os.ReadFile(filepath.Join(a.Path, "0.png"))
	must(t, err)
	img, err := png.Decode(bytes.NewReader(data))
	must(t, err)
	if r, g, b, _ := img.At(1, 0).RGBA(); img.Bounds() != image.Rect(0, 0, 2, 1) || r>>8 != 20 || g>>8 != 40 || b>>8 != 60 {
		t.Errorf("the image is %v with %d %d %d", img.Bounds(), r>>8, g>>8, b>>8)
	}
	err = w.(lighter.BatchEnder).BatchEnd(predicting, lighter.Output{"pred": pixels.To(tensor.Device{}, tensor.Float32)}, 1)
	if err == nil || !strings.Contains(err.Error(), "Input tensor dtype should be uint8, got float32") {
		t.Errorf("a float image: %v", err)
	}
	for name, want := range map[string]string{"video": "there is no encoder here", "jpeg": "Writer for format jpeg does not exist. Available writers: ['image', 'tensor']"} {
		if err := a.Writer.DecodeConfig(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}
