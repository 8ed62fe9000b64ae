package model

import (
	"math"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("activation", "MultiheadAttention", MultiheadAttention{Bias: true})
}

// MultiheadAttention is torch.nn.MultiheadAttention. Its forward is (query, key, value, key_padding_mask, need_weights, attn_mask,
// average_attn_weights, is_causal) and gives the output and the attention's weights, null when they are not needed.
type MultiheadAttention struct {
	EmbedDim    int64   `cfg:"embed_dim,required,aka=d_model|hidden_size|dim" help:"size of each step of the query and the output"`
	NumHeads    int64   `cfg:"num_heads,required,aka=nhead|n_heads|heads" help:"parts of embed_dim that attend apart"`
	Dropout     float64 `cfg:"dropout" help:"probability of dropout on the attention's weights"`
	Bias        bool    `cfg:"bias" help:"learn additive biases"`
	AddBiasKV   bool    `cfg:"add_bias_kv" help:"learn one more step of key and value"`
	AddZeroAttn bool    `cfg:"add_zero_attn" help:"add a step of zeros to key and value"`
	KDim        *int64  `cfg:"kdim" help:"size of each step of the key, embed_dim when null"`
	VDim        *int64  `cfg:"vdim" help:"size of each step of the value, embed_dim when null"`
	BatchFirst  bool    `cfg:"batch_first" help:"tensors are [batch, length, size], not [length, batch, size]"`
	Factory
}

// Validate implements the registry's Validator.
func (c MultiheadAttention) Validate() error {
	if err := checkHeads("embed_dim", c.EmbedDim, "num_heads", c.NumHeads); err != nil {
		return err
	}
	return checkProbability("dropout", c.Dropout)
}

func checkHeads(sizeName string, size int64, headsName string, heads int64) error {
	switch {
	case size <= 0:
		return lighter.FieldError(sizeName, "embed_dim and num_heads must be greater than 0, got embed_dim=%d and num_heads=%d instead", size, heads)
	case heads <= 0:
		return lighter.FieldError(headsName, "embed_dim and num_heads must be greater than 0, got embed_dim=%d and num_heads=%d instead", size, heads)
	case size%heads != 0:
		return lighter.FieldError(headsName, "embed_dim must be divisible by num_heads, got embed_dim=%d and num_heads=%d", size, heads)
	}
	return nil
}

// Build implements the registry's Builder.
func (c MultiheadAttention) Build(env *lighter.Env) (lighter.Module, error) { return c.build(env) }

func (c MultiheadAttention) build(env *lighter.Env) (_ *attention, err error) {
	defer tensor.Recover(&err)
	m := &attention{c: c}
	m.SetClass("torch.nn.MultiheadAttention")
	e, k, v := c.EmbedDim, c.EmbedDim, c.EmbedDim
	if c.KDim != nil {
		k = *c.KDim
	}
	if c.VDim != nil {
		v = *c.VDim
	}
	m.apart = k != e || v != e
	if m.apart {
		m.parameter("q_proj_weight", &m.q, c.empty(e, e))
		m.parameter("k_proj_weight", &m.k, c.empty(e, k))
		m.parameter("v_proj_weight", &m.v, c.empty(e, v))
	} else {
		m.parameter("in_proj_weight", &m.in, c.empty(3*e, e))
	}
	if c.Bias {
		m.parameter("in_proj_bias", &m.inBias, c.zeros(3*e))
	}
	out, err := Linear{InFeatures: e, OutFeatures: e, Bias: c.Bias, Factory: c.Factory}.Build(env)
	if err != nil {
		return nil, err
	}
	m.out = out.(*linear)
	m.out.SetClass("torch.nn.modules.linear.NonDynamicallyQuantizableLinear")
	m.Add("out_proj", m.out)
	for _, w := range []tensor.Tensor{m.in, m.q, m.k, m.v} {
		if w.Defined() {
			xavierUniform(w)
		}
	}
	if c.Bias {
		tensor.NoGrad(func() { m.out.bias.Fill(0) })
	}
	if c.AddBiasKV {
		m.parameter("bias_k", &m.biasK, c.empty(1, 1, e))
		m.parameter("bias_v", &m.biasV, c.empty(1, 1, e))
		for _, b := range []tensor.Tensor{m.biasK, m.biasV} {
			xavierNormal(b)
		}
	}
	return m, nil
}

