package metric

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	for _, s := range scores {
		b, c, l := newBinary(s), newMulticlass(s), newMultilabel(s)
		registerTask(s.class, s.file, byTask{score: s, taskArguments: anyTask}, b, c, l)
	}
	f := fBeta
	registerTask("FBetaScore", f.file, byTaskBeta{score: f, Beta: 1, taskArguments: anyTask},
		binaryBeta{binary: newBinary(f)}, multiclassBeta{multiclass: newMulticlass(f)}, multilabelBeta{multilabel: newMultilabel(f)})
	f.class = "F1Score"
	b, c, l := newBinary(f), newMulticlass(f), newMultilabel(f)
	b.beta, c.beta, l.beta = 1, 1, 1
	registerTask("F1Score", f.file, byTask{score: f, beta: 1, taskArguments: anyTask}, b, c, l)
}

// counted are the arguments that end those of every score.
type counted struct {
	MultidimAverage string  `cfg:"multidim_average" oneof:"global|samplewise" help:"global: further dimensions are samples too"`
	IgnoreIndex     *int64  `cfg:"ignore_index" help:"target that does not count"`
	ValidateArgs    bool    `cfg:"validate_args" help:"look at the values too, on the CPU; shapes are always checked"`
	ZeroDivision    float64 `cfg:"zero_division" help:"the value of 0/0, where the metric knows it: 0 or 1"`
	options
}

var countedDefaults = counted{MultidimAverage: "global", ValidateArgs: true, options: standard}

func (c counted) reading(class string) *reading {
	return &reading{name: class, topK: 1, ignore: c.IgnoreIndex, validate: c.ValidateArgs, samples: c.MultidimAverage == "samplewise"}
}

// build makes a score's metric.
func (s score) build(class, task string, r *reading, red reduction, o options) (_ lighter.Metric, err error) {
	defer tensor.Recover(&err)
	red.task, red.samples, red.topK = task, r.samples, r.topK
	c := newCounting(task, r, red.average == "micro")
	c.onCPU = o.ComputeOnCPU
	m := &metric{name: class, accumulator: c.accumulator}
	m.value = func(states []tensor.Tensor, n int64) lighter.Value {
		if s.class == "Accuracy" && len(states) == 1 { // the share of right ones, without the way over counts
			return ratio(states[0], n)
		}
		return s.value(c.counts(states, n), red)
	}
	return m, nil
}

// binary is the score of a task with two classes. Predictions are labels 0 and 1, probabilities, or, when some lie outside 0
// to 1, logits; they and the targets have one shape.
type binary struct {
	score     score
	beta      float64
	Threshold float64 `cfg:"threshold" help:"probability from which a prediction is 1"`
	counted
}

func newBinary(s score) binary { return binary{score: s, Threshold: 0.5, counted: countedDefaults} }

// Doc is the component's prose.
func (c binary) Doc() string {
	return "Predictions and targets have one shape. Predictions are labels 0 and 1, probabilities, or, when some lie outside 0 to 1, logits."
}

// Validate implements the registry's Validator.
func (c binary) Validate() error {
	return first(checkThreshold(c.Threshold), checkZeroDivision(c.ZeroDivision))
}

// Build implements the registry's Builder.
func (c binary) Build(*lighter.Env) (lighter.Metric, error) {
	r := c.reading("Binary" + c.score.class)
	r.threshold = c.Threshold
	return c.score.build(r.name, "binary", r, reduction{zero: c.ZeroDivision, beta: c.beta}, c.options)
}

// multiclass is the score of a task with several classes. Predictions are scores [N, C, ...] or labels [N, ...], targets
// labels [N, ...].
type multiclass struct {
	score      score
	beta       float64
	NumClasses *int64  `cfg:"num_classes,aka=n_classes|classes" help:"number of classes; may be null when average is micro"`
	TopK       int64   `cfg:"top_k,aka=topk|k" help:"right is a target among this many best"`
	Average    *string `cfg:"average" oneof:"micro|macro|weighted|none" help:"how the classes become one value"`
	counted
}

func newMulticlass(s score) multiclass {
	return multiclass{score: s, TopK: 1, Average: text("macro"), counted: countedDefaults}
}

// Doc is the component's prose.
func (c multiclass) Doc() string {
	return "Predictions are scores [N, C, ...] or labels [N, ...], targets labels [N, ...]. With `average: none` there is a value for each class."
}

// Validate implements the registry's Validator.
func (c multiclass) Validate() error {
	average, classes := choice(c.Average), int64(1)
	if c.NumClasses != nil {
		classes = *c.NumClasses
		if err := several("num_classes", classes); err != nil {
			return err
		}
	}
	switch {
	case c.NumClasses == nil && (average != "micro" || c.MultidimAverage == "samplewise"):
		return lighter.FieldError("num_classes", "Argument `num_classes` can only be `None` for `average='micro'`, but got `average=%s`.", average)
	case c.TopK < 1:
		return lighter.FieldError("top_k", "Expected argument `top_k` to be an integer larger than or equal to 1, but got %d", c.TopK)
	case c.TopK > classes:
		return lighter.FieldError("top_k", "Expected argument `top_k` to be smaller or equal to `num_classes` but got %d and %d", c.TopK, classes)
	}
	return checkZeroDivision(c.ZeroDivision)
}

