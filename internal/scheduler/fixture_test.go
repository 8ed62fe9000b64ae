package scheduler

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	_ "github.com/lighter-go/lighter/internal/optim" // the optimizers of the cases
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

func TestMain(m *testing.M) { tensortest.Main(m) }

type schedulerCase struct {
	Name string
	tensortest.Call
	Optimizer string
	Options   tensortest.Arg
	Metrics   []float64
	Output    [][][2]float64 // learning rate and momentum by step and group, the first row from before the first step
	StateDict tensortest.Arg `json:"state_dict"`
}

func (c schedulerCase) build(t *testing.T) (lighter.Optimizer, lighter.Scheduler) {
	t.Helper()
	o := newOptimizer(t, c.Optimizer, c.Options.V.(map[string]any))
	return o, argument(t, c.Call, o).(lighter.Scheduler)
}

// newOptimizer has two groups; the second has a learning rate of its own.
func newOptimizer(t *testing.T, class string, options map[string]any) lighter.Optimizer {
	t.Helper()
	var groups []any
	for i := range 2 {
		d := &expr.Dict{Keys: []any{"params"}, Values: []any{tensor.FromSlice([]float64{0}).SetRequiresGrad(true)}}
		if i == 1 {
			d.Keys, d.Values = append(d.Keys, "lr"), append(d.Values, 0.02)
		}
		groups = append(groups, d)
	}
	args := map[string]any{"params": groups}
	for k, v := range options {
		args[k] = v
	}
	o, err := registry.New[lighter.Optimizer]("torch.optim."+class, &registry.Env{}, args)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.(interface{ Close() error }).Close() })
	return o
}

// argument makes an argument of a case: a scheduler of a call, a function of a "$lambda".
func argument(t *testing.T, v any, o lighter.Optimizer) any {
	t.Helper()
	switch x := v.(type) {
	case tensortest.Call:
		e, ok := registry.Lookup(x.Target)
		if !ok {
			t.Fatalf("there is no %s", x.Target)
		}
		args := map[string]any{"optimizer": o}
		positional := x.Args.V.([]any)
		for _, f := range e.Fields {
			if f.Name != "optimizer" && len(positional) > 0 {
				args[f.Name] = argument(t, positional[0], o)
				positional = positional[1:]
			}
		}
		for k, a := range x.Kwargs.V.(map[string]any) {
			args[k] = argument(t, a, o)
		}
		s, err := registry.New[lighter.Scheduler](x.Target, &registry.Env{}, args)
		if err != nil {
			t.Fatal(err)
		}
		return s
	case []any:
		list := make([]any, len(x))
		for i := range x {
			list[i] = argument(t, x[i], o)
		}
		return list
	case string:
		if source, ok := strings.CutPrefix(x, "$"); ok {
			return evaluate(t, source)
		}
	}
	return v
}

