package engine

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/lightning"
	"github.com/lighter-go/lighter/tensor"
)

// point is one of Lightning's hooks: a place in a run where objects of the user's are called.
type point int

const (
	prepareData point = iota
	setup
	configureModel
	teardown
	onException
	onFitStart
	onFitEnd
	onSanityCheckStart
	onSanityCheckEnd
	onTrainStart
	onTrainEnd
	onTrainEpochStart
	onTrainEpochEnd
	onTrainBatchStart
	onTrainBatchEnd
	onValidationStart
	onValidationEnd
	onValidationEpochStart
	onValidationEpochEnd
	onValidationBatchStart
	onValidationBatchEnd
	onTestStart
	onTestEnd
	onTestEpochStart
	onTestEpochEnd
	onTestBatchStart
	onTestBatchEnd
	onPredictStart
	onPredictEnd
	onPredictEpochStart
	onPredictEpochEnd
	onPredictBatchStart
	onPredictBatchEnd
	onBeforeZeroGrad
	onBeforeBackward
	onAfterBackward
	onBeforeOptimizerStep
	onSaveCheckpoint
	onLoadCheckpoint
	// From here on the model's alone, or the data module's.
	configureOptimizers
	configureCallbacks
	trainingStep
	validationStep
	testStep
	predictStep
	backwardHook
	optimizerStepHook
	optimizerZeroGrad
	configureGradientClipping
	lrSchedulerStep
	onValidationModelZeroGrad
	onValidationModelEval
	onValidationModelTrain
	onTestModelEval
	onTestModelTrain
	onPredictModelEval
	onBeforeBatchTransfer
	transferBatchToDevice
	onAfterBatchTransfer
	trainDataloader
	valDataloader
	testDataloader
	predictDataloader
	stateDictHook
	loadStateDict
	points
)

var pointNames = [points]string{
	"prepare_data", "setup", "configure_model", "teardown", "on_exception", "on_fit_start", "on_fit_end", "on_sanity_check_start", "on_sanity_check_end",
	"on_train_start", "on_train_end", "on_train_epoch_start", "on_train_epoch_end", "on_train_batch_start", "on_train_batch_end",
	"on_validation_start", "on_validation_end", "on_validation_epoch_start", "on_validation_epoch_end", "on_validation_batch_start", "on_validation_batch_end",
	"on_test_start", "on_test_end", "on_test_epoch_start", "on_test_epoch_end", "on_test_batch_start", "on_test_batch_end",
	"on_predict_start", "on_predict_end", "on_predict_epoch_start", "on_predict_epoch_end", "on_predict_batch_start", "on_predict_batch_end",
	"on_before_zero_grad", "on_before_backward", "on_after_backward", "on_before_optimizer_step", "on_save_checkpoint", "on_load_checkpoint",
	"configure_optimizers", "configure_callbacks", "training_step", "validation_step", "test_step", "predict_step",
	"backward", "optimizer_step", "optimizer_zero_grad", "configure_gradient_clipping", "lr_scheduler_step",
	"on_validation_model_zero_grad", "on_validation_model_eval", "on_validation_model_train", "on_test_model_eval", "on_test_model_train", "on_predict_model_eval",
	"on_before_batch_transfer", "transfer_batch_to_device", "on_after_batch_transfer",
	"train_dataloader", "val_dataloader", "test_dataloader", "predict_dataloader", "state_dict", "load_state_dict",
}

// The hooks of a mode's loop, by mode.
var (
	startPoints      = [...]point{onTrainStart, onValidationStart, onTestStart, onPredictStart}
	endPoints        = [...]point{onTrainEnd, onValidationEnd, onTestEnd, onPredictEnd}
	epochStartPoints = [...]point{onTrainEpochStart, onValidationEpochStart, onTestEpochStart, onPredictEpochStart}
	epochEndPoints   = [...]point{onTrainEpochEnd, onValidationEpochEnd, onTestEpochEnd, onPredictEpochEnd}
	batchStartPoints = [...]point{onTrainBatchStart, onValidationBatchStart, onTestBatchStart, onPredictBatchStart}
	batchEndPoints   = [...]point{onTrainBatchEnd, onValidationBatchEnd, onTestBatchEnd, onPredictBatchEnd}
	stepPoints       = [...]point{trainingStep, validationStep, testStep, predictStep}
	evalPoints       = [...]point{lighter.Val: onValidationModelEval, lighter.Test: onTestModelEval, lighter.Predict: onPredictModelEval}
	backPoints       = [...]point{lighter.Val: onValidationModelTrain, lighter.Test: onTestModelTrain}
	loaderPoints     = [...]point{trainDataloader, valDataloader, testDataloader, predictDataloader}
)

