package lighter

import "github.com/lighter-go/lighter/tensor"

// The hooks of PyTorch Lightning, each an optional interface with the method of that name. A Model, a DataModule or a Callback
// has those it needs; a hook of several of them is called on the data module first for setup and teardown, else on the callbacks
// in the configuration's order and then on the model. An error ends the run. Lightning's name of OnFitStart is on_fit_start, and
// so on; [HookCaller] goes by these names, with the same arguments after t.

// The steps of a model. What they return is Lightning's: a tensor, the loss; a Dict with "loss"; nil to skip the batch. In
// validation and test any Value will do, and predict's goes to the writers. Where a mode has several loaders, t.DataloaderIdx
// says whose batch it is.
type (
	TrainingStepHook interface {
		TrainingStep(t LightningTrainer, batch Value, idx int) (Value, error)
	}
	ValidationStepHook interface {
		ValidationStep(t LightningTrainer, batch Value, idx int) (Value, error)
	}
	TestStepHook interface {
		TestStep(t LightningTrainer, batch Value, idx int) (Value, error)
	}
	PredictStepHook interface {
		PredictStep(t LightningTrainer, batch Value, idx int) (Value, error)
	}
)

// ConfigureOptimizersHook gives a fit's optimizers in one of Lightning's forms: nil for none, an Optimizer, a List of them, a
// List of a List of Optimizers and a List of schedulers, a Dict of "optimizer", "lr_scheduler" and "monitor", or a List of such
// Dicts. A scheduler is a Scheduler, a *Schedule, or a Dict of "scheduler", "interval", "frequency", "monitor", "strict", "name"
// and "reduce_on_plateau".
type ConfigureOptimizersHook interface {
	ConfigureOptimizers(t LightningTrainer) (Value, error)
}

// ConfigureCallbacksHook gives callbacks of a model's, a Callback or a List of them; they replace those of the same type.
type ConfigureCallbacksHook interface {
	ConfigureCallbacks(t LightningTrainer) (Value, error)
}

// What a run begins and ends with. Setup and on_exception are [Setupper] and [Failer]: t.Stage() is Lightning's stage.
type (
	PrepareDataHook interface {
		PrepareData(t LightningTrainer) error
	}
	ConfigureModelHook interface {
		ConfigureModel(t LightningTrainer) error
	}
	TeardownHook interface {
		Teardown(t LightningTrainer) error
	}
	OnFitStartHook interface {
		OnFitStart(t LightningTrainer) error
	}
	OnFitEndHook interface {
		OnFitEnd(t LightningTrainer) error
	}
	OnSanityCheckStartHook interface {
		OnSanityCheckStart(t LightningTrainer) error
	}
	OnSanityCheckEndHook interface {
		OnSanityCheckEnd(t LightningTrainer) error
	}
)

// The loaders of a model or a data module: a Loader or a List of them; nil is none.
type (
	TrainDataloaderHook interface {
		TrainDataloader(t LightningTrainer) (Value, error)
	}
	ValDataloaderHook interface {
		ValDataloader(t LightningTrainer) (Value, error)
	}
	TestDataloaderHook interface {
		TestDataloader(t LightningTrainer) (Value, error)
	}
	PredictDataloaderHook interface {
		PredictDataloader(t LightningTrainer) (Value, error)
	}
)

// The start and end of each mode's loop and epochs.
type (
	OnTrainStartHook interface {
		OnTrainStart(t LightningTrainer) error
	}
	OnTrainEndHook interface {
		OnTrainEnd(t LightningTrainer) error
	}
	OnTrainEpochStartHook interface {
		OnTrainEpochStart(t LightningTrainer) error
	}
	OnTrainEpochEndHook interface {
		OnTrainEpochEnd(t LightningTrainer) error
	}
	OnValidationStartHook interface {
		OnValidationStart(t LightningTrainer) error
	}
	OnValidationEndHook interface {
		OnValidationEnd(t LightningTrainer) error
	}
	OnValidationEpochStartHook interface {
		OnValidationEpochStart(t LightningTrainer) error
	}
	OnValidationEpochEndHook interface {
		OnValidationEpochEnd(t LightningTrainer) error
	}
	OnTestStartHook interface {
		OnTestStart(t LightningTrainer) error
	}
	OnTestEndHook interface {
		OnTestEnd(t LightningTrainer) error
	}
	OnTestEpochStartHook interface {
		OnTestEpochStart(t LightningTrainer) error
	}
	OnTestEpochEndHook interface {
		OnTestEpochEnd(t LightningTrainer) error
	}
	OnPredictStartHook interface {
		OnPredictStart(t LightningTrainer) error
	}
	OnPredictEndHook interface {
		OnPredictEnd(t LightningTrainer) error
	}
	OnPredictEpochStartHook interface {
		OnPredictEpochStart(t LightningTrainer) error
	}
	OnPredictEpochEndHook interface {
		OnPredictEpochEnd(t LightningTrainer) error
	}
)

