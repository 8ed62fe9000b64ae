package expr

import (
	"slices"
	"strings"
)

// statement is one of any kind, with its line.
func (r *rewriter) statement() {
	r.enter()
	defer r.leave()
	r.begun, r.size = r.tok.start, 0
	if r.err != nil {
		return
	}
	if r.tok.kind == name {
		switch r.tok.text {
		case "def":
			r.def()
			return
		case "if":
			r.conditional()
			return
		case "for":
			r.forLoop()
			return
		case "while":
			r.whileLoop()
			return
		case "match", "type":
			if !r.softKeyword() {
				break
			}
			fallthrough
		case "class", "with", "try", "async", "import", "from":
			r.refuseStatement()
			return
		}
	}
	if r.is("@") {
		r.decorated()
		return
	}
	for r.err == nil {
		r.simple()
		if !r.accept(";") || r.tok.kind == newline || r.tok.kind == end {
			break
		}
	}
	r.endLine()
}

// decorated is a function under decorators, which are called with it from the last to the first.
func (r *rewriter) decorated() {
	indent := r.indent
	var calls []code
	for r.err == nil && r.is("@") {
		at := r.tok.start
		r.advance()
		f := r.temp()
		r.emit(f, added(" = "), r.test())
		calls = append(calls, code{f[0], {"(", at}})
		r.endLine()
		if r.err == nil && r.indent != indent {
			r.fail(r.tok.start, 1, "unexpected indent")
		}
	}
	if r.err == nil && r.is("class") {
		r.refuseStatement()
	}
	if r.err != nil {
		return
	}
	if !r.is("def") {
		r.unexpected()
		return
	}
	name := r.scan(r.tok.stop).text
	r.def()
	if r.err == nil {
		r.emit(added(name+" = "), join(calls...), added(name+strings.Repeat(")", len(calls))))
	}
}

func (r *rewriter) def() {
	r.advance()
	at := r.tok
	called := r.identifier()
	r.expect("(")
	params, _ := r.parameters(")", true)
	r.expect(")")
	if r.accept("->") {
		r.test()
	}
	if r.err != nil {
		return
	}
	r.begin(added("def "), code{{called, at.start}}, added("("), params, added(")"))
	loops := r.body.loops
	r.body.loops = nil
	r.body.calls++
	r.block()
	r.body.calls--
	r.body.loops = loops
}

func (r *rewriter) conditional() {
	word := "if "
	for r.err == nil {
		r.begun = r.tok.start
		indent := r.indent
		r.advance()
		if r.tok.kind == name && r.tok.text == "__name__" {
			r.refuse("leave it out: a file is only ever loaded, and `lighter fit` starts the run", "'__name__' is not available")
			return
		}
		r.begin(added(word), r.truth(r.test()))
		r.block()
		if r.err != nil || r.tok.kind != name || r.indent != indent {
			return
		}
		switch r.tok.text {
		case "elif":
			word = "elif "
		case "else":
			r.begun = r.tok.start
			r.advance()
			r.begin(added("else"))
			r.block()
			return
		default:
			return
		}
	}
}

func (r *rewriter) forLoop() {
	r.advance()
	target := r.targetList("in")
	at := r.tok.start
	r.expect("in")
	over := call("__iter", at, r.tuple())
	r.loop(func() {
		if target.kind == 'n' {
			r.begin(added("for "), code{{target.name, target.offset}}, added(" in "), over)
			return
		}
		item := r.temp()
		r.begin(added("for "), item, added(" in "), over)
		r.body.indent++
		r.store(target, item)
		r.body.indent--
	})
}

func (r *rewriter) whileLoop() {
	r.advance()
	cond := r.truth(r.test())
	r.loop(func() { r.begin(added("while "), cond) })
}

// loop is a loop whose first lines head writes, with its `else`.
func (r *rewriter) loop(head func()) {
	if r.err != nil {
		return
	}
	indent := r.indent
	start := len(r.body.lines)
	l := &loop{}
	head()
	r.body.loops = append(r.body.loops, l)
	r.block()
	r.body.loops = r.body.loops[:len(r.body.loops)-1]
	if r.err != nil || !r.is("else") || r.indent != indent {
		return
	}
	r.begun = r.tok.start
	r.advance()
	whole := r.temp()
	for i, at := range l.breaks {
		at += i
		broken := r.body.lines[at]
		r.body.lines = slices.Insert(r.body.lines, at, line{broken.indent, join(whole, added(" = False"))})
	}
	r.body.lines = slices.Insert(r.body.lines, start, line{r.body.indent, join(whole, added(" = True"))})
	r.begin(added("if "), whole)
	r.block()
}

