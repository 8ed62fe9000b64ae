package metric

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// auroc is the area under the curve of the true over the false positive rates, for each column.
func (c *curve) auroc(s []tensor.Tensor, maxFPR *float64, say *notice) tensor.Tensor {
	var fpr, tpr tensor.Tensor
	if c.thresholds.Defined() {
		fps, tps, negatives, positives := c.binned(s[0])
		fpr, tpr = flip(safeDivide(fps, negatives, 0)), flip(safeDivide(tps, positives, 0))
	} else {
		fps, tps, negatives, positives := c.ranks(s)
		if count(tensor.CallOne("le", negatives, int64(0))).Int() > 0 {
			say.warn("No negative samples in targets, false positive value should be meaningless. Returning zero tensor in false positive score")
		}
		if count(tensor.CallOne("le", positives, int64(0))).Int() > 0 {
			say.warn("No positive samples in targets, true positive value should be meaningless. Returning zero tensor in true positive score")
		}
		start := tensor.Zeros([]int64{1, fps.Size(1)}, tensor.Float32, fps.Device())
		fpr = tensor.Cat([]tensor.Tensor{start, safeDivide(fps, negatives, 0)}, 0)
		tpr = tensor.Cat([]tensor.Tensor{start, safeDivide(tps, positives, 0)}, 0)
	}
	if maxFPR != nil && *maxFPR != 1 && fpr.Sum(tensor.Float32).Item() != 0 && tpr.Sum(tensor.Float32).Item() != 0 {
		return partial(fpr.Reshape(-1), tpr.Reshape(-1), *maxFPR)
	}
	return trapezoids(fpr, tpr)
}

// trapezoids is the area under y over x, along the first dimension.
func trapezoids(x, y tensor.Tensor) tensor.Tensor {
	return tensor.CallOne("trapezoid", y, x, tensor.Kwarg{Name: "dim", Value: int64(0)})
}

// partial is the area up to a false positive rate, scaled so that chance gives 0.5 (McClish).
func partial(fpr, tpr tensor.Tensor, limit float64) tensor.Tensor {
	edge := tensor.FromSlice([]float32{float32(limit)}, 1).To(fpr.Device(), tensor.Float32)
	stop := tensor.CallOne("bucketize", edge, fpr, tensor.Kwarg{Name: "right", Value: true}).Int()
	from := func(x tensor.Tensor) (before, after tensor.Tensor) {
		return x.Narrow(0, stop-1, 1), x.Narrow(0, stop, 1)
	}
	x0, x1 := from(fpr)
	y0, y1 := from(tpr)
	y := tensor.CallOne("lerp", y0, y1, edge.Sub(x0).Div(x1.Sub(x0)))
	area := trapezoids(tensor.Cat([]tensor.Tensor{fpr.Narrow(0, 0, stop), edge}, 0), tensor.Cat([]tensor.Tensor{tpr.Narrow(0, 0, stop), y}, 0))
	least := edge.Mul(edge).MulScalar(0.5).Reshape()
	return area.Sub(least).Div(edge.Reshape().Sub(least)).AddScalar(1).MulScalar(0.5)
}

// averagePrecision is the area under the steps of precision over recall, for each column.
func (c *curve) averagePrecision(s []tensor.Tensor, say *notice) tensor.Tensor {
	if c.thresholds.Defined() {
		fps, tps, _, positives := c.binned(s[0])
		precision, recall := safeDivide(tps, tps.Add(fps), 0), safeDivide(tps, positives, 0)
		next := tensor.Cat([]tensor.Tensor{recall.Narrow(0, 1, recall.Size(0)-1), tensor.Zeros([]int64{1, recall.Size(1)}, tensor.Float32, recall.Device())}, 0)
		return sumOf(recall.Sub(next).Mul(precision), 0)
	}
	fps, tps, _, positives := c.ranks(s)
	precision, recall := safeDivide(tps, tps.Add(fps), 0), float(tps).Div(float(positives))
	if absent := c.noneAbove(s[1]); count(absent).Int() > 0 {
		say.warn("No positive samples found in target, recall is undefined. Setting recall to one for all thresholds.")
		recall = tensor.CallOne("masked_fill", recall, absent, 1.0)
	}
	before := tensor.Cat([]tensor.Tensor{tensor.Zeros([]int64{1, recall.Size(1)}, tensor.Float32, recall.Device()), recall.Narrow(0, 0, recall.Size(0)-1)}, 0)
	return sumOf(recall.Sub(before).Mul(precision), 0)
}

// noneAbove says of which columns all targets are 0: what torchmetrics takes for a lack of positives, also among classes.
func (c *curve) noneAbove(t tensor.Tensor) tensor.Tensor {
	above := table(tensor.CallOne("gt", t, int64(0)))
	return tensor.CallOne("logical_not", tensor.CallOne("any", above, int64(0)))
}

// support is the number of positives in each column.
func (c *curve) support(s []tensor.Tensor) tensor.Tensor {
	if c.thresholds.Defined() {
		return sumOf(s[0], 0).Select(1, 1)
	}
	positive, valid := c.positives(s[1])
	return sumOf(positive.Mul(valid), 0)
}

// mean makes one value of those of the columns; NaN are left out.
func (c *curve) mean(average string, each tensor.Tensor, s []tensor.Tensor, say *notice) tensor.Tensor {
	if average == "none" {
		return each
	}
	nan := tensor.CallOne("isnan", each)
	if count(nan).Int() > 0 {
		say.warn("Average precision score for one or more classes was `nan`. Ignoring these classes in " + average + "-average")
	}
	each = tensor.CallOne("masked_fill", each, nan, 0.0)
	weight := float(tensor.CallOne("logical_not", nan))
	if average == "weighted" {
		weight = weight.Mul(c.support(s))
		return tensor.CallOne("sum", each.Mul(safeDivide(weight, tensor.CallOne("sum", weight), 0)))
	}
	return tensor.CallOne("sum", each).Div(tensor.CallOne("sum", weight))
}

// areaMetric makes a metric of a curve's area.
func areaMetric(env *lighter.Env, c *curve, average string, area func(s []tensor.Tensor, say *notice) tensor.Tensor) lighter.Metric {
	say := &notice{name: c.r.name, log: env.Log}
	return &metric{name: c.r.name, accumulator: c.accumulator, value: func(s []tensor.Tensor, _ int64) lighter.Value {
		if average == "micro" && c.thresholds.Defined() {
			s = []tensor.Tensor{tensor.CallOne("sum", s[0], []int64{1}, true)}
		}
		if average == "micro" && !c.thresholds.Defined() {
			s = []tensor.Tensor{s[0].Reshape(-1), s[1].Reshape(-1)}
		}
		each := area(s, say)
		if c.task == "binary" || average == "micro" {
			return each.Reshape()
		}
		return c.mean(average, each, s, say)
	}}
}
