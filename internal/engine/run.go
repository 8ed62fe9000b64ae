package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/atomicfile"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/console"
	"github.com/lighter-go/lighter/internal/diag"
	"github.com/lighter-go/lighter/internal/pyrandom"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// Options are those of a stage's command.
type Options struct {
	CkptPath    string
	WeightsOnly bool
	Resume      string
	Log         zerolog.Logger
	Console     *console.Console
	Debug       bool
	Project     registry.Project // the user's own code; nil when there is none
}

// Result is what a stage gave.
type Result struct {
	Metrics  []map[string]float64 // one map a loader of validate and test, one for a fit
	LogDir   string
	CkptPath string // what the stage started from
	BestPath string // the fit's best checkpoint, and its newest
	LastPath string
}

// ConfigError is every problem of a configuration, with the sources to show them in.
type ConfigError struct {
	Problems diag.List
	Sources  diag.Sources
}

func (e *ConfigError) Error() string { return e.Problems.Error() }

// Unwrap returns the problems.
func (e *ConfigError) Unwrap() error { return e.Problems }

// configError is what is wrong with a configuration and the code it names.
func configError(problems diag.List, c *config.Config, code registry.Project) *ConfigError {
	sources := maps.Clone(c.Sources)
	if code != nil {
		maps.Copy(sources, code.Sources())
	}
	return &ConfigError{problems, sources}
}

// Run runs a stage: fit, validate, test or predict. The inputs are files, overrides and maps; a .ckpt file stands for the
// configuration it holds and for --ckpt_path.
func Run(ctx context.Context, stage string, inputs []any, o Options) (*Result, error) {
	c, found, err := compose(inputs, &o)
	if err != nil {
		return nil, err
	}
	env := registry.Env{Stage: stage, Log: o.Log, Console: o.Console, Project: o.Project}
	problems := problemsOf(c, found, func() diag.List { return registry.Check(mapped(c), env, rootsOf(c)...).Problems })
	if problems.HasErrors() {
		return nil, configError(problems, c, o.Project)
	}
	for _, d := range problems {
		o.Log.Warn().Msg(d.Line())
	}
	seed, err := seed(c)
	if err != nil {
		return nil, err
	}
	_ = stageArgs(c, stage, &o) // checked above
	if o.Resume != "" && (o.Resume != resumeAuto || stage != "fit") {
		return nil, &Error{Code: ExitUsage, Err: fmt.Errorf("--resume must be %q, of the stage fit; got %q in the stage %s", resumeAuto, o.Resume, stage)}
	}
	o.Log.Info().Msgf("Seed set to %d", seed)
	return run(ctx, c, env, seed, o)
}

// roots are the sections a stage needs, in the order PyTorch's draws of random numbers ask for, with Lighter's wording for a
// component of the wrong kind.
var roots = []registry.Root{
	{Path: "model", Kind: reflect.TypeFor[lighter.Model](), Wrong: func(got string) string {
		return "model must be LightningModule or LighterModule, got " + got
	}},
	{Path: "trainer", Kind: reflect.TypeFor[*Trainer](), Wrong: func(got string) string { return "trainer must be Trainer, got " + got }},
	{Path: "data", By: "model", Kind: reflect.TypeFor[lighter.DataModule](), Wrong: func(got string) string {
		return "data must be LightningDataModule (or lighter.LighterDataModule), got " + got
	}},
}

// Check composes and checks a configuration for every stage, without building anything. The Config is nil when an input could
// not be read.
func Check(inputs []any, o Options) (*config.Config, registry.Report, error) {
	var r registry.Report
	c, found, err := compose(inputs, &o)
	if err != nil {
		return nil, r, err
	}
	r.Problems = problemsOf(c, found, func() diag.List {
		r = registry.CheckStages(mapped(c), registry.Env{Log: o.Log, Console: o.Console, Project: o.Project}, stages, rootsOf(c)...)
		return r.Problems
	})
	if r.Problems.HasErrors() {
		err = configError(r.Problems, c, o.Project)
	}
	if c.Partial {
		c = nil
	}
	return c, r, err
}

