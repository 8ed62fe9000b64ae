package columnar

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strconv"
	"sync"
)

// JSONL reads lines that are a JSON object each: https://jsonlines.org. A column is a key; its values are numbers, texts, bools
// or lists of numbers. A key that a line does not have, or null, is a missing cell.
type JSONL struct{}

// Read reads a file.
func (JSONL) Read(path string, want Want) (*Table, error) {
	data, err := load(path)
	if err != nil {
		return nil, err
	}
	return readJSONL(path, data, want)
}

// object is a line's keys, in order, with their values as they are written.
type object struct {
	keys   []string
	values []json.RawMessage
	begin  int // where the line begins in the file
	at     []int
}

func readJSONL(path string, data []byte, want Want) (*Table, error) {
	data, err := textOf(path, data)
	if err != nil {
		return nil, err
	}
	table := &Table{Path: path}
	lines := linesOf(data)
	objects := make([]object, len(lines))
	n := runtime.GOMAXPROCS(0)
	errs := make([]error, n)
	var running sync.WaitGroup
	for k := range n {
		running.Go(func() {
			for i := k * len(lines) / n; i < (k+1)*len(lines)/n; i++ {
				if objects[i], errs[k] = parseObject(path, data, lines[i]); errs[k] != nil {
					return
				}
			}
		})
	}
	running.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	index := map[string]int{}
	var names []string
	for _, o := range objects {
		for _, key := range o.keys {
			if _, known := index[key]; !known {
				index[key] = len(names)
				names = append(names, key)
			}
		}
	}
	table.Rows = len(lines)
	table.place = func(row, column int) string {
		o := objects[row]
		at := o.begin
		if k := slices.Index(o.keys, names[column]); k >= 0 {
			at = o.at[k]
		}
		line, col := lineOf(data, at)
		return fmt.Sprintf("%s:%d:%d", path, line, col)
	}
	if len(lines) == 0 {
		return table, nil
	}
	kinds, err := want(names, len(names))
	if err != nil {
		return nil, err
	}
	table.Columns = make([]Column, len(names))
	gather := make([]cells, len(names))
	for i, name := range names {
		table.Columns[i] = Column{Name: name, Kind: kinds[i], Width: 1, Whole: true}
		gather[i].column = &table.Columns[i]
	}
	for row, o := range objects {
		for k, key := range o.keys {
			i := index[key]
			c := &gather[i]
			if c.column.Kind == Skip {
				continue
			}
			for c.rows < row { // lines without the key
				c.skip()
			}
			if err := c.json(o.values[k]); err != nil {
				return nil, fmt.Errorf("%s: %w, in row %d of %s", table.place(row, i), err, row, table.Title(i))
			}
			c.rows++
		}
	}
	for i := range gather {
		c := &gather[i]
		for c.rows < len(objects) && c.column.Kind != Skip {
			c.skip()
		}
		c.column.Texts = c.texts.texts
	}
	return table, nil
}

// skip is a row without a value.
func (c *cells) skip() {
	for range max(c.column.Width, 1) {
		c.missing()
	}
	c.rows++
}

// json takes a value.
func (c *cells) json(raw json.RawMessage) error {
	column := c.column
	if string(raw) == "null" {
		for range column.Width {
			c.missing()
		}
		return nil
	}
	if column.Kind == Text {
		switch raw[0] {
		case '"':
			var s string
			if err := json.Unmarshal(raw, &s); err != nil {
				return err
			}
			c.text(s)
		case '[', '{':
			return fmt.Errorf("%s is no text", clip(string(raw)))
		default:
			c.text(string(raw))
		}
		return nil
	}
	if raw[0] != '[' {
		if column.Width != 1 || c.list {
			return fmt.Errorf("%s is no list, but the rows before have lists", clip(string(raw)))
		}
		v, whole, err := jsonNumber(raw)
		if err != nil {
			return err
		}
		column.Whole = column.Whole && whole
		c.add(v)
		return nil
	}
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return err
	}
	if !c.list { // the first list: rows before it had none
		if slices.ContainsFunc(column.Numbers, func(v float64) bool { return !math.IsNaN(v) }) {
			return fmt.Errorf("%s is a list, but the rows before have numbers", clip(string(raw)))
		}
		c.list, column.Width = true, len(items)
		column.Numbers = slices.Repeat([]float64{math.NaN()}, c.rows*len(items))
	}
	if len(items) != column.Width || len(items) == 0 {
		return fmt.Errorf("a list of %d numbers, but the lists before have %d: lists must be of one length, from 1 on", len(items), column.Width)
	}
	for _, item := range items {
		v, whole, err := jsonNumber(item)
		if err != nil {
			return err
		}
		column.Whole = column.Whole && whole
		c.add(v)
	}
	return nil
}

func jsonNumber(raw json.RawMessage) (v float64, whole bool, err error) {
	switch string(raw) {
	case "true":
		return 1, true, nil
	case "false":
		return 0, true, nil
	case "null":
		return math.NaN(), true, nil
	}
	v, err = strconv.ParseFloat(string(raw), 64)
	if err != nil || raw[0] == '"' {
		return 0, false, fmt.Errorf("%s %w", clip(string(raw)), ErrText)
	}
	return v, !bytes.ContainsAny(raw, ".eE"), nil
}

// linesOf are the places of the lines that hold more than space.
func linesOf(data []byte) (lines [][2]int) {
	for i := 0; i < len(data); {
		n := bytes.IndexByte(data[i:], '\n')
		if n < 0 {
			n = len(data) - i
		}
		if len(bytes.TrimSpace(data[i:i+n])) > 0 {
			lines = append(lines, [2]int{i, i + n})
		}
		i += n + 1
	}
	return lines
}

func parseObject(path string, data []byte, line [2]int) (object, error) {
	o := object{begin: line[0]}
	in := json.NewDecoder(bytes.NewReader(data[line[0]:line[1]]))
	fail := func(err error) (object, error) {
		at := line[0] + int(in.InputOffset())
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			at = line[0] + max(int(syntax.Offset)-1, 0)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			at, err = line[1], errors.New("the object is not closed")
		}
		row, column := lineOf(data, min(at, len(data)))
		return o, fmt.Errorf("%s:%d:%d: %w", path, row, column, err)
	}
	t, err := in.Token()
	if err != nil {
		return fail(err)
	}
	if t != json.Delim('{') {
		return fail(fmt.Errorf("a line must be a JSON object, {\"name\": value, ...}, got %s", clip(fmt.Sprint(t))))
	}
	for in.More() {
		t, err := in.Token()
		if err != nil {
			return fail(err)
		}
		key, ok := t.(string)
		if !ok {
			return fail(errors.New("a key must be a text"))
		}
		if slices.Contains(o.keys, key) {
			return fail(fmt.Errorf("the key %q stands twice", key))
		}
		var raw json.RawMessage
		if err := in.Decode(&raw); err != nil {
			return fail(err)
		}
		o.keys, o.values = append(o.keys, key), append(o.values, raw)
		o.at = append(o.at, line[0]+int(in.InputOffset())-len(raw))
	}
	if _, err := in.Token(); err != nil {
		return fail(err)
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return fail(errors.New("one line holds one object: there is more after it"))
	}
	return o, nil
}
