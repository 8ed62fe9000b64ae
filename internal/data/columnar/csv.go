package columnar

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
	"unsafe"
)

// CSV says how a delimited text is written.
type CSV struct {
	Delimiter string // one character that no number holds
	Header    *bool  // whether the first row holds names; nil looks whether one of its cells is no number
}

// Delimits says whether a text can stand between cells.
func Delimits(text string) bool {
	return utf8.RuneCountInString(text) == 1 && !strings.ContainsAny(text, "\x00\r\n\"\uFFFD+-.0123456789eE")
}

// Read reads a file.
func (o CSV) Read(path string, want Want) (*Table, error) {
	data, err := load(path)
	if err != nil {
		return nil, err
	}
	return o.parse(path, data, want)
}

// text is a delimited text that is being read: cells between delimiters, rows between line ends, empty lines left out. A cell
// in quotes may hold either, and a quote as two.
type text struct {
	path  string
	data  []byte
	comma []byte
}

// chunkBytes is the least that a thread is given to parse.
const chunkBytes = 1 << 18

func (o CSV) parse(path string, data []byte, want Want) (*Table, error) {
	data, err := textOf(path, data)
	if err != nil {
		return nil, err
	}
	t := text{path, data, []byte(o.Delimiter)}
	table := &Table{Path: path}
	names, width, begin, err := t.header(o.Header)
	if err != nil || width == 0 {
		table.place = func(int, int) string { return path }
		return table, err
	}
	kinds, err := want(names, width)
	if err != nil {
		return nil, err
	}
	table.Columns = make([]Column, width)
	for i := range table.Columns {
		c := &table.Columns[i]
		c.Kind, c.Width, c.Whole = kinds[i], 1, true
		if names != nil {
			c.Name = names[i]
		}
	}
	table.place = func(row, column int) string { return t.at(t.find(begin, row, column)) }
	parts := t.split(begin, runtime.GOMAXPROCS(0))
	// A row has at least a byte for each cell, but for the last line's end: what a file claims is no more than its size.
	room := make([]int, len(parts)+1)
	for k, p := range parts {
		room[k+1] = room[k] + min(bytes.Count(data[p[0]:p[1]], []byte{'\n'}), (p[1]-p[0])/width) + 1
	}
	for i := range table.Columns {
		switch c := &table.Columns[i]; c.Kind {
		case Number:
			c.Numbers = make([]float64, room[len(parts)])
		case Text:
			c.Codes = make([]int32, room[len(parts)])
		}
	}
	chunks := make([]chunk, len(parts))
	var running sync.WaitGroup
	for k, p := range parts {
		running.Go(func() {
			chunks[k] = chunk{text: t, columns: table.Columns, row: room[k], base: room[k]}
			chunks[k].read(p[0], p[1])
		})
	}
	running.Wait()
	return table, join(table, chunks)
}

// header reads the first row and says where the data begin. The width of an empty file is 0.
func (t *text) header(header *bool) (names []string, width, begin int, err error) {
	begin = t.skipEmpty(0)
	i := begin
	var cells []string
	for last := i == len(t.data); !last; {
		var cell string
		if cell, i, last, err = t.cell(i); err != nil {
			return nil, 0, 0, err
		}
		cells = append(cells, strings.TrimSpace(cell))
	}
	numeric := !slices.ContainsFunc(cells, func(c string) bool { _, _, err := number(c); return err != nil })
	if header != nil && !*header || header == nil && numeric {
		return nil, len(cells), begin, nil
	}
	if err := distinct(cells); err != nil {
		return nil, 0, 0, fmt.Errorf("%s: %w", t.at(begin), err)
	}
	return cells, len(cells), i, nil
}

// skipEmpty goes past empty lines.
func (t *text) skipEmpty(i int) int {
	for i < len(t.data) {
		switch {
		case t.data[i] == '\n':
			i++
		case t.data[i] == '\r' && i+1 < len(t.data) && t.data[i+1] == '\n':
			i += 2
		case t.data[i] == '\r' && i+1 == len(t.data):
			i++
		default:
			return i
		}
	}
	return i
}

// cell reads the cell at data[i]. next is where the next one begins; last says that the row ends.
func (t *text) cell(i int) (cell string, next int, last bool, err error) {
	if i < len(t.data) && t.data[i] == '"' {
		return t.quoted(i)
	}
	start := i
	for ; i < len(t.data); i++ {
		switch c := t.data[i]; {
		case c == '\n':
			return view(trimReturn(t.data[start:i])), i + 1, true, nil
		case c == t.comma[0] && t.isComma(i):
			return view(t.data[start:i]), i + len(t.comma), false, nil
		case c == '"':
			return "", 0, false, fmt.Errorf("%s: %w", t.at(i), csv.ErrBareQuote)
		}
	}
	return view(trimReturn(t.data[start:])), i, true, nil
}

func (t *text) isComma(i int) bool { return len(t.comma) == 1 || bytes.HasPrefix(t.data[i:], t.comma) }

func trimReturn(b []byte) []byte { return bytes.TrimSuffix(b, []byte{'\r'}) }

// view is b as a string. The file's bytes do not change.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func (t *text) quoted(open int) (cell string, next int, last bool, err error) {
	i := open + 1
	doubled := false
	for {
		n := bytes.IndexByte(t.data[i:], '"')
		if n < 0 {
			return "", 0, false, fmt.Errorf("%s: %w: it is not closed", t.at(open), csv.ErrQuote)
		}
		i += n + 1
		if i < len(t.data) && t.data[i] == '"' {
			doubled = true
			i++
			continue
		}
		break
	}
	inner := t.data[open+1 : i-1]
	if doubled {
		inner = bytes.ReplaceAll(inner, []byte(`""`), []byte(`"`))
	}
	rest := t.data[i:]
	switch {
	case len(rest) == 0 || string(rest) == "\r":
		return view(inner), len(t.data), true, nil
	case rest[0] == '\n':
		return view(inner), i + 1, true, nil
	case rest[0] == '\r' && rest[1] == '\n':
		return view(inner), i + 2, true, nil
	case bytes.HasPrefix(rest, t.comma):
		return view(inner), i + len(t.comma), false, nil
	}
	return "", 0, false, fmt.Errorf("%s: %w", t.at(i), csv.ErrQuote)
}

// at is an offset's place.
func (t *text) at(offset int) string {
	line, column := lineOf(t.data, offset)
	return fmt.Sprintf("%s:%d:%d", t.path, line, column)
}

// find is where the cell of a row that was read begins.
func (t *text) find(begin, row, column int) int {
	i := t.skipEmpty(begin)
	for at := 0; ; {
		if row == 0 && at == column {
			return i
		}
		_, next, last, err := t.cell(i)
		if err != nil || next >= len(t.data) {
			return i
		}
		i = next
		at++
		if last {
			i = t.skipEmpty(i)
			row--
			at = 0
		}
	}
}

// split cuts the data at ends of rows into at most n parts. An even number of quotes before a line end means that it is none
// of a cell's; in a text whose quotes are wrong the part that holds the first wrong one begins rightly and reports it.
func (t *text) split(begin, n int) (parts [][2]int) {
	size := max((len(t.data)-begin)/n, chunkBytes)
	start, quotes := begin, 0
	for start < len(t.data) {
		end := min(start+size, len(t.data))
		quotes += bytes.Count(t.data[start:end], []byte{'"'})
		for end < len(t.data) && (quotes%2 == 1 || t.data[end-1] != '\n') {
			if t.data[end] == '"' {
				quotes++
			}
			end++
		}
		parts = append(parts, [2]int{start, end})
		start = end
	}
	return parts
}
