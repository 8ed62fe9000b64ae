package config

import (
	"fmt"
	"math/big"
	"strings"
	"unicode/utf8"

	"github.com/lighter-go/lighter/internal/config/expr"
)

// YAML is the configuration as Lighter saves it: what PyYAML's dump writes with default_flow_style=False,
// sort_keys=False and indent=4. PyYAML and [Compose] read it back to the same values.
func (c *Config) YAML() []byte {
	e := emitter{space: true, fresh: true}
	if len(c.Root.Pairs) == 0 {
		return []byte("{}\n")
	}
	e.mapping(c.Root, 0)
	e.newline(0)
	return []byte(e.out.String())
}

const (
	saveIndent = 4
	saveWidth  = 80
)

// emitter writes block style as PyYAML's Emitter does; the fields are the state that its line breaks depend on.
type emitter struct {
	out   strings.Builder
	col   int
	space bool // the last character is white space
	fresh bool // the line has nothing but indentation and indicators
}

func (e *emitter) write(s string) {
	e.out.WriteString(s)
	e.col += utf8.RuneCountInString(s)
}

func (e *emitter) indicator(s string, needSpace, keepsFresh bool) {
	if needSpace && !e.space {
		s = " " + s
	}
	e.space = false
	e.fresh = e.fresh && keepsFresh
	e.write(s)
}

// newline moves to a column of a line that has no text yet.
func (e *emitter) newline(indent int) {
	if !e.fresh || e.col > indent || e.col == indent && !e.space {
		e.lineBreak("\n")
	}
	if e.col < indent {
		e.space = true
		e.write(strings.Repeat(" ", indent-e.col))
	}
}

func (e *emitter) lineBreak(br string) {
	e.out.WriteString(br)
	e.space, e.fresh, e.col = true, true, 0
}

func (e *emitter) mapping(n *Node, indent int) {
	for _, p := range n.Pairs {
		e.newline(indent)
		key := p.key
		if key == nil {
			key = &Node{Kind: String, Value: p.Key}
		}
		text, plain := scalarText(key)
		tag := len("!!" + key.Kind.String())
		simple := text != "" && !strings.ContainsAny(text, breaks) && utf8.RuneCountInString(text)+tag < 128
		if simple {
			e.scalar(text, plain, indent+saveIndent, true)
			e.indicator(":", false, false)
		} else {
			e.indicator("?", true, true)
			e.scalar(text, plain, indent+saveIndent, false)
			e.newline(indent)
			e.indicator(":", true, true)
		}
		e.value(p.Value, indent, true)
	}
}

func (e *emitter) value(n *Node, indent int, inMapping bool) {
	switch {
	case n.Kind == Map && len(n.Pairs) == 0:
		e.indicator("{", true, false)
		e.indicator("}", false, false)
	case n.Kind == Map:
		e.mapping(n, indent+saveIndent)
	case n.Kind == List && len(n.Items) == 0:
		e.indicator("[", true, false)
		e.indicator("]", false, false)
	case n.Kind == List:
		if !inMapping || e.fresh { // a list below a key is not indented
			indent += saveIndent
		}
		for _, v := range n.Items {
			e.newline(indent)
			e.indicator("-", true, true)
			e.value(v, indent, false)
		}
	default:
		text, plain := scalarText(n)
		e.scalar(text, plain, indent+saveIndent, false)
	}
}

// scalarText is a scalar's text, and whether that text without quotes means the scalar.
func scalarText(n *Node) (text string, plain bool) {
	switch v := n.Value.(type) {
	case nil:
		return "null", true
	case bool:
		return fmt.Sprint(v), true
	case int64:
		return fmt.Sprint(v), true
	case *big.Int:
		return v.String(), true
	case float64:
		text = expr.Float(v)
		switch {
		case strings.HasSuffix(text, "inf"):
			text = strings.Replace(text, "inf", ".inf", 1)
		case text == "nan":
			text = ".nan"
		case !strings.Contains(text, "."):
			text = strings.Replace(text, "e", ".0e", 1)
		}
		return text, true
	case string:
		kind, again, date := resolveScalar(v)
		return v, kind == String && (date == n.date) && again == v && v != "=" && v != "<<"
	}
	return "", false
}

const (
	breaks = "\n\u0085\u2028\u2029"
	blanks = "\x00 \t\r" + breaks
)

// looks is what PyYAML's analyze_scalar finds.
type looks struct{ plain, single, multiline bool }

