package metric

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/internal/registry/registrytest"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

func TestMain(m *testing.M) { tensortest.Main(m) }

type args = registrytest.Args

func newMetric(t testing.TB, target string, a args) lighter.Metric {
	t.Helper()
	m, err := registry.New[lighter.Metric](target, &registry.Env{}, a)
	if err != nil {
		t.Fatal(err)
	}
	if c, ok := m.(io.Closer); ok {
		t.Cleanup(func() { c.Close() })
	}
	return m
}

func TestEveryMetricKeepsTheContract(t *testing.T) {
	tensortest.Scope(t)
	examples := map[string]args{
		"torchmetrics.MeanSquaredError":  {},
		"torchmetrics.MeanAbsoluteError": {},
		"torchmetrics.R2Score":           {},
		"torchmetrics.MetricCollection":  {"metrics": newMetric(t, "torchmetrics.MeanMetric", nil)},
	}
	for _, class := range []string{"MeanMetric", "SumMetric", "MaxMetric", "MinMetric", "CatMetric"} {
		examples["torchmetrics."+class] = args{}
	}
	for _, class := range []string{
		"Accuracy", "Precision", "Recall", "F1Score", "FBetaScore", "Specificity", "StatScores", "HammingDistance", "NegativePredictiveValue",
	} {
		rest := args{}
		if class == "FBetaScore" {
			rest["beta"] = 2.0
		}
		example := func(pairs ...any) args {
			a := maps.Clone(rest)
			for i := 0; i < len(pairs); i += 2 {
				a[pairs[i].(string)] = pairs[i+1]
			}
			return a
		}
		examples["torchmetrics."+class] = args{"task": "multiclass", "num_classes": int64(3)}
		examples["torchmetrics.classification.Binary"+class] = example()
		examples["torchmetrics.classification.Multiclass"+class] = example("num_classes", int64(3))
		examples["torchmetrics.classification.Multilabel"+class] = example("num_labels", int64(3))
	}
	for _, class := range []string{"ConfusionMatrix", "JaccardIndex", "AUROC", "AveragePrecision", "PrecisionRecallCurve", "ROC"} {
		examples["torchmetrics."+class] = args{"task": "multilabel", "num_labels": int64(3)}
		examples["torchmetrics.classification.Binary"+class] = args{}
		examples["torchmetrics.classification.Multiclass"+class] = args{"num_classes": int64(3)}
		examples["torchmetrics.classification.Multilabel"+class] = args{"num_labels": int64(3)}
	}
	registrytest.Contract(t, "torchmetrics.", examples)
}

type metricCase struct {
	Name string
	tensortest.Call
	Class   string
	Data    string
	Forward []tensortest.Arg
	Compute tensortest.Arg
}

type metricData struct {
	Name    string
	Batches [][]*tensortest.Tensor
}

// batches are the data of the fixtures by name, each a list of Update's arguments.
func batches(t *testing.T) func(t *testing.T, name string) [][2]lighter.Value {
	sets := map[string][][]*tensortest.Tensor{}
	for _, d := range tensortest.Load[metricData](t, "metric_data") {
		sets[d.Name] = d.Batches
	}
	return func(t *testing.T, name string) [][2]lighter.Value {
		var all [][2]lighter.Value
		for _, b := range sets[name] {
			pair := [2]lighter.Value{b[0].Make(t)}
			if len(b) > 1 {
				pair[1] = b[1].Make(t)
			}
			all = append(all, pair)
		}
		if all == nil {
			t.Fatalf("there is no data %q", name)
		}
		return all
	}
}

// closeTo compares a tensor, or a list of what it compares.
func closeTo(t *testing.T, what string, got lighter.Value, want any) {
	t.Helper()
	switch w := want.(type) {
	case *tensortest.Tensor:
		x, ok := got.(tensor.Tensor)
		if !ok {
			t.Errorf("%s: got %T, want %v", what, got, w)
			return
		}
		tensortest.Close(t, what, x, w)
	case []any:
		items, ok := got.(lighter.List)
		if !ok || len(items) != len(w) {
			t.Errorf("%s: got %v, want %d values", what, got, len(w))
			return
		}
		for i := range w {
			closeTo(t, fmt.Sprintf("%s, %d", what, i), items[i], w[i])
		}
	default:
		t.Errorf("%s: the fixture holds a %T", what, want)
	}
}

func TestMetricsGiveTorchmetricsNumbers(t *testing.T) {
	sets := batches(t)
	for _, c := range tensortest.Load[metricCase](t, "metric") {
		t.Run(c.Name, func(t *testing.T) {
			tensortest.Scope(t)
			m := newMetric(t, c.Target, c.Kwargs.V.(map[string]any))
			if m.Name() != c.Class {
				t.Errorf("the name is %q, want %q", m.Name(), c.Class)
			}
			for range 2 { // after Reset all must be as at first
				for i, b := range sets(t, c.Data) {
					m.Update(b[0], b[1])
					closeTo(t, fmt.Sprintf("batch %d", i), m.Batch(), c.Forward[i].V)
				}
				closeTo(t, "compute", m.Compute(), c.Compute.V)
				m.Reset()
			}
		})
	}
}

