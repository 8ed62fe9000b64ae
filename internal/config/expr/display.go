package expr

import (
	"fmt"
	"slices"
	"strings"
)

// group is `(a)`, a tuple or a generator, which is evaluated at once.
func (r *rewriter) group() code {
	r.advance()
	if r.accept(")") {
		return added("()")
	}
	free := len(r.names)
	first := r.starred()
	if r.is("for") {
		c := join(added("["), first.code, r.comprehension(free), added("]"))
		r.expect(")")
		return c
	}
	if !r.is(",") && !first.starred {
		r.expect(")")
		return join(added("("), first.code, added(")"))
	}
	items := []item{first}
	for r.accept(",") && !r.is(")") && r.err == nil {
		items = append(items, r.starred())
	}
	r.expect(")")
	return sequence("tuple", items)
}

func (r *rewriter) list() code {
	r.advance()
	var items []item
	free := len(r.names)
	for r.err == nil && !r.is("]") {
		items = append(items, r.starred())
		if len(items) == 1 && r.is("for") {
			c := join(added("["), items[0].code, r.comprehension(free), added("]"))
			r.expect("]")
			return c
		}
		if !r.accept(",") {
			break
		}
	}
	r.expect("]")
	return sequence("list", items)
}

// braces is a dict or a set, or a comprehension of one.
func (r *rewriter) braces() code {
	at := r.tok.start
	r.advance()
	var pairs []code
	var items []item
	free := len(r.names)
	for r.err == nil && !r.is("}") {
		if r.accept("**") {
			pairs = append(pairs, r.binary(0))
		} else {
			first := r.starred()
			isPair := !first.starred && r.accept(":")
			if isPair {
				first.code = join(added("("), first.code, added(", "), r.test(), added(")"))
			}
			if r.is("for") {
				c := join(added("["), first.code, r.comprehension(free), added("]"))
				r.expect("}")
				if isPair {
					return call("__dict", at, c)
				}
				return call("__set", at, c)
			}
			if isPair {
				pairs = append(pairs, first.code)
			} else {
				items = append(items, first)
			}
		}
		if !r.accept(",") {
			break
		}
	}
	if r.err == nil && len(pairs) > 0 && len(items) > 0 {
		r.fail(at, 1, "a dict needs a \":\" after every key")
	}
	r.expect("}")
	if len(items) > 0 {
		return sequence("set", items)
	}
	c := added("[")
	for _, p := range pairs {
		c = append(append(c, p...), piece{", ", -1})
	}
	return call("__dict", at, append(c, piece{"]", -1}))
}

// comprehension is the loops and conditions after an element. free is how many names were free before the element:
// those since then that the loops bind are not.
func (r *rewriter) comprehension(free int) code {
	var c code
	scope := len(r.bound)
	for r.err == nil && (r.is("for") || r.is("if")) {
		if r.accept("if") {
			c = append(append(c, piece{" if ", -1}), r.truth(r.or())...)
			continue
		}
		r.advance()
		c = append(c, piece{" for ", -1})
		var targets []string
		variables := r.targets(&targets)
		if r.lines && len(variables) > 1 {
			variables = join(added("("), variables, added(")"))
		}
		c = append(c, variables...)
		at := r.tok.start
		r.expect("in")
		over := []code{r.or()}
		if shape := shapeOf(variables); r.lines && shape != "." {
			over = append(over, literal(shape))
		}
		c = append(append(c, piece{" in ", -1}), call("__iter", at, over...)...)
		r.bound = append(r.bound, targets...)
	}
	bound := r.bound[scope:]
	names := r.names[:min(free, len(r.names))]
	for _, n := range r.names[len(names):] {
		if !slices.Contains(bound, n.Name) {
			names = append(names, n)
		}
	}
	r.names, r.bound = names, r.bound[:scope]
	return c
}

// targets are the variables of a loop: `a`, `a, b` or `i, (a, b)`.
func (r *rewriter) targets(into *[]string) code {
	r.enter()
	defer r.leave()
	var c code
	for r.err == nil {
		if r.accept("(") {
			c = append(append(append(c, piece{"(", -1}), r.targets(into)...), piece{")", -1})
			r.expect(")")
		} else {
			n := r.identifier()
			*into = append(*into, n)
			c = append(c, piece{n, -1})
		}
		if !r.accept(",") {
			break
		}
		c = append(c, piece{", ", -1})
		if r.is("in") {
			break
		}
	}
	return c
}

// shapeOf is how variables are nested: "." is one, "..", with commas left out, are two of a tuple.
func shapeOf(variables code) string {
	var b strings.Builder
	for _, p := range variables {
		switch p.text {
		case "(", ")":
			b.WriteString(p.text)
		case ", ":
			b.WriteByte(',')
		default:
			b.WriteByte('.')
		}
	}
	return b.String()
}

