package data

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// CSV is `lighter.datasets.CSV`: the rows of a text table as samples (input, target), or (input) without a target.
type CSV struct {
	Path string `cfg:"path,required,aka=file|filename|csv_path" help:"the file"`
	Selection
	Header    *bool  `cfg:"header" help:"the first row holds names; when null, if one of its cells is no number"`
	Delimiter string `cfg:"delimiter,aka=sep|separator" help:"the character between cells"`
}

// Doc is the reference's text.
func (CSV) Doc() string {
	return `A table of numbers in a text file, held in memory. A column is named by its header or its index from 0; ` + "`\"0:64\"`" + ` is a range as
in Python, and negative numbers count from the end. Numbers are read as float64 and converted, as numpy.loadtxt and pandas
do; the operations of ` + "`input_ops` and `target_ops`" + ` then are PyTorch's in that dtype, in the order written, with a number or a
list of one number a column. A wrong cell is reported as file:line:column.

    dataset:
      _target_: lighter.datasets.CSV
      path: data/diabetes.csv
      target: progression
      input_ops: {mul: 20}
      target_ops: [{sub: 152}, {div: 77}]
      start: 0
      stop: 300`
}

// Validate checks what needs no file.
func (c CSV) Validate() error {
	if utf8.RuneCountInString(c.Delimiter) != 1 || strings.ContainsAny(c.Delimiter, "\r\n\"\uFFFD") {
		return lighter.FieldError("delimiter", "must be one character that is no quote or line break, got %q", c.Delimiter)
	}
	return c.checkShapes()
}

// Build reads the file.
func (c CSV) Build(*lighter.Env) (_ lighter.Dataset, err error) {
	defer tensor.Recover(&err)
	s := tensor.Open()
	defer s.Close()
	f, err := os.Open(c.Path)
	if err != nil {
		return nil, unreadable("path", err)
	}
	defer f.Close()
	t := csvTable{path: c.Path, allowNaN: c.AllowNaN}
	if err := t.read(f, []rune(c.Delimiter)[0], c.Header); err != nil {
		return nil, unreadable("path", err)
	}
	if t.rows == 0 {
		return nil, unreadable("path", fmt.Errorf("%s has no rows", c.Path))
	}
	var target []int
	if c.Target.given() {
		if target, err = c.Target.of(t.width, t.names); err != nil {
			return nil, lighter.FieldError("target", "%s: %v", c.Path, err)
		}
	}
	input, err := inputColumns(&c.Input, target, t.width, t.names)
	if err != nil {
		return nil, lighter.FieldError("input", "%s: %v", c.Path, err)
	}
	start, stop, err := rows(c.Start, c.Stop, t.rows, c.Path)
	if err != nil {
		return nil, err
	}
	d := &table{n: stop - start}
	add := func(p part, columns []int, one bool) error {
		dtype := p.dtypeFor(t.whole(columns))
		x, err := t.tensor(columns, start, stop, dtype)
		if err != nil {
			return unreadable("path", err)
		}
		if one {
			x = x.Select(1, 0)
		}
		if x, err = p.finish(x, dtype); err == nil {
			d.columns = append(d.columns, s.Return(x))
		}
		return err
	}
	if err := add(part{"input", c.InputDType, c.InputShape, c.InputOps}, input, c.Input.one); err != nil {
		return nil, err
	}
	if target != nil {
		if err := add(part{"target", c.TargetDType, c.TargetShape, c.TargetOps}, target, c.Target.one); err != nil {
			return nil, err
		}
	}
	return RowsOf(d, c.Path, start), nil
}

// csvTable is a file's cells, row by row. A cell that is no number is an error only where its column is used.
type csvTable struct {
	path     string
	allowNaN bool
	names    []string
	width    int
	rows     int
	cells    []float64
	fraction []bool        // by column: a cell is written with a point or an exponent
	wrong    map[int]wrong // by column: the first cell that is no number
}

type wrong struct {
	text      string
	row       int
	line, col int
}

