// Package runner runs a stage of a configuration: what the commands do, for programs that embed lighter.
package runner

import (
	"context"
	"errors"
	"io"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter/internal/console"
	"github.com/lighter-go/lighter/internal/engine"
	"github.com/lighter-go/lighter/tensor"
)

// Options are the options of a stage's command.
type Options struct {
	// CkptPath is a checkpoint file, "last" or "best"; "" for none.
	CkptPath string
	// WeightsOnly loads the weights of the checkpoint and nothing else.
	WeightsOnly bool
	// Verbose prints the table of metrics of validate and test to Out.
	Verbose bool
	Out     io.Writer
	Log     zerolog.Logger
	Console *console.Console
	// Debug keeps C++ frames in errors.
	Debug bool
}

// Result is what a stage gave.
type Result = engine.Result

// ConfigError is every problem of a configuration, with the sources to show them in.
type ConfigError = engine.ConfigError

// Run runs stage (fit, validate, test or predict) of the configuration that inputs make: files, overrides such as
// "trainer::max_epochs=3", maps, or a checkpoint, which holds its configuration. Cancelling ctx ends the run after the
// current batch.
func Run(ctx context.Context, stage string, inputs []any, o Options) (*Result, error) {
	result, err := engine.Run(ctx, stage, inputs, engine.Options{
		CkptPath: o.CkptPath, WeightsOnly: o.WeightsOnly, Log: o.Log, Console: o.Console, Debug: o.Debug,
	})
	if err == nil && o.Verbose && o.Out != nil && (stage == "validate" || stage == "test") {
		err = printMetrics(o.Out, stage, result.Metrics)
	}
	return result, err
}

// The exit codes of the program. A signal's are 128 and its number.
const (
	ExitOK         = 0
	ExitFailure    = engine.ExitFailure
	ExitUsage      = engine.ExitUsage
	ExitData       = engine.ExitData
	ExitNumeric    = engine.ExitNumeric
	ExitMemory     = engine.ExitMemory
	ExitCheckpoint = engine.ExitCheckpoint
)

// ExitCode is the exit code of a command that ended with err.
func ExitCode(err error) int {
	var config *ConfigError
	var run *engine.Error
	var op *tensor.Error
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &op) && op.Kind == tensor.OutOfMemory:
		return ExitMemory
	case errors.As(err, &config):
		return ExitUsage
	case errors.As(err, &run):
		return run.Code
	}
	return ExitFailure
}
