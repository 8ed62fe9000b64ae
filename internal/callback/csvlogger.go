package callback

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
)

// CSVLogger are the arguments of Lightning's logger. Its files are `<save_dir>/<name>/version_<n>/metrics.csv` and hparams.yaml.
// https://lightning.ai/docs/pytorch/stable/extensions/generated/lightning.pytorch.loggers.CSVLogger.html
type CSVLogger struct {
	SaveDir              string  `cfg:"save_dir,required,aka=root_dir" help:"folder of all experiments"`
	Name                 *string `cfg:"name" help:"folder of the experiment; null for none"`
	Version              Version `cfg:"version" help:"number or name of the run's folder; default: the next free number"`
	Prefix               string  `cfg:"prefix" help:"put before every name, with a dash"`
	FlushLogsEveryNSteps int     `cfg:"flush_logs_every_n_steps" help:"write rows to the disk at least so often; a second passes at most"`
}

func init() {
	name := "lightning_logs"
	lighter.Register[lighter.Logger]("pytorch_lightning.loggers.CSVLogger", CSVLogger{Name: &name, FlushLogsEveryNSteps: 100},
		aliases("loggers", "csv_logs", "CSVLogger")...)
}

// Validate refuses a flush interval below one.
func (a CSVLogger) Validate() error {
	if a.FlushLogsEveryNSteps < 1 {
		return lighter.FieldError("flush_logs_every_n_steps", "must be at least 1, got %d", a.FlushLogsEveryNSteps)
	}
	return nil
}

// Build makes the logger.
func (a CSVLogger) Build(env *lighter.Env) (lighter.Logger, error) {
	root := a.SaveDir
	if a.Name != nil {
		root = filepath.Join(root, *a.Name)
	}
	return &csvLogger{
		loggerDir: loggerDir{root: root, version: a.Version.Folder}, loggerRows: loggerRows{class: "CSVLogger", now: time.Now, every: int64(a.FlushLogsEveryNSteps)}, args: a, log: env.Log,
	}, nil
}

// csvLogger writes a csvTable.
type csvLogger struct {
	loggerDir
	loggerRows
	args CSVLogger
	log  zerolog.Logger
}

// Open makes the run's folder. What an earlier run left there stays until this one logs.
func (l *csvLogger) Open() error {
	dir := l.Dir()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("CSVLogger: %w", err)
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 && l.of == nil && !l.continued {
		l.log.Warn().Msgf("Experiment logs directory %s exists and is not empty. Previous log files in this directory will be replaced when this run logs.", dir)
	}
	if l.sink == nil {
		l.sink = &csvTable{path: filepath.Join(dir, "metrics.csv"), prefix: namePrefix(l.args.Prefix)}
	}
	return nil
}

// namePrefix is what the argument prefix puts before names.
func namePrefix(prefix string) string {
	if prefix == "" {
		return ""
	}
	return prefix + "-"
}

// LogHyperparams writes hparams.yaml.
func (l *csvLogger) LogHyperparams(config []byte) error { return writeHyperparams(l.Dir(), config) }

// Close removes the folder of a run that ended before it wrote anything.
func (l *csvLogger) Close() error {
	err := l.Finalize("failed")
	l.removeUnused()
	return err
}
