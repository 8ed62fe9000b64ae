package scheduler

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	_ "github.com/lighter-go/lighter/internal/model" // the networks of the configurations
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/internal/registry/registrytest"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

type args = map[string]any

var sgd = args{"lr": 0.1, "momentum": 0.9}

func newScheduler(class string, a args) (lighter.Scheduler, error) {
	return registry.New[lighter.Scheduler]("torch.optim.lr_scheduler."+class, &registry.Env{}, a)
}

func TestEverySchedulerKeepsTheContract(t *testing.T) {
	tensortest.Scope(t)
	o := newOptimizer(t, "SGD", sgd)
	step, err := newScheduler("StepLR", args{"optimizer": o, "step_size": int64(3)})
	if err != nil {
		t.Fatal(err)
	}
	half := evaluate(t, "lambda epoch: 0.5")
	examples := map[string]registrytest.Args{}
	for class, a := range map[string]args{
		"StepLR": {"step_size": int64(3)}, "MultiStepLR": {"milestones": []any{int64(3)}}, "ConstantLR": {}, "LinearLR": {},
		"ExponentialLR": {"gamma": 0.9}, "PolynomialLR": {}, "CosineAnnealingLR": {"T_max": int64(10)},
		"CosineAnnealingWarmRestarts": {"T_0": int64(10)}, "CyclicLR": {"base_lr": 0.1, "max_lr": 0.2},
		"OneCycleLR": {"max_lr": 0.2, "total_steps": int64(10)}, "ReduceLROnPlateau": {}, "LambdaLR": {"lr_lambda": half},
		"MultiplicativeLR": {"lr_lambda": half}, "ChainedScheduler": {"schedulers": []any{step}},
		"SequentialLR": {"schedulers": []any{step}, "milestones": []any{}},
	} {
		a["optimizer"] = o
		examples["torch.optim.lr_scheduler."+class] = a
	}
	registrytest.Contract(t, "torch.optim.lr_scheduler.", examples)
}

// null stands for an argument that is given as null.
type null struct{}

