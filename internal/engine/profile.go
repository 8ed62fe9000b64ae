package engine

import (
	"errors"
	"fmt"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
)

// action is a part of a stage that a profiler measures.
type action int

const (
	runTrainingEpoch action = iota
	runTrainingBatch
	nextBatch
	batchToDevice
	modelStep
	backward
	zeroGrad
	clipGradients
	optimizerStep
	schedulerStep
	modelBatchEnd
	modelEpochEnd
	saveCheckpoint
	actions
)

// hook is a call of callbacks.
type hook int

const (
	hookStageStart hook = iota
	hookStageEnd
	hookEpochEnd
	hookBatchEnd
	hookRow
	hooks
)

// Lightning's names. {mode} is the loop's word for the mode, {step} that of a step and {stage} that of the command; {model} is the model's class.
var (
	actionNames = [actions]string{
		"run_training_epoch", "run_training_batch", "{next}", "[Strategy]SingleDeviceStrategy.batch_to_device",
		"[Strategy]SingleDeviceStrategy.{step}_step", "[Strategy]SingleDeviceStrategy.backward", "[LightningModule]{model}.optimizer_zero_grad",
		"[LightningModule]{model}.configure_gradient_clipping", "[LightningModule]{model}.optimizer_step", "[LightningModule]{model}.lr_scheduler_step",
		"[LightningModule]{model}.on_{mode}_batch_end", "[LightningModule]{model}.on_{mode}_epoch_end", "save_checkpoint",
	}
	hookNames = [hooks]string{
		"on_{stage}_start", "on_{stage}_end", "on_{mode}_epoch_end", "on_{mode}_batch_end", "log_metrics",
	}
	modeWords = [...]struct{ mode, step, next string }{
		lighter.Train:   {"train", "training", "[_TrainingEpochLoop].train_dataloader_next"},
		lighter.Val:     {"validation", "validation", "[_EvaluationLoop].val_next"},
		lighter.Test:    {"test", "test", "[_EvaluationLoop].test_next"},
		lighter.Predict: {"predict", "predict", "[_PredictionLoop].predict_next"},
	}
)

// profiling is a profiler with the names of all it measures, made once.
type profiling struct {
	lighter.Profiler
	batches   lighter.BatchProfiler // the same one, when it is one
	actions   [actions][len(modeWords)]string
	callbacks [][hooks][len(modeWords)]string
}

func nothing() {}

// profile measures an action until the function it returns is called. Without a profiler it does nothing.
func (t *Trainer) profile(a action) (done func()) {
	if t.profiling == nil {
		return nothing
	}
	return t.profiling.measure(t.profiling.actions[a][t.mode])
}

// measured does what an action is and measures it.
func (t *Trainer) measured(a action, do func()) {
	defer t.profile(a)()
	do()
}

// profileHook measures a hook of callback i.
func (t *Trainer) profileHook(i int, h hook) (done func()) {
	if t.profiling == nil {
		return nothing
	}
	return t.profiling.measure(t.profiling.callbacks[i][h][t.mode])
}

// profileBatch begins to follow a batch, before it is loaded.
func (t *Trainer) profileBatch() {
	if t.profiling != nil && t.profiling.batches != nil {
		t.profiling.batches.BatchStart()
	}
}

// profiledBatch is the end of what profileBatch began; err is how the batch went.
func (t *Trainer) profiledBatch(err error) error {
	if t.profiling == nil || t.profiling.batches == nil {
		return err
	}
	if failed := t.profiling.batches.BatchEnd(); failed != nil {
		return errors.Join(err, failed)
	}
	return err
}

func (p *profiling) measure(name string) (done func()) {
	p.Start(name)
	return func() { p.Stop(name) }
}

// setupProfile names what will be measured and begins.
func (t *Trainer) setupProfile() error {
	if t.profiling == nil {
		return nil
	}
	p := t.profiling
	p.callbacks = make([][hooks][len(modeWords)]string, len(t.callbacks))
	for m, word := range modeWords {
		stage := t.stage
		if mode := lighter.Mode(m); t.stage != "fit" && mode != lighter.Train {
			stage = word.mode
		}
		names := strings.NewReplacer("{mode}", word.mode, "{step}", word.step, "{next}", word.next, "{stage}", stage, "{model}", t.model.Tree().Class())
		for a := range actions {
			p.actions[a][m] = names.Replace(actionNames[a])
		}
		for i, c := range t.callbacks {
			for h := range hooks {
				p.callbacks[i][h][m] = "[Callback]" + t.callbackName(c) + "." + names.Replace(hookNames[h])
			}
		}
	}
	return p.Setup(t)
}

// callbackName is the key that a callback's state has in checkpoints, its class when it has none.
func (t *Trainer) callbackName(c lighter.Callback) string {
	if s, ok := c.(lighter.Stateful); ok {
		return s.StateKey()
	}
	return t.class(c)
}

// describeProfile ends the profile and reports.
func (t *Trainer) describeProfile() error {
	if t.profiling == nil {
		return nil
	}
	return t.profiling.Describe()
}

// profilerArg is the profiler argument: a name, a profiler, or null.
type profilerArg struct {
	name  string
	given lighter.Profiler
}

var profilerTargets = map[string]string{
	"simple":  "pytorch_lightning.profilers.SimpleProfiler",
	"pytorch": "pytorch_lightning.profilers.PyTorchProfiler",
}

// DecodeConfig takes null, a name or a profiler.
func (p *profilerArg) DecodeConfig(v any) error {
	*p = profilerArg{}
	switch x := v.(type) {
	case nil:
	case string:
		switch {
		case x == "advanced":
			return errors.New(`the advanced profiler is cProfile, which measures Python's functions, and there are none here: use "simple" for the parts of the loop or "pytorch" for operators and layers`)
		case x == "xla":
			return errors.New(`the xla profiler is of TPUs, which are not supported: use "simple" or "pytorch"`)
		case profilerTargets[x] == "":
			return fmt.Errorf("when passing string value for the `profiler` parameter of `Trainer`, it can only be one of simple, pytorch; got %q", x)
		}
		p.name = x
	case lighter.Profiler:
		p.given = x
	default:
		return fmt.Errorf("must be %s, got %s", p.ConfigType(), lighter.TypeName(v))
	}
	return nil
}

// CheckConfig takes what will be a profiler.
func (p *profilerArg) CheckConfig(v any) error {
	if promise, ok := v.(registry.Promise); ok {
		if !registry.Fits[lighter.Profiler](promise) {
			return fmt.Errorf("must be %s, got %s", p.ConfigType(), registry.Describe(v))
		}
		p.name = promise.Entry.Class()
		return nil
	}
	if registry.Fits[lighter.Profiler](v) {
		return nil
	}
	return p.DecodeConfig(v)
}

// ConfigType names the form.
func (*profilerArg) ConfigType() string { return `"simple", "pytorch", a profiler or null` }

// build makes the profiler; nil when there is none.
func (p profilerArg) build(env *lighter.Env) (*profiling, error) {
	given := p.given
	if p.name != "" {
		var err error
		if given, err = registry.New[lighter.Profiler](profilerTargets[p.name], env, nil); err != nil {
			return nil, fmt.Errorf("profiler %s: %w", p.name, err)
		}
	}
	if given == nil {
		return nil, nil
	}
	batches, _ := given.(lighter.BatchProfiler)
	return &profiling{Profiler: given, batches: batches}, nil
}
