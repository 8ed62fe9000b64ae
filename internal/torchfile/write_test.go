package torchfile

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"math"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// sample holds every kind of value that can be written.
func sample() *Dict {
	storage := NewStorage(le(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11))
	param := &Tensor{DType: Float32, Shape: []int64{2}, Storage: NewStorage(le(1.5, -2.5)), RequiresGrad: true, Parameter: true}
	state := NewDict("network.0.weight", param)
	state.Kind = OrderedDict
	state.Attrs = NewDict("_metadata", NewDict("", NewDict("version", 1)))
	count := NewDict(30, 1)
	count.Kind = Counter
	every := NewDict()
	for d := Float32; d.Valid(); d++ {
		every.Set(d.String(), NewTensor(d, []int64{2}, append([]byte{1}, make([]byte, 2*d.Size()-1)...)))
	}
	many := []any{}
	for i := range 300 { // more than one byte counts in the memo
		many = append(many, strings.Repeat("n", i), NewDict(i, i))
	}
	return NewDict(
		"none", nil, "bools", Tuple{true, false}, "float", []any{0.5, math.Inf(1), math.Copysign(0, -1)},
		"ints", []any{0, 255, 256, 65535, 65536, -1, math.MinInt32, math.MaxInt32 + 1, int64(math.MaxInt64), int64(math.MinInt64),
			new(big.Int).Lsh(big.NewInt(1), 63), new(big.Int).Neg(new(big.Int).Lsh(big.NewInt(1), 2000)), big.NewInt(-128)},
		"text", "naïve ✓ 𝄞", "", "empty key", "bytes", []byte{0, 127, 128, 255}, "tuples", Tuple{Tuple{}, Tuple{1}, Tuple{1, 2, 3}, Tuple{1, 2, 3, 4}},
		"list", []any{}, "set", Set{7}, "size", Size{2, 3}, "dtype", BFloat16, "device", Device("cuda:1"), "counter", count,
		"state_dict", state, "tied", param, 5, "integer key", "state", NewDict(0, NewDict("step", NewTensor(Float32, nil, le(3)))),
		"base", &Tensor{DType: Float32, Shape: []int64{3, 4}, Storage: storage},
		"view", &Tensor{DType: Float32, Shape: []int64{2, 2}, Stride: []int64{4, 2}, Offset: 4, Storage: storage},
		"row", &Tensor{DType: Float32, Shape: []int64{4}, Stride: []int64{1}, Offset: 4, Storage: storage},
		"void", NewTensor(Float32, []int64{0, 3}, nil), "every", every, "many", many,
		"lazy", &Tensor{DType: Int8, Shape: []int64{5}, Storage: LazyStorage(5, func(dst []byte) error { copy(dst, "bytes"); return nil })},
	)
}

