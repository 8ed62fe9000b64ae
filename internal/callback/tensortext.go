package callback

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// pythonStr is Python's str() of a value. A dict's keys come sorted.
func pythonStr(v lighter.Value) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	return pythonValue(v)
}

// pythonValue is Python's repr() of a value, with tensors as PyTorch prints them.
func pythonValue(v lighter.Value) (string, error) {
	join := func(n int, item func(i int) (string, error)) (string, error) {
		parts := make([]string, n)
		for i := range parts {
			var err error
			if parts[i], err = item(i); err != nil {
				return "", err
			}
		}
		return strings.Join(parts, ", "), nil
	}
	switch x := v.(type) {
	case tensor.Tensor:
		return tensorText(x)
	case lighter.List:
		items, err := join(len(x), func(i int) (string, error) { return pythonValue(x[i]) })
		return "[" + items + "]", err
	case lighter.Dict:
		keys := slices.Sorted(maps.Keys(x))
		items, err := join(len(keys), func(i int) (string, error) {
			text, err := pythonValue(x[keys[i]])
			return pythonRepr(keys[i]) + ": " + text, err
		})
		return "{" + items + "}", err
	}
	return valueText(v), nil
}

// PyTorch's default print options, https://docs.pytorch.org/docs/stable/generated/torch.set_printoptions.html
const (
	printThreshold = 1000 // elements from which on a tensor is abridged
	printEdge      = 3    // items at the beginning and the end of an abridged dimension
	printWidth     = 80   // characters of a line
	printPrefix    = "tensor("
)

// tensorText is PyTorch's str() of a tensor. Waits for the device.
func tensorText(t tensor.Tensor) (string, error) {
	h, err := readTensor(t)
	if err != nil {
		return "", fmt.Errorf("write_text: a tensor of type %s cannot be written", t.DType())
	}
	var suffixes []string
	if d := t.Device(); d.Type != tensor.CPU {
		suffixes = append(suffixes, "device='"+d.String()+"'")
	}
	empty := len(h.floats)+len(h.ints) == 0
	if empty && len(h.shape) != 1 {
		suffixes = append(suffixes, "size="+pythonShape(h.shape))
	}
	if dt := t.DType(); dt != tensor.Float32 && (empty || dt != tensor.Int64 && dt != tensor.Bool) {
		suffixes = append(suffixes, "dtype=torch."+dt.String())
	}
	text := printPrefix + "[]"
	if !empty {
		p := newPrinter(h)
		text = printPrefix + p.text(0, h.shape, len(printPrefix))
	}
	line := len(text) - strings.LastIndexByte(text, '\n') + 1
	for _, s := range suffixes {
		if line+len(s)+2 > printWidth {
			text += ",\n" + strings.Repeat(" ", len(printPrefix)) + s
			line = len(printPrefix) + len(s)
		} else {
			text += ", " + s
			line += len(s) + 2
		}
	}
	return text + ")", nil
}

func pythonShape(shape []int64) string {
	parts := make([]string, len(shape))
	for i, n := range shape {
		parts[i] = strconv.FormatInt(n, 10)
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// tensorPrinter prints a tensor's elements as PyTorch's _Formatter: all in one notation and width.
type tensorPrinter struct {
	hostTensor
	abridged   bool
	whole      bool // no element has a fraction
	scientific bool
	width      int
}

func newPrinter(h hostTensor) *tensorPrinter {
	p := &tensorPrinter{hostTensor: h, abridged: len(h.floats)+len(h.ints) > printThreshold, whole: true, width: 1}
	if h.floats == nil {
		p.eachShown(0, h.shape, func(i int) { p.width = max(p.width, len(h.element(i, false))) })
		return p
	}
	least, greatest := math.Inf(1), 0.0
	ordinary := func(visit func(v float64)) {
		p.eachShown(0, h.shape, func(i int) {
			if v := h.floats[i]; v != 0 && !math.IsInf(v, 0) && !math.IsNaN(v) {
				visit(v)
			}
		})
	}
	ordinary(func(v float64) {
		least, greatest = min(least, math.Abs(v)), max(greatest, math.Abs(v))
		p.whole = p.whole && v == math.Ceil(v)
	})
	if greatest == 0 {
		return p
	}
	p.scientific = greatest/least > 1000 || greatest > 1e8 || least < 1e-4
	ordinary(func(v float64) { p.width = max(p.width, len(p.number(v))) })
	return p
}

// number is an element without padding.
func (p *tensorPrinter) number(v float64) string {
	switch {
	case math.IsNaN(v):
		return "nan"
	case math.IsInf(v, 0):
		return strings.ToLower(strings.TrimPrefix(strconv.FormatFloat(v, 'f', -1, 64), "+"))
	case p.scientific:
		return strconv.FormatFloat(v, 'e', 4, 64)
	case p.whole:
		return strconv.FormatFloat(v, 'f', 0, 64) + "."
	}
	return strconv.FormatFloat(v, 'f', 4, 64)
}

func (p *tensorPrinter) item(i int) string {
	if p.floats == nil {
		return fmt.Sprintf("%*s", p.width, p.element(i, false))
	}
	return fmt.Sprintf("%*s", p.width, p.number(p.floats[i]))
}

// shown are the indices of a dimension that are printed; -1 stands for those left out.
func (p *tensorPrinter) shown(n int) []int {
	var out []int
	for i := range n {
		switch {
		case !p.abridged || n <= 2*printEdge || i < printEdge || i >= n-printEdge:
			out = append(out, i)
		case i == printEdge:
			out = append(out, -1)
		}
	}
	return out
}

func (p *tensorPrinter) eachShown(at int, shape []int64, visit func(i int)) {
	if len(shape) == 0 {
		visit(at)
		return
	}
	size := product(shape[1:])
	for _, i := range p.shown(int(shape[0])) {
		if i >= 0 {
			p.eachShown(at+i*size, shape[1:], visit)
		}
	}
}

func product(shape []int64) int {
	n := 1
	for _, s := range shape {
		n *= int(s)
	}
	return n
}

// text prints the elements from at on, of a shape, indented.
func (p *tensorPrinter) text(at int, shape []int64, indent int) string {
	if len(shape) == 0 {
		return p.item(at)
	}
	size := product(shape[1:])
	newline := func(n int) string { return "," + strings.Repeat("\n", n) + strings.Repeat(" ", indent+1) }
	var parts []string
	for _, i := range p.shown(int(shape[0])) {
		switch {
		case i >= 0:
			parts = append(parts, p.text(at+i*size, shape[1:], indent+1))
		case len(shape) == 1:
			parts = append(parts, " ...")
		default:
			parts = append(parts, "...")
		}
	}
	if len(shape) > 1 {
		return "[" + strings.Join(parts, newline(len(shape)-1)) + "]"
	}
	var lines []string
	for line := range slices.Chunk(parts, max(1, (printWidth-indent)/(p.width+2))) {
		lines = append(lines, strings.Join(line, ", "))
	}
	return "[" + strings.Join(lines, newline(1)) + "]"
}
