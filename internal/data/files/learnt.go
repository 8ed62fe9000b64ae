package files

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data/columnar"
	"github.com/lighter-go/lighter/internal/diag"
)

// role is what is done to a column: the name of the argument that has it.
type role string

const (
	categorical role = "categorical"
	oneHot      role = "one_hot"
	standard    role = "standard"
	minMax      role = "minmax"
	asItIs      role = "impute" // alone
)

// learnt is a Preprocessor: what is known of the columns by their keys.
type learnt struct {
	columns   map[string]*learntColumn
	unknownID bool
}

// learntColumn is what the training part says of a column: its categories, or for each of its numbers what is subtracted and
// what then divides.
type learntColumn struct {
	role         role
	categories   []string
	ids          map[string]int
	shift, scale []float64
	fill         any // of missing cells, a float64 or a string; nil leaves them
}

func (p *learnt) takesText(key string) bool {
	c := p.columns[key]
	if c == nil {
		return false
	}
	return c.role == categorical || c.role == oneHot
}

// learn looks at the rows of the training part.
func (c *learntColumn) learn(t *columnar.Table, i, start, stop int) error {
	column := &t.Columns[i]
	if column.Kind == columnar.Text {
		return c.learnTexts(t, i, start, stop)
	}
	c.shift, c.scale = make([]float64, column.Width), make([]float64, column.Width)
	for k := range column.Width {
		var numbers []float64
		for row := start; row < stop; row++ {
			if v := column.Numbers[row*column.Width+k]; !math.IsNaN(v) {
				numbers = append(numbers, v)
			}
		}
		if len(numbers) == 0 {
			return fmt.Errorf("%s: every cell of %s is missing: there is nothing to learn", t.Path, t.Title(i))
		}
		if k == 0 {
			if err := c.learnFill(numbers, column.Width, t, i); err != nil {
				return err
			}
		}
		if v, ok := c.fill.(float64); ok {
			numbers = append(numbers, slices.Repeat([]float64{v}, stop-start-len(numbers))...)
		}
		c.shift[k], c.scale[k] = 0, 1
		switch c.role {
		case standard:
			c.shift[k], c.scale[k] = moments(numbers)
		case minMax:
			c.shift[k] = slices.Min(numbers)
			c.scale[k] = slices.Max(numbers) - c.shift[k]
		}
		if c.scale[k] == 0 { // a constant column becomes 0, as in sklearn
			c.scale[k] = 1
		}
	}
	return nil
}

// learnFill turns the name of a statistic into its value.
func (c *learntColumn) learnFill(numbers []float64, width int, t *columnar.Table, i int) error {
	name, ok := c.fill.(string)
	switch {
	case !ok:
		return nil
	case width > 1:
		return fmt.Errorf("%s: %s holds lists: impute has a number for it, not %q", t.Path, t.Title(i), name)
	case name == "mean":
		c.fill, _ = moments(numbers)
	case name == "median":
		c.fill = middle(slices.Clone(numbers))
	case name == "most_frequent":
		c.fill = mostFrequent(slices.Clone(numbers))
	default:
		return fmt.Errorf("%s: %s holds numbers: impute has mean, median, most_frequent or a number for it, not %q", t.Path, t.Title(i), name)
	}
	return nil
}

// moments are the mean and the standard deviation of a population.
func moments(v []float64) (mean, deviation float64) {
	for _, x := range v {
		mean += x
	}
	mean /= float64(len(v))
	var sum, rest float64
	for _, x := range v {
		sum += (x - mean) * (x - mean)
		rest += x - mean
	}
	n := float64(len(v))
	variance := (sum - rest*rest/n) / n
	// Below what rounding makes of a constant column, sklearn takes it for one.
	const eps = 0x1p-52
	if variance <= n*eps*variance+(n*mean*eps)*(n*mean*eps) {
		return mean, 0
	}
	return mean, math.Sqrt(variance)
}

// learnTexts gathers and sorts the categories.
func (c *learntColumn) learnTexts(t *columnar.Table, i, start, stop int) error {
	column := &t.Columns[i]
	count := make([]int, len(column.Texts))
	for _, code := range column.Codes[start:stop] {
		if code >= 0 {
			count[code]++
		}
	}
	for code, n := range count {
		if n > 0 {
			c.categories = append(c.categories, column.Texts[code])
		}
	}
	if len(c.categories) == 0 {
		return fmt.Errorf("%s: every cell of %s is missing: there is nothing to learn", t.Path, t.Title(i))
	}
	switch fill := c.fill.(type) {
	case float64:
		c.fill = strconv.FormatFloat(fill, 'g', -1, 64)
	case string:
		switch fill {
		case "mean", "median":
			return fmt.Errorf("%s: %s holds categories: impute has most_frequent or a text for it, not %q", t.Path, t.Title(i), fill)
		case "most_frequent":
			most := 0
			for code, n := range count {
				if n > most || n == most && n > 0 && column.Texts[code] < c.fill.(string) {
					c.fill, most = column.Texts[code], n
				}
			}
		}
	}
	if fill, ok := c.fill.(string); ok && !slices.Contains(c.categories, fill) {
		c.categories = append(c.categories, fill)
	}
	sortCategories(c.categories)
	c.number()
	return nil
}

