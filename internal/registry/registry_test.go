package registry

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter/internal/config"
)

// A small world of components: networks hold layers, an optimizer takes what a network's parameters() gives.
type layer interface{ Width() int }

type optimizer interface{ Rate() float64 }

type linear struct {
	In   int    `cfg:"in_features,required" help:"inputs"`
	Out  int    `cfg:"out_features,required" help:"outputs"`
	Bias bool   `cfg:"bias" help:"add a bias"`
	Mode string `cfg:"padding_mode" help:"a word" oneof:"zeros|reflect"`
	Dev  string `cfg:"device,ignored" help:"no effect"`
}

func (c linear) Validate() error {
	if c.In < 0 {
		return FieldError("in_features", "must not be negative, got %d", c.In)
	}
	return nil
}

func (c linear) Build(*Env) (layer, error) {
	if c.Out == 666 {
		return nil, errors.New("no such width")
	}
	return &builtLinear{c}, nil
}

type builtLinear struct{ linear }

func (l *builtLinear) Width() int { return l.Out }

func (l *builtLinear) Attr(name string) (any, bool, []string) {
	if name == "parameters" {
		return func([]any, map[string]any) (any, error) { return []any{float64(l.In), float64(l.Out)}, nil }, true, nil
	}
	return nil, false, []string{"parameters"}
}

type sequential struct {
	Layers []layer `cfg:"args,args" help:"layers"`
}

func (c sequential) Build(*Env) (layer, error) { return &builtSequential{c}, nil }

type builtSequential struct{ sequential }

func (s *builtSequential) Width() int { return len(s.Layers) }

type sgd struct {
	Params []float64      `cfg:"params,required" help:"what to optimize"`
	LR     float64        `cfg:"lr,aka=learning_rate" help:"step size"`
	Nested map[string]int `cfg:"nested" help:"a mapping"`
	Limit  *int           `cfg:"limit" help:"a number or null"`
}

func (c sgd) Build(*Env) (optimizer, error) { return builtSGD{c}, nil }

type builtSGD struct{ sgd }

func (s builtSGD) Rate() float64 { return s.LR }

type trainer struct {
	Net  layer     `cfg:"network,required" help:"the network"`
	Opt  optimizer `cfg:"optimizer" help:"the optimizer"`
	Test layer     `cfg:"test_only" help:"only tests need it"`
}

func (trainer) Prune(stage string) []string {
	if stage == "fit" {
		return []string{"test_only"}
	}
	return []string{"optimizer"}
}

func (c trainer) Build(*Env) (*builtTrainer, error) { return &builtTrainer{trainer: c}, nil }

type builtTrainer struct {
	trainer
	closed bool
}

func (t *builtTrainer) Close() error { t.closed = true; return nil }

func init() {
	Register[layer]("toy.nn.Linear", linear{Bias: true, Mode: "zeros"}, "toy.Linear")
	Register[layer]("toy.nn.Sequential", sequential{})
	Register[optimizer]("toy.optim.SGD", sgd{LR: 0.1})
	Register[*builtTrainer]("toy.Trainer", trainer{})
	Constant("toy.float32", "a dtype")
}

var root = Root{Path: "run", Kind: reflect.TypeFor[*builtTrainer](), Wrong: func(got string) string { return "run must be Trainer, got " + got }}

func compose(t *testing.T, yaml string) *config.Config {
	t.Helper()
	c, problems := config.Compose(file(t, yaml))
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	return c
}

