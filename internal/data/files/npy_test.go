package files

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

func npy(path string, arguments m) m {
	x := m{"_target_": "lighter.datasets.NPY", "path": path}
	for k, v := range arguments {
		x[k] = v
	}
	return x
}

type npyCase struct {
	Name   string
	File   []byte
	Shape  []int64
	Values []float64
	Error  string
}

func npyCases(t testing.TB) (cases []npyCase) {
	b, err := os.ReadFile("testdata/npy.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// Arrays of every dtype, byte order, memory order and version of the format give NumPy's numbers; a part of their rows gives the same.
func TestNPYFormats(t *testing.T) {
	for _, c := range npyCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			tensortest.Scope(t)
			path := filepath.Join(t.TempDir(), "x.npy")
			if err := os.WriteFile(path, c.File, 0o666); err != nil {
				t.Fatal(err)
			}
			complex := strings.Contains(c.Name, "c8") || strings.Contains(c.Name, "c16")
			arguments := m{"input_dtype": "float64"}
			if complex {
				arguments["input_dtype"] = "complex128"
			}
			if c.Error != "" {
				_, err := build[lighter.Dataset](t, m{"x": npy(path, arguments)})
				if err == nil || !strings.Contains(err.Error(), c.Error) {
					t.Errorf("got %v, want %q", err, c.Error)
				}
				return
			}
			values := func() ([]int64, []float64) {
				x := whole(t, mustBuild[lighter.Dataset](t, npy(path, arguments)))[0]
				if complex {
					equal(t, "imaginary part", tensor.Values[float64](tensor.CallOne("imag", x))[0], 5.0)
					x = tensor.CallOne("real", x)
				}
				return x.Shape(), tensor.Values[float64](x)
			}
			shape, got := values()
			equal(t, "shape", shape, c.Shape)
			equal(t, "values", got, c.Values)
			arguments["start"], arguments["stop"] = 1, -1
			shape, got = values()
			row := len(c.Values) / int(c.Shape[0])
			equal(t, "rows", shape[0], c.Shape[0]-2)
			equal(t, "values of the rows", got, c.Values[row:len(c.Values)-row])
		})
	}
}

func saved(t testing.TB, name string) string {
	t.Helper()
	for _, c := range npyCases(t) {
		if c.Name == name {
			path := filepath.Join(t.TempDir(), "x.npy")
			if err := os.WriteFile(path, c.File, 0o666); err != nil {
				t.Fatal(err)
			}
			return path
		}
	}
	t.Fatalf("no case %q", name)
	return ""
}

// The columns, types and shapes of a sample. The array is [[0,1,2,3],[4,5,6,120],[7,8,9,100]].
func TestNPYSamples(t *testing.T) {
	tensortest.Scope(t)
	ints, floats, three := saved(t, "<u1 Fortran"), saved(t, "<f4 C"), saved(t, "three dimensions, Fortran")
	for _, c := range []struct {
		name string
		x    m
		want []string
		last []float64 // of the first sample
	}{
		{"all columns", npy(ints, nil), []string{"float32[3 4]"}, []float64{0, 1, 2, 3}},
		{"a target", npy(ints, m{"target": 3}), []string{"float32[3 3]", "int64[3]"}, []float64{3}},
		{"a float target", npy(floats, m{"target": -1}), []string{"float32[3 3]", "float32[3]"}, []float64{3}},
		{"a scaled target", npy(ints, m{"target": 3, "target_ops": m{"div": 2}}), []string{"float32[3 3]", "float32[3]"}, []float64{1.5}},
		{"two targets", npy(ints, m{"target": []any{2, 3}}), []string{"float32[3 2]", "int64[3 2]"}, []float64{2, 3}},
		{"ranges", npy(ints, m{"input": ":2", "target": "2:", "target_dtype": "float64"}), []string{"float32[3 2]", "float64[3 2]"}, []float64{2, 3}},
		{"a shape", npy(ints, m{"input_shape": []any{1, 2, -1}, "input_dtype": "torch.int16"}), []string{"int16[3 1 2 2]"}, []float64{0, 1, 2, 3}},
		{"operands by column", npy(ints, m{"input": "1:3", "input_ops": []any{m{"sub": []any{1, 2}}, m{"div": []any{2, 4}}, m{"add": 1}}}), []string{"float32[3 2]"}, []float64{1, 1}},
		{"operations repeated", npy(ints, m{"input": 1, "input_ops": []any{m{"add": 1}, m{"mul": 3}, m{"add": 1}}}), []string{"float32[3]"}, []float64{7}},
		{"operands by channel", npy(three, m{"input_ops": m{"add": []any{10, 20, 30}}}), []string{"float32[4 3 2]"}, []float64{10, 11, 22, 23, 34, 35}},
		{"a file of targets", npy(floats, m{"target_path": ints, "stop": 2}), []string{"float32[2 4]", "int64[2 4]"}, []float64{0, 1, 2, 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tensortest.Scope(t)
			batch := whole(t, mustBuild[lighter.Dataset](t, c.x))
			var got []string
			for _, x := range batch {
				got = append(got, x.String())
			}
			equal(t, "tensors", got, c.want)
			equal(t, "first sample's last tensor", tensor.Values[float64](batch[len(batch)-1].Select(0, 0)), c.last)
		})
	}
}

