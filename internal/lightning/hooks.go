// Package lightning is what a LightningModule may do, apart from any run: the hooks by their names, which of them may log and
// how, and the forms in which optimizers are configured.
package lightning

import (
	"maps"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// Hook gives an object's hook of a name, nil when it does not have it. Objects in Go have it by an interface.
func Hook(v any, name string) lighter.HookFunc {
	if h, ok := v.(lighter.HookCaller); ok {
		if f := h.Hook(name); f != nil {
			return f
		}
	}
	if adapt, ok := adapters[name]; ok {
		return adapt(v)
	}
	return nil
}

type trainer = lighter.LightningTrainer

// adapters make a hook of the interface of a name; they give nil for objects without it.
var adapters = map[string]func(v any) lighter.HookFunc{
	"setup":        setup,
	"on_exception": exception,

	"prepare_data":          plain(lighter.PrepareDataHook.PrepareData),
	"configure_model":       plain(lighter.ConfigureModelHook.ConfigureModel),
	"teardown":              plain(lighter.TeardownHook.Teardown),
	"on_fit_start":          plain(lighter.OnFitStartHook.OnFitStart),
	"on_fit_end":            plain(lighter.OnFitEndHook.OnFitEnd),
	"on_sanity_check_start": plain(lighter.OnSanityCheckStartHook.OnSanityCheckStart),
	"on_sanity_check_end":   plain(lighter.OnSanityCheckEndHook.OnSanityCheckEnd),

	"on_train_start":            plain(lighter.OnTrainStartHook.OnTrainStart),
	"on_train_end":              plain(lighter.OnTrainEndHook.OnTrainEnd),
	"on_train_epoch_start":      plain(lighter.OnTrainEpochStartHook.OnTrainEpochStart),
	"on_train_epoch_end":        plain(lighter.OnTrainEpochEndHook.OnTrainEpochEnd),
	"on_validation_start":       plain(lighter.OnValidationStartHook.OnValidationStart),
	"on_validation_end":         plain(lighter.OnValidationEndHook.OnValidationEnd),
	"on_validation_epoch_start": plain(lighter.OnValidationEpochStartHook.OnValidationEpochStart),
	"on_validation_epoch_end":   plain(lighter.OnValidationEpochEndHook.OnValidationEpochEnd),
	"on_test_start":             plain(lighter.OnTestStartHook.OnTestStart),
	"on_test_end":               plain(lighter.OnTestEndHook.OnTestEnd),
	"on_test_epoch_start":       plain(lighter.OnTestEpochStartHook.OnTestEpochStart),
	"on_test_epoch_end":         plain(lighter.OnTestEpochEndHook.OnTestEpochEnd),
	"on_predict_start":          plain(lighter.OnPredictStartHook.OnPredictStart),
	"on_predict_end":            plain(lighter.OnPredictEndHook.OnPredictEnd),
	"on_predict_epoch_start":    plain(lighter.OnPredictEpochStartHook.OnPredictEpochStart),
	"on_predict_epoch_end":      plain(lighter.OnPredictEpochEndHook.OnPredictEpochEnd),

	"on_validation_model_zero_grad": plain(lighter.OnValidationModelZeroGradHook.OnValidationModelZeroGrad),
	"on_validation_model_eval":      plain(lighter.OnValidationModelEvalHook.OnValidationModelEval),
	"on_validation_model_train":     plain(lighter.OnValidationModelTrainHook.OnValidationModelTrain),
	"on_test_model_eval":            plain(lighter.OnTestModelEvalHook.OnTestModelEval),
	"on_test_model_train":           plain(lighter.OnTestModelTrainHook.OnTestModelTrain),
	"on_predict_model_eval":         plain(lighter.OnPredictModelEvalHook.OnPredictModelEval),

	"configure_optimizers": giving(lighter.ConfigureOptimizersHook.ConfigureOptimizers),
	"configure_callbacks":  giving(lighter.ConfigureCallbacksHook.ConfigureCallbacks),
	"train_dataloader":     giving(lighter.TrainDataloaderHook.TrainDataloader),
	"val_dataloader":       giving(lighter.ValDataloaderHook.ValDataloader),
	"test_dataloader":      giving(lighter.TestDataloaderHook.TestDataloader),
	"predict_dataloader":   giving(lighter.PredictDataloaderHook.PredictDataloader),

	"training_step":        step(lighter.TrainingStepHook.TrainingStep),
	"validation_step":      step(lighter.ValidationStepHook.ValidationStep),
	"test_step":            step(lighter.TestStepHook.TestStep),
	"predict_step":         step(lighter.PredictStepHook.PredictStep),
	"on_train_batch_start": step(lighter.OnTrainBatchStartHook.OnTrainBatchStart),

	"on_validation_batch_start": batchStart(lighter.OnValidationBatchStartHook.OnValidationBatchStart),
	"on_test_batch_start":       batchStart(lighter.OnTestBatchStartHook.OnTestBatchStart),
	"on_predict_batch_start":    batchStart(lighter.OnPredictBatchStartHook.OnPredictBatchStart),
	"on_train_batch_end":        batchEnd(lighter.OnTrainBatchEndHook.OnTrainBatchEnd),
	"on_validation_batch_end":   batchEnd(lighter.OnValidationBatchEndHook.OnValidationBatchEnd),
	"on_test_batch_end":         batchEnd(lighter.OnTestBatchEndHook.OnTestBatchEnd),
	"on_predict_batch_end":      batchEnd(lighter.OnPredictBatchEndHook.OnPredictBatchEnd),

	"on_before_batch_transfer": transfer(lighter.OnBeforeBatchTransferHook.OnBeforeBatchTransfer),
	"on_after_batch_transfer":  transfer(lighter.OnAfterBatchTransferHook.OnAfterBatchTransfer),
	"transfer_batch_to_device": as(func(h lighter.TransferBatchToDeviceHook, t trainer, a []lighter.Value) (lighter.Value, error) {
		return h.TransferBatchToDevice(t, a[0], a[1].(tensor.Device), number(a[2]))
	}),

	"on_before_zero_grad":      optimizer(lighter.OnBeforeZeroGradHook.OnBeforeZeroGrad),
	"on_before_optimizer_step": optimizer(lighter.OnBeforeOptimizerStepHook.OnBeforeOptimizerStep),
	"on_before_backward":       loss(lighter.OnBeforeBackwardHook.OnBeforeBackward),
	"backward":                 loss(lighter.BackwardHook.Backward),
	"on_after_backward":        plain(lighter.OnAfterBackwardHook.OnAfterBackward),
	"optimizer_step": as(func(h lighter.OptimizerStepHook, t trainer, a []lighter.Value) (lighter.Value, error) {
		return nil, h.OptimizerStep(t, number(a[0]), number(a[1]), a[2].(lighter.LightningOptimizer), a[3].(func() (lighter.Value, error)))
	}),
	"optimizer_zero_grad": as(func(h lighter.OptimizerZeroGradHook, t trainer, a []lighter.Value) (lighter.Value, error) {
		return nil, h.OptimizerZeroGrad(t, number(a[0]), number(a[1]), a[2].(lighter.LightningOptimizer))
	}),
	"configure_gradient_clipping": as(func(h lighter.ConfigureGradientClippingHook, t trainer, a []lighter.Value) (lighter.Value, error) {
		var value *float64
		var algorithm *string
		if v, ok := a[1].(float64); ok {
			value = &v
		}
		if v, ok := a[2].(string); ok {
			algorithm = &v
		}
		return nil, h.ConfigureGradientClipping(t, a[0].(lighter.LightningOptimizer), value, algorithm)
	}),
	"lr_scheduler_step": as(func(h lighter.LRSchedulerStepHook, t trainer, a []lighter.Value) (lighter.Value, error) {
		return nil, h.LRSchedulerStep(t, a[0].(lighter.Scheduler), a[1])
	}),

	"on_save_checkpoint": checkpoint(lighter.OnSaveCheckpointHook.OnSaveCheckpoint),
	"on_load_checkpoint": checkpoint(lighter.OnLoadCheckpointHook.OnLoadCheckpoint),
	"state_dict": as(func(h lighter.StateDictHook, _ trainer, _ []lighter.Value) (lighter.Value, error) {
		return h.StateDict(), nil
	}),
	"load_state_dict": as(func(h lighter.StateDictHook, _ trainer, a []lighter.Value) (lighter.Value, error) {
		return nil, h.LoadStateDict(a[0].(lighter.Dict))
	}),
}

// as makes hooks of objects that are an H.
func as[H any](call func(h H, t trainer, args []lighter.Value) (lighter.Value, error)) func(any) lighter.HookFunc {
	return func(v any) lighter.HookFunc {
		h, ok := v.(H)
		if !ok {
			return nil
		}
		return func(t trainer, args ...lighter.Value) (lighter.Value, error) { return call(h, t, args) }
	}
}

func plain[H any](call func(H, trainer) error) func(any) lighter.HookFunc {
	return as(func(h H, t trainer, _ []lighter.Value) (lighter.Value, error) { return nil, call(h, t) })
}

func giving[H any](call func(H, trainer) (lighter.Value, error)) func(any) lighter.HookFunc {
	return as(func(h H, t trainer, _ []lighter.Value) (lighter.Value, error) { return call(h, t) })
}

func step[H any](call func(H, trainer, lighter.Value, int) (lighter.Value, error)) func(any) lighter.HookFunc {
	return as(func(h H, t trainer, a []lighter.Value) (lighter.Value, error) { return call(h, t, a[0], number(a[1])) })
}

func batchStart[H any](call func(H, trainer, lighter.Value, int) error) func(any) lighter.HookFunc {
	return as(func(h H, t trainer, a []lighter.Value) (lighter.Value, error) {
		return nil, call(h, t, a[0], number(a[1]))
	})
}

func batchEnd[H any](call func(H, trainer, lighter.Value, lighter.Value, int) error) func(any) lighter.HookFunc {
	return as(func(h H, t trainer, a []lighter.Value) (lighter.Value, error) {
		return nil, call(h, t, a[0], a[1], number(a[2]))
	})
}

func transfer[H any](call func(H, trainer, lighter.Value, int) (lighter.Value, error)) func(any) lighter.HookFunc {
	return step(call)
}

func optimizer[H any](call func(H, trainer, lighter.LightningOptimizer) error) func(any) lighter.HookFunc {
	return as(func(h H, t trainer, a []lighter.Value) (lighter.Value, error) {
		return nil, call(h, t, a[0].(lighter.LightningOptimizer))
	})
}

func loss[H any](call func(H, trainer, tensor.Tensor) error) func(any) lighter.HookFunc {
	return as(func(h H, t trainer, a []lighter.Value) (lighter.Value, error) {
		return nil, call(h, t, a[0].(tensor.Tensor))
	})
}

func checkpoint[H any](call func(H, trainer, lighter.Checkpoint) error) func(any) lighter.HookFunc {
	return as(func(h H, t trainer, a []lighter.Value) (lighter.Value, error) {
		return nil, call(h, t, a[0].(lighter.Dict))
	})
}

func setup(v any) lighter.HookFunc {
	h, ok := v.(lighter.Setupper)
	if !ok {
		return nil
	}
	return func(t trainer, _ ...lighter.Value) (lighter.Value, error) { return nil, h.Setup(t) }
}

func exception(v any) lighter.HookFunc {
	h, ok := v.(lighter.Failer)
	if !ok {
		return nil
	}
	return func(t trainer, a ...lighter.Value) (lighter.Value, error) { return nil, h.Exception(t, a[0].(error)) }
}

func number(v lighter.Value) int { return int(v.(int64)) }

// Names are the hooks'.
func Names() []string { return slices.Sorted(maps.Keys(adapters)) }
