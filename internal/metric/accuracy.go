package metric

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	micro, macro := "micro", "macro"
	const classification = "torchmetrics.classification"
	register("Accuracy", Accuracy{Threshold: 0.5, Average: &micro, MultidimAverage: "global", TopK: 1, ValidateArgs: true}, "torchmetrics", classification, classification+".accuracy")
	register("BinaryAccuracy", BinaryAccuracy{Threshold: 0.5, MultidimAverage: "global", ValidateArgs: true}, classification, classification+".accuracy")
	register("MulticlassAccuracy", MulticlassAccuracy{TopK: 1, Average: &macro, MultidimAverage: "global", ValidateArgs: true}, classification, classification+".accuracy")
	register("MultilabelAccuracy", MultilabelAccuracy{Threshold: 0.5, Average: &macro, MultidimAverage: "global", ValidateArgs: true}, classification, classification+".accuracy")
}

// Accuracy is torchmetrics.Accuracy: BinaryAccuracy, MulticlassAccuracy or MultilabelAccuracy by task.
type Accuracy struct {
	Task            string  `cfg:"task,required" oneof:"binary|multiclass|multilabel" help:"kind of classification"`
	Threshold       float64 `cfg:"threshold" help:"probability from which a prediction is 1 (binary, multilabel)"`
	NumClasses      *int64  `cfg:"num_classes,aka=n_classes|classes" help:"number of classes (multiclass)"`
	NumLabels       *int64  `cfg:"num_labels,aka=n_labels|labels" help:"number of labels (multilabel)"`
	Average         *string `cfg:"average" oneof:"micro|macro|weighted|none" help:"how the classes or labels become one value"`
	MultidimAverage string  `cfg:"multidim_average" oneof:"global|samplewise" help:"global: further dimensions are samples too"`
	TopK            int64   `cfg:"top_k,aka=topk|k" help:"right is a target among this many best (multiclass)"`
	IgnoreIndex     *int64  `cfg:"ignore_index" help:"target that does not count"`
	ValidateArgs    bool    `cfg:"validate_args,ignored" help:"shapes are always checked, values never"`
}

// Validate implements the registry's Validator.
func (c Accuracy) Validate() error {
	switch c.Task {
	case "binary":
		return c.binary().Validate()
	case "multiclass":
		if c.NumClasses == nil {
			return lighter.FieldError("num_classes", "Optional arg `num_classes` must be type `int` when task is multiclass. Got <class 'NoneType'>")
		}
		return c.multiclass().Validate()
	}
	if c.NumLabels == nil {
		return lighter.FieldError("num_labels", "Optional arg `num_labels` must be type `int` when task is multilabel. Got <class 'NoneType'>")
	}
	return c.multilabel().Validate()
}

func (c Accuracy) binary() BinaryAccuracy {
	return BinaryAccuracy{Threshold: c.Threshold, MultidimAverage: c.MultidimAverage, IgnoreIndex: c.IgnoreIndex}
}

func (c Accuracy) multiclass() MulticlassAccuracy {
	return MulticlassAccuracy{NumClasses: c.NumClasses, TopK: c.TopK, Average: c.Average, MultidimAverage: c.MultidimAverage, IgnoreIndex: c.IgnoreIndex}
}

func (c Accuracy) multilabel() MultilabelAccuracy {
	return MultilabelAccuracy{NumLabels: *c.NumLabels, Threshold: c.Threshold, Average: c.Average, MultidimAverage: c.MultidimAverage, IgnoreIndex: c.IgnoreIndex}
}

// Build implements the registry's Builder.
func (c Accuracy) Build(env *lighter.Env) (lighter.Metric, error) {
	switch c.Task {
	case "binary":
		return c.binary().Build(env)
	case "multiclass":
		return c.multiclass().Build(env)
	}
	return c.multilabel().Build(env)
}