// A state that autograd follows would keep the graphs of all batches alive.
func TestStatesAreNotFollowedByAutograd(t *testing.T) {
	tensortest.Scope(t)
	x := tensor.FromSlice([]float64{1, 2, 4}, 3).SetRequiresGrad(true)
	for _, target := range []string{"torchmetrics.MeanSquaredError", "torchmetrics.MeanMetric"} {
		m := newMetric(t, target, nil)
		m.Update(x, x.Detach().MulScalar(3))
		for _, s := range append(m.States(), m.Batch().(tensor.Tensor), m.Compute().(tensor.Tensor)) {
			if s.RequiresGrad() {
				t.Errorf("%s: a state or value requires a gradient", target)
			}
		}
	}
}

func TestMeanMetricLeavesOutNaN(t *testing.T) {
	tensortest.Scope(t)
	nan := []float64{1, 0, 3}
	values := func() tensor.Tensor {
		x := tensor.FromSlice(nan, 3)
		return tensor.CallOne("masked_fill", x, tensor.CallOne("eq", x, 0.0), tensor.CallOne("div", tensor.FromSlice([]float64{0}), 0.0))
	}
	for strategy, want := range map[any]float64{"warn": 2, "ignore": 2, 5.0: 3} {
		m := newMetric(t, "torchmetrics.MeanMetric", args{"nan_strategy": strategy})
		m.Update(values(), nil)
		if got := m.Compute().(tensor.Tensor).Item(); got != want {
			t.Errorf("nan_strategy %v gives %v, want %v", strategy, got, want)
		}
	}
	m := newMetric(t, "torchmetrics.MeanMetric", args{"nan_strategy": "error"})
	if err := tensor.Catch(func() { m.Update(values(), nil) }); err == nil || !strings.Contains(err.Error(), "Encountered `nan` values") {
		t.Errorf("nan_strategy error: got %v", err)
	}
	m = newMetric(t, "torchmetrics.MeanMetric", nil)
	m.Update(2.0, 3.0)
	m.Update(tensor.FromSlice([]float32{8}), int64(1))
	if got := m.Compute().(tensor.Tensor).Item(); got != 3.5 {
		t.Errorf("the weighted mean of 2 (3) and 8 (1) is %v, want 3.5", got)
	}
}

func TestCollectionNames(t *testing.T) {
	tensortest.Scope(t)
	one := func(target string) lighter.Metric { return newMetric(t, "torchmetrics."+target, nil) }
	mse, mae := one("MeanSquaredError"), one("MeanAbsoluteError")
	inner := newMetric(t, "torchmetrics.MetricCollection", args{"metrics": []any{mse}, "postfix": "_in"})
	for _, c := range []struct {
		args args
		want string
	}{
		{args{"metrics": mse}, "MeanSquaredError"},
		{args{"metrics": []any{mse, mae}}, "MeanAbsoluteError MeanSquaredError"},
		{args{"metrics": mse, "additional_metrics": []any{mae}, "prefix": "p/"}, "p/MeanAbsoluteError p/MeanSquaredError"},
		{args{"metrics": &config.Dict{Keys: []any{"rmse", "a"}, Values: []any{mse, mae}}, "prefix": "t_", "postfix": "!"}, "t_a! t_rmse!"},
		{args{"metrics": []any{inner, mae}, "prefix": "o/"}, "o/MeanAbsoluteError o/MeanSquaredError_in"},
		{args{"metrics": &config.Dict{Keys: []any{"x"}, Values: []any{inner}}}, "x_MeanSquaredError_in"},
	} {
		m := newMetric(t, "torchmetrics.MetricCollection", c.args)
		m.Update(tensor.FromSlice([]float32{1, 2}, 2), tensor.FromSlice([]float32{1, 4}, 2))
		var names []string
		for name, v := range m.Compute().(lighter.Dict) {
			names = append(names, name)
			if got := v.(tensor.Tensor).Item(); got == 0 {
				t.Errorf("%s is 0", name)
			}
		}
		if got := strings.Join(slices.Sorted(slices.Values(names)), " "); got != c.want {
			t.Errorf("%v: names are %q, want %q", c.args, got, c.want)
		}
	}
	for want, a := range map[string]args{
		"two metrics both named MeanSquaredError": {"metrics": []any{mse, one("MeanSquaredError")}},
		"is not a instance of":                    {"metrics": []any{mse, 1.0}},
		"not compatible":                          {"metrics": &config.Dict{Keys: []any{"x"}, Values: []any{mse}}, "additional_metrics": []any{mae}},
	} {
		if _, err := registry.New[lighter.Metric]("torchmetrics.MetricCollection", &registry.Env{}, a); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", a, err, want)
		}
	}
}

