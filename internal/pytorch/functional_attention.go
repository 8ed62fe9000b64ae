package pytorch

import (
	"math"
	"slices"

	"github.com/lighter-go/lighter/tensor"
)

// attention is torch.nn.functional.multi_head_attention_forward: query, key and value are [length, batch, size], or [length, size].
func attention(a *arguments) any {
	query, key, value := a.tensor(0), a.tensor(1), a.tensor(2)
	heads := a.int(4)
	padding, mask := a.mask(14, "key_padding_mask"), a.v[16]
	batched := query.Dim() == 3
	switch {
	case query.Dim() != 2 && query.Dim() != 3:
		a.fail("query should be unbatched 2D or batched 3D tensor but received %d-D query tensor", query.Dim())
	case key.Dim() != query.Dim() || value.Dim() != query.Dim():
		a.fail("For %d-D `query`, expected `key` and `value` to be %d-D but found %d-D and %d-D tensors respectively", query.Dim(), query.Dim(), key.Dim(), value.Dim())
	case padding.Defined() && padding.Dim() != query.Dim()-1:
		a.fail("For %d-D `query`, expected `key_padding_mask` to be `None` or %d-D but found %d-D tensor instead", query.Dim(), query.Dim()-1, padding.Dim())
	}
	if !batched {
		query, key, value = one("unsqueeze", query, int64(1)), one("unsqueeze", key, int64(1)), one("unsqueeze", value, int64(1))
		if padding.Defined() {
			padding = one("unsqueeze", padding, int64(0))
		}
	}
	shape := query.Shape()
	length, batch, size := shape[0], shape[1], shape[2]
	needWeights, causal := a.bool(15), a.bool(24)
	if causal && mask == nil {
		a.fail("Need attn_mask if specifying the is_causal hint. You may use the Transformer module method `generate_square_subsequent_mask` to create this mask.")
	}
	var bias tensor.Tensor
	if !causal || padding.Defined() || needWeights {
		if bias = a.mask(16, "attn_mask"); padding.Defined() {
			causal = false
		}
	}
	if want := a.int(3); size != want {
		a.fail("was expecting embedding dimension of %d, but got %d", want, size)
	}
	if heads <= 0 || size%heads != 0 {
		a.fail("embed_dim %d not divisible by num_heads %d", size, heads)
	}
	head := size / heads
	q, k, v := project(a, query, key, value)
	if bias.Defined() {
		source := key.Shape()[0]
		switch bias.Dim() {
		case 2:
			if want := []int64{length, source}; !bias.SameShape(want) {
				a.fail("The shape of the 2D attn_mask is %s, but should be %s.", Repr(Size(bias.Shape())), tupleText(want))
			}
			bias = one("unsqueeze", bias, int64(0))
		case 3:
			if want := []int64{batch * heads, length, source}; !bias.SameShape(want) {
				a.fail("The shape of the 3D attn_mask is %s, but should be %s.", Repr(Size(bias.Shape())), tupleText(want))
			}
		default:
			a.fail("attn_mask's dimension %d is not supported", bias.Dim())
		}
	}
	widen := func() {
		if bias.Defined() {
			bias = one("pad", bias, []int64{0, 1})
		}
		if padding.Defined() {
			padding = one("pad", padding, []int64{0, 1})
		}
	}
	switch {
	case !a.none(7) && !a.none(8):
		k = tensor.Cat([]tensor.Tensor{k, one("repeat", a.tensor(7), []int64{1, batch, 1})}, 0)
		v = tensor.Cat([]tensor.Tensor{v, one("repeat", a.tensor(8), []int64{1, batch, 1})}, 0)
		widen()
	case !a.none(7) || !a.none(8):
		a.fail("bias_k and bias_v must both be set, or neither")
	}
	split := func(t tensor.Tensor) tensor.Tensor {
		return one("transpose", one("view", t, []int64{t.Shape()[0], batch * heads, head}), int64(0), int64(1))
	}
	q = one("transpose", one("view", q, []int64{length, batch * heads, head}), int64(0), int64(1))
	k, v = given(a, 21, k, split), given(a, 22, v, split)
	if a.bool(9) {
		zeros := tensor.Zeros([]int64{batch * heads, 1, head}, k.DType(), k.Device())
		k, v = tensor.Cat([]tensor.Tensor{k, zeros}, 1), tensor.Cat([]tensor.Tensor{v, zeros}, 1)
		widen()
	}
	source := k.Shape()[1]
	if padding.Defined() {
		if want := []int64{batch, source}; !padding.SameShape(want) {
			a.fail("Expected key_padding_mask to be of shape %s, but got %s", tupleText(want), tupleText(padding.Shape()))
		}
		padding = one("reshape", one("expand", one("view", padding, []int64{batch, 1, 1, source}), []int64{-1, heads, -1, -1}), []int64{batch * heads, 1, source})
		if bias.Defined() {
			bias = one("add", bias, padding)
		} else {
			bias = padding
		}
	}
	drop := a.float(10)
	if !a.bool(13) {
		drop = 0
	}
	out := func(t tensor.Tensor) tensor.Tensor {
		t = one("linear", t, a.v[11], a.v[12])
		t = one("view", t, []int64{length, batch, t.Shape()[1]})
		if !batched {
			t = one("squeeze", t, int64(1))
		}
		return t
	}
	if !needWeights {
		var m any
		if bias.Defined() {
			if bias.Shape()[0] == 1 && bias.Dim() == 3 {
				m = one("unsqueeze", bias, int64(0))
			} else {
				m = one("view", bias, []int64{batch, heads, -1, source})
			}
		}
		q, k, v = one("view", q, []int64{batch, heads, length, head}), one("view", k, []int64{batch, heads, source, head}), one("view", v, []int64{batch, heads, source, head})
		t := one("scaled_dot_product_attention", q, k, v, m, drop, causal)
		return Tuple{out(one("view", one("contiguous", one("permute", t, []int64{2, 0, 1, 3})), []int64{batch * length, size})), nil}
	}
	q = one("mul", q, math.Sqrt(1/float64(head)))
	kt := one("transpose", k, int64(-2), int64(-1))
	var weights tensor.Tensor
	if bias.Defined() {
		weights = one("baddbmm", bias, q, kt)
	} else {
		weights = one("bmm", q, kt)
	}
	weights = one("softmax", weights, int64(-1))
	if drop > 0 {
		weights = one("dropout", weights, drop, true)
	}
	t := one("contiguous", one("transpose", one("bmm", weights, v), int64(0), int64(1)))
	result := out(one("view", t, []int64{length * batch, size}))
	weights = one("view", weights, []int64{batch, heads, length, source})
	if a.bool(23) {
		weights = one("mean", weights, int64(1))
	}
	if !batched {
		weights = one("squeeze", weights, int64(0))
	}
	return Tuple{result, weights}
}

