package engine

// The exit codes of a run.
const (
	ExitFailure    = 1
	ExitUsage      = 2
	ExitData       = 3
	ExitNumeric    = 4
	ExitMemory     = 5
	ExitCheckpoint = 6
)

// Error is a run's failure with the program's exit code.
type Error struct {
	Code int
	Err  error
}

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
