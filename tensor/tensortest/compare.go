package tensortest

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"testing"

	"github.com/lighter-go/lighter/tensor"
)

// Tolerance is how far PyTorch's numbers may be off: max|got-want| <= tol * max|want|.
func Tolerance(d tensor.DType) float64 {
	if d == tensor.Float64 {
		return 1e-6
	}
	return 1e-5
}

// Equal reports where got differs from want in type, shape or any bit.
func Equal(t testing.TB, what string, got tensor.Tensor, want *Tensor) {
	t.Helper()
	compare(t, what, got, want, 0)
}

// Close reports where got differs from want by more than its type's [Tolerance]; whole numbers must be equal.
func Close(t testing.TB, what string, got tensor.Tensor, want *Tensor) {
	t.Helper()
	if !got.Defined() || !got.IsFloat() {
		compare(t, what, got, want, 0)
		return
	}
	compare(t, what, got, want, Tolerance(got.DType()))
}

func compare(t testing.TB, what string, got tensor.Tensor, want *Tensor, tol float64) {
	t.Helper()
	if want == nil {
		if got.Defined() {
			t.Errorf("%s: got %v, want none", what, got)
		}
		return
	}
	if !got.Defined() || got.DType().String() != want.DType || !got.SameShape(want.Shape) {
		t.Errorf("%s: got %v, want %v", what, got, want)
		return
	}
	if want.SHA256 != "" && tol == 0 {
		if sum := sha256.Sum256(got.Bytes()); hex.EncodeToString(sum[:]) != want.SHA256 {
			t.Errorf("%s: the elements of %v differ from PyTorch's", what, want)
		}
		return
	}
	a := tensor.Values[float64](got)
	b := make([]float64, len(want.Data))
	for i, n := range want.Data {
		b[i] = n.Float()
	}
	if want.SHA256 != "" {
		a, b = digest(a), []float64{want.Sum.Float(), want.AbsSum.Float(), want.First.Float(), want.Last.Float()}
	}
	largest := 0.0
	for _, v := range b {
		if !math.IsInf(v, 0) {
			largest = math.Max(largest, math.Abs(v))
		}
	}
	for i := range b {
		same := a[i] == b[i] || math.IsNaN(a[i]) && math.IsNaN(b[i])
		if !same && !(math.Abs(a[i]-b[i]) <= tol*largest) {
			t.Errorf("%s: element %d of %v is %v, want %v", what, i, want, a[i], b[i])
			return
		}
	}
}

func digest(v []float64) []float64 {
	var sum, abs float64
	for _, x := range v {
		sum += x
		abs += math.Abs(x)
	}
	return []float64{sum, abs, v[0], v[len(v)-1]}
}
