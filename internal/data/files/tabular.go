package files

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data"
	"github.com/lighter-go/lighter/internal/data/columnar"
	"github.com/lighter-go/lighter/tensor"
)

// Tabular are the arguments that tables in CSV, Parquet and JSON lines share.
type Tabular struct {
	Selection
	Preprocessing Preprocessor `cfg:"preprocessing,aka=preprocessor|preprocess" help:"a Preprocessing that numbers categories, scales and fills in; null for none"`
}

// tabularDoc is what the references of the three say alike.
const tabularDoc = `
Texts become numbers, and numbers are scaled, by a Preprocessing (lighter.datasets.Preprocessing), which learns from the training part and which
the data sets of training, validation, tests and prediction share. A missing cell (empty, or a word such as NaN, NA or null
among numbers) is an error that names its row and column, unless the Preprocessing fills it in or allow_nan takes it as NaN.
`

// format reads tables of a kind of file.
type format interface {
	Read(path string, want columnar.Want) (*columnar.Table, error)
}

// used are the columns of a table that make a part of the samples.
type used struct {
	part
	columns []int
	one     bool
}

func (c Tabular) read(path string, f format) (_ lighter.Dataset, err error) {
	defer tensor.Recover(&err)
	s := tensor.Open()
	defer s.Close()
	var parts []used
	var wrong error // of the arguments, not of the file
	want := func(names []string, width int) (kinds []columnar.Kind, err error) {
		parts, wrong = c.parts(path, names, width)
		kinds = make([]columnar.Kind, width)
		for _, p := range parts {
			for _, i := range p.columns {
				kinds[i] = columnar.Number
				if c.Preprocessing != nil && c.Preprocessing.takesText(keyOf(names, i)) {
					kinds[i] = columnar.Text
				}
			}
		}
		return kinds, wrong
	}
	t, err := f.Read(path, want)
	switch {
	case wrong != nil:
		return nil, wrong
	case errors.Is(err, columnar.ErrText):
		return nil, data.Unreadable("path", fmt.Errorf("%w. Texts become numbers by a lighter.datasets.Preprocessing that has the column under categorical or one_hot; or leave it out of input", err))
	case err != nil:
		return nil, data.Unreadable("path", err)
	case t.Rows == 0:
		return nil, data.Unreadable("path", fmt.Errorf("%s has no rows", path))
	}
	start, stop, err := rows(c.Start, c.Stop, t.Rows, path)
	if err != nil {
		return nil, err
	}
	var columns []tensor.Tensor
	for _, p := range parts {
		x, err := c.tensor(t, p, start, stop)
		if err != nil {
			return nil, err
		}
		columns = append(columns, s.Return(x))
	}
	return data.RowsOf(data.InMemory(columns), path, start), nil
}

// parts are the columns of the input and, where there is one, of the target.
func (c Tabular) parts(path string, names []string, width int) ([]used, error) {
	var target []int
	var err error
	if c.Target.given() {
		if target, err = c.Target.of(width, names); err != nil {
			return nil, lighter.FieldError("target", "%s: %v", path, err)
		}
	}
	input, err := inputColumns(&c.Input, target, width, names)
	if err != nil {
		return nil, lighter.FieldError("input", "%s: %v", path, err)
	}
	parts := []used{{c.input(), input, c.Input.one}}
	if target != nil {
		parts = append(parts, used{c.target(), target, c.Target.one})
	}
	return parts, nil
}

// values are a column's numbers from row to row, width to each.
type values struct {
	numbers []float64
	width   int
	whole   bool // all of them are integers
}

// tensor is a part of all samples.
func (c Tabular) tensor(t *columnar.Table, p used, start, stop int) (tensor.Tensor, error) {
	all := make([]values, len(p.columns))
	width, whole := 0, true
	for k, i := range p.columns {
		v, err := c.values(t, i, start, stop)
		if err != nil {
			return tensor.Tensor{}, data.Unreadable("path", err)
		}
		all[k] = v
		width += v.width
		whole = whole && v.whole
	}
	dtype := p.dtypeFor(whole)
	if !dtype.IsFloat() {
		if err := wholeNumbers(t, p, all, start, dtype); err != nil {
			return tensor.Tensor{}, data.Unreadable("path", err)
		}
	}
	n := stop - start
	shape := []int64{int64(n), int64(width)}
	if p.one && width == 1 {
		shape = shape[:1]
	}
	if dtype == tensor.Float32 {
		return p.finish(tensor.FromSlice(interleave[float32](all, n, width), shape...), dtype)
	}
	return p.finish(tensor.FromSlice(interleave[float64](all, n, width), shape...), dtype)
}

// values are those of a column after the preprocessing.
func (c Tabular) values(t *columnar.Table, i, start, stop int) (v values, err error) {
	column := &t.Columns[i]
	if column.Kind == columnar.Number {
		v = values{column.Numbers[start*column.Width : stop*column.Width], column.Width, column.Whole}
	}
	if c.Preprocessing != nil {
		if v, err = c.Preprocessing.apply(t, i, start, stop, v); err != nil {
			return v, err
		}
	}
	if c.AllowNaN {
		for _, x := range v.numbers {
			if math.IsNaN(x) {
				v.whole = false
				break
			}
		}
		return v, nil
	}
	for k, x := range v.numbers {
		if math.IsNaN(x) {
			return v, missing(t, start+k/v.width, i)
		}
	}
	return v, nil
}

func missing(t *columnar.Table, row, i int) error {
	return fmt.Errorf("%s: the cell is missing, in row %d of %s. impute of a Preprocessing fills it in; allow_nan: true takes it as NaN", t.Place(row, i), row, t.Title(i))
}

func wholeNumbers(t *columnar.Table, p used, all []values, start int, dtype tensor.DType) error {
	for k, v := range all {
		for j, x := range v.numbers {
			if x != math.Trunc(x) || math.Abs(x) > 1<<53 {
				row := start + j/v.width
				return fmt.Errorf("%s: %v in row %d of %s is no whole number, as %s asks for", t.Place(row, p.columns[k]), x, row, t.Title(p.columns[k]), dtype)
			}
		}
	}
	return nil
}

// interleave puts columns beside each other, row by row.
func interleave[E float32 | float64](all []values, n, width int) []E {
	out := make([]E, n*width)
	threads := min(runtime.GOMAXPROCS(0), 1+n*width/1<<15)
	var running sync.WaitGroup
	for k := range threads {
		running.Go(func() {
			from, to := k*n/threads, (k+1)*n/threads
			at := 0
			for _, v := range all {
				for j := range v.width {
					for i := from; i < to; i++ {
						out[i*width+at+j] = E(v.numbers[i*v.width+j])
					}
				}
				at += v.width
			}
		})
	}
	running.Wait()
	return out
}
