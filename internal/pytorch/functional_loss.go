package pytorch

import (
	"math"

	"github.com/lighter-go/lighter/tensor"
)

var reductions = map[string]int64{"none": 0, "mean": 1, "elementwise_mean": 1, "sum": 2}

// named is an argument by its name.
func (a *arguments) named(name string) any {
	if i := a.f.index(name); i >= 0 {
		return a.v[i]
	}
	return nil
}

// reduction is how a loss is reduced; size_average and reduce are its older form.
func (a *arguments) reduction() int64 {
	average, reduce := a.named("size_average"), a.named("reduce")
	if average != nil || reduce != nil {
		switch {
		case reduce == false:
			return 0
		case average == false:
			return 2
		}
		return 1
	}
	s, ok := a.named("reduction").(string)
	n, known := reductions[s]
	if !ok || !known {
		a.fail("%v is not a valid value for reduction: want 'none', 'mean' or 'sum'", a.named("reduction"))
	}
	return n
}

func reduce(t tensor.Tensor, reduction int64) tensor.Tensor {
	switch reduction {
	case 1:
		return one("mean", t)
	case 2:
		return one("sum", t)
	}
	return t
}

// averaged are the arguments that most losses end in.
const averaged = "size_average=None, reduce=None, reduction='mean'"

