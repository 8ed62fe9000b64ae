package model

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("loss", "HingeEmbeddingLoss", hinge)
	layer("loss", "CosineEmbeddingLoss", MarginLoss{Reduced: mean, class: "CosineEmbeddingLoss", op: "cosine_embedding_loss", takes: threeTensors})
	layer("loss", "MarginRankingLoss", MarginLoss{Reduced: mean, class: "MarginRankingLoss", op: "margin_ranking_loss", takes: threeTensors})
	layer("loss", "SoftMarginLoss", softMargin)
	layer("loss", "MultiLabelMarginLoss", multiLabelMargin)
	layer("loss", "MultiLabelSoftMarginLoss", MultiLabelSoftMarginLoss{Reduced: mean})
	layer("loss", "MultiMarginLoss", MultiMarginLoss{P: 1, Margin: 1, Reduced: mean})
	layer("loss", "TripletMarginLoss", TripletMarginLoss{Margin: 1, P: 2, Eps: 1e-6, Reduced: mean})
	layer("loss", "TripletMarginWithDistanceLoss", TripletMarginWithDistanceLoss{Margin: 1, Reduction: "mean"})
}

var (
	hinge            = MarginLoss{Margin: 1, Reduced: mean, class: "HingeEmbeddingLoss", op: "hinge_embedding_loss", takes: "input, target"}
	softMargin       = PlainLoss{mean, "SoftMarginLoss", "soft_margin_loss"}
	multiLabelMargin = PlainLoss{mean, "MultiLabelMarginLoss", "multilabel_margin_loss"}
)

const threeTensors = signature("input1, input2, target")

// MarginLoss is torch.nn.HingeEmbeddingLoss of (input, target), torch.nn.CosineEmbeddingLoss and torch.nn.MarginRankingLoss of (input1,
// input2, target); the target is 1 or -1.
type MarginLoss struct {
	Margin float64 `cfg:"margin" help:"distance at which a pair that should differ costs nothing"`
	Reduced

	class, op string
	takes     signature
}

// Build implements the registry's Builder.
func (c MarginLoss) Build(*lighter.Env) (lighter.Module, error) {
	return lossOf(c.class, c.takes, func(a arguments) tensor.Tensor {
		var args []any
		for i := range a.values {
			args = append(args, a.tensor(i))
		}
		if x, y, last := a.tensor(0), a.tensor(1), a.tensor(len(args)-1); c.op == "margin_ranking_loss" && (x.Dim() != y.Dim() || x.Dim() != last.Dim()) {
			tensor.Fail(c.op, "margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: %s, input2: %s, target: %s",
				lighter.SizeText(x), lighter.SizeText(y), lighter.SizeText(last))
		}
		return tensor.CallOne(c.op, append(args, c.Margin, int64(c.get()))...)
	}), nil
}

// PlainLoss is torch.nn.SoftMarginLoss, whose targets are 1 and -1, and torch.nn.MultiLabelMarginLoss, whose targets are the classes of a
// sample, ended by -1.
type PlainLoss struct {
	Reduced

	class, op string
}

// Build implements the registry's Builder.
func (c PlainLoss) Build(*lighter.Env) (lighter.Module, error) {
	m := newLoss(c.class)
	m.f = func(x, y tensor.Tensor) tensor.Tensor { return tensor.CallOne(c.op, x, y, int64(c.get())) }
	return m, nil
}

// MultiLabelSoftMarginLoss is torch.nn.MultiLabelSoftMarginLoss: the mean over the classes of binary cross entropies of logits.
type MultiLabelSoftMarginLoss struct {
	Weight Weights `cfg:"weight" help:"weight of each class"`
	Reduced
}

// Build implements the registry's Builder.
func (c MultiLabelSoftMarginLoss) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	m := newLoss("MultiLabelSoftMarginLoss")
	weight := m.constant("weight", c.Weight)
	m.f = func(x, y tensor.Tensor) tensor.Tensor {
		sigmoid := func(x tensor.Tensor) tensor.Tensor { return tensor.CallOne("log_sigmoid", x) }
		no := tensor.CallOne("rsub", y, 1)
		l := tensor.CallOne("neg", y.Mul(sigmoid(x)).Add(no.Mul(sigmoid(tensor.CallOne("neg", x)))))
		if weight.Defined() {
			l = l.Mul(weight)
		}
		return reduce(tensor.CallOne("sum", l, []int64{-1}).DivScalar(float64(x.Size(-1))), c.get())
	}
	return m, nil
}

