package expr

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// link is the end of a primary: what can be assigned to.
type link struct {
	kind   byte // '.', '[' or '(' of an attribute, an index or a call; 0 of an operand
	offset int
	base   code
	key    code // the attribute's name or the index
}

// primary is an operand with its attributes, indices and calls.
func (r *rewriter) primary() code {
	r.enter()
	defer r.leave()
	if r.err != nil {
		return nil
	}
	c := r.operand()
	last := link{}
	defer func() { r.last = last }()
	for links := 0; r.err == nil && r.tok.kind == op; links++ {
		at := r.tok.start
		if links > maxNest {
			r.fail(at, 1, "nested too deeply: more than %d calls, attributes and indices in a row", maxNest)
		}
		switch r.tok.text {
		case ".":
			r.advance()
			at = r.tok.start
			if r.tok.kind == name && strings.HasPrefix(r.tok.text, "__") && !(r.lines && allowed[r.tok.text]) {
				if r.lines {
					r.refuse(dunders[r.tok.text], "attribute '%s' is not available", r.tok.text)
				}
				r.fail(at, len(r.tok.text), "attribute %q is not available in expressions", r.tok.text)
				return nil
			}
			if r.tok.kind != name {
				r.unexpected()
				return nil
			}
			last = link{'.', at, c, literal(r.tok.text)}
			c = call("__attr", at, c, last.key)
			r.advance()
		case "[":
			r.advance()
			c, last = r.subscript(c, at)
		case "(":
			r.advance()
			last = link{kind: '(', offset: at}
			c = join(c, r.arguments(at))
		default:
			return c
		}
	}
	return c
}

// subscript is an index: a value, a slice, or several of them with commas between.
func (r *rewriter) subscript(c code, at int) (code, link) {
	part := func() code {
		if r.is(":") || r.is("]") || r.is(",") {
			return added("None")
		}
		return r.test()
	}
	var keys []item
	var bounds []code // of the last slice
	comma := false
	for r.err == nil && !r.is("]") {
		var key item
		bounds = nil
		if !r.is(":") {
			key = r.starred()
		}
		if !key.starred && r.is(":") {
			if bounds = []code{key.code}; key.code == nil {
				bounds[0] = added("None")
			}
			for r.accept(":") && len(bounds) < 3 {
				bounds = append(bounds, part())
			}
			key.code = call("__range", at, bounds...)
		}
		keys = append(keys, key)
		comma = r.accept(",")
		if !comma {
			break
		}
	}
	if len(keys) == 0 {
		r.unexpected()
	}
	r.expect("]")
	if r.err != nil {
		return nil, link{}
	}
	one := len(keys) == 1 && !comma && !keys[0].starred
	key := keys[0].code
	if !one {
		key = sequence("tuple", keys)
	}
	l := link{'[', at, c, key}
	if one && bounds != nil {
		return call("__slice", at, append([]code{c}, bounds...)...), l
	}
	return call("__index", at, c, key), l
}

// arguments are a call's. Starlark wants positional ones first, then named ones, and one of each starred kind.
func (r *rewriter) arguments(at int) code {
	var pos, starred []item
	var named, rest []code
	for r.err == nil && !r.is(")") {
		switch {
		case r.accept("*"):
			starred = append(starred, item{r.test(), true})
		case r.accept("**"):
			rest = append(rest, r.test())
		case r.tok.kind == name && !reserved[r.tok.text] && r.scan(r.tok.stop).text == "=" && r.scan(r.tok.stop).kind == op:
			key := code{{r.identifier() + "=", -1}}
			r.advance()
			named = append(named, join(key, r.test()))
		default:
			free := len(r.names)
			place := r.tok.start
			value := r.test()
			if r.is("for") {
				value = join(added("["), value, r.comprehension(free), added("]"))
			}
			switch {
			case len(named) > 0 || len(rest) > 0:
				r.fail(place, 1, "positional argument follows keyword argument")
			case len(starred) > 0:
				starred = append(starred, item{code: value})
			default:
				pos = append(pos, item{code: value})
			}
		}
		if !r.accept(",") {
			break
		}
	}
	r.expect(")")
	var all []code
	for _, p := range pos {
		all = append(all, p.code)
	}
	all = append(all, named...)
	if len(starred) > 0 {
		all = append(all, join(added("*"), sequence("tuple", starred)))
	}
	switch {
	case len(rest) == 1:
		all = append(all, join(added("**"), call("__mapping", at, rest[0])))
	case len(rest) > 1:
		all = append(all, join(added("**"), call("__mapping", at, rest...)))
	}
	return call("", at, all...)
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
			if r.lines {
				break
			}
			return r.reference()
		case "...":
			r.advance()
			return code{{"__ellipsis()", t.start}}
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
	case r.lines && !r.available(t):
		return nil
	case t.text == "await" || t.text == "yield" || t.text == "async":
		r.fail(t.start, len(t.text), "%q is not supported in expressions", t.text)
		return nil
	case reserved[t.text] && t.text != "load":
		r.unexpected()
		return nil
	case !r.lines && (t.text == "load" || strings.HasPrefix(t.text, "__")) && t.text != "__import__":
		r.fail(t.start, len(t.text), "name %q is not available in expressions", t.text)
		return nil
	case !r.lines && !slices.Contains(r.bound, t.text) && builtins[t.text] == nil:
		if !slices.ContainsFunc(r.names, func(n Name) bool { return n.Name == t.text }) {
			r.names = append(r.names, Name{t.text, r.col(t.start)})
		}
	}
	r.advance()
	return code{{t.text, t.start}}
}
