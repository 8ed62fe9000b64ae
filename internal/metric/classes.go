package metric

import (
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// choice is an `average` argument; null is "none".
func choice(average *string) string {
	if average == nil {
		return "none"
	}
	return *average
}

// global refuses the one value of multidim_average that gives no number to log.
func global(multidim string) error {
	if multidim != "global" {
		return lighter.FieldError("multidim_average", `"samplewise" gives a value for each sample, which cannot be logged: only "global" is available`)
	}
	return nil
}

func checkThreshold(t float64) error {
	if !(t >= 0 && t <= 1) {
		return lighter.FieldError("threshold", "Expected argument `threshold` to be a float in the [0,1] range, but got %v.", t)
	}
	return nil
}

// multiclass reads predictions [N, C, ...] of scores or [N, ...] of labels, and targets [N, ...] of labels.
type multiclass struct {
	m       *sums
	classes int64 // 0 when unknown
	topK    int64
	ignore  *int64
}

// check is torchmetrics' check of the shapes. scored says whether predictions are scores.
func (c *multiclass) check(p, t tensor.Tensor) (scored bool) {
	ps, ts := p.Shape(), t.Shape()
	switch len(ps) {
	case len(ts) + 1:
		switch {
		case !p.IsFloat():
			tensor.Fail(c.m.name, "If `preds` have one dimension more than `target`, `preds` should be a float tensor.")
		case len(ps) < 2 || c.classes > 0 && ps[1] != c.classes:
			tensor.Fail(c.m.name, "If `preds` have one dimension more than `target`, `preds.shape[1]` should be equal to number of classes: "+
				"got `preds` with shape=%s and num_classes=%d", lighter.SizeText(p), c.classes)
		case ps[0] != ts[0] || !slices.Equal(ps[2:], ts[1:]):
			tensor.Fail(c.m.name, "If `preds` have one dimension more than `target`, the shape of `preds` should be (N, C, ...), and the shape of "+
				"`target` should be (N, ...): got `preds` with shape=%s and `target` with shape=%s.", lighter.SizeText(p), lighter.SizeText(t))
		}
		return true
	case len(ts):
		if !slices.Equal(ps, ts) {
			tensor.Fail(c.m.name, "The `preds` and `target` should have the same shape, got `preds` with shape=%s and `target` with shape=%s.", lighter.SizeText(p), lighter.SizeText(t))
		}
		if c.topK > 1 {
			tensor.Fail(c.m.name, "top_k=%d needs scores for each class, got `preds` with shape=%s, as `target`", c.topK, lighter.SizeText(p))
		}
		return false
	}
	tensor.Fail(c.m.name, "Either `preds` and `target` both should have the (same) shape (N, ...), or `target` should be (N, ...) and `preds` should "+
		"be (N, C, ...): got `preds` with shape=%s and `target` with shape=%s.", lighter.SizeText(p), lighter.SizeText(t))
	return false
}

// hits says for each target whether the prediction is right, or among the top_k; label is what was predicted: the target
// itself where it is among the top_k.
func (c *multiclass) hits(p, t tensor.Tensor) (hit, label tensor.Tensor) {
	scored := c.check(p, t)
	if c.topK > 1 {
		top := tensor.Call("topk", p, c.topK, int64(1))[1].(tensor.Tensor)
		hit = tensor.CallOne("any", top.Eq(tensor.CallOne("unsqueeze", t, int64(1))), int64(1))
		return hit, tensor.CallOne("where", hit, t, top.Select(1, 0))
	}
	if scored {
		p = p.Argmax(1)
	}
	return p.Eq(t), p
}

// valid marks the targets that count; undefined when all do.
func (c *multiclass) valid(t tensor.Tensor) tensor.Tensor {
	if c.ignore == nil {
		return tensor.Tensor{}
	}
	return tensor.CallOne("ne", t, *c.ignore)
}

// correct appends the number of right predictions and, with ignore_index, that of targets that count; n is the number of
// targets without it. Without it that is argmax, a comparison and a count.
func (c *multiclass) correct(parts []tensor.Tensor, p, t tensor.Tensor) ([]tensor.Tensor, int64) {
	hit, _ := c.hits(p, t)
	valid := c.valid(t)
	if !valid.Defined() {
		return append(parts, count(hit)), t.Numel()
	}
	return append(parts, count(hit.Mul(valid)), count(valid)), 0
}

// byClass appends, for each class, how often it was predicted rightly, was the target and was predicted.
func (c *multiclass) byClass(parts []tensor.Tensor, p, t tensor.Tensor) []tensor.Tensor {
	hit, label := c.hits(p, t)
	flat := func(x tensor.Tensor) tensor.Tensor { return x.To(x.Device(), tensor.Int64).Reshape(-1) }
	target, right := flat(t), flat(hit)
	weight := flat(tensor.CallOne("ones_like", hit))
	if valid := c.valid(t); valid.Defined() {
		weight = flat(valid)
		right, target = right.Mul(weight), target.Mul(weight) // what does not count becomes class 0, with weight 0
	}
	zeros := tensor.Zeros([]int64{c.classes}, tensor.Int64, t.Device())
	tally := func(index, weight tensor.Tensor) tensor.Tensor {
		return tensor.CallOne("scatter_add", zeros, int64(0), index, weight)
	}
	return append(parts, tally(target, right), tally(target, weight), tally(flat(label), weight))
}

// threshold turns probabilities, or logits when some lie outside 0 to 1, into predictions of 0 or 1; labels stay.
func threshold(p tensor.Tensor, at float64) tensor.Tensor {
	if !p.IsFloat() {
		return p
	}
	inside := tensor.CallOne("all", tensor.CallOne("ge", p, 0.0).Mul(tensor.CallOne("le", p, 1.0)))
	p = tensor.CallOne("where", inside, p, tensor.CallOne("sigmoid", p))
	return tensor.CallOne("gt", p, at)
}

// mean gives one value for the scores of classes: their mean by weight, or all of them.
func mean(average string, score, weight tensor.Tensor) tensor.Tensor {
	if average == "none" {
		return score
	}
	total := tensor.CallOne("sum", weight, []int64{-1}, true)
	return safeDivide(weight.Mul(score), total).Sum(tensor.Float32)
}
