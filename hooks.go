package lighter

// The optional interfaces of a [Callback], called in the order of the configuration. An error ends the run.

// Setupper prepares before anything else of a stage.
type Setupper interface{ Setup(t Trainer) error }

// StageStarter acts when a stage's loop is about to begin (on_fit_start and its like).
type StageStarter interface{ StageStart(t Trainer) error }

// StageEnder acts when a stage is done.
type StageEnder interface{ StageEnd(t Trainer) error }

// EpochStarter acts before the first batch of an epoch of any mode.
type EpochStarter interface{ EpochStart(t Trainer) error }

// EpochEnder acts after the last batch of an epoch of any mode, when its metrics are known.
type EpochEnder interface{ EpochEnd(t Trainer) error }

// BatchStarter acts before a step.
type BatchStarter interface {
	BatchStart(t Trainer, batch Value, idx int) error
}

// BatchEnder acts after a step; out is the step's output, its tensors valid until it returns.
type BatchEnder interface {
	BatchEnd(t Trainer, out Output, idx int) error
}

// Failer acts when a stage ends with an error, before the loggers are closed.
type Failer interface {
	Exception(t Trainer, cause error) error
}

// Resumer completes, when a fit goes on from a checkpoint whose state it was given, what the run that saved it had still to do.
type Resumer interface{ Resumed(t Trainer) error }

// ExceptionSaver is a callback that may save a checkpoint when a batch fails: then the state before every batch is kept.
type ExceptionSaver interface{ SavesOnException() bool }

// Checkpointer is a callback that saves checkpoints: it runs after all others.
type Checkpointer interface {
	// BestPath is the best checkpoint so far, "" when there is none; LastPath the newest.
	BestPath() string
	LastPath() string
	// Dirpath is the folder the configuration gives, "" when checkpoints go to the run's folder.
	Dirpath() string
}

// Stateful is a callback whose state goes into checkpoints, under its StateKey.
type Stateful interface {
	StateKey() string
	StateDict() Dict
	LoadStateDict(Dict) error
}

// PredictionWriter is a callback that writes what predict gives.
type PredictionWriter interface{ WritesPredictions() }

// Progress is a callback that shows how far a run is.
type Progress interface{ ShowsProgress() }

// Summarizer is a callback that prints the model's layers.
type Summarizer interface{ SummarizesModel() }

// Reporter is a callback that writes a page about the run.
type Reporter interface{ ReportsRun() }

// RowTaker acts on every row the loggers are given. The row's memory is the caller's.
type RowTaker interface {
	Row(t Trainer, row []Scalar, step int64) error
}
