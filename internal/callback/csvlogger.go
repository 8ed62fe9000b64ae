package callback

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/atomicfile"
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

// Version is the argument version: an int, a str or null. Folder is "version_<n>", or the str as it is; "" for the next free one.
type Version struct{ Folder string }

// ConfigType names the forms.
func (v *Version) ConfigType() string { return "an int, a str or null" }

// DecodeConfig takes any of the forms.
func (v *Version) DecodeConfig(x any) error {
	switch x := x.(type) {
	case nil:
		v.Folder = ""
	case int64:
		v.Folder = "version_" + strconv.FormatInt(x, 10)
	case string:
		v.Folder = x
	default:
		return errors.New("expected " + v.ConfigType())
	}
	return nil
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
	return &csvLogger{args: a, log: env.Log, root: root}, nil
}

// csvLogger hands rows to a goroutine that formats and writes them.
type csvLogger struct {
	args CSVLogger
	log  zerolog.Logger
	root string
	dir  string
	made bool // we made dir for this run

	table   *csvTable
	rows    chan csvRow
	done    chan struct{}
	failure atomic.Pointer[error]
}

// csvRow is one row, or a wish that those before it be written.
type csvRow struct {
	scalars []lighter.Scalar
	step    int64
	flush   bool
}

// rowQueue is how many rows may wait to be written before logging waits.
const rowQueue = 1024

// Dir is the run's folder. The next free number is taken by making its folder, so that runs started at the same time get
// folders of their own.
func (l *csvLogger) Dir() string {
	switch {
	case l.dir != "":
	case l.args.Version.Folder != "":
		l.dir = filepath.Join(l.root, l.args.Version.Folder)
	default:
		l.dir = l.claim()
	}
	return l.dir
}

// claim makes the next free version's folder. A failure shows in Open.
func (l *csvLogger) claim() string {
	err := os.MkdirAll(l.root, 0o777)
	for n := nextVersion(l.root); ; n++ {
		dir := filepath.Join(l.root, fmt.Sprintf("version_%d", n))
		if err == nil {
			err = os.Mkdir(dir, 0o777)
		}
		if errors.Is(err, fs.ErrExist) {
			err = nil
			continue
		}
		l.made = err == nil
		return dir
	}
}

// nextVersion is one more than the greatest number of a version_<n> folder in root.
func nextVersion(root string) int {
	entries, _ := os.ReadDir(root)
	next := 0
	for _, e := range entries {
		name, ok := strings.CutPrefix(e.Name(), "version_")
		name, _, _ = strings.Cut(name, "_")
		if n, err := strconv.ParseUint(name, 10, 31); ok && err == nil && isDir(filepath.Join(root, e.Name())) {
			next = max(next, int(n)+1)
		}
	}
	return next
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// Open makes the run's folder. What an earlier run left there stays until this one logs.
func (l *csvLogger) Open() error {
	dir := l.Dir()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("CSVLogger: %w", err)
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		l.log.Warn().Msgf("Experiment logs directory %s exists and is not empty. Previous log files in this directory will be replaced when this run logs.", dir)
	}
	return nil
}

// LogMetrics hands a row over to be written; it costs the caller a copy. The error is that of an earlier row.
func (l *csvLogger) LogMetrics(row []lighter.Scalar, step int64) error {
	if err := l.failure.Load(); err != nil {
		return *err
	}
	if l.rows == nil {
		l.start()
	}
	l.rows <- csvRow{scalars: slices.Clone(row), step: step}
	return nil
}

// Flush asks for what was logged to be written to the disk soon. It does not wait.
func (l *csvLogger) Flush() {
	if l.rows != nil {
		select {
		case l.rows <- csvRow{flush: true}:
		default: // the queue is full: rows are being written all the time
		}
	}
}

func (l *csvLogger) start() {
	if l.table == nil {
		prefix := ""
		if l.args.Prefix != "" {
			prefix = l.args.Prefix + "-"
		}
		l.table = &csvTable{path: filepath.Join(l.Dir(), "metrics.csv"), prefix: prefix}
	}
	l.rows, l.done = make(chan csvRow, rowQueue), make(chan struct{})
	go func() {
		defer close(l.done)
		if err := l.table.serve(l.rows, int64(l.args.FlushLogsEveryNSteps)); err != nil {
			err = fmt.Errorf("CSVLogger: %w", err)
			l.failure.Store(&err)
			for range l.rows { // so that nobody waits for a place in the queue
			}
		}
	}()
}

// LogHyperparams writes hparams.yaml: the configuration under `config` and at the top, as Lighter's run leaves it.
func (l *csvLogger) LogHyperparams(config []byte) error {
	var b bytes.Buffer
	if !bytes.HasPrefix(config, []byte("config:")) && !bytes.Contains(config, []byte("\nconfig:")) {
		b.WriteString("config:\n")
		for line := range bytes.Lines(config) {
			if len(bytes.TrimSpace(line)) > 0 {
				b.WriteString("    ")
			}
			b.Write(line)
		}
	}
	b.Write(config)
	return atomicfile.Write(filepath.Join(l.Dir(), "hparams.yaml"), func(w io.Writer) error {
		_, err := b.WriteTo(w)
		return err
	})
}

// Finalize writes what is left, and waits for it. Logging may go on afterwards.
func (l *csvLogger) Finalize(string) error {
	if l.rows != nil {
		close(l.rows)
		<-l.done
		l.rows = nil
	}
	if err := l.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// Close removes the folder of a run that ended before it wrote anything.
func (l *csvLogger) Close() error {
	err := l.Finalize("failed")
	if l.made {
		os.Remove(l.dir) // fails, as it should, when there is something in it
	}
	return err
}
