package metric

import (
	"cmp"
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	for _, s := range scores {
		b, c, l := newBinary(s), newMulticlass(s), newMultilabel(s)
		registerTask(s.class, s.file, byTask{score: s, TaskArguments: anyTask}, b, c, l)
	}
	f := fBeta
	registerTask("FBetaScore", f.file, byTaskBeta{score: f, Beta: 1, TaskArguments: anyTask},
		binaryBeta{Binary: newBinary(f)}, multiclassBeta{Multiclass: newMulticlass(f)}, multilabelBeta{Multilabel: newMultilabel(f)})
	f.class = "F1Score"
	b, c, l := newBinary(f), newMulticlass(f), newMultilabel(f)
	b.beta, c.beta, l.beta = 1, 1, 1
	registerTask("F1Score", f.file, byTask{score: f, beta: 1, TaskArguments: anyTask}, b, c, l)
}

// Counted are the arguments that end those of every score.
type Counted struct {
	MultidimAverage string  `cfg:"multidim_average" oneof:"global|samplewise" help:"global: further dimensions are samples too"`
	IgnoreIndex     *int64  `cfg:"ignore_index" help:"target that does not count"`
	ValidateArgs    bool    `cfg:"validate_args" help:"look at the values too, on the CPU; shapes are always checked"`
	ZeroDivision    float64 `cfg:"zero_division" help:"the value of 0/0, where the metric knows it: 0 or 1"`
	Options
}

var countedDefaults = Counted{MultidimAverage: "global", ValidateArgs: true, Options: standard}

func (c Counted) reading(class string) *reading {
	return &reading{name: class, topK: 1, ignore: c.IgnoreIndex, validate: c.ValidateArgs, samples: c.MultidimAverage == "samplewise"}
}

// build makes a score's metric.
func (s score) build(class, task string, r *reading, red reduction, o Options) (_ lighter.Metric, err error) {
	defer tensor.Recover(&err)
	red.task, red.samples, red.topK = task, r.samples, r.topK
	c := newCounting(task, r, red.average == "micro")
	c.onCPU = o.ComputeOnCPU
	m := &metric{name: class, accumulator: c.accumulator}
	m.value = func(states []tensor.Tensor, n int64) lighter.Value {
		if s.class == "Accuracy" && task == "multiclass" && len(states) == 1 { // the share of right ones, without the way over counts
			return ratio(states[0], n)
		}
		return s.value(c.counts(states, n), red)
	}
	return m, nil
}

// Binary is the score of a task with two classes. Predictions are labels 0 and 1, probabilities, or, when some lie outside 0
// to 1, logits; they and the targets have one shape.
type Binary struct {
	score     score
	beta      float64
	Threshold float64 `cfg:"threshold" help:"probability from which a prediction is 1"`
	Counted
}

func newBinary(s score) Binary { return Binary{score: s, Threshold: 0.5, Counted: countedDefaults} }

// Doc is the component's prose.
func (c Binary) Doc() string {
	return "Predictions and targets have one shape. Predictions are labels 0 and 1, probabilities, or, when some lie outside 0 to 1, logits."
}

// Validate implements the registry's Validator.
func (c Binary) Validate() error {
	return cmp.Or(checkThreshold(c.Threshold), checkZeroDivision(c.ZeroDivision))
}

// Build implements the registry's Builder.
func (c Binary) Build(*lighter.Env) (lighter.Metric, error) {
	r := c.reading("Binary" + c.score.class)
	r.threshold = c.Threshold
	return c.score.build(r.name, "binary", r, reduction{zero: c.ZeroDivision, beta: c.beta}, c.Options)
}

// Multiclass is the score of a task with several classes. Predictions are scores [N, C, ...] or labels [N, ...], targets
// labels [N, ...].
type Multiclass struct {
	score      score
	beta       float64
	NumClasses *int64  `cfg:"num_classes,aka=n_classes|classes" help:"number of classes; may be null when average is micro"`
	TopK       int64   `cfg:"top_k,aka=topk|k" help:"right is a target among this many best"`
	Average    *string `cfg:"average" oneof:"micro|macro|weighted|none" help:"how the classes become one value"`
	Counted
}