func TestNPYBadArguments(t *testing.T) {
	ints, three := saved(t, "<u1 C"), saved(t, "three dimensions, Fortran")
	zip := filepath.Join(t.TempDir(), "x.npz")
	if err := os.WriteFile(zip, []byte("PK\x03\x04 and the rest"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		x    m
		want string
	}{
		{npy("nowhere.npy", nil), "path of lighter.datasets.NPY: open nowhere.npy: no such file or directory"},
		{npy(t.TempDir(), nil), "is no file"},
		{npy(zip, nil), "is no .npy file: it is a zip archive, as numpy.savez makes"},
		{npy(ints, m{"target": 4}), "column 4 is out of range: there are 4, counted from 0"},
		{npy(ints, m{"target": "digit"}), `there are no column names, so "digit" must be an index`},
		{npy(ints, m{"input": "0:9"}), "the range takes columns 0 to 9, but there are 4"},
		{npy(ints, m{"target": "0:4"}), "the target takes every column"},
		{npy(ints, m{"target": []any{}}), "at least one column is needed"},
		{npy(ints, m{"start": 3}), "start of lighter.datasets.NPY: is 3, but"},
		{npy(ints, m{"stop": 4}), "has 3 rows"},
		{npy(ints, m{"start": 2, "stop": 1}), "leaves no row"},
		{npy(ints, m{"target": 0, "target_path": ints}), "cannot be combined with target_path"},
		{npy(three, m{"target": 0}), "is an array of 3 dimensions"},
		{npy(ints, m{"target_path": three}), "has 4 rows, but"},
		{npy(ints, m{"input_shape": []any{3}}), "shape '[3]' is invalid for a sample of 4 numbers"},
		{npy(ints, m{"input_shape": []any{0}}), "sizes must be positive"},
		{npy(ints, m{"input_ops": m{"add": 1, "div": 2}}), "the keys of a mapping have no order: write a list of operations"},
		{npy(ints, m{"input_ops": m{"pow": 2}}), `unknown operation "pow": there are add, sub, mul and div`},
		{npy(ints, m{"input_ops": m{"div": 0}}), "div: is a division by zero"},
		{npy(ints, m{"input_ops": m{"div": "a"}}), "div: must be a number, got str"},
		{npy(ints, m{"input_ops": m{"div": []any{1, 2}}}), "div has 2 numbers for 4 columns"},
		{npy(ints, m{"input_dtype": "float31"}), `unknown dtype "float31"`},
	} {
		_, err := build[lighter.Dataset](t, m{"x": c.x})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want %q", c.x, err, c.want)
		}
	}
}

// NaN is refused with its place, unless it is asked for.
func TestNPYNaN(t *testing.T) {
	tensortest.Scope(t)
	path := saved(t, "<f8 C")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copy(b[len(b)-16:], []byte{0, 0, 0, 0, 0, 0, 0xf8, 0x7f})
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	_, err = build[lighter.Dataset](t, m{"x": npy(path, nil)})
	if err == nil || !strings.Contains(err.Error(), "the input holds 1 NaN, the first at [2 2]") {
		t.Errorf("got %v", err)
	}
	mustBuild[lighter.Dataset](t, npy(path, m{"allow_nan": true}))
}

func TestNPYDamage(t *testing.T) {
	for _, c := range []struct {
		change func(b []byte) []byte
		want   string
	}{
		{func(b []byte) []byte { return b[:len(b)-1] }, "is truncated: its shape [3 4]"},
		{func(b []byte) []byte { return b[:50] }, "its header has"},
		{func(b []byte) []byte { return b[:5] }, "is no .npy file"},
		{func(b []byte) []byte { b[6] = 4; return b }, "is of version 4.0"},
		{func(b []byte) []byte { return bytes.Replace(b, []byte("(3, 4)"), []byte("(3, -4)"), 1)[:len(b)] }, "shape must be a tuple of ints"},
		{func(b []byte) []byte { return bytes.Replace(b, []byte("(3, 4), }"), []byte("(3, 4)   "), 1) }, "the header is damaged"},
		{func(b []byte) []byte { return bytes.Replace(b, []byte("False"), []byte("'abc'"), 1) }, "fortran_order must be a bool"},
		{func(b []byte) []byte { return bytes.Replace(b, []byte("{'descr'"), []byte("{'descx'"), 1) }, "it holds an array of records"},
	} {
		path := saved(t, "<f4 C")
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = readNPY("x.npy", bytes.NewReader(c.change(b)), int64(len(c.change(b))))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}

// Whatever the bytes, reading ends in an error or in an array whose elements are all there.
func FuzzNPY(f *testing.F) {
	for _, c := range npyCases(f) {
		f.Add(c.File)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := readNPY("x.npy", bytes.NewReader(b), int64(len(b)))
		if err != nil || len(a.shape) == 0 {
			return
		}
		n := a.size
		for _, d := range a.shape {
			n *= d
		}
		if rows, err := a.rows(0, a.shape[0]); err == nil && int64(len(rows)) < n {
			t.Errorf("%d bytes of %d", len(rows), n)
		}
	})
}