type attention struct {
	weighted
	c            MultiheadAttention
	apart        bool // query, key and value have weights of their own
	in, q, k, v  tensor.Tensor
	inBias       tensor.Tensor
	biasK, biasV tensor.Tensor
	out          *linear
}

// Signature names the arguments of Forward.
func (*attention) Signature() string {
	return "query, key, value, key_padding_mask=, need_weights=, attn_mask=, average_attn_weights=, is_causal="
}

func (m *attention) Forward(in ...lighter.Value) lighter.Value {
	a := signature(m.Signature()).take(&m.Node, in)
	query, key, value := a.tensor(0), a.tensor(1), a.tensor(2)
	padding, mask := a.tensor(3), a.tensor(5)
	need, average, causal := a.flag(4, true), a.flag(6, true), a.flag(7, false)
	batched := m.check(query, key, value, padding, mask)
	self, shared := query.Same(key) && key.Same(value), key.Same(value)
	switch {
	case !batched:
		query, key, value = unsqueeze(query, 1), unsqueeze(key, 1), unsqueeze(value, 1)
		if padding.Defined() {
			padding = unsqueeze(padding, 0)
		}
	case m.c.BatchFirst:
		query, key, value = swap(query), swap(key), swap(value)
	}
	padding = floatMask("key_padding_mask", padding, query.DType())
	if causal && !mask.Defined() {
		tensor.Fail(m.Class(), "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method `generate_square_subsequent_mask` to create this mask.")
	}
	if causal && !padding.Defined() && !need {
		mask = tensor.Tensor{}
	} else {
		mask = floatMask("attn_mask", mask, query.DType())
		causal = causal && !padding.Defined()
	}
	output, weights := m.attend(query, key, value, self, shared, padding, mask, need, causal)
	if weights.Defined() && average {
		weights = tensor.CallOne("mean", weights, []int64{1})
	}
	switch {
	case !batched:
		output = tensor.CallOne("squeeze", output, 1)
		if weights.Defined() {
			weights = tensor.CallOne("squeeze", weights, 0)
		}
	case m.c.BatchFirst:
		output = swap(output)
	}
	return lighter.List{output, orNull(weights)}
}

