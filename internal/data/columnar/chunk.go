package columnar

import (
	"fmt"
	"strings"
)

// chunk is a part of a text, read by one thread into its own rows of the columns.
type chunk struct {
	text
	columns []Column
	base    int // the first row's place in the columns
	row     int // the next one's
	whole   []bool
	texts   []dictionary // by column
	err     error
}

// dictionary numbers texts in the order in which they come.
type dictionary struct {
	codes map[string]int32
	texts []string
}

func (d *dictionary) code(text string) int32 {
	c, ok := d.codes[text]
	if !ok {
		if d.codes == nil {
			d.codes = map[string]int32{}
		}
		c = int32(len(d.texts))
		text = strings.Clone(text)
		d.codes[text] = c
		d.texts = append(d.texts, text)
	}
	return c
}

func (c *chunk) read(i, end int) {
	c.whole, c.texts = make([]bool, len(c.columns)), make([]dictionary, len(c.columns))
	for k := range c.whole {
		c.whole[k] = true
	}
	c.data = c.data[:end:end]
	for i = c.skipEmpty(i); i < end && c.err == nil; i = c.skipEmpty(i) {
		i = c.line(i)
	}
}

// line reads the row at data[i] and says where the next one begins.
func (c *chunk) line(i int) int {
	start := i
	for k := 0; ; k++ {
		if k == len(c.columns) {
			c.tooLong(start, i)
			return i
		}
		next, last := c.one(i, k)
		if c.err != nil {
			return i
		}
		i = next
		if last {
			if k+1 < len(c.columns) {
				c.fail(start, -1, fmt.Errorf("the row has %d cells, but the rows before have %d", k+1, len(c.columns)))
				return i
			}
			c.row++
			return i
		}
	}
}

// one reads a cell of column k.
func (c *chunk) one(i, k int) (next int, last bool) {
	column := &c.columns[k]
	if column.Kind == Number {
		for i < len(c.data) && c.data[i] == ' ' && c.comma[0] != ' ' {
			i++
		}
		if v, end, whole, ok := decimal(c.data, i); ok {
			switch {
			case end == len(c.data):
				next, last = end, true
			case c.data[end] == c.comma[0] && c.isComma(end):
				next = end + len(c.comma)
			case c.data[end] == '\n':
				next, last = end+1, true
			case c.data[end] == '\r' && end+1 < len(c.data) && c.data[end+1] == '\n':
				next, last = end+2, true
			}
			if next > 0 {
				column.Numbers[c.row] = v
				if !whole {
					c.whole[k] = false
				}
				return next, last
			}
		}
	}
	cell, next, last, err := c.cell(i)
	if err != nil {
		c.err = err
		return i, true
	}
	switch column.Kind {
	case Number:
		v, whole, err := number(cell)
		if err != nil {
			c.fail(i, k, err)
			return i, true
		}
		if !whole {
			c.whole[k] = false
		}
		column.Numbers[c.row] = v
	case Text:
		column.Codes[c.row] = -1
		if cell != "" {
			column.Codes[c.row] = c.texts[k].code(cell)
		}
	}
	return next, last
}

// tooLong counts the cells of a row that begins at start and has more than it may, the next at data[i].
func (c *chunk) tooLong(start, i int) {
	n := len(c.columns)
	for last := false; !last; n++ {
		var err error
		if _, i, last, err = c.cell(i); err != nil {
			c.err = err
			return
		}
	}
	c.fail(start, -1, fmt.Errorf("the row has %d cells, but the rows before have %d", n, len(c.columns)))
}

// fault is an error at an offset; one of a column's cell says in which row, from the chunk's first.
type fault struct {
	offset, row, column int
	err                 error
}

func (f *fault) Error() string { return f.err.Error() }

func (c *chunk) fail(offset, column int, err error) {
	c.err = &fault{offset, c.row - c.base, column, err}
}

// explain is the error of a chunk that so many rows come before.
func (c *chunk) explain(before int) error {
	f, ok := c.err.(*fault)
	switch {
	case !ok:
		return c.err
	case f.column < 0:
		return fmt.Errorf("%s: %w", c.at(f.offset), f.err)
	}
	return fmt.Errorf("%s: %w, in row %d of %s", c.at(f.offset), f.err, before+f.row, title(c.columns[f.column].Name, f.column))
}

// join closes the gaps between the rows of the chunks and gives their texts one numbering.
func join(table *Table, chunks []chunk) error {
	for k := range chunks {
		c := &chunks[k]
		if c.err != nil {
			return c.explain(table.Rows)
		}
		n := c.row - c.base
		for i := range table.Columns {
			column := &table.Columns[i]
			column.Whole = column.Whole && c.whole[i]
			if column.Kind == Number {
				copy(column.Numbers[table.Rows:], column.Numbers[c.base:c.row])
			}
		}
		table.Rows += n
	}
	for i := range table.Columns {
		switch column := &table.Columns[i]; column.Kind {
		case Number:
			column.Numbers = column.Numbers[:table.Rows]
		case Text:
			column.joinTexts(i, chunks)
		}
	}
	return nil
}

func (column *Column) joinTexts(i int, chunks []chunk) {
	all, rows := dictionary{}, 0
	for k := range chunks {
		c := &chunks[k]
		codes := make([]int32, len(c.texts[i].texts))
		for j, text := range c.texts[i].texts {
			codes[j] = all.code(text)
		}
		for _, code := range column.Codes[c.base:c.row] {
			if code >= 0 {
				code = codes[code]
			}
			column.Codes[rows] = code
			rows++
		}
	}
	column.Codes, column.Texts = column.Codes[:rows], all.texts
}
