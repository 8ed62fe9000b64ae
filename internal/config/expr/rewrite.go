package expr

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.starlark.net/syntax"
)

// piece is a part of the code; offset is where in the source it comes from, -1 for what the rewriting adds.
type piece struct {
	text   string
	offset int
}

type code []piece

func added(s string) code { return code{{s, -1}} }

func join(parts ...code) code { return slices.Concat(parts...) }

// call is the code of a call of one of this package's functions, whose failure is shown at offset.
func call(function string, offset int, args ...code) code {
	c := code{{function, offset}, {"(", offset}}
	for i, a := range args {
		if i > 0 {
			c = append(c, piece{", ", -1})
		}
		c = append(c, a...)
	}
	return append(c, piece{")", -1})
}

func literal(s string) code { return added(syntax.Quote(s, false)) }

// rewriter is a recursive-descent parser of Python's expressions that writes Starlark.
type rewriter struct {
	source   string
	limit    int // of what is parsed: the whole source, or a field of an f-string
	tok      token
	err      *Error
	refs     []Ref
	names    []Name
	bound    []string // the parameters and loop variables in scope
	depth    int
	size     int
	lines    bool   // of a file, where the end of a line ends a statement
	nest     int    // open brackets
	opened   []int  // where they are
	last     link   // the last part of the primary that was read last
	indent   string // of the line in a file
	begun    int    // where the statement begins
	body     body
	problems []Error
}

// Compile rewrites an expression. An error is an *[Error].
func Compile(source string) (*Program, error) {
	if len(source) > maxSource {
		return nil, &Error{Msg: "an expression has at most 65536 bytes", Col: 1}
	}
	if !utf8.ValidString(source) {
		return nil, &Error{Msg: "invalid UTF-8", Col: 1}
	}
	r := &rewriter{source: source, limit: len(source)}
	r.next(0)
	if r.tok.kind == end {
		r.fail(0, 1, "the expression is empty")
	}
	c := r.tuple()
	if r.err == nil && r.tok.kind != end {
		r.unexpected()
	}
	if r.err != nil {
		return nil, r.err
	}
	p := &Program{Refs: r.refs, Names: r.names, source: source}
	var b strings.Builder
	col := 1
	for _, part := range c {
		if part.offset >= 0 {
			p.marks = append(p.marks, mark{col, r.col(part.offset)})
		}
		if function, _, _ := strings.Cut(part.text, "("); (builtins[function] != nil || internals[function] != nil) && !slices.Contains(p.uses, function) {
			p.uses = append(p.uses, function)
		}
		b.WriteString(part.text)
		col += utf8.RuneCountInString(part.text)
	}
	p.code = b.String()
	return p, nil
}

func (r *rewriter) next(at int) { r.tok = r.scan(at) }

func (r *rewriter) advance() {
	if r.tok.kind == op {
		switch r.tok.text {
		case "(", "[", "{":
			r.nest++
			r.opened = append(r.opened[:min(r.nest-1, len(r.opened))], r.tok.start)
		case ")", "]", "}":
			r.nest = max(r.nest-1, 0)
		}
	}
	r.next(r.tok.stop)
}

func (r *rewriter) is(text string) bool {
	return r.err == nil && (r.tok.kind == op || r.tok.kind == name) && r.tok.text == text
}

func (r *rewriter) accept(text string) bool {
	if r.is(text) {
		r.advance()
		return true
	}
	return false
}

func (r *rewriter) expect(text string) {
	if !r.accept(text) {
		switch {
		case r.err != nil:
		case r.lines:
			r.missing(text)
		case r.tok.kind == end:
			r.fail(r.tok.start, 1, "expected %q at the end", text)
		default:
			r.fail(r.tok.start, r.tok.stop-r.tok.start, "expected %q, found %q", text, r.source[r.tok.start:r.tok.stop])
		}
	}
}

