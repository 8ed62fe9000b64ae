package mine

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"github.com/lighter-go/lighter"
)

// JSONLines writes every row as a line of JSON.
type JSONLines struct {
	Dir string `cfg:"dir" help:"the run's folder"`
}

func init() { lighter.Register[lighter.Logger]("mine.JSONLines", JSONLines{Dir: "jsonlines"}) }

func (c JSONLines) Build(*lighter.Env) (lighter.Logger, error) { return &jsonLines{dir: c.Dir}, nil }

type jsonLines struct {
	dir  string
	file *os.File
	buf  *bufio.Writer
}

func (l *jsonLines) Dir() string { return l.dir }

func (l *jsonLines) Open() (err error) {
	if err = os.MkdirAll(l.dir, 0o777); err != nil {
		return err
	}
	if l.file, err = os.Create(filepath.Join(l.dir, "metrics.jsonl")); err != nil {
		return err
	}
	l.buf = bufio.NewWriter(l.file)
	return nil
}

func (l *jsonLines) LogMetrics(row []lighter.Scalar, step int64) error {
	values := map[string]any{"step": step}
	for _, s := range row {
		values[s.Name] = s.Value
	}
	return json.NewEncoder(l.buf).Encode(values)
}

func (l *jsonLines) LogHyperparams(config []byte) error {
	return os.WriteFile(filepath.Join(l.dir, "config.yaml"), config, 0o666)
}

func (l *jsonLines) Flush() { _ = l.buf.Flush() } // Finalize gives the error

func (l *jsonLines) Finalize(string) error {
	if l.file == nil {
		return nil
	}
	return errors.Join(l.buf.Flush(), l.file.Close())
}
