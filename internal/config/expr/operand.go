package expr

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// primary is an operand with its attributes, indices and calls.
func (r *rewriter) primary() code {
	r.enter()
	defer r.leave()
	if r.err != nil {
		return nil
	}
	c := r.operand()
	for links := 0; r.err == nil && r.tok.kind == op; links++ {
		at := r.tok.start
		if links > maxNest {
			r.fail(at, 1, "nested too deeply: more than %d calls, attributes and indices in a row", maxNest)
		}
		switch r.tok.text {
		case ".":
			r.advance()
			at = r.tok.start
			if r.tok.kind == name && strings.HasPrefix(r.tok.text, "__") {
				r.fail(at, len(r.tok.text), "attribute %q is not available in expressions", r.tok.text)
				return nil
			}
			if r.tok.kind != name {
				r.unexpected()
				return nil
			}
			c = call("__attr", at, c, literal(r.tok.text))
			r.advance()
		case "[":
			r.advance()
			c = r.subscript(c, at)
		case "(":
			r.advance()
			c = join(c, r.arguments(at))
		default:
			return c
		}
	}
	return c
}

func (r *rewriter) subscript(c code, at int) code {
	part := func() code {
		if r.is(":") || r.is("]") {
			return added("None")
		}
		return r.tuple()
	}
	first := part()
	if !r.is(":") {
		r.expect("]")
		return call("__index", at, c, first)
	}
	args := []code{c, first}
	for r.accept(":") && len(args) < 4 {
		args = append(args, part())
	}
	r.expect("]")
	return call("__slice", at, args...)
}

func (r *rewriter) arguments(at int) code {
	c := code{{"(", at}}
	for r.err == nil && !r.is(")") {
		if len(c) > 1 {
			c = append(c, piece{", ", -1})
		}
		switch {
		case r.is("*") || r.is("**"):
			stars := r.tok.text
			r.advance()
			c = join(c, added(stars), r.test())
		case r.tok.kind == name && !reserved[r.tok.text] && r.scan(r.tok.stop).text == "=" && r.scan(r.tok.stop).kind == op:
			c = append(c, piece{r.identifier() + "=", -1})
			r.advance()
			c = join(c, r.test())
		default:
			free := len(r.names)
			value := r.test()
			if r.is("for") {
				value = join(added("["), value, r.comprehension(free), added("]"))
			}
			c = append(c, value...)
		}
		if !r.accept(",") {
			break
		}
	}
	r.expect(")")
	return append(c, piece{")", -1})
}

func (r *rewriter) operand() code {
	t := r.tok
	switch t.kind {
	case number:
		r.advance()
		return code{{t.text, t.start}}
	case str:
		return r.strings()
	case name:
		return r.name()
	case op:
		switch t.text {
		case "@", "%":
			return r.reference()
		case "(":
			return r.group()
		case "[":
			return r.list()
		case "{":
			return r.braces()
		}
	}
	r.unexpected()
	return nil
}

func (r *rewriter) reference() code {
	start := r.tok.start
	pattern := refPattern
	if r.tok.text == "%" {
		pattern = rawPattern
	}
	text := pattern.FindString(r.source[start:r.limit])
	if text == "" {
		r.fail(start, 1, "expected a reference such as %sa::b", r.tok.text)
		return nil
	}
	r.next(start + len(text))
	ref := Ref{Raw: text[0] == '%', Name: text[1:], Col: r.col(start), Len: utf8.RuneCountInString(text)}
	i := slices.IndexFunc(r.refs, func(o Ref) bool { return o.Raw == ref.Raw && o.Name == ref.Name })
	if i < 0 {
		i = len(r.refs)
		r.refs = append(r.refs, ref)
	}
	return code{{refName(i), start}}
}

func (r *rewriter) name() code {
	t := r.tok
	switch {
	case t.text == "True" || t.text == "False" || t.text == "None":
	case t.text == "await" || t.text == "yield" || t.text == "async":
		r.fail(t.start, len(t.text), "%q is not supported in expressions", t.text)
		return nil
	case reserved[t.text] && t.text != "load":
		r.unexpected()
		return nil
	case t.text == "load" || strings.HasPrefix(t.text, "__") && t.text != "__import__":
		r.fail(t.start, len(t.text), "name %q is not available in expressions", t.text)
		return nil
	case !slices.Contains(r.bound, t.text) && builtins[t.text] == nil:
		if !slices.ContainsFunc(r.names, func(n Name) bool { return n.Name == t.text }) {
			r.names = append(r.names, Name{t.text, r.col(t.start)})
		}
	}
	r.advance()
	return code{{t.text, t.start}}
}
