package model

import (
	"math"

	"github.com/lighter-go/lighter/tensor"
)

// resetWeight initialises the weight, then the bias, of a linear or convolutional layer as PyTorch's reset_parameters
// does: kaiming_uniform_(weight, a=√5), and the bias from U(-1/√fan_in, 1/√fan_in). Bias may be undefined.
func resetWeight(weight, bias tensor.Tensor, fanIn int64) {
	if weight.Numel() > 0 {
		gain := math.Sqrt(2 / (1 + math.Pow(math.Sqrt(5), 2)))
		std := gain / math.Sqrt(float64(fanIn))
		uniform(weight, math.Sqrt(3)*std)
	}
	if !bias.Defined() {
		return
	}
	bound := 0.0
	if fanIn > 0 {
		bound = 1 / math.Sqrt(float64(fanIn))
	}
	uniform(bias, bound)
}

// uniform draws t's elements from U(-bound, bound).
func uniform(t tensor.Tensor, bound float64) {
	s := tensor.Open()
	defer s.Close()
	tensor.Call("uniform_", t, -bound, bound)
}

// normal draws t's elements from N(0, 1).
func normal(t tensor.Tensor) {
	s := tensor.Open()
	defer s.Close()
	tensor.Call("normal_", t)
}

// fans are the number of inputs and of outputs of a weight: its second and first size, times the rest.
func fans(t tensor.Tensor) (in, out int64) {
	shape, field := t.Shape(), int64(1)
	for _, d := range shape[2:] {
		field *= d
	}
	return shape[1] * field, shape[0] * field
}

// xavierUniform is torch.nn.init.xavier_uniform_, xavierNormal xavier_normal_, both with gain 1.
func xavierUniform(t tensor.Tensor) {
	in, out := fans(t)
	tensor.NoGrad(func() { uniform(t, math.Sqrt(3)*math.Sqrt(2/float64(in+out))) })
}

func xavierNormal(t tensor.Tensor) {
	in, out := fans(t)
	tensor.NoGrad(func() {
		s := tensor.Open()
		defer s.Close()
		tensor.Call("normal_", t, 0.0, math.Sqrt(2/float64(in+out)))
	})
}
