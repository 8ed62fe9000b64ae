package callback

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

// CSVWriter are the arguments of Lighter's writer of predictions: a table with a row for each sample.
type CSVWriter struct {
	Path string   `cfg:"path,required" help:"the file to write"`
	Keys []string `cfg:"keys" help:"columns, names of a step's output; default: all of the first output"`
}

func init() {
	lighter.Register[lighter.Callback]("lighter.callbacks.CsvWriter", CSVWriter{}, "lighter.callbacks.csv_writer.CsvWriter")
}

// Validate refuses an empty list.
func (a CSVWriter) Validate() error {
	switch {
	case a.Path == "":
		return lighter.FieldError("path", "must not be empty")
	case a.Keys != nil && len(a.Keys) == 0:
		return lighter.FieldError("keys", "must name at least one key of the step's output")
	}
	return nil
}

// Build makes the callback.
func (a CSVWriter) Build(env *lighter.Env) (lighter.Callback, error) {
	return &csvWriter{path: a.Path, keys: a.Keys, log: env.Log}, nil
}

// csvWriter streams rows to a temporary file, which gets its name when predict is done.
type csvWriter struct {
	path string
	keys []string
	log  zerolog.Logger

	temp     *os.File
	buffer   *bufio.Writer
	table    *csv.Writer
	complete bool // the last batch was written
}

var (
	_ lighter.Setupper         = (*csvWriter)(nil)
	_ lighter.BatchEnder       = (*csvWriter)(nil)
	_ lighter.EpochEnder       = (*csvWriter)(nil)
	_ lighter.StageEnder       = (*csvWriter)(nil)
	_ lighter.PredictionWriter = (*csvWriter)(nil)
)

// WritesPredictions marks it as a writer.
func (w *csvWriter) WritesPredictions() {}

// Setup begins the table.
func (w *csvWriter) Setup(t lighter.Trainer) error {
	if t.Stage() != "predict" {
		return nil
	}
	if exists(w.path) {
		w.log.Warn().Msgf("%s already exists, existing predictions will be overwritten.", w.path)
	}
	if err := os.MkdirAll(filepath.Dir(w.path), 0o777); err != nil {
		return fmt.Errorf("CsvWriter: %w", err)
	}
	ext := filepath.Ext(w.path)
	f, err := os.Create(strings.TrimSuffix(w.path, ext) + ".tmp_rank0" + ext)
	if err != nil {
		return fmt.Errorf("CsvWriter: %w", err)
	}
	w.temp, w.buffer = f, bufio.NewWriterSize(f, 1<<16)
	w.table = csv.NewWriter(w.buffer)
	if w.keys != nil {
		return w.table.Write(w.keys)
	}
	return nil
}

// BatchEnd writes the rows of a batch. Waits for the device.
func (w *csvWriter) BatchEnd(_ lighter.Trainer, out lighter.Output, _ int) error {
	if w.temp == nil || len(out) == 0 {
		return nil
	}
	if w.keys == nil {
		w.keys = slices.Sorted(maps.Keys(out))
		if err := w.table.Write(w.keys); err != nil {
			return err
		}
	}
	return w.write(out)
}

func (w *csvWriter) write(out lighter.Output) error {
	present := slices.ContainsFunc(w.keys, func(k string) bool { _, ok := out[k]; return ok })
	if !present {
		return wording("CsvWriter: none of the configured keys %s were found in outputs. Available keys in outputs: %s",
			pythonList(w.keys), pythonList(slices.Sorted(maps.Keys(out))))
	}
	columns := make([]column, len(w.keys))
	rows := -1
	for i, k := range w.keys {
		v, ok := out[k]
		if !ok {
			return wording("CsvWriter expected key '%s' in outputs but it was missing.", k)
		}
		c, err := columnOf(v)
		switch {
		case err != nil:
			return fmt.Errorf("CsvWriter: key '%s': %w", k, err)
		case c.n >= 0 && rows < 0:
			rows = c.n
		case c.n >= 0 && c.n != rows:
			return wording("CsvWriter found inconsistent lengths for keys: expected %d, but found %d for key '%s'.", rows, c.n, k)
		}
		columns[i] = c
	}
	if rows < 0 {
		rows = 1 // nothing but single values
	}
	cells := make([]string, len(columns))
	for r := range rows {
		for i, c := range columns {
			cells[i] = c.cell(r)
		}
		if err := w.table.Write(cells); err != nil {
			return fmt.Errorf("CsvWriter: %w", err)
		}
	}
	return nil
}

// wording is an error in Lighter's own words, full stop and all.
func wording(format string, args ...any) error { return fmt.Errorf(format, args...) }