func file(t *testing.T, yaml string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(path, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const good = `
run:
  _target_: toy.Trainer
  network:
    _target_: toy.nn.Sequential
    _args_:
      - {_target_: toy.nn.Linear, in_features: 2, out_features: "%vars::width"}
      - {_target_: toy.Linear, _args_: [3, 4]}
  optimizer:
    _target_: toy.optim.SGD
    params: "$@run::network_of_optimizer.parameters()"
    lr: 1
    nested: {a: 1}
  test_only: {_target_: toy.nn.NotThere}
  network_of_optimizer: null
vars: {width: 3}
`

func TestBuild(t *testing.T) {
	yaml := strings.Replace(good, "  network_of_optimizer: null\n", "", 1)
	yaml = strings.Replace(yaml, "@run::network_of_optimizer", "@shared", 1) + "shared: {_target_: toy.nn.Linear, in_features: 5, out_features: 7}\n"
	c := compose(t, yaml)
	env := Env{Stage: "fit", Log: zerolog.Nop()}
	if problems := Check(c, env, root).Problems; problems.HasErrors() {
		t.Fatal(problems)
	}
	b := NewBuild(c, env)
	run, err := Get[*builtTrainer](b, "run")
	if err != nil {
		t.Fatal(err)
	}
	layers := run.Net.(*builtSequential).Layers
	if len(layers) != 2 || layers[0].Width() != 3 || layers[1].Width() != 4 {
		t.Errorf("layers are %v", layers)
	}
	if opt := run.Opt.(builtSGD); opt.LR != 1 || fmt.Sprint(opt.Params) != "[5 7]" || opt.Nested["a"] != 1 || opt.Limit != nil {
		t.Errorf("optimizer is %+v", opt)
	}
	if run.Test != nil {
		t.Error("an argument that the stage does not need was built")
	}
	if !layers[0].(*builtLinear).Bias {
		t.Error("a default was lost")
	}
	if err := b.Close(); err != nil || !run.closed {
		t.Errorf("Close: %v, closed %t", err, run.closed)
	}
}

// Every row is one mistake in a sound configuration, and what is said about it.
// A callable puts its own positional arguments first and takes keywords beside, as functools.partial; a call's keyword wins.
func TestCallable(t *testing.T) {
	c := compose(t, "f: {_target_: toy.nn.Linear, _mode_: callable, bias: false, _args_: [5]}\ng: {_target_: toy.nn.Linear, _mode_: callable, out_features: 7}\n")
	b := NewBuild(c, Env{Log: zerolog.Nop()})
	defer b.Close()
	for _, call := range []struct {
		path   string
		args   []any
		kwargs map[string]any
		want   linear
	}{
		{"f", []any{int64(6)}, nil, linear{In: 5, Out: 6, Mode: "zeros"}},
		{"f", nil, map[string]any{"out_features": int64(6), "bias": true}, linear{In: 5, Out: 6, Bias: true, Mode: "zeros"}},
		{"g", []any{int64(2)}, nil, linear{In: 2, Out: 7, Bias: true, Mode: "zeros"}},
	} {
		f, err := Get[Func](b, call.path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := f(call.args, call.kwargs)
		if err != nil || got.(*builtLinear).linear != call.want {
			t.Errorf("%s(%v, %v) = %v, %v, want %v", call.path, call.args, call.kwargs, got, err, call.want)
		}
	}
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	const base = `run:
  _target_: toy.Trainer
  network: {_target_: toy.nn.Linear, in_features: 2, out_features: 3}
  optimizer:
    _target_: toy.optim.SGD
    params: "$@run::network.parameters()"
`
	for _, c := range []struct{ name, old, new, want, hint string }{
		{"unknown field", "in_features: 2", "in_featurs: 2, in_features: 2", `c.yaml:3:38: unknown field "in_featurs" for toy.nn.Linear`, ""},
		{"misspelt field", "in_features: 2", "in_featurs: 2", `unknown field "in_featurs"`, `did you mean "in_features"?`},
		{"synonym", "params:", "learning_rate: 1\n    params:", `unknown field "learning_rate" for toy.optim.SGD`, `did you mean "lr"?`},
		{"missing", "in_features: 2, ", "", `c.yaml:3:23: toy.nn.Linear is missing 1 required argument: "in_features"`, "add `in_features:`"},
		{"wrong type", "in_features: 2", "in_features: two", `c.yaml:3:51: in_features of toy.nn.Linear must be an int, got the str "two"`, ""},
		{"float for int", "in_features: 2", "in_features: 2.5", "must be an int, got the float 2.5", ""},
		{"bool for int", "in_features: 2", "in_features: true", "must be an int, got the bool true", ""},
		{"null", "in_features: 2", "in_features: null", "must be an int, got null", ""},
		{"outside its words", "in_features: 2", "padding_mode: reflct, in_features: 2", "padding_mode of toy.nn.Linear must be one of zeros, reflect", `did you mean "reflect"?`},
		{"validation", "in_features: 2", "in_features: -1", "c.yaml:3:51: in_features of toy.nn.Linear: must not be negative, got -1", ""},
		{"unknown target", "toy.nn.Linear", "toy.nn.Linaer", `Cannot locate class or function: "toy.nn.Linaer"`, "did you mean 'toy.nn.Linear'?"},
		{"project", "toy.nn.Linear", "project.net.Linear", `"project.net.Linear"`, "ported to Starlark"},
		{"wrong kind", "toy.nn.Linear, in_features: 2, out_features: 3", `toy.optim.SGD, params: [1.0]`, "network of toy.Trainer must be a component of kind layer, got toy.optim.SGD, of kind optimizer", ""},
		{"wrong root", "toy.Trainer", "toy.nn.Sequential", "run must be Trainer, got <class 'toy.nn.Sequential'>", ""},
		{"args", "in_features: 2, out_features: 3", "_args_: 5", "Expected _args_ to be a list, but got int", ""},
		{"too many args", "in_features: 2, out_features: 3", "_args_: [1, 2, true, zeros, cpu, 7]", "takes 5 positional arguments", ""},
		{"twice", "in_features: 2, out_features: 3", "in_features: 1, _args_: [1, 2]", "multiple values", ""},
		{"mode", "in_features: 2", "_mode_: calable, in_features: 2", `Unsupported option "calable" for _mode_`, `did you mean "callable"?`},
		{"another mode", "in_features: 2", "_mode_: bogus, in_features: 2", `Unsupported option "bogus" for _mode_`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			yaml := strings.Replace(base, c.old, c.new, 1)
			problems := Check(compose(t, yaml), Env{Stage: "fit", Log: zerolog.Nop()}, root).Problems
			for _, p := range problems {
				if strings.Contains(p.Error(), c.want) && strings.Contains(p.Hint, c.hint) {
					return
				}
			}
			t.Errorf("got %q, want a problem with %q and the hint %q", problems, c.want, c.hint)
		})
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	c := compose(t, `run:
  _target_: toy.Trainer
  network: {_target_: toy.nn.Linear, in_features: x, out_features: y, z: 1}
  optimizer: {_target_: toy.optim.SGD}
`)
	if problems := Check(c, Env{Stage: "fit", Log: zerolog.Nop()}, root).Problems; len(problems) != 4 {
		t.Errorf("%d problems, want the 4 there are:\n%v", len(problems), problems)
	}
}

func TestProblemsInsideAnUnknownTarget(t *testing.T) {
	c := compose(t, `run:
  _target_: toy.Trainer
  network: {_target_: toy.nn.Sequentail, _args_: [{_target_: toy.nn.Linear, in_features: x, out_features: 1}], more: "@nothing"}
`)
	problems := Check(c, Env{Stage: "fit", Log: zerolog.Nop()}, root).Problems
	for _, want := range []string{"toy.nn.Sequentail", "in_features of toy.nn.Linear must be an int", "Reference '@nothing' not found"} {
		if !strings.Contains(problems.Error(), want) {
			t.Errorf("%q is not in %v", want, problems)
		}
	}
}

func TestIgnoredArgumentsWarn(t *testing.T) {
	c := compose(t, "run:\n  _target_: toy.Trainer\n  network: {_target_: toy.nn.Linear, in_features: 1, out_features: 1, device: cpu}\n")
	problems := Check(c, Env{Stage: "fit", Log: zerolog.Nop()}, root).Problems
	if problems.HasErrors() || len(problems) != 1 || !strings.Contains(problems[0].Error(), "device of toy.nn.Linear is accepted for compatibility and has no effect") {
		t.Errorf("got %v, want one warning", problems)
	}
}

func TestBuildErrorsKeepTheirPlace(t *testing.T) {
	c := compose(t, "run:\n  _target_: toy.Trainer\n  network: {_target_: toy.nn.Linear, in_features: 1, out_features: 666}\n")
	_, err := Get[*builtTrainer](NewBuild(c, Env{Stage: "fit", Log: zerolog.Nop()}), "run")
	if err == nil || !strings.Contains(err.Error(), `c.yaml:3:23: Could not instantiate component "toy.nn.Linear": no such width`) {
		t.Errorf("got %v", err)
	}
}

func TestExpressionsReachTargetsAndConstants(t *testing.T) {
	c := compose(t, `run:
  _target_: toy.Trainer
  network: "$toy.nn.Linear(2, out_features=9)"
dtype: "$toy.float32"
`)
	env := Env{Stage: "fit", Log: zerolog.Nop()}
	if problems := Check(c, env, root).Problems; problems.HasErrors() {
		t.Fatal(problems)
	}
	b := NewBuild(c, env)
	run, err := Get[*builtTrainer](b, "run")
	if err != nil || run.Net.Width() != 9 {
		t.Errorf("got %v, %v", run, err)
	}
	if dtype, err := Get[string](b, "dtype"); err != nil || dtype != "a dtype" {
		t.Errorf("got %q, %v", dtype, err)
	}
}

func TestPrototypesAreNotShared(t *testing.T) {
	e, _ := Lookup("toy.optim.SGD")
	c := compose(t, "run:\n  _target_: toy.Trainer\n  network: {_target_: toy.nn.Linear, in_features: 1, out_features: 1}\n  optimizer: {_target_: toy.optim.SGD, params: [1.0], nested: {a: 1}}\n")
	if _, err := Get[*builtTrainer](NewBuild(c, Env{Stage: "fit", Log: zerolog.Nop()}), "run"); err != nil {
		t.Fatal(err)
	}
	for _, f := range e.Fields {
		if f.Name == "nested" && e.Default(f).(map[string]int) != nil {
			t.Error("building changed the prototype's default")
		}
	}
}