func newMulticlass(s score) Multiclass {
	return Multiclass{score: s, TopK: 1, Average: text("macro"), Counted: countedDefaults}
}

// Doc is the component's prose.
func (c Multiclass) Doc() string {
	return "Predictions are scores [N, C, ...] or labels [N, ...], targets labels [N, ...]. With `average: none` there is a value for each class."
}

// Validate implements the registry's Validator.
func (c Multiclass) Validate() error {
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
func (c Multiclass) Build(*lighter.Env) (lighter.Metric, error) {
	r := c.reading("Multiclass" + c.score.class)
	r.topK = c.TopK
	if c.NumClasses != nil {
		r.classes = *c.NumClasses
	}
	return c.score.build(r.name, "multiclass", r, reduction{average: choice(c.Average), zero: c.ZeroDivision, beta: c.beta}, c.Options)
}

// Multilabel is the score of a task with several labels, each 0 or 1. Predictions [N, L, ...] are labels, probabilities, or,
// when some lie outside 0 to 1, logits; targets have the same shape.
type Multilabel struct {
	score     score
	beta      float64
	NumLabels int64   `cfg:"num_labels,required,aka=n_labels|labels" help:"number of labels"`
	Threshold float64 `cfg:"threshold" help:"probability from which a prediction is 1"`
	Average   *string `cfg:"average" oneof:"micro|macro|weighted|none" help:"how the labels become one value"`
	Counted
}

func newMultilabel(s score) Multilabel {
	return Multilabel{score: s, Threshold: 0.5, Average: text("macro"), Counted: countedDefaults}
}

// Doc is the component's prose.
func (c Multilabel) Doc() string {
	return "Predictions and targets are [N, L, ...]. Predictions are labels 0 and 1, probabilities, or, when some lie outside 0 to 1, logits. " +
		"With `average: none` there is a value for each label."
}

// Validate implements the registry's Validator.
func (c Multilabel) Validate() error {
	return cmp.Or(several("num_labels", c.NumLabels), checkThreshold(c.Threshold), checkZeroDivision(c.ZeroDivision))
}

// Build implements the registry's Builder.
func (c Multilabel) Build(*lighter.Env) (lighter.Metric, error) {
	r := c.reading("Multilabel" + c.score.class)
	r.classes, r.threshold = c.NumLabels, c.Threshold
	return c.score.build(r.name, "multilabel", r, reduction{average: choice(c.Average), zero: c.ZeroDivision, beta: c.beta}, c.Options)
}

// TaskArguments are those of a class for all tasks.
type TaskArguments struct {
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
	Options
}

var anyTask = TaskArguments{Threshold: 0.5, Average: text("micro"), MultidimAverage: "global", TopK: 1, ValidateArgs: true, Options: standard}

// byTask is the score of a task that an argument names.
type byTask struct {
	score score
	beta  float64
	Task  string `cfg:"task,required" oneof:"binary|multiclass|multilabel" help:"kind of classification"`
	TaskArguments
}

// Doc is the component's prose.
func (c byTask) Doc() string {
	return taskDoc(c.score.class)
}

// of is the class of the task.
func (c byTask) of() (checkedBuilder, error) {
	rest := Counted{c.MultidimAverage, c.IgnoreIndex, c.ValidateArgs, c.ZeroDivision, c.Options}
	switch c.Task {
	case "binary":
		return Binary{c.score, c.beta, c.Threshold, rest}, nil
	case "multiclass":
		if c.NumClasses == nil {
			return nil, c.missing("num_classes")
		}
		return Multiclass{c.score, c.beta, c.NumClasses, c.TopK, c.Average, rest}, nil
	}
	if c.NumLabels == nil {
		return nil, c.missing("num_labels")
	}
	return Multilabel{c.score, c.beta, *c.NumLabels, c.Threshold, c.Average, rest}, nil
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
