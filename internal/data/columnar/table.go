// Package columnar reads tables in files, column by column: delimited text, JSON lines and Parquet. A caller says, once the
// names of the columns are known, which of them it wants and as what; the others are not read, or not kept.
//
// An error names the file and the place in it: line and column of a text, the row of a Parquet file.
package columnar

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
)

// Kind is what the cells of a column are read as.
type Kind int

// The kinds.
const (
	Skip   Kind = iota // not at all
	Number             // float64
	Text               // texts, by number in the column's list of them
)

// Want says what the columns of a table are read as, by their names; nil names are those of a table without a header.
type Want func(names []string, width int) ([]Kind, error)

// Column is what a table holds of a column.
type Column struct {
	Name string // "" in a table without a header
	Kind Kind

	// Numbers are Width to a row, NaN where the cell is missing; Whole says that all that are there are written as integers.
	Numbers []float64
	Width   int
	Whole   bool

	// Codes are indices into Texts, which are in the order of their first row; -1 where the cell is missing.
	Codes []int32
	Texts []string
}

// ErrText is the end of a message about a cell of a column of numbers that is another text.
var ErrText = errors.New("is no number")

// Table is columns of one length.
type Table struct {
	Path    string
	Rows    int
	Columns []Column
	place   func(row, column int) string
}

// Names are those of the columns, nil for a table without a header.
func (t *Table) Names() []string {
	var names []string
	for _, c := range t.Columns {
		if c.Name == "" {
			return nil
		}
		names = append(names, c.Name)
	}
	return names
}

// Place is where a cell is: file:line:column of a text, the file otherwise.
func (t *Table) Place(row, column int) string { return t.place(row, column) }

// Title is how a message calls a column.
func (t *Table) Title(i int) string { return title(t.Columns[i].Name, i) }

func title(name string, i int) string {
	if name != "" {
		return fmt.Sprintf("column %q", name)
	}
	return fmt.Sprintf("column %d", i)
}

// Missing is the first row from start to stop whose cell of column i is missing, -1 for none.
func (t *Table) Missing(i, start, stop int) int {
	c := &t.Columns[i]
	at := -1
	if c.Kind == Text {
		at = slices.Index(c.Codes[start:stop], -1)
	} else if at = slices.IndexFunc(c.Numbers[start*c.Width:stop*c.Width], math.IsNaN); at >= 0 {
		at /= c.Width
	}
	if at < 0 {
		return -1
	}
	return start + at
}

// missingWords are the cells that pandas.read_csv takes for missing numbers.
var missingWords = []string{"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"}

func isMissing(text string) bool { return slices.Contains(missingWords, text) }

// distinct is a name that occurs once, or an error.
func distinct(names []string) error {
	seen := map[string]int{}
	for i, name := range names {
		if first, known := seen[name]; known && name != "" {
			return fmt.Errorf("columns %d and %d are both named %q", first, i, name)
		}
		seen[name] = i
	}
	return nil
}

// open opens a file that is no folder.
func open(path string) (*os.File, os.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err // names the path
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a folder, not a file", path)
	}
	if err != nil {
		_ = f.Close()
	}
	return f, info, err
}

// load is the content of a file, unpacked when it is one of gzip.
func load(path string) ([]byte, error) {
	f, info, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data := make([]byte, info.Size())
	if info.Mode().IsRegular() {
		_, err = io.ReadFull(f, data)
	} else { // a pipe
		data, err = io.ReadAll(f)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		return data, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err == nil {
		data, err = io.ReadAll(z)
	}
	if err != nil {
		return nil, fmt.Errorf("%s is a damaged gzip file: %w", path, err)
	}
	return data, nil
}

// textOf refuses what is no UTF-8 text at first sight and takes a byte order mark away.
func textOf(path string, data []byte) ([]byte, error) {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return nil, fmt.Errorf("%s is text in UTF-16: save it as UTF-8", path)
	case bytes.HasPrefix(data, []byte("PAR1")):
		return nil, fmt.Errorf("%s is a Parquet file: use lighter.datasets.Parquet", path)
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return nil, fmt.Errorf("%s is a zip archive, not a text", path)
	}
	return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), nil
}

// lineOf is the line and the column, in bytes, of an offset, both from 1.
func lineOf(data []byte, offset int) (line, column int) {
	before := data[:offset]
	return 1 + bytes.Count(before, []byte{'\n'}), offset - bytes.LastIndexByte(before, '\n')
}

// clip shortens a text for a message.
func clip(text string) string {
	const most = 60
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}