// EpochEnd notes that all batches are written.
func (w *csvWriter) EpochEnd(t lighter.Trainer) error {
	w.complete = t.Mode() == lighter.Predict
	return nil
}

// StageEnd gives the finished table its name.
func (w *csvWriter) StageEnd(lighter.Trainer) error {
	if w.temp == nil || !w.complete || w.keys == nil {
		return nil
	}
	w.table.Flush()
	err := errors.Join(w.table.Error(), w.buffer.Flush())
	if err == nil {
		err = w.temp.Sync()
	}
	if err == nil {
		err = w.temp.Close()
	}
	if err == nil {
		err = os.Rename(w.temp.Name(), w.path)
	}
	if err != nil {
		return fmt.Errorf("CsvWriter: %w", err)
	}
	w.temp = nil
	return nil
}

// Close removes an unfinished table.
func (w *csvWriter) Close() error {
	if w.temp != nil {
		w.temp.Close()
		os.Remove(w.temp.Name())
		w.temp = nil
	}
	return nil
}

// column is one key's values of a batch: n rows, or -1 for a value that all rows share.
type column struct {
	n    int
	cell func(row int) string
}

func columnOf(v lighter.Value) (column, error) {
	switch x := v.(type) {
	case lighter.List:
		return column{len(x), func(i int) string { return cellText(x[i]) }}, nil
	case tensor.Tensor:
		t, err := readTensor(x)
		if err != nil {
			return column{}, err
		}
		if len(t.shape) == 0 {
			return shared(t.element(0, true)), nil
		}
		size := t.rowSize()
		return column{int(t.shape[0]), func(i int) string { return t.text(i*size, t.shape[1:], true) }}, nil
	}
	return shared(cellText(v)), nil
}

func shared(text string) column { return column{-1, func(int) string { return text }} }

// hostTensor is a tensor's elements on the host, in C order.
type hostTensor struct {
	shape  []int64
	floats []float64
	ints   []int64
	bools  bool
}

func readTensor(t tensor.Tensor) (h hostTensor, err error) {
	defer tensor.Recover(&err)
	h.shape = t.Shape()
	switch {
	case t.IsFloat():
		h.floats = tensor.Values[float64](t)
	case t.DType() == tensor.Complex64 || t.DType() == tensor.Complex128:
		return h, fmt.Errorf("a tensor of type %s cannot be written to a table", t.DType())
	default:
		h.ints = tensor.Values[int64](t)
		h.bools = t.DType() == tensor.Bool
	}
	return h, nil
}

// rowSize is the number of elements of one row.
func (h hostTensor) rowSize() int {
	size := 1
	for _, n := range h.shape[1:] {
		size *= int(n)
	}
	return size
}

// element prints one element; alone in a cell, NaN is empty, as pandas writes it.
func (h hostTensor) element(i int, alone bool) string {
	switch {
	case h.bools:
		return pythonBool(h.ints[i] != 0)
	case h.floats == nil:
		return strconv.FormatInt(h.ints[i], 10)
	case alone && math.IsNaN(h.floats[i]):
		return ""
	}
	return expr.Float(h.floats[i])
}

// text prints the elements from i on, of a shape, as Python prints nested lists.
func (h hostTensor) text(i int, shape []int64, alone bool) string {
	if len(shape) == 0 {
		return h.element(i, alone)
	}
	size := 1
	for _, n := range shape[1:] {
		size *= int(n)
	}
	var b strings.Builder
	b.WriteByte('[')
	for k := range int(shape[0]) {
		if k > 0 {
			b.WriteString(", ")
		}
		b.WriteString(h.text(i+k*size, shape[1:], false))
	}
	b.WriteByte(']')
	return b.String()
}

// cellText prints a value that stands alone in a cell: str() of Python, with nothing for None and NaN.
func cellText(v lighter.Value) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case float64:
		if math.IsNaN(x) {
			return ""
		}
	case tensor.Tensor:
		if t, err := readTensor(x); err == nil {
			return t.text(0, t.shape, true)
		}
	}
	return valueText(v)
}

// valueText prints a value inside another: repr() of Python, tensors as lists.
func valueText(v lighter.Value) string {
	switch x := v.(type) {
	case nil:
		return "None"
	case bool:
		return pythonBool(x)
	case float64:
		return expr.Float(x)
	case string:
		return pythonRepr(x)
	case tensor.Tensor:
		if t, err := readTensor(x); err == nil {
			return t.text(0, t.shape, false)
		}
	case lighter.List:
		parts := make([]string, len(x))
		for i, e := range x {
			parts[i] = valueText(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case lighter.Dict:
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(x)) {
			parts = append(parts, pythonRepr(k)+": "+valueText(x[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return fmt.Sprint(v)
}
