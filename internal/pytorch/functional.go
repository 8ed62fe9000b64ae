package pytorch

import (
	"strings"

	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

const functional = "torch.nn.functional."

func init() {
	for name, op := range map[string]string{"logsigmoid": "log_sigmoid", "native_channel_shuffle": "native_channel_shuffle"} {
		functionals[functional+name] = op
	}
	for _, name := range strings.Fields(`adaptive_avg_pool1d avg_pool1d avg_pool2d avg_pool3d bilinear celu_ channel_shuffle conv1d conv2d conv3d
		conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d cosine_similarity elu_ gelu hardshrink hardtanh_ leaky_relu_ linear one_hot
		pairwise_distance pdist pixel_shuffle pixel_unshuffle prelu relu_ rrelu_ scaled_dot_product_attention selu_ softplus softshrink threshold_`) {
		functionals[functional+name] = name
	}
	// An activation, by its signature; inplace is the last parameter and picks the operation in place.
	for _, declared := range []string{
		"relu(input, inplace=False)", "relu6(input, inplace=False)", "elu(input, alpha=1.0, inplace=False)", "selu(input, inplace=False)",
		"celu(input, alpha=1.0, inplace=False)", "leaky_relu(input, negative_slope=0.01, inplace=False)", "silu(input, inplace=False)",
		"mish(input, inplace=False)", "hardswish(input, inplace=False)", "hardsigmoid(input, inplace=False)", "threshold(input, threshold, value, inplace=False)",
		"rrelu(input, lower=0.125, upper=0.3333333333333333, training=False, inplace=False)",
	} {
		name := declared[:strings.IndexByte(declared, '(')]
		def(functional+declared, func(a *arguments) any {
			last := len(a.v) - 1
			if a.bool(last) {
				run(name+"_", a.v[:last]...)
				return a.v[0]
			}
			return run(name, a.v[:last]...)
		})
	}
	def(functional+"hardtanh(input, min_val=-1.0, max_val=1.0, inplace=False)", func(a *arguments) any {
		if a.float(1) > a.float(2) {
			a.fail("min_val cannot be greater than max_val")
		}
		if a.bool(3) {
			run("hardtanh_", a.v[:3]...)
			return a.v[0]
		}
		return run("hardtanh", a.v[:3]...)
	})
	def(functional+"glu(input, dim=-1)", func(a *arguments) any {
		if a.tensor(0).Dim() == 0 {
			a.fail("glu does not support scalars because halving size must be even")
		}
		return run("glu", a.v...)
	})
	def(functional+"tanh(input)", func(a *arguments) any { return run("tanh", a.v...) })
	def(functional+"sigmoid(input)", func(a *arguments) any { return run("sigmoid", a.v...) })
	def(functional+"tanhshrink(input)", func(a *arguments) any { return one("sub", a.tensor(0), one("tanh", a.tensor(0))) })
	def(functional+"softsign(input)", func(a *arguments) any {
		return one("div", a.tensor(0), one("add", one("abs", a.tensor(0)), int64(1)))
	})
	for _, name := range []string{"softmax", "softmin", "log_softmax"} {
		def(functional+name+"(input, dim=None, _stacklevel=3, dtype=None)", func(a *arguments) any {
			t, op := a.tensor(0), name
			dim := int64(1)
			switch {
			case !a.none(1):
				dim = a.int(1)
			case t.Dim() == 0 || t.Dim() == 1 || t.Dim() == 3:
				dim = 0
			}
			if op == "softmin" {
				t, op = one("neg", t), "softmax"
			}
			return one(op, t, dim, a.v[3])
		})
	}
	def(functional+"gumbel_softmax(logits, tau=1, hard=False, eps=1e-10, dim=-1)", func(a *arguments) any {
		logits, dim := a.tensor(0), a.int(4)
		gumbels := one("neg", one("log", one("exponential_", one("empty_like", logits))))
		soft := one("softmax", one("div", one("add", logits, gumbels), a.v[1]), dim)
		if !a.bool(2) {
			return soft
		}
		best, _ := elements(run("max", soft, dim, true))
		hard := one("scatter_", one("zeros_like", logits), dim, best[1], 1.0)
		return one("add", one("sub", hard, soft.Detach()), soft)
	})

	dropouts()
	norms()
	def(functional+"embedding(input, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False)", func(a *arguments) any {
		in, weight, padding := a.tensor(0), a.tensor(1), int64(-1)
		if !a.none(2) {
			padding = a.int(2)
			rows := weight.Size(0)
			if padding >= rows || padding < -rows {
				a.fail("Padding_idx must be within num_embeddings: %d of %d", padding, rows)
			}
			if padding < 0 {
				padding += rows
			}
		}
		if !a.none(3) {
			in = in.Contiguous()
			tensor.NoGrad(func() { run("embedding_renorm_", weight.Detach(), in, a.float(3), a.float(4)) })
		}
		return run("embedding", weight, in, padding, a.bool(5), a.bool(6))
	})
	def(functional+"embedding_bag(input, weight, offsets=None, max_norm=None, norm_type=2, scale_grad_by_freq=False, mode='mean', sparse=False, per_sample_weights=None, include_last_offset=False, padding_idx=None)", embeddingBag)
	def(functional+"normalize(input, p=2.0, dim=1, eps=1e-12, out=None)", func(a *arguments) any {
		t := a.tensor(0)
		length := one("expand_as", one("clamp_min", one("linalg_vector_norm", t, a.v[1], a.ints(2), true), a.v[3]), t)
		if a.none(4) {
			return one("div", t, length)
		}
		return run("div", t, length, kw{"out", a.v[4]})
	})
	def(functional+"pad(input, pad, mode='constant', value=None)", func(a *arguments) any {
		return run("pad", a.tensor(0), a.ints(1), a.text(2), a.v[3])
	})
	def(functional+"unfold(input, kernel_size, dilation=1, padding=0, stride=1)", func(a *arguments) any {
		return run("im2col", a.tensor(0), a.repeated(1, 2), a.repeated(2, 2), a.repeated(3, 2), a.repeated(4, 2))
	})
	def(functional+"fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1)", func(a *arguments) any {
		return run("col2im", a.tensor(0), a.repeated(1, 2), a.repeated(2, 2), a.repeated(3, 2), a.repeated(4, 2), a.repeated(5, 2))
	})
	def(functional+"multi_head_attention_forward(query, key, value, embed_dim_to_check, num_heads, in_proj_weight, in_proj_bias, bias_k, bias_v, add_zero_attn, dropout_p, out_proj_weight, out_proj_bias, training=True, key_padding_mask=None, need_weights=True, attn_mask=None, use_separate_proj_weight=False, q_proj_weight=None, k_proj_weight=None, v_proj_weight=None, static_k=None, static_v=None, average_attn_weights=True, is_causal=False)", attention)
}

func (a *arguments) probability(i int) float64 {
	p := a.float(i)
	if p < 0 || p > 1 {
		a.fail("dropout probability has to be between 0 and 1, but got %v", p)
	}
	return p
}

func dropouts() {
	drop := func(declared, op string, dims ...int) {
		def(functional+declared, func(a *arguments) any {
			t, p, training := a.tensor(0), a.probability(1), a.bool(2)
			in := t
			batched := true
			if len(dims) > 0 {
				n := t.Dim()
				if strings.HasPrefix(a.f.name, "dropout1d") && n != 2 && n != 3 {
					a.fail("Expected 2D or 3D input, but received a %dD input", n)
				}
				if batched = n == dims[0]; !batched {
					in = one("unsqueeze", t, int64(0))
				}
			}
			if a.bool(3) {
				run(op+"_", in, p, training) // unsqueezing gives a view: t itself changes
				return t
			}
			out := one(op, in, p, training)
			if !batched {
				out = one("squeeze", out, int64(0))
			}
			return out
		})
	}
	drop("dropout(input, p=0.5, training=True, inplace=False)", "dropout")
	drop("alpha_dropout(input, p=0.5, training=False, inplace=False)", "alpha_dropout")
	drop("feature_alpha_dropout(input, p=0.5, training=False, inplace=False)", "feature_alpha_dropout")
	drop("dropout1d(input, p=0.5, training=True, inplace=False)", "feature_dropout", 3)
	drop("dropout2d(input, p=0.5, training=True, inplace=False)", "feature_dropout")
	drop("dropout3d(input, p=0.5, training=True, inplace=False)", "feature_dropout", 5)
}

// verifyBatch refuses to take the statistics of a single value.
func verifyBatch(a *arguments, shape []int64) {
	if len(shape) < 2 {
		return
	}
	n := shape[0]
	for _, s := range shape[2:] {
		n *= s
	}
	if n == 1 {
		a.fail("Expected more than 1 value per channel when training, got input size torch.Size(%s)", Repr(Size(shape).anys()))
	}
}

func norms() {
	def(functional+"batch_norm(input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-05)", func(a *arguments) any {
		if a.bool(5) {
			verifyBatch(a, a.tensor(0).Shape())
		}
		if a.float(7) <= 0 {
			a.fail("batch_norm eps must be positive, but got %v", a.v[7])
		}
		return run("batch_norm", a.v[0], a.v[3], a.v[4], a.v[1], a.v[2], a.bool(5), a.v[6], a.v[7], true)
	})
	def(functional+"instance_norm(input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True, momentum=0.1, eps=1e-05)", func(a *arguments) any {
		if shape := a.tensor(0).Shape(); a.bool(5) && len(shape) > 1 {
			n := int64(1)
			for _, s := range shape[2:] {
				n *= s
			}
			if n == 1 {
				a.fail("Expected more than 1 spatial element when training, got input size %s", Repr(Size(shape)))
			}
		}
		return run("instance_norm", a.v[0], a.v[3], a.v[4], a.v[1], a.v[2], a.bool(5), a.v[6], a.v[7], true)
	})
	def(functional+"layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-05)", func(a *arguments) any {
		return run("layer_norm", a.v...)
	})
	def(functional+"rms_norm(input, normalized_shape, weight=None, eps=None)", func(a *arguments) any { return run("rms_norm", a.v...) })
	def(functional+"group_norm(input, num_groups, weight=None, bias=None, eps=1e-05)", func(a *arguments) any {
		shape, groups := a.tensor(0).Shape(), a.int(1)
		if len(shape) < 2 {
			a.fail("Expected at least 2 dimensions for input tensor but received %d", len(shape))
		}
		if groups <= 0 {
			a.fail("num_groups must be positive, got %d", groups)
		}
		verifyBatch(a, append([]int64{shape[0] * shape[1] / groups, groups}, shape[2:]...))
		return run("group_norm", a.v...)
	})
	def(functional+"local_response_norm(input, size, alpha=0.0001, beta=0.75, k=1.0)", func(a *arguments) any {
		t, size := a.tensor(0), a.int(1)
		if t.Dim() < 3 {
			a.fail("Expected 3D or higher dimensionality input (got %d dimensions)", t.Dim())
		}
		if t.Numel() == 0 {
			return t
		}
		square := one("mul", t, t)
		shape := t.Shape()
		pads := []int64{0, 0, size / 2, (size - 1) / 2}
		if t.Dim() == 3 {
			square = one("pad", one("unsqueeze", square, int64(1)), pads)
			square = one("squeeze", one("avg_pool2d", square, []int64{size, 1}, int64(1)), int64(1))
		} else {
			square = one("pad", one("view", square, []int64{shape[0], 1, shape[1], shape[2], -1}), append([]int64{0, 0}, pads...))
			square = one("view", one("squeeze", one("avg_pool3d", square, []int64{size, 1, 1}, int64(1)), int64(1)), shape)
		}
		return one("div", t, one("pow", one("add", one("mul", square, a.v[2]), a.v[4]), a.v[3]))
	})
}

func embeddingBag(a *arguments) any {
	in, weight, weights := a.tensor(0), a.tensor(1), a.v[8]
	if !a.none(8) && !a.tensor(8).SameShape(in.Shape()) {
		a.fail("If per_sample_weights (%s) is not None, then it must have the same shape as the input (%s)", Repr(Size(a.tensor(8).Shape())), Repr(Size(in.Shape())))
	}
	if weight.Dim() != 2 {
		a.fail("weight has to be a 2D Tensor, but got Tensor of dimension %d", weight.Dim())
	}
	offsets, last := a.v[2], a.bool(9)
	switch in.Dim() {
	case 2:
		if offsets != nil {
			a.fail("if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length sequences. However, found offsets of type %s", typeName(offsets))
		}
		offsets = one("arange", int64(0), in.Numel(), in.Size(1), kw{"dtype", in.DType()}, kw{"device", in.Device()})
		last = false
		in = in.Reshape(-1)
		if weights != nil {
			weights = a.tensor(8).Reshape(-1)
		}
	case 1:
		if offsets == nil {
			a.fail("offsets has to be a 1D Tensor but got None")
		}
		if a.tensor(2).Dim() != 1 {
			a.fail("offsets has to be a 1D Tensor")
		}
	default:
		a.fail("input has to be 1D or 2D Tensor, but got Tensor of dimension %d", in.Dim())
	}
	mode, ok := map[string]int64{"sum": 0, "mean": 1, "max": 2}[a.text(6)]
	switch {
	case !ok:
		a.fail("mode has to be one of sum, mean or max, not %q", a.text(6))
	case mode == 2 && a.bool(5):
		a.fail("max mode does not support scaling the gradient by the frequency")
	case mode == 2 && a.bool(7):
		a.fail("max mode does not support sparse weights")
	case weights != nil && mode != 0:
		a.fail("per_sample_weights was not None. per_sample_weights is only supported for mode='sum' (got mode='%s')", a.text(6))
	}
	if !a.none(3) {
		tensor.NoGrad(func() { run("embedding_renorm_", weight.Detach(), in, a.float(3), a.float(4)) })
	}
	out, _ := elements(run("embedding_bag", weight, in, offsets, a.bool(5), mode, a.bool(7), weights, last, a.v[10]))
	return out[0]
}

// callTensor calls a user's function for a tensor.
func callTensor(a *arguments, f expr.Func, args ...any) tensor.Tensor {
	v, err := f(args, nil)
	if err != nil {
		raise(a.f.name, err)
	}
	t, ok := tensorOf(v).(tensor.Tensor)
	if !ok {
		a.fail("the function must give a Tensor, not %s", typeName(v))
	}
	return t
}
