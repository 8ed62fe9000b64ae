package pytorch

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

// How tensors are printed: the defaults of torch.set_printoptions. This file is torch/_tensor_str.py.
const (
	printPrecision = 4
	printThreshold = 1000
	printEdge      = 3
	printWidth     = 80
)

// Text is str(t) and Repr(t). Waits for the device.
func Text(t tensor.Tensor) string {
	s := tensor.Open()
	defer s.Close()
	defer tensor.SetGradEnabled(false)()
	return strings.ToValidUTF8(textOf(t), "?")
}

func textOf(t tensor.Tensor) string {
	const prefix = "tensor("
	var suffixes []string
	if d := t.Device(); d.Type != tensor.CPU {
		suffixes = append(suffixes, "device='"+d.String()+"'")
	}
	dtype := t.DType()
	unusual := !slices.Contains([]tensor.DType{tensor.Float32, tensor.Complex64, tensor.Int64, tensor.Bool}, dtype)
	body, sparse := "[]", t.Layout() == 1
	switch {
	case sparse:
		suffixes = append(suffixes, "size="+tupleText(t.Shape()), fmt.Sprintf("nnz=%v", run("_nnz", t)))
		if unusual {
			suffixes = append(suffixes, "dtype=torch."+dtype.String())
		}
		part := func(name string, v tensor.Tensor) string {
			text := name + "=tensor("
			text += contents(v, len(prefix)+len(text))
			if v.Numel() == 0 {
				text += ", size=" + tupleText(v.Shape())
			}
			return text + ")"
		}
		body = part("indices", one("_indices", t)) + ",\n" + strings.Repeat(" ", len(prefix)) + part("values", one("_values", t))
	case t.Numel() == 0:
		if t.Dim() != 1 {
			suffixes = append(suffixes, "size="+tupleText(t.Shape()))
		}
		if dtype != tensor.Float32 {
			suffixes = append(suffixes, "dtype=torch."+dtype.String())
		}
	default:
		if unusual {
			suffixes = append(suffixes, "dtype=torch."+dtype.String())
		}
		if l := Layout(t.Layout()); l != 0 {
			body = contents(one("to_dense", t), len(prefix))
			suffixes = append(suffixes, "layout="+l.String())
		} else {
			body = contents(t, len(prefix))
		}
	}
	if sparse {
		suffixes = append(suffixes, "layout=torch.sparse_coo")
	}
	if name := t.GradFn(); name != "" {
		suffixes = append(suffixes, "grad_fn=<"+name[strings.LastIndexByte(name, ':')+1:]+">")
	} else if t.RequiresGrad() {
		suffixes = append(suffixes, "requires_grad=True")
	}
	return addSuffixes(prefix+body, suffixes, len(prefix), sparse)
}

func addSuffixes(text string, suffixes []string, indent int, newline bool) string {
	last := len(text) - strings.LastIndexByte(text, '\n') + 1
	for _, s := range suffixes {
		if newline || last+len(s)+2 > printWidth {
			text += ",\n" + strings.Repeat(" ", indent) + s
			last, newline = indent+len(s), false
			continue
		}
		text += ", " + s
		last += len(s) + 2
	}
	return text + ")"
}

// contents are the numbers in their brackets.
func contents(t tensor.Tensor, indent int) string {
	if t.Numel() == 0 {
		return "[]"
	}
	summarize := t.Numel() > printThreshold
	p := &printer{shape: t.Shape(), summarize: summarize}
	if summarize {
		t = edges(t, 0)
	}
	if isComplex(t.DType()) {
		t = one("resolve_conj", t)
		p.read(one("real", t), one("imag", t))
	} else {
		p.read(t, tensor.Tensor{})
	}
	return p.nested(0, indent)
}

// edges keeps of every long dimension the first and the last elements.
func edges(t tensor.Tensor, dim int64) tensor.Tensor {
	if dim == int64(t.Dim()) {
		return t
	}
	if n := t.Shape()[dim]; n > 2*printEdge {
		t = tensor.Cat([]tensor.Tensor{t.Narrow(dim, 0, printEdge), t.Narrow(dim, n-printEdge, printEdge)}, dim)
	}
	return edges(t, dim+1)
}

// printer writes the elements of a tensor, of which it has the edges when it is summarised.
type printer struct {
	shape      []int64
	summarize  bool
	real, imag *formatter
	next       int
}

func (p *printer) read(re, im tensor.Tensor) {
	p.real = newFormatter(re)
	if im.Defined() {
		p.imag = newFormatter(im)
	}
}

func (p *printer) element() string {
	i := p.next
	p.next++
	text := p.real.format(i)
	if p.imag == nil {
		return text
	}
	im := strings.TrimLeft(p.imag.format(i)+"j", " ")
	if im[0] == '+' || im[0] == '-' {
		return text + im
	}
	return text + "+" + im
}

func (p *printer) nested(dim, indent int) string {
	if dim == len(p.shape) {
		return p.element()
	}
	n := int(p.shape[dim])
	short := p.summarize && n > 2*printEdge
	if short {
		n = 2 * printEdge
	}
	last := dim == len(p.shape)-1
	var parts []string
	for i := range n {
		if short && i == printEdge {
			if last {
				parts = append(parts, " ...")
			} else {
				parts = append(parts, "...")
			}
		}
		parts = append(parts, p.nested(dim+1, indent+1))
	}
	if !last {
		return "[" + strings.Join(parts, ","+strings.Repeat("\n", len(p.shape)-dim-1)+strings.Repeat(" ", indent+1)) + "]"
	}
	width := p.real.width + 2
	if p.imag != nil {
		width += p.imag.width + 1
	}
	perLine := max(1, (printWidth-indent)/width)
	var lines []string
	for line := range slices.Chunk(parts, perLine) {
		lines = append(lines, strings.Join(line, ", "))
	}
	return "[" + strings.Join(lines, ",\n"+strings.Repeat(" ", indent+1)) + "]"
}

