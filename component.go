package lighter

import (
	"github.com/lighter-go/lighter/tensor"
)

// Module is a network, a layer or a loss: torch.nn.Module. Forward panics with a *tensor.Error on values that do not fit.
type Module interface {
	Forward(in ...Value) Value
	// Tree holds the module's parameters, buffers and children.
	Tree() *Node
}

// Criterion is a module that Forward(pred, target) turns into a loss.
type Criterion = Module

// Optimizer updates parameters from their gradients. State belongs to the scope it was built in.
type Optimizer interface {
	// Name is the class's, "Adam".
	Name() string
	// Step updates every parameter that has a gradient; ZeroGrad drops the gradients.
	Step()
	ZeroGrad()
	// Groups are PyTorch's param_groups; a scheduler changes their options.
	Groups() []*ParamGroup
	// Params holds all parameters, for clipping.
	Params() tensor.List
	// StateDict is the state as torch.optim.Optimizer.state_dict orders it, for the checkpoint.
	StateDict() OptimizerState
	LoadStateDict(OptimizerState) error
}

// ClosureOptimizer is an optimizer that evaluates its batch several times in a step: torch.optim.LBFGS.
type ClosureOptimizer interface {
	Optimizer
	// StepClosure takes the place of Step. evaluate does the forward and the backward pass and gives the loss; its error ends
	// the step. Tensors made since the last evaluation are freed by the next one unless they are kept.
	StepClosure(evaluate func() (loss float64, err error)) error
}

// Scheduler changes an optimizer's learning rates as training goes on: torch.optim.lr_scheduler.LRScheduler. Building one does
// PyTorch's initial step.
type Scheduler interface {
	// Step goes on by one; metric is the monitored value, which only a scheduler that NeedsMetric looks at.
	Step(metric float64)
	// NeedsMetric is true for ReduceLROnPlateau.
	NeedsMetric() bool
	// StateDict is the state as PyTorch's state_dict holds it.
	StateDict() Dict
	LoadStateDict(Dict) error
}

// Schedule says when a scheduler steps: PyTorch Lightning's lr_scheduler configuration.
type Schedule struct {
	Scheduler Scheduler
	Interval  string // "epoch" or "step"
	Frequency int    // every so many of them
	Monitor   string // the metric a scheduler that needs one is given
	Strict    bool   // a missing metric is an error
	Name      string
	// OnPlateau is reduce_on_plateau where it is not what the scheduler NeedsMetric: when it steps, and whether with a metric.
	OnPlateau *bool
}

// ParamGroup is a group of parameters with options of its own.
type ParamGroup struct {
	Params  []tensor.Tensor
	Options []Option // in PyTorch's order: lr first
}

// Option is one hyper-parameter of a group: a float64, bool, nil, int64 or []float64 (betas).
type Option struct {
	Name  string
	Value any
}

// Option returns the value of an option, nil when there is none.
func (g *ParamGroup) Option(name string) any {
	for _, o := range g.Options {
		if o.Name == name {
			return o.Value
		}
	}
	return nil
}

// SetOption changes an option; it adds one that was not there.
func (g *ParamGroup) SetOption(name string, v any) {
	for i := range g.Options {
		if g.Options[i].Name == name {
			g.Options[i].Value = v
			return
		}
	}
	g.Options = append(g.Options, Option{name, v})
}

// LR is the group's learning rate.
func (g *ParamGroup) LR() float64 {
	lr, _ := g.Option("lr").(float64)
	return lr
}

// OptimizerState is PyTorch's optimizer state dict: State holds, by the parameter's index over all groups, its named
// values (tensors or numbers) in PyTorch's order; parameters that were never updated are absent.
type OptimizerState struct {
	State  map[int][]NamedValue
	Groups []GroupState
}

// NamedValue is a value under a name, where order matters.
type NamedValue struct {
	Name  string
	Value Value
}

// GroupState is a group's options and the indices of its parameters.
type GroupState struct {
	Options []Option
	Params  []int
}

// Metric gathers a statistic over batches: torchmetrics.Metric. State tensors belong to the scope it was built in.
type Metric interface {
	// Name is the class's, "MulticlassAccuracy": what its values are logged under.
	Name() string
	// Update takes a batch in, without waiting for the device.
	Update(pred, target Value)
	// Batch is the value over the last updated batch alone, valid until the next Update; Compute that over all batches since
	// Reset. A tensor, or a Dict of tensors by name.
	Batch() Value
	Compute() Value
	Reset()
	// States are the tensors to move to a device.
	States() []tensor.Tensor
	// StateDict is what the metric has gathered, for a checkpoint within an epoch.
	StateDict() Dict
	LoadStateDict(Dict) error
}

// MetricGroup is a Metric of several, each with a name: torchmetrics.MetricCollection. Its values are Dicts.
type MetricGroup interface {
	Metric
	Members() []NamedMetric
}

// NamedMetric is a metric of a group.
type NamedMetric struct {
	Name   string
	Metric Metric
}