// attend works on [length, batch, size]; its weights are [batch, heads, target length, source length].
func (m *attention) attend(query, key, value tensor.Tensor, self, shared bool, padding, mask tensor.Tensor, need, causal bool) (output, weights tensor.Tensor) {
	shape := query.Shape()
	target, batch, heads := shape[0], shape[1], m.c.NumHeads
	size := shape[2] / heads
	q, k, v := m.project(query, key, value, self, shared)
	if m.biasK.Defined() {
		repeat := []int64{1, batch, 1}
		k = tensor.Cat([]tensor.Tensor{k, tensor.CallOne("repeat", m.biasK, repeat)}, 0)
		v = tensor.Cat([]tensor.Tensor{v, tensor.CallOne("repeat", m.biasV, repeat)}, 0)
		mask, padding = oneMore(mask), oneMore(padding)
	}
	split := func(t tensor.Tensor) tensor.Tensor { return swap(t.Reshape(-1, batch*heads, size)) }
	q, k, v = split(q), split(k), split(v)
	if m.c.AddZeroAttn {
		zeros := tensor.Zeros([]int64{batch * heads, 1, size}, k.DType(), k.Device())
		k, v = tensor.Cat([]tensor.Tensor{k, zeros}, 1), tensor.Cat([]tensor.Tensor{v, zeros}, 1)
		mask, padding = oneMore(mask), oneMore(padding)
	}
	source := k.Size(1)
	if mask.Defined() && mask.Dim() == 2 {
		mask = unsqueeze(mask, 0)
	}
	if padding.Defined() {
		if !padding.SameShape([]int64{batch, source}) {
			tensor.Fail(m.Class(), "Expected key_padding_mask of shape %s, but got %s", list([]int64{batch, source}), list(padding.Shape()))
		}
		padding = tensor.CallOne("expand", padding.Reshape(batch, 1, 1, source), []int64{-1, heads, -1, -1}).Reshape(batch*heads, 1, source)
		if mask.Defined() {
			mask = mask.Add(padding)
		} else {
			mask = padding
		}
	}
	dropout := m.c.Dropout
	if !m.Training() {
		dropout = 0
	}
	if !need {
		if mask.Defined() {
			if mask.Size(0) == 1 {
				mask = unsqueeze(mask, 0)
			} else {
				mask = mask.Reshape(batch, heads, -1, source)
			}
		}
		by := func(t tensor.Tensor, length int64) tensor.Tensor { return t.Reshape(batch, heads, length, size) }
		output = tensor.CallOne("scaled_dot_product_attention", by(q, target), by(k, source), by(v, source), mask, dropout, causal)
		output = tensor.CallOne("permute", output, []int64{2, 0, 1, 3}).Contiguous().Reshape(batch*target, heads*size)
		return m.outward(output).Reshape(target, batch, -1), tensor.Tensor{}
	}
	q = q.MulScalar(math.Sqrt(1 / float64(size)))
	if k = swapLast(k); mask.Defined() {
		weights = tensor.CallOne("baddbmm", mask, q, k)
	} else {
		weights = tensor.CallOne("bmm", q, k)
	}
	weights = weights.Softmax(-1)
	if dropout > 0 {
		weights = tensor.CallOne("dropout", weights, dropout, true)
	}
	output = swap(tensor.CallOne("bmm", weights, v)).Contiguous().Reshape(target*batch, heads*size)
	return m.outward(output).Reshape(target, batch, -1), weights.Reshape(batch, heads, target, source)
}

// project gives queries, keys and values [length, batch, embed_dim], in one product where they are of one tensor.
func (m *attention) project(query, key, value tensor.Tensor, self, shared bool) (q, k, v tensor.Tensor) {
	e := m.c.EmbedDim
	chunk := func(t tensor.Tensor, i, n int64) tensor.Tensor {
		if !t.Defined() {
			return t
		}
		return t.Narrow(0, i*e, n*e)
	}
	// packed is a product with n matrices at once, given as [n, length, batch, embed_dim].
	packed := func(x tensor.Tensor, first, n int64) tensor.Tensor {
		p := tensor.Linear(x, chunk(m.in, first, n), chunk(m.inBias, first, n))
		p = unsqueeze(tensor.CallOne("unflatten", p, -1, []int64{n, e}), 0)
		return tensor.CallOne("squeeze", tensor.CallOne("transpose", p, 0, -2), -2).Contiguous()
	}
	switch {
	case m.apart:
		return tensor.Linear(query, m.q, chunk(m.inBias, 0, 1)), tensor.Linear(key, m.k, chunk(m.inBias, 1, 1)), tensor.Linear(value, m.v, chunk(m.inBias, 2, 1))
	case self:
		p := packed(query, 0, 3)
		return p.Select(0, 0), p.Select(0, 1), p.Select(0, 2)
	case shared:
		p := packed(key, 1, 2)
		return tensor.Linear(query, chunk(m.in, 0, 1), chunk(m.inBias, 0, 1)), p.Select(0, 0), p.Select(0, 1)
	}
	each := func(x tensor.Tensor, i int64) tensor.Tensor {
		return tensor.Linear(x, chunk(m.in, i, 1), chunk(m.inBias, i, 1))
	}
	return each(query, 0), each(key, 1), each(value, 2)
}