// formatter writes numbers of one tensor to one width.
type formatter struct {
	texts  []string  // of whole numbers and bools
	values []float64 // of floating-point ones
	whole  bool      // all floating-point numbers are whole
	sci    bool
	width  int
}

func newFormatter(t tensor.Tensor) *formatter {
	f := &formatter{width: 1, whole: true}
	switch d := t.DType(); {
	case d == tensor.Bool:
		for _, v := range tensor.Values[bool](t) {
			f.texts = append(f.texts, map[bool]string{true: "True", false: "False"}[v])
		}
	case !d.IsFloat():
		for _, v := range tensor.Values[int64](t) {
			f.texts = append(f.texts, strconv.FormatInt(v, 10))
		}
	default:
		f.values = tensor.Values[float64](t)
	}
	for _, s := range f.texts {
		f.width = max(f.width, len(s))
	}
	smallest, largest := math.Inf(1), 0.0
	for _, v := range f.values {
		if v == 0 || math.IsInf(v, 0) || math.IsNaN(v) {
			continue
		}
		a := math.Abs(v)
		smallest, largest = min(smallest, a), max(largest, a)
		f.whole = f.whole && v == math.Ceil(v)
	}
	if largest == 0 {
		return f
	}
	f.sci = largest/smallest > 1000 || largest > 1e8 || smallest < 1e-4
	for _, v := range f.values {
		if v == 0 || math.IsInf(v, 0) || math.IsNaN(v) {
			continue
		}
		n := 0
		switch {
		case f.sci:
			n = len(scientific(v))
		case f.whole:
			n = len(strconv.FormatFloat(v, 'f', 0, 64)) + 1
		default:
			n = len(strconv.FormatFloat(v, 'f', printPrecision, 64))
		}
		f.width = max(f.width, n)
	}
	return f
}

func scientific(v float64) string {
	return notFinite(v, strconv.FormatFloat(v, 'e', printPrecision, 64))
}

// notFinite has Python's words for infinity and no number.
func notFinite(v float64, text string) string {
	switch {
	case math.IsInf(v, 1):
		return "inf"
	case math.IsInf(v, -1):
		return "-inf"
	case math.IsNaN(v):
		return "nan"
	}
	return text
}

func (f *formatter) format(i int) string {
	var text string
	switch {
	case f.texts != nil:
		text = f.texts[i]
	case f.sci:
		text = scientific(f.values[i])
	case f.whole:
		v := f.values[i]
		text = notFinite(v, strconv.FormatFloat(v, 'f', 0, 64)+".")
	default:
		text = notFinite(f.values[i], strconv.FormatFloat(f.values[i], 'f', printPrecision, 64))
	}
	return strings.Repeat(" ", max(f.width-len(text), 0)) + text
}

// tupleText is a Python tuple of ints.
func tupleText(ns []int64) string {
	parts := make([]string, len(ns))
	for i, n := range ns {
		parts[i] = strconv.FormatInt(n, 10)
	}
	if len(parts) == 1 {
		return "(" + parts[0] + ",)"
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// own is the repr of a value of this package; ok is false for others.
func own(v any) (text string, ok bool) {
	switch v := v.(type) {
	case tensor.Tensor:
		return Text(v), true
	case Size:
		parts := make([]string, len(v))
		for i, n := range v {
			parts[i] = strconv.FormatInt(n, 10)
		}
		return "torch.Size([" + strings.Join(parts, ", ") + "])", true
	case tensor.DType:
		return "torch." + v.String(), true
	case tensor.Device:
		text := "device(type='" + v.Type.String() + "'"
		if v.Type != tensor.CPU {
			text += ", index=" + strconv.Itoa(v.Index)
		}
		return text + ")", true
	case Layout:
		return v.String(), true
	case Format:
		return v.String(), true
	case gradFn:
		return "<" + string(v) + " object>", true
	case *class:
		return "<class '" + v.name + "'>", true
	case *info:
		return v.text, true
	case *Named:
		text := v.class + "("
		for i, it := range v.items {
			if i > 0 {
				text += ","
			}
			text += "\n" + v.names[i] + "=" + Repr(it)
		}
		return text + ")", true
	}
	return "", false
}

// Repr is Python's repr of a value: a tensor, a size, a dtype, or a plain one.
func Repr(v any) string {
	if text, ok := own(v); ok {
		return text
	}
	list := func(open string, items []any, shut string) string {
		parts := make([]string, len(items))
		for i, it := range items {
			parts[i] = Repr(it)
		}
		return open + strings.Join(parts, ", ") + shut
	}
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return map[bool]string{true: "True", false: "False"}[v]
	case float64:
		return expr.Float(v)
	case string:
		return quoted(v)
	case []any:
		return list("[", v, "]")
	case Tuple:
		if len(v) == 1 {
			return list("(", v, ",)")
		}
		return list("(", v, ")")
	}
	return fmt.Sprint(v)
}

// quoted is Python's repr of a string.
func quoted(s string) string {
	q := "'"
	if strings.Contains(s, "'") && !strings.Contains(s, "\"") {
		q = "\""
	}
	return q + strings.NewReplacer("\\", "\\\\", "\n", "\\n", "\t", "\\t", "\r", "\\r", q, "\\"+q).Replace(s) + q
}