// caller is an object that has a hook.
type caller struct {
	f        lighter.HookFunc
	callback int    // its number; -1 is the data module, the number of callbacks the model
	label    string // for the profiler
	own      bool   // the hook is Lightning's, not one for all modes
}

// hookTable is who has which hook, in the order of calls. A run without hooks of the user's finds an empty list at each point.
type hookTable struct {
	calls [points][]caller
	own   [points]bool // a hook of Lightning's is among them, not one for all modes
	fx    string       // the hook under way, which says how values are logged; "" between hooks
	out   lighter.Output
}

// bindHooks finds out who has which hook.
func (t *Trainer) bindHooks() {
	t.hooks.calls, t.hooks.own = [points][]caller{}, [points]bool{}
	for p := range points {
		ofData := false
		switch p {
		case prepareData, setup, teardown, onException, onBeforeBatchTransfer, transferBatchToDevice, onAfterBatchTransfer, stateDictHook, loadStateDict:
			ofData = t.data != nil
		case trainDataloader, valDataloader, testDataloader, predictDataloader:
			if t.data != nil { // it alone gives the loaders
				t.bind(p, -1, t.data)
				continue
			}
		}
		if ofData && p != onException {
			t.bind(p, -1, t.data)
		}
		if p < configureOptimizers && p != prepareData && p != configureModel {
			for i, c := range t.callbacks {
				t.bind(p, i, c)
			}
		}
		switch p {
		case onException:
			if ofData {
				t.bind(p, -1, t.data)
			}
		case onSanityCheckStart, onSanityCheckEnd, stateDictHook, loadStateDict:
		default:
			t.bind(p, len(t.callbacks), t.model)
		}
	}
}

// ownLoaders says whether the loaders come from hooks, and not from a configuration's data module.
func (t *Trainer) ownLoaders() bool {
	if t.data == nil {
		return true
	}
	for _, p := range loaderPoints {
		if t.hooks.has(p) {
			return true
		}
	}
	return false
}

// bind adds an object's hook to those of a point.
func (t *Trainer) bind(p point, callback int, object any) {
	f := lightning.Hook(object, pointNames[p])
	name, own := pointNames[p], f != nil
	if own {
		t.hooks.own[p] = true
	} else if callback >= 0 && callback < len(t.callbacks) {
		f, name = t.anyMode(p, object)
	}
	if f == nil {
		return
	}
	c := caller{f: f, callback: callback, own: own}
	if t.profiling != nil {
		switch {
		case callback < 0:
			c.label = "[LightningDataModule]" + t.class(object)
		case callback < len(t.callbacks):
			c.label = "[Callback]" + t.callbackName(object)
		default:
			c.label = "[LightningModule]" + t.model.Tree().Class()
		}
		c.label += "." + name
	}
	switch p {
	case onBeforeBatchTransfer, transferBatchToDevice, onAfterBatchTransfer: // one is called: the data module's, which comes first
		if calls := t.hooks.calls[p]; len(calls) > 0 {
			t.log.Warn().Msgf("You have overridden `%s` in both `LightningModule` and `LightningDataModule`. It will use the implementation from `LightningDataModule` instance.", pointNames[p])
			return
		}
	}
	t.hooks.calls[p] = append(t.hooks.calls[p], c)
}

