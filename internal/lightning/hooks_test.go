package lightning

import (
	"errors"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// all has every hook, and notes which was called.
type all struct{ called string }

var errCalled = errors.New("called")

func (a *all) note(name string) error {
	a.called = name
	return errCalled
}

func (a *all) Setup(lighter.Trainer) error            { return a.note("Setup") }
func (a *all) Exception(lighter.Trainer, error) error { return a.note("Exception") }
func (a *all) TrainingStep(_ lighter.LightningTrainer, _ lighter.Value, _ int) (lighter.Value, error) {
	return nil, a.note("TrainingStep")
}
func (a *all) ValidationStep(_ lighter.LightningTrainer, _ lighter.Value, _ int) (lighter.Value, error) {
	return nil, a.note("ValidationStep")
}
func (a *all) TestStep(_ lighter.LightningTrainer, _ lighter.Value, _ int) (lighter.Value, error) {
	return nil, a.note("TestStep")
}
func (a *all) PredictStep(_ lighter.LightningTrainer, _ lighter.Value, _ int) (lighter.Value, error) {
	return nil, a.note("PredictStep")
}
func (a *all) ConfigureOptimizers(_ lighter.LightningTrainer) (lighter.Value, error) {
	return nil, a.note("ConfigureOptimizers")
}
func (a *all) ConfigureCallbacks(_ lighter.LightningTrainer) (lighter.Value, error) {
	return nil, a.note("ConfigureCallbacks")
}
func (a *all) PrepareData(_ lighter.LightningTrainer) error    { return a.note("PrepareData") }
func (a *all) ConfigureModel(_ lighter.LightningTrainer) error { return a.note("ConfigureModel") }
func (a *all) Teardown(_ lighter.LightningTrainer) error       { return a.note("Teardown") }
func (a *all) OnFitStart(_ lighter.LightningTrainer) error     { return a.note("OnFitStart") }
func (a *all) OnFitEnd(_ lighter.LightningTrainer) error       { return a.note("OnFitEnd") }
func (a *all) OnSanityCheckStart(_ lighter.LightningTrainer) error {
	return a.note("OnSanityCheckStart")
}
func (a *all) OnSanityCheckEnd(_ lighter.LightningTrainer) error { return a.note("OnSanityCheckEnd") }
func (a *all) TrainDataloader(_ lighter.LightningTrainer) (lighter.Value, error) {
	return nil, a.note("TrainDataloader")
}
func (a *all) ValDataloader(_ lighter.LightningTrainer) (lighter.Value, error) {
	return nil, a.note("ValDataloader")
}
func (a *all) TestDataloader(_ lighter.LightningTrainer) (lighter.Value, error) {
	return nil, a.note("TestDataloader")
}
func (a *all) PredictDataloader(_ lighter.LightningTrainer) (lighter.Value, error) {
	return nil, a.note("PredictDataloader")
}
func (a *all) OnTrainStart(_ lighter.LightningTrainer) error      { return a.note("OnTrainStart") }
func (a *all) OnTrainEnd(_ lighter.LightningTrainer) error        { return a.note("OnTrainEnd") }
func (a *all) OnTrainEpochStart(_ lighter.LightningTrainer) error { return a.note("OnTrainEpochStart") }
func (a *all) OnTrainEpochEnd(_ lighter.LightningTrainer) error   { return a.note("OnTrainEpochEnd") }
func (a *all) OnValidationStart(_ lighter.LightningTrainer) error { return a.note("OnValidationStart") }
func (a *all) OnValidationEnd(_ lighter.LightningTrainer) error   { return a.note("OnValidationEnd") }
func (a *all) OnValidationEpochStart(_ lighter.LightningTrainer) error {
	return a.note("OnValidationEpochStart")
}
func (a *all) OnValidationEpochEnd(_ lighter.LightningTrainer) error {
	return a.note("OnValidationEpochEnd")
}
func (a *all) OnTestStart(_ lighter.LightningTrainer) error      { return a.note("OnTestStart") }
func (a *all) OnTestEnd(_ lighter.LightningTrainer) error        { return a.note("OnTestEnd") }
func (a *all) OnTestEpochStart(_ lighter.LightningTrainer) error { return a.note("OnTestEpochStart") }
func (a *all) OnTestEpochEnd(_ lighter.LightningTrainer) error   { return a.note("OnTestEpochEnd") }
func (a *all) OnPredictStart(_ lighter.LightningTrainer) error   { return a.note("OnPredictStart") }
func (a *all) OnPredictEnd(_ lighter.LightningTrainer) error     { return a.note("OnPredictEnd") }
func (a *all) OnPredictEpochStart(_ lighter.LightningTrainer) error {
	return a.note("OnPredictEpochStart")
}
func (a *all) OnPredictEpochEnd(_ lighter.LightningTrainer) error { return a.note("OnPredictEpochEnd") }
func (a *all) OnTrainBatchStart(_ lighter.LightningTrainer, _ lighter.Value, _ int) (lighter.Value, error) {
	return nil, a.note("OnTrainBatchStart")
}
func (a *all) OnTrainBatchEnd(_ lighter.LightningTrainer, _ lighter.Value, _ lighter.Value, _ int) error {
	return a.note("OnTrainBatchEnd")
}
func (a *all) OnValidationBatchStart(_ lighter.LightningTrainer, _ lighter.Value, _ int) error {
	return a.note("OnValidationBatchStart")
}
func (a *all) OnValidationBatchEnd(_ lighter.LightningTrainer, _ lighter.Value, _ lighter.Value, _ int) error {
	return a.note("OnValidationBatchEnd")
}
func (a *all) OnTestBatchStart(_ lighter.LightningTrainer, _ lighter.Value, _ int) error {
	return a.note("OnTestBatchStart")
}
func (a *all) OnTestBatchEnd(_ lighter.LightningTrainer, _ lighter.Value, _ lighter.Value, _ int) error {
	return a.note("OnTestBatchEnd")
}
func (a *all) OnPredictBatchStart(_ lighter.LightningTrainer, _ lighter.Value, _ int) error {
	return a.note("OnPredictBatchStart")
}
func (a *all) OnPredictBatchEnd(_ lighter.LightningTrainer, _ lighter.Value, _ lighter.Value, _ int) error {
	return a.note("OnPredictBatchEnd")
}
func (a *all) OnBeforeBatchTransfer(_ lighter.LightningTrainer, _ lighter.Value, _ int) (lighter.Value, error) {
	return nil, a.note("OnBeforeBatchTransfer")
}
func (a *all) TransferBatchToDevice(_ lighter.LightningTrainer, _ lighter.Value, _ tensor.Device, _ int) (lighter.Value, error) {
	return nil, a.note("TransferBatchToDevice")
}
func (a *all) OnAfterBatchTransfer(_ lighter.LightningTrainer, _ lighter.Value, _ int) (lighter.Value, error) {
	return nil, a.note("OnAfterBatchTransfer")
}
func (a *all) OnBeforeZeroGrad(_ lighter.LightningTrainer, _ lighter.LightningOptimizer) error {
	return a.note("OnBeforeZeroGrad")
}
func (a *all) OnBeforeBackward(_ lighter.LightningTrainer, _ tensor.Tensor) error {
	return a.note("OnBeforeBackward")
}
func (a *all) OnAfterBackward(_ lighter.LightningTrainer) error { return a.note("OnAfterBackward") }
func (a *all) OnBeforeOptimizerStep(_ lighter.LightningTrainer, _ lighter.LightningOptimizer) error {
	return a.note("OnBeforeOptimizerStep")
}
func (a *all) Backward(_ lighter.LightningTrainer, _ tensor.Tensor) error { return a.note("Backward") }
func (a *all) OptimizerStep(_ lighter.LightningTrainer, _, _ int, _ lighter.LightningOptimizer, _ func() (lighter.Value, error)) error {
	return a.note("OptimizerStep")
}
func (a *all) OptimizerZeroGrad(_ lighter.LightningTrainer, _ int, _ int, _ lighter.LightningOptimizer) error {
	return a.note("OptimizerZeroGrad")
}
func (a *all) ConfigureGradientClipping(_ lighter.LightningTrainer, _ lighter.LightningOptimizer, _ *float64, _ *string) error {
	return a.note("ConfigureGradientClipping")
}
func (a *all) LRSchedulerStep(_ lighter.LightningTrainer, _ lighter.Scheduler, _ lighter.Value) error {
	return a.note("LRSchedulerStep")
}
func (a *all) OnValidationModelZeroGrad(_ lighter.LightningTrainer) error {
	return a.note("OnValidationModelZeroGrad")
}
func (a *all) OnValidationModelEval(_ lighter.LightningTrainer) error {
	return a.note("OnValidationModelEval")
}
func (a *all) OnValidationModelTrain(_ lighter.LightningTrainer) error {
	return a.note("OnValidationModelTrain")
}
func (a *all) OnTestModelEval(_ lighter.LightningTrainer) error  { return a.note("OnTestModelEval") }
func (a *all) OnTestModelTrain(_ lighter.LightningTrainer) error { return a.note("OnTestModelTrain") }
func (a *all) OnPredictModelEval(_ lighter.LightningTrainer) error {
	return a.note("OnPredictModelEval")
}
func (a *all) OnSaveCheckpoint(_ lighter.LightningTrainer, _ lighter.Checkpoint) error {
	return a.note("OnSaveCheckpoint")
}
func (a *all) OnLoadCheckpoint(_ lighter.LightningTrainer, _ lighter.Checkpoint) error {
	return a.note("OnLoadCheckpoint")
}
func (a *all) StateDict() lighter.Dict            { a.note("StateDict"); return nil }
func (a *all) LoadStateDict(_ lighter.Dict) error { return a.note("LoadStateDict") }

// hookArgs are those of hooks that take more than the trainer.
func hookArgs(name string) []lighter.Value {
	var o lighter.LightningOptimizer = optimizerStub{}
	idx, x := int64(3), tensor.Tensor{}
	switch name {
	case "on_exception":
		return []lighter.Value{errCalled}
	case "on_save_checkpoint", "on_load_checkpoint", "load_state_dict":
		return []lighter.Value{lighter.Dict{}}
	case "on_before_backward", "backward":
		return []lighter.Value{x}
	case "on_before_zero_grad", "on_before_optimizer_step":
		return []lighter.Value{o}
	case "configure_gradient_clipping":
		return []lighter.Value{o, 0.5, nil}
	case "optimizer_step":
		return []lighter.Value{idx, idx, o, func() (lighter.Value, error) { return nil, nil }}
	case "optimizer_zero_grad":
		return []lighter.Value{idx, idx, o}
	case "lr_scheduler_step":
		return []lighter.Value{lighter.Scheduler(nil), 0.5}
	case "transfer_batch_to_device":
		return []lighter.Value{x, tensor.Device{}, idx}
	}
	if strings.HasSuffix(name, "_batch_end") {
		return []lighter.Value{x, x, idx}
	}
	return []lighter.Value{x, idx}
}

type optimizerStub struct{ lighter.LightningOptimizer }

type schedulerStub struct {
	lighter.Scheduler
	of lighter.Optimizer
	on bool
}

func (s schedulerStub) NeedsMetric() bool            { return s.on }
func (s schedulerStub) Optimizer() lighter.Optimizer { return s.of }

// TestHookNames: a hook of a name is the method of that name, and an object without it has none.
func TestHookNames(t *testing.T) {
	a := &all{}
	for name := range adapters {
		f := Hook(a, name)
		if f == nil {
			t.Errorf("%s: no interface has it", name)
			continue
		}
		args := hookArgs(name)
		if name == "lr_scheduler_step" {
			args[0] = schedulerStub{}
		}
		a.called = ""
		if _, err := f(nil, args...); err != nil && !errors.Is(err, errCalled) {
			t.Errorf("%s: %v", name, err)
		}
		want := strings.ReplaceAll(strings.ReplaceAll(name, "on_exception", "exception"), "_", "")
		if strings.ToLower(a.called) != want {
			t.Errorf("%s calls %q", name, a.called)
		}
		if Hook(struct{}{}, name) != nil {
			t.Errorf("%s: an object without methods has it", name)
		}
	}
}
