package module

import (
	"slices"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/callback/callbacktest"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

func TestMain(m *testing.M) { tensortest.Main(m) }

// double is a network, difference a loss of scalars.
type double struct{ lighter.Node }

func (*double) Forward(in ...lighter.Value) lighter.Value {
	return in[0].(tensor.Tensor).MulScalar(2)
}

type difference struct{ lighter.Node }

func (*difference) Forward(in ...lighter.Value) lighter.Value {
	return in[0].(tensor.Tensor).Sub(in[1].(tensor.Tensor)).Sum(tensor.Float32)
}

// last is a metric whose value is the sum of the last batch, under one name or, as a collection, under several.
type last struct {
	names []string
	value tensor.Tensor
	reset int
}

func (l *last) Name() string { return l.names[0] }
func (l *last) Update(pred, _ lighter.Value) {
	l.value = pred.(tensor.Tensor).Sum(tensor.Float32)
}
func (l *last) Batch() lighter.Value             { return l.Compute() }
func (l *last) Reset()                           { l.reset++ }
func (l *last) StateDict() lighter.Dict          { return nil }
func (l *last) LoadStateDict(lighter.Dict) error { return nil }
func (l *last) States() []tensor.Tensor          { return nil }
func (l *last) Compute() lighter.Value {
	if len(l.names) == 1 {
		return l.value
	}
	d := lighter.Dict{}
	for _, n := range l.names {
		d[n] = l.value
	}
	return d
}

type sgd struct {
	lighter.Optimizer
	groups []*lighter.ParamGroup
}

func (s sgd) Name() string                  { return "SGD" }
func (s sgd) Groups() []*lighter.ParamGroup { return s.groups }

// trainer notes the names that are logged.
type trainer struct {
	callbacktest.Trainer
	optimizer lighter.Optimizer
	logged    []string
}

func (t *trainer) Log(name string, _ tensor.Tensor, _ lighter.LogOptions) {
	t.logged = append(t.logged, name)
}
func (t *trainer) LogEpoch(name string, _ float64) { t.logged = append(t.logged, name) }
func (t *trainer) StepLogged() bool                { return true }
func (t *trainer) Optimizer() lighter.Optimizer    { return t.optimizer }

func one(v float32) tensor.Tensor { return tensor.FromSlice([]float32{v}, 1) }

func build(t *testing.T, a arguments) *Module {
	t.Helper()
	m, err := a.Build(&lighter.Env{})
	if err != nil {
		t.Fatal(err)
	}
	return m.(*Module)
}

func TestStepTakesPairs(t *testing.T) {
	tensortest.Scope(t)
	m := build(t, arguments{Network: &double{}, Criterion: &difference{}})
	pair := lighter.List{one(3), one(1)}
	for _, c := range []struct {
		mode  lighter.Mode
		batch lighter.Value
		keys  string
		err   string
	}{
		{lighter.Train, pair, "loss pred target", ""},
		{lighter.Val, pair, "loss pred target", ""},
		{lighter.Test, pair, "loss pred target", ""},
		{lighter.Predict, pair, "pred target", ""},
		{lighter.Predict, one(3), "pred", ""},
		{lighter.Predict, lighter.List{one(3)}, "pred", ""},
		{lighter.Train, one(3), "", "must implement training_step() to use trainer.fit()"},
		{lighter.Val, lighter.List{one(3)}, "", "must implement validation_step() to use validation"},
		{lighter.Test, lighter.Dict{"x": one(3)}, "", "must implement test_step() to use trainer.test()"},
		{lighter.Predict, lighter.List{one(1), one(2), one(3)}, "", "this one is a list of 3"},
	} {
		out, err := m.Step(&trainer{Trainer: callbacktest.Trainer{InMode: c.mode}}, c.batch, 0)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s of %s: error %v, want %q", c.mode, lighter.TypeName(c.batch), err, c.err)
			}
			continue
		}
		var keys []string
		for k := range out {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		if got := strings.Join(keys, " "); err != nil || got != c.keys {
			t.Errorf("%s: keys %q, error %v; want %q", c.mode, got, err, c.keys)
		}
		if pred := out["pred"].(tensor.Tensor).Item(); pred != 6 {
			t.Errorf("%s: pred %v, want 6", c.mode, pred)
		}
	}
}

func TestWithoutCriterion(t *testing.T) {
	tensortest.Scope(t)
	m := build(t, arguments{Network: &double{}})
	if err := m.Has(lighter.Train); err == nil || !strings.Contains(err.Error(), "model::criterion is missing") {
		t.Errorf("fit: %v", err)
	}
	if err := m.Has(lighter.Val); err != nil {
		t.Errorf("validate: %v", err)
	}
	if _, err := m.ConfigureOptimizers(nil); err == nil || !strings.Contains(err.Error(), "Optimizer not configured.") {
		t.Errorf("optimizer: %v", err)
	}
	out, err := m.Step(&trainer{Trainer: callbacktest.Trainer{InMode: lighter.Test}}, lighter.List{one(3), one(1)}, 0)
	if _, hasLoss := out["loss"]; err != nil || hasLoss {
		t.Errorf("test gives %v, %v; want no loss", out, err)
	}
}

