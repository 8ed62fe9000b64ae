package pytorch

import (
	"regexp"
	"slices"
	"strings"

	"github.com/lighter-go/lighter/tensor"
)

// kind is what an argument of a schema takes.
type kind int

const (
	kindTensor kind = iota
	kindNumber
	kindInt
	kindFloat
	kindBool
	kindText
	kindDType
	kindLayout
	kindFormat
	kindDevice
	kindGenerator
	kindOther
)

// param is an argument of a schema.
type param struct {
	name     string
	text     string // its type as the schema writes it: "int[1]?"
	kind     kind
	optional bool // None is a value
	list     bool
	element  bool // of a list: None is an element
	repeat   int  // a single value stands for so many
	required bool
	keyword  bool // by keyword only
	out      bool
}

// signature is a schema as a Python function's signature.
type signature struct {
	overload tensor.Overload
	params   []param
	self     int // the place of `self`, -1 when there is none
	outs     int // how many results can be given as `out`
	returns  []string
	types    []string // of the results
	factory  bool     // takes a dtype, a layout and a device, and in Python also requires_grad
	inPlace  bool     // gives back what it changed
}

var (
	listType = regexp.MustCompile(`^(.*?)\[(\d*)\]$`)
	aliasing = regexp.MustCompile(`\([^)]*\)`)
)

func parseType(text string) param {
	p := param{text: aliasing.ReplaceAllString(text, "")}
	t := p.text
	if rest, ok := strings.CutSuffix(t, "?"); ok {
		p.optional, t = true, rest
	}
	if m := listType.FindStringSubmatch(t); m != nil {
		p.list, t = true, m[1]
		for _, c := range m[2] {
			p.repeat = 10*p.repeat + int(c-'0')
		}
		if rest, ok := strings.CutSuffix(t, "?"); ok {
			p.element, t = true, rest
		}
	}
	switch t {
	case "Tensor":
		p.kind = kindTensor
	case "Scalar", "number":
		p.kind = kindNumber
	case "int", "SymInt":
		p.kind = kindInt
	case "float":
		p.kind = kindFloat
	case "bool":
		p.kind = kindBool
	case "str":
		p.kind = kindText
	case "ScalarType":
		p.kind = kindDType
	case "Layout":
		p.kind = kindLayout
	case "MemoryFormat":
		p.kind = kindFormat
	case "Device":
		p.kind = kindDevice
	case "Generator":
		p.kind = kindGenerator
	default:
		p.kind = kindOther
	}
	return p
}

// splitTop splits at commas outside brackets.
func splitTop(s string) []string {
	var parts []string
	depth, from := 0, 0
	for i, c := range s {
		switch c {
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		case ',':
			if depth == 0 {
				parts = append(parts, strings.TrimSpace(s[from:i]))
				from = i + 1
			}
		}
	}
	if rest := strings.TrimSpace(s[from:]); rest != "" {
		parts = append(parts, rest)
	}
	return parts
}

