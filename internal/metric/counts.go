package metric

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// counts are the true and false positives and negatives: scalars, or one a class in the last dimension.
type counts struct{ tp, fp, tn, fn tensor.Tensor }

// each applies f to all four.
func (c counts) each(f func(tensor.Tensor) tensor.Tensor) counts {
	return counts{f(c.tp), f(c.fp), f(c.tn), f(c.fn)}
}

// total sums over the classes.
func (c counts) total() counts {
	return c.each(func(x tensor.Tensor) tensor.Tensor { return sumOf(x, -1) })
}

func sumOf(x tensor.Tensor, dims ...int64) tensor.Tensor { return tensor.CallOne("sum", x, dims) }

func times(x tensor.Tensor, n int64) tensor.Tensor { return tensor.CallOne("mul", x, n) }

// counting is an accumulator of counts, and the way from its states to them.
type counting struct {
	*accumulator
	counts func(states []tensor.Tensor, n int64) counts
}

// newCounting makes the accumulator that fits a task; micro says that only the sum over the classes is asked for.
func newCounting(task string, r *reading, micro bool) counting {
	c := counting{accumulator: &accumulator{}}
	switch {
	case task == "multiclass" && r.samples:
		c.states = joins(3)
		c.update, c.counts = r.bySample, fromTallies
	case task == "multiclass" && micro:
		c.states = sums(counter(), counter())
		if r.ignore == nil {
			c.states = c.states[:1]
		}
		c.update = r.correct
		c.counts = func(s []tensor.Tensor, n int64) counts { return r.fromCorrect(s, n) }
	case task == "multiclass":
		c.states = sums(counter(r.classes), counter(r.classes), counter(r.classes))
		c.update, c.counts = r.byClass, fromTallies
	default:
		shape := []int64{4}
		if task == "multilabel" {
			shape = []int64{r.classes, 4}
		}
		c.states = sums(counter(shape...))
		if r.samples {
			c.states = joins(1)
		}
		c.update = func(parts []tensor.Tensor, pred, target lighter.Value) ([]tensor.Tensor, int64) {
			return r.byLabel(parts, pred, target, task == "multilabel")
		}
		c.counts = func(s []tensor.Tensor, _ int64) counts {
			at := func(i int64) tensor.Tensor { return s[0].Select(-1, i) }
			tp, tn := at(0), at(1)
			return counts{tp, at(2).Sub(tn), tn, at(3).Sub(tp)}
		}
	}
	c.key = r.key(fmt.Sprint("counts ", task, " ", micro && task == "multiclass"))
	return c
}

// counter is a state of whole numbers.
func counter(shape ...int64) tensor.Tensor { return tensor.Zeros(shape, tensor.Int64, tensor.Device{}) }

// correct appends the number of right predictions and, with ignore_index, that of targets that count; n is the number of
// targets without it. Without it that is argmax, a comparison and a count.
func (r *reading) correct(parts []tensor.Tensor, pred, target lighter.Value) ([]tensor.Tensor, int64) {
	p, t := both(r.name, pred, target)
	r.known(p, t, true)
	hit, _ := r.hits(p, t)
	valid := r.valid(t)
	if !valid.Defined() {
		return append(parts, count(hit)), t.Numel()
	}
	return append(parts, count(hit.Mul(valid)), count(valid)), 0
}

// count is the number of true elements. On the CPU count_nonzero takes half the time of a sum; elsewhere it is two kernels.
func count(x tensor.Tensor) tensor.Tensor {
	if x.Device().Type == tensor.CPU {
		return x.CountNonzero()
	}
	return x.Sum(tensor.Int64)
}

// fromCorrect: what is wrong is a false positive of one class and a false negative of another.
func (r *reading) fromCorrect(s []tensor.Tensor, n int64) counts {
	right := s[0]
	all := tensor.CallOne("full_like", right, n)
	if len(s) > 1 {
		all = s[1]
	}
	wrong := all.Sub(right)
	return counts{right, wrong, times(all, max(r.classes, 1)).Sub(times(wrong, 2)).Sub(right), wrong}
}

