package model

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	lighter.Register(parametrizations+"orthogonal", Orthogonal{Parametrized: Parametrized{Name: "weight"}, UseTrivialization: true})
}

// Orthogonal is torch.nn.utils.parametrizations.orthogonal: a matrix, or a batch of them, with orthogonal columns or rows.
type Orthogonal struct {
	Parametrized
	OrthogonalMap     *string `cfg:"orthogonal_map" oneof:"matrix_exp|cayley|householder" help:"matrix_exp for a square weight, else householder, when null"`
	UseTrivialization bool    `cfg:"use_trivialization" help:"start from a matrix near the weight, which is kept beside it"`
}

// Build implements the registry's Builder.
func (c Orthogonal) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	weight, err := c.parameterOf()
	if err != nil {
		return nil, err
	}
	if weight.Dim() < 2 {
		return nil, lighter.FieldError("name", "Expected a matrix or batch of matrices. Got a tensor of %d dimensions.", weight.Dim())
	}
	t := &orthogonal{mapping: "householder", based: c.UseTrivialization}
	setTransformClass(&t.Node, "_Orthogonal")
	switch {
	case c.OrthogonalMap != nil:
		t.mapping = *c.OrthogonalMap
	case weight.Size(-1) == weight.Size(-2):
		t.mapping = "matrix_exp"
	}
	return c.register(t)
}

type orthogonal struct {
	moduleList
	mapping string
	based   bool
	base    tensor.Tensor // what the map's result is multiplied with
}

func (m *orthogonal) apply(o ...tensor.Tensor) tensor.Tensor {
	x := o[0]
	n, k := x.Size(-2), x.Size(-1)
	wide := n < k
	if wide {
		x, n, k = swapLast(x), k, n
	}
	var q tensor.Tensor
	if m.mapping == "householder" {
		a := tensor.CallOne("tril", x, -1)
		tau := tensor.CallOne("reciprocal", tensor.CallOne("sum", a.Mul(a), []int64{-2}).AddScalar(1)).MulScalar(2)
		q = tensor.CallOne("linalg_householder_product", a, tau)
		q = q.Mul(unsqueeze(diagonal(x).To(x.Device(), tensor.Int32), -2))
	} else {
		q = m.exponential(tensor.CallOne("tril", x), n, k)
	}
	if m.based {
		q = m.base.Matmul(q)
	}
	if wide {
		q = swapLast(q)
	}
	return q
}

// exponential maps a lower triangle [n, k] to the first k columns of an orthogonal matrix.
func (m *orthogonal) exponential(x tensor.Tensor, n, k int64) tensor.Tensor {
	if n != k {
		x = tensor.CallOne("pad", x, []int64{0, n - k})
	}
	a := x.Sub(swapLast(x))
	var q tensor.Tensor
	if m.mapping == "matrix_exp" {
		q = tensor.CallOne("matrix_exp", a)
	} else {
		one := tensor.CallOne("eye", n, tensor.Kwarg{Name: "dtype", Value: a.DType()}, tensor.Kwarg{Name: "device", Value: a.Device()})
		half := a.MulScalar(0.5)
		q = tensor.CallOne("linalg_solve", one.Sub(half), one.Add(half))
	}
	if n != k {
		q = q.Narrow(-1, 0, k)
	}
	return q
}

func (m *orthogonal) tried() bool { return false }

func (m *orthogonal) inverse(w tensor.Tensor) []tensor.Tensor {
	n, k := w.Size(-2), w.Size(-1)
	q, wide := w, n < k
	if wide {
		q, n, k = swapLast(q), k, n
	}
	if !m.based {
		if m.mapping != "householder" {
			return []tensor.Tensor{w} // PyTorch leaves it too: these maps have no inverse
		}
		both := tensor.Call("geqrf", q)
		a, tau := both[0].(tensor.Tensor), both[1].(tensor.Tensor)
		signs := tensor.CallOne("sign", diagonal(a))
		signs = tensor.CallOne("where", tensor.CallOne("eq", tau, 0), tensor.CallOne("neg", signs), signs)
		diagonal(a).CopyInPlace(signs)
		if wide {
			a = swapLast(a)
		}
		w.CopyInPlace(a)
		return []tensor.Tensor{w}
	}
	switch {
	case n != k:
		shape := append(append([]int64{}, q.Shape()[:q.Dim()-2]...), n, n-k)
		drawn := tensor.CallOne("randn", shape, tensor.Kwarg{Name: "dtype", Value: q.DType()}, tensor.Kwarg{Name: "device", Value: q.Device()})
		q = makeOrthogonal(tensor.Cat([]tensor.Tensor{q, drawn}, -1))
	case isOrthogonal(q):
		q = q.Clone()
	default:
		q = makeOrthogonal(q)
	}
	m.base = m.Buffer("base", q)
	w.Fill(0)
	diagonal(w).Fill(-1)
	return []tensor.Tensor{w}
}

func diagonal(x tensor.Tensor) tensor.Tensor { return tensor.CallOne("diagonal", x, 0, -2, -1) }

// makeOrthogonal is the orthogonal factor of a matrix, that of its QR decomposition with a positive diagonal.
func makeOrthogonal(a tensor.Tensor) tensor.Tensor {
	both := tensor.Call("geqrf", a)
	x := both[0].(tensor.Tensor)
	q := tensor.CallOne("linalg_householder_product", x, both[1])
	return q.Mul(unsqueeze(tensor.CallOne("sgn", diagonal(x)), -2))
}

func isOrthogonal(q tensor.Tensor) bool {
	one := tensor.CallOne("eye", q.Size(-1), tensor.Kwarg{Name: "dtype", Value: q.DType()}, tensor.Kwarg{Name: "device", Value: q.Device()})
	step := map[tensor.DType]float64{tensor.Float64: 0x1p-52, tensor.Float32: 0x1p-23, tensor.Float16: 0x1p-10, tensor.BFloat16: 0x1p-7}[q.DType()]
	return tensor.Call("allclose", swapLast(q).Matmul(q), one, 1e-5, 10*float64(q.Size(-2))*step)[0].(bool)
}
