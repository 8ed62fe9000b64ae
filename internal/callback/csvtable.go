package callback

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"

	"github.com/lighter-go/lighter/internal/atomicfile"
	"github.com/lighter-go/lighter/internal/config/expr"
)

// csvTable is a CSV file whose columns are the sorted names of all rows so far. A new name makes it anew, whole or not at
// all; other rows are appended.
type csvTable struct {
	path    string
	prefix  string
	columns []string
	begun   bool // the file is this run's
	pending []map[string]string
}

// add formats a row as Python prints its numbers. The epoch is an int.
func (t *csvTable) add(r loggedRow) (full bool) {
	row := make(map[string]string, len(r.scalars)+1)
	for _, s := range r.scalars {
		text := expr.Float(s.Value)
		if s.Name == "epoch" && s.Value == math.Trunc(s.Value) {
			text = strconv.FormatInt(int64(s.Value), 10)
		}
		row[t.prefix+s.Name] = text
	}
	row["step"] = strconv.FormatInt(r.step, 10)
	t.pending = append(t.pending, row)
	return false
}

func (t *csvTable) flush() error {
	if len(t.pending) == 0 {
		return nil
	}
	names := map[string]bool{}
	for _, c := range t.columns {
		names[c] = true
	}
	for _, row := range t.pending {
		for name := range row {
			names[name] = true
		}
	}
	var err error
	if columns := slices.Sorted(maps.Keys(names)); t.begun && len(columns) == len(t.columns) {
		err = t.extend()
	} else {
		err = t.remake(columns)
	}
	t.pending = t.pending[:0]
	return err
}

// extend appends the pending rows in one write, so that a kill leaves whole lines.
func (t *csvTable) extend() error {
	var b bytes.Buffer
	if err := t.write(&b); err != nil {
		return err
	}
	return atomicfile.Append(t.path, b.Bytes())
}

// remake writes the file with new columns: the rows it has, if they are this run's, and the pending ones.
func (t *csvTable) remake(columns []string) error {
	old := t.columns
	err := atomicfile.Write(t.path, func(w io.Writer) error {
		t.columns = columns
		c := newCSV(w)
		if err := c.Write(columns); err != nil {
			return err
		}
		if t.begun {
			if err := t.copyRows(c, old, math.MaxInt64); err != nil {
				return err
			}
		}
		c.Flush()
		if err := c.Error(); err != nil {
			return err
		}
		return t.write(w)
	})
	t.begun = t.begun || err == nil
	return err
}

// copyRows copies the file's first rows to their places in the new columns.
func (t *csvTable) copyRows(c *csv.Writer, old []string, rows int64) error {
	f, err := os.Open(t.path)
	if err != nil {
		return err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.ReuseRecord = true
	place := make([]int, len(old))
	for i, name := range old {
		place[i] = slices.Index(t.columns, name)
	}
	for n := int64(-1); n < rows; n++ {
		record, err := r.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading %s again: %w", t.path, err)
		}
		if n < 0 { // the names
			continue
		}
		row := make([]string, len(t.columns))
		for i, cell := range record {
			if place[i] >= 0 {
				row[place[i]] = cell
			}
		}
		if err := c.Write(row); err != nil {
			return err
		}
	}
	return nil
}

// write writes the pending rows.
func (t *csvTable) write(w io.Writer) error {
	c := newCSV(w)
	cells := make([]string, len(t.columns))
	for _, row := range t.pending {
		for i, name := range t.columns {
			cells[i] = row[name]
		}
		if err := c.Write(cells); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// newCSV ends lines as Python's csv module does.
func newCSV(w io.Writer) *csv.Writer {
	c := csv.NewWriter(w)
	c.UseCRLF = true
	return c
}