// The start and end of batches. OnTrainBatchStart of a model may return -1, an int64, to skip the rest of the epoch. out is what
// the step returned; of a training step always a Dict, empty where it returned nil, whose loss is divided by
// accumulate_grad_batches. A HookCaller's arguments are (batch, batch_idx) and (outputs, batch, batch_idx), and dataloader_idx.
type (
	OnTrainBatchStartHook interface {
		OnTrainBatchStart(t LightningTrainer, batch Value, idx int) (Value, error)
	}
	OnTrainBatchEndHook interface {
		OnTrainBatchEnd(t LightningTrainer, out, batch Value, idx int) error
	}
	OnValidationBatchStartHook interface {
		OnValidationBatchStart(t LightningTrainer, batch Value, idx int) error
	}
	OnValidationBatchEndHook interface {
		OnValidationBatchEnd(t LightningTrainer, out, batch Value, idx int) error
	}
	OnTestBatchStartHook interface {
		OnTestBatchStart(t LightningTrainer, batch Value, idx int) error
	}
	OnTestBatchEndHook interface {
		OnTestBatchEnd(t LightningTrainer, out, batch Value, idx int) error
	}
	OnPredictBatchStartHook interface {
		OnPredictBatchStart(t LightningTrainer, batch Value, idx int) error
	}
	OnPredictBatchEndHook interface {
		OnPredictBatchEnd(t LightningTrainer, out, batch Value, idx int) error
	}
)

// A batch on its way to the device, of a model or a data module; the data module's win. TransferBatchToDevice takes the place of
// the move.
type (
	OnBeforeBatchTransferHook interface {
		OnBeforeBatchTransfer(t LightningTrainer, batch Value, loader int) (Value, error)
	}
	TransferBatchToDeviceHook interface {
		TransferBatchToDevice(t LightningTrainer, batch Value, d tensor.Device, loader int) (Value, error)
	}
	OnAfterBatchTransferHook interface {
		OnAfterBatchTransfer(t LightningTrainer, batch Value, loader int) (Value, error)
	}
)

// The update. Those that take the place of what Lightning does by itself are a model's alone: Backward, OptimizerStep, which must
// call the closure, OptimizerZeroGrad, ConfigureGradientClipping and LRSchedulerStep. metric is nil, a float64 for a scheduler
// that monitors one. value and algorithm are the Trainer's gradient_clip_val and gradient_clip_algorithm; nil is None. The
// closure of a HookCaller's optimizer_step is a func() (Value, error).
type (
	OnBeforeZeroGradHook interface {
		OnBeforeZeroGrad(t LightningTrainer, o LightningOptimizer) error
	}
	OnBeforeBackwardHook interface {
		OnBeforeBackward(t LightningTrainer, loss tensor.Tensor) error
	}
	OnAfterBackwardHook interface {
		OnAfterBackward(t LightningTrainer) error
	}
	OnBeforeOptimizerStepHook interface {
		OnBeforeOptimizerStep(t LightningTrainer, o LightningOptimizer) error
	}
	BackwardHook interface {
		Backward(t LightningTrainer, loss tensor.Tensor) error
	}
	OptimizerStepHook interface {
		OptimizerStep(t LightningTrainer, epoch, idx int, o LightningOptimizer, closure func() (Value, error)) error
	}
	OptimizerZeroGradHook interface {
		OptimizerZeroGrad(t LightningTrainer, epoch, idx int, o LightningOptimizer) error
	}
	ConfigureGradientClippingHook interface {
		ConfigureGradientClipping(t LightningTrainer, o LightningOptimizer, value *float64, algorithm *string) error
	}
	LRSchedulerStepHook interface {
		LRSchedulerStep(t LightningTrainer, s Scheduler, metric Value) error
	}
)

// The modes of a model's layers around validation, test and prediction: each takes the place of train() or eval(). The first
// clears gradients that a validation within an epoch would keep.
type (
	OnValidationModelZeroGradHook interface {
		OnValidationModelZeroGrad(t LightningTrainer) error
	}
	OnValidationModelEvalHook interface {
		OnValidationModelEval(t LightningTrainer) error
	}
	OnValidationModelTrainHook interface {
		OnValidationModelTrain(t LightningTrainer) error
	}
	OnTestModelEvalHook interface {
		OnTestModelEval(t LightningTrainer) error
	}
	OnTestModelTrainHook interface {
		OnTestModelTrain(t LightningTrainer) error
	}
	OnPredictModelEvalHook interface {
		OnPredictModelEval(t LightningTrainer) error
	}
)

// What checkpoints hold. A data module's state is kept under its class's name; a callback's is that of [Stateful].
type (
	OnSaveCheckpointHook interface {
		OnSaveCheckpoint(t LightningTrainer, c Checkpoint) error
	}
	OnLoadCheckpointHook interface {
		OnLoadCheckpoint(t LightningTrainer, c Checkpoint) error
	}
	StateDictHook interface {
		StateDict() Dict
		LoadStateDict(Dict) error
	}
)
