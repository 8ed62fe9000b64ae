package metric

import (
	"cmp"
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	rest := JaccardRest{ValidateArgs: true, Options: standard}
	macro := text("macro")
	registerTask("JaccardIndex", "jaccard", jaccardByTask{Threshold: 0.5, Average: macro, JaccardRest: rest},
		binaryJaccard{Threshold: 0.5, JaccardRest: rest}, multiclassJaccard{Average: macro, JaccardRest: rest},
		multilabelJaccard{Threshold: 0.5, Average: macro, JaccardRest: rest})
}

// JaccardRest are the arguments that end those of JaccardIndex.
type JaccardRest struct {
	IgnoreIndex  *int64  `cfg:"ignore_index" help:"target that does not count"`
	ValidateArgs bool    `cfg:"validate_args" help:"look at the values too, on the CPU; shapes are always checked"`
	ZeroDivision float64 `cfg:"zero_division" help:"the value of 0/0"`
	Options
}

// build makes the metric: intersection over union.
func (c JaccardRest) build(task, average string, r *reading) (_ lighter.Metric, err error) {
	defer tensor.Recover(&err)
	r.ignore, r.topK, r.validate = c.IgnoreIndex, 1, c.ValidateArgs
	return &metric{name: r.name, accumulator: r.confusion(task, c.Options), value: func(s []tensor.Tensor, _ int64) lighter.Value {
		return c.jaccard(float(s[0]), task, average)
	}}, nil
}

func (c JaccardRest) jaccard(matrix tensor.Tensor, task, average string) tensor.Tensor {
	if task == "binary" {
		matrix = tensor.CallOne("unsqueeze", matrix, int64(0))
	}
	var both, targets, predicted tensor.Tensor // of each class or label
	if task == "multiclass" {
		both, targets, predicted = tensor.CallOne("diag", matrix), sumOf(matrix, 1), sumOf(matrix, 0)
	} else {
		both = matrix.Select(1, 1).Select(1, 1)
		targets, predicted = sumOf(matrix.Select(1, 1), 1), sumOf(matrix.Select(2, 1), 1)
	}
	union := targets.Add(predicted).Sub(both)
	ignored := tensor.Tensor{} // torchmetrics leaves the class of that number out, also of labels but when averaging them
	if i := c.IgnoreIndex; i != nil && task == "multiclass" && *i >= 0 && *i < matrix.Size(0) {
		ignored = tensor.CallOne("eq", tensor.CallOne("arange", matrix.Size(0), tensor.Kwarg{Name: "device", Value: matrix.Device()}), *i)
	}
	switch average {
	case "binary":
		return safeDivide(both, union, c.ZeroDivision).Reshape()
	case "micro":
		all := tensor.CallOne("sum", union)
		if ignored.Defined() {
			all = all.Sub(tensor.CallOne("sum", union.Mul(ignored)))
		}
		return safeDivide(tensor.CallOne("sum", both), all, c.ZeroDivision)
	}
	each := safeDivide(both, union, c.ZeroDivision)
	weight := tensor.CallOne("ones_like", each)
	switch {
	case average == "none":
		return each
	case average == "weighted":
		weight = targets
	case task == "multiclass":
		if ignored.Defined() {
			weight = weight.Mul(tensor.CallOne("logical_not", ignored))
		}
		weight = weight.Mul(tensor.CallOne("ne", targets.Add(predicted), 0.0))
	}
	return tensor.CallOne("sum", weight.Mul(each).Div(tensor.CallOne("sum", weight)))
}

type binaryJaccard struct {
	Threshold float64 `cfg:"threshold" help:"probability from which a prediction is 1"`
	JaccardRest
}

// Doc is the component's prose.
func (binaryJaccard) Doc() string {
	return "Intersection over union of the predicted and the true ones."
}

// Validate implements the registry's Validator.
func (c binaryJaccard) Validate() error { return checkThreshold(c.Threshold) }

// Build implements the registry's Builder.
func (c binaryJaccard) Build(*lighter.Env) (lighter.Metric, error) {
	return c.build("binary", "binary", &reading{name: "BinaryJaccardIndex", threshold: c.Threshold})
}

type multiclassJaccard struct {
	NumClasses int64   `cfg:"num_classes,required,aka=n_classes|classes" help:"number of classes"`
	Average    *string `cfg:"average" oneof:"micro|macro|weighted|none" help:"how the classes become one value"`
	JaccardRest
}

// Doc is the component's prose.
func (multiclassJaccard) Doc() string {
	return "Intersection over union of predictions and targets, of all or by class."
}

// Validate implements the registry's Validator.
func (c multiclassJaccard) Validate() error { return several("num_classes", c.NumClasses) }

// Build implements the registry's Builder.
func (c multiclassJaccard) Build(*lighter.Env) (lighter.Metric, error) {
	return c.build("multiclass", choice(c.Average), &reading{name: "MulticlassJaccardIndex", classes: c.NumClasses})
}

type multilabelJaccard struct {
	NumLabels int64   `cfg:"num_labels,required,aka=n_labels|labels" help:"number of labels"`
	Threshold float64 `cfg:"threshold" help:"probability from which a prediction is 1"`
	Average   *string `cfg:"average" oneof:"micro|macro|weighted|none" help:"how the labels become one value"`
	JaccardRest
}

// Doc is the component's prose.
func (multilabelJaccard) Doc() string {
	return "Intersection over union of the predicted and the true ones, of all or by label."
}

// Validate implements the registry's Validator.
func (c multilabelJaccard) Validate() error {
	return cmp.Or(several("num_labels", c.NumLabels), checkThreshold(c.Threshold))
}

// Build implements the registry's Builder.
func (c multilabelJaccard) Build(*lighter.Env) (lighter.Metric, error) {
	return c.build("multilabel", choice(c.Average), &reading{name: "MultilabelJaccardIndex", classes: c.NumLabels, threshold: c.Threshold})
}

type jaccardByTask struct {
	Task       string  `cfg:"task,required" oneof:"binary|multiclass|multilabel" help:"kind of classification"`
	Threshold  float64 `cfg:"threshold" help:"probability from which a prediction is 1 (binary, multilabel)"`
	NumClasses *int64  `cfg:"num_classes,aka=n_classes|classes" help:"number of classes (multiclass)"`
	NumLabels  *int64  `cfg:"num_labels,aka=n_labels|labels" help:"number of labels (multilabel)"`
	Average    *string `cfg:"average" oneof:"micro|macro|weighted|none" help:"how the classes or labels become one value"`
	JaccardRest
}

// Doc is the component's prose.
func (jaccardByTask) Doc() string { return taskDoc("JaccardIndex") }

func (c jaccardByTask) of() (checkedBuilder, error) {
	return forTask(c.Task, c.NumClasses, c.NumLabels, func() checkedBuilder { return binaryJaccard{c.Threshold, c.JaccardRest} },
		func(n int64) checkedBuilder { return multiclassJaccard{n, c.Average, c.JaccardRest} },
		func(n int64) checkedBuilder { return multilabelJaccard{n, c.Threshold, c.Average, c.JaccardRest} })
}

// Validate implements the registry's Validator.
func (c jaccardByTask) Validate() error { return validateTask(c.of()) }

// Build implements the registry's Builder.
func (c jaccardByTask) Build(env *lighter.Env) (lighter.Metric, error) { return buildTask(env)(c.of()) }
