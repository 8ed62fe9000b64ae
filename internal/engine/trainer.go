// Package engine runs a stage: it composes and checks the configuration, builds what the stage needs and drives the loop
// over its batches. It knows components only by the contracts of package lighter.
package engine

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// Trainer runs the stages. Its state is what a checkpoint holds of a run beside the model's.
type Trainer struct {
	args      arguments
	log       zerolog.Logger
	loggers   []lighter.Logger
	callbacks []lighter.Callback

	ctx         context.Context
	stage       string
	mode        lighter.Mode
	device      tensor.Device
	format      tensor.MemoryFormat
	model       lighter.Model
	stepper     lighter.StepModel // the model, when it is one
	data        lighter.DataModule
	loaderState lighter.Dict // of a checkpoint, kept until the loader is there
	section     string       // of the configuration that holds the model
	late        bool         // the loaders come from hooks
	hooks       hookTable
	combine     func(lighter.List) ([]lighter.Loader, error)
	optimizers  []*wrapped
	schedules   []*lighter.Schedule
	required    map[tensor.Tensor]bool // of the parameters of toggled optimizers, what they were
	scaler      *scaler                // of 16-mixed on a GPU, else nil
	config      configRecord
	profiling   *profiling         // nil when nothing is measured
	class       func(v any) string // the name of a component's class

	state     state
	loops     [4]loop
	results   results
	logged    *logged // nil until a hook logs
	warned    map[string]bool
	inBatch   bool
	ahead     lighter.Iterator // of the first epoch, made before its hooks
	sanity    bool
	validates bool      // the fit has a validation with batches
	validated time.Time // when the last validation ended
	asked     int64     // the batch for which waited says whether validated is long ago
	waited    bool
	at        position        // where the fit stands
	progress  progress        // what Lightning counts beyond that
	resume    *position       // where it goes on; nil once it does
	stopping  string          // why the fit ends after this epoch; "" when it goes on
	from      *candidate      // the checkpoint to start from, found before the run's folder is made, or nil
	learnt    registry.Learnt // what components learnt from data
	resumed   string          // the checkpoint the stage started from
	goesOn    bool            // a fit goes on with all that resumed holds, not with its weights alone
	run       runRecord       // which run it is
	saver     *saver
	guarded   bool       // a checkpoint may be saved when a batch fails
	saved     savedState // of the newest checkpoint

	host        lighter.Value // the batch under way, as its loader gave it
	forwardOnly bool          // training batches change nothing but what layers gather of them
	rehearsing  bool          // what is trained will be taken back
}

// state is every counter that a run needs to go on.
type state struct {
	Epoch      int   // completed epochs
	GlobalStep int64 // optimizer steps
	Stepped    int64 // batches after which the optimizer stepped: the `step` of a training row
}

const (
	checkpointTarget = "pytorch_lightning.callbacks.ModelCheckpoint"
	progressTarget   = "pytorch_lightning.callbacks.TQDMProgressBar"
	summaryTarget    = "pytorch_lightning.callbacks.ModelSummary"
	csvLoggerTarget  = "pytorch_lightning.loggers.CSVLogger"
	boardTarget      = "pytorch_lightning.loggers.TensorBoardLogger"
	reportTarget     = "lighter.callbacks.Report"
	timerTarget      = "pytorch_lightning.callbacks.Timer"
	csvWriterTarget  = "lighter.callbacks.CsvWriter"
)

// Build makes the Trainer with Lightning's default logger and callbacks.
func (a arguments) Build(env *lighter.Env) (*Trainer, error) {
	t := &Trainer{args: a, log: env.Log, saver: &saver{log: env.Log}, loggers: a.Logger.list, callbacks: a.Callbacks, stage: env.Stage, format: tensor.ContiguousFormat, class: env.Class, combine: combiner(env)}
	if a.Barebones {
		t.barebones()
	}
	if a.FastDevRun > 0 {
		t.fastDevRun(int(a.FastDevRun))
	}
	if t.loggers == nil && !t.args.Logger.off && a.FastDevRun == 0 {
		if err := t.defaultLoggers(env); err != nil {
			return nil, err
		}
	}
	if err := t.args.checkCallbacks(); err != nil {
		return nil, err
	}
	if err := t.defaultCallbacks(env); err != nil {
		return nil, err
	}
	t.checkpointsLast()
	var err error
	t.profiling, err = a.Profiler.build(env)
	return t, err
}