// Build implements the registry's Builder.
func (c multiclass) Build(*lighter.Env) (lighter.Metric, error) {
	r := c.reading("Multiclass" + c.score.class)
	r.topK = c.TopK
	if c.NumClasses != nil {
		r.classes = *c.NumClasses
	}
	return c.score.build(r.name, "multiclass", r, reduction{average: choice(c.Average), zero: c.ZeroDivision, beta: c.beta}, c.options)
}

// multilabel is the score of a task with several labels, each 0 or 1. Predictions [N, L, ...] are labels, probabilities, or,
// when some lie outside 0 to 1, logits; targets have the same shape.
type multilabel struct {
	score     score
	beta      float64
	NumLabels int64   `cfg:"num_labels,required,aka=n_labels|labels" help:"number of labels"`
	Threshold float64 `cfg:"threshold" help:"probability from which a prediction is 1"`
	Average   *string `cfg:"average" oneof:"micro|macro|weighted|none" help:"how the labels become one value"`
	counted
}

func newMultilabel(s score) multilabel {
	return multilabel{score: s, Threshold: 0.5, Average: text("macro"), counted: countedDefaults}
}

// Doc is the component's prose.
func (c multilabel) Doc() string {
	return "Predictions and targets are [N, L, ...]. Predictions are labels 0 and 1, probabilities, or, when some lie outside 0 to 1, logits. " +
		"With `average: none` there is a value for each label."
}

// Validate implements the registry's Validator.
func (c multilabel) Validate() error {
	return first(several("num_labels", c.NumLabels), checkThreshold(c.Threshold), checkZeroDivision(c.ZeroDivision))
}

// Build implements the registry's Builder.
func (c multilabel) Build(*lighter.Env) (lighter.Metric, error) {
	r := c.reading("Multilabel" + c.score.class)
	r.classes, r.threshold = c.NumLabels, c.Threshold
	return c.score.build(r.name, "multilabel", r, reduction{average: choice(c.Average), zero: c.ZeroDivision, beta: c.beta}, c.options)
}

// taskArguments are those of a class for all tasks.
type taskArguments struct {
	Threshold  float64 `cfg:"threshold" help:"probability from which a prediction is 1 (binary, multilabel)"`
	NumClasses *int64  `cfg:"num_classes,aka=n_classes|classes" help:"number of classes (multiclass)"`
	NumLabels  *int64  `cfg:"num_labels,aka=n_labels|labels" help:"number of labels (multilabel)"`
	Average    *string `cfg:"average" oneof:"micro|macro|weighted|none" help:"how the classes or labels become one value"`
	// The order of positional arguments is torchmetrics'.
	MultidimAverage string  `cfg:"multidim_average" oneof:"global|samplewise" help:"global: further dimensions are samples too"`
	TopK            int64   `cfg:"top_k,aka=topk|k" help:"right is a target among this many best (multiclass)"`
	IgnoreIndex     *int64  `cfg:"ignore_index" help:"target that does not count"`
	ValidateArgs    bool    `cfg:"validate_args" help:"look at the values too, on the CPU; shapes are always checked"`
	ZeroDivision    float64 `cfg:"zero_division" help:"the value of 0/0, where the metric knows it: 0 or 1"`
	options
}

var anyTask = taskArguments{Threshold: 0.5, Average: text("micro"), MultidimAverage: "global", TopK: 1, ValidateArgs: true, options: standard}

// byTask is the score of a task that an argument names.
type byTask struct {
	score score
	beta  float64
	Task  string `cfg:"task,required" oneof:"binary|multiclass|multilabel" help:"kind of classification"`
	taskArguments
}

// Doc is the component's prose.
func (c byTask) Doc() string {
	return taskDoc(c.score.class)
}

// of is the class of the task.
func (c byTask) of() (checkedBuilder, error) {
	rest := counted{c.MultidimAverage, c.IgnoreIndex, c.ValidateArgs, c.ZeroDivision, c.options}
	switch c.Task {
	case "binary":
		return binary{c.score, c.beta, c.Threshold, rest}, nil
	case "multiclass":
		if c.NumClasses == nil {
			return nil, c.missing("num_classes")
		}
		return multiclass{c.score, c.beta, c.NumClasses, c.TopK, c.Average, rest}, nil
	}
	if c.NumLabels == nil {
		return nil, c.missing("num_labels")
	}
	return multilabel{c.score, c.beta, *c.NumLabels, c.Threshold, c.Average, rest}, nil
}

func (c byTask) missing(field string) error {
	if c.score.class == "Accuracy" {
		return lighter.FieldError(field, "Optional arg `%s` must be type `int` when task is %s. Got <class 'NoneType'>", field, c.Task)
	}
	return needed(field)
}

// Validate implements the registry's Validator.
func (c byTask) Validate() error { return validateTask(c.of()) }

// Build implements the registry's Builder.
func (c byTask) Build(env *lighter.Env) (lighter.Metric, error) { return buildTask(env)(c.of()) }