func write(t testing.TB, root any) []byte {
	var b bytes.Buffer
	if err := Write(&b, root); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readBytes(t testing.TB, data []byte) any {
	root, err := Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func TestRoundTrip(t *testing.T) {
	want := render(t, sample())
	data := write(t, sample())
	if got := render(t, readBytes(t, data)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if again := write(t, sample()); !bytes.Equal(data, again) {
		t.Error("the same values gave other bytes")
	}
	if copied := write(t, readBytes(t, data)); !bytes.Equal(data, copied) {
		t.Error("a file that is read and written again is another")
	}
}

// TestLightningRoundTrip: nothing of Lightning's file is lost on the way through.
func TestLightningRoundTrip(t *testing.T) {
	root := read(t, "lightning.ckpt")
	if got, want := render(t, readBytes(t, write(t, root))), render(t, root); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestArchiveLayout(t *testing.T) {
	data := write(t, sample())
	zr, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	records := map[string]int{}
	for _, f := range zr.File {
		off, err := f.DataOffset()
		if err != nil || off%64 != 0 || f.Method != zip.Store {
			t.Errorf("record %s begins at %d (%v), method %d", f.Name, off, err, f.Method)
		}
		r, _ := f.Open()
		if _, err := io.Copy(io.Discard, r); err != nil { // checks the checksum
			t.Errorf("record %s: %v", f.Name, err)
		}
		records[strings.TrimRight(f.Name, "0123456789")]++
	}
	// base, view and row share one storage; the parameter and its tie another.
	storages := 1 + 1 + 1 + 1 + len(dtypes) - 1 + 1
	for name, n := range map[string]int{"archive/data.pkl": 1, "archive/byteorder": 1, "archive/version": 1, "archive/.data/serialization_id": 1, "archive/data/": storages} {
		if records[name] != n {
			t.Errorf("%d records %s, want %d", records[name], name, n)
		}
	}
}

func TestRefusedValues(t *testing.T) {
	bad := errors.New("device lost")
	loop := NewDict()
	loop.Set("self", loop)
	deep := any(nil)
	for range 2000 {
		deep = []any{deep}
	}
	shared := NewStorage(make([]byte, 8))
	for _, c := range []struct {
		name string
		root any
		want string
	}{
		{"type", NewDict("a", struct{}{}), "type struct {}"},
		{"class", Class("os.system"), "type torchfile.Class"},
		{"key", NewDict(Tuple{1}, 1), "Tuple cannot be a dict's key"},
		{"text", "\xff", "not UTF-8"},
		{"integer", new(big.Int).Lsh(big.NewInt(1), 2040), "too large"},
		{"loop", loop, "holds itself"},
		{"deep", deep, "nested more than"},
		{"attributes", &Dict{Attrs: NewDict("a", 1)}, "only an OrderedDict"},
		{"data type", NewTensor(0, nil, nil), "unknown data type"},
		{"no storage", &Tensor{DType: Int8}, "no storage"},
		{"shape", NewTensor(Float32, []int64{2}, le(1)), "beyond its storage"},
		{"ragged", NewTensor(Float32, []int64{1}, make([]byte, 7)), "7 bytes cannot hold float32"},
		{"two data types", Tuple{&Tensor{DType: Int8, Storage: shared}, &Tensor{DType: Uint8, Storage: shared}}, "share a storage"},
		{"lazy error", &Tensor{DType: Int8, Storage: LazyStorage(1, func([]byte) error { return bad })}, `writing record "archive/data/0": device lost`},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Write(io.Discard, c.root)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that holds %q", err, c.want)
			}
			path := filepath.Join(t.TempDir(), "x.ckpt")
			if err := Save(path, c.root); err == nil {
				t.Error("Save gives no error")
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(left) > 0 {
				t.Errorf("a failed save leaves %v", left)
			}
		})
	}
}

// python runs testdata/torchfile.py under the interpreter named in the environment.
func python(t *testing.T, args ...string) string {
	interpreter := os.Getenv("LIGHTER_PYTHON")
	if interpreter == "" {
		t.Skip("LIGHTER_PYTHON does not name a Python with torch")
	}
	cmd := exec.Command(interpreter, append([]string{"testdata/torchfile.py"}, args...)...)
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		errors.As(err, &exit)
		t.Fatalf("%v: %v\n%s", cmd, err, exit.Stderr)
	}
	return strings.TrimSpace(string(out))
}

// TestPythonOpensOurs: torch.load(weights_only=True) sees the values we wrote.
func TestPythonOpensOurs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ours.ckpt")
	if err := Save(path, sample()); err != nil {
		t.Fatal(err)
	}
	if got, want := python(t, "render", path), render(t, sample()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestLightningResumesFromOurs: the last two of four epochs from our copy of the
// file that Lightning wrote after two end with the loss Lightning's own file leads to.
func TestLightningResumesFromOurs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ours.ckpt")
	if err := Save(path, read(t, "lightning.ckpt")); err != nil {
		t.Fatal(err)
	}
	last := func(how, file string) string {
		out := python(t, how, file)
		return out[strings.LastIndex(out, "\n")+1:]
	}
	got, want := last("resume", path), last("trust", "testdata/lightning.ckpt")
	if got != want || !strings.HasPrefix(got, "resumed 8 ") {
		t.Errorf("resuming from our file: %q, from Lightning's: %q", got, want)
	}
}