func (t *csvTable) read(r io.Reader, delimiter rune, header *bool) error {
	b := bufio.NewReaderSize(r, 1<<16)
	if bom, _ := b.Peek(3); string(bom) == "\xef\xbb\xbf" {
		_, _ = b.Discard(3)
	}
	in := csv.NewReader(b)
	in.Comma, in.ReuseRecord, in.FieldsPerRecord = delimiter, true, -1
	t.wrong = map[int]wrong{}
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var syntax *csv.ParseError
		if errors.As(err, &syntax) {
			return fmt.Errorf("%s:%d:%d: %w", t.path, syntax.Line, syntax.Column, syntax.Err)
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", t.path, err)
		}
		if t.width == 0 {
			t.width, t.fraction = len(record), make([]bool, len(record))
			if header != nil && *header || header == nil && slices.ContainsFunc(record, notNumber) {
				for _, name := range record {
					t.names = append(t.names, strings.TrimSpace(name))
				}
				continue
			}
		}
		if len(record) != t.width {
			line, col := in.FieldPos(0)
			return fmt.Errorf("%s:%d:%d: the row has %d cells, but the rows before have %d", t.path, line, col, len(record), t.width)
		}
		for i, text := range record {
			v, ok := t.number(strings.TrimSpace(text), i)
			if _, known := t.wrong[i]; !ok && !known {
				line, col := in.FieldPos(i)
				t.wrong[i] = wrong{text, t.rows, line, col}
			}
			t.cells = append(t.cells, v)
		}
		t.rows++
	}
}

func notNumber(text string) bool {
	_, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return err != nil && strings.TrimSpace(text) != ""
}

// number reads a cell of column i; an infinity or a number beyond float64 is none.
func (t *csvTable) number(text string, i int) (float64, bool) {
	if t.allowNaN && text == "" {
		t.fraction[i] = true
		return math.NaN(), true
	}
	if strings.ContainsAny(text, "_xX") { // Go's spellings of numbers, not a table's
		return 0, false
	}
	v, err := strconv.ParseFloat(text, 64)
	if strings.ContainsAny(text, ".eEnN") {
		t.fraction[i] = true
	}
	return v, err == nil && !math.IsInf(v, 0) && (t.allowNaN || !math.IsNaN(v))
}

// whole says whether all cells of columns are written as whole numbers, in the whole file.
func (t *csvTable) whole(columns []int) bool {
	return !slices.ContainsFunc(columns, func(i int) bool { return t.fraction[i] })
}

func (t *csvTable) name(i int) string {
	if t.names != nil {
		return fmt.Sprintf("column %q", t.names[i])
	}
	return fmt.Sprintf("column %d", i)
}

// tensor is the cells of columns from row start to stop, float64 [stop-start, len(columns)].
func (t *csvTable) tensor(columns []int, start, stop int, dtype tensor.DType) (tensor.Tensor, error) {
	for _, i := range columns {
		if w, ok := t.wrong[i]; ok {
			what := fmt.Sprintf("%q is no number", w.text)
			if strings.TrimSpace(w.text) == "" {
				what = "the cell is empty"
			} else if v, err := strconv.ParseFloat(strings.TrimSpace(w.text), 64); err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
				what = fmt.Sprintf("%q is not finite", w.text)
			}
			return tensor.Tensor{}, fmt.Errorf("%s:%d:%d: %s, in row %d of %s", t.path, w.line, w.col, what, w.row, t.name(i))
		}
	}
	values := make([]float64, 0, (stop-start)*len(columns))
	for row := start; row < stop; row++ {
		for _, i := range columns {
			v := t.cells[row*t.width+i]
			if !dtype.IsFloat() && (v != math.Trunc(v) || math.Abs(v) > 1<<53) {
				return tensor.Tensor{}, fmt.Errorf("%s: %v in row %d of %s is no whole number, as %s asks for", t.path, v, row, t.name(i), dtype)
			}
			values = append(values, v)
		}
	}
	return tensor.FromSlice(values, int64(stop-start), int64(len(columns))), nil
}

func init() { registry.Register[lighter.Dataset]("lighter.datasets.CSV", CSV{Delimiter: ","}) }