func (r *rewriter) unexpected() {
	switch {
	case r.lines:
		r.unexpectedInFile()
	case r.tok.kind == end:
		r.fail(r.tok.start, 1, "unexpected end of the expression")
	case r.tok.text == ";" || r.tok.text == "=" || strings.HasSuffix(r.tok.text, "=") && len(r.tok.text) > 1 && r.tok.kind == op && !slices.Contains([]string{"==", "!=", "<=", ">="}, r.tok.text):
		r.fail(r.tok.start, len(r.tok.text), "invalid syntax: %q makes a statement, and only expressions can be evaluated", r.tok.text)
	default:
		r.fail(r.tok.start, r.tok.stop-r.tok.start, "invalid syntax at %q", r.source[r.tok.start:r.tok.stop])
	}
}

// enter guards the recursion; every call is followed by leave.
func (r *rewriter) enter() {
	if r.depth++; r.depth > maxNest {
		r.fail(r.tok.start, 1, "nested too deeply: more than %d levels", maxNest)
	}
}

func (r *rewriter) leave() { r.depth-- }

// tuple is `a` or `a, b`.
func (r *rewriter) tuple() code {
	first := r.starred()
	if !r.is(",") {
		return first.code
	}
	items := []item{first}
	for r.accept(",") && r.startsOperand() {
		items = append(items, r.starred())
	}
	return sequence("tuple", items)
}

// item is an element of a display; all of what it gives when starred.
type item struct {
	code    code
	starred bool
}

func (r *rewriter) starred() item {
	if r.is("*") {
		r.advance()
		return item{r.binary(0), true}
	}
	return item{code: r.test()}
}

func sequence(function string, items []item) code {
	if !slices.ContainsFunc(items, func(i item) bool { return i.starred }) && function != "set" {
		open, shut := "[", "]"
		if function == "tuple" {
			open, shut = "(", ",)"
			if len(items) == 0 {
				shut = ")"
			}
		}
		c := added(open)
		for i, it := range items {
			if i > 0 {
				c = append(c, piece{", ", -1})
			}
			c = append(c, it.code...)
		}
		return append(c, piece{shut, -1})
	}
	all, flags := added("["), ""
	for _, it := range items {
		flag := "0"
		if it.starred {
			flag = "1"
		}
		flags += flag
		all = append(append(all, it.code...), piece{", ", -1})
	}
	args := []code{literal(function), append(all, piece{"]", -1})}
	if strings.Contains(flags, "1") {
		args = append(args, literal(flags))
	}
	return call("__gather", -1, args...)
}

func (r *rewriter) startsOperand() bool {
	switch {
	case r.err != nil || r.tok.kind == end:
		return false
	case r.tok.kind == op && r.lines:
		return strings.Contains(" ( [ { + - ~ * ... ", " "+r.tok.text+" ")
	case r.tok.kind == newline:
		return false
	case r.tok.kind == op:
		return strings.Contains(" ( [ { + - ~ @ % * ", " "+r.tok.text+" ")
	case r.tok.kind == name:
		return !slices.Contains([]string{"if", "else", "for", "in", "is", "and", "or"}, r.tok.text)
	}
	return true
}

// test is a conditional, a lambda or what binds tighter.
func (r *rewriter) test() code {
	r.enter()
	defer r.leave()
	if r.err != nil {
		return nil
	}
	if r.is("lambda") {
		return r.lambda()
	}
	then := r.or()
	if r.is(":=") {
		r.unexpected()
	}
	if !r.accept("if") {
		return then
	}
	cond := r.truth(r.or())
	r.expect("else")
	return join(added("("), then, added(" if "), cond, added(" else "), r.test(), added(")"))
}

func (r *rewriter) or() code { return r.chain("or", r.and) }

func (r *rewriter) and() code { return r.chain("and", r.not) }

func (r *rewriter) chain(word string, operand func() code) code {
	next := operand()
	if !r.is(word) {
		return next
	}
	c := added("(")
	for r.accept(word) {
		c = append(append(c, r.truth(next)...), piece{" " + word + " ", -1})
		next = operand()
	}
	return append(append(c, next...), piece{")", -1})
}

func (r *rewriter) not() code {
	if !r.is("not") {
		return r.comparison()
	}
	r.enter()
	defer r.leave()
	r.advance()
	if r.err != nil {
		return nil
	}
	return join(added("(not "), r.truth(r.not()), added(")"))
}

