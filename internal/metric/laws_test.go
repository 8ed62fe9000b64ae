package metric

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// same compares values bit by bit, or, as sums in another order, closely.
func same(t *testing.T, what string, got, want lighter.Value) {
	t.Helper()
	g, w := tensor.Values[float64](got.(tensor.Tensor)), tensor.Values[float64](want.(tensor.Tensor))
	if len(g) != len(w) {
		t.Errorf("%s: got %d elements, want %d", what, len(g), len(w))
		return
	}
	for i := range g {
		if d := g[i] - w[i]; d > 1e-5 || d < -1e-5 {
			t.Errorf("%s: element %d is %v, want %v", what, i, g[i], w[i])
			return
		}
	}
}

// Whatever the metric, its value does not depend on how samples come in batches, in which order, or whether a checkpoint lies in
// between.
func TestBatchesDontMatter(t *testing.T) {
	sets := batches(t)
	for _, c := range tensortest.Load[metricCase](t, "metric") {
		name := c.Target[strings.LastIndexByte(c.Target, '.')+1:]
		kwargs := c.Kwargs.V.(map[string]any)
		// Logits are told from probabilities by batch; samples and CatMetric keep their order; NaN is no number to compare.
		if kwargs["multidim_average"] == "samplewise" || strings.Contains(name, "Cat") || strings.Contains(c.Data, "nan") || strings.Contains(c.Data, "first class") {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			tensortest.Scope(t)
			data := sets(t, c.Data)
			m := newMetric(t, c.Target, kwargs)
			for _, b := range data {
				m.Update(b[0], b[1])
			}
			want := m.Compute()
			if _, isCurve := want.(lighter.List); isCurve {
				return
			}
			if x := want.(tensor.Tensor); count(tensor.CallOne("isnan", x)).Int() > 0 {
				return
			}
			backwards := newMetric(t, c.Target, kwargs)
			for _, b := range slices.Backward(data) {
				backwards.Update(b[0], b[1])
			}
			same(t, "backwards", backwards.Compute(), want)

			whole := newMetric(t, c.Target, kwargs)
			var joinedUp [2]lighter.Value
			for i := range joinedUp {
				var parts []tensor.Tensor
				for _, b := range data {
					if x, ok := b[i].(tensor.Tensor); ok {
						parts = append(parts, x)
					}
				}
				if parts != nil {
					joinedUp[i] = tensor.Cat(parts, 0)
				}
			}
			whole.Update(joinedUp[0], joinedUp[1])
			same(t, "as one batch", whole.Compute(), want)
			same(t, "as one batch, of the batch", whole.Batch(), want)

			before, after := newMetric(t, c.Target, kwargs), newMetric(t, c.Target, kwargs)
			before.Update(data[0][0], data[0][1])
			last := data[len(data)-1]
			after.Update(last[0], last[1]) // what loading must replace
			if err := after.LoadStateDict(before.StateDict()); err != nil {
				t.Fatal(err)
			}
			for _, b := range data[1:] {
				after.Update(b[0], b[1])
			}
			same(t, "with a checkpoint between", after.Compute(), want)
		})
	}
}

