package lighter

import "github.com/lighter-go/lighter/tensor"

// LightningModule makes a Model of a struct that embeds it: PyTorch Lightning's LightningModule. The struct has those methods of
// lightninghooks.go that it needs, its steps among them:
//
//	type Classifier struct {
//		lighter.LightningModule
//		net lighter.Module
//		opt lighter.Optimizer
//	}
//
//	func (c *Classifier) Forward(in ...lighter.Value) lighter.Value { return c.net.Forward(in...) }
//
//	func (c *Classifier) TrainingStep(t lighter.LightningTrainer, batch lighter.Value, idx int) (lighter.Value, error) {
//		loss := ...
//		return loss, t.LogValue("train_loss", loss, lighter.LogArgs{ProgBar: true})
//	}
//
//	func (c *Classifier) ConfigureOptimizers(lighter.LightningTrainer) (lighter.Value, error) { return c.opt, nil }
type LightningModule struct {
	Node
	// ManualOptimization lets the training step do the backward pass and step the optimizers: automatic_optimization = False.
	ManualOptimization bool
}

// AutomaticOptimization implements [Model].
func (m *LightningModule) AutomaticOptimization() bool { return !m.ManualOptimization }

// LightningDataModule makes a DataModule of a struct that embeds it: PyTorch Lightning's LightningDataModule. The struct has
// those hooks that it needs: PrepareData, Setup, Teardown, TrainDataloader and its like, StateDict and LoadStateDict, and what
// changes batches.
type LightningDataModule struct{}

// Loaders gives none: those of this data module come from its hooks, when a stage asks for them.
func (LightningDataModule) Loaders(Mode) []Loader { return nil }

// HookCaller is a model, a data module or a callback that says at run time which hooks it has, as a binding to another language
// does. It takes the place of the interfaces of lightninghooks.go.
type HookCaller interface {
	// Hook gives the hook of a name, "on_train_batch_start"; nil when the object does not define it. A stage asks once, when it
	// begins.
	Hook(name string) HookFunc
}

// HookFunc calls a hook. args are what Lightning's method takes after self, a callback's after trainer and pl_module, as the
// interfaces of lightninghooks.go list them: int64 for numbers, a [LightningOptimizer], a [Scheduler], a tensor.Device.
// dataloader_idx is there only where the mode has several loaders, as in Lightning. Tensors made in a hook of a batch belong to
// that batch's scope, those of a loop's or an epoch's start and end to one of the hook's own; what prepare_data, setup,
// configure_model, configure_optimizers and the loaders' hooks make lives as long as the run. The value is what the hook
// returns, nil for None.
type HookFunc func(t LightningTrainer, args ...Value) (Value, error)

// LightningTrainer is the Trainer as a LightningModule and its hooks see it. Every Trainer of a stage is one.
type LightningTrainer interface {
	FitControl

	// LogValue is self.log: v is a number, a bool, a tensor of one element, or a [Metric], which is computed and reset at the
	// epoch's end. Which arguments a hook allows, the defaults, the names and the errors are Lightning's.
	LogValue(name string, v Value, a LogArgs) error
	// LogDict logs every value of a map, in the order of its names.
	LogDict(values Dict, a LogArgs) error
	// LogMetrics logs every metric of a group, as log_dict does a MetricCollection; a.Forward is the group's Batch.
	LogMetrics(g MetricGroup, a LogArgs) error
	// LoggedMetrics are the values for the loggers, ProgBarMetrics those for the bar, both by the names they are shown under;
	// Metrics are Lightning's callback_metrics. All wait for the device.
	LoggedMetrics() map[string]float64
	ProgBarMetrics() map[string]float64

	// Optimizers are those of configure_optimizers, to be stepped by a training step with manual optimization; LRSchedulers its
	// schedulers, and Schedules when the Trainer steps them.
	Optimizers() []LightningOptimizer
	LRSchedulers() []Scheduler
	Schedules() []*Schedule
	// ManualBackward is the backward pass of a loss in manual optimization, scaled as the precision asks.
	ManualBackward(loss tensor.Tensor) error
	// ToggleOptimizer lets only the parameters of o require gradients, of all that optimizers have; UntoggleOptimizer takes it back.
	ToggleOptimizer(o LightningOptimizer)
	UntoggleOptimizer(o LightningOptimizer)
	// ClipGradients clips those of o's parameters. A nil value or algorithm is the Trainer's; both given and different is an error.
	ClipGradients(o LightningOptimizer, value *float64, algorithm *string) error

	// IsLastBatch says whether the batch under way is the last of its epoch.
	IsLastBatch() bool
	// ShouldStop says whether Stop was called.
	ShouldStop() bool
	// EstimatedSteppingBatches is how many optimizer steps the fit will take; +Inf without a limit. It makes the train loader.
	EstimatedSteppingBatches() (float64, error)
	DataModule() DataModule
	Callbacks() []Callback
	Loggers() []Logger
}

// LightningOptimizer is an optimizer as self.optimizers() gives it.
type LightningOptimizer interface {
	// Optimizer is the one that configure_optimizers gave.
	Optimizer() Optimizer
	// Step evaluates closure, which may be nil, and updates the parameters, as the precision asks. In manual optimization it
	// counts as a global step. The closure's loss is for optimizers that look at it, such as LBFGS; nil is none.
	Step(closure func() (loss Value, err error)) error
	ZeroGrad()
}

// LogArgs are the arguments of self.log. The zero value is Lightning's defaults.
type LogArgs struct {
	ProgBar         bool
	Logger          *bool  // nil is true
	OnStep, OnEpoch *bool  // nil is what the hook has for its default
	ReduceFx        string // "mean", the default, "sum", "min" or "max"
	EnableGraph     bool   // what is logged is a number in any case
	SyncDist        bool   // no effect with one process
	PlainName       bool   // add_dataloader_idx=False
	BatchSize       int    // the weight in a mean; 0 takes that of the batch
	MetricAttribute string // the name of the metric in the model; Lightning needs it where the model does not hold the metric
	RankZeroOnly    bool   // no effect with one process
	// Forward is what a logged metric gave for the batch, its Batch after an Update: the value of the step, which torchmetrics
	// keeps of a call of the metric. nil where it was updated only: then the step has none.
	Forward Value
}

// Checkpoint is what on_save_checkpoint and on_load_checkpoint are given: "state_dict", a Dict of tensors, "epoch",
// "global_step" and what hooks have added. When saving, keys of state_dict and own keys may be added, changed and deleted; the
// rest of the file is the Trainer's. When loading, state_dict may be changed before the model takes it.
type Checkpoint = Dict
