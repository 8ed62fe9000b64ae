package files

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// Named arrays of NumPy's archives and of safetensors.
func TestArrays(t *testing.T) {
	tensortest.Scope(t)
	g, dir := goldens(t)
	want := make([]float64, 24)
	for i := range want {
		want[i] = float64(i)
	}
	for _, c := range []struct {
		target, file string
		arguments    m
		tensors      []string
	}{
		{"NPZ", "stored.npz", m{"input": "x", "target": "y"}, []string{"float32[4 2 3]", "int64[4]"}},
		{"NPZ", "packed.npz", m{}, []string{"float32[4 2 3]"}},
		{"NPZ", "packed.npz", m{"input": "arr_0", "input_shape": []any{6}}, []string{"float32[4 6]"}},
		{"Safetensors", "x.safetensors", m{"input": "x", "target": "y"}, []string{"float32[4 2 3]", "int64[4]"}},
	} {
		x := whole(t, mustBuild[lighter.Dataset](t, with(c.target, filepath.Join(dir, c.file), c.arguments)))
		var got []string
		for _, v := range x {
			got = append(got, v.String())
		}
		equal(t, c.file, got, c.tensors)
		equal(t, c.file, tensor.Values[float64](x[0]), want)
		c.arguments["start"], c.arguments["stop"] = 1, -1
		x = whole(t, mustBuild[lighter.Dataset](t, with(c.target, filepath.Join(dir, c.file), c.arguments)))
		equal(t, c.file, tensor.Values[float64](x[0]), want[6:18])
	}
	stored := g.Files["stored.npz"]
	flipped := []byte(strings.Replace(string(stored), "\x00\x01\x02\x03", "\x00\x01\x02\x04", 1))
	for _, c := range []struct {
		target, path string
		arguments    m
		want         string
	}{
		{"NPZ", filepath.Join(dir, "stored.npz"), nil, `holds 2 arrays: say which is the input. There are "x", "y"`},
		{"NPZ", filepath.Join(dir, "stored.npz"), m{"input": "X"}, `has no array "X": did you mean "x"?`},
		{"NPZ", filepath.Join(dir, "stored.npz"), m{"input": "x", "target": "z"}, "has no array"},
		{"NPZ", fileOf(t, "cut.npz", string(stored[:300])), nil, "cut.npz is truncated or damaged"},
		{"NPZ", fileOf(t, "flip.npz", string(flipped)), m{"input": "x"}, "flip.npz: x.npy is damaged or truncated: zip: checksum error"},
		{"NPZ", fileOf(t, "x.npz", "text"), nil, "is no .npz file"},
		{"NPZ", "nowhere.npz", nil, "no such file"},
		{"Safetensors", filepath.Join(dir, "stored.npz"), nil, "file is not a safetensors file"},
		{"Safetensors", filepath.Join(dir, "x.safetensors"), m{"input": "labels"}, `has no array "labels"`},
	} {
		_, err := build[lighter.Dataset](t, m{"x": with(c.target, c.path, c.arguments)})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %v: got %v, want %q", c.path, c.arguments, err, c.want)
		}
	}
}

// Whatever the bytes, reading an archive of arrays ends in an error or in arrays whose elements are all there.
func FuzzNPZ(f *testing.F) {
	g, _ := goldens(f)
	f.Add(g.Files["stored.npz"])
	f.Add(g.Files["packed.npz"])
	f.Fuzz(func(t *testing.T, b []byte) {
		z, err := openNPZ("x.npz", bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		for _, name := range z.names() {
			a, err := z.open(name)
			if err != nil || len(a.dims()) == 0 {
				continue
			}
			n := int64(1)
			for _, d := range a.dims() {
				n *= d
			}
			if rows, err := a.(*npyFile).rows(0, a.dims()[0]); err == nil && int64(len(rows)) < n {
				t.Errorf("%d bytes of %d elements", len(rows), n)
			}
		}
	})
}