// given is a static key or value, or the projected one split into heads.
func given(a *arguments, i int, t tensor.Tensor, split func(tensor.Tensor) tensor.Tensor) tensor.Tensor {
	if a.none(i) {
		return split(t)
	}
	return a.tensor(i)
}

// mask is one as floats to add: -inf where a bool mask is true.
func (a *arguments) mask(i int, name string) tensor.Tensor {
	if a.none(i) {
		return tensor.Tensor{}
	}
	m := a.tensor(i)
	switch {
	case m.IsFloat():
		return m
	case m.DType() != tensor.Bool:
		a.fail("only bool and floating types of %s are supported, not torch.%s", name, m.DType())
	}
	return one("masked_fill_", one("zeros_like", m, kw{"dtype", a.tensor(0).DType()}), m, math.Inf(-1))
}

// project gives the projected query, key and value.
func project(a *arguments, query, key, value tensor.Tensor) (q, k, v tensor.Tensor) {
	size := query.Size(-1)
	parts := func(i int, t any) [3]any {
		if a.none(i) {
			return [3]any{}
		}
		p, _ := elements(run("chunk", t, int64(3)))
		return [3]any{p[0], p[1], p[2]}
	}
	biases := parts(6, a.v[6])
	linear := func(t tensor.Tensor, w, b any) tensor.Tensor { return one("linear", t, w, b) }
	if a.bool(17) {
		for _, i := range []int{18, 19, 20} {
			if a.none(i) {
				a.fail("use_separate_proj_weight is True but %s is None", a.f.params[i].name)
			}
		}
		if !slices.Equal(key.Shape()[:2], value.Shape()[:2]) {
			a.fail("key's sequence and batch dims %s do not match value's %s", tupleText(key.Shape()[:2]), tupleText(value.Shape()[:2]))
		}
		return linear(query, a.v[18], biases[0]), linear(key, a.v[19], biases[1]), linear(value, a.v[20], biases[2])
	}
	if !key.SameShape(value.Shape()) {
		a.fail("key shape %s does not match value shape %s", Repr(Size(key.Shape())), Repr(Size(value.Shape())))
	}
	if a.none(5) {
		a.fail("use_separate_proj_weight is False but in_proj_weight is None")
	}
	if a.tensor(0).Identity() == a.tensor(1).Identity() && a.tensor(1).Identity() == a.tensor(2).Identity() {
		all := one("unflatten", linear(query, a.v[5], a.v[6]), int64(-1), []int64{3, size})
		all = one("contiguous", one("squeeze", one("transpose", one("unsqueeze", all, int64(0)), int64(0), int64(-2)), int64(-2)))
		return all.Select(0, 0), all.Select(0, 1), all.Select(0, 2)
	}
	weights := parts(5, a.v[5])
	return linear(query, weights[0], biases[0]), linear(key, weights[1], biases[1]), linear(value, weights[2], biases[2])
}