// sortCategories sorts numbers by size and texts, or both together, by their bytes.
func sortCategories(categories []string) {
	numbers := map[string]float64{}
	for _, text := range categories {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(v) {
			slices.Sort(categories)
			return
		}
		numbers[text] = v
	}
	slices.SortFunc(categories, func(a, b string) int {
		return cmp.Or(cmp.Compare(numbers[a], numbers[b]), strings.Compare(a, b))
	})
}

func (c *learntColumn) number() {
	c.ids = make(map[string]int, len(c.categories))
	for i, text := range c.categories {
		c.ids[text] = i
	}
}

func (p *learnt) apply(t *columnar.Table, i, start, stop int, v values) (values, error) {
	c := p.columns[keyOf(t.Names(), i)]
	switch {
	case c == nil:
		return v, nil
	case t.Columns[i].Kind == columnar.Text:
		return p.applyTexts(c, t, i, start, stop)
	case v.width != len(c.shift):
		return v, fmt.Errorf("%s: %s has %d numbers a row, but the training part had %d", t.Path, t.Title(i), v.width, len(c.shift))
	}
	fill, fills := c.fill.(float64)
	out := values{make([]float64, len(v.numbers)), v.width, v.whole && c.role == asItIs && (!fills || fill == math.Trunc(fill))}
	for k, x := range v.numbers {
		if fills && math.IsNaN(x) {
			x = fill
		}
		j := k % v.width
		out.numbers[k] = (x - c.shift[j]) / c.scale[j]
	}
	return out, nil
}

func (p *learnt) applyTexts(c *learntColumn, t *columnar.Table, i, start, stop int) (values, error) {
	column := &t.Columns[i]
	const absent = -1
	ids := make([]int, len(column.Texts)+1) // by the text's code; the last is that of missing cells
	for code, text := range column.Texts {
		id, known := c.ids[text]
		if !known {
			id = absent
		}
		ids[code] = id
	}
	missingID := absent
	if fill, ok := c.fill.(string); ok {
		missingID = c.ids[fill]
	}
	width := 1
	if c.role == oneHot {
		width = len(c.categories)
	}
	v := values{make([]float64, (stop-start)*width), width, true}
	for row := start; row < stop; row++ {
		code := column.Codes[row]
		id := missingID
		if code >= 0 {
			id = ids[code]
		}
		if id == absent && !p.unknownID {
			if code < 0 {
				return v, missing(t, row, i)
			}
			return v, c.unknown(t, row, i, column.Texts[code])
		}
		at := (row - start) * width
		switch {
		case c.role == oneHot && id != absent:
			v.numbers[at+id] = 1
		case c.role == oneHot:
		case id == absent:
			v.numbers[at] = float64(len(c.categories))
		default:
			v.numbers[at] = float64(id)
		}
	}
	return v, nil
}

func (c *learntColumn) unknown(t *columnar.Table, row, i int, text string) error {
	hint := ";"
	if near := diag.Nearest(text, c.categories, 1); len(near) > 0 {
		hint = fmt.Sprintf(", did you mean %q?", near[0])
	}
	return fmt.Errorf("%s: %q, in row %d of %s, is none of the %d categories of the training part%s unknown: id of the Preprocessing gives such ones an id of their own", t.Place(row, i), text, row, t.Title(i), len(c.categories), hint)
}

// save is what a checkpoint holds.
func (p *learnt) save() lighter.Dict {
	columns := lighter.Dict{}
	for key, c := range p.columns {
		d := lighter.Dict{"role": string(c.role)}
		if c.fill != nil {
			d["fill"] = c.fill
		}
		if c.role == categorical || c.role == oneHot {
			d["categories"] = listOf(c.categories)
		} else {
			d["shift"], d["scale"] = listOf(c.shift), listOf(c.scale)
		}
		columns[key] = d
	}
	return lighter.Dict{"columns": columns}
}

func listOf[E any](items []E) lighter.List {
	l := make(lighter.List, len(items))
	for i, item := range items {
		l[i] = item
	}
	return l
}

// load is the other way.
func (p *learnt) load(state lighter.Dict) error {
	columns, ok := state["columns"].(lighter.Dict)
	if !ok {
		return errors.New("it has no columns")
	}
	for _, key := range slices.Sorted(maps.Keys(columns)) {
		d, _ := columns[key].(lighter.Dict)
		name, _ := d["role"].(string)
		c := &learntColumn{role: role(name), fill: d["fill"]}
		ok := true
		switch c.role {
		case categorical, oneHot:
			c.categories, ok = sliceOf[string](d["categories"])
			c.number()
		case standard, minMax, asItIs:
			var both bool
			c.shift, ok = sliceOf[float64](d["shift"])
			c.scale, both = sliceOf[float64](d["scale"])
			ok = ok && both && len(c.shift) == len(c.scale)
		default:
			ok = false
		}
		if !ok {
			return fmt.Errorf("of the column %q it holds %v", key, columns[key])
		}
		p.columns[key] = c
	}
	return nil
}

func sliceOf[E any](v any) (out []E, ok bool) {
	l, ok := v.(lighter.List)
	for _, item := range l {
		e, is := item.(E)
		out, ok = append(out, e), ok && is
	}
	return out, ok && len(out) > 0
}

var _ Preprocessor = (*learnt)(nil)