func TestErrorsArePyTorchs(t *testing.T) {
	tensortest.Scope(t)
	o, other := newOptimizer(t, "SGD", sgd), newOptimizer(t, "Adam", nil)
	make := func(class string, a args) lighter.Scheduler {
		if a["optimizer"] == nil {
			a["optimizer"] = o
		}
		s, err := newScheduler(class, a)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	step := make("StepLR", args{"step_size": int64(3)})
	plateau := make("ReduceLROnPlateau", args{})
	chained := make("ChainedScheduler", args{"schedulers": []any{step}})
	foreign := make("StepLR", args{"step_size": int64(3), "optimizer": other})
	for _, c := range []struct {
		class string
		args  args
		want  string
	}{
		{"StepLR", args{"step_size": int64(0)}, "must not be 0"},
		{"StepLR", args{"step_size": int64(3), "optimizer": null{}}, "NoneType is not an Optimizer"},
		{"CyclicLR", args{"base_lr": 0.1, "max_lr": 0.2, "optimizer": null{}}, "NoneType is not an Optimizer"},
		{"LambdaLR", args{"lr_lambda": evaluate(t, "lambda e: 1"), "optimizer": null{}}, "NoneType is not an Optimizer"},
		{"ReduceLROnPlateau", args{"optimizer": null{}}, "NoneType is not an Optimizer"},
		{"SequentialLR", args{"schedulers": []any{step}, "milestones": []any{}, "optimizer": null{}}, "NoneType is not an Optimizer"},
		{"ChainedScheduler", args{"schedulers": []any{nil}}, "ChainedScheduler at index 0 should have `optimizer` as its attribute."},
		{"MultiStepLR", args{"milestones": nil}, "must be a list of ints, got null"},
		{"StepLR", args{"step_size": 2.5}, "step_size of torch.optim.lr_scheduler.StepLR must be an int, got the float 2.5"},
		{"StepLR", args{"step_size": int64(3), "verbose": true}, "unexpected keyword argument"},
		{"ConstantLR", args{"factor": 1.5}, "Constant multiplicative factor expected to be between 0 and 1."},
		{"LinearLR", args{"start_factor": 0.0}, "Starting multiplicative factor expected to be greater than 0 and less or equal to 1."},
		{"LinearLR", args{"end_factor": 2.0}, "Ending multiplicative factor expected to be between 0 and 1."},
		{"CosineAnnealingLR", args{"T_max": int64(0)}, "T_max of torch.optim.lr_scheduler.CosineAnnealingLR: must not be 0"},
		{"CosineAnnealingWarmRestarts", args{"T_0": int64(0)}, "Expected positive integer T_0, but got 0"},
		{"CosineAnnealingWarmRestarts", args{"T_0": int64(1), "T_mult": int64(0)}, "Expected integer T_mult >= 1, but got 0"},
		{"CyclicLR", args{"base_lr": 0.1, "max_lr": 0.2, "mode": "square"}, "mode is invalid and scale_fn is None"},
		{"CyclicLR", args{"base_lr": []any{0.1}, "max_lr": 0.2}, "base_lr must have the same length as optimizer.param_groups. base_lr has 1 values, param_groups has 2."},
		{"OneCycleLR", args{"max_lr": 0.1}, "You must define either total_steps OR (epochs AND steps_per_epoch)"},
		{"OneCycleLR", args{"max_lr": 0.1, "total_steps": int64(-1)}, "Expected positive integer total_steps, but got -1"},
		{"OneCycleLR", args{"max_lr": 0.1, "epochs": int64(0), "steps_per_epoch": int64(1)}, "Expected positive integer epochs, but got 0"},
		{"OneCycleLR", args{"max_lr": 0.1, "total_steps": int64(9), "pct_start": 1.5}, "Expected float between 0 and 1 pct_start, but got 1.5"},
		{"OneCycleLR", args{"max_lr": 0.1, "total_steps": int64(10), "pct_start": 0.1}, "float division by zero"},
		{"OneCycleLR", args{"max_lr": 0.1, "total_steps": int64(9), "anneal_strategy": "sin"}, "must be one of cos, linear"},
		{"ReduceLROnPlateau", args{"factor": 1.0}, "Factor should be < 1.0."},
		{"ReduceLROnPlateau", args{"min_lr": []any{0.1, 0.2, 0.3}}, "expected 2 min_lrs, got 3"},
		{"ReduceLROnPlateau", args{"mode": "lowest"}, "must be one of min, max"},
		{"LambdaLR", args{"lr_lambda": []any{evaluate(t, "lambda e: 1")}}, "Expected 2 lr_lambdas, but got 1"},
		{"MultiplicativeLR", args{"lr_lambda": 0.5}, "should be a function, but got the float 0.5"},
		{"LambdaLR", args{"lr_lambda": evaluate(t, "lambda e: 'fast'")}, "must give a float, got the str \"fast\" for 0"},
		{"LambdaLR", args{"lr_lambda": evaluate(t, "lambda e: 1 / e")}, "division by zero"},
		{"ChainedScheduler", args{"schedulers": []any{}}, "ChainedScheduler expects at least one scheduler to be chained, but got no scheduler."},
		{"ChainedScheduler", args{"schedulers": []any{step, plateau}}, "does not support `ReduceLROnPlateau` scheduler"},
		{"ChainedScheduler", args{"schedulers": []any{step, foreign}}, "expects all schedulers to belong to the same optimizer, but got scheduler StepLR at index 1"},
		{"SequentialLR", args{"schedulers": []any{}, "milestones": []any{}}, "SequentialLR expects at least one scheduler, but got no scheduler."},
		{"SequentialLR", args{"schedulers": []any{step, step}, "milestones": []any{}}, "got number of schedulers 2 and the number of milestones to be equal to 0"},
		{"SequentialLR", args{"schedulers": []any{step, chained}, "milestones": []any{int64(2)}}, "the ChainedScheduler at index 1 must be the first"},
		{"ExponentialLR", args{"gamma": 0.9, "last_epoch": int64(4), "optimizer": newOptimizer(t, "SGD", sgd)}, "param 'initial_lr' is not specified in param_groups[0] when resuming scheduler with last_epoch >= 0."},
	} {
		switch c.args["optimizer"] {
		case nil:
			c.args["optimizer"] = o
		case null{}:
			c.args["optimizer"] = nil
		}
		_, err := newScheduler(c.class, c.args)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s(%v): got %v, want %q", c.class, c.args, err, c.want)
		}
	}
}

