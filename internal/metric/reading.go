package metric

import (
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// reading is how predictions and targets of a classification are read.
type reading struct {
	name      string // the metric's, for messages
	classes   int64  // or labels; 0 when unknown
	threshold float64
	topK      int64
	ignore    *int64
	samples   bool // samplewise
	validate  bool // look at the values of targets too, where that does not wait for the device
}

// valid marks the targets that count; undefined when all do.
func (r *reading) valid(t tensor.Tensor) tensor.Tensor {
	if r.ignore == nil {
		return tensor.Tensor{}
	}
	return tensor.CallOne("ne", t, *r.ignore)
}

// multiclass is torchmetrics' check of the shapes of predictions [N, C, ...] of scores or [N, ...] of labels, and targets
// [N, ...] of labels. scored says whether predictions are scores.
func (r *reading) multiclass(p, t tensor.Tensor) (scored bool) {
	ps, ts := p.Shape(), t.Shape()
	switch len(ps) {
	case len(ts) + 1:
		switch {
		case !p.IsFloat():
			tensor.Fail(r.name, "If `preds` have one dimension more than `target`, `preds` should be a float tensor.")
		case len(ps) < 2 || r.classes > 0 && ps[1] != r.classes:
			tensor.Fail(r.name, "If `preds` have one dimension more than `target`, `preds.shape[1]` should be equal to number of classes: "+
				"got `preds` with shape=%s and num_classes=%d", lighter.SizeText(p), r.classes)
		case ps[0] != ts[0] || !slices.Equal(ps[2:], ts[1:]):
			tensor.Fail(r.name, "If `preds` have one dimension more than `target`, the shape of `preds` should be (N, C, ...), and the shape of "+
				"`target` should be (N, ...): got `preds` with shape=%s and `target` with shape=%s.", lighter.SizeText(p), lighter.SizeText(t))
		case r.samples && len(ps) < 3:
			tensor.Fail(r.name, "If `preds` have one dimension more than `target`, the shape of `preds` should be at least 3D when multidim_average is set to `samplewise`")
		}
		return true
	case len(ts):
		switch {
		case !slices.Equal(ps, ts):
			tensor.Fail(r.name, "The `preds` and `target` should have the same shape, got `preds` with shape=%s and `target` with shape=%s.", lighter.SizeText(p), lighter.SizeText(t))
		case r.topK > 1:
			tensor.Fail(r.name, "top_k=%d needs scores for each class, got `preds` with shape=%s, as `target`", r.topK, lighter.SizeText(p))
		case r.samples && len(ps) < 2:
			tensor.Fail(r.name, "When `preds` and `target` have the same shape, the shape of `preds` should be at least 2D when multidim_average is set to `samplewise`")
		}
		return false
	}
	tensor.Fail(r.name, "Either `preds` and `target` both should have the (same) shape (N, ...), or `target` should be (N, ...) and `preds` should "+
		"be (N, C, ...): got `preds` with shape=%s and `target` with shape=%s.", lighter.SizeText(p), lighter.SizeText(t))
	return false
}

// multilabel is torchmetrics' check of the shapes of predictions and targets [N, L, ...].
func (r *reading) multilabel(p, t tensor.Tensor) {
	sameShape(r.name, p, t)
	if p.Dim() < 2 || p.Size(1) != r.classes {
		got := int64(0)
		if p.Dim() > 1 {
			got = p.Size(1)
		}
		tensor.Fail(r.name, "Expected both `target.shape[1]` and `preds.shape[1]` to be equal to the number of labels but got %d and expected %d", got, r.classes)
	}
	if r.samples && p.Dim() < 3 {
		tensor.Fail(r.name, "Expected input to be at least 3D when multidim_average is set to `samplewise`")
	}
}

// binary is torchmetrics' check of the shapes of predictions and targets of one shape.
func (r *reading) binary(p, t tensor.Tensor) {
	sameShape(r.name, p, t)
	if r.samples && p.Dim() < 2 {
		tensor.Fail(r.name, "Expected input to be at least 2D when multidim_average is set to `samplewise`")
	}
}

// hits says for each target whether the prediction is right, or among the top_k; label is what was predicted: the target
// itself where it is among the top_k.
func (r *reading) hits(p, t tensor.Tensor) (hit, label tensor.Tensor) {
	scored := r.multiclass(p, t)
	if r.topK > 1 {
		top := tensor.Call("topk", p, r.topK, int64(1))[1].(tensor.Tensor)
		hit = tensor.CallOne("any", top.Eq(tensor.CallOne("unsqueeze", t, int64(1))), int64(1))
		return hit, tensor.CallOne("where", hit, t, top.Select(1, 0))
	}
	if scored {
		p = p.Argmax(1)
	}
	return p.Eq(t), p
}

// normalized makes probabilities of logits: when any of the values that count lies outside 0 to 1, all are logits.
func normalized(p, valid tensor.Tensor, softmax bool) tensor.Tensor {
	inside := tensor.CallOne("ge", p, 0.0).Mul(tensor.CallOne("le", p, 1.0))
	if valid.Defined() {
		inside = tensor.CallOne("logical_or", inside, tensor.CallOne("logical_not", valid))
	}
	all := tensor.CallOne("all", inside)
	if p.Device().Type == tensor.CPU {
		if all.Int() != 0 {
			return p
		}
		return probabilities(p, softmax)
	}
	return tensor.CallOne("where", all, p, probabilities(p, softmax))
}

func probabilities(p tensor.Tensor, softmax bool) tensor.Tensor {
	if softmax {
		return p.Softmax(1)
	}
	return tensor.CallOne("sigmoid", p)
}

// positive turns probabilities or logits into predictions of 0 or 1; labels stay.
func (r *reading) positive(p, valid tensor.Tensor) tensor.Tensor {
	if !p.IsFloat() {
		return p
	}
	return tensor.CallOne("gt", normalized(p, valid, false), r.threshold)
}
