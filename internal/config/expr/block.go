package expr

import (
	"fmt"
	"strings"
)

// line is a logical line of code.
type line struct {
	indent int
	code   code
}

// body is the code of a file while it is written.
type body struct {
	lines  []line
	indent int
	temps  int
	loops  []*loop // around the statement, of the innermost function
	calls  int     // functions around it
}

// loop is a for or a while; its flag tells an `else` after it whether it was left by a break.
type loop struct{ breaks []int }

func (r *rewriter) emit(parts ...code) {
	r.body.lines = append(r.body.lines, line{r.body.indent, join(parts...)})
}

// temp is a variable of the rewriting's own. No name of the source looks like it.
func (r *rewriter) temp() code {
	r.body.temps++
	return added(fmt.Sprintf("__%d", r.body.temps))
}

// startLine goes to the first token of the next line that has one, which ends at nothing else than its own.
func (r *rewriter) startLine(at int) {
	r.nest = 0
	for at < len(r.source) {
		text := r.source[at:]
		ws := len(text) - len(strings.TrimLeft(text, " \t\f"))
		rest := text[ws:]
		if rest != "" && !strings.HasPrefix(rest, "#") && !strings.HasPrefix(rest, "\n") && !strings.HasPrefix(rest, "\r\n") {
			r.indent = strings.ReplaceAll(text[:ws], "\f", "")
			r.next(at + ws)
			return
		}
		nl := strings.IndexByte(rest, '\n')
		if nl < 0 {
			break
		}
		at += ws + nl + 1
	}
	r.indent = ""
	r.tok = token{start: len(r.source), stop: len(r.source)}
}

// endLine takes the end of a simple statement's line, after which a semicolon may have stood.
func (r *rewriter) endLine() {
	switch {
	case r.err != nil:
	case r.tok.kind == newline:
		r.startLine(r.tok.stop)
	case r.tok.kind != end:
		r.unexpected()
	}
}

// statements are those of one indentation.
func (r *rewriter) statements(indent string) {
	depth := r.depth
	for r.tok.kind != end || r.err != nil {
		switch {
		case r.err != nil:
		case r.indent == indent:
			r.statement()
		case !strings.HasPrefix(r.indent, indent):
			return
		default:
			r.fail(r.tok.start, 1, "unexpected indent")
		}
		if r.err != nil {
			r.depth = depth
			if !r.recover(indent) {
				return
			}
		}
	}
}

// recover records a problem and goes to the next statement of the indentation or of one around it.
func (r *rewriter) recover(indent string) bool {
	r.problems = append(r.problems, *r.err)
	at := r.err.offset
	r.err = nil
	if len(r.problems) >= maxProblems {
		r.tok = token{start: len(r.source), stop: len(r.source)}
		return false
	}
	at = max(at, r.begun)
	for {
		nl := strings.IndexByte(r.source[min(at, len(r.source)):], '\n')
		if nl < 0 {
			r.tok = token{start: len(r.source), stop: len(r.source)}
			r.indent = ""
			return true
		}
		at += nl + 1
		r.startLine(at)
		r.err = nil
		at = r.tok.start
		closes := r.tok.kind == op && strings.Contains(")]}", r.tok.text) || r.is("else") || r.is("elif") || r.is("except") || r.is("finally")
		if r.tok.kind == end || len(r.indent) <= len(indent) && !closes {
			return true
		}
	}
}

const maxProblems = 20

// block is what follows a ":", on the same line or indented below.
func (r *rewriter) block() {
	r.expect(":")
	if r.err != nil {
		return
	}
	outer := r.indent
	r.body.indent++
	defer func() { r.body.indent-- }()
	from := len(r.body.lines)
	if r.tok.kind != newline {
		for r.err == nil {
			r.simple()
			if !r.accept(";") || r.tok.kind == newline || r.tok.kind == end {
				break
			}
		}
		r.endLine()
	} else {
		at := r.begun
		r.startLine(r.tok.stop)
		if r.tok.kind == end || len(r.indent) <= len(outer) || !strings.HasPrefix(r.indent, outer) {
			r.fail(at, 1, "expected an indented block after this line")
			r.err.offset = max(r.tok.start-1, 0)
			return
		}
		inner := r.indent
		r.statements(inner)
		if r.err == nil && r.tok.kind != end && len(r.indent) > len(outer) {
			r.fail(r.tok.start, 1, "unindent does not match any outer indentation level")
		}
	}
	if len(r.body.lines) == from {
		r.emit(added("pass"))
	}
}

// begin emits the line that a block belongs to.
func (r *rewriter) begin(parts ...code) { r.emit(append(parts, added(":"))...) }