func (m *attention) outward(x tensor.Tensor) tensor.Tensor {
	return tensor.Linear(x, m.out.weight, m.out.bias)
}

// check refuses tensors whose dimensions don't fit each other and says whether there is one for the batch.
func (m *attention) check(query, key, value, padding, mask tensor.Tensor) (batched bool) {
	d := query.Dim()
	form := map[int]string{2: "unbatched (2-D)", 3: "batched (3-D)"}[d]
	if form == "" {
		tensor.Fail(m.Class(), "query should be unbatched 2D or batched 3D tensor but received %d-D query tensor", d)
	}
	if key.Dim() != d || value.Dim() != d {
		tensor.Fail(m.Class(), "For %s `query`, expected `key` and `value` to be %d-D but found %d-D and %d-D tensors respectively", form, d, key.Dim(), value.Dim())
	}
	if padding.Defined() && padding.Dim() != d-1 {
		tensor.Fail(m.Class(), "For %s `query`, expected `key_padding_mask` to be `None` or %d-D but found %d-D tensor instead", form, d-1, padding.Dim())
	}
	if got := query.Size(-1); got != m.c.EmbedDim {
		tensor.Fail(m.Class(), "was expecting embedding dimension of %d, but got %d (query of shape %s)", m.c.EmbedDim, got, list(query.Shape()))
	}
	k, v := key.Shape(), value.Shape()
	if m.apart {
		k, v = k[:d-1], v[:d-1]
	}
	if list(k) != list(v) {
		tensor.Fail(m.Class(), "key shape %s does not match value shape %s", list(key.Shape()), list(value.Shape()))
	}
	if mask.Defined() {
		m.checkMask(query, key, mask)
	}
	return d == 3
}

func (m *attention) checkMask(query, key, mask tensor.Tensor) {
	length, batch := 0, int64(1)
	if query.Dim() == 3 {
		batch = query.Size(1)
		if m.c.BatchFirst {
			length, batch = 1, query.Size(0)
		}
	}
	want := []int64{query.Size(length), key.Size(length)}
	switch d := mask.Dim(); d {
	case 2:
	case 3:
		want = append([]int64{batch * m.c.NumHeads}, want...)
	default:
		tensor.Fail(m.Class(), "attn_mask's dimension %d is not supported", d)
	}
	if !mask.SameShape(want) {
		tensor.Fail(m.Class(), "The shape of the %dD attn_mask is %s, but should be %s.", mask.Dim(), lighter.SizeText(mask), list(want))
	}
}

// floatMask turns a mask of bools into one that adds -inf where it is set.
func floatMask(name string, mask tensor.Tensor, dtype tensor.DType) tensor.Tensor {
	if !mask.Defined() || mask.IsFloat() {
		return mask
	}
	if mask.DType() != tensor.Bool {
		tensor.Fail("MultiheadAttention", "only bool and floating types of %s are supported", name)
	}
	zeros := tensor.Zeros(mask.Shape(), dtype, mask.Device())
	return tensor.CallOne("masked_fill", zeros, mask, math.Inf(-1))
}

// oneMore is a mask for one more step of the source, which is not masked.
func oneMore(mask tensor.Tensor) tensor.Tensor {
	if !mask.Defined() {
		return mask
	}
	return tensor.CallOne("pad", mask, []int64{0, 1})
}

func unsqueeze(t tensor.Tensor, dim int64) tensor.Tensor { return tensor.CallOne("unsqueeze", t, dim) }

// swap exchanges the first two dimensions, swapLast the last two.
func swap(t tensor.Tensor) tensor.Tensor { return tensor.CallOne("transpose", t, 0, 1) }

func swapLast(t tensor.Tensor) tensor.Tensor { return tensor.CallOne("transpose", t, -2, -1) }

// orNull is a tensor as an argument of a Forward, null when it is undefined.
func orNull(t tensor.Tensor) lighter.Value {
	if !t.Defined() {
		return nil
	}
	return t
}
