package files

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// csvOf is the dataset of a file with the text given.
func csvOf(t testing.TB, text string, arguments m) m {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.csv")
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	x := m{"_target_": "lighter.datasets.CSV", "path": path}
	for k, v := range arguments {
		x[k] = v
	}
	return x
}

func TestCSVSamples(t *testing.T) {
	const named = "a,b,label\n1,2.5,0\n3,4e0,1\n-5,6,1\n"
	for _, c := range []struct {
		name      string
		text      string
		arguments m
		want      []string
		last      []float64 // of the first sample
	}{
		{"all columns", named, nil, []string{"float32[3 3]"}, []float64{1, 2.5, 0}},
		{"a class", named, m{"target": "label"}, []string{"float32[3 2]", "int64[3]"}, []float64{0}},
		{"a real target", named, m{"target": "b"}, []string{"float32[3 2]", "float32[3]"}, []float64{2.5}},
		{"a target that is float32", named, m{"target": "label", "target_dtype": "torch.float32"}, []string{"float32[3 2]", "float32[3]"}, []float64{0}},
		{"a scaled target", named, m{"target": "a", "target_ops": []any{m{"sub": 4}, m{"div": 2}}}, []string{"float32[3 2]", "float32[3]"}, []float64{-1.5}},
		{"a target with a dimension", named, m{"target": []any{"label"}, "input": []any{"b", 0}}, []string{"float32[3 2]", "int64[3 1]"}, []float64{0}},
		{"one input", named, m{"input": "a", "target": 2}, []string{"float32[3]", "int64[3]"}, []float64{0}},
		{"no header", "1,2\n3,4\n", m{"target": 1}, []string{"float32[2 1]", "int64[2]"}, []float64{2}},
		{"names that are numbers", "1,2\n3,4\n", m{"header": true, "target": "2"}, []string{"float32[1 1]", "int64[1]"}, []float64{4}},
		{"rows", named, m{"start": 1, "stop": -1}, []string{"float32[1 3]"}, []float64{3, 4, 1}},
		{"another delimiter", "a;b\n1; 2\n", m{"delimiter": ";"}, []string{"float32[1 2]"}, []float64{1, 2}},
		{"tabs, quotes, a byte order mark and Windows' line ends", "\xef\xbb\xbfa\t\"b c\"\r\n1\t\"2\"\r\n", m{"delimiter": "\t", "target": "b c"}, []string{"float32[1 1]", "int64[1]"}, []float64{2}},
		{"text in a column that is not used", "id,x,y\nq,1,2\n", m{"input": "x", "target": "y"}, []string{"float32[1]", "int64[1]"}, []float64{2}},
		{"a shape", "1,2,3,4\n", m{"input_shape": []any{1, 2, 2}}, []string{"float32[1 1 2 2]"}, []float64{1, 2, 3, 4}},
		{"the last line without its end", "1,2\n3,4", nil, []string{"float32[2 2]"}, []float64{1, 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tensortest.Scope(t)
			batch := whole(t, mustBuild[lighter.Dataset](t, csvOf(t, c.text, c.arguments)))
			var got []string
			for _, x := range batch {
				got = append(got, x.String())
			}
			equal(t, "tensors", got, c.want)
			equal(t, "first sample's last tensor", tensor.Values[float64](batch[len(batch)-1].Select(0, 0)), c.last)
		})
	}
}

// A number goes through float64, as in NumPy and pandas: 1+2^-24+2^-60 is rounded twice.
func TestCSVRoundsAsNumPy(t *testing.T) {
	tensortest.Scope(t)
	x := whole(t, mustBuild[lighter.Dataset](t, csvOf(t, "1.00000005960464477626\n", nil)))[0]
	equal(t, "float32", tensor.Values[float32](x)[0], float32(1))
}

func TestCSVErrors(t *testing.T) {
	tensortest.Scope(t)
	for _, c := range []struct {
		text      string
		arguments m
		want      string
	}{
		{"a,b\n1,2\n3\n", nil, "x.csv:3:1: the row has 1 cells, but the rows before have 2"},
		{"a,b\n1,2\n3,4,5\n", nil, "x.csv:3:1: the row has 3 cells, but the rows before have 2"},
		{"a,b\n1,2\n3,four\n", nil, `x.csv:3:3: "four" is no number, in row 1 of column "b"`},
		{"1,2\n3,0x4\n", nil, `x.csv:2:3: "0x4" is no number, in row 1 of column 1`},
		{"a,b\n1,\n", nil, `x.csv:2:3: the cell is missing, in row 0 of column "b"`},
		{"a,b\n1,NaN\n", nil, `x.csv:2:3: the cell is missing, in row 0 of column "b"`},
		{"a,b\n1,1e999\n", nil, `x.csv:2:3: "1e999" is no number`},
		{"a,b\n1,\"2\n", nil, "x.csv:2:3: extraneous or missing"},
		{"a,b\n1,2.5\n", m{"target": "b", "target_dtype": "int64"}, `2.5 in row 0 of column "b" is no whole number, as int64 asks for`},
		{"alpha,beta\n1,2\n", m{"target": "alpah"}, `there is no column "alpah", did you mean "alpha"?`},
		{"a,b\n1,2\n", m{"target": "other"}, `there is no column "other": there are "a", "b"`},
		{"a,b\n1,2\n", m{"target": 2}, "column 2 is out of range: there are 2, counted from 0"},
		{"a,b\n", nil, "has no rows"},
		{"", nil, "has no rows"},
		{"a,b\n1,2\n", m{"stop": 2}, "stop of lighter.datasets.CSV: is 2, but"},
		{"a,b\n1,2\n", m{"delimiter": ", "}, "must be one character"},
		{"a,b\n1,2\n", m{"input_ops": m{"div": []any{1, 2, 3}}}, "div has 3 numbers for 2 columns"},
		{"a,b\n1,2\n", m{"target": 1.5}, `must be a column's name or index, a list of them, or a range such as "0:64", got float`},
	} {
		_, err := build[lighter.Dataset](t, m{"x": csvOf(t, c.text, c.arguments)})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q %v: got %v, want %q", c.text, c.arguments, err, c.want)
		}
	}
	var data *lighter.DataError
	_, err := build[lighter.Dataset](t, m{"x": csvOf(t, "1\n2,3\n", nil)})
	if !errors.As(err, &data) {
		t.Errorf("a ragged row is no fault of the data: %v", err)
	}
	_, err = build[lighter.Dataset](t, m{"x": csvOf(t, "1,2\n", m{"target": 2})})
	if errors.As(err, &data) {
		t.Errorf("a wrong column is a fault of the data: %v", err)
	}
	_, err = build[lighter.Dataset](t, m{"x": m{"_target_": "lighter.datasets.CSV", "path": "nowhere.csv"}})
	if err == nil || !strings.Contains(err.Error(), "path of lighter.datasets.CSV: open nowhere.csv: no such file or directory") {
		t.Errorf("a missing file: got %v", err)
	}
}

func TestCSVAllowNaN(t *testing.T) {
	tensortest.Scope(t)
	d := mustBuild[lighter.Dataset](t, csvOf(t, "a,b\n1,\nnan,4\n", m{"allow_nan": true}))
	x := tensor.CallOne("isnan", whole(t, d)[0])
	equal(t, "NaN", tensor.Values[uint8](x), []uint8{0, 1, 1, 0})
}
