package lighter

import "github.com/lighter-go/lighter/tensor"

// DefaultRand draws from the default generator, as the Python functions do: a seed gives the same numbers.
type DefaultRand struct{}

func drawn(make func() tensor.Tensor) float64 {
	s := tensor.Open()
	defer s.Close()
	return make().Item()
}

// Uniform implements [Rand].
func (DefaultRand) Uniform(low, high float64) float64 {
	return drawn(func() tensor.Tensor {
		return tensor.CallOne("uniform_", tensor.Empty([]int64{1}, tensor.Float32, tensor.Device{}), low, high)
	})
}

// Int implements [Rand].
func (DefaultRand) Int(low, high int64) int64 {
	s := tensor.Open()
	defer s.Close()
	return tensor.CallOne("randint", low, high, []int64{1}, tensor.Kwarg{Name: "dtype", Value: tensor.Int64}).Int()
}

// Perm implements [Rand].
func (DefaultRand) Perm(n int) []int64 {
	s := tensor.Open()
	defer s.Close()
	return tensor.Values[int64](tensor.CallOne("randperm", n, tensor.Kwarg{Name: "dtype", Value: tensor.Int64}))
}

// Choice implements [Rand].
func (DefaultRand) Choice(weights []float64) int {
	s := tensor.Open()
	defer s.Close()
	return int(tensor.CallOne("multinomial", float32s(weights), 1).Int())
}

// Dirichlet implements [Rand].
func (DefaultRand) Dirichlet(alpha []float64) []float64 {
	s := tensor.Open()
	defer s.Close()
	return tensor.Values[float64](tensor.CallOne("_sample_dirichlet", float32s(alpha)))
}

func float32s(v []float64) tensor.Tensor {
	return tensor.FromSlice(v, int64(len(v))).To(tensor.Device{}, tensor.Float32)
}

// UniformTensor implements [Rand].
func (DefaultRand) UniformTensor(shape ...int64) tensor.Tensor { return tensor.CallOne("rand", shape) }

// NormalTensor implements [Rand].
func (DefaultRand) NormalTensor(shape ...int64) tensor.Tensor {
	return tensor.CallOne("normal_", tensor.Empty(shape, tensor.Float32, tensor.Device{}))
}
