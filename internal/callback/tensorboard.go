package callback

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/eventfile"
)

// TensorBoardLogger are the arguments of Lightning's logger. Its files are `<save_dir>/<name>/version_<n>/<sub_dir>/events.out.tfevents.*`
// and hparams.yaml. A `~` at the start, and `$NAME` and `${NAME}` of the environment, are filled in.
// https://lightning.ai/docs/pytorch/stable/extensions/generated/lightning.pytorch.loggers.TensorBoardLogger.html
type TensorBoardLogger struct {
	SaveDir         string  `cfg:"save_dir,required" help:"folder of all experiments"`
	Name            *string `cfg:"name" help:"folder of the experiment; null for none"`
	Version         Version `cfg:"version" help:"number or name of the run's folder; default: the next free number"`
	LogGraph        bool    `cfg:"log_graph" help:"write the graph of a model with an example_input_array; ours have none: warns"`
	DefaultHPMetric bool    `cfg:"default_hp_metric" help:"show the run in the HParams dashboard, with hp_metric -1"`
	Prefix          string  `cfg:"prefix" help:"put before every name, with a dash"`
	SubDir          *string `cfg:"sub_dir" help:"folder below the run's for these files"`
}

func init() {
	name := "lightning_logs"
	lighter.Register[lighter.Logger]("pytorch_lightning.loggers.TensorBoardLogger", TensorBoardLogger{Name: &name, DefaultHPMetric: true},
		aliases("loggers", "tensorboard", "TensorBoardLogger")...)
}

// Validate refuses a sub_dir outside of the run's folder.
func (a TensorBoardLogger) Validate() error {
	if a.SubDir != nil && *a.SubDir != "" && !filepath.IsLocal(expandPath(*a.SubDir)) {
		return lighter.FieldError("sub_dir", "must be a path below the run's folder, got %q", *a.SubDir)
	}
	return nil
}

// Build makes the logger.
func (a TensorBoardLogger) Build(env *lighter.Env) (lighter.Logger, error) {
	if a.LogGraph { // as Lightning says it of every lighter.LighterModule
		env.Log.Warn().Msg("Could not log computational graph to TensorBoard: The `model.example_input_array` attribute is not set or `input_array` was not given.")
	}
	root := a.SaveDir
	if a.Name != nil {
		root = filepath.Join(root, *a.Name)
	}
	l := &tensorBoardLogger{
		loggerDir:  loggerDir{root: expandPath(root), version: expandPath(a.Version.Folder)},
		loggerRows: loggerRows{class: "TensorBoardLogger", now: time.Now}, args: a,
	}
	if a.SubDir != nil {
		l.subDir = expandPath(*a.SubDir)
	}
	return l, nil
}

var environment = regexp.MustCompile(`\$(\w+|\{[^}]*\})`)

// expandPath is Python's os.path.expandvars and, for the user's own folder, expanduser: what is not known stays.
func expandPath(path string) string {
	path = environment.ReplaceAllStringFunc(path, func(s string) string {
		if v, ok := os.LookupEnv(strings.Trim(s, "${}")); ok {
			return v
		}
		return s
	})
	if path == "~" || strings.HasPrefix(path, "~/") {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, path[1:])
		}
	}
	return path
}

// tensorBoardLogger writes an event file.
type tensorBoardLogger struct {
	loggerDir
	loggerRows
	args   TensorBoardLogger
	subDir string
	file   *eventfile.Writer
	first  int64 // events before the first row's
}

// events is the folder of the event file; checkpoints go to Dir, whatever sub_dir says.
func (l *tensorBoardLogger) events() string { return filepath.Join(l.Dir(), l.subDir) }

// Open makes the run's folder. The event file is made when there is something to write.
func (l *tensorBoardLogger) Open() error {
	dir := l.events()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("TensorBoardLogger: %w", err)
	}
	if l.file == nil {
		l.file = eventfile.New(dir)
		l.sink = &eventSink{file: l.file, prefix: namePrefix(l.args.Prefix)}
	}
	return nil
}

// hpMetric is Lightning's metric for runs that have not named theirs: its place in the dashboard, without a value.
const hpMetric = "hp_metric"

// LogHyperparams writes hparams.yaml, unless an earlier run left one there, as Lightning does; and the configuration for the
// dashboard, flat: "model/optimizer/lr".
func (l *tensorBoardLogger) LogHyperparams(config []byte) error {
	if !exists(filepath.Join(l.events(), hparamsFile)) {
		if err := writeHyperparams(l.events(), config); err != nil {
			return err
		}
	}
	if !l.args.DefaultHPMetric || l.continued {
		return nil
	}
	params, err := flatten(config)
	if err != nil {
		return fmt.Errorf("TensorBoardLogger: hyper-parameters: %w", err)
	}
	if err := l.Finalize(""); err != nil { // the file is this goroutine's now
		return err
	}
	at := l.now()
	l.file.Scalar(at, 0, namePrefix(l.args.Prefix)+hpMetric, -1)
	l.file.HParams(at, params, []string{hpMetric})
	l.first = 5 // the version, the metric, and three of the hyper-parameters
	if err := l.file.Flush(); err != nil {
		return fmt.Errorf("TensorBoardLogger: %w", err)
	}
	return nil
}

// Close removes the folders of a run that ended before it wrote anything.
func (l *tensorBoardLogger) Close() error {
	err := l.Finalize("failed")
	if l.made {
		for dir := l.events(); len(dir) > len(l.dir); dir = filepath.Dir(dir) {
			os.Remove(dir)
		}
	}
	l.removeUnused()
	return err
}

// eventSink writes rows as scalars, each an event of its own.
type eventSink struct {
	file   *eventfile.Writer
	prefix string
}

// eventBuffer is how many bytes of events may wait in memory.
const eventBuffer = 1 << 20

func (s *eventSink) add(r loggedRow) (full bool) {
	for _, v := range r.scalars {
		s.file.Scalar(r.at, r.step, s.prefix+v.Name, v.Value)
	}
	return s.file.Buffered() >= eventBuffer
}

func (s *eventSink) flush() error { return s.file.Flush() }