// problemsOf adds to what composing a configuration found what a check finds, unless parts of it are missing.
func problemsOf(c *config.Config, found diag.List, check func() diag.List) diag.List {
	found = slices.Concat(c.Warnings, found)
	if c.Partial {
		return found.Sort(c.Order...)
	}
	checked := check()
	checked.Add(checkGeneration(c)...)
	if _, err := seed(c); err != nil {
		checked.Add(diag.AsList(err)...)
	}
	for _, stage := range stages {
		checked.Add(stageArgs(c, stage, &Options{})...)
	}
	return registry.Merge(found, checked, c.Order...)
}

// run builds the stage's parts in a scope that owns them for the whole run, and runs it.
func run(ctx context.Context, c *config.Config, env registry.Env, seed uint64, o Options) (result *Result, err error) {
	tensor.Debug(o.Debug)
	tensor.KeepMemory()
	s := tensor.Open()
	defer s.Close()
	defer tensor.Recover(&err)
	tensor.ManualSeed(seed)
	pyrandom.Default.Seed(seed)
	env.Seed = seed
	b := registry.NewBuild(mapped(c), env)
	defer func() { err = errors.Join(err, b.Close()) }()
	t, err := build(b, c, func(t *Trainer) (registry.Learnt, error) {
		t.ctx, t.stage, t.config = ctx, env.Stage, recordOf(c)
		return t.findLearnt(o)
	})
	if err != nil {
		var problems diag.List
		if errors.As(err, &problems) {
			err = configError(problems, c, o.Project)
		}
		return nil, err
	}
	t.learnt = b.Learnt()
	defer t.free()
	if err := t.prepare(o); err != nil {
		return nil, err
	}
	status := "failed"
	defer func() {
		err = errors.Join(err, t.describeProfile())
		for _, l := range t.loggers {
			err = errors.Join(err, l.Finalize(status))
		}
	}()
	defer func() { err = errors.Join(err, t.saver.drain()) }()
	if err := t.runStage(); err != nil {
		return nil, err
	}
	status = "success"
	result = &Result{Metrics: t.perLoader(), LogDir: t.LogDir(), CkptPath: t.resumed}
	for _, c := range t.callbacks {
		if k, ok := c.(lighter.Checkpointer); ok && t.stage == "fit" && result.LastPath == "" {
			result.BestPath, result.LastPath = k.BestPath(), k.LastPath()
		}
	}
	return result, nil
}

// prepare readies a stage: what it needs is there, the device, the checkpoint, the run's folder.
func (t *Trainer) prepare(o Options) error {
	mode := map[string]lighter.Mode{"fit": lighter.Train, "validate": lighter.Val, "test": lighter.Test, "predict": lighter.Predict}[t.stage]
	t.bindHooks()
	t.late = t.ownLoaders()
	if err := t.modelCallbacks(); err != nil {
		return err
	}
	if err := t.verify(mode); err != nil {
		return &Error{Code: ExitUsage, Err: err}
	}
	if !t.late {
		if err := t.openLoaders(mode); err != nil {
			return &Error{Code: ExitUsage, Err: err}
		}
	}
	if err := t.chooseDevice(); err != nil {
		return &Error{Code: ExitUsage, Err: err}
	}
	t.choosePrecision()
	if t.stepper != nil && t.stage == "fit" {
		if err := t.configureOptimizers(); err != nil {
			return &Error{Code: ExitUsage, Err: err}
		}
	}
	t.moveModel()
	t.moveOptimizers()
	tensor.Deterministic(t.args.Deterministic.on, t.args.Deterministic.warn)
	tensor.DetectAnomaly(t.args.DetectAnomaly)
	if b := t.args.Benchmark; b != nil {
		tensor.Benchmark(*b && !t.args.Deterministic.on)
	}
	ckpt := t.from
	if ckpt != nil {
		t.continueFolders(ckpt)
	}
	if err := t.beginRun(); err != nil {
		return err
	}
	if err := t.openRun(); err != nil {
		return err
	}
	if err := t.setupProfile(); err != nil {
		return err
	}
	if err := t.setUp(); err != nil {
		return err
	}
	if ckpt == nil {
		return t.begin(false)
	}
	return t.start(ckpt.path, o)
}

