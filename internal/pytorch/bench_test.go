package pytorch

import (
	"testing"

	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

const benchSetup = `
x = torch.ones(32, 64)
y = torch.ones(32, 1)
k = torch.zeros(32, dtype=torch.int64)
n = [torch.ones(128, 64) * 0.01, torch.zeros(128), torch.ones(10, 128) * 0.01, torch.zeros(10)]
w = [p.requires_grad_() for p in n]
F = torch.nn.functional
small = torch.ones(4)
`

func benchmark(b *testing.B, body string) {
	s := tensor.Open()
	defer s.Close()
	f, inputs, err := functionOf(b, benchSetup, body)
	if err != nil {
		b.Fatal(err)
	}
	step := func() {
		s := tensor.Open()
		defer s.Close()
		if _, err := f.Call(inputs, nil); err != nil {
			b.Fatal(err)
		}
	}
	step()
	b.ReportAllocs()
	for b.Loop() {
		step()
	}
}

// BenchmarkStep is the forward and backward of a small network in code of files, beside the raw calls.
func BenchmarkStep(b *testing.B) {
	b.Run("code", func(b *testing.B) {
		benchmark(b, "h = torch.relu(F.linear(x, w[0], w[1]))\nout = F.linear(h, w[2], w[3])\nloss = F.cross_entropy(out, k)\nloss.backward()\nreturn loss")
	})
	b.Run("raw", func(b *testing.B) {
		s := tensor.Open()
		defer s.Close()
		x, k := tensor.Ones([]int64{32, 64}, tensor.Float32, tensor.Device{}), tensor.Zeros([]int64{32}, tensor.Int64, tensor.Device{})
		leaf := func(shape ...int64) tensor.Tensor {
			return tensor.Ones(shape, tensor.Float32, tensor.Device{}).MulScalar(0.01).SetRequiresGrad(true)
		}
		w0, w1, w2, w3 := leaf(128, 64), leaf(128), leaf(10, 128), leaf(10)
		for b.Loop() {
			s := tensor.Open()
			h := tensor.Linear(x, w0, w1).Relu()
			tensor.CrossEntropy(tensor.Linear(h, w2, w3), k, tensor.Tensor{}, tensor.ReduceMean, -100, 0).Backward()
			s.Close()
		}
	})
}

// BenchmarkOperation is what single operations on four elements cost, from code of files and raw.
func BenchmarkOperation(b *testing.B) {
	for _, c := range []struct{ name, body string }{
		{"none", "return y"}, {"add", "return y + y"}, {"number", "return y * 2"}, {"method", "return y.sum(dim=1)"}, {"view", "return y.view(-1)"},
		{"function", "return torch.relu(y)"}, {"functional", "return F.relu(y)"}, {"index", "return y[0]"}, {"slice", "return y[:, 1:]"}, {"shape", "return y.shape[0]"},
		{"set", "y[0] = 0\nreturn y"}, {"compare", "return y == 1"}, {"item", "return float(y[0, 0])"},
	} {
		b.Run(c.name, func(b *testing.B) { benchmark(b, c.body) })
	}
	b.Run("raw add", func(b *testing.B) {
		s := tensor.Open()
		defer s.Close()
		y := tensor.Ones([]int64{32, 1}, tensor.Float32, tensor.Device{})
		for b.Loop() {
			s := tensor.Open()
			y.Add(y)
			s.Close()
		}
	})
	b.Run("host add", func(b *testing.B) {
		s := tensor.Open()
		defer s.Close()
		y := tensor.Ones([]int64{32, 1}, tensor.Float32, tensor.Device{})
		b.ReportAllocs()
		for b.Loop() {
			s := tensor.Open()
			objects{}.Binary("+", y, y)
			s.Close()
		}
	})
}

var _ expr.Host = language{}
