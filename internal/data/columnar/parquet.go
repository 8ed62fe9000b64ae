package columnar

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strconv"
	"sync"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// Parquet reads a file of Apache Parquet. A column is a field of the schema that holds one number or text a row, or a list of
// numbers, as many in every row.
type Parquet struct{}

// Read reads a file.
func (Parquet) Read(path string, want Want) (t *Table, err error) {
	f, info, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readParquet(path, f, info.Size(), want)
}

func readParquet(path string, r io.ReaderAt, size int64, want Want) (t *Table, err error) {
	defer damaged(path, &err)
	var magic [4]byte
	if n, _ := r.ReadAt(magic[:], 0); size < 12 || n < 4 || string(magic[:]) != "PAR1" {
		return nil, fmt.Errorf("%s is no Parquet file, or is truncated: it has %d bytes and begins with %q", path, size, magic[:n])
	}
	var tail [8]byte // the footer's size, which parquet-go allocates, and the mark once more
	if _, err := r.ReadAt(tail[:], size-8); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	footer := int64(binary.LittleEndian.Uint32(tail[:]))
	if string(tail[4:]) != "PAR1" || footer > size-12 {
		return nil, fmt.Errorf("%s is truncated or damaged: it does not end with a footer and PAR1", path)
	}
	metadata := make([]byte, footer)
	if _, err := r.ReadAt(metadata, size-8-footer); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if _, err := thriftStruct(metadata); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", path, err)
	}
	f, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(1<<18))
	if err != nil {
		return nil, fmt.Errorf("%s is damaged or truncated: %w", path, err)
	}
	if f.NumRows() < 0 {
		return nil, fmt.Errorf("%s is damaged: it says that it has %d rows", path, f.NumRows())
	}
	fields := f.Root().Columns()
	names := make([]string, len(fields))
	for i, field := range fields {
		names[i] = field.Name()
	}
	if err := distinct(names); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	kinds, err := want(names, len(names))
	if err != nil {
		return nil, err
	}
	t = &Table{Path: path, Rows: int(f.NumRows()), Columns: make([]Column, len(fields)), place: func(int, int) string { return path }}
	errs := make([]error, len(fields))
	busy := make(chan struct{}, runtime.GOMAXPROCS(0))
	var running sync.WaitGroup
	for i, field := range fields {
		t.Columns[i] = Column{Name: names[i], Kind: kinds[i], Width: 1}
		if kinds[i] == Skip {
			continue
		}
		busy <- struct{}{}
		running.Go(func() {
			defer func() { <-busy }()
			defer damaged(path, &errs[i])
			errs[i] = readField(r, f, field, &t.Columns[i], t.Rows)
		})
	}
	running.Wait()
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", path, t.Title(i), err)
		}
	}
	return t, nil
}

// damaged turns the panic of the library on a file that is none into an error.
func damaged(path string, err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%s is damaged: %v", path, r)
	}
}

// readField reads a field of every row group.
func readField(r io.ReaderAt, f *parquet.File, field *parquet.Column, c *Column, rows int) error {
	leaf := field
	for !leaf.Leaf() {
		inner := leaf.Columns()
		if len(inner) != 1 {
			return fmt.Errorf("it is a struct of %d fields: a column is a number, a text or a list of numbers", len(inner))
		}
		leaf = inner[0]
	}
	levels := 0
	for node := field; ; node = node.Columns()[0] {
		if node.Repeated() {
			levels++
		}
		if node.Leaf() {
			break
		}
	}
	if levels > 1 {
		return errors.New("it is a list of lists: a column is a number, a text or a list of numbers")
	}
	read, err := reader(leaf, c, levels == 1)
	if err != nil {
		return err
	}
	at := cells{column: c, list: levels == 1}
	for i, group := range f.RowGroups() {
		if err := checkPages(r, f.Size(), f.Metadata().RowGroups[i].Columns[leaf.Index()].MetaData); err != nil {
			return fmt.Errorf("row group %d is damaged: %w", i, err)
		}
		if err := readChunk(group.ColumnChunks()[leaf.Index()], &at, read); err != nil {
			return err
		}
	}
	if err := at.end(); err != nil {
		return err
	}
	if at.rows != rows {
		return fmt.Errorf("it has %d rows, and the file says that there are %d", at.rows, rows)
	}
	c.Texts = at.texts.texts
	return nil
}

func readChunk(chunk parquet.ColumnChunk, at *cells, read func(parquet.Value, *cells) error) error {
	pages := chunk.Pages()
	defer pages.Close()
	values := make([]parquet.Value, 1024)
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("row %d and after: %w", at.rows, err)
		}
		in := page.Values()
		for {
			n, err := in.ReadValues(values)
			for _, v := range values[:n] {
				if v.RepetitionLevel() == 0 {
					if err := at.end(); err != nil {
						return err
					}
					at.rows, at.n = at.rows+1, 0
				}
				if err := read(v, at); err != nil {
					return fmt.Errorf("row %d: %w", at.rows-1, err)
				}
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return fmt.Errorf("row %d and after: %w", at.rows, err)
			}
		}
		parquet.Release(page)
	}
}

