package lighter

import "github.com/lighter-go/lighter/tensor"

// FitControl is the Trainer for callbacks that change how a fit goes. Every Trainer of a stage is one.
type FitControl interface {
	Trainer
	// AccumulateGradBatches is how many batches make one optimizer step.
	AccumulateGradBatches() int
	SetAccumulateGradBatches(n int)
	// SetMaxEpochs changes MaxEpochs.
	SetMaxEpochs(n int)
	// SetSchedule replaces what changes the learning rates.
	SetSchedule(s *Schedule)
	// SetForwardOnly lets training batches run forward only: no gradients, no update. A window's end counts as a step still.
	SetForwardOnly(on bool)
	// FastDevRun says that a few batches are run and nothing is written.
	FastDevRun() bool
	// HasLogger says that something writes what is logged.
	HasLogger() bool
	// LogEveryNSteps is how many optimizer steps lie between two rows of training; 0 for no rows.
	LogEveryNSteps() int
	// LogRow is WriteRow for a step of the caller's; withEpoch adds the epoch. Its values are metrics too.
	LogRow(row []Scalar, step int64, withEpoch bool) error
	// Stepped counts the training batches after which the optimizer stepped: the step of the training row under way.
	Stepped() int64
	// BatchSize is the number of samples of the current batch.
	BatchSize() int
	// Device is where the model is.
	Device() tensor.Device
	// CheckpointDir is where the run's checkpoints go; "" when it saves none.
	CheckpointDir() string
	// Rehearse trains and then takes everything back: weights, optimizer, counters and random numbers. finished is false when
	// the run was asked to stop meanwhile.
	Rehearse(r Rehearsal) (finished bool, err error)
}

// Rehearsal is a training that leaves no trace, such as the range test of a learning rate. It logs and saves nothing.
type Rehearsal struct {
	Steps    int       // of the optimizer
	Schedule *Schedule // instead of the fit's
	Callback Callback  // instead of the fit's
}

// Averager is a callback that keeps an average of the weights. The average is what a checkpoint holds as the model's; the
// weights in training stand beside it.
type Averager interface {
	// AverageState gives the checkpoint's state_dict, current_model_state and averaging_state; nothing when there is no average.
	AverageState() (average, current, state []Named)
	// LoadAverageState takes them over. current is nil when the checkpoint was saved without an average: then average holds the
	// weights that both begin with.
	LoadAverageState(average, current, state map[string]tensor.Tensor) error
}

// RunningStatistics is a module that gathers statistics of its inputs in training for evaluation: batch normalization.
type RunningStatistics interface {
	// ResetStatistics makes them those of no input.
	ResetStatistics()
	// Momentum is the weight of a batch; nil for the plain average over all batches.
	Momentum() *float64
	SetMomentum(m *float64)
}

// FixedLayout is a module whose code may rely on tensors in C order: without a choice of the user's none is laid out otherwise.
type FixedLayout interface{ FixedLayout() }
