package metric

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	rest := CurveRest{ValidateArgs: true, Options: standard}
	macro := text("macro")
	registerTask("AUROC", "auroc", aurocByTask{Average: macro, ValidateArgs: true, Options: standard}, binaryAUROC{CurveRest: rest},
		multiclassArea{area: areaUnderROC, Average: macro, CurveRest: rest}, multilabelArea{area: areaUnderROC, Average: macro, CurveRest: rest})
	registerTask("AveragePrecision", "average_precision", precisionByTask{Average: macro, ValidateArgs: true, Options: standard},
		binaryPrecisionArea{CurveRest: rest, Normalization: text("sigmoid")},
		multiclassArea{area: areaUnderPrecision, Average: macro, CurveRest: rest}, multilabelArea{area: areaUnderPrecision, Average: macro, CurveRest: rest})
}

// CurveRest are the arguments that end those of what is made of a curve.
type CurveRest struct {
	Thresholds   Thresholds `cfg:"thresholds" help:"number or list of thresholds; null is exact and keeps all predictions"`
	IgnoreIndex  *int64     `cfg:"ignore_index" help:"target that does not count"`
	ValidateArgs bool       `cfg:"validate_args" help:"look at the values too, on the CPU; shapes are always checked"`
	Options
}

func (c CurveRest) curve(name, task string, classes int64, micro bool, normalization string) *curve {
	r := &reading{name: name, classes: classes, ignore: c.IgnoreIndex, validate: c.ValidateArgs}
	return newCurve(r, task, micro, normalization, c.Thresholds, c.Options)
}

// area is which one a metric is.
type area struct {
	class string
	of    func(c *curve, s []tensor.Tensor, say *notice) tensor.Tensor
}

var (
	areaUnderROC = area{"AUROC", func(c *curve, s []tensor.Tensor, say *notice) tensor.Tensor { return c.auroc(s, nil, say) }}

	areaUnderPrecision = area{"AveragePrecision", (*curve).averagePrecision}
)

func (a area) build(env *lighter.Env, task string, classes int64, average string, rest CurveRest) (_ lighter.Metric, err error) {
	defer tensor.Recover(&err)
	c := rest.curve(title(task)+a.class, task, classes, false, "sigmoid")
	return areaMetric(env, c, average, func(s []tensor.Tensor, say *notice) tensor.Tensor { return a.of(c, s, say) }), nil
}

func title(task string) string { return string(task[0]-'a'+'A') + task[1:] }

type binaryAUROC struct {
	MaxFPR *float64 `cfg:"max_fpr" help:"give the standardised area up to this false positive rate"`
	CurveRest
}

// Doc is the component's prose.
func (binaryAUROC) Doc() string {
	return "Area under the ROC curve. Predictions are probabilities, or, when some lie outside 0 to 1, logits; targets are 0 and 1."
}

// Validate implements the registry's Validator.
func (c binaryAUROC) Validate() error {
	if c.MaxFPR != nil && !(*c.MaxFPR > 0 && *c.MaxFPR <= 1) {
		return lighter.FieldError("max_fpr", "Arguments `max_fpr` should be a float in range (0, 1], but got: %s", expr.Float(*c.MaxFPR))
	}
	return nil
}

// Build implements the registry's Builder.
func (c binaryAUROC) Build(env *lighter.Env) (_ lighter.Metric, err error) {
	defer tensor.Recover(&err)
	curve := c.curve("BinaryAUROC", "binary", 0, false, "sigmoid")
	return areaMetric(env, curve, "none", func(s []tensor.Tensor, say *notice) tensor.Tensor { return curve.auroc(s, c.MaxFPR, say) }), nil
}

type binaryPrecisionArea struct {
	CurveRest
	Normalization *string `cfg:"normalization" oneof:"sigmoid|softmax" help:"what makes probabilities of logits; null takes them as they are"`
}

// Doc is the component's prose.
func (binaryPrecisionArea) Doc() string {
	return "Average precision. Predictions are probabilities, or, when some lie outside 0 to 1, logits; targets are 0 and 1."
}

// Validate implements the registry's Validator.
func (c binaryPrecisionArea) Validate() error { return checkNormalization(c.Normalization) }

// Build implements the registry's Builder.
func (c binaryPrecisionArea) Build(env *lighter.Env) (_ lighter.Metric, err error) {
	defer tensor.Recover(&err)
	curve := c.curve("BinaryAveragePrecision", "binary", 0, false, choice(c.Normalization))
	return areaMetric(env, curve, "none", func(s []tensor.Tensor, say *notice) tensor.Tensor { return curve.averagePrecision(s, say) }), nil
}

func checkNormalization(n *string) error {
	if choice(n) == "softmax" {
		return lighter.FieldError("normalization", "softmax needs a dimension of classes, and the predictions of two classes are flat: sigmoid, or null for none")
	}
	return nil
}

type multiclassArea struct {
	area       area
	NumClasses int64   `cfg:"num_classes,required,aka=n_classes|classes" help:"number of classes"`
	Average    *string `cfg:"average" oneof:"macro|weighted|none" help:"how the classes become one value"`
	CurveRest
}

// Doc is the component's prose.
func (c multiclassArea) Doc() string {
	return c.area.class + " of each class against the others. Predictions [N, C, ...] are probabilities, or, when some lie outside 0 to 1, logits; targets [N, ...] are labels."
}