// cells gathers a column's cells.
type cells struct {
	column *Column
	list   bool
	rows   int // begun
	n      int // numbers of the row under way
	texts  dictionary
}

// end checks the length of the row that ends.
func (c *cells) end() error {
	if !c.list || c.rows == 0 {
		return nil
	}
	if c.rows == 1 {
		c.column.Width = c.n
	}
	if c.n != c.column.Width || c.n == 0 {
		return fmt.Errorf("row %d has a list of %d numbers, row 0 has %d: lists must be of one length, from 1 on", c.rows-1, c.n, c.column.Width)
	}
	return nil
}

func (c *cells) add(v float64) {
	c.n++
	c.column.Numbers = append(c.column.Numbers, v)
}

func (c *cells) text(s string) {
	c.column.Codes = append(c.column.Codes, c.texts.code(s))
}

func (c *cells) missing() {
	c.n++
	if c.column.Kind == Text {
		c.column.Codes = append(c.column.Codes, -1)
		return
	}
	c.column.Numbers = append(c.column.Numbers, math.NaN())
}

// reader gives what reads a value of a leaf.
func reader(leaf *parquet.Column, c *Column, list bool) (func(parquet.Value, *cells) error, error) {
	number, whole, err := numeric(leaf)
	if c.Kind == Text {
		if list {
			return nil, errors.New("it is a list, not a text")
		}
		if err != nil {
			return func(v parquet.Value, at *cells) error {
				if v.IsNull() {
					at.missing()
				} else {
					at.text(view(v.ByteArray()))
				}
				return nil
			}, textual(leaf, err)
		}
		return func(v parquet.Value, at *cells) error {
			if v.IsNull() {
				at.missing()
				return nil
			}
			x, err := number(v)
			at.text(strconv.FormatFloat(x, 'g', -1, 64))
			return err
		}, nil
	}
	if err != nil {
		return nil, err
	}
	c.Whole = whole
	elementLevel := leaf.MaxDefinitionLevel() // of a list's number that is null; below it there is no list or none of its numbers
	if leaf.Optional() {
		elementLevel--
	}
	return func(v parquet.Value, at *cells) error {
		switch {
		case v.IsNull() && list && v.DefinitionLevel() < elementLevel: // an empty list, or none
			return nil
		case v.IsNull():
			at.missing()
			return nil
		}
		x, err := number(v)
		at.add(x)
		return err
	}, nil
}

// textual is nil for a leaf of texts, else why it is none.
func textual(leaf *parquet.Column, err error) error {
	if k := leaf.Type().Kind(); k != parquet.ByteArray {
		return err
	}
	if l := leaf.Type().LogicalType(); l != nil {
		switch l.Value.(type) {
		case *format.DecimalType, *format.BsonType:
			return err
		}
	}
	return nil
}

// numeric gives what makes a number of a value, and whether all are whole.
func numeric(leaf *parquet.Column) (number func(parquet.Value) (float64, error), whole bool, err error) {
	kind, l := leaf.Type().Kind(), leaf.Type().LogicalType()
	unsigned := false
	if l != nil {
		switch v := l.Value.(type) {
		case *format.TimestampType, *format.DateType, *format.TimeType:
			return nil, false, fmt.Errorf("it holds times (%s), not numbers: save it as numbers, of days or seconds", leaf.Type())
		case *format.DecimalType:
			return nil, false, fmt.Errorf("it holds decimals (%s): save it as float64", leaf.Type())
		case *format.IntType:
			unsigned = !v.IsSigned
		}
	}
	switch kind {
	case parquet.Boolean:
		return func(v parquet.Value) (float64, error) {
			if v.Boolean() {
				return 1, nil
			}
			return 0, nil
		}, true, nil
	case parquet.Int32:
		if unsigned {
			return func(v parquet.Value) (float64, error) { return float64(v.Uint32()), nil }, true, nil
		}
		return func(v parquet.Value) (float64, error) { return float64(v.Int32()), nil }, true, nil
	case parquet.Int64:
		return func(v parquet.Value) (float64, error) {
			n := v.Int64()
			if n > 1<<53 || n < -1<<53 {
				return 0, fmt.Errorf("%d is beyond 2^53: numbers are read as float64, which does not hold it", n)
			}
			return float64(n), nil
		}, true, nil
	case parquet.Float:
		return func(v parquet.Value) (float64, error) { return finite(float64(v.Float())) }, false, nil
	case parquet.Double:
		return func(v parquet.Value) (float64, error) { return finite(v.Double()) }, false, nil
	}
	switch {
	case kind == parquet.ByteArray:
		return nil, false, fmt.Errorf("it holds texts (%s), and a text %w", leaf.Type(), ErrText)
	case kind == parquet.FixedLenByteArray && leaf.Type().Length() == 2:
		return nil, false, errors.New("it holds float16: save it as float32")
	}
	return nil, false, fmt.Errorf("it holds %s: a column is a number, a text or a list of numbers", leaf.Type())
}

func finite(v float64) (float64, error) {
	if math.IsInf(v, 0) {
		return 0, fmt.Errorf("%v is not finite", v)
	}
	return v, nil
}