// Metrics that gather the same do it once, and give what each would alone; others and those of other options stay apart.
func TestComputeGroups(t *testing.T) {
	tensortest.Scope(t)
	build := func(groups any) (*collection, map[string]lighter.Metric) {
		alone := map[string]lighter.Metric{}
		d := &config.Dict{}
		add := func(name, target string, a args) {
			d.Keys, d.Values = append(d.Keys, name), append(d.Values, newMetric(t, target, a))
			alone[name] = newMetric(t, target, a)
		}
		classes := func(a args) args {
			a["task"], a["num_classes"] = "multiclass", int64(5)
			return a
		}
		add("f1", "torchmetrics.F1Score", classes(args{"average": "macro"}))
		add("precision", "torchmetrics.Precision", classes(args{"average": "weighted"}))
		add("micro", "torchmetrics.Accuracy", classes(args{}))
		add("ignoring", "torchmetrics.Recall", classes(args{"average": "macro", "ignore_index": int64(2)}))
		add("auroc", "torchmetrics.AUROC", classes(args{}))
		add("ap", "torchmetrics.AveragePrecision", classes(args{"average": "weighted"}))
		add("iou", "torchmetrics.JaccardIndex", classes(args{}))
		add("matrix", "torchmetrics.ConfusionMatrix", classes(args{}))
		m, err := registry.New[lighter.Metric]("torchmetrics.MetricCollection", &registry.Env{}, args{"metrics": d, "compute_groups": groups})
		if err != nil {
			t.Fatal(err)
		}
		return m.(*collection), alone
	}
	for want, groups := range map[string]any{
		"8": false,
		"5": true, // f1 with precision, auroc with ap, iou with matrix
		"7": []any{[]any{"f1", "precision"}, []any{"auroc", "micro"}},
	} {
		m, alone := build(groups)
		gathering := 0
		m.gathering(func(item) { gathering++ })
		if fmt.Sprint(gathering) != want {
			t.Errorf("compute_groups %v: %d gather, want %s", groups, gathering, want)
		}
		for range 2 {
			for _, b := range batches(t)(t, "scores") {
				m.Update(b[0], b[1])
				for name, one := range alone {
					one.Update(b[0], b[1])
					same(t, name+" of a batch", m.Batch().(lighter.Dict)[name], one.Batch())
				}
			}
			for name, one := range alone {
				same(t, name, m.Compute().(lighter.Dict)[name], one.Compute())
				one.Reset()
			}
			m.Reset()
		}
	}
	_, err := registry.New[lighter.Metric]("torchmetrics.MetricCollection", &registry.Env{}, args{
		"metrics": newMetric(t, "torchmetrics.MeanSquaredError", nil), "compute_groups": []any{[]any{"MSE"}},
	})
	if err == nil || !strings.Contains(err.Error(), "Input MSE in `compute_groups` argument does not match a metric in the collection") {
		t.Errorf("an unknown name in compute_groups: %v", err)
	}
}

func TestValuesOfTargetsAreLookedAt(t *testing.T) {
	tensortest.Scope(t)
	floats := func(v ...float64) tensor.Tensor { return tensor.FromSlice(v, int64(len(v))) }
	ints := func(v ...int64) tensor.Tensor { return tensor.FromSlice(v, int64(len(v))) }
	scores := tensor.Zeros([]int64{4, 3}, tensor.Float32, tensor.Device{})
	const class = "torchmetrics.classification."
	for _, c := range []struct {
		target       string
		args         args
		pred, labels tensor.Tensor
		want         string // "" for no error
	}{
		{"BinaryAccuracy", args{}, floats(0.1, 0.9), ints(0, 2), "Detected the following values in `target`: tensor([0, 2]) but expected only the following values [0, 1]."},
		{"BinaryAccuracy", args{"ignore_index": int64(2)}, floats(0.1, 0.9), ints(0, 2), ""},
		{"BinaryAccuracy", args{"ignore_index": int64(-1)}, floats(0.1, 0.9), ints(0, 2), "but expected only the following values [-1]."},
		{"BinaryAccuracy", args{"validate_args": false}, floats(0.1, 0.9), ints(0, 2), ""},
		{"BinaryF1Score", args{}, ints(0, 3), ints(0, 1), "Detected the following values in `preds`: tensor([0, 3])"},
		{"BinaryAccuracy", args{}, floats(0.1, 0.9), floats(0, 0.5), "tensor([0.0000, 0.5000])"},
		{"BinaryAUROC", args{}, floats(0.1, 0.9), ints(0, 7), "Detected the following values in `target`"},
		{"BinaryAUROC", args{}, floats(0.1, 0.9), floats(0, 1), "Expected argument `target` to be an int or long tensor with ground truth labels but got tensor with dtype torch.float64"},
		{"BinaryAUROC", args{}, ints(0, 1), ints(0, 1), "to be an floating tensor with probability/logit scores"},
		{"MulticlassAccuracy", args{"num_classes": int64(3), "average": "micro"}, scores, ints(0, 1, 2, 7), "Detected more unique values in `target` than expected. Expected only 3 but found 4 in `target`."},
		{"MulticlassAccuracy", args{"num_classes": int64(3), "average": "micro"}, scores, ints(0, 7, 7, 7), ""},
		{"MulticlassAccuracy", args{"num_classes": int64(3)}, scores, ints(0, 7, 7, 7), "expected only those from 0 to below num_classes=3"},
		{"MulticlassAccuracy", args{"num_classes": int64(3), "ignore_index": int64(7)}, scores, ints(0, 7, 7, 7), ""},
		{"MulticlassConfusionMatrix", args{"num_classes": int64(3)}, ints(0, 1, 2, 3), ints(0, 1, 2, 2), "Detected more unique values in `preds`"},
		{"MulticlassAUROC", args{"num_classes": int64(3)}, scores, ints(0, 1, 2, -1), "Detected more unique values in `target`"},
	} {
		m := newMetric(t, class+c.target, c.args)
		err := tensor.Catch(func() { m.Update(c.pred, c.labels) })
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s(%v): got %v, want %q", c.target, c.args, err, c.want)
		}
	}
}