func TestWrongArgumentsAndShapes(t *testing.T) {
	tensortest.Scope(t)
	for _, c := range []struct {
		target string
		args   args
		want   string
	}{
		{"torchmetrics.Accuracy", args{"task": "multiclass"}, "`num_classes` must be type `int` when task is multiclass"},
		{"torchmetrics.Accuracy", args{"task": "multilabel"}, "`num_labels` must be type `int`"},
		{"torchmetrics.Accuracy", args{"task": "binary", "threshold": 1.5}, "`threshold` to be a float in the [0,1] range, but got 1.5"},
		{"torchmetrics.Accuracy", args{"task": "multiclass", "num_classes": int64(1)}, "integer larger than 1, but got 1"},
		{"torchmetrics.Accuracy", args{"task": "multiclass", "num_classes": int64(3), "top_k": int64(4)}, "got 4 and 3"},
		{"torchmetrics.classification.MulticlassAccuracy", args{}, "can only be `None` for `average='micro'`"},
	} {
		_, err := registry.New[lighter.Metric](c.target, &registry.Env{}, c.args)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s(%v): got %v, want %q", c.target, c.args, err, c.want)
		}
	}
	zeros := func(d tensor.DType, shape ...int64) tensor.Tensor { return tensor.Zeros(shape, d, tensor.Device{}) }
	f, i := tensor.Float32, tensor.Int64
	for _, c := range []struct {
		args         args
		pred, target lighter.Value
		want         string
	}{
		{args{"task": "multiclass", "num_classes": int64(3)}, zeros(f, 4, 5), zeros(i, 4), "torch.Size([4, 5]) and num_classes=3"},
		{args{"task": "multiclass", "num_classes": int64(3)}, zeros(f, 4, 3), zeros(i, 5), "`target` with shape=torch.Size([5])"},
		{args{"task": "multiclass", "num_classes": int64(3)}, zeros(i, 4, 3), zeros(i, 4), "should be a float tensor"},
		{args{"task": "multiclass", "num_classes": int64(3)}, zeros(f, 4), zeros(i, 5), "should have the same shape"},
		{args{"task": "binary"}, zeros(f, 4, 1), zeros(i, 4), "got torch.Size([4, 1]) and torch.Size([4])"},
		{args{"task": "multilabel", "num_labels": int64(3)}, zeros(f, 4, 2), zeros(i, 4, 2), "equal to the number of labels"},
		{args{"task": "binary"}, zeros(f, 4), "x", "argument 2 must be a Tensor, not str"},
	} {
		m := newMetric(t, "torchmetrics.Accuracy", c.args)
		err := tensor.Catch(func() { m.Update(c.pred, c.target) })
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want %q", c.args, err, c.want)
		}
	}
}

func BenchmarkMulticlassAccuracyUpdate(b *testing.B) {
	tensortest.Scope(b)
	tensor.SetThreads(1)
	m := newMetric(b, "torchmetrics.Accuracy", args{"task": "multiclass", "num_classes": int64(10)})
	pred, target := tensor.Zeros([]int64{32, 10}, tensor.Float32, tensor.Device{}), tensor.Zeros([]int64{32}, tensor.Int64, tensor.Device{})
	b.ReportAllocs()
	for b.Loop() {
		s := tensor.Open()
		m.Update(pred, target)
		s.Close()
	}
}

func BenchmarkUpdate(b *testing.B) {
	tensor.SetThreads(1)
	long := tensor.Int64
	for _, c := range []struct {
		name, target string
		args         args
		shape        []int64
		target2      []int64
	}{
		{"accuracy", "torchmetrics.Accuracy", args{"task": "multiclass", "num_classes": int64(10)}, []int64{32, 10}, []int64{32}},
		{"f1 macro", "torchmetrics.F1Score", args{"task": "multiclass", "num_classes": int64(10), "average": "macro"}, []int64{32, 10}, []int64{32}},
		{"binary accuracy", "torchmetrics.Accuracy", args{"task": "binary"}, []int64{32}, []int64{32}},
		{"confusion", "torchmetrics.ConfusionMatrix", args{"task": "multiclass", "num_classes": int64(10)}, []int64{32, 10}, []int64{32}},
		{"auroc binned", "torchmetrics.AUROC", args{"task": "multiclass", "num_classes": int64(10), "thresholds": int64(100)}, []int64{32, 10}, []int64{32}},
		{"auroc binary binned", "torchmetrics.AUROC", args{"task": "binary", "thresholds": int64(100)}, []int64{32}, []int64{32}},
	} {
		b.Run(c.name, func(b *testing.B) {
			tensortest.Scope(b)
			m := newMetric(b, c.target, c.args)
			pred, target := tensor.Zeros(c.shape, tensor.Float32, tensor.Device{}), tensor.Zeros(c.target2, long, tensor.Device{})
			b.ReportAllocs()
			for b.Loop() {
				s := tensor.Open()
				m.Update(pred, target)
				s.Close()
			}
		})
	}
}