// byClass appends, for each class, how often it was predicted rightly, was the target and was predicted.
func (r *reading) byClass(parts []tensor.Tensor, pred, target lighter.Value) ([]tensor.Tensor, int64) {
	p, t := both(r.name, pred, target)
	r.known(p, t, false)
	hit, label := r.hits(p, t)
	flat := func(x tensor.Tensor) tensor.Tensor { return x.To(x.Device(), tensor.Int64).Reshape(-1) }
	index, right := flat(t), flat(hit)
	weight := flat(tensor.CallOne("ones_like", hit))
	if valid := r.valid(t); valid.Defined() {
		weight = flat(valid)
		right, index = right.Mul(weight), index.Mul(weight) // what does not count becomes class 0, with weight 0
	}
	zeros := tensor.Zeros([]int64{r.classes}, tensor.Int64, t.Device())
	tally := func(index, weight tensor.Tensor) tensor.Tensor {
		return tensor.CallOne("scatter_add", zeros, int64(0), index, weight)
	}
	return append(parts, tally(index, right), tally(index, weight), tally(flat(label), weight)), 0
}

// bySample is byClass for each sample: [N, C].
func (r *reading) bySample(parts []tensor.Tensor, pred, target lighter.Value) ([]tensor.Tensor, int64) {
	p, t := both(r.name, pred, target)
	r.known(p, t, false)
	hit, label := r.hits(p, t)
	flat := func(x tensor.Tensor) tensor.Tensor {
		return x.To(x.Device(), tensor.Int64).Reshape(t.Size(0), -1)
	}
	index, right := flat(t), flat(hit)
	weight := flat(tensor.CallOne("ones_like", hit))
	if valid := r.valid(t); valid.Defined() {
		weight = flat(valid)
		right, index = right.Mul(weight), index.Mul(weight)
	}
	zeros := tensor.Zeros([]int64{t.Size(0), r.classes}, tensor.Int64, t.Device())
	tally := func(index, weight tensor.Tensor) tensor.Tensor {
		return tensor.CallOne("scatter_add", zeros, int64(1), index, weight)
	}
	return append(parts, tally(index, right), tally(index, weight), tally(flat(label), weight)), 0
}

// fromTallies makes counts of how often each class was predicted rightly, was the target and was predicted.
func fromTallies(s []tensor.Tensor, _ int64) counts {
	right, targets, predicted := s[0], s[1], s[2]
	all := tensor.CallOne("sum", targets, []int64{-1}, true)
	return counts{right, predicted.Sub(right), all.Sub(targets).Sub(predicted).Add(right), targets.Sub(right)}
}

// byLabel appends the true positives, the true negatives, the negatives and the positives, in the last dimension: of everything,
// or with labels by label; for each sample when that is asked for.
func (r *reading) byLabel(parts []tensor.Tensor, pred, target lighter.Value, labels bool) ([]tensor.Tensor, int64) {
	p, t := both(r.name, pred, target)
	size := int64(0)
	if labels {
		r.multilabel(p, t)
		size = r.classes
	} else {
		r.binary(p, t)
	}
	r.zeroOne(p, t)
	if !r.samples {
		if c := tensor.BinaryCounts(p, t, size, r.threshold, r.ignore); c.Defined() {
			return append(parts, c), 0
		}
	}
	hit := r.positive(p, tensor.Tensor{}).Eq(t)
	positive, negative := tensor.CallOne("eq", t, int64(1)), tensor.CallOne("eq", t, int64(0))
	if valid := r.valid(t); valid.Defined() {
		positive, negative = positive.Mul(valid), negative.Mul(valid)
	}
	var dims []int64 // all but the labels', and the samples' when they have a count of their own
	for d := range int64(p.Dim()) {
		if !(labels && d == 1 || r.samples && d == 0) {
			dims = append(dims, d)
		}
	}
	four := []tensor.Tensor{hit.Mul(positive), hit.Mul(negative), negative, positive}
	for i, x := range four {
		if four[i] = x.To(x.Device(), tensor.Int64); len(dims) > 0 {
			four[i] = sumOf(four[i], dims...)
		}
	}
	return append(parts, tensor.Stack(four, -1)), 0
}
