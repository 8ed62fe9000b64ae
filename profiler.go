package lighter

// Profiler measures what the parts of a stage cost. An action is named as in PyTorch Lightning, "run_training_batch" or
// "[Callback]EarlyStopping.on_validation_end"; actions nest, and one name is under way once at a time. Its methods are called on the run's thread.
type Profiler interface {
	// Setup begins a stage, before its first action.
	Setup(t Trainer) error
	Start(action string)
	Stop(action string)
	// Describe ends the stage, however it went, and reports.
	Describe() error
}

// BatchProfiler is a Profiler that follows batches, from before they are loaded until they are done.
type BatchProfiler interface {
	BatchStart()
	BatchEnd() error
}