// defaultLoggers are a CSVLogger and a TensorBoardLogger that write to one folder.
func (t *Trainer) defaultLoggers(env *lighter.Env) error {
	for _, target := range []string{csvLoggerTarget, boardTarget} {
		l, err := registry.New[lighter.Logger](target, env, map[string]any{"save_dir": t.DefaultRootDir()})
		if err != nil {
			return fmt.Errorf("default logger %s: %w", target, err)
		}
		if s, ok := l.(interface{ ShareDir(of lighter.Logger) }); ok && len(t.loggers) > 0 {
			s.ShareDir(t.loggers[0])
		}
		t.loggers = append(t.loggers, l)
	}
	return nil
}

// fastDevRun is Lightning's: n batches of one epoch, and nothing written.
func (t *Trainer) fastDevRun(n int) {
	t.log.Info().Msgf("Running in `fast_dev_run` mode: will run the requested loop using %d batch(es). Logging and checkpointing is suppressed.", n)
	batches, one, zero := limit{set: true, count: n}, 1, 0
	a := &t.args
	a.LimitTrainBatches, a.LimitValBatches, a.LimitTestBatches, a.LimitPredictBatches = batches, batches, batches, batches
	a.MaxEpochs, a.MaxSteps, a.NumSanityValSteps, a.ValCheckInterval, a.CheckValEveryNEpoch = &one, n, &zero, interval{}, &one
	t.loggers = nil
	t.callbacks = without[lighter.Checkpointer](t.callbacks)
}

func (t *Trainer) defaultCallbacks(env *lighter.Env) error {
	fit := t.stage == "fit"
	var maxTime map[string]any
	if t.args.MaxTime != nil {
		maxTime = map[string]any{"duration": *t.args.MaxTime}
	}
	type component struct {
		target string
		wanted bool
		args   map[string]any
	}
	defaults := []component{
		{summaryTarget, fit && enabled(t.args.EnableModelSummary) && !has[lighter.Summarizer](t.callbacks), nil},
		{progressTarget, enabled(t.args.EnableProgressBar) && !has[lighter.Progress](t.callbacks), nil},
		{reportTarget, t.args.Report && len(t.loggers) > 0 && !has[lighter.Reporter](t.callbacks), nil},
		{timerTarget, fit && t.args.MaxTime != nil, maxTime},
		{checkpointTarget, enabled(t.args.EnableCheckpointing) && t.args.FastDevRun == 0 && !has[lighter.Checkpointer](t.callbacks), nil},
	}
	if t.stage == "predict" && len(t.loggers) > 0 && !has[lighter.PredictionWriter](t.callbacks) {
		defaults = append(defaults, component{csvWriterTarget, true, map[string]any{"path": filepath.Join(t.LogDir(), "predictions.csv")}})
	}
	for _, d := range defaults {
		if !d.wanted {
			continue
		}
		c, err := registry.New[lighter.Callback](d.target, env, d.args)
		if err != nil {
			return fmt.Errorf("default callback %s: %w", d.target, err)
		}
		t.callbacks = append(t.callbacks, c)
	}
	return nil
}

// checkpointsLast lets every other callback act before the state is saved.
func (t *Trainer) checkpointsLast() {
	var first, last []lighter.Callback
	for _, c := range t.callbacks {
		if _, ok := c.(lighter.Checkpointer); ok {
			last = append(last, c)
		} else {
			first = append(first, c)
		}
	}
	t.callbacks = append(first, last...)
}

func enabled(b *bool) bool { return b == nil || *b }