// strings is one or more literals side by side.
func (r *rewriter) strings() code {
	at := r.tok.start
	if r.tok.bytes {
		return r.bytes()
	}
	text := ""
	var parts []code
	flush := func() {
		if text != "" {
			parts = append(parts, literal(text))
			text = ""
		}
	}
	for r.err == nil && r.tok.kind == str {
		t := r.tok
		if t.bytes {
			r.fail(t.start, t.stop-t.start, "cannot mix bytes and nonbytes literals")
			break
		}
		if !t.format {
			text += t.text
			r.advance()
			continue
		}
		flush()
		limit := r.limit
		r.limit = t.close
		r.nest++
		fields, _ := r.fields(t.body, t.raw, false)
		r.nest--
		r.limit = limit
		parts = append(parts, fields...)
		r.next(t.stop)
	}
	if len(parts) == 0 {
		return code{{literal(text)[0].text, at}}
	}
	flush()
	return concatenation(at, parts)
}

// concatenation is the code of the parts of an f-string, put together.
func concatenation(at int, parts []code) code {
	if len(parts) <= mostArguments {
		return call("__concat", at, parts...)
	}
	list := added("[")
	for _, p := range parts {
		list = append(append(list, p...), piece{", ", -1})
	}
	return call("__concat", at, append(list, piece{"]", -1}))
}

// mostArguments is how many a call may have in Starlark.
const mostArguments = 255

// bytes is one or more literals of bytes.
func (r *rewriter) bytes() code {
	at, text := r.tok.start, ""
	for r.err == nil && r.tok.kind == str {
		if !r.tok.bytes {
			r.fail(r.tok.start, r.tok.stop-r.tok.start, "cannot mix bytes and nonbytes literals")
			break
		}
		text += r.tok.text
		r.advance()
	}
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, "\\x%02x", text[i])
	}
	return code{{`b"` + b.String() + `"`, at}}
}

// fields reads an f-string's text from offset i: to the end, or in a field's format to its "}", whose offset is returned.
func (r *rewriter) fields(i int, raw, format bool) (parts []code, stop int) {
	r.enter()
	defer r.leave()
	var b strings.Builder
	flush := func() {
		text := b.String()
		if !raw {
			var bad int
			if text, bad = unescape(text, false); bad >= 0 {
				r.fail(i, 1, "invalid escape in a string")
			}
		}
		if text != "" {
			parts = append(parts, literal(text))
		}
		b.Reset()
	}
	for r.err == nil && i < r.limit {
		switch c := r.source[i]; {
		case c == '{' && !format && strings.HasPrefix(r.source[i:r.limit], "{{"), c == '}' && !format && strings.HasPrefix(r.source[i:r.limit], "}}"):
			b.WriteByte(c)
			i += 2
		case c == '}':
			if !format {
				r.fail(i, 1, "f-string: single '}' is not allowed")
			}
			flush()
			return parts, i
		case c == '{':
			flush()
			var part code
			part, i = r.field(i, raw)
			parts = append(parts, part)
		case c == '\\' && i+1 < r.limit && r.source[i+1] != '{' && r.source[i+1] != '}':
			b.WriteString(r.source[i : i+2])
			i += 2
		default:
			b.WriteByte(c)
			i++
		}
	}
	flush()
	return parts, i
}

// field reads `{value!r:format}` at offset i and returns what follows it.
func (r *rewriter) field(i int, raw bool) (code, int) {
	at := i
	r.next(i + 1)
	if r.is("}") {
		r.fail(at, 2, "f-string: empty expression not allowed")
		return nil, i
	}
	from := r.tok.start
	value := r.tuple()
	conversion, shown := "", ""
	if r.is("=") {
		r.advance()
		shown, conversion = r.source[from:r.tok.start], "r"
	}
	if r.accept("!") {
		conversion = r.tok.text
		if r.err == nil && (r.tok.kind != name || !strings.Contains(" r s a ", " "+conversion+" ")) {
			r.fail(r.tok.start, 1, "f-string: expected !r, !s or !a")
		}
		r.advance()
	}
	spec := literal("")
	if r.is(":") || r.is(":=") {
		if shown != "" && conversion == "r" {
			conversion = ""
		}
		var parts []code
		var stop int
		parts, stop = r.fields(r.tok.start+1, raw, true)
		spec = concatenation(at, parts)
		r.next(stop)
	}
	if r.err != nil {
		return nil, i
	}
	if !r.is("}") {
		r.fail(r.tok.start, 1, "f-string: expected '}'")
		return nil, i
	}
	c := call("__format", at, value, literal(conversion), spec)
	if shown != "" {
		c = call("__concat", at, literal(shown), c)
	}
	return c, r.tok.stop
}
