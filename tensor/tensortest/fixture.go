package tensortest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/lighter-go/lighter/tensor"
)

// Load reads a family of cases from testdata/fixtures, whose README describes them.
func Load[T any](t testing.TB, family string) []T {
	t.Helper()
	dir := filepath.Join("testdata", "fixtures")
	for range 4 {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		dir = filepath.Join("..", dir)
	}
	data, err := os.ReadFile(filepath.Join(dir, family+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []T
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatalf("%s.json: %v", family, err)
	}
	return cases
}

// Call is a component or function with its arguments, as a configuration has them.
type Call struct {
	Target string
	Args   Arg // a []any
	Kwargs Arg // a map[string]any
}

// Arg is a decoded argument in V: nil, bool, int64, float64, string, []any, map[string]any, *[Tensor], tensor.DType or a
// [Call].
type Arg struct{ V any }

// UnmarshalJSON tells ints from floats, as Python does.
func (a *Arg) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var raw any
	if err := d.Decode(&raw); err != nil {
		return err
	}
	v, err := argOf(raw)
	a.V = v
	return err
}

func argOf(raw any) (any, error) {
	switch x := raw.(type) {
	case json.Number:
		if !strings.ContainsAny(x.String(), ".eE") {
			return x.Int64()
		}
		return x.Float64()
	case string:
		if name, ok := strings.CutPrefix(x, "torch."); ok {
			if dtype, ok := tensor.ParseDType(name); ok {
				return dtype, nil
			}
		}
		return x, nil
	case []any:
		for i := range x {
			v, err := argOf(x[i])
			if err != nil {
				return nil, err
			}
			x[i] = v
		}
		return x, nil
	case map[string]any:
		text, err := json.Marshal(x)
		if err != nil {
			return nil, err
		}
		if x["dtype"] != nil && x["shape"] != nil {
			t := &Tensor{}
			return t, json.Unmarshal(text, t)
		}
		if x["target"] != nil {
			var c Call
			return c, json.Unmarshal(text, &c)
		}
		for k := range x {
			v, err := argOf(x[k])
			if err != nil {
				return nil, err
			}
			x[k] = v
		}
		return x, nil
	}
	return raw, nil
}

// Named is an object of tensors that keeps the order of its names.
type Named struct {
	Keys    []string
	Tensors map[string]*Tensor
}

// UnmarshalJSON notes the order.
func (n *Named) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, &n.Tensors); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		n.Keys = append(n.Keys, key.(string))
		var skipped json.RawMessage
		if err := d.Decode(&skipped); err != nil {
			return err
		}
	}
	return nil
}

// Tensor is a tensor of a fixture: all its elements, or a digest of many.
type Tensor struct {
	DType       string
	Shape       []int64
	Data        []Number
	Sum, AbsSum Number
	First, Last Number
	SHA256      string
}

// UnmarshalJSON also takes the digest's abs_sum.
func (f *Tensor) UnmarshalJSON(data []byte) error {
	type plain Tensor
	var v struct {
		plain
		AbsSum Number `json:"abs_sum"`
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	*f = Tensor(v.plain)
	f.AbsSum = v.AbsSum
	return nil
}

// Number is a number of any element type, exact: ints need more than a float64.
type Number string

// UnmarshalJSON takes numbers, bools and "nan", "inf", "-inf".
func (n *Number) UnmarshalJSON(data []byte) error {
	switch s := strings.Trim(string(data), `"`); s {
	case "true":
		*n = "1"
	case "false":
		*n = "0"
	default:
		*n = Number(s)
	}
	return nil
}

// Float is the number as a float64.
func (n Number) Float() float64 {
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil {
		return math.NaN()
	}
	return f
}

// Make is the tensor itself, on the CPU. A digest has no elements to make it from.
func (f *Tensor) Make(t testing.TB) tensor.Tensor {
	t.Helper()
	dtype, ok := tensor.ParseDType(f.DType)
	if !ok || f.SHA256 != "" {
		t.Fatalf("cannot make a tensor of %s%v", f.DType, f.Shape)
	}
	if !dtype.IsFloat() {
		ints := make([]int64, len(f.Data))
		for i, n := range f.Data {
			v, err := strconv.ParseInt(string(n), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			ints[i] = v
		}
		return tensor.FromSlice(ints, f.Shape...).To(tensor.Device{}, dtype)
	}
	floats := make([]float64, len(f.Data))
	for i, n := range f.Data {
		floats[i] = n.Float()
	}
	return tensor.FromSlice(floats, f.Shape...).To(tensor.Device{}, dtype)
}

// String tells dtype and shape.
func (f *Tensor) String() string { return fmt.Sprintf("%s%v", f.DType, f.Shape) }