// BinaryAccuracy is the share of right predictions. Predictions are labels 0 and 1, probabilities, or, when some lie
// outside 0 to 1, logits; they and the targets have one shape.
type BinaryAccuracy struct {
	Threshold       float64 `cfg:"threshold" help:"probability from which a prediction is 1"`
	MultidimAverage string  `cfg:"multidim_average" oneof:"global|samplewise" help:"global: further dimensions are samples too"`
	IgnoreIndex     *int64  `cfg:"ignore_index" help:"target that does not count"`
	ValidateArgs    bool    `cfg:"validate_args,ignored" help:"shapes are always checked, values never"`
}

// Validate implements the registry's Validator.
func (c BinaryAccuracy) Validate() error {
	if err := checkThreshold(c.Threshold); err != nil {
		return err
	}
	return global(c.MultidimAverage)
}

// Build implements the registry's Builder.
func (c BinaryAccuracy) Build(*lighter.Env) (lighter.Metric, error) {
	m := &sums{name: "BinaryAccuracy", states: []tensor.Tensor{counter(0), counter(0)}}
	read := multiclass{m: m, ignore: c.IgnoreIndex}
	if c.IgnoreIndex == nil {
		m.states = m.states[:1]
	}
	m.update = func(parts []tensor.Tensor, pred, target lighter.Value) ([]tensor.Tensor, int64) {
		p, t := m.both(pred, target)
		m.sameShape(p, t)
		return read.correct(parts, threshold(p, c.Threshold), t)
	}
	m.compute = share
	return m, nil
}

// share is the first state over the second, or over the number of observations.
func share(states []tensor.Tensor, n int64) tensor.Tensor {
	if len(states) == 1 {
		return ratio(states[0], n)
	}
	return safeDivide(states[0], states[1])
}

// MulticlassAccuracy is the share of right predictions, of all or by class. Predictions are scores [N, C, ...] or labels
// [N, ...], targets labels [N, ...].
type MulticlassAccuracy struct {
	NumClasses      *int64  `cfg:"num_classes,aka=n_classes|classes" help:"number of classes; may be null when average is micro"`
	TopK            int64   `cfg:"top_k,aka=topk|k" help:"right is a target among this many best"`
	Average         *string `cfg:"average" oneof:"micro|macro|weighted|none" help:"how the classes become one value"`
	MultidimAverage string  `cfg:"multidim_average" oneof:"global|samplewise" help:"global: further dimensions are samples too"`
	IgnoreIndex     *int64  `cfg:"ignore_index" help:"target that does not count"`
	ValidateArgs    bool    `cfg:"validate_args,ignored" help:"shapes are always checked, values never"`
}

// Validate implements the registry's Validator.
func (c MulticlassAccuracy) Validate() error {
	average, classes := choice(c.Average), int64(1)
	if c.NumClasses != nil {
		classes = *c.NumClasses
	}
	switch {
	case c.NumClasses == nil && average != "micro":
		return lighter.FieldError("num_classes", "Argument `num_classes` can only be `None` for `average='micro'`, but got `average=%s`.", average)
	case c.NumClasses != nil && classes < 2:
		return lighter.FieldError("num_classes", "Expected argument `num_classes` to be an integer larger than 1, but got %d", classes)
	case c.TopK < 1:
		return lighter.FieldError("top_k", "Expected argument `top_k` to be an integer larger than or equal to 1, but got %d", c.TopK)
	case c.TopK > classes:
		return lighter.FieldError("top_k", "Expected argument `top_k` to be smaller or equal to `num_classes` but got %d and %d", c.TopK, classes)
	}
	return global(c.MultidimAverage)
}

