package files

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/diag"
)

// Columns are columns of a table: one by name or index, a list of them, or a range of indices as in a Python slice, "0:64". Negative
// indices count from the end. One column alone has no dimension of its own in a sample.
type Columns struct {
	items []any // int64 and string; nil when not given
	slice *[2]*int
	one   bool
}

var sliceForm = regexp.MustCompile(`^\s*(-?\d*)\s*:\s*(-?\d*)\s*$`)

// DecodeConfig implements [registry.Decoder].
func (c *Columns) DecodeConfig(v any) error {
	*c = Columns{}
	switch v := v.(type) {
	case nil:
	case int64:
		c.items, c.one = []any{v}, true
	case string:
		m := sliceForm.FindStringSubmatch(v)
		if m == nil {
			c.items, c.one = []any{v}, true
			return nil
		}
		c.slice = &[2]*int{}
		for i, text := range m[1:] {
			if text == "" {
				continue
			}
			n, err := strconv.Atoi(text)
			if err != nil {
				return fmt.Errorf("%q is not a range of columns such as \"0:64\"", v)
			}
			c.slice[i] = &n
		}
	case []any:
		if len(v) == 0 {
			return errors.New("at least one column is needed")
		}
		for _, item := range v {
			switch item.(type) {
			case int64, string:
			default:
				return fmt.Errorf("must be %s, got a list with %s", c.ConfigType(), lighter.TypeName(item))
			}
		}
		c.items = v
	default:
		return fmt.Errorf("must be %s, got %s", c.ConfigType(), lighter.TypeName(v))
	}
	return nil
}

// ConfigType implements [registry.Decoder].
func (*Columns) ConfigType() string {
	return `a column's name or index, a list of them, or a range such as "0:64"`
}

// String is what the configuration says.
func (c Columns) String() string {
	if c.slice == nil {
		return fmt.Sprint(c.items)
	}
	text := ":"
	if c.slice[0] != nil {
		text = fmt.Sprint(*c.slice[0]) + text
	}
	if c.slice[1] != nil {
		text += fmt.Sprint(*c.slice[1])
	}
	return text
}

func (c *Columns) given() bool { return c.items != nil || c.slice != nil }

// of are the indices of the columns in a table of n; names is nil when it has none.
func (c *Columns) of(n int, names []string) ([]int, error) {
	if c.slice != nil {
		start, stop := bounds(c.slice[0], c.slice[1], n)
		if start < 0 || stop > n || start >= stop {
			return nil, fmt.Errorf("the range takes columns %d to %d, but there are %d", start, stop, n)
		}
		return between(start, stop), nil
	}
	indices := make([]int, len(c.items))
	for k, item := range c.items {
		i, err := column(item, n, names)
		if err != nil {
			return nil, err
		}
		indices[k] = i
	}
	return indices, nil
}

func column(item any, n int, names []string) (int, error) {
	if i, ok := item.(int64); ok {
		if i < -int64(n) || i >= int64(n) {
			return 0, fmt.Errorf("column %d is out of range: there are %d, counted from 0", i, n)
		}
		return int((i + int64(n)) % int64(n)), nil
	}
	name := item.(string)
	for i, known := range names {
		if known == name {
			return i, nil
		}
	}
	if names == nil {
		return 0, fmt.Errorf("there are no column names, so %q must be an index", name)
	}
	if near := diag.Nearest(name, names, 1); len(near) > 0 {
		return 0, fmt.Errorf("there is no column %q, did you mean %q?", name, near[0])
	}
	return 0, fmt.Errorf("there is no column %q: there are %s", name, quoted(names, 20))
}

// quoted lists the first few names.
func quoted(names []string, most int) string {
	rest := ""
	if len(names) > most {
		rest = fmt.Sprintf(" and %d more", len(names)-most)
		names = names[:most]
	}
	return strings.ReplaceAll(strings.Trim(fmt.Sprintf("%q", names), "[]"), `" "`, `", "`) + rest
}

// bounds are a Python slice's, without its silent clipping: negative ends count from the end, missing ones take all.
func bounds(start, stop *int, n int) (from, to int) {
	to = n
	if start != nil {
		if from = *start; from < 0 {
			from += n
		}
	}
	if stop != nil {
		if to = *stop; to < 0 {
			to += n
		}
	}
	return from, to
}

func between(start, stop int) []int {
	indices := make([]int, 0, stop-start)
	for i := start; i < stop; i++ {
		indices = append(indices, i)
	}
	return indices
}

// inputColumns are the columns that input names, or all that target does not.
func inputColumns(input *Columns, target []int, n int, names []string) ([]int, error) {
	if input.given() {
		return input.of(n, names)
	}
	taken := make([]bool, n)
	for _, i := range target {
		taken[i] = true
	}
	var rest []int
	for i := range n {
		if !taken[i] {
			rest = append(rest, i)
		}
	}
	if rest == nil {
		return nil, errors.New("the target takes every column: there is none left to be the input")
	}
	return rest, nil
}