// MultiMarginLoss is torch.nn.MultiMarginLoss: input [N, C], target [N] of class indices.
type MultiMarginLoss struct {
	P      int64   `cfg:"p" help:"exponent, 1 or 2"`
	Margin float64 `cfg:"margin" help:"by how much the right class should lead"`
	Weight Weights `cfg:"weight" help:"weight of each class"`
	Reduced
}

// Validate implements the registry's Validator.
func (c MultiMarginLoss) Validate() error {
	if c.P != 1 && c.P != 2 {
		return lighter.FieldError("p", "only p == 1 and p == 2 supported")
	}
	return nil
}

// Build implements the registry's Builder.
func (c MultiMarginLoss) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	m := newLoss("MultiMarginLoss")
	weight := m.constant("weight", c.Weight)
	if weight.Defined() && weight.Dim() != 1 {
		return nil, lighter.FieldError("weight", "MultiMarginLoss: expected weight to be None or 1D tensor, got %dD instead", weight.Dim())
	}
	m.indexed, m.ignored = true, noIndex
	m.f = func(x, y tensor.Tensor) tensor.Tensor {
		return tensor.CallOne("multi_margin_loss", x, y, c.P, c.Margin, weight, int64(c.get()))
	}
	return m, nil
}

// TripletMarginLoss is torch.nn.TripletMarginLoss: its forward is (anchor, positive, negative).
type TripletMarginLoss struct {
	Margin float64 `cfg:"margin" help:"by how much the negative should be farther than the positive"`
	P      float64 `cfg:"p" help:"p of the norm"`
	Eps    float64 `cfg:"eps" help:"added to the difference"`
	Swap   bool    `cfg:"swap" help:"take the distance from the positive to the negative where that is less"`
	Reduced
}

// Validate implements the registry's Validator.
func (c TripletMarginLoss) Validate() error { return checkMargin("TripletMarginLoss", c.Margin) }

func checkMargin(class string, margin float64) error {
	if margin <= 0 {
		return lighter.FieldError("margin", "%s: expected margin to be greater than 0, got %s instead", class, expr.Float(margin))
	}
	return nil
}

const triplet = signature("anchor, positive, negative")

// Build implements the registry's Builder.
func (c TripletMarginLoss) Build(*lighter.Env) (lighter.Module, error) {
	return lossOf("TripletMarginLoss", triplet, func(a arguments) tensor.Tensor {
		return tensor.CallOne("triplet_margin_loss", a.tensor(0), a.tensor(1), a.tensor(2), c.Margin, c.P, c.Eps, c.Swap, int64(c.get()))
	}), nil
}

// TripletMarginWithDistanceLoss is torch.nn.TripletMarginWithDistanceLoss: its forward is (anchor, positive, negative).
type TripletMarginWithDistanceLoss struct {
	DistanceFunction lighter.Module `cfg:"distance_function" help:"distance of two tensors; torch.nn.PairwiseDistance when null"`
	Margin           float64        `cfg:"margin" help:"by how much the negative should be farther than the positive"`
	Swap             bool           `cfg:"swap" help:"take the distance from the positive to the negative where that is less"`
	Reduction        string         `cfg:"reduction" oneof:"none|mean|sum" help:"how the losses of a batch become one"`
}

// Validate implements the registry's Validator.
func (c TripletMarginWithDistanceLoss) Validate() error {
	return checkMargin("TripletMarginWithDistanceLoss", c.Margin)
}

// Build implements the registry's Builder.
func (c TripletMarginWithDistanceLoss) Build(env *lighter.Env) (lighter.Module, error) {
	distance := c.DistanceFunction
	if distance == nil {
		var err error
		if distance, err = (PairwiseDistance{P: 2, Eps: 1e-6}).Build(env); err != nil {
			return nil, err
		}
	}
	reduction := reductionOf(c.Reduction, nil, nil)
	m := newLoss("TripletMarginWithDistanceLoss")
	m.Add("distance_function", distance)
	m.takes = triplet
	m.all = func(a arguments) tensor.Tensor {
		between := func(i, j int) tensor.Tensor {
			m.Enter(0)
			d := distance.Forward(a.tensor(i), a.tensor(j))
			m.Leave()
			return lighter.TensorArg(m.Class(), lighter.List{d}, 0)
		}
		if x, y, z := a.tensor(0).Dim(), a.tensor(1).Dim(), a.tensor(2).Dim(); x != y || y != z {
			tensor.Fail(m.Class(), "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: anchor %dD, positive %dD, and negative %dD inputs", x, y, z)
		}
		near, far := between(0, 1), between(0, 2)
		if c.Swap {
			far = tensor.CallOne("minimum", far, between(1, 2))
		}
		return reduce(tensor.CallOne("clamp_min", near.AddScalar(c.Margin).Sub(far), 0.0), reduction)
	}
	return m, nil
}