// What goes wrong at a step stops the run with an error, as in PyTorch, instead of a learning rate that is no number.
func TestStepsThatPyTorchRefuses(t *testing.T) {
	for _, c := range []struct {
		class string
		args  args
		steps int
		want  string
	}{
		{"OneCycleLR", args{"max_lr": 0.1, "total_steps": int64(5)}, 6, "Tried to step 6 times. The specified number of total steps is 5"},
		{"ConstantLR", args{"factor": 0.0}, 5, "float division by zero"},
		{"PolynomialLR", args{"power": -1.0}, 5, "float division by zero"},
		{"LambdaLR", args{"lr_lambda": evaluate(t, "lambda epoch: 1 / (3 - epoch)")}, 3, "division by zero"},
	} {
		tensortest.Scope(t)
		c.args["optimizer"] = newOptimizer(t, "SGD", sgd)
		s, err := newScheduler(c.class, c.args)
		if err != nil {
			t.Fatal(err)
		}
		for i := range c.steps {
			err := tensor.Catch(func() { s.Step(0) })
			switch last := i == c.steps-1; {
			case !last && err != nil:
				t.Errorf("%s: step %d fails: %v", c.class, i+1, err)
			case last && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%s: step %d: got %v, want %q", c.class, i+1, err, c.want)
			}
		}
	}
}