// Model is what a stage runs: PyTorch Lightning's LightningModule. Embed [LightningModule] to make one; what it does is in the
// optional interfaces of lightninghooks.go and [StepModel].
type Model interface {
	Module
	// AutomaticOptimization is false for a model whose training step does the backward pass and steps its optimizers.
	AutomaticOptimization() bool
}

// StepModel is a Model with one step for all modes, whose values are logged before callbacks act: lighter.LighterModule. It may
// have hooks too, but for those of the four steps; its optimizers are configured before anything is set up.
type StepModel interface {
	Model
	// Step does one batch. It returns nil when the batch gives nothing to log.
	Step(t Trainer, batch Value, idx int) (Output, error)
	// Has says whether the model can do a mode, given what was configured.
	Has(m Mode) error
	// BatchEnd logs what a batch gave; EpochEnd what an epoch gave, after each loader where a mode has several.
	BatchEnd(t Trainer, out Output, idx int)
	EpochEnd(t Trainer)
}

// Wrapper is a model around a network: names of parameters that users give are relative to that.
type Wrapper interface{ Inner() *Node }

// Inferer makes a prediction of an input where it is not simply the network's output: monai.inferers.Inferer.
type Inferer interface {
	Infer(input Value, network func(Value) Value) Value
}

// DataModule gives the loaders of a stage; none means that the mode has no data. Training has one loader at most.
type DataModule interface {
	Loaders(m Mode) []Loader
}

// Loader gives batches: torch.utils.data.DataLoader.
type Loader interface {
	// Len is the number of batches of an epoch; -1 when that is unknown.
	Len() int
	// Iter begins an epoch at batch from, which is 0 but when a run goes on within an epoch. It draws the base seed as PyTorch's
	// iterator does when it is made; with from > 0 also all that the batches before drew to choose their samples.
	Iter(from int) (Iterator, error)
}

// LoaderState is a Loader that needs more than the default generator's state to give the same batches again in a run that
// goes on: a generator of its own. The Dict is nil when there is nothing to save.
type LoaderState interface {
	// StateDict is what Iter needs: within an epoch for the one under way, else for the next one.
	StateDict(within bool) Dict
	LoadStateDict(Dict) error
}

// InOrder is a Loader that can be had without its shuffling; changed is false when it has none.
type InOrder interface {
	InOrder() (_ Loader, changed bool)
}

// Iterator gives the batches of one epoch.
type Iterator interface {
	// Next returns the next batch, its tensors owned by the innermost scope of the calling thread. ok is false at the end.
	Next() (batch Value, ok bool, err error)
	Close()
}

// Dataset is a collection of samples by index: torch.utils.data.Dataset.
type Dataset interface {
	Len() int
	// Item returns sample i, 0 <= i < Len, its tensors owned by the innermost scope. Threads of a loader call it for several samples
	// at once. A dataset that draws random numbers is a [Drawer].
	Item(i int) (Value, error)
}

// Gatherer is a Dataset that makes a whole batch at once. It must equal the samples of Item stacked.
type Gatherer interface {
	// Gather returns the batch of the samples index (int64, shape [n]) names.
	Gather(index tensor.Tensor) Value
}

// Callback acts at points of a run through the optional interfaces of hooks.go.
type Callback any

// Logger writes what a run logs.
type Logger interface {
	// Dir is the folder of this run, with what Lightning calls version; Open makes it.
	Dir() string
	Open() error
	// LogMetrics writes a row; epoch rows and step rows have PyTorch Lightning's `step`.
	LogMetrics(row []Scalar, step int64) error
	// LogHyperparams takes the merged configuration, in YAML.
	LogHyperparams(config []byte) error
	// Flush lets rows reach the file soon, without waiting for it; the trainer calls it at epoch ends.
	Flush()
	// Finalize flushes; status is "success" or "failed".
	Finalize(status string) error
}

// LogKeeper is a logger whose log a fit that goes on in an earlier run's folder appends to.
type LogKeeper interface {
	// Root is the folder that holds the runs' folders; Continue takes the one of this name for the run. It comes before Dir.
	Root() string
	Continue(folder string)
	// LogState says how much is logged, for a checkpoint. written waits until that is on the disk; any goroutine may call it.
	LogState() (state Dict, written func() error)
	// LoadLogState drops what was logged after state. It comes after Open. Without a state, of a checkpoint made elsewhere, it
	// drops what was logged from a step on.
	LoadLogState(state Dict, step int64) error
}

// Scalar is a logged number. Values pass through float32, as in PyTorch Lightning, but for those of [Trainer.WriteRow].
type Scalar struct {
	Name  string
	Value float64
}

// TensorHolder is a model or an optimizer with tensors beside its parameters, which move to a device with them.
type TensorHolder interface{ States() []tensor.Tensor }

// EpochState is a model that gathers something over an epoch, its training metrics: what a checkpoint within one must hold.
type EpochState interface {
	EpochState() Dict
	LoadEpochState(Dict) error
}
