package metric

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	rest := CurveRest{ValidateArgs: true, Options: standard}
	for _, f := range shapes {
		registerTask(f.class, f.file, curveByTask{shape: f, ValidateArgs: true, Options: standard},
			binaryCurve{shape: f, CurveRest: rest, Normalization: text("sigmoid")}, multiclassCurve{shape: f, ValidateArgs: true, Options: standard},
			multilabelCurve{shape: f, CurveRest: rest})
	}
}

const curveDoc = "A curve has many values: it can't be logged, and a warning says so. AUROC and AveragePrecision are the areas under such curves."

func (f shape) build(env *lighter.Env, task string, classes int64, average, normalization string, rest CurveRest) (_ lighter.Metric, err error) {
	defer tensor.Recover(&err)
	c := rest.curve(title(task)+f.class, task, classes, average == "micro", normalization)
	say := &notice{name: c.r.name, log: env.Log}
	return &metric{name: c.r.name, accumulator: c.accumulator, value: func(s []tensor.Tensor, _ int64) lighter.Value {
		return f.value(c, s, average, say)
	}}, nil
}

type binaryCurve struct {
	shape shape
	CurveRest
	Normalization *string `cfg:"normalization" oneof:"sigmoid|softmax" help:"what makes probabilities of logits; null takes them as they are"`
}

// Doc is the component's prose.
func (binaryCurve) Doc() string { return curveDoc }

// Validate implements the registry's Validator.
func (c binaryCurve) Validate() error { return checkNormalization(c.Normalization) }

// Build implements the registry's Builder.
func (c binaryCurve) Build(env *lighter.Env) (lighter.Metric, error) {
	return c.shape.build(env, "binary", 0, "none", choice(c.Normalization), c.CurveRest)
}

type multiclassCurve struct {
	shape        shape
	NumClasses   int64      `cfg:"num_classes,required,aka=n_classes|classes" help:"number of classes"`
	Thresholds   Thresholds `cfg:"thresholds" help:"number or list of thresholds; null is exact and keeps all predictions"`
	Average      *string    `cfg:"average" oneof:"micro|macro" help:"make one curve of those of the classes; null for one each"`
	IgnoreIndex  *int64     `cfg:"ignore_index" help:"target that does not count"`
	ValidateArgs bool       `cfg:"validate_args" help:"look at the values too, on the CPU; shapes are always checked"`
	Options
}

// Doc is the component's prose.
func (multiclassCurve) Doc() string { return curveDoc }

// Validate implements the registry's Validator.
func (c multiclassCurve) Validate() error { return several("num_classes", c.NumClasses) }

// Build implements the registry's Builder.
func (c multiclassCurve) Build(env *lighter.Env) (lighter.Metric, error) {
	rest := CurveRest{c.Thresholds, c.IgnoreIndex, c.ValidateArgs, c.Options}
	return c.shape.build(env, "multiclass", c.NumClasses, choice(c.Average), "softmax", rest)
}

type multilabelCurve struct {
	shape     shape
	NumLabels int64 `cfg:"num_labels,required,aka=n_labels|labels" help:"number of labels"`
	CurveRest
}

// Doc is the component's prose.
func (multilabelCurve) Doc() string { return curveDoc }

// Validate implements the registry's Validator.
func (c multilabelCurve) Validate() error { return several("num_labels", c.NumLabels) }

// Build implements the registry's Builder.
func (c multilabelCurve) Build(env *lighter.Env) (lighter.Metric, error) {
	return c.shape.build(env, "multilabel", c.NumLabels, "none", "sigmoid", c.CurveRest)
}

type curveByTask struct {
	shape        shape
	Task         string     `cfg:"task,required" oneof:"binary|multiclass|multilabel" help:"kind of classification"`
	Thresholds   Thresholds `cfg:"thresholds" help:"number or list of thresholds; null is exact and keeps all predictions"`
	NumClasses   *int64     `cfg:"num_classes,aka=n_classes|classes" help:"number of classes (multiclass)"`
	NumLabels    *int64     `cfg:"num_labels,aka=n_labels|labels" help:"number of labels (multilabel)"`
	IgnoreIndex  *int64     `cfg:"ignore_index" help:"target that does not count"`
	ValidateArgs bool       `cfg:"validate_args" help:"look at the values too, on the CPU; shapes are always checked"`
	Average      *string    `cfg:"average" oneof:"micro|macro" help:"make one curve of those of the classes (multiclass)"`
	Options
}

// Doc is the component's prose.
func (c curveByTask) Doc() string { return taskDoc(c.shape.class) + " " + curveDoc }

func (c curveByTask) of() (checkedBuilder, error) {
	rest := CurveRest{c.Thresholds, c.IgnoreIndex, c.ValidateArgs, c.Options}
	if c.Average != nil && c.Task != "multiclass" {
		return nil, lighter.FieldError("average", "only the curves of several classes can be averaged")
	}
	return forTask(c.Task, c.NumClasses, c.NumLabels, func() checkedBuilder { return binaryCurve{c.shape, rest, text("sigmoid")} },
		func(n int64) checkedBuilder {
			return multiclassCurve{c.shape, n, c.Thresholds, c.Average, c.IgnoreIndex, c.ValidateArgs, c.Options}
		},
		func(n int64) checkedBuilder { return multilabelCurve{c.shape, n, rest} })
}

// Validate implements the registry's Validator.
func (c curveByTask) Validate() error { return validateTask(c.of()) }

// Build implements the registry's Builder.
func (c curveByTask) Build(env *lighter.Env) (lighter.Metric, error) { return buildTask(env)(c.of()) }