// Validate implements the registry's Validator.
func (c multiclassArea) Validate() error {
	if c.Average != nil && *c.Average == "micro" { // from the class for all tasks
		return lighter.FieldError("average", "Expected argument `average` to be one of ('macro', 'weighted', 'none', None) but got micro")
	}
	return several("num_classes", c.NumClasses)
}

// Build implements the registry's Builder.
func (c multiclassArea) Build(env *lighter.Env) (lighter.Metric, error) {
	return c.area.build(env, "multiclass", c.NumClasses, choice(c.Average), c.CurveRest)
}

type multilabelArea struct {
	area      area
	NumLabels int64   `cfg:"num_labels,required,aka=n_labels|labels" help:"number of labels"`
	Average   *string `cfg:"average" oneof:"micro|macro|weighted|none" help:"how the labels become one value"`
	CurveRest
}

// Doc is the component's prose.
func (c multilabelArea) Doc() string {
	return c.area.class + " of each label. Predictions [N, L, ...] are probabilities, or, when some lie outside 0 to 1, logits; targets have the same shape."
}

// Validate implements the registry's Validator.
func (c multilabelArea) Validate() error { return several("num_labels", c.NumLabels) }

// Build implements the registry's Builder.
func (c multilabelArea) Build(env *lighter.Env) (lighter.Metric, error) {
	return c.area.build(env, "multilabel", c.NumLabels, choice(c.Average), c.CurveRest)
}

type aurocByTask struct {
	Task         string     `cfg:"task,required" oneof:"binary|multiclass|multilabel" help:"kind of classification"`
	Thresholds   Thresholds `cfg:"thresholds" help:"number or list of thresholds; null is exact and keeps all predictions"`
	NumClasses   *int64     `cfg:"num_classes,aka=n_classes|classes" help:"number of classes (multiclass)"`
	NumLabels    *int64     `cfg:"num_labels,aka=n_labels|labels" help:"number of labels (multilabel)"`
	Average      *string    `cfg:"average" oneof:"micro|macro|weighted|none" help:"how the classes or labels become one value"`
	MaxFPR       *float64   `cfg:"max_fpr" help:"give the standardised area up to this false positive rate (binary)"`
	IgnoreIndex  *int64     `cfg:"ignore_index" help:"target that does not count"`
	ValidateArgs bool       `cfg:"validate_args" help:"look at the values too, on the CPU; shapes are always checked"`
	Options
}

// Doc is the component's prose.
func (aurocByTask) Doc() string { return taskDoc("AUROC") }

func (c aurocByTask) of() (checkedBuilder, error) {
	rest := CurveRest{c.Thresholds, c.IgnoreIndex, c.ValidateArgs, c.Options}
	return forTask(c.Task, c.NumClasses, c.NumLabels, func() checkedBuilder { return binaryAUROC{c.MaxFPR, rest} },
		func(n int64) checkedBuilder { return multiclassArea{areaUnderROC, n, c.Average, rest} },
		func(n int64) checkedBuilder { return multilabelArea{areaUnderROC, n, c.Average, rest} })
}

// Validate implements the registry's Validator.
func (c aurocByTask) Validate() error { return validateTask(c.of()) }

// Build implements the registry's Builder.
func (c aurocByTask) Build(env *lighter.Env) (lighter.Metric, error) { return buildTask(env)(c.of()) }

type precisionByTask struct {
	Task         string     `cfg:"task,required" oneof:"binary|multiclass|multilabel" help:"kind of classification"`
	Thresholds   Thresholds `cfg:"thresholds" help:"number or list of thresholds; null is exact and keeps all predictions"`
	NumClasses   *int64     `cfg:"num_classes,aka=n_classes|classes" help:"number of classes (multiclass)"`
	NumLabels    *int64     `cfg:"num_labels,aka=n_labels|labels" help:"number of labels (multilabel)"`
	Average      *string    `cfg:"average" oneof:"micro|macro|weighted|none" help:"how the classes or labels become one value"`
	IgnoreIndex  *int64     `cfg:"ignore_index" help:"target that does not count"`
	ValidateArgs bool       `cfg:"validate_args" help:"look at the values too, on the CPU; shapes are always checked"`
	Options
}

// Doc is the component's prose.
func (precisionByTask) Doc() string { return taskDoc("AveragePrecision") }

func (c precisionByTask) of() (checkedBuilder, error) {
	rest := CurveRest{c.Thresholds, c.IgnoreIndex, c.ValidateArgs, c.Options}
	return forTask(c.Task, c.NumClasses, c.NumLabels, func() checkedBuilder { return binaryPrecisionArea{rest, text("sigmoid")} },
		func(n int64) checkedBuilder { return multiclassArea{areaUnderPrecision, n, c.Average, rest} },
		func(n int64) checkedBuilder { return multilabelArea{areaUnderPrecision, n, c.Average, rest} })
}

// Validate implements the registry's Validator.
func (c precisionByTask) Validate() error { return validateTask(c.of()) }

// Build implements the registry's Builder.
func (c precisionByTask) Build(env *lighter.Env) (lighter.Metric, error) {
	return buildTask(env)(c.of())
}