func has[K any](cs []lighter.Callback) bool {
	for _, c := range cs {
		if _, ok := c.(K); ok {
			return true
		}
	}
	return false
}

func without[K any](cs []lighter.Callback) []lighter.Callback {
	var out []lighter.Callback
	for _, c := range cs {
		if _, ok := c.(K); !ok {
			out = append(out, c)
		}
	}
	return out
}

func orElse(v *int, otherwise int) int {
	if v == nil {
		return otherwise
	}
	return *v
}

// MaxEpochs is the last epoch's number plus one; -1 for no limit.
func (t *Trainer) MaxEpochs() int {
	if t.args.MaxEpochs == nil && t.args.MaxSteps != -1 {
		return -1
	}
	return orElse(t.args.MaxEpochs, 1000)
}

// Mode is what is being done now.
func (t *Trainer) Mode() lighter.Mode { return t.mode }

// Stage is the command.
func (t *Trainer) Stage() string { return t.stage }

// SanityChecking is true in the validation before the first epoch.
func (t *Trainer) SanityChecking() bool { return t.sanity }

// Epoch counts from 0.
func (t *Trainer) Epoch() int { return t.state.Epoch }

// GlobalStep counts the optimizer's steps.
func (t *Trainer) GlobalStep() int64 { return t.state.GlobalStep }

// BatchIdx counts the batches of this epoch and loader of the current mode.
func (t *Trainer) BatchIdx() int { return t.loops[t.mode].batch }

// NumBatches is how many batches an epoch of the current mode has, of all its loaders.
func (t *Trainer) NumBatches() int { return t.loops[t.mode].all() }

// DataloaderIdx is the number of the loader whose batches are done now.
func (t *Trainer) DataloaderIdx() int { return t.loops[t.mode].loader }

// HostBatch is the batch under way, before it went to the device.
func (t *Trainer) HostBatch() lighter.Value { return t.host }

// Model is the model of the run.
func (t *Trainer) Model() lighter.Model { return t.model }

// Optimizer is the fit's first optimizer, nil where there is none.
func (t *Trainer) Optimizer() lighter.Optimizer {
	if len(t.optimizers) == 0 {
		return nil
	}
	return t.optimizers[0].o
}

// DefaultRootDir is the folder for what has no folder of its own.
func (t *Trainer) DefaultRootDir() string {
	if t.args.DefaultRootDir != nil {
		return *t.args.DefaultRootDir
	}
	return "."
}

// LogDir is the first logger's folder.
func (t *Trainer) LogDir() string {
	if len(t.loggers) == 0 {
		return ""
	}
	return t.loggers[0].Dir()
}

// free drops what the run kept beyond its scopes.
func (t *Trainer) free() {
	_ = t.saver.drain() // a run has waited before, and taken the error
	t.results.close()
	t.logged.close()
	for i := range t.loops {
		t.loops[i].close()
	}
	t.scaler.free()
	t.at.free()
	if t.resume != nil {
		t.resume.free()
	}
	t.run.unlock()
}

// CkptPath is the checkpoint the stage started from, "" for none.
func (t *Trainer) CkptPath() string { return t.resumed }

// Continues says that a fit goes on in the folder of the run that CkptPath is of.
func (t *Trainer) Continues() bool { return t.run.continues }

// ValidatesAtEpochEnd says that validation runs once, at the end of every training epoch, or not at all.
func (t *Trainer) ValidatesAtEpochEnd() bool {
	every, v := t.args.CheckValEveryNEpoch, t.args.ValCheckInterval
	return every != nil && *every == 1 && (!t.validates || !v.set || v.count < 0 && v.fraction == 1)
}

// WillValidate says that a validation follows the training batch just done.
func (t *Trainer) WillValidate() bool { return t.validationDue() }

// Stop ends the fit after this batch, once the minimum of epochs and steps is reached.
func (t *Trainer) Stop(reason string) { t.stopping = reason }

var (
	_ lighter.LightningTrainer = (*Trainer)(nil)
	_ lighter.HostBatcher      = (*Trainer)(nil)
)
