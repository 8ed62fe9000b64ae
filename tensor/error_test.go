package tensor_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/lighter-go/lighter/tensor"
)

func TestErrorsAreTypedAndShort(t *testing.T) {
	s := tensor.Open()
	defer s.Close()
	x := tensor.Zeros([]int64{32, 64}, tensor.Float32, tensor.Device{})
	w := tensor.Zeros([]int64{10, 128}, tensor.Float32, tensor.Device{})
	long := tensor.Zeros([]int64{32}, tensor.Int64, tensor.Device{})
	for _, c := range []struct {
		name string
		do   func()
		kind tensor.ErrorKind
		want string
	}{
		{"shapes", func() { tensor.Linear(x, w, tensor.Tensor{}) }, tensor.RuntimeError, "mat1 and mat2 shapes cannot be multiplied (32x64 and 128x10)"},
		{"dtype", func() { x.Matmul(x.Reshape(64, 32).To(tensor.Device{}, tensor.Float64)) }, tensor.RuntimeError, "same dtype"},
		{"not differentiable", func() { long.SetRequiresGrad(true) }, tensor.RuntimeError, "Only Tensors of floating point"},
		{"10 TB", func() { tensor.Zeros([]int64{10 << 40}, tensor.Uint8, tensor.Device{}) }, tensor.OutOfMemory, "can't allocate memory"},
		{"index", func() { tensor.CallOne("select", x, 0, 99) }, tensor.IndexError, "out of range"},
		{"unknown operator", func() { tensor.Call("linaer", x, w) }, tensor.UnknownOperator, `no operator of this name: did you mean "linear"?`},
		{"unknown keyword", func() { tensor.Call("softmax", x, tensor.Kwarg{Name: "dims", Value: 1}) }, tensor.BadArguments, `unknown keyword "dims", did you mean "dim"?`},
		{"backend", func() {
			sparse := tensor.CallOne("to_sparse", x)
			tensor.Call("linalg_vector_norm", sparse, 2)
		}, tensor.NotImplemented, "Could not run 'aten::linalg_vector_norm' with arguments from the 'SparseCPU' backend"},
		{"item of many", func() { x.Item() }, tensor.RuntimeError, "cannot be converted to Scalar"},
		{"bytes", func() { tensor.FromSlice([]float32{1, 2}, 3) }, tensor.ValueError, "2 elements do not fill the shape [3]"},
		{"backward twice", func() {
			l := tensor.Ones(nil, tensor.Float32, tensor.Device{}).SetRequiresGrad(true).MulScalar(2).Mul(tensor.Ones(nil, tensor.Float32, tensor.Device{}).SetRequiresGrad(true))
			l.Backward()
			l.Backward()
		}, tensor.RuntimeError, "backward through the graph a second time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := tensor.Open() // a subtest has a thread of its own
			defer s.Close()
			var e *tensor.Error
			if err := tensor.Catch(c.do); !errors.As(err, &e) {
				t.Fatalf("got %v, want a *tensor.Error", err)
			}
			if e.Kind != c.kind || !strings.Contains(e.Msg, c.want) {
				t.Errorf("got kind %d, %q; want kind %d with %q", e.Kind, e.Msg, c.kind, c.want)
			}
			if len(e.Msg) > 400 {
				t.Errorf("the message has %d characters: %q", len(e.Msg), e.Msg)
			}
			if strings.Contains(e.Full, "frame #") || strings.Contains(e.Msg, "\n") {
				t.Errorf("the error carries C++ frames or more than a line: %q", e.Full)
			}
		})
	}
}

func TestOtherPanicsGoOn(t *testing.T) {
	defer func() {
		if recover() != "mine" {
			t.Error("a panic that is no operation error must not be caught")
		}
	}()
	_ = tensor.Catch(func() { panic("mine") })
}

// Without a GPU's library its memory can't be asked for, which is an error and no crash.
func TestMemoryStatsWithoutCUDA(t *testing.T) {
	if tensor.HasNVIDIADevice() {
		t.Skip("there is a GPU")
	}
	if stats, err := tensor.CUDAMemoryStats(tensor.Device{Type: tensor.CUDA}); err == nil || !strings.Contains(err.Error(), "not open") {
		t.Errorf("got %v, %v", stats, err)
	}
}