// truth is a value whose truth is about to be asked: that of an object of the host may be an error.
func (r *rewriter) truth(c code) code {
	if len(c) == 0 || strings.HasPrefix(c[0].text, "(not ") {
		return c
	}
	offset := -1
	for _, p := range c {
		if offset = p.offset; offset >= 0 {
			break
		}
	}
	return call("__test", offset, c)
}

var comparisons = map[string]bool{"<": true, "<=": true, ">": true, ">=": true, "==": true, "!=": true, "in": true, "is": true, "not": true}

// comparison is `a`, `a < b` or a chain. The operands of a chain are evaluated once and only as far as it holds.
func (r *rewriter) comparison() code {
	operands := []code{r.binary(0)}
	var signs []string
	var places []int
	at := 0
	for r.err == nil && (r.tok.kind == op || r.tok.kind == name) && comparisons[r.tok.text] {
		sign, start := r.tok.text, r.tok.start
		if len(signs) == 0 {
			at = start
		}
		r.advance()
		if sign == "is" && r.accept("not") {
			sign = "is not"
		} else if sign == "not" {
			r.expect("in")
			sign = "not in"
		}
		signs = append(signs, sign)
		places = append(places, start)
		operands = append(operands, r.binary(0))
	}
	switch len(signs) {
	case 0:
		return operands[0]
	case 1:
		return call("__compare", at, literal(signs[0]), operands[0], operands[1])
	}
	if r.lines && !slices.ContainsFunc(operands[1:len(signs)], func(c code) bool { return len(c) != 1 }) {
		c := added("(") // what stands in the middle may be evaluated twice
		for i, sign := range signs {
			one := call("__compare", places[i], literal(sign), operands[i], operands[i+1])
			if i < len(signs)-1 {
				one = join(r.truth(one), added(" and "))
			}
			c = append(c, one...)
		}
		return append(c, piece{")", -1})
	}
	args := []code{literal(strings.Join(signs, ","))}
	for _, o := range operands {
		args = append(args, join(added("lambda: "), o))
	}
	return call("__chain", at, args...)
}

// maxPieces bounds the copying that nested operators take.
const maxPieces = 1 << 20

// levels are the binary operators from loosest to tightest.
var levels = [][]string{{"|"}, {"^"}, {"&"}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "//", "%"}}

func (r *rewriter) binary(level int) code {
	if level == len(levels) {
		return r.unary()
	}
	c := r.binary(level + 1)
	for r.err == nil && r.tok.kind == op && (slices.Contains(levels[level], r.tok.text) || r.lines && r.tok.text == "@" && level == len(levels)-1) {
		sign, at := r.tok.text, r.tok.start
		r.advance()
		c = call("__op", at, literal(sign), c, r.binary(level+1))
		if r.size += len(c); r.size > maxPieces { // a long chain is copied again at every operator
			r.fail(at, len(sign), "the expression has too many operators")
		}
	}
	return c
}

func (r *rewriter) unary() code {
	if !r.is("-") && !r.is("+") && !r.is("~") {
		return r.power()
	}
	r.enter()
	defer r.leave()
	sign, at := r.tok.text, r.tok.start
	r.advance()
	if r.err != nil {
		return nil
	}
	return call("__unary", at, literal(sign), r.unary())
}

func (r *rewriter) power() code {
	base := r.primary()
	if !r.is("**") {
		return base
	}
	at := r.tok.start
	r.advance()
	r.enter()
	defer r.leave()
	if r.err != nil {
		return nil
	}
	return call("__op", at, literal("**"), base, r.unary())
}

var (
	refPattern = regexp.MustCompile(`^@(?:::)*[\pL\pN_]+(?:::[\pL\pN_]+)*`)
	rawPattern = regexp.MustCompile(`^%(?:[\pL\pN_./-]*\.(?i:ya?ml)(?:::[\pL\pN_]+)*|(?:::)*[\pL\pN_]+(?:::[\pL\pN_]+)*)`)
)
