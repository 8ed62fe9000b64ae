package model

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	lighter.Register(parametrizations+"spectral_norm", SpectralNorm{Parametrized: Parametrized{Name: "weight"}, Iterations: 1, Eps: 1e-12})
}

// SpectralNorm is torch.nn.utils.parametrizations.spectral_norm: a weight over its largest singular value, which power iterations
// approach, some more in every forward pass of training.
type SpectralNorm struct {
	Parametrized
	Iterations int64   `cfg:"n_power_iterations" help:"power iterations a forward pass"`
	Eps        float64 `cfg:"eps" help:"least norm, against division by zero"`
	Dim        *int64  `cfg:"dim" help:"dimension of the outputs; 0, or 1 for transposed convolutions, when null"`
}

// Validate implements the registry's Validator.
func (c SpectralNorm) Validate() error {
	if c.Iterations <= 0 {
		return lighter.FieldError("n_power_iterations", "Expected n_power_iterations to be positive, but got n_power_iterations=%d", c.Iterations)
	}
	return nil
}

// Build implements the registry's Builder.
func (c SpectralNorm) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	s := tensor.Open()
	defer s.Close()
	weight, err := c.parameterOf()
	if err != nil {
		return nil, err
	}
	dims := weight.Dim()
	t := &spectral{c: c}
	setTransformClass(&t.Node, "_SpectralNorm")
	switch {
	case c.Dim != nil:
		t.dim = *c.Dim
	case isTransposed(c.Module):
		t.dim = 1
	}
	if t.dim < -int64(dims) || t.dim >= int64(dims) {
		return nil, wrongDim(t.dim, dims)
	}
	if t.dim < 0 {
		t.dim += int64(dims)
	}
	if dims > 1 {
		tensor.NoGrad(func() {
			matrix := t.matrix(weight)
			for i, v := range []*tensor.Tensor{&t.u, &t.v} {
				drawn := tensor.Empty([]int64{matrix.Size(i)}, weight.DType(), weight.Device())
				normal(drawn)
				*v = s.Return(t.normalized(drawn))
			}
			t.Buffer("_u", t.u)
			t.Buffer("_v", t.v)
			t.iterate(matrix, 15)
		})
	}
	return c.register(t)
}

type spectral struct {
	moduleList
	c    SpectralNorm
	dim  int64
	u, v tensor.Tensor // singular vectors; undefined for a weight of one dimension
}

func (m *spectral) tried() bool { return true }

func (m *spectral) inverse(w tensor.Tensor) []tensor.Tensor { return []tensor.Tensor{w} }

// matrix is a weight [outputs, everything else].
func (m *spectral) matrix(w tensor.Tensor) tensor.Tensor {
	if m.dim != 0 {
		order := []int64{m.dim}
		for d := range int64(w.Dim()) {
			if d != m.dim {
				order = append(order, d)
			}
		}
		w = tensor.CallOne("permute", w, order)
	}
	return w.Flatten(1, -1)
}

// normalized is torch.nn.functional.normalize of a vector.
func (m *spectral) normalized(x tensor.Tensor) tensor.Tensor {
	return x.Div(tensor.CallOne("clamp_min", tensor.CallOne("linalg_vector_norm", x, 2, []int64{0}, true), m.c.Eps))
}

func (m *spectral) iterate(matrix tensor.Tensor, n int64) {
	tensor.NoGrad(func() {
		for range n {
			m.u.CopyInPlace(m.normalized(tensor.CallOne("mv", matrix, m.v)))
			m.v.CopyInPlace(m.normalized(tensor.CallOne("mv", tensor.CallOne("t", matrix), m.u)))
		}
	})
}

func (m *spectral) apply(o ...tensor.Tensor) tensor.Tensor {
	w := o[0]
	if w.Dim() == 1 {
		return m.normalized(w)
	}
	matrix := m.matrix(w)
	if m.Training() {
		m.iterate(matrix, m.c.Iterations)
	}
	// Copies, so that the gradient survives the next pass's iterations.
	u, v := m.u.Clone(), m.v.Clone()
	return w.Div(tensor.CallOne("dot", u, tensor.CallOne("mv", matrix, v)))
}
