package callback

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/callback/callbacktest"
	"github.com/lighter-go/lighter/tensor"
)

// predict runs the writer over outputs and returns the file.
func predict(t *testing.T, keys []string, outputs ...lighter.Output) (string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sub", "p.csv")
	built, _ := build(t, CSVWriter{Path: path, Keys: keys})
	w := built.(*csvWriter)
	defer w.Close()
	tr := &callbacktest.Trainer{Command: "predict", InMode: lighter.Predict}
	must(t, w.Setup(tr))
	for i, o := range outputs {
		if err := w.BatchEnd(tr, o, i); err != nil {
			return "", err
		}
	}
	must(t, w.EpochEnd(tr))
	if exists(path) {
		t.Error("the file has its name before predict is done")
	}
	must(t, w.StageEnd(tr))
	if files := filesIn(filepath.Dir(path)); len(files) != 1 {
		t.Errorf("files %q", files)
	}
	return read(t, path), nil
}

// The tables are Lighter's: testdata/lightning.py makes them from the same outputs.
func TestCsvWriterAsLighter(t *testing.T) {
	s := tensor.Open()
	defer s.Close()
	nan := float32(math.NaN())
	for name, c := range map[string]struct {
		keys    []string
		outputs []lighter.Output
	}{
		"columns": {[]string{"target", "pred", "prob", "who", "ok", "batch", "none"}, []lighter.Output{
			{
				"target": tensor.FromSlice([]int64{2, 6}, 2), "pred": tensor.FromSlice([]float32{-1, 0.5}, 2, 1),
				"prob": tensor.FromSlice([]float32{0.1, 1e-7, nan, 1e22}, 2, 2), "who": lighter.List{"a, b", `q"q`},
				"ok": tensor.FromSlice([]bool{true, false}, 2), "batch": int64(7), "none": lighter.List{nil, "x y"},
			},
			{
				"target": tensor.FromSlice([]int64{3}, 1), "pred": tensor.FromSlice([]float32{2}, 1, 1),
				"prob": tensor.FromSlice([]float32{3, 1e16}, 1, 2), "who": lighter.List{"c"},
				"ok": tensor.FromSlice([]bool{true}, 1), "batch": int64(8), "none": lighter.List{"z"},
			},
		}},
		"lists": {[]string{"v", "x"}, []lighter.Output{{
			"v": lighter.List{1.0, 2.5, 1e-5},
			"x": lighter.List{lighter.List{"it's", nil, true}, lighter.List{"\n", `a"b`}, lighter.List{}},
		}}},
	} {
		got, err := predict(t, c.keys, c.outputs...)
		must(t, err)
		if want := read(t, "testdata/predictions_"+name+".csv"); got != want {
			t.Errorf("%s:\n%s\nLighter:\n%s", name, got, want)
		}
	}
}

func TestCsvWriterRows(t *testing.T) {
	s := tensor.Open()
	defer s.Close()
	three := tensor.FromSlice([]float64{0.1, 2, math.NaN()}, 3)
	for _, c := range []struct {
		name    string
		keys    []string
		outputs []lighter.Output
		want    string
	}{
		{"all keys of the first output, sorted", nil, []lighter.Output{nil, {"b": three, "a": "x"}, {"a": "y", "b": three, "more": 1.0}}, "a,b\nx,0.1\nx,2.0\nx,\ny,0.1\ny,2.0\ny,\n"},
		{"scalar tensors and plain values repeat", []string{"s", "v", "n"}, []lighter.Output{{"s": tensor.FromSlice([]float32{0.5}), "v": three, "n": nil}}, "s,v,n\n0.5,0.1,\n0.5,2.0,\n0.5,,\n"},
		{"single values are one row", []string{"a", "b"}, []lighter.Output{{"a": 1.0, "b": lighter.Dict{"k": "v"}}}, "a,b\n1.0,{'k': 'v'}\n"},
		{"strings stay what they are", []string{"id"}, []lighter.Output{{"id": lighter.List{"0001", "NA", "1e5"}}}, "id\n0001\nNA\n1e5\n"},
		{"tensors in lists", []string{"t"}, []lighter.Output{{"t": lighter.List{tensor.FromSlice([]int64{1, 2}, 2), tensor.FromSlice([]float32{0.5})}}}, "t\n\"[1, 2]\"\n0.5\n"},
		{"three dimensions", []string{"t"}, []lighter.Output{{"t": tensor.FromSlice([]uint8{1, 2, 3, 4}, 1, 2, 2)}}, "t\n\"[[1, 2], [3, 4]]\"\n"},
		{"an empty batch", []string{"t"}, []lighter.Output{{"t": tensor.FromSlice([]float32{}, 0, 3)}}, "t\n"},
		{"no batch", []string{"a", "b"}, nil, "a,b\n"},
	} {
		if got, err := predict(t, c.keys, c.outputs...); err != nil || got != c.want {
			t.Errorf("%s: %q, %v, want %q", c.name, got, err, c.want)
		}
	}
}

func TestCsvWriterErrors(t *testing.T) {
	s := tensor.Open()
	defer s.Close()
	out := lighter.Output{"pred": lighter.List{1.0, 2.0}, "target": lighter.List{1.0}}
	for _, c := range []struct {
		keys []string
		want string
	}{
		{[]string{"nope"}, "CsvWriter: none of the configured keys ['nope'] were found in outputs. Available keys in outputs: ['pred', 'target']"},
		{[]string{"pred", "nope"}, "CsvWriter expected key 'nope' in outputs but it was missing."},
		{[]string{"pred", "target"}, "CsvWriter found inconsistent lengths for keys: expected 2, but found 1 for key 'target'."},
	} {
		if _, err := predict(t, c.keys, out); err == nil || err.Error() != c.want {
			t.Errorf("%q: got %v, want %s", c.keys, err, c.want)
		}
	}
	if err := (CSVWriter{Path: "p.csv", Keys: []string{}}).Validate(); err == nil {
		t.Error("an empty list of keys was accepted")
	}
}

// A predict that fails leaves the predictions of an earlier one as they are, and nothing of its own.
func TestCsvWriterFailedRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.csv")
	must(t, os.WriteFile(path, []byte("old"), 0o666))
	built, log := build(t, CSVWriter{Path: path, Keys: []string{"a"}})
	w := built.(*csvWriter)
	tr := &callbacktest.Trainer{Command: "predict", InMode: lighter.Predict}
	must(t, w.Setup(tr))
	must(t, w.BatchEnd(tr, lighter.Output{"a": 1.0}, 0))
	must(t, w.StageEnd(tr))
	must(t, w.Close())
	if got := read(t, path); got != "old" || len(filesIn(filepath.Dir(path))) != 1 {
		t.Errorf("left %q and files %q", got, filesIn(filepath.Dir(path)))
	}
	if !strings.Contains(log.String(), path+" already exists, existing predictions will be overwritten.") {
		t.Errorf("no warning: %s", log)
	}
}

func TestCsvWriterOnlyPredicts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.csv")
	built, _ := build(t, CSVWriter{Path: path, Keys: []string{"a"}})
	w := built.(*csvWriter)
	tr := &callbacktest.Trainer{InMode: lighter.Train}
	must(t, w.Setup(tr))
	must(t, w.BatchEnd(tr, lighter.Output{"a": 1.0}, 0))
	must(t, w.EpochEnd(tr))
	must(t, w.StageEnd(tr))
	if files := filesIn(filepath.Dir(path)); len(files) != 0 {
		t.Errorf("a fit wrote %q", files)
	}
}
