package callback

import (
	"bytes"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/callback/callbacktest"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/tensor"
)

var predicting = &callbacktest.Trainer{InMode: lighter.Predict, Command: "predict"}

// asked is a FileWriter of the output "v" to a folder of the test's.
func asked(t *testing.T, writer any, nameKey string) (*fileWriter, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "out")
	a := FileWriter{Directory: dir, ValueKey: "v"}
	must(t, a.WriterFn.DecodeConfig(writer))
	if nameKey != "" {
		a.NameKey = &nameKey
	}
	built, _ := build(t, a)
	must(t, built.(*fileWriter).Setup(predicting))
	return built.(*fileWriter), dir
}

// asTensor makes the tensor of a golden.
func asTensor(t *testing.T, dtype string, shape []int64, values []goldenFloat) tensor.Tensor {
	t.Helper()
	d, ok := tensor.ParseDType(dtype)
	if !ok {
		t.Fatalf("no type %s", dtype)
	}
	data := make([]float64, len(values))
	for i, v := range values {
		data[i] = float64(v)
	}
	return tensor.FromSlice(data, shape...).To(tensor.Device{}, d)
}

func TestTensorTextAsPyTorch(t *testing.T) {
	s := tensor.Open()
	defer s.Close()
	for _, c := range golden[[]struct {
		DType  string
		Shape  []int64
		Values []goldenFloat
		Text   string
	}](t, "tensor_text.json") {
		got, err := tensorText(asTensor(t, c.DType, c.Shape, c.Values))
		must(t, err)
		if got != c.Text {
			t.Errorf("%s%v prints\n%s\nwant\n%s", c.DType, c.Shape, got, c.Text)
		}
	}
}