func evaluate(t *testing.T, source string) any {
	t.Helper()
	p, err := expr.Compile(source)
	if err != nil {
		t.Fatal(err)
	}
	f, err := p.Eval(nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// powers says whether a case has a ** in a lambda. Expressions calculate it with Go's math.Pow, which may be off by the last
// bits; everything else is equal in every bit.
func (c schedulerCase) powers() bool {
	return strings.Contains(fmt.Sprint(c.Args, c.Kwargs), "**")
}

func (c schedulerCase) compare(t *testing.T, step int, o lighter.Optimizer) {
	t.Helper()
	for i, g := range o.Groups() {
		m, ok := g.Option("momentum").(float64)
		if !ok {
			m = g.Option("betas").([]float64)[0]
		}
		want := c.Output[step][i]
		tol := 0.0
		if c.powers() {
			tol = 5e-15
		}
		if lr := g.LR(); !(math.Abs(lr-want[0]) <= tol*want[0]) {
			t.Fatalf("step %d: lr of group %d is %v, want %v", step, i, lr, want[0])
		}
		if m != want[1] {
			t.Fatalf("step %d: momentum of group %d is %v, want %v", step, i, m, want[1])
		}
	}
}

// steps takes the steps from first on, before last.
func (c schedulerCase) steps(t *testing.T, o lighter.Optimizer, s lighter.Scheduler, first, last int) {
	t.Helper()
	for i := first; i < last; i++ {
		metric := math.NaN() // what no other scheduler may look at
		if s.NeedsMetric() {
			metric = c.Metrics[i]
		}
		s.Step(metric)
		c.compare(t, i+1, o)
	}
}

func (c schedulerCase) compareState(t *testing.T, s lighter.Scheduler) {
	t.Helper()
	got, want := plain(s.StateDict()), plain(c.StateDict.V)
	if c.powers() {
		got, want = rounded(got), rounded(want)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the state dict is\n%v, want\n%v", got, want)
	}
}

// plain is a state as JSON has it; an argument's int is as good as its float, since the configuration does not tell them apart.
func plain(v any) any {
	switch x := v.(type) {
	case lighter.Dict:
		d := map[string]any{}
		for k := range x {
			d[k] = plain(x[k])
		}
		return d
	case *torchfile.Dict:
		d := map[string]any{}
		for k, v := range x.All() {
			d[fmt.Sprint(k)] = plain(v)
		}
		return d
	case []any:
		l := make([]any, len(x))
		for i := range x {
			l[i] = plain(x[i])
		}
		return l
	case int64:
		return float64(x)
	case float64:
		if math.IsInf(x, 0) {
			return strings.ToLower(strings.TrimPrefix(fmt.Sprint(x), "+")) // make.py's "inf"
		}
	}
	return v
}

// rounded is a state with 14 digits.
func rounded(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k := range x {
			x[k] = rounded(x[k])
		}
	case []any:
		for i := range x {
			x[i] = rounded(x[i])
		}
	case float64:
		return fmt.Sprintf("%.14g", x)
	}
	return v
}

func TestFiftyStepsGivePyTorchsNumbers(t *testing.T) {
	for _, c := range tensortest.Load[schedulerCase](t, "scheduler") {
		t.Run(c.Name, func(t *testing.T) {
			tensortest.Scope(t)
			o, s := c.build(t)
			c.compare(t, 0, o)
			c.steps(t, o, s, 0, 50)
			c.compareState(t, s)
		})
	}
}

// A run that stops and goes on from its state dicts must not differ from one that does not stop.
func TestStateDictResumes(t *testing.T) {
	for _, c := range tensortest.Load[schedulerCase](t, "scheduler") {
		t.Run(c.Name, func(t *testing.T) {
			for _, at := range []int{1, 9, 23} {
				tensortest.Scope(t)
				o, s := c.build(t)
				c.steps(t, o, s, 0, at)

				again, other := c.build(t)
				c.steps(t, again, other, 0, 3) // what loading must replace
				if err := again.LoadStateDict(o.StateDict()); err != nil {
					t.Fatal(err)
				}
				if err := other.LoadStateDict(s.StateDict()); err != nil {
					t.Fatal(err)
				}
				c.steps(t, again, other, at, 50)
				c.compareState(t, other)
			}
		})
	}
}

func TestPyTorchsStateDictLoads(t *testing.T) {
	for _, c := range tensortest.Load[schedulerCase](t, "scheduler") {
		t.Run(c.Name, func(t *testing.T) {
			tensortest.Scope(t)
			_, s := c.build(t)
			state := c.StateDict.V.(map[string]any)
			for _, name := range []string{"best", "mode_worse"} {
				switch state[name] {
				case "inf":
					state[name] = math.Inf(1)
				case "-inf":
					state[name] = math.Inf(-1)
				}
			}
			if err := s.LoadStateDict(state); err != nil {
				t.Fatal(err)
			}
			c.compareState(t, s)
		})
	}
}