// parseSchema reads `aten::max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)`.
func parseSchema(o tensor.Overload) *signature {
	s := &signature{overload: o, self: -1}
	open := strings.IndexByte(o.Schema, '(')
	arrow := strings.LastIndex(o.Schema, ") -> ")
	if open < 0 || arrow < open {
		return nil
	}
	keyword := false
	options := 0
	for _, text := range splitTop(o.Schema[open+1 : arrow]) {
		if text == "*" {
			keyword = true
			continue
		}
		declared, _, hasDefault := strings.Cut(text, "=")
		at := strings.LastIndexByte(declared, ' ')
		if at < 0 {
			return nil
		}
		p := parseType(declared[:at])
		p.name, p.required, p.keyword = declared[at+1:], !hasDefault, keyword
		switch p.name { // the schemas of the interpreter call these ints
		case "dtype", "out_dtype", "input_dtype":
			if p.kind == kindInt {
				p.kind = kindDType
			}
		case "layout":
			p.kind = kindLayout
		case "memory_format":
			p.kind = kindFormat
		}
		p.out = keyword && strings.Contains(declared, "!") && p.kind == kindTensor
		if p.out {
			s.outs++
		}
		switch p.name {
		case "self":
			if s.self < 0 {
				s.self = len(s.params)
			}
			s.inPlace = s.inPlace || strings.Contains(declared, "!")
		case "dtype", "layout", "device":
			options++
		}
		s.params = append(s.params, p)
	}
	s.factory = options == 3
	result := strings.TrimSpace(o.Schema[arrow+5:])
	if inner, ok := strings.CutPrefix(result, "("); ok && strings.HasSuffix(inner, ")") && !strings.HasPrefix(result, "(a") {
		result = strings.TrimSuffix(inner, ")")
	}
	for _, r := range splitTop(result) {
		typ, name, _ := strings.Cut(aliasing.ReplaceAllString(r, ""), " ")
		s.types, s.returns = append(s.types, typ), append(s.returns, name)
	}
	return s
}

// named says whether results have names, as those of max do.
func (s *signature) named() bool { return len(s.returns) > 1 && !slices.Contains(s.returns, "") }

// text is the signature as PyTorch's messages write it: (Tensor input, int dim, bool keepdim = False).
func (s *signature) text(method bool) string {
	open := strings.IndexByte(s.overload.Schema, '(')
	arrow := strings.LastIndex(s.overload.Schema, ") -> ")
	var parts []string
	for _, part := range splitTop(s.overload.Schema[open+1 : arrow]) {
		part = aliasing.ReplaceAllString(part, "")
		part = strings.NewReplacer("SymInt", "int", "Scalar ", "Number ", "Scalar?", "Number?", "=", " = ").Replace(part)
		if declared, _, _ := strings.Cut(part, " = "); strings.HasSuffix(declared, " self") {
			if method {
				continue
			}
			part = strings.Replace(part, " self", " input", 1)
		}
		parts = append(parts, part)
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// sortOverloads orders signatures as PyTorch's bindings try them (sort_overloads of gen_python_functions.py): by their text, and a
// more particular one after a more general one where both could take an argument.
func sortOverloads(all []*signature) []*signature {
	slices.SortStableFunc(all, func(a, b *signature) int { return strings.Compare(a.text(false), b.text(false)) })
	var sorted []*signature
	for len(all) > 0 {
		next := 0
		for i, s := range all {
			if !slices.ContainsFunc(all, func(o *signature) bool { return o != s && smaller(s, o) }) {
				next = i
				break
			}
		}
		sorted = append(sorted, all[next])
		all = slices.Delete(all, next, next+1)
	}
	return sorted
}

func smaller(a, b *signature) bool {
	if len(a.params) != len(b.params) {
		return false
	}
	differ := false
	for i := range a.params {
		x, y := a.params[i], b.params[i]
		if x.text == y.text {
			continue
		}
		differ = true
		switch {
		case x.kind == kindNumber && y.kind == kindTensor && x.optional == y.optional && !x.list && !y.list:
		case x.kind == kindInt && x.list && y.kind == kindInt && !y.list:
		case x.kind == kindInt && !x.list && y.kind == kindTensor && !y.list:
		case x.kind == kindTensor && x.list && y.list:
		default:
			return false
		}
	}
	return differ
}

// label is the name of the overload, "dim" of max.dim.
func (s *signature) label() string {
	head, _, _ := strings.Cut(s.overload.Schema, "(")
	_, label, _ := strings.Cut(strings.TrimPrefix(head, "aten::"), ".")
	return label
}

// usable leaves out the overloads for named dimensions, and those of the interpreter's own types.
func (s *signature) usable() bool {
	if strings.Contains(strings.ToLower(s.label()), "name") {
		return false
	}
	return !slices.ContainsFunc(s.params, func(p param) bool { return p.kind == kindOther && p.required })
}
