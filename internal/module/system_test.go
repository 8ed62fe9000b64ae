package module

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/callback/callbacktest"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// batches is a loader.
type batches struct{ lighter.Loader }

func (batches) BatchSize() int { return 4 }

// tripled is an inferer.
type tripled struct{}

func (tripled) Infer(input lighter.Value, network func(lighter.Value) lighter.Value) lighter.Value {
	return network(input).(tensor.Tensor).MulScalar(3)
}

// counting is a network that takes the epoch.
type counting struct{ double }

func (*counting) HasArgument(name string) bool { return name == "epoch" }
func (n *counting) ForwardKeywords(in []lighter.Value, kwargs map[string]lighter.Value) lighter.Value {
	return n.Forward(in...).(tensor.Tensor).AddScalar(float64(100 + kwargs["epoch"].(int64)))
}

func system(t *testing.T, a systemArguments) *System {
	t.Helper()
	if a.Model == nil {
		a.Model = &double{}
	}
	a.Dataloaders = perMode{batches{}, batches{}, batches{}, batches{}}
	m, err := a.Build(&lighter.Env{})
	if err != nil {
		t.Fatal(err)
	}
	return m.(*System)
}

func TestSystemStep(t *testing.T) {
	tensortest.Scope(t)
	pair := lighter.List{one(3), one(1)}
	parts := lighter.Callable(func(args []any, _ map[string]any) (any, error) {
		return lighter.Dict{"part": args[0]}, nil
	})
	for _, c := range []struct {
		name string
		args systemArguments
		mode lighter.Mode
		pred float64
		loss float64 // 0 for none
		err  string
	}{
		{"train", systemArguments{Criterion: &difference{}}, lighter.Train, 6, 5, ""},
		{"val", systemArguments{Criterion: &difference{}}, lighter.Val, 6, 5, ""},
		{"test has no loss", systemArguments{Criterion: &difference{}}, lighter.Test, 6, 0, ""},
		{"an inferer in val", systemArguments{Criterion: &difference{}, Inferer: tripled{}}, lighter.Val, 18, 17, ""},
		{"not in train", systemArguments{Criterion: &difference{}, Inferer: tripled{}}, lighter.Train, 6, 5, ""},
		{"a network that takes the epoch", systemArguments{Model: &counting{}, Criterion: &difference{}}, lighter.Train, 106, 105, ""},
		{"parts without a total", systemArguments{Criterion: parts}, lighter.Train, 0, 0, `system::adapters::train::criterion: the loss dictionary must include a 'total' key`},
	} {
		s := system(t, c.args)
		out, err := s.Step(&trainer{Trainer: callbacktest.Trainer{InMode: c.mode}}, pair, 0)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v, want %q", c.name, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := out["pred"].(tensor.Tensor).Item(); got != c.pred {
			t.Errorf("%s: pred is %v, want %v", c.name, got, c.pred)
		}
		loss, has := out["loss"].(tensor.Tensor)
		if has != (c.loss != 0) || has && loss.Item() != c.loss {
			t.Errorf("%s: loss is %v, want %v", c.name, out["loss"], c.loss)
		}
		for _, key := range []string{"identifier", "input", "target", "step", "epoch"} {
			if _, ok := out[key]; !ok {
				t.Errorf("%s: the output has no %s", c.name, key)
			}
		}
	}
	s := system(t, systemArguments{})
	out, err := s.Step(&trainer{Trainer: callbacktest.Trainer{InMode: lighter.Predict}}, one(2), 0)
	if err != nil || out["pred"].(tensor.Tensor).Item() != 4 || out["target"] != nil {
		t.Errorf("predict takes the batch as the input: %v, %v", out, err)
	}
}

func TestSystemLogs(t *testing.T) {
	tensortest.Scope(t)
	s := system(t, systemArguments{Criterion: &difference{}})
	s.metrics[lighter.Train] = metrics{&last{names: []string{"Accuracy"}}}
	group := func(o ...lighter.Option) *lighter.ParamGroup { return &lighter.ParamGroup{Options: o} }
	tr := &trainer{Trainer: callbacktest.Trainer{InMode: lighter.Train}, optimizer: sgd{groups: []*lighter.ParamGroup{
		group(lighter.Option{Name: "lr", Value: 0.1}, lighter.Option{Name: "momentum", Value: 0.9}), group(lighter.Option{Name: "lr", Value: 0.2}),
	}}}
	out, err := s.Step(tr, lighter.List{one(3), one(1)}, 0)
	if err != nil {
		t.Fatal(err)
	}
	s.BatchEnd(tr, out, 0)
	want := []string{
		"train/loss/step", "train/loss/epoch", "train/metrics/Accuracy/step", "train/metrics/Accuracy/epoch",
		"train/optimizer/SGD/lr/group1", "train/optimizer/SGD/momentum/group1", "train/optimizer/SGD/lr/group2",
	}
	if !slices.Equal(tr.logged, want) {
		t.Errorf("logged are %q, want %q", tr.logged, want)
	}
}

func TestSystemStateDictKeys(t *testing.T) {
	tensortest.Scope(t)
	network := &double{}
	network.Param("weight", one(1))
	s := system(t, systemArguments{Model: network})
	if state := s.State(); len(state) != 1 || state[0].Name != "model.weight" {
		t.Errorf("the state_dict has %v", state)
	}
	if s.Inner() != network.Tree() {
		t.Error("names of parameters are not relative to the network")
	}
}

func TestSystemLacks(t *testing.T) {
	s := &System{Module: &Module{}}
	if err := s.Has(lighter.Test); err == nil || !strings.Contains(err.Error(), "system::dataloaders::test is missing") {
		t.Errorf("no loader: %v", err)
	}
	s.loaders = perMode{batches{}, batches{}, batches{}, batches{}}
	if err := s.Has(lighter.Val); err == nil || !strings.Contains(err.Error(), "please specify 'system.criterion' in the config") {
		t.Errorf("no criterion: %v", err)
	}
	if err := errors.Join(s.Has(lighter.Test), s.Has(lighter.Predict)); err != nil {
		t.Error(err)
	}
	if _, err := s.ConfigureOptimizers(nil); err == nil || !strings.Contains(err.Error(), "please specify 'system.optimizer' in the config") {
		t.Errorf("no optimizer: %v", err)
	}
}

func TestSystemPrunes(t *testing.T) {
	e, _ := registry.Lookup("lighter.System")
	if e == nil {
		t.Fatal("lighter.System is not registered")
	}
	for stage, want := range map[string]string{
		"fit":      "dataloaders::test metrics::test dataloaders::predict metrics::predict",
		"validate": "dataloaders::train metrics::train dataloaders::test metrics::test dataloaders::predict metrics::predict optimizer scheduler",
		"predict":  "dataloaders::train metrics::train dataloaders::val metrics::val dataloaders::test metrics::test optimizer scheduler",
	} {
		if got := strings.Join(systemArguments{}.Prune(stage), " "); got != want {
			t.Errorf("%s leaves out %s, want %s", stage, got, want)
		}
	}
}
