package expr

import (
	"slices"
	"strings"
)

// target is what a value can be assigned to.
type target struct {
	kind   byte // 'n' a name, '.' an attribute, '[' an index, '(' a sequence of targets
	offset int
	name   string
	star   bool
	base   code
	key    code
	items  []target
}

// augmented are the operators that assign.
var augmented = []string{"+=", "-=", "*=", "/=", "//=", "%=", "**=", "@=", "&=", "|=", "^=", "<<=", ">>="}

// expressionStatement is an expression, or an assignment of one of the three kinds.
func (r *rewriter) expressionStatement() {
	start := r.tok
	c := r.tuple()
	switch {
	case r.err != nil:
	case r.is("="):
		r.assignment(start)
	case r.is(":"):
		r.tok = start
		t := r.target()
		r.expect(":")
		if t.kind == '(' && r.err == nil {
			r.fail(t.offset, 1, "only single target (not tuple) can be annotated")
		}
		r.test()
		if r.accept("=") {
			r.assign([]target{t}, r.tuple())
		}
	case r.tok.kind == op && slices.Contains(augmented, r.tok.text):
		r.augment(start)
	default:
		r.emit(c)
	}
}

// assignment is `a = b = value`.
func (r *rewriter) assignment(start token) {
	var targets []target
	var value code
	for r.err == nil {
		r.tok = start
		targets = append(targets, r.targetList("="))
		if r.err == nil && !r.is("=") {
			r.fail(start.start, 1, "cannot assign to expression here. Maybe you meant '==' instead of '='?")
		}
		r.expect("=")
		start = r.tok
		value = r.tuple()
		if !r.is("=") {
			break
		}
	}
	r.assign(targets, value)
}

func (r *rewriter) assign(targets []target, value code) {
	if r.err != nil {
		return
	}
	if len(targets) > 1 {
		once := r.temp()
		r.emit(once, added(" = "), value)
		value = once
	}
	for _, t := range targets {
		r.store(t, value)
	}
}

// store emits the assignment of a value to a target. The value is evaluated first, as Python does.
func (r *rewriter) store(t target, value code) {
	switch t.kind {
	case 'n':
		r.emit(code{{t.name, t.offset}}, added(" = "), value)
	case '.':
		r.emit(call("__setattr", t.offset, value, t.base, t.key))
	case '[':
		r.emit(call("__setindex", t.offset, value, t.base, t.key))
	case '(':
		star := -1
		left := added("[")
		var later []func()
		for i, it := range t.items {
			if it.star {
				star = i
			}
			if it.kind == 'n' {
				left = append(left, piece{it.name, it.offset})
			} else {
				part := r.temp()
				left = append(left, part...)
				later = append(later, func() { r.store(it, part) })
			}
			left = append(left, piece{", ", -1})
		}
		r.emit(left, added("] = "), call("__unpack", t.offset, value, integer(len(t.items)), integer(star)))
		for _, f := range later {
			f()
		}
	}
}

// augment is `target op= value`.
func (r *rewriter) augment(start token) {
	r.tok = start
	t := r.targetList("=")
	if r.err == nil && !slices.Contains(augmented, r.tok.text) {
		r.fail(start.start, 1, "the left side of an augmented assignment is a variable, an attribute or an index")
		return
	}
	sign, at := strings.TrimSuffix(r.tok.text, "="), r.tok.start
	r.advance()
	value := r.tuple()
	if r.err != nil {
		return
	}
	once := func(c code) code { // what is neither a variable nor a constant
		if len(c) == 1 {
			return c
		}
		v := r.temp()
		r.emit(v, added(" = "), c)
		return v
	}
	var now code
	switch t.kind {
	case 'n':
		now = code{{t.name, t.offset}}
	case '.':
		t.base = once(t.base)
		now = call("__attr", t.offset, t.base, t.key)
	case '[':
		t.base, t.key = once(t.base), once(t.key)
		now = call("__index", t.offset, t.base, t.key)
	default:
		r.fail(t.offset, 1, "'tuple' is an illegal expression for augmented assignment")
		return
	}
	r.store(t, call("__inplace", at, literal(sign), now, value))
}

// targetList is one target, or several with commas between, up to a word.
func (r *rewriter) targetList(stop string) target {
	first := r.starTarget()
	if !r.is(",") {
		if first.star && r.err == nil {
			r.fail(first.offset, 1, "starred assignment target must be in a list or tuple")
		}
		return first
	}
	list := target{kind: '(', offset: first.offset, items: []target{first}}
	for r.accept(",") && !r.is(stop) && r.err == nil {
		list.items = append(list.items, r.starTarget())
	}
	return r.checked(list)
}

func (r *rewriter) starTarget() target {
	at := r.tok.start
	star := r.accept("*")
	t := r.target()
	if star {
		t.star, t.offset = true, at
		if t.kind == 'n' {
			t.offset = at + 1
		}
	}
	return t
}

func (r *rewriter) checked(list target) target {
	stars := 0
	for _, it := range list.items {
		if it.star {
			stars++
		}
	}
	if stars > 1 && r.err == nil {
		r.fail(list.offset, 1, "multiple starred expressions in assignment")
	}
	return list
}

// target is one that is no list without brackets.
func (r *rewriter) target() target {
	r.enter()
	defer r.leave()
	t := r.tok
	if r.err != nil {
		return target{}
	}
	if r.is("[") || r.is("(") {
		if list, ok := r.bracketed(); ok {
			return list
		}
		if r.err != nil {
			return target{}
		}
		r.tok = t
	}
	if t.kind == name && !reserved[t.text] {
		after := r.scan(t.stop)
		if after.kind != op || !strings.Contains(". [ (", after.text) {
			return target{kind: 'n', offset: t.start, name: r.identifier()}
		}
	}
	r.primary()
	l := r.last
	if r.err == nil && l.kind != '.' && l.kind != '[' {
		what := "expression"
		switch {
		case l.kind == '(':
			what = "function call"
		case t.kind == number || t.kind == str:
			what = "literal"
		case t.kind == name:
			what = t.text
		}
		r.fail(t.start, t.stop-t.start, "cannot assign to %s", what)
	}
	return target{kind: l.kind, offset: l.offset, base: l.base, key: l.key}
}

// bracketed is `(a, b)` or `[a, b]`; ok is false when the bracket begins something else, such as (a).b.
func (r *rewriter) bracketed() (target, bool) {
	shut := map[string]string{"(": ")", "[": "]"}[r.tok.text]
	at, isList, nest := r.tok.start, r.tok.text == "[", r.nest
	r.advance()
	list := target{kind: '(', offset: at}
	comma := false
	for r.err == nil && !r.is(shut) {
		list.items = append(list.items, r.starTarget())
		if comma = r.accept(","); !comma {
			break
		}
	}
	r.expect(shut)
	if r.err == nil && r.tok.kind == op && strings.Contains(". [ (", r.tok.text) {
		r.nest = nest
		return target{}, false
	}
	if len(list.items) == 1 && !comma && !isList && !list.items[0].star {
		return list.items[0], true
	}
	return r.checked(list), true
}
