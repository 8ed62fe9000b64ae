package callback

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/atomicfile"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// TableWriter are the arguments of the TableWriter of Lighter 0.0.x.
type TableWriter struct {
	Path   string    `cfg:"path,required" help:"the CSV file to write"`
	Writer TableCell `cfg:"writer,required" help:"tensor, or a callable that makes a cell of a sample's prediction"`
}

func init() {
	lighter.Register[lighter.Callback]("lighter.callbacks.TableWriter", TableWriter{}, "lighter.callbacks.writer.table.TableWriter")
}

// Doc is the component's prose.
func (TableWriter) Doc() string {
	return `The TableWriter of Lighter 0.0.x: writes the prediction of each sample to a row "identifier,pred" of a CSV file, sorted by
identifier. Where a System's batch adapter gives no identifier, rows are numbered from 0.`
}

// Validate refuses an empty path.
func (a TableWriter) Validate() error {
	if a.Path == "" {
		return lighter.FieldError("path", "must not be empty")
	}
	return nil
}

// Build makes the callback.
func (a TableWriter) Build(env *lighter.Env) (lighter.Callback, error) {
	return &tableWriter{args: a, log: env.Log}, nil
}

// TableCell makes a cell of a sample's prediction.
type TableCell struct{ of registry.Func } // nil for a tensor's elements

// ConfigType names the forms.
func (*TableCell) ConfigType() string { return `"tensor" or a callable` }

// DecodeConfig takes the name or a callable.
func (c *TableCell) DecodeConfig(v any) error {
	switch x := v.(type) {
	case string:
		if x != "tensor" {
			return wording("Writer for format %s does not exist. Available writers: ['tensor'].", x)
		}
		c.of = nil
		return nil
	case registry.Func:
		c.of = x
		return nil
	}
	return fmt.Errorf("must be %s, got %s", c.ConfigType(), registry.Describe(v))
}

// CheckConfig refuses a component that is no callable.
func (c *TableCell) CheckConfig(v any) error {
	if _, later := v.(config.Unknown); later {
		return nil
	}
	return c.DecodeConfig(v)
}

type tableWriter struct {
	args TableWriter
	log  zerolog.Logger
	rows []tableRow
	next int64
}

type tableRow struct {
	identifier lighter.Value
	pred       string
}

var (
	_ lighter.Setupper         = (*tableWriter)(nil)
	_ lighter.BatchEnder       = (*tableWriter)(nil)
	_ lighter.EpochEnder       = (*tableWriter)(nil)
	_ lighter.PredictionWriter = (*tableWriter)(nil)
)

// WritesPredictions marks it as a writer.
func (w *tableWriter) WritesPredictions() {}

// Setup makes the folder.
func (w *tableWriter) Setup(t lighter.Trainer) error {
	if t.Stage() != "predict" {
		return nil
	}
	if exists(w.args.Path) {
		w.log.Warn().Msgf("%s already exists, existing predictions will be overwritten.", w.args.Path)
	}
	if err := os.MkdirAll(filepath.Dir(w.args.Path), 0o777); err != nil {
		return fmt.Errorf("TableWriter: %w", err)
	}
	return nil
}

// BatchEnd notes the rows of a batch. Waits for the device.
func (w *tableWriter) BatchEnd(t lighter.Trainer, out lighter.Output, _ int) error {
	if t.Mode() != lighter.Predict {
		return nil
	}
	preds, err := samplesOf(out, "pred")
	if err != nil {
		return fmt.Errorf("TableWriter: %w", err)
	}
	var names lighter.List
	if out["identifier"] != nil {
		if names, err = samplesOf(out, "identifier"); err != nil {
			return err
		}
		if len(names) != len(preds) {
			return fmt.Errorf("TableWriter: the number of predictions (%d) does not match the number of identifiers (%d)", len(preds), len(names))
		}
	}
	for i, pred := range preds {
		row := tableRow{identifier: w.next}
		if names != nil {
			row.identifier = plain(names[i])
		} else {
			w.next++
		}
		if row.pred, err = w.cell(pred); err != nil {
			return fmt.Errorf("TableWriter: %w", err)
		}
		w.rows = append(w.rows, row)
	}
	return nil
}

func (w *tableWriter) cell(pred lighter.Value) (string, error) {
	if w.args.Writer.of != nil {
		v, err := w.args.Writer.of([]any{pred}, nil)
		if err != nil {
			return "", err
		}
		pred = v
	}
	if t, ok := pred.(tensor.Tensor); ok && t.Numel() == 1 {
		pred = t.Reshape()
	}
	return cellText(pred), nil
}

// plain is a sample's identifier without its tensor.
func plain(v lighter.Value) lighter.Value {
	t, ok := v.(tensor.Tensor)
	switch {
	case !ok:
		return v
	case t.Numel() == 1 && !t.IsFloat():
		return t.Int()
	}
	return cellText(t)
}

// EpochEnd writes the table, sorted where the identifiers can be compared.
func (w *tableWriter) EpochEnd(t lighter.Trainer) error {
	if t.Mode() != lighter.Predict {
		return nil
	}
	rows := w.rows
	w.rows = nil
	slices.SortStableFunc(rows, byIdentifier(rows))
	var text bytes.Buffer
	table := csv.NewWriter(&text)
	table.Write([]string{"identifier", "pred"})
	for _, r := range rows {
		table.Write([]string{cellText(r.identifier), r.pred})
	}
	table.Flush()
	if err := atomicfile.Write(w.args.Path, func(out io.Writer) error { _, err := out.Write(text.Bytes()); return err }); err != nil {
		return fmt.Errorf("TableWriter: %w", err)
	}
	return nil
}

// byIdentifier compares ints with ints and strs with strs; where both are among the rows, or others, it leaves their order.
func byIdentifier(rows []tableRow) func(a, b tableRow) int {
	ints, texts := 0, 0
	for _, r := range rows {
		switch r.identifier.(type) {
		case int64:
			ints++
		case string:
			texts++
		}
	}
	switch len(rows) {
	case ints:
		return func(a, b tableRow) int { return cmp.Compare(a.identifier.(int64), b.identifier.(int64)) }
	case texts:
		return func(a, b tableRow) int { return cmp.Compare(a.identifier.(string), b.identifier.(string)) }
	}
	return func(a, b tableRow) int { return 0 }
}
