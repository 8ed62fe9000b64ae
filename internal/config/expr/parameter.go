package expr

import (
	"slices"
	"strings"
)

func (r *rewriter) lambda() code {
	r.advance()
	scope := len(r.bound)
	c, params := r.parameters(":", false)
	c = append(added("(lambda "), c...)
	r.expect(":")
	r.bound = append(r.bound, params...)
	c = join(c, added(": "), r.test(), added(")"))
	r.bound = r.bound[:scope]
	return c
}

// parameters are a function's, up to the token that ends them.
func (r *rewriter) parameters(stop string, annotated bool) (c code, names []string) {
	for n := 0; r.err == nil && !r.is(stop); n++ {
		stars := ""
		if r.is("*") || r.is("**") {
			stars = r.tok.text
			r.advance()
		}
		if n > 0 {
			c = append(c, piece{", ", -1})
		}
		if stars == "*" && r.is(",") {
			c = append(c, piece{"*", -1})
			r.advance()
			continue
		}
		if n > 0 && annotated && r.accept("/") { // the parameters before it can be given by name too
			c = c[:len(c)-1]
			if !r.accept(",") {
				break
			}
			continue
		}
		at := r.tok
		param := r.identifier()
		if r.err == nil && slices.Contains(names, param) {
			r.fail(at.start, at.stop-at.start, "duplicate argument '%s' in function definition", param)
		}
		names = append(names, param)
		c = append(c, piece{stars, -1}, piece{param, at.start})
		if annotated && r.accept(":") {
			r.test()
		}
		if r.accept("=") {
			c = join(c, added("="), r.test())
		}
		if !r.accept(",") {
			break
		}
	}
	return c, names
}

func (r *rewriter) identifier() string {
	if r.err != nil {
		return ""
	}
	if r.tok.kind != name || reserved[r.tok.text] || r.isOwn(r.tok.text) {
		if r.lines && r.tok.kind == name && !reserved[r.tok.text] {
			r.refuse("give it another name", "'%s' is a name of the language's own", r.tok.text)
		}
		r.unexpected()
		return ""
	}
	s := r.tok.text
	r.advance()
	return s
}

// reserved are the words of Python and Starlark that no name can be.
var reserved = map[string]bool{}

func init() {
	for _, w := range strings.Fields("False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda load nonlocal not or pass raise return try while with yield") {
		reserved[w] = true
	}
}