func TestOneCycleNeedsMomentum(t *testing.T) {
	tensortest.Scope(t)
	o := withoutMomentum{newOptimizer(t, "SGD", args{"lr": 0.1})}
	_, err := newScheduler("OneCycleLR", args{"optimizer": o, "max_lr": 0.1, "total_steps": int64(5)})
	if want := "optimizer must support momentum or beta1 with `cycle_momentum` option enabled"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

type withoutMomentum struct{ lighter.Optimizer }

func (o withoutMomentum) Groups() []*lighter.ParamGroup {
	var groups []*lighter.ParamGroup
	for _, g := range o.Optimizer.Groups() {
		groups = append(groups, &lighter.ParamGroup{Params: g.Params, Options: g.Options[:1]})
	}
	return groups
}

// The betas of a group are its own: cycling those of one must not reach another's, nor the optimizer's defaults.
func TestCyclingLeavesOtherBetas(t *testing.T) {
	tensortest.Scope(t)
	o := newOptimizer(t, "Adam", args{"lr": 0.1})
	betas := o.Groups()[0].Option("betas").([]float64)
	if _, err := newScheduler("OneCycleLR", args{"optimizer": o, "max_lr": 0.1, "total_steps": int64(5), "max_momentum": []any{0.95, 0.7}}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{0.95, 0.7} {
		if got := o.Groups()[i].Option("betas").([]float64); got[0] != want || got[1] != 0.999 {
			t.Errorf("betas of group %d are %v, want %v and 0.999", i, got, want)
		}
	}
	if betas[0] != 0.9 {
		t.Errorf("the betas before have become %v", betas)
	}
}

func TestLoadStateDictRefusesAnothers(t *testing.T) {
	tensortest.Scope(t)
	o := newOptimizer(t, "SGD", sgd)
	state := func(class string, a args) (lighter.Scheduler, lighter.Dict) {
		a["optimizer"] = o
		s, err := newScheduler(class, a)
		if err != nil {
			t.Fatal(err)
		}
		return s, s.StateDict()
	}
	step, good := state("StepLR", args{"step_size": int64(3)})
	_, exponential := state("ExponentialLR", args{"gamma": 0.9})
	cycle, _ := state("OneCycleLR", args{"max_lr": 0.1, "total_steps": int64(9)})
	chained, _ := state("ChainedScheduler", args{"schedulers": []any{step}})
	plateau, _ := state("ReduceLROnPlateau", args{})
	with := func(name string, v any) lighter.Dict {
		d := lighter.Dict{}
		for k := range good {
			d[k] = good[k]
		}
		d[name] = v
		return d
	}
	for _, c := range []struct {
		s     lighter.Scheduler
		state lighter.Dict
		want  string
	}{
		{step, exponential, `holds no "step_size": it is not that of a StepLR`},
		{step, with("base_lrs", []any{0.1}), "base_lrs of StepLR has 1 values, here are 2"},
		{step, with("last_epoch", "three"), "last_epoch of StepLR must be an int, got str"},
		{step, with("gamma", nil), "gamma of StepLR must be a float"},
		{cycle, lighter.Dict{"total_steps": int64(9), "_schedule_phases": []any{}}, "_schedule_phases of OneCycleLR must not be empty"},
		{cycle, lighter.Dict{"total_steps": int64(9), "_anneal_func_type": "sin"}, "_anneal_func_type sin is unknown!"},
		{chained, lighter.Dict{"_schedulers": []any{exponential}}, `at index 0: the scheduler's state in the checkpoint holds no "step_size"`},
		{chained, lighter.Dict{"_schedulers": []any{good, good}}, "_schedulers of ChainedScheduler has 2 values, here are 1"},
		{plateau, lighter.Dict{"patience": int64(1), "mode": "best"}, "mode best is unknown!"},
	} {
		if err := c.s.LoadStateDict(c.state); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}

// As in PyTorch, a checkpoint's arguments win over the configuration's, and what an older one lacks stays.
func TestLoadStateDictReplacesArguments(t *testing.T) {
	tensortest.Scope(t)
	o := newOptimizer(t, "SGD", sgd)
	s, err := newScheduler("StepLR", args{"optimizer": o, "step_size": int64(1), "gamma": 0.5})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.LoadStateDict(lighter.Dict{"step_size": int64(2), "verbose": false}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{0.1, 0.05} {
		if s.Step(0); o.Groups()[0].LR() != want {
			t.Errorf("the learning rate is %v after %d steps, want %v", o.Groups()[0].LR(), i+1, want)
		}
	}
}

// What users write in a configuration.
func TestSchedulersInAConfiguration(t *testing.T) {
	for name, c := range map[string]struct {
		scheduler string
		want      float64 // of the learning rate 0.1 after two steps
	}{
		"lambda":     {"_target_: torch.optim.lr_scheduler.LambdaLR\n  optimizer: '@optimizer'\n  lr_lambda: '$lambda epoch: 1 / (1 + epoch)'", 0.1 * (1.0 / 3)},
		"lambdas":    {"_target_: torch.optim.lr_scheduler.LambdaLR\n  optimizer: '@optimizer'\n  lr_lambda: ['$lambda epoch: 0.5']", 0.05},
		"vars":       {"_target_: torch.optim.lr_scheduler.LambdaLR\n  optimizer: '@optimizer'\n  lr_lambda: '$lambda epoch: @vars::factor'", 0.025},
		"positional": {"_target_: torch.optim.lr_scheduler.StepLR\n  _args_: ['@optimizer', 2, 0.5]", 0.05},
		"sequence": {`_target_: torch.optim.lr_scheduler.SequentialLR
  optimizer: '@optimizer'
  schedulers:
    - {_target_: torch.optim.lr_scheduler.ConstantLR, optimizer: '@optimizer', factor: 0.5, total_iters: 10}
    - {_target_: torch.optim.lr_scheduler.ExponentialLR, optimizer: '@optimizer', gamma: 0.5}
  milestones: [1]`, 0.05},
		"half an int": {"_target_: torch.optim.lr_scheduler.CosineAnnealingLR\n  optimizer: '@optimizer'\n  T_max: '$4 / 2'", 0},
	} {
		t.Run(name, func(t *testing.T) {
			tensortest.Scope(t)
			file := filepath.Join(t.TempDir(), "config.yaml")
			text := `
vars: {factor: 0.25}
network: {_target_: torch.nn.Linear, in_features: 2, out_features: 1}
optimizer: {_target_: torch.optim.SGD, params: $@network.parameters(), lr: 0.1}
scheduler:
  ` + c.scheduler + "\n"
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg, problems := config.Compose(file)
			if problems.HasErrors() {
				t.Fatal(problems)
			}
			if r := registry.Check(cfg, registry.Env{}); len(r.Problems) > 0 {
				t.Errorf("the check finds %v", r.Problems)
			}
			b := registry.NewBuild(cfg, registry.Env{})
			defer b.Close()
			s, err := registry.Get[lighter.Scheduler](b, "scheduler")
			if err != nil {
				t.Fatal(err)
			}
			o, err := registry.Get[lighter.Optimizer](b, "optimizer")
			if err != nil {
				t.Fatal(err)
			}
			s.Step(math.NaN())
			s.Step(math.NaN())
			if lr := o.Groups()[0].LR(); math.Abs(lr-c.want) > 1e-15 {
				t.Errorf("the learning rate is %v, want %v", lr, c.want)
			}
		})
	}
}