func init() {
	loss := func(declared string, body func(a *arguments, reduction int64) any) {
		def(functional+declared, func(a *arguments) any { return body(a, a.reduction()) })
	}
	loss("cross_entropy(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction='mean', label_smoothing=0.0)", func(a *arguments, r int64) any {
		return run("cross_entropy_loss", a.v[0], a.v[1], a.v[2], r, a.v[4], a.v[7])
	})
	loss("nll_loss(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction='mean')", func(a *arguments, r int64) any {
		return run("nll_loss_nd", a.v[0], a.v[1], a.v[2], r, a.v[4])
	})
	loss("poisson_nll_loss(input, target, log_input=True, full=False, size_average=None, eps=1e-08, reduce=None, reduction='mean')", func(a *arguments, r int64) any {
		return run("poisson_nll_loss", a.v[0], a.v[1], a.bool(2), a.bool(3), a.v[5], r)
	})
	loss("gaussian_nll_loss(input, target, var, full=False, eps=1e-06, reduction='mean')", gaussian)
	def(functional+"kl_div(input, target, size_average=None, reduce=None, reduction='mean', log_target=False)", func(a *arguments) any {
		batch := a.v[2] == nil && a.v[3] == nil && a.v[4] == "batchmean"
		if batch {
			a.v[4] = "sum"
		}
		out := one("kl_div", a.v[0], a.v[1], a.reduction(), kw{"log_target", a.bool(5)})
		if t := a.tensor(0); batch && t.Dim() > 0 {
			return one("div", out, t.Size(0))
		}
		return out
	})
	loss("binary_cross_entropy(input, target, weight=None, "+averaged+")", func(a *arguments, r int64) any {
		in, target, weight := a.tensor(0), a.tensor(1), a.v[2]
		if !target.SameShape(in.Shape()) {
			a.fail("Using a target size (%s) that is different to the input size (%s) is deprecated. Please ensure they have the same size.", Repr(Size(target.Shape())), Repr(Size(in.Shape())))
		}
		if weight != nil {
			weight = one("expand", a.tensor(2), target.Shape())
		}
		return run("binary_cross_entropy", in, target, weight, r)
	})
	loss("binary_cross_entropy_with_logits(input, target, weight=None, size_average=None, reduce=None, reduction='mean', pos_weight=None)", func(a *arguments, r int64) any {
		in, target := a.tensor(0), a.tensor(1)
		if !target.SameShape(in.Shape()) {
			a.fail("Target size (%s) must be the same as input size (%s)", Repr(Size(target.Shape())), Repr(Size(in.Shape())))
		}
		return run("binary_cross_entropy_with_logits", in, target, a.v[2], a.v[6], r)
	})
	pair := func(declared string, op func(a *arguments, in, target tensor.Tensor, r int64) tensor.Tensor, weighted func(loss, weight tensor.Tensor) tensor.Tensor) {
		loss(declared, func(a *arguments, r int64) any {
			both, _ := elements(run("broadcast_tensors", []any{a.tensor(0), a.tensor(1)}))
			in, target := both[0].(tensor.Tensor), both[1].(tensor.Tensor)
			if weighted == nil || a.named("weight") == nil {
				return op(a, in, target, r)
			}
			weight := a.tensor(a.f.index("weight"))
			if !weight.SameShape(a.tensor(0).Shape()) {
				a.fail("Weights and input must have the same size.")
			}
			l := one("mul", op(a, in, target, 0), weight)
			if r == 1 {
				return weighted(l, weight)
			}
			return reduce(l, r)
		})
	}
	byWeight := func(l, weight tensor.Tensor) tensor.Tensor { return one("div", one("sum", l), one("sum", weight)) }
	pair("mse_loss(input, target, "+averaged+", weight=None)", func(_ *arguments, in, target tensor.Tensor, r int64) tensor.Tensor {
		return one("mse_loss", in, target, r)
	}, byWeight)
	pair("l1_loss(input, target, "+averaged+", weight=None)", func(_ *arguments, in, target tensor.Tensor, r int64) tensor.Tensor {
		return one("l1_loss", in, target, r)
	}, byWeight)
	pair("huber_loss(input, target, reduction='mean', delta=1.0, weight=None)", func(a *arguments, in, target tensor.Tensor, r int64) tensor.Tensor {
		return one("huber_loss", in, target, r, a.v[3])
	}, func(l, _ tensor.Tensor) tensor.Tensor { return one("mean", l) })
	pair("smooth_l1_loss(input, target, "+averaged+", beta=1.0)", func(a *arguments, in, target tensor.Tensor, r int64) tensor.Tensor {
		if a.float(5) == 0 {
			return one("l1_loss", in, target, r)
		}
		return one("smooth_l1_loss", in, target, r, a.v[5])
	}, nil)
	loss("margin_ranking_loss(input1, input2, target, margin=0, "+averaged+")", func(a *arguments, r int64) any {
		x, y, z := a.tensor(0), a.tensor(1), a.tensor(2)
		if x.Dim() != y.Dim() || x.Dim() != z.Dim() {
			a.fail("margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: %s, input2: %s, target: %s", Repr(Size(x.Shape())), Repr(Size(y.Shape())), Repr(Size(z.Shape())))
		}
		return run("margin_ranking_loss", x, y, z, a.v[3], r)
	})
	loss("cosine_embedding_loss(input1, input2, target, margin=0, "+averaged+")", func(a *arguments, r int64) any {
		return run("cosine_embedding_loss", a.v[0], a.v[1], a.v[2], a.v[3], r)
	})
	loss("hinge_embedding_loss(input, target, margin=1.0, "+averaged+")", func(a *arguments, r int64) any {
		return run("hinge_embedding_loss", a.v[0], a.v[1], a.v[2], r)
	})
	loss("multilabel_margin_loss(input, target, "+averaged+")", func(a *arguments, r int64) any {
		return run("multilabel_margin_loss", a.v[0], a.v[1], r)
	})
	loss("soft_margin_loss(input, target, "+averaged+")", func(a *arguments, r int64) any {
		return run("soft_margin_loss", a.v[0], a.v[1], r)
	})
	loss("multilabel_soft_margin_loss(input, target, weight=None, "+averaged+")", func(a *arguments, r int64) any {
		in, target := a.tensor(0), a.tensor(1)
		l := one("neg", one("add", one("mul", target, one("log_sigmoid", in)), one("mul", one("rsub", target, int64(1)), one("log_sigmoid", one("neg", in)))))
		if !a.none(2) {
			l = one("mul", l, a.tensor(2))
		}
		last := int64(in.Dim() - 1)
		return reduce(one("div", one("sum", l, last), in.Size(int(last))), r)
	})
	loss("multi_margin_loss(input, target, p=1, margin=1.0, weight=None, "+averaged+")", func(a *arguments, r int64) any {
		if p := a.float(2); p != 1 && p != 2 {
			a.fail("only p == 1 and p == 2 supported")
		}
		if !a.none(4) && a.tensor(4).Dim() != 1 {
			a.fail("weight must be one-dimensional")
		}
		return run("multi_margin_loss", a.v[0], a.v[1], a.v[2], a.v[3], a.v[4], r)
	})
	loss("triplet_margin_loss(anchor, positive, negative, margin=1.0, p=2, eps=1e-06, swap=False, "+averaged+")", func(a *arguments, r int64) any {
		if a.float(3) <= 0 {
			a.fail("margin must be greater than 0, got %v", a.v[3])
		}
		return run("triplet_margin_loss", a.v[0], a.v[1], a.v[2], a.v[3], a.v[4], a.v[5], a.bool(6), r)
	})
	loss("triplet_margin_with_distance_loss(anchor, positive, negative, *, distance_function=None, margin=1.0, swap=False, reduction='mean')", func(a *arguments, r int64) any {
		anchor, positive, negative := a.tensor(0), a.tensor(1), a.tensor(2)
		if a.float(4) <= 0 {
			a.fail("margin must be greater than 0, got %v", a.v[4])
		}
		if n := anchor.Dim(); n != positive.Dim() || n != negative.Dim() {
			a.fail("The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: anchor %dD, positive %dD, and negative %dD inputs", n, positive.Dim(), negative.Dim())
		}
		distance := func(x, y tensor.Tensor) tensor.Tensor { return one("pairwise_distance", x, y) }
		if !a.none(3) {
			f := a.function(3)
			distance = func(x, y tensor.Tensor) tensor.Tensor { return callTensor(a, f, x, y) }
		}
		near, far := distance(anchor, positive), distance(anchor, negative)
		if a.bool(5) {
			far = one("minimum", far, distance(positive, negative))
		}
		return reduce(one("clamp_min", one("sub", one("add", near, a.v[4]), far), int64(0)), r)
	})
	loss("ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=0, reduction='mean', zero_infinity=False)", func(a *arguments, r int64) any {
		return run("ctc_loss", a.v[0], a.v[1], a.v[2], a.v[3], a.v[4], r, a.bool(6))
	})
}

