package metric

import (
	"cmp"
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	const class = "ConfusionMatrix"
	rest := MatrixRest{ValidateArgs: true, Options: standard}
	registerTask(class, "confusion_matrix", confusionByTask{Threshold: 0.5, ValidateArgs: true, Options: standard},
		binaryConfusion{Threshold: 0.5, MatrixRest: rest}, multiclassConfusion{MatrixRest: rest}, multilabelConfusion{Threshold: 0.5, MatrixRest: rest})
}

// confusion makes an accumulator of confusion matrices, targets along the rows: [2, 2], [C, C], or [L, 2, 2] for labels.
func (r *reading) confusion(task string, o Options) *accumulator {
	shape := []int64{2, 2}
	update := r.binaryConfusion
	switch task {
	case "multiclass":
		shape, update = []int64{r.classes, r.classes}, r.multiclassConfusion
	case "multilabel":
		shape, update = []int64{r.classes, 2, 2}, r.multilabelConfusion
	}
	cells := int64(1)
	for _, n := range shape {
		cells *= n
	}
	a := &accumulator{states: sums(counter(shape...)), key: r.key("confusion " + task), onCPU: o.ComputeOnCPU}
	a.update = func(parts []tensor.Tensor, pred, target lighter.Value) ([]tensor.Tensor, int64) {
		p, t := both(r.name, pred, target)
		index, valid := update(p, t)
		return append(parts, tally(index, valid, cells).Reshape(shape...)), 0
	}
	return a
}

// key tells readings apart.
func (r *reading) key(what string) string {
	ignore := "none"
	if r.ignore != nil {
		ignore = fmt.Sprint(*r.ignore)
	}
	return fmt.Sprint(what, " ", r.classes, " ", r.threshold, " ", r.topK, " ", ignore, " ", r.samples, " ", r.validate)
}

// tally counts how often each of n numbers is in index where valid, which may be undefined.
func tally(index, valid tensor.Tensor, n int64) tensor.Tensor {
	index = index.To(index.Device(), tensor.Int64).Reshape(-1)
	weight := tensor.CallOne("ones_like", index)
	if valid.Defined() {
		weight = valid.To(valid.Device(), tensor.Int64).Reshape(-1)
		index = index.Mul(weight) // what does not count becomes the first, with weight 0
	}
	return tensor.CallOne("scatter_add", tensor.Zeros([]int64{n}, tensor.Int64, index.Device()), int64(0), index, weight)
}

func (r *reading) binaryConfusion(p, t tensor.Tensor) (index, valid tensor.Tensor) {
	r.binary(p, t)
	r.zeroOne(p, t)
	valid = r.valid(t)
	return times(t, 2).Add(r.positive(p, valid)), valid
}

func (r *reading) multiclassConfusion(p, t tensor.Tensor) (index, valid tensor.Tensor) {
	r.known(p, t, false)
	_, label := r.hits(p, t)
	return times(t, r.classes).Add(label), r.valid(t)
}

func (r *reading) multilabelConfusion(p, t tensor.Tensor) (index, valid tensor.Tensor) {
	r.multilabel(p, t)
	r.zeroOne(p, t)
	place := []int64{r.classes}
	for range p.Dim() - 2 {
		place = append(place, 1)
	}
	label := tensor.CallOne("arange", r.classes, tensor.Kwarg{Name: "device", Value: t.Device()}).Reshape(place...)
	return times(t, 2).Add(r.positive(p, tensor.Tensor{})).Add(times(label, 4)), r.valid(t)
}

// MatrixRest are the arguments that end those of a confusion matrix.
type MatrixRest struct {
	IgnoreIndex  *int64  `cfg:"ignore_index" help:"target that does not count"`
	Normalize    *string `cfg:"normalize" oneof:"true|pred|all|none" help:"give shares of a target's, a prediction's or all counts"`
	ValidateArgs bool    `cfg:"validate_args" help:"look at the values too, on the CPU; shapes are always checked"`
	Options
}

func (c MatrixRest) build(env *lighter.Env, task string, r *reading) (_ lighter.Metric, err error) {
	defer tensor.Recover(&err)
	r.ignore, r.topK, r.validate = c.IgnoreIndex, 1, c.ValidateArgs
	say := &notice{name: r.name, log: env.Log}
	return &metric{name: r.name, accumulator: r.confusion(task, c.Options), value: func(s []tensor.Tensor, _ int64) lighter.Value {
		return shares(s[0], choice(c.Normalize), say)
	}}, nil
}