// anyMode is a callback's hook that is one for all modes.
func (t *Trainer) anyMode(p point, object any) (_ lighter.HookFunc, name string) {
	for m := lighter.Train; m <= lighter.Predict; m++ {
		switch p {
		case epochStartPoints[m]:
			if h, ok := object.(lighter.EpochStarter); ok {
				return func(lighter.LightningTrainer, ...lighter.Value) (lighter.Value, error) { return nil, h.EpochStart(t) }, pointNames[p]
			}
		case batchStartPoints[m]:
			if h, ok := object.(lighter.BatchStarter); ok {
				return func(_ lighter.LightningTrainer, a ...lighter.Value) (lighter.Value, error) {
					return nil, h.BatchStart(t, a[0], t.loops[t.mode].batch)
				}, pointNames[p]
			}
		case batchEndPoints[m]:
			if h, ok := object.(lighter.BatchEnder); ok {
				return func(lighter.LightningTrainer, ...lighter.Value) (lighter.Value, error) {
					return nil, h.BatchEnd(t, t.hooks.out, t.loops[t.mode].batch)
				}, pointNames[p]
			}
		case endPoints[m]:
			if h, ok := object.(lighter.EpochEnder); ok && m != lighter.Train {
				return func(lighter.LightningTrainer, ...lighter.Value) (lighter.Value, error) { return nil, h.EpochEnd(t) }, pointNames[epochEndPoints[m]]
			}
		}
	}
	return nil, ""
}

// has says whether someone has the hook.
func (h *hookTable) has(p point) bool { return len(h.calls[p]) > 0 }

// call calls a point's hooks one after the other.
func (t *Trainer) call(p point, args ...lighter.Value) error {
	for _, c := range t.hooks.calls[p] {
		if _, err := t.callOne(p, c, args); err != nil {
			return err
		}
	}
	return nil
}

// callNoted is call; it notes how many callbacks have acted, for a checkpoint that one of them saves.
func (t *Trainer) callNoted(p point, args ...lighter.Value) error {
	for _, c := range t.hooks.calls[p] {
		t.at.called = max(c.callback, 0) + 1
		if _, err := t.callOne(p, c, args); err != nil {
			return err
		}
	}
	t.at.called = len(t.callbacks)
	return nil
}

// callLast calls the last of a point's hooks, a model's that takes the place of what the Trainer does; ok is false without one.
func (t *Trainer) callLast(p point, args ...lighter.Value) (v lighter.Value, ok bool, err error) {
	calls := t.hooks.calls[p]
	if len(calls) == 0 {
		return nil, false, nil
	}
	v, err = t.callOne(p, calls[len(calls)-1], args)
	return v, true, err
}

// callOne calls one hook, in whose name values are logged meanwhile.
func (t *Trainer) callOne(p point, c caller, args []lighter.Value) (v lighter.Value, err error) {
	before := t.hooks.fx
	t.hooks.fx = pointNames[p]
	if t.profiling != nil {
		defer t.profiling.measure(c.label)()
	}
	if c.own && alone[p] {
		v, err = callAlone(t, p, c, args)
	} else {
		v, err = c.f(t, args...)
	}
	t.hooks.fx = before
	return v, err
}

// alone are the hooks outside of batches: each has a scope of its own, which frees what it makes, and says where it failed.
var alone = [points]bool{
	onFitStart: true, onFitEnd: true, onSanityCheckStart: true, onSanityCheckEnd: true, teardown: true,
	onTrainStart: true, onTrainEnd: true, onTrainEpochStart: true, onTrainEpochEnd: true,
	onValidationStart: true, onValidationEnd: true, onValidationEpochStart: true, onValidationEpochEnd: true,
	onTestStart: true, onTestEnd: true, onTestEpochStart: true, onTestEpochEnd: true,
	onPredictStart: true, onPredictEnd: true, onPredictEpochStart: true, onPredictEpochEnd: true,
	onValidationModelZeroGrad: true, onValidationModelEval: true, onValidationModelTrain: true,
	onTestModelEval: true, onTestModelTrain: true, onPredictModelEval: true,
}

func callAlone(t *Trainer, p point, c caller, args []lighter.Value) (v lighter.Value, err error) {
	s := tensor.Open()
	defer s.Close()
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: %w", pointNames[p], err)
		}
	}()
	defer tensor.Recover(&err)
	return c.f(t, args...)
}

// batchArgs are what the hooks of a batch's start and step take.
func (t *Trainer) batchArgs(batch lighter.Value, idx int) []lighter.Value {
	args := []lighter.Value{batch, int64(idx)}
	if l := &t.loops[t.mode]; t.mode != lighter.Train && len(l.loaders) > 1 {
		args = append(args, int64(l.loader))
	}
	return args
}