func gaussian(a *arguments, r int64) any {
	in, target := a.tensor(0), a.tensor(1)
	var variance tensor.Tensor
	if f, ok := a.v[2].(float64); ok {
		if f < 0 {
			a.fail("var has negative entry/entries")
		}
		variance = one("mul", one("ones_like", in), f)
	} else {
		variance = a.tensor(2)
		if one("any", one("lt", variance, int64(0))).Int() != 0 {
			a.fail("var has negative entry/entries")
		}
	}
	if shape, v := in.Shape(), variance.Shape(); !variance.SameShape(shape) {
		differ := 0
		for i := range min(len(shape), len(v)) {
			if shape[i] != v[i] {
				differ += int(v[i]) // one dimension, of size 1
			}
		}
		switch {
		case len(v) == len(shape)-1 && variance.SameShape(shape[:len(v)]):
			variance = one("unsqueeze", variance, int64(-1))
		case len(v) == len(shape) && differ == 1:
		default:
			a.fail("var is of incorrect size: %s for an input of %s", describe(variance), describe(in))
		}
	}
	variance = one("clone", variance)
	tensor.NoGrad(func() { run("clamp_", variance, kw{"min", a.v[4]}) })
	square := one("pow", one("sub", in, target), int64(2))
	l := one("mul", one("add", one("log", variance), one("div", square, variance)), 0.5)
	if a.bool(3) {
		l = one("add", l, 0.5*math.Log(2*math.Pi))
	}
	return reduce(l, r)
}