// What a value shows to be doubtful is said once, in torchmetrics' words.
func TestNotices(t *testing.T) {
	sets := batches(t)
	for _, c := range []struct {
		target string
		args   args
		data   string
		want   string
	}{
		{"classification.BinaryAUROC", args{}, "positive", "No negative samples in targets, false positive value should be meaningless"},
		{"classification.BinaryAUROC", args{}, "negative", "No positive samples in targets, true positive value should be meaningless"},
		{"classification.BinaryAveragePrecision", args{}, "negative", "No positive samples found in target, recall is undefined"},
		{"classification.MulticlassAveragePrecision", args{"num_classes": int64(5)}, "empty class", "Average precision score for one or more classes was `nan`. Ignoring these classes in macro-average"},
		{"classification.MulticlassConfusionMatrix", args{"num_classes": int64(5), "normalize": "true"}, "empty class", "NaN values found in confusion matrix have been replaced with zeros."},
		{"R2Score", args{"adjusted": int64(40)}, "real", "More independent regressions than data points in adjusted r2 score. Falls back to standard r2 score."},
		{"SumMetric", args{}, "nan values", "Encountered `nan` values in tensor. Will be removed."},
	} {
		tensortest.Scope(t)
		var log bytes.Buffer
		m, err := registry.New[lighter.Metric]("torchmetrics."+c.target, &registry.Env{Log: zerolog.New(&log)}, c.args)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range sets(t, c.data) {
			m.Update(b[0], b[1])
		}
		m.Compute()
		m.Compute()
		m.Reset()
		if n := strings.Count(log.String(), c.want); n != 1 {
			t.Errorf("%s: said %d times %q:\n%s", c.target, n, c.want, &log)
		}
	}
}

func TestMetricsThatCannotBeComputed(t *testing.T) {
	tensortest.Scope(t)
	one := tensor.FromSlice([]float32{1}, 1)
	for want, f := range map[string]func(){
		"Needs at least two samples to calculate r2 score.": func() {
			m := newMetric(t, "torchmetrics.R2Score", nil)
			m.Update(one, one)
			m.Compute()
		},
		"No samples to concatenate": func() { newMetric(t, "torchmetrics.AUROC", args{"task": "binary"}).Compute() },
		"SumMetric.update() takes 2 positional arguments but 3 were given": func() {
			newMetric(t, "torchmetrics.SumMetric", nil).Update(one, one)
		},
		"Encountered `nan` values in tensor": func() {
			newMetric(t, "torchmetrics.MaxMetric", args{"nan_strategy": "error"}).Update(one.DivScalar(0).Sub(one.DivScalar(0)), nil)
		},
	} {
		if err := tensor.Catch(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