// start loads the checkpoint a stage starts from.
func (t *Trainer) start(path string, o Options) error {
	if err := t.load(path, o.WeightsOnly); err != nil {
		return err
	}
	t.log.Info().Msgf("Restored the state from the checkpoint at %s", path)
	if !t.goesOn {
		return nil
	}
	if t.run.continues {
		if err := t.continueLogs(); err != nil {
			return err
		}
	}
	return t.dispatchResumed()
}

// openRun makes the run's folder and saves the configuration in it, as Lighter does.
func (t *Trainer) openRun() error {
	for _, l := range t.loggers {
		if err := l.Open(); err != nil {
			return err
		}
		if err := l.LogHyperparams(t.config.yaml); err != nil {
			return err
		}
	}
	dir := t.LogDir()
	if dir == "" {
		return nil
	}
	path := filepath.Join(dir, "config.yaml")
	if err := atomicfile.Write(path, t.config.write); err != nil {
		return fmt.Errorf("save configuration: %w", err)
	}
	t.log.Info().Msgf("Saved config to: %s", path)
	return nil
}

func (t *Trainer) runStage() error {
	if done, err := t.alreadyDone(); done || err != nil {
		return err
	}
	if err := t.dispatchStageStart(); err != nil {
		return err
	}
	var err error
	switch t.stage {
	case "fit":
		err = t.fit()
	case "validate":
		err = t.evaluateStage(lighter.Val)
	case "test":
		err = t.evaluateStage(lighter.Test)
	default:
		err = t.evaluateStage(lighter.Predict)
	}
	if err == nil {
		err = t.endStage()
	}
	if err == nil {
		return nil
	}
	t.saver.wait = true // there is nothing left to overlap with
	err = errors.Join(err, t.saver.drain())
	if t.interrupted(err) {
		err = errors.Join(err, t.saveInterrupt())
	}
	return errors.Join(err, t.call(onException, err))
}

// endStage lets the callbacks act at a stage's end, and waits for the checkpoints.
func (t *Trainer) endStage() error {
	if err := t.dispatchStageEnd(); err != nil {
		return err
	}
	if err := t.saveEnd(); err != nil {
		return err
	}
	if t.stage == "fit" {
		if err := t.call(onFitEnd); err != nil {
			return err
		}
	}
	if err := t.call(teardown); err != nil {
		return err
	}
	return t.saver.drain()
}

// compose merges the inputs. The last checkpoint among them also is the one to load, unless the options name another.
func compose(inputs []any, o *Options) (*config.Config, diag.List, error) {
	if err := registry.Faults(); err != nil {
		return nil, nil, err
	}
	inputs = split(inputs)
	merged := make([]any, len(inputs))
	for i, in := range inputs {
		merged[i] = in
		path, ok := in.(string)
		if !ok || filepath.Ext(path) != ".ckpt" {
			continue
		}
		if _, err := os.Stat(path); err != nil && strings.Contains(path, "=") {
			continue // an override; but Lightning's names of checkpoints have a "=" too
		}
		n, err := configOf(path)
		if err != nil {
			return nil, nil, err
		}
		merged[i] = n
		if o.CkptPath == "" {
			o.CkptPath = path
		}
	}
	c, problems := config.Compose(merged...)
	if given := fromEnvironment(c); given != nil {
		c, problems = config.Compose(append(merged, given...)...)
	}
	return c, problems, nil
}