// simple is a statement of one line.
func (r *rewriter) simple() {
	if r.err != nil {
		return
	}
	t := r.tok
	word := ""
	if t.kind == name {
		word = t.text
	}
	switch word {
	case "pass":
		r.advance()
		r.emit(added("pass"))
	case "break", "continue":
		r.advance()
		if len(r.body.loops) == 0 {
			r.fail(t.start, len(word), "'%s' outside loop", word)
			return
		}
		if word == "break" {
			l := r.body.loops[len(r.body.loops)-1]
			l.breaks = append(l.breaks, len(r.body.lines))
		}
		r.emit(code{{word, t.start}})
	case "return":
		r.advance()
		if r.body.calls == 0 {
			r.fail(t.start, len(word), "'return' outside function")
			return
		}
		if r.endsSimple() {
			r.emit(code{{"return", t.start}})
			return
		}
		r.emit(code{{"return ", t.start}}, r.tuple())
	case "assert":
		r.advance()
		cond := r.truth(r.test())
		var args []code
		if r.accept(",") {
			args = append(args, r.test())
		}
		r.begin(added("if not "), cond)
		r.body.indent++
		r.emit(call("__assert", t.start, args...))
		r.body.indent--
	case "raise":
		r.advance()
		if r.endsSimple() {
			r.fail(t.start, len(word), "'raise' needs the error to raise, such as raise ValueError(\"...\")")
			return
		}
		what := r.test()
		if r.is("from") {
			r.advance()
			r.test()
		}
		r.emit(call("__raise", t.start, what))
	case "del":
		r.del()
	case "load":
		r.load()
	case "global", "nonlocal":
		r.refuse("give it to the function as an argument and return it, or keep it as an attribute of an object: self.count = 0", "'%s' is not available", word)
	case "class", "with", "try", "import", "from", "async", "def", "for", "while", "if":
		if word == "import" || word == "from" {
			r.refuseStatement()
			return
		}
		r.unexpected()
	default:
		r.expressionStatement()
	}
}

// endsSimple reports whether a simple statement ends here.
func (r *rewriter) endsSimple() bool {
	return r.tok.kind == newline || r.tok.kind == end || r.is(";")
}

func (r *rewriter) del() {
	at := r.tok.start
	r.advance()
	for r.err == nil {
		t := r.target()
		switch t.kind {
		case '[':
			r.emit(call("__delitem", t.offset, t.base, t.key))
		case '.':
			r.emit(call("__delattr", t.offset, t.base, t.key))
		default:
			if r.err == nil {
				r.fail(at, 3, "'del' of a variable is not available")
				r.err.Hint = "leave it out: what a step makes is freed when the step ends"
			}
		}
		if !r.accept(",") {
			return
		}
	}
}

// load is `load("//models/block.star", "Block", other="Name")`.
func (r *rewriter) load() {
	at := r.tok
	r.advance()
	if r.body.indent > 0 {
		r.fail(at.start, 4, "'load' stands at the top of a file, outside functions, loops and conditions")
		return
	}
	r.expect("(")
	c := code{{"load(", at.start}}
	n := 0
	for ; r.err == nil && !r.is(")"); n++ {
		if n > 0 {
			c = append(c, piece{", ", -1})
		}
		if n > 0 && r.tok.kind == name {
			c = append(c, piece{r.identifier() + "=", r.tok.start})
			r.expect("=")
		}
		if r.err == nil && (r.tok.kind != str || r.tok.format || r.tok.bytes) {
			r.fail(r.tok.start, max(r.tok.stop-r.tok.start, 1), "'load' takes the path of a file and the names to take from it, as plain strings")
			return
		}
		c = append(c, piece{literal(r.tok.text)[0].text, r.tok.start})
		r.advance()
		if !r.accept(",") {
			n++
			break
		}
	}
	r.expect(")")
	if r.err == nil && n < 2 {
		r.fail(at.start, 4, "'load' needs the names to take from the file: load(\"//block.star\", \"Block\")")
	}
	r.emit(c, added(")"))
}
