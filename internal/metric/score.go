package metric

import (
	"github.com/lighter-go/lighter/tensor"
)

// score is a metric made of true and false positives and negatives.
type score struct {
	class, file string
	// of is the score of counts, for each of their elements.
	of func(c counts, r reduction) tensor.Tensor
	// topK says that classes without a target are left out of the mean when top_k is above 1.
	topK bool
	// whole takes the place of of and of the average over classes.
	whole func(c counts, r reduction) tensor.Tensor
}

// reduction is how counts become a value.
type reduction struct {
	task    string
	average string
	topK    int64
	samples bool    // samplewise
	zero    float64 // the value of 0/0
	beta    float64
}

var scores = []score{
	{class: "StatScores", file: "stat_scores", whole: statScores},
	{class: "Accuracy", file: "accuracy", of: accuracy, topK: true},
	{class: "Precision", file: "precision_recall", topK: true, of: func(c counts, r reduction) tensor.Tensor {
		return safeDivide(c.tp, c.tp.Add(c.fp), r.zero)
	}},
	{class: "Recall", file: "precision_recall", topK: true, of: func(c counts, r reduction) tensor.Tensor {
		return safeDivide(c.tp, c.tp.Add(c.fn), r.zero)
	}},
	{class: "Specificity", file: "specificity", of: func(c counts, _ reduction) tensor.Tensor {
		return safeDivide(c.tn, c.tn.Add(c.fp), 0)
	}},
	{class: "NegativePredictiveValue", file: "negative_predictive_value", topK: true, of: func(c counts, r reduction) tensor.Tensor {
		return safeDivide(c.tn, c.tn.Add(c.fn), r.zero)
	}},
	{class: "HammingDistance", file: "hamming", of: func(c counts, r reduction) tensor.Tensor {
		return tensor.CallOne("rsub", accuracy(c, r), int64(1))
	}},
}

var fBeta = score{class: "FBetaScore", file: "f_beta", of: func(c counts, r reduction) tensor.Tensor {
	square := r.beta * r.beta
	top := c.tp.MulScalar(1 + square)
	return safeDivide(top, top.Add(c.fn.MulScalar(square)).Add(c.fp), r.zero)
}}

func accuracy(c counts, r reduction) tensor.Tensor {
	if r.task == "multiclass" {
		return safeDivide(c.tp, c.tp.Add(c.fn), 0)
	}
	right := c.tp.Add(c.tn)
	return safeDivide(right, right.Add(c.fp).Add(c.fn), 0)
}

// value is the score over all classes, or of each.
func (s score) value(c counts, r reduction) tensor.Tensor {
	switch {
	case s.whole != nil:
		return s.whole(c, r)
	case r.task == "binary":
		return s.of(c, r)
	case r.average == "micro":
		return s.of(c.total(), r)
	}
	each := s.of(c, r)
	var weight tensor.Tensor
	switch r.average {
	case "none":
		return each
	case "weighted":
		weight = c.tp.Add(c.fn)
	default:
		weight = tensor.CallOne("ones_like", each)
		if r.task == "multiclass" { // over the classes that there are
			seen := c.tp.Add(c.fn)
			if !s.topK || r.topK == 1 {
				seen = seen.Add(c.fp)
			}
			weight = weight.Mul(tensor.CallOne("ne", seen, int64(0)))
		}
	}
	total := tensor.CallOne("sum", weight, []int64{-1}, true)
	return sumOf(safeDivide(weight.Mul(each), total, 0), -1)
}

// statScores is the counts themselves and the support: [..., 5].
func statScores(c counts, r reduction) tensor.Tensor {
	support := c.tp.Add(c.fn)
	all := tensor.Stack([]tensor.Tensor{c.tp, c.fp, c.tn, c.fn, support}, -1)
	dim := int64(0)
	if r.samples {
		dim = 1
	}
	if r.task == "binary" || r.average == "none" {
		return all
	}
	switch r.average {
	case "micro":
		if all.Dim() == 1 {
			return all
		}
		return sumOf(all, dim)
	case "macro":
		return tensor.CallOne("mean", all.To(all.Device(), tensor.Float32), []int64{dim})
	}
	total := support.Sum(tensor.Int64)
	if r.samples && r.task == "multiclass" {
		total = tensor.CallOne("sum", support, []int64{-1}, true)
	}
	return sumOf(all.Mul(tensor.CallOne("unsqueeze", support.Div(total), int64(-1))), dim)
}

// safeDivide is a / b, zero where b is 0; whole numbers are divided as float32.
func safeDivide(a, b tensor.Tensor, zero float64) tensor.Tensor {
	a, b = float(a), float(b)
	return tensor.CallOne("where", tensor.CallOne("ne", b, 0.0), a.Div(b), zero)
}

func float(x tensor.Tensor) tensor.Tensor {
	if x.IsFloat() {
		return x
	}
	return x.To(x.Device(), tensor.Float32)
}

// ratio is part / n in float32; 0 where there is nothing.
func ratio(part tensor.Tensor, n int64) tensor.Tensor {
	if n == 0 {
		return tensor.Zeros(part.Shape(), tensor.Float32, part.Device())
	}
	return part.DivScalar(float64(n))
}