func TestLoggedNames(t *testing.T) {
	tensortest.Scope(t)
	single, collection := &last{names: []string{"MeanSquaredError"}}, &last{names: []string{"val_a", "val_b"}}
	m := build(t, arguments{Network: &double{}, Criterion: &difference{}, TrainMetrics: metrics{single}, ValMetrics: metrics{collection}})
	group := func(lr, wd float64) *lighter.ParamGroup {
		return &lighter.ParamGroup{Options: []lighter.Option{{Name: "lr", Value: lr}, {Name: "momentum", Value: 0.0}, {Name: "weight_decay", Value: wd}, {Name: "betas", Value: []float64{0.9, 0.99}}}}
	}
	run := func(mode lighter.Mode, idx int) []string {
		tr := &trainer{Trainer: callbacktest.Trainer{InMode: mode}, optimizer: sgd{groups: []*lighter.ParamGroup{group(0.1, 0), group(0.2, 1)}}}
		out, err := m.Step(tr, lighter.List{one(3), one(1)}, idx)
		if err != nil {
			t.Fatal(err)
		}
		m.BatchEnd(tr, out, idx)
		m.EpochEnd(tr)
		slices.Sort(tr.logged)
		return tr.logged
	}
	for _, c := range []struct {
		mode lighter.Mode
		idx  int
		want []string
	}{
		{lighter.Train, 0, []string{
			"train/loss/epoch", "train/loss/step", "train/metrics/MeanSquaredError/epoch", "train/metrics/MeanSquaredError/step",
			"train/optimizer/SGD/beta1/epoch", "train/optimizer/SGD/beta1/group1/epoch", "train/optimizer/SGD/beta2/epoch",
			"train/optimizer/SGD/beta2/group1/epoch", "train/optimizer/SGD/lr/epoch", "train/optimizer/SGD/lr/group1/epoch",
			"train/optimizer/SGD/momentum/epoch", "train/optimizer/SGD/momentum/group1/epoch", "train/optimizer/SGD/weight_decay/group1/epoch",
		}},
		{lighter.Train, 1, []string{"train/loss/epoch", "train/loss/step", "train/metrics/MeanSquaredError/epoch", "train/metrics/MeanSquaredError/step"}},
		{lighter.Val, 0, []string{
			"val/loss/epoch", "val/loss/step", "val/metrics/val_a/epoch", "val/metrics/val_a/step", "val/metrics/val_b/epoch", "val/metrics/val_b/step",
		}},
		{lighter.Test, 0, []string{"test/loss/epoch", "test/loss/step"}},
		{lighter.Predict, 0, nil},
	} {
		if got := run(c.mode, c.idx); !slices.Equal(got, c.want) {
			t.Errorf("%s, batch %d logs\n%s\nwant\n%s", c.mode, c.idx, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
	if single.reset != 2 || collection.reset != 1 {
		t.Errorf("metrics were reset %d and %d times, want once an epoch", single.reset, collection.reset)
	}
}

func TestLossParts(t *testing.T) {
	tensortest.Scope(t)
	m := build(t, arguments{Network: &double{}})
	tr := &trainer{Trainer: callbacktest.Trainer{InMode: lighter.Val}}
	m.BatchEnd(tr, lighter.Output{"loss": lighter.Dict{"total": one(3), "ce": one(1)}}, 1)
	if want := []string{"val/loss/ce/step", "val/loss/ce/epoch", "val/loss/total/step", "val/loss/total/epoch"}; !slices.Equal(tr.logged, want) {
		t.Errorf("logs %q, want %q", tr.logged, want)
	}
}

func TestStateDictKeys(t *testing.T) {
	tensortest.Scope(t)
	net, loss := &double{}, &difference{}
	net.Param("weight", one(1))
	loss.Buffer("weight", one(1))
	var keys []string
	for _, e := range build(t, arguments{Network: net, Criterion: loss}).State() {
		keys = append(keys, e.Name)
	}
	if want := []string{"network.weight", "criterion.weight"}; !slices.Equal(keys, want) {
		t.Errorf("state_dict has %q, want %q", keys, want)
	}
}

func TestMetricsMustBeMetrics(t *testing.T) {
	var m metrics
	if err := m.DecodeConfig([]any{"accuracy"}); err == nil || !strings.Contains(err.Error(), "metrics must be Metric or MetricCollection, got str") {
		t.Errorf("got %v", err)
	}
}
