package metric

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// points are the numbers of false and true positives of one column at each of its different predictions, from the highest down,
// and those predictions.
func (c *curve) points(s []tensor.Tensor, column int64) (fps, tps, at tensor.Tensor) {
	positive, valid := c.positives(s[1])
	p, hit := table(s[0]).Select(1, column), positive.Select(1, column)
	if c.r.ignore != nil {
		counts := valid.Select(1, column).To(p.Device(), tensor.Bool)
		p, hit = tensor.CallOne("masked_select", p, counts), tensor.CallOne("masked_select", hit, counts)
	}
	descending := tensor.Call("sort", p, int64(0), true)
	p, hit = descending[0].(tensor.Tensor), hit.IndexSelect(0, descending[1].(tensor.Tensor))
	n := p.Numel()
	if n == 0 {
		tensor.Fail(c.r.name, "No samples to concatenate")
	}
	last := tensor.Ones([]int64{1}, tensor.Bool, p.Device())
	if n > 1 {
		last = tensor.Cat([]tensor.Tensor{tensor.CallOne("ne", p.Narrow(0, 1, n-1), p.Narrow(0, 0, n-1)), last}, 0)
	}
	ends := tensor.CallOne("nonzero", last).Reshape(-1)
	tps = tensor.CallOne("cumsum", hit, int64(0)).IndexSelect(0, ends)
	return tensor.CallOne("add", ends, int64(1)).Sub(tps), tps, p.IndexSelect(0, ends)
}

func ends(x tensor.Tensor, value float64) tensor.Tensor {
	shape := x.Shape()
	shape[0] = 1
	return tensor.CallOne("full", shape, value, tensor.Kwarg{Name: "dtype", Value: x.DType()}, tensor.Kwarg{Name: "device", Value: x.Device()})
}

// precisionRecall is a column's precision and recall by rising threshold, with the point (1, 0) at the end.
func (c *curve) precisionRecall(s []tensor.Tensor, column int64, say *notice) (x, y, at tensor.Tensor) {
	fps, tps, at := c.points(s, column)
	precision := tps.Div(tps.Add(fps))
	recall := tps.Div(tps.Select(0, tps.Numel()-1))
	absent := c.noneAbove(s[1])
	if absent.Numel() > 1 {
		absent = absent.Select(0, column)
	}
	if absent.Int() != 0 {
		say.warn("No positive samples found in target, recall is undefined. Setting recall to one for all thresholds.")
		recall = tensor.CallOne("ones_like", recall)
	}
	return tensor.Cat([]tensor.Tensor{flip(precision), ends(precision, 1)}, 0), tensor.Cat([]tensor.Tensor{flip(recall), ends(recall, 0)}, 0), flip(at)
}

// roc is a column's false and true positive rates by falling threshold, with the point (0, 0) in front.
func (c *curve) roc(s []tensor.Tensor, column int64, say *notice) (x, y, at tensor.Tensor) {
	fps, tps, at := c.points(s, column)
	rate := func(counts tensor.Tensor, warning string) tensor.Tensor {
		counts = tensor.Cat([]tensor.Tensor{ends(counts, 0), counts}, 0)
		all := counts.Select(0, counts.Numel()-1)
		if all.Int() <= 0 {
			say.warn(warning)
		}
		return safeDivide(counts, all, 0)
	}
	x = rate(fps, "No negative samples in targets, false positive value should be meaningless. Returning zero tensor in false positive score")
	y = rate(tps, "No positive samples in targets, true positive value should be meaningless. Returning zero tensor in true positive score")
	return x, y, tensor.Cat([]tensor.Tensor{ends(at, 1), at}, 0)
}

// binnedPrecisionRecall is precision and recall at the thresholds, [T+1, C].
func (c *curve) binnedPrecisionRecall(histogram tensor.Tensor) (x, y, at tensor.Tensor) {
	fps, tps, _, positives := c.binned(histogram)
	precision, recall := float(tps).Div(float(tps.Add(fps))), float(tps).Div(float(positives))
	return tensor.Cat([]tensor.Tensor{precision, ends(precision, 1)}, 0), tensor.Cat([]tensor.Tensor{recall, ends(recall, 0)}, 0), c.thresholds
}