func analyze(s string) looks {
	if s == "" {
		return looks{plain: true, single: true}
	}
	var indicators, lineBreaks, special, breakSpace, spaceBreak, afterSpace, afterBreak bool
	r := []rune(s)
	is := func(i int, set string) bool { return i >= len(r) || strings.ContainsRune(set, r[i]) }
	indicators = strings.HasPrefix(s, "---") || strings.HasPrefix(s, "...")
	for i, ch := range r {
		switch {
		case i == 0 && (strings.ContainsRune("#,[]{}&*!|>'\"%@`", ch) || strings.ContainsRune("?:-", ch) && is(1, blanks)),
			i > 0 && ch == ':' && is(i+1, blanks),
			i > 0 && ch == '#' && is(i-1, blanks):
			indicators = true
		}
		br := strings.ContainsRune(breaks, ch)
		lineBreaks = lineBreaks || br
		special = special || ch != '\n' && (ch < ' ' || ch > '~')
		switch {
		case ch == ' ':
			breakSpace = breakSpace || afterBreak
		case br:
			spaceBreak = spaceBreak || afterSpace
		}
		afterSpace, afterBreak = ch == ' ', br
	}
	ends := func(i int) bool { return r[i] == ' ' || strings.ContainsRune(breaks, r[i]) }
	hard := spaceBreak || special
	return looks{
		plain:     !indicators && !lineBreaks && !hard && !breakSpace && !ends(0) && !ends(len(r)-1),
		single:    !breakSpace && !hard,
		multiline: lineBreaks,
	}
}

// scalar writes text in the first style that can have it: plain, single-quoted, double-quoted.
func (e *emitter) scalar(text string, plain bool, indent int, key bool) {
	l := analyze(text)
	switch {
	case plain && l.plain && !(key && (text == "" || l.multiline)):
		e.plain([]rune(text), indent, !key)
	case l.single && !(key && l.multiline):
		e.single([]rune(text), indent, !key)
	default:
		e.double([]rune(text), indent, !key)
	}
}

func (e *emitter) plain(text []rune, indent int, split bool) {
	if !e.space {
		e.write(" ")
	}
	e.space, e.fresh = false, false
	start, spaces := 0, false
	for end := 0; end <= len(text); end++ {
		isSpace := end < len(text) && text[end] == ' '
		switch {
		case spaces && !isSpace:
			if start+1 == end && e.col > saveWidth && split {
				e.newline(indent)
				e.space, e.fresh = false, false
			} else {
				e.write(string(text[start:end]))
			}
			start = end
		case !spaces && (end == len(text) || isSpace):
			e.write(string(text[start:end]))
			start = end
		}
		spaces = isSpace
	}
}

func (e *emitter) single(text []rune, indent int, split bool) {
	e.indicator("'", true, false)
	start := 0
	var spaces, inBreaks bool
	for end := 0; end <= len(text); end++ {
		last := end == len(text)
		var ch rune
		if !last {
			ch = text[end]
		}
		isSpace, isBreak := !last && ch == ' ', !last && strings.ContainsRune(breaks, ch)
		switch {
		case spaces && !isSpace:
			if start+1 == end && e.col > saveWidth && split && start != 0 && !last {
				e.newline(indent)
			} else {
				e.write(string(text[start:end]))
			}
			start = end
		case inBreaks && !isBreak:
			if text[start] == '\n' {
				e.lineBreak("\n")
			}
			for _, br := range text[start:end] {
				e.lineBreak(string(br))
			}
			e.newline(indent)
			start = end
		case !spaces && !inBreaks && (last || isSpace || isBreak || ch == '\'') && start < end:
			e.write(string(text[start:end]))
			start = end
		}
		if !last && ch == '\'' {
			e.write("''")
			start = end + 1
		}
		spaces, inBreaks = isSpace, isBreak
	}
	e.indicator("'", false, false)
}

var escapes = map[rune]string{0: "0", 7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 27: "e", '"': `"`, '\\': `\`, 0x85: "N", 0xa0: "_", 0x2028: "L", 0x2029: "P"}

func (e *emitter) double(text []rune, indent int, split bool) {
	e.indicator(`"`, true, false)
	start := 0
	for end := 0; end <= len(text); end++ {
		last := end == len(text)
		if last || text[end] == '"' || text[end] == '\\' || text[end] < ' ' || text[end] > '~' {
			if start < end {
				e.write(string(text[start:end]))
				start = end
			}
			if !last {
				e.write(escaped(text[end]))
				start = end + 1
			}
		}
		if 0 < end && end < len(text)-1 && (text[end] == ' ' || start >= end) && e.col+(end-start) > saveWidth && split {
			if start < end {
				e.write(string(text[start:end]))
				start = end
			}
			e.write(`\`)
			e.newline(indent)
			e.space, e.fresh = false, false
			if text[start] == ' ' {
				e.write(`\`)
			}
		}
	}
	e.indicator(`"`, false, false)
}

func escaped(r rune) string {
	if s, ok := escapes[r]; ok {
		return `\` + s
	}
	switch {
	case r <= 0xff:
		return fmt.Sprintf(`\x%02X`, r)
	case r <= 0xffff:
		return fmt.Sprintf(`\u%04X`, r)
	}
	return fmt.Sprintf(`\U%08X`, r)
}