func TestPythonStr(t *testing.T) {
	s := tensor.Open()
	defer s.Close()
	one := tensor.FromSlice([]int64{1}, 1)
	for want, v := range map[string]lighter.Value{
		"it's": "it's", "None": nil, "True": true, "1.0": 1.0,
		`["it's", tensor([1])]`: lighter.List{"it's", one},
		"{'a': [2], 'b': None}": lighter.Dict{"b": nil, "a": lighter.List{int64(2)}},
	} {
		if got, err := pythonStr(v); err != nil || got != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
}

// The files of names, and what is in them, are those of Lighter's FileWriter.
func TestFileWriterNamesAsLighter(t *testing.T) {
	s := tensor.Open()
	defer s.Close()
	env, _ := envOf(false)
	for _, c := range golden[[]struct {
		Names  []any
		Tensor bool
		Suffix string
		Files  map[string]string
	}](t, "names.json") {
		writer := func(args []any, _ map[string]any) (any, error) {
			return registry.New[any]("lighter.callbacks.file_writer.write_text", env, map[string]any{"path": args[0], "value": args[1], "suffix": c.Suffix})
		}
		key := ""
		if c.Names != nil {
			key = "n"
		}
		w, dir := asked(t, writer, key)
		names := lighter.Value(lighter.List(c.Names))
		if c.Tensor {
			names = nested(c.Names)
		}
		must(t, w.BatchEnd(predicting, lighter.Output{"v": tensor.FromSlice([]float32{0.5, 1.5, 2.5}, 3), "n": names}, 0))
		files := map[string]string{}
		for _, name := range filesIn(dir) {
			files[name] = read(t, filepath.Join(dir, name))
		}
		if !maps.Equal(files, c.Files) {
			t.Errorf("names %v: files %q, want %q", c.Names, files, c.Files)
		}
	}
}

// nested makes an int64 tensor of one or two dimensions.
func nested(rows []any) tensor.Tensor {
	var data []int64
	shape := []int64{int64(len(rows))}
	for _, r := range rows {
		switch x := r.(type) {
		case float64:
			data = append(data, int64(x))
		case []any:
			for _, v := range x {
				data = append(data, int64(v.(float64)))
			}
			shape = []int64{int64(len(rows)), int64(len(x))}
		}
	}
	return tensor.FromSlice(data, shape...)
}

// Numbers go on from batch to batch, and every row of a batch is a file of its own that holds no more than the row.
func TestFileWriterTensors(t *testing.T) {
	s := tensor.Open()
	defer s.Close()
	w, dir := asked(t, "tensor", "")
	for i := range 2 {
		batch := tensor.FromSlice([]float32{1, 2, 3, 4}, 2, 2).AddScalar(float64(4 * i))
		must(t, w.BatchEnd(predicting, lighter.Output{"v": batch}, i))
	}
	if got := strings.Join(filesIn(dir), " "); got != "0.pt 1.pt 2.pt 3.pt" {
		t.Errorf("files %s", got)
	}
	f, err := torchfile.Open(filepath.Join(dir, "2.pt"))
	must(t, err)
	defer f.Close()
	row := f.Root.(*torchfile.Tensor)
	data, err := row.Bytes()
	must(t, err)
	if got := tensor.Values[float32](tensor.FromBytes(data, tensor.Float32, row.Shape)); len(row.Shape) != 1 || got[0] != 5 || got[1] != 6 {
		t.Errorf("the third row reads %v of shape %v", got, row.Shape)
	}
	if row.Storage.Size() != 8 {
		t.Errorf("the file of a row holds %d bytes", row.Storage.Size())
	}
}

// Pictures have the pixels of Lighter's.
func TestImagesAsLighter(t *testing.T) {
	s := tensor.Open()
	defer s.Close()
	for _, c := range golden[[]struct {
		Kind     string
		Shape    []int64
		Values   []goldenFloat
		PNGShape []int `json:"png_shape"`
		PNG      []byteValue
	}](t, "pixels.json") {
		path := filepath.Join(t.TempDir(), "x")
		must(t, writers[c.Kind](path, asTensor(t, "float32", c.Shape, c.Values)))
		data, err := os.ReadFile(path + ".png")
		must(t, err)
		picture, err := png.Decode(bytes.NewReader(data))
		must(t, err)
		if size := picture.Bounds().Size(); size.Y != c.PNGShape[1] || size.X != c.PNGShape[2] {
			t.Errorf("%s of %v is %v", c.Kind, c.Shape, size)
			continue
		}
		plane := c.PNGShape[1] * c.PNGShape[2]
		for i := range plane {
			r, g, b, _ := picture.At(i%c.PNGShape[2], i/c.PNGShape[2]).RGBA()
			for channel, v := range []uint32{r, g, b}[:c.PNGShape[0]] {
				if want := c.PNG[channel*plane+i]; byteValue(v>>8) != want {
					t.Errorf("%s of %v: pixel %d of channel %d is %d, want %d", c.Kind, c.Shape, i, channel, v>>8, want)
				}
			}
		}
	}
}

type byteValue int

func TestFileWriterRefuses(t *testing.T) {
	s := tensor.Open()
	defer s.Close()
	rows := tensor.FromSlice([]float32{1, 2}, 2)
	for _, c := range []struct {
		name, writer, nameKey string
		out                   lighter.Output
		want                  string
	}{
		{"no value", "text", "", lighter.Output{"pred": rows}, "FileWriter expected key 'v' in outputs but it was missing. Available keys in outputs: ['pred']"},
		{"no name", "text", "n", lighter.Output{"v": rows}, "FileWriter expected key 'n' in outputs but it was missing."},
		{"too few names", "text", "n", lighter.Output{"v": rows, "n": lighter.List{"a"}}, "Length mismatch between value key 'v' (2) and name key 'n' (1)."},
		{"an absolute name", "text", "n", lighter.Output{"v": rows, "n": lighter.List{"/etc/a", "b"}}, `the name "/etc/a"`},
		{"a name above", "text", "n", lighter.Output{"v": rows, "n": lighter.List{"../a", "b"}}, `the name "../a"`},
		{"no name at all", "text", "n", lighter.Output{"v": rows, "n": lighter.List{"", "b"}}, `the name ""`},
		{"no picture", "image_2d", "", lighter.Output{"v": rows}, "write_image_2d expects a 3D tensor (CHW), got 0 dimensions."},
		{"no volume", "image_3d", "", lighter.Output{"v": rows}, "write_image_3d expects a 4D tensor (CDHW), got 0 dimensions."},
		{"two channels", "image_2d", "", lighter.Output{"v": tensor.FromSlice(make([]float32, 2), 1, 2, 1, 1)}, "The number of channels should be 1 or 3, got: 2"},
		{"a text as a picture", "image_2d", "", lighter.Output{"v": "x"}, "write_image_2d expects a tensor, got str"},
	} {
		w, _ := asked(t, c.writer, c.nameKey)
		if err := w.BatchEnd(predicting, c.out, 0); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
	built, _ := build(t, FileWriter{Directory: filepath.Join(t.TempDir(), "p.csv")})
	want := "FileWriter expects 'directory' to be a directory path, not a file path"
	if err := built.(*fileWriter).Setup(predicting); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	for _, suffix := range []string{"txt", ".", "./x"} {
		if err := (WriteText{Suffix: suffix}).Validate(); err == nil {
			t.Errorf("the suffix %q was accepted", suffix)
		}
	}
}

func TestWriterFn(t *testing.T) {
	var w WriterFn
	e, _ := registry.Lookup("lighter.callbacks.file_writer.write_text")
	for _, c := range []struct {
		check bool
		v     any
		want  string
	}{
		{false, "texts", "Writer with name 'texts' is not registered.\ndid you mean \"text\"?"},
		{false, int64(1), "writer_fn must be a string or a callable"},
		{true, registry.Promise{Entry: e}, "add `_mode_: callable`"},
		{true, config.Unknown{}, ""},
		{true, "image_3d", ""},
	} {
		decode := w.DecodeConfig
		if c.check {
			decode = w.CheckConfig
		}
		if err := decode(c.v); err == nil != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want %s", c.v, err, c.want)
		}
	}
}

func TestFileWriterOnlyPredicts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	built, _ := build(t, FileWriter{Directory: dir, ValueKey: "v", WriterFn: WriterFn{writers["text"]}})
	fit := &callbacktest.Trainer{}
	must(t, built.(*fileWriter).Setup(fit))
	must(t, built.(*fileWriter).BatchEnd(fit, lighter.Output{"v": 1.0}, 0))
	if exists(dir) {
		t.Error("a fit made the folder of predictions")
	}
}