// shares divides a confusion matrix by the sums of its rows, its columns or both.
func shares(matrix tensor.Tensor, normalize string, say *notice) tensor.Tensor {
	dims := map[string][]int64{"true": {-1}, "pred": {-2}, "all": {-2, -1}}[normalize]
	if dims == nil {
		return matrix
	}
	matrix = float(matrix)
	matrix = matrix.Div(tensor.CallOne("sum", matrix, dims, true))
	nan := tensor.CallOne("isnan", matrix)
	if n := count(nan).Int(); n > 0 {
		say.warn(fmt.Sprintf("%d NaN values found in confusion matrix have been replaced with zeros.", n))
	}
	return tensor.CallOne("masked_fill", matrix, nan, 0.0)
}

type binaryConfusion struct {
	Threshold float64 `cfg:"threshold" help:"probability from which a prediction is 1"`
	MatrixRest
}

// Doc is the component's prose.
func (binaryConfusion) Doc() string {
	return "How often targets, by row, were predicted as what, by column: [2, 2]. Each element is logged under its row and column, `_0_1`."
}

// Validate implements the registry's Validator.
func (c binaryConfusion) Validate() error { return checkThreshold(c.Threshold) }

// Build implements the registry's Builder.
func (c binaryConfusion) Build(env *lighter.Env) (lighter.Metric, error) {
	return c.build(env, "binary", &reading{name: "BinaryConfusionMatrix", threshold: c.Threshold})
}

type multiclassConfusion struct {
	NumClasses int64 `cfg:"num_classes,required,aka=n_classes|classes" help:"number of classes"`
	MatrixRest
}

// Doc is the component's prose.
func (multiclassConfusion) Doc() string {
	return "How often targets, by row, were predicted as what, by column: [C, C]. Each element is logged under its row and column, `_0_1`."
}

// Validate implements the registry's Validator.
func (c multiclassConfusion) Validate() error { return several("num_classes", c.NumClasses) }

// Build implements the registry's Builder.
func (c multiclassConfusion) Build(env *lighter.Env) (lighter.Metric, error) {
	return c.build(env, "multiclass", &reading{name: "MulticlassConfusionMatrix", classes: c.NumClasses})
}

type multilabelConfusion struct {
	NumLabels int64   `cfg:"num_labels,required,aka=n_labels|labels" help:"number of labels"`
	Threshold float64 `cfg:"threshold" help:"probability from which a prediction is 1"`
	MatrixRest
}

// Doc is the component's prose.
func (multilabelConfusion) Doc() string {
	return "For each label how often targets, by row, were predicted as what, by column: [L, 2, 2]."
}

// Validate implements the registry's Validator.
func (c multilabelConfusion) Validate() error {
	return cmp.Or(several("num_labels", c.NumLabels), checkThreshold(c.Threshold))
}

// Build implements the registry's Builder.
func (c multilabelConfusion) Build(env *lighter.Env) (lighter.Metric, error) {
	return c.build(env, "multilabel", &reading{name: "MultilabelConfusionMatrix", classes: c.NumLabels, threshold: c.Threshold})
}

type confusionByTask struct {
	Task         string  `cfg:"task,required" oneof:"binary|multiclass|multilabel" help:"kind of classification"`
	Threshold    float64 `cfg:"threshold" help:"probability from which a prediction is 1 (binary, multilabel)"`
	NumClasses   *int64  `cfg:"num_classes,aka=n_classes|classes" help:"number of classes (multiclass)"`
	NumLabels    *int64  `cfg:"num_labels,aka=n_labels|labels" help:"number of labels (multilabel)"`
	Normalize    *string `cfg:"normalize" oneof:"true|pred|all|none" help:"give shares of a target's, a prediction's or all counts"`
	IgnoreIndex  *int64  `cfg:"ignore_index" help:"target that does not count"`
	ValidateArgs bool    `cfg:"validate_args" help:"look at the values too, on the CPU; shapes are always checked"`
	Options
}

// Doc is the component's prose.
func (confusionByTask) Doc() string { return taskDoc("ConfusionMatrix") }

func (c confusionByTask) of() (checkedBuilder, error) {
	rest := MatrixRest{c.IgnoreIndex, c.Normalize, c.ValidateArgs, c.Options}
	return forTask(c.Task, c.NumClasses, c.NumLabels, func() checkedBuilder { return binaryConfusion{c.Threshold, rest} },
		func(n int64) checkedBuilder { return multiclassConfusion{n, rest} },
		func(n int64) checkedBuilder { return multilabelConfusion{n, c.Threshold, rest} })
}

// Validate implements the registry's Validator.
func (c confusionByTask) Validate() error { return validateTask(c.of()) }

// Build implements the registry's Builder.
func (c confusionByTask) Build(env *lighter.Env) (lighter.Metric, error) {
	return buildTask(env)(c.of())
}
