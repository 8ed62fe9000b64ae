package model

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("loss", "CrossEntropyLoss", CrossEntropyLoss{IgnoreIndex: -100, Reduction: "mean"})
	layer("loss", "NLLLoss", NLLLoss{IgnoreIndex: -100, Reduction: "mean", class: "NLLLoss"})
	layer("loss", "NLLLoss2d", NLLLoss{IgnoreIndex: -100, Reduction: "mean", class: "NLLLoss2d"})
	layer("loss", "BCELoss", BCELoss{Reduced: mean})
	layer("loss", "BCEWithLogitsLoss", BCEWithLogitsLoss{Reduced: mean})
}

// CrossEntropyLoss is torch.nn.CrossEntropyLoss: input [N, C, ...] of logits; target [N, ...] of class indices, or of the
// input's shape with probabilities.
type CrossEntropyLoss struct {
	Weight         Weights `cfg:"weight" help:"weight of each class"`
	SizeAverage    *bool   `cfg:"size_average" help:"deprecated in PyTorch: use reduction"`
	IgnoreIndex    int64   `cfg:"ignore_index" help:"target that does not count"`
	Reduce         *bool   `cfg:"reduce" help:"deprecated in PyTorch: use reduction"`
	Reduction      string  `cfg:"reduction" oneof:"none|mean|sum" help:"how the losses of a batch become one"`
	LabelSmoothing float64 `cfg:"label_smoothing,aka=smoothing" help:"share of the target spread over all classes, 0 to 1"`
}

// Validate implements the registry's Validator.
func (c CrossEntropyLoss) Validate() error {
	if !(c.LabelSmoothing >= 0 && c.LabelSmoothing <= 1) {
		return lighter.FieldError("label_smoothing", "label_smoothing must be between 0.0 and 1.0. Got: %v", c.LabelSmoothing)
	}
	return nil
}

// Build implements the registry's Builder.
func (c CrossEntropyLoss) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	m := newLoss("CrossEntropyLoss")
	weight, reduction := m.constant("weight", c.Weight), reductionOf(c.Reduction, c.SizeAverage, c.Reduce)
	m.indexed, m.ignored = true, c.IgnoreIndex
	m.f = func(x, y tensor.Tensor) tensor.Tensor {
		return tensor.CrossEntropy(x, y, weight, reduction, c.IgnoreIndex, c.LabelSmoothing)
	}
	return m, nil
}

// NLLLoss is torch.nn.NLLLoss, and NLLLoss2d, its old name for images: input [N, C, ...] of log-probabilities, target [N, ...] of class indices.
type NLLLoss struct {
	Weight      Weights `cfg:"weight" help:"weight of each class"`
	SizeAverage *bool   `cfg:"size_average" help:"deprecated in PyTorch: use reduction"`
	IgnoreIndex int64   `cfg:"ignore_index" help:"target that does not count"`
	Reduce      *bool   `cfg:"reduce" help:"deprecated in PyTorch: use reduction"`
	Reduction   string  `cfg:"reduction" oneof:"none|mean|sum" help:"how the losses of a batch become one"`

	class string
}

// Build implements the registry's Builder.
func (c NLLLoss) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	m := newLoss(c.class)
	weight, reduction := m.constant("weight", c.Weight), reductionOf(c.Reduction, c.SizeAverage, c.Reduce)
	m.indexed, m.ignored = true, c.IgnoreIndex
	m.f = func(x, y tensor.Tensor) tensor.Tensor {
		return tensor.CallOne("nll_loss_nd", x, y, weight, int64(reduction), c.IgnoreIndex)
	}
	return m, nil
}

// BCELoss is torch.nn.BCELoss: binary cross entropy of probabilities; input and target have one shape.
type BCELoss struct {
	Weight Weights `cfg:"weight" help:"weight of each element, broadcast"`
	Reduced
}

// Build implements the registry's Builder.
func (c BCELoss) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	m := newLoss("BCELoss")
	weight, reduction := m.constant("weight", c.Weight), c.get()
	m.f = func(x, y tensor.Tensor) tensor.Tensor {
		if !y.SameShape(x.Shape()) {
			tensor.Fail("binary_cross_entropy", "Using a target size (%s) that is different to the input size (%s) is deprecated. Please ensure they have the same size.", lighter.SizeText(y), lighter.SizeText(x))
		}
		return tensor.CallOne("binary_cross_entropy", x, y, weight, int64(reduction))
	}
	return m, nil
}

// BCEWithLogitsLoss is torch.nn.BCEWithLogitsLoss: binary cross entropy of logits; input and target have one shape.
type BCEWithLogitsLoss struct {
	Weight Weights `cfg:"weight" help:"weight of each element, broadcast"`
	Reduced
	PosWeight Weights `cfg:"pos_weight" help:"weight of positive targets, broadcast"`
}

// Build implements the registry's Builder.
func (c BCEWithLogitsLoss) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	m := newLoss("BCEWithLogitsLoss")
	weight, positive := m.constant("weight", c.Weight), m.constant("pos_weight", c.PosWeight)
	reduction := c.get()
	m.f = func(x, y tensor.Tensor) tensor.Tensor {
		if !y.SameShape(x.Shape()) {
			tensor.Fail("binary_cross_entropy_with_logits", "Target size (%s) must be the same as input size (%s)", lighter.SizeText(y), lighter.SizeText(x))
		}
		return tensor.CallOne("binary_cross_entropy_with_logits", x, y, weight, positive, int64(reduction))
	}
	return m, nil
}
