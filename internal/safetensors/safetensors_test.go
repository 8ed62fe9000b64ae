package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lighter-go/lighter/internal/torchfile"
)

// goldens are files that Python's safetensors wrote, with what it reads in them as text: see testdata/make.py.
var goldens = []string{"dtypes", "module"}

// render is what make.py prints of a file.
func render(t testing.TB, f *File) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(f.Metadata)) {
		fmt.Fprintf(&b, "%s=%s\n", k, f.Metadata[k])
	}
	tensors := slices.Clone(f.Tensors)
	slices.SortFunc(tensors, func(a, b Tensor) int { return strings.Compare(a.Name, b.Name) })
	for _, x := range tensors {
		data, err := x.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %v %s %x\n", x.Name, x.DType, strings.ReplaceAll(fmt.Sprint(x.Shape), " ", ", "), data)
	}
	return b.String()
}

func golden(t testing.TB, name string) []byte {
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestPythonsFiles reads what Python wrote, and writes it as Python did, to the byte.
func TestPythonsFiles(t *testing.T) {
	for _, name := range goldens {
		t.Run(name, func(t *testing.T) {
			f, err := Open(filepath.Join("testdata", name+".safetensors"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if got, want := render(t, f), string(golden(t, name+".txt")); got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
			slices.Reverse(f.Tensors)
			path := filepath.Join(t.TempDir(), "x.safetensors")
			if err := Save(path, f.Tensors, f.Metadata); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if want := golden(t, name+".safetensors"); !bytes.Equal(got, want) {
				t.Errorf("wrote\n%q\nPython writes\n%q", got, want)
			}
		})
	}
}

// file is a file of a header and as many bytes after it.
func file(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

// tensor is an entry of a header.
func tensor(name, dtype, shape string, begin, end uint64) string {
	return fmt.Sprintf(`%q:{"dtype":%q,"shape":%s,"data_offsets":[%d,%d]}`, name, dtype, shape, begin, end)
}

// many is a header of n tensors that all lie in the same bytes, as in the format's own collection of attacks.
func many(n int) string {
	entries := make([]string, n)
	for i := range entries {
		entries[i] = tensor(fmt.Sprintf("weight_%d", i), "F32", "[200,200]", 0, 160000)
	}
	return "{" + strings.Join(entries, ",") + "}"
}

func TestRefusals(t *testing.T) {
	sound := golden(t, "module.safetensors")
	claim := func(n uint64) []byte { return append(binary.LittleEndian.AppendUint64(nil, n), sound[8:]...) }
	one := tensor("a", "F32", "[2]", 0, 8)
	for _, c := range []struct {
		name string
		data []byte
		is   error
		want string
	}{
		{"empty", nil, ErrDamaged, "0 bytes"},
		{"another file", []byte("PK\x03\x04 a zip archive"), ErrNotSafetensors, "begins with"},
		{"white space first", file(" {"+one+"}", 8), ErrNotSafetensors, "begins with"},
		{"a header beyond the file", claim(1 << 20), ErrDamaged, "a header of 1048576 bytes"},
		{"a header of 2^63", claim(1<<64 - 1), ErrDamaged, "100000000 is the most"},
		{"a header cut short", claim(40), ErrDamaged, "not JSON"},
		{"a header that takes data", claim(uint64(len(sound)) - 8), ErrDamaged, "not JSON"},
		{"no object", file(`{"a":1}`, 0), ErrDamaged, "is not an object"},
		{"text that is not UTF-8", file("{\"\xff\":{}}", 0), ErrDamaged, "not JSON"},
		{"two names", file("{"+one+","+one+"}", 8), ErrDamaged, `two keys "a"`},
		{"two names by an escape", file("{"+one+","+strings.Replace(one, `"a"`, `"\u0061"`, 1)+"}", 8), ErrDamaged, `two keys "a"`},
		{"two shapes", file(`{"a":{"dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1]}}`, 1), ErrDamaged, `two keys "shape"`},
		{"another case", file(`{"a":{"DType":"U8","shape":[1],"data_offsets":[0,1]}}`, 1), ErrDamaged, "needs dtype"},
		{"no dtype", file(`{"a":{"shape":[1],"data_offsets":[0,1]}}`, 1), ErrDamaged, "needs dtype, shape and data_offsets"},
		{"a hole", file("{"+one+","+tensor("b", "F32", "[1]", 12, 16)+"}", 16), ErrDamaged, `tensor "b" begins at byte 12 where 8 is next`},
		{"a hole at the start", file("{"+tensor("a", "F32", "[1]", 4, 8)+"}", 8), ErrDamaged, "begins at byte 4 where 0"},
		{"bytes after the last", file("{"+one+"}", 9), ErrDamaged, "1 bytes belong to no tensor"},
		{"an overlap", file("{"+one+","+tensor("b", "F32", "[1]", 4, 8)+"}", 8), ErrDamaged, "no overlap"},
		{"the same bytes many times", file(many(2000), 160000), ErrDamaged, "no overlap"},
		{"beyond the file", file("{"+tensor("a", "F32", "[4]", 0, 16)+"}", 8), ErrDamaged, "ends at byte 16 of 8"},
		{"backwards", file("{"+tensor("a", "U8", "[0]", 8, 0)+"}", 8), ErrDamaged, "its place is from 8 to 0"},
		{"a shape of other bytes", file("{"+tensor("a", "F32", "[3]", 0, 8)+"}", 8), ErrDamaged, "takes 12 bytes"},
		{"a product that wraps", file("{"+tensor("a", "F32", "[4294967296,4294967296,2]", 0, 8)+"}", 8), ErrDamaged, "too large"},
		{"a product that wraps to it", file("{"+tensor("a", "U8", "[4611686018427387904,4,2]", 0, 0)+"}", 0), ErrDamaged, "too large"},
		{"a negative size", file("{"+tensor("a", "U8", "[-1]", 0, 0)+"}", 0), ErrDamaged, "not an integer"},
		{"a fraction", file("{"+tensor("a", "U8", "[1.0]", 0, 1)+"}", 1), ErrDamaged, "not an integer"},
		{"a size beyond int64", file("{"+tensor("a", "U8", "[18446744073709551615]", 0, 1)+"}", 1), ErrDamaged, "not an integer"},
		{"three places", file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}}`, 1), ErrDamaged, "3 data_offsets"},
		{"many dimensions", file("{"+tensor("a", "U8", "["+strings.Repeat("1,", 64)+"1]", 0, 1)+"}", 1), ErrDamaged, "more than 64"},
		{"a deep shape", file(`{"a":{"dtype":"U8","shape":`+strings.Repeat("[", 20000)+strings.Repeat("]", 20000)+`,"data_offsets":[0,1]}}`, 1), ErrDamaged, "JSON"},
		{"a type of another kind", file("{"+tensor("a", "STRING", "[1]", 0, 1)+"}", 1), nil, `type "STRING", which lighter does not read`},
		{"half bytes", file("{"+tensor("a", "F4", "[2]", 0, 1)+"}", 1), nil, `type "F4"`},
		{"metadata of numbers", file(`{"__metadata__":{"a":1}}`, 0), ErrDamaged, "not a text"},
		{"metadata twice", file(`{"__metadata__":{},"__metadata__":{}}`, 0), ErrDamaged, "two keys"},
		{"metadata with a name twice", file(`{"__metadata__":{"a":"b","a":"c"}}`, 0), ErrDamaged, "two keys"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Read(bytes.NewReader(c.data), int64(len(c.data)))
			if err == nil || !strings.Contains(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("error %v, want one that is %v and holds %q", err, c.is, c.want)
			}
		})
	}
}

func TestWhatIsAllowed(t *testing.T) {
	for name, header := range map[string]string{
		"nothing":             "{}",
		"padding":             "{}       ",
		"null metadata":       `{"__metadata__":null}`,
		"an unknown field":    `{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"more":{"x":[1]}}}`,
		"empty tensors":       "{" + tensor("a", "F32", "[0,3]", 0, 0) + "," + tensor("b", "F32", "[0]", 0, 0) + "}",
		"an empty large one":  "{" + tensor("a", "F32", "[0,1000000]", 0, 0) + "}",
		"a key named as such": "{" + tensor("dtype", "U8", "[0]", 0, 0) + "}",
	} {
		t.Run(name, func(t *testing.T) {
			data := file(header, 0)
			if _, err := Read(bytes.NewReader(data), int64(len(data))); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTruncationIsFound(t *testing.T) {
	data := golden(t, "module.safetensors")
	for n := range data {
		if _, err := Read(bytes.NewReader(data[:n]), int64(n)); err == nil {
			t.Fatalf("cut to %d of %d bytes, it opens", n, len(data))
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	x := torchfile.NewTensor(torchfile.Uint8, []int64{1}, []byte{1})
	for _, c := range []struct {
		name    string
		tensors []Tensor
		want    string
	}{
		{"two names", []Tensor{{"a", x}, {"a", x}}, `two tensors are named "a"`},
		{"the key of metadata", []Tensor{{"__metadata__", x}}, "cannot be named"},
		{"text that is not UTF-8", []Tensor{{"\xff", x}}, "cannot be named"},
		{"another type", []Tensor{{"a", torchfile.NewTensor(torchfile.Complex128, []int64{1}, make([]byte, 16))}}, "complex128"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := Write(&b, c.tensors, nil); err == nil || !strings.Contains(err.Error(), c.want) || b.Len() > 0 {
				t.Errorf("error %v after %d bytes, want one that holds %q and none", err, b.Len(), c.want)
			}
		})
	}
}

// FuzzRead: no file makes Read panic; what it accepts is written and read back as the same.
func FuzzRead(f *testing.F) {
	for _, name := range goldens {
		f.Add(golden(f, name+".safetensors"))
	}
	f.Add(file("{"+tensor("a", "F32", "[0,3]", 0, 0)+`,"__metadata__":null}`, 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := Read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := Write(&b, x.Tensors, x.Metadata); err != nil {
			t.Fatal(err)
		}
		again, err := Read(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := render(t, again), render(t, x); got != want {
			t.Errorf("written and read back: %s\nwas %s", got, want)
		}
	})
}