// binnedROC is the false and true positive rates at the thresholds, [T, C], in the opposite order.
func (c *curve) binnedROC(histogram tensor.Tensor) (x, y, at tensor.Tensor) {
	fps, tps, negatives, positives := c.binned(histogram)
	return flip(safeDivide(fps, negatives, 0)), flip(safeDivide(tps, positives, 0)), flip(c.thresholds)
}

// shape is which curve a metric gives.
type shape struct {
	class, file string
	of          func(c *curve, s []tensor.Tensor, column int64, say *notice) (x, y, at tensor.Tensor)
	binned      func(c *curve, histogram tensor.Tensor) (x, y, at tensor.Tensor)
	falling     bool // by threshold
}

var shapes = []shape{
	{"PrecisionRecallCurve", "precision_recall_curve", (*curve).precisionRecall, (*curve).binnedPrecisionRecall, false},
	{"ROC", "roc", (*curve).roc, (*curve).binnedROC, true},
}

// value is the curve: (x, y, thresholds), each a tensor or, when the columns have thresholds of their own, a list of tensors.
func (f shape) value(c *curve, s []tensor.Tensor, average string, say *notice) lighter.Value {
	var xs, ys, ats []tensor.Tensor // by column
	exact := !c.thresholds.Defined()
	if exact {
		for column := range c.columns() {
			x, y, at := f.of(c, s, column, say)
			xs, ys, ats = append(xs, x), append(ys, y), append(ats, at)
		}
	} else {
		x, y, at := f.binned(c, s[0])
		for column := range c.columns() {
			xs, ys, ats = append(xs, x.Select(1, column)), append(ys, y.Select(1, column)), append(ats, at)
		}
	}
	switch {
	case c.columns() == 1:
		return lighter.List{xs[0], ys[0], ats[0]}
	case average == "macro":
		return f.mean(xs, ys, ats)
	case !exact:
		return lighter.List{tensor.Stack(xs, 0), tensor.Stack(ys, 0), ats[0]}
	}
	list := func(ts []tensor.Tensor) lighter.List {
		out := make(lighter.List, len(ts))
		for i, t := range ts {
			out[i] = t
		}
		return out
	}
	return lighter.List{list(xs), list(ys), list(ats)}
}

// mean is one curve over the places of all: the mean of their values there.
func (f shape) mean(xs, ys, ats []tensor.Tensor) lighter.Value {
	sorted := func(x tensor.Tensor, falling bool) tensor.Tensor {
		return tensor.Call("sort", x, int64(0), falling)[0].(tensor.Tensor)
	}
	at := sorted(tensor.Cat(ats, 0), f.falling)
	x := sorted(tensor.Cat(xs, 0), false)
	sum := x.ZerosLike()
	for i := range xs {
		sum.AddInPlace(interpolated(x, xs[i], ys[i]), 1)
	}
	return lighter.List{x, sum.DivScalar(float64(len(xs))), at}
}

// interpolated is the value at x of lines through the points, as torchmetrics draws them.
func interpolated(x, xp, fp tensor.Tensor) tensor.Tensor {
	n := xp.Numel() - 1
	x0, y0 := xp.Narrow(0, 0, n), fp.Narrow(0, 0, n)
	slope := safeDivide(fp.Narrow(0, 1, n).Sub(y0), xp.Narrow(0, 1, n).Sub(x0), 0)
	start := y0.Sub(slope.Mul(x0))
	below := tensor.CallOne("ge", tensor.CallOne("unsqueeze", x, int64(1)), tensor.CallOne("unsqueeze", xp, int64(0)))
	index := tensor.CallOne("clamp", tensor.CallOne("sub", sumOf(below, 1), int64(1)), int64(0), n-1)
	return slope.IndexSelect(0, index).Mul(x).Add(start.IndexSelect(0, index))
}
