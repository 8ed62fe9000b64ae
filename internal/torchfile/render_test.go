package torchfile

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// render is the text that testdata/torchfile.py makes of the same value, so
// that what the two languages hold can be compared.
func render(t testing.TB, v any) string {
	return (&renderer{t: t, storages: map[*Storage]int{}}).value(v)
}

type renderer struct {
	t        testing.TB
	storages map[*Storage]int
}

func (r *renderer) many(vs []any) string {
	s := make([]string, len(vs))
	for i, v := range vs {
		s[i] = r.value(v)
	}
	return strings.Join(s, ", ")
}

func (r *renderer) value(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return r.bool(v)
	case int, int64, *big.Int:
		return fmt.Sprint(v)
	case float64:
		return fmt.Sprintf("f%016x", math.Float64bits(v))
	case string:
		return fmt.Sprintf("%d:%s", len(v), v)
	case []byte:
		return fmt.Sprintf("b%x", v)
	case Size:
		return "size" + r.ints(v)
	case []any:
		return "[" + r.many(v) + "]"
	case Tuple:
		return "(" + r.many(v) + ")"
	case Set:
		return "set(" + r.many(v) + ")"
	case *Dict:
		kind := map[DictKind]string{OrderedDict: "ordered", Counter: "counter"}[v.Kind]
		var items []string
		for k, x := range v.All() {
			items = append(items, r.value(k)+": "+r.value(x))
		}
		s := kind + "{" + strings.Join(items, ", ") + "}"
		if v.Attrs.Len() > 0 {
			s += "@" + r.value(v.Attrs)
		}
		return s
	case DType:
		return "<" + v.String() + ">"
	case Device:
		return "<" + string(v) + ">"
	case Class:
		return "<" + string(v) + ">"
	case *Tensor:
		at, ok := r.storages[v.Storage]
		if !ok {
			at = len(r.storages)
			r.storages[v.Storage] = at
		}
		b, err := v.Bytes()
		if err != nil {
			r.t.Fatalf("bytes of a tensor: %v", err)
		}
		kind := "tensor"
		if v.Parameter {
			kind = "parameter"
		}
		return fmt.Sprintf("%s(%v %s %s %d %s in %d: %x)", kind, v.DType, r.ints(v.Shape), r.ints(v.strides()), v.Offset, r.bool(v.RequiresGrad), at, b)
	}
	r.t.Fatalf("a value of type %T in a checkpoint", v)
	return ""
}

func (r *renderer) bool(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

func (r *renderer) ints(n []int64) string {
	return "[" + r.many(ints(n)) + "]"
}

// read opens one of testdata's files, made by PyTorch.
func read(t testing.TB, name string) any {
	f, err := Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f.Root
}

func testFile(t testing.TB, name string) []byte {
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// le is the bytes of float32 numbers as a tensor has them.
func le(f ...float32) []byte {
	var b []byte
	for _, x := range f {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}
