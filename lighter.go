// Package lighter holds the contracts between the trainer and the parts a configuration names, and [Register], which
// makes a part known under a `_target_`. Write a component against this package and package tensor; nothing else of
// the module is needed, and nothing else imports it.
package lighter

import (
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// Value is what flows between datasets, steps and modules: a [tensor.Tensor], a bool, int64, float64 or string, nil, a
// [List] or a [Dict] of values.
type Value = any

// List is an ordered collection of values: a batch (input, target), a module's several results.
type List = []Value

// Dict is a collection of named values: a batch or a step's output given by name.
type Dict = map[string]Value

// Register makes a component known. The type argument is the contract it fulfils; prototype is a struct whose `cfg`
// tags name its arguments and whose values are their defaults. A mistake in the declaration, or a target that is taken, ends the
// program when it starts, with a message that names the packages.
//
//	type Linear struct {
//		InFeatures  int  `cfg:"in_features,required" help:"size of each input sample"`
//		OutFeatures int  `cfg:"out_features,required" help:"size of each output sample"`
//		Bias        bool `cfg:"bias" help:"learn an additive bias"`
//	}
//
//	func (c Linear) Build(*lighter.Env) (lighter.Module, error) { ... }
//
//	func init() { lighter.Register[lighter.Module]("torch.nn.Linear", Linear{Bias: true}) }
func Register[K any](target string, prototype Builder[K], aliases ...string) {
	registry.Register(target, prototype, aliases...)
}

// DataError marks a fault of the data that a component reads, as opposed to one of the configuration: the program's exit code
// tells them apart.
type DataError struct{ Err error }

// Error is the fault's.
func (e *DataError) Error() string { return e.Err.Error() }

// Unwrap returns the fault.
func (e *DataError) Unwrap() error { return e.Err }

// Mode is what a step is done for.
type Mode int

// The modes, in the order of a fit. Val covers validation in a fit, the sanity check and `lighter validate`.
const (
	Train Mode = iota
	Val
	Test
	Predict
)

// String is the word metrics are logged under: "train", "val", "test", "predict".
func (m Mode) String() string { return [...]string{"train", "val", "test", "predict"}[m] }

// Output is what a step gives: named values. "loss" is a scalar tensor or a Dict that holds "total"; "pred", "target" and
// "input" are what writers and callbacks use.
type Output = Dict

// Trainer is what models, callbacks and loggers see of the run. Its methods are called on the run's thread only.
type Trainer interface {
	// Mode is what is being done now; Stage the command: fit, validate, test or predict.
	Mode() Mode
	Stage() string
	// SanityChecking is true in the validation before the first epoch.
	SanityChecking() bool
	// Epoch counts from 0; GlobalStep counts the optimizer's steps; BatchIdx the batches of this epoch.
	Epoch() int
	GlobalStep() int64
	BatchIdx() int
	// NumBatches is how many batches an epoch of the current mode has, of all its loaders; -1 when that is unknown.
	NumBatches() int
	// DataloaderIdx is the number of the loader whose batches are done now, where the mode has several.
	DataloaderIdx() int
	MaxEpochs() int
	// Log records a value of the current batch. The mean over an epoch is weighted by batch size. The value stays on its
	// device until it is written. Where the mode has several loaders, names get "/dataloader_idx_<n>".
	Log(name string, v tensor.Tensor, o LogOptions)
	// LogEpoch records a value at an epoch's end, as float32.
	LogEpoch(name string, v float64)
	// StepLogged says whether the values of this batch will be written: when not, don't compute what only a step row shows.
	StepLogged() bool
	// RowDue says whether `log_every_n_steps` asks for a row of the optimizer step under way, in each of its batches.
	RowDue() bool
	// WriteRow gives the loggers a row at once, with the step of the training row under way and no epoch. Its values stay
	// float64.
	WriteRow(row []Scalar) error
	// Metrics are the values logged last, by name. Waits for the device.
	Metrics() map[string]float64
	// CkptPath is the checkpoint that the stage started from, "" for none.
	CkptPath() string
	// ValidatesAtEpochEnd says that validation runs once, at the end of every training epoch, or not at all; WillValidate that
	// one follows the training batch just done.
	ValidatesAtEpochEnd() bool
	WillValidate() bool
	// LogDir is the run's folder, "" when there is none; DefaultRootDir the folder for what has none.
	LogDir() string
	DefaultRootDir() string
	Model() Model
	Optimizer() Optimizer
	// Schedule says when the fit's learning rates change; nil when nothing changes them.
	Schedule() *Schedule
	// Continues says that a fit goes on in the folder of the run that CkptPath is of, as if that had not stopped.
	Continues() bool
	// SaveCheckpoint copies the run's whole state and returns; the file is written while the run goes on. It is whole or not
	// there. The error may be that of a file before; the last ones' end the run.
	SaveCheckpoint(path string, weightsOnly bool) error
	// Checkpoints changes the files of checkpoints.
	Checkpoints() CheckpointFiles
	// Stop ends the fit at the end of this epoch.
	Stop(reason string)
}

// CheckpointFiles changes the files of checkpoints, each change after those asked for before it, while the run goes on. After one
// that failed none is made, so that what a checkpoint replaces stays until that is on the disk.
type CheckpointFiles interface {
	// Copy makes dst a copy of the checkpoint src, Link a relative symbolic link to it.
	Copy(src, dst string) error
	Link(src, dst string) error
	// Remove removes a checkpoint. What cannot be removed is reported in the log.
	Remove(path string)
	// Exists says whether there is a file once all changes are made.
	Exists(path string) bool
}

// LogOptions says which rows a logged value goes to.
type LogOptions struct {
	Step, Epoch bool // the names get no suffix of their own
	BatchSize   int  // the weight in the epoch's mean; 0 takes that of the batch
}