// Build implements the registry's Builder.
func (c MulticlassAccuracy) Build(*lighter.Env) (_ lighter.Metric, err error) {
	defer tensor.Recover(&err)
	m := &sums{name: "MulticlassAccuracy"}
	read := multiclass{m: m, topK: c.TopK, ignore: c.IgnoreIndex}
	if c.NumClasses != nil {
		read.classes = *c.NumClasses
	}
	average := choice(c.Average)
	if average == "micro" {
		m.states = []tensor.Tensor{counter(0)}
		if c.IgnoreIndex != nil {
			m.states = append(m.states, counter(0))
		}
		m.update = func(parts []tensor.Tensor, pred, target lighter.Value) ([]tensor.Tensor, int64) {
			p, t := m.both(pred, target)
			return read.correct(parts, p, t)
		}
		m.compute = share
		return m, nil
	}
	m.states = []tensor.Tensor{counter(read.classes), counter(read.classes), counter(read.classes)}
	m.update = func(parts []tensor.Tensor, pred, target lighter.Value) ([]tensor.Tensor, int64) {
		p, t := m.both(pred, target)
		return read.byClass(parts, p, t), 0
	}
	m.compute = func(s []tensor.Tensor, _ int64) tensor.Tensor {
		right, targets, predicted := s[0], s[1], s[2]
		weight := targets
		if average == "macro" { // over the classes that there are
			seen := targets
			if c.TopK == 1 {
				seen = targets.Add(predicted)
			}
			weight = tensor.CallOne("ne", seen, int64(0))
		}
		return mean(average, safeDivide(right, targets), weight)
	}
	return m, nil
}

// MultilabelAccuracy is the share of right predictions, of all or by label. Predictions [N, L, ...] are labels 0 and 1,
// probabilities, or, when some lie outside 0 to 1, logits; targets have the same shape.
type MultilabelAccuracy struct {
	NumLabels       int64   `cfg:"num_labels,required,aka=n_labels|labels" help:"number of labels"`
	Threshold       float64 `cfg:"threshold" help:"probability from which a prediction is 1"`
	Average         *string `cfg:"average" oneof:"micro|macro|weighted|none" help:"how the labels become one value"`
	MultidimAverage string  `cfg:"multidim_average" oneof:"global|samplewise" help:"global: further dimensions are samples too"`
	IgnoreIndex     *int64  `cfg:"ignore_index" help:"target that does not count"`
	ValidateArgs    bool    `cfg:"validate_args,ignored" help:"shapes are always checked, values never"`
}

// Validate implements the registry's Validator.
func (c MultilabelAccuracy) Validate() error {
	if c.NumLabels < 2 {
		return lighter.FieldError("num_labels", "Expected argument `num_labels` to be an integer larger than 1, but got %d", c.NumLabels)
	}
	if err := checkThreshold(c.Threshold); err != nil {
		return err
	}
	return global(c.MultidimAverage)
}

// Build implements the registry's Builder.
func (c MultilabelAccuracy) Build(*lighter.Env) (_ lighter.Metric, err error) {
	defer tensor.Recover(&err)
	m := &sums{name: "MultilabelAccuracy", states: []tensor.Tensor{counter(c.NumLabels), counter(c.NumLabels), counter(c.NumLabels)}}
	average := choice(c.Average)
	m.update = func(parts []tensor.Tensor, pred, target lighter.Value) ([]tensor.Tensor, int64) {
		p, t := m.both(pred, target)
		m.sameShape(p, t)
		if p.Dim() < 2 || p.Size(1) != c.NumLabels {
			tensor.Fail(m.name, "Expected both `target.shape[1]` and `preds.shape[1]` to be equal to the number of labels but got %s and expected %d", lighter.SizeText(p), c.NumLabels)
		}
		var dims []int64 // all but the labels'
		for d := range int64(p.Dim()) {
			if d != 1 {
				dims = append(dims, d)
			}
		}
		hit, positive := threshold(p, c.Threshold).Eq(t), tensor.CallOne("eq", t, int64(1))
		valid := tensor.CallOne("ones_like", hit)
		if c.IgnoreIndex != nil {
			valid = tensor.CallOne("ne", t, *c.IgnoreIndex)
			hit, positive = hit.Mul(valid), positive.Mul(valid)
		}
		for _, x := range []tensor.Tensor{hit, valid, positive} {
			parts = append(parts, tensor.CallOne("sum", x, dims))
		}
		return parts, 0
	}
	m.compute = func(s []tensor.Tensor, _ int64) tensor.Tensor {
		right, all, positive := s[0], s[1], s[2]
		switch average {
		case "micro":
			return safeDivide(right.Sum(tensor.Int64), all.Sum(tensor.Int64))
		case "weighted":
			return mean(average, safeDivide(right, all), positive)
		}
		return mean(average, safeDivide(right, all), tensor.CallOne("ones_like", all))
	}
	return m, nil
}
