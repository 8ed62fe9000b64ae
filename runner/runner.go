// Package runner runs a stage of a configuration: what the commands do, for programs that embed lighter.
package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/rs/zerolog"
	"golang.org/x/term"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/console"
	"github.com/lighter-go/lighter/internal/engine"
	"github.com/lighter-go/lighter/internal/project"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// Options are the options of a stage's command. The zero value prints nothing.
type Options struct {
	// CkptPath is a checkpoint file, "last" or "best"; "" for none.
	CkptPath string
	// WeightsOnly lets a fit begin with a file that holds weights alone. A checkpoint of a fit is gone on with all the same.
	WeightsOnly bool
	// Resume is "auto" for a fit that goes on with the newest run of its configuration, if there is one; "" for none.
	Resume string
	// Verbose prints the table of metrics of validate and test to Out.
	Verbose bool
	Out     io.Writer
	// Err takes what is meant for a person beside the log: the model's summary, the progress bar, a profiler's report. When it is a
	// terminal's *os.File the bar moves. Nil is nowhere.
	Err io.Writer
	// Log takes the messages of the run.
	Log zerolog.Logger
	// Debug keeps C++ frames in errors.
	Debug bool
}

// Result is what a stage gave.
type Result struct {
	// Metrics are the values logged last, by name: one map for each loader of validate and test, one for a fit.
	Metrics []map[string]float64
	// LogDir is the run's folder, "" when nothing is logged.
	LogDir string
	// CkptPath is the checkpoint that the stage started from, "" for none.
	CkptPath string
	// BestPath is the best checkpoint of a fit by its ModelCheckpoint's monitor, the newest one without; LastPath the newest. Both are
	// "" when none was saved.
	BestPath, LastPath string
}

// ConfigError is every problem of a configuration, with the sources to show them in.
type ConfigError = engine.ConfigError

// Run runs stage (fit, validate, test or predict) of the configuration that inputs make, merged from left to right:
//   - a file's path, or an override such as "trainer::max_epochs=3", as on the command line;
//   - a map[string]any, which is a file's content;
//   - a checkpoint's path, "last.ckpt": it holds its configuration and is what the stage starts from;
//   - a []any of such inputs;
//   - once, anywhere, the [Options].
//
// Cancelling ctx ends the run after the current batch. One stage runs at a time in a process: libtorch has one generator of random
// numbers.
//
//	fit, err := runner.Run(ctx, "fit", "config.yaml", "trainer::max_epochs=3", runner.Options{Err: os.Stderr})
//	test, err := runner.Run(ctx, "test", "config.yaml", runner.Options{CkptPath: fit.BestPath})
func Run(ctx context.Context, stage string, inputs ...any) (*Result, error) {
	if _, ok := titles[stage]; !ok {
		return nil, &engine.Error{Code: ExitUsage, Err: fmt.Errorf("unknown stage %q: there are fit, validate, test and predict", stage)}
	}
	o, inputs, err := optionsOf(inputs)
	if err != nil {
		return nil, &engine.Error{Code: ExitUsage, Err: err}
	}
	code, closeCode, err := openProject(o.Log)
	if err != nil {
		return nil, err
	}
	defer closeCode()
	r, err := engine.Run(ctx, stage, inputs, engine.Options{
		Project: code, CkptPath: o.CkptPath, WeightsOnly: o.WeightsOnly, Resume: o.Resume, Log: o.Log, Console: consoleOf(o.Err), Debug: o.Debug,
	})
	if err != nil {
		return nil, err
	}
	if o.Verbose && o.Out != nil && titles[stage] != "" {
		if err := printMetrics(o.Out, titles[stage], r.Metrics); err != nil {
			return nil, err
		}
	}
	return (*Result)(r), nil
}

// openProject gives the user's own code in the working folder, nil when there is none. A program has one at a time.
func openProject(log zerolog.Logger) (code registry.Project, done func(), err error) {
	p, err := project.Open(".", log)
	if p == nil || err != nil {
		return nil, func() {}, err
	}
	dir, _ := os.Getwd() // for the message
	log.Info().Msgf("Imported 'project' module from '%s'", dir)
	return p, func() { _ = p.Close() }, nil // it was only read
}

// titles are the stages, with the title of their table of metrics.
var titles = map[string]string{"fit": "", "validate": "Validate metric", "test": "Test metric", "predict": ""}

// optionsOf takes the options out of a run's inputs.
func optionsOf(inputs []any) (o Options, rest []any, err error) {
	given := 0
	for _, in := range inputs {
		switch x := in.(type) {
		case Options:
			o = x
			given++
		case []any:
			rest = append(rest, x...)
		default:
			rest = append(rest, in)
		}
	}
	switch {
	case given > 1:
		return o, nil, errors.New("runner.Run takes one runner.Options, and got more")
	case len(rest) == 0:
		return o, nil, errors.New("an input is missing: a configuration file or a map")
	}
	return o, rest, nil
}

// consoleOf is the console on a writer, which may be one already.
func consoleOf(w io.Writer) *console.Console {
	switch w := w.(type) {
	case nil:
		return console.New(io.Discard, false, false)
	case *console.Console:
		return w
	case *os.File:
		terminal := term.IsTerminal(int(w.Fd()))
		return console.New(w, terminal, terminal && os.Getenv("NO_COLOR") == "")
	}
	return console.New(w, false, false)
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
	var data *lighter.DataError
	var config *ConfigError
	var run *engine.Error
	var op *tensor.Error
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &op) && op.Kind == tensor.OutOfMemory:
		return ExitMemory
	case errors.As(err, &data):
		return ExitData
	case errors.As(err, &config):
		return ExitUsage
	case errors.As(err, &run):
		return run.Code
	}
	return ExitFailure
}
