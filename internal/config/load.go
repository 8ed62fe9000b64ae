package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lighter-go/lighter/internal/diag"
	"go.yaml.in/yaml/v3"
)

// What a configuration may be at most. Real ones are a thousand times smaller.
const (
	maxSource = 4 << 20 // bytes of a file
	maxScalar = 1 << 20 // bytes of a value
	maxDepth  = 100     // levels of nesting
	maxNodes  = 200_000 // values, with aliases and copies filled in
)

// loader turns the text of one source into nodes.
type loader struct {
	source string
	lines  []string
	shift  int // columns before the text in its source, for the value of an override
	diags  diag.List
	nodes  int
	open   map[*yaml.Node]bool // the anchors being filled in, to find one that holds itself
	full   bool                // the limit of nodes has been reported

	offsets map[int][]int32 // of the characters of lines that are not ASCII
}

// parse reads one YAML document. The node is nil when the text is empty or can't be read.
func parse(source string, text []byte, shift int) (n *Node, diags diag.List) {
	l := &loader{source: source, shift: shift, open: map[*yaml.Node]bool{}, offsets: map[int][]int32{}}
	defer func() {
		if r := recover(); r != nil { // the library's own failures on hostile text
			l.diags.Errorf(diag.Pos{Source: source, Line: 1}, "", "not valid YAML: %v", r)
			n = nil
		}
		diags = l.diags
	}()
	if len(text) > maxSource {
		l.diags.Errorf(diag.Pos{Source: source}, "", "too large: %d bytes, where a configuration has at most %d", len(text), maxSource)
		return nil, nil
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	l.lines = strings.Split(string(text), "\n")
	if !l.readable() {
		return nil, nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc, second yaml.Node
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err == nil {
		if err = dec.Decode(&second); err == nil {
			l.diags.Errorf(l.pos(second.Line, second.Column, 3), "", "several documents in one file: expected one").Hint = `remove the "---"`
			return nil, nil
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
	}
	if err != nil {
		l.syntax(err)
		return nil, nil
	}
	return l.node(doc.Content[0], 0), nil
}

// readable finds what no YAML may hold: bytes that are no UTF-8, and control characters.
func (l *loader) readable() bool {
	for i, s := range l.lines {
		for j := 0; j < len(s); {
			r, size := utf8.DecodeRuneInString(s[j:])
			col := utf8.RuneCountInString(s[:j]) + 1
			switch {
			case r == utf8.RuneError && size == 1:
				l.diags.Errorf(l.pos(i+1, col, 1), "", "invalid UTF-8: byte 0x%02x", s[j])
				return false
			case r < ' ' && r != '\t' && r != '\r', r == 0x7f, r > 0x7f && r < 0xa0 && r != 0x85:
				l.diags.Errorf(l.pos(i+1, col, 1), "", "control character %U is not allowed in YAML", r)
				return false
			}
			j += size
			if r < utf8.RuneSelf { // skip to the next character that may be wrong
				for j < len(s) && s[j] >= ' ' && s[j] < 0x7f {
					j++
				}
			}
		}
	}
	return true
}

func (l *loader) pos(line, col, length int) diag.Pos {
	if line == 1 {
		col += l.shift
	}
	return diag.Pos{Source: l.source, Line: line, Col: col, Len: length}
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?`)

// syntax words an error of the library.
func (l *loader) syntax(err error) {
	text := err.Error()
	m := yamlLine.FindStringSubmatch(text)
	text = strings.TrimPrefix(text, m[0])
	line, _ := strconv.Atoi(m[1])
	line = max(line, 1)
	for i := max(line-2, 0); i < min(line+1, len(l.lines)); i++ {
		indent := l.lines[i][:len(l.lines[i])-len(strings.TrimLeft(l.lines[i], " \t"))]
		if tab := strings.IndexByte(indent, '\t'); tab >= 0 {
			l.diags.Errorf(l.pos(i+1, tab+1, 1), "", "tabs can't indent YAML: found character '\\t' that cannot start any token").Hint = "use spaces"
			return
		}
	}
	at := min(line, len(l.lines))
	first := len(l.lines[at-1]) - len(strings.TrimLeft(l.lines[at-1], " "))
	d := l.diags.Errorf(l.pos(at, first+1, utf8.RuneCountInString(strings.TrimSpace(l.lines[at-1]))), "", "not valid YAML: %s", text)
	if m := reservedStart.FindStringSubmatch(l.lines[at-1]); m != nil {
		d.Hint = fmt.Sprintf("a value that starts with %s needs quotes: %q", m[1][:1], strings.TrimSpace(m[1]))
	}
}

var reservedStart = regexp.MustCompile(`(?:[:\-,\[]\s+|\[)([@%][^,\]#"]*)`)

func (l *loader) node(y *yaml.Node, depth int) *Node {
	n := &Node{Pos: l.valuePos(y)}
	if l.nodes++; l.nodes > maxNodes || depth > maxDepth {
		if !l.full {
			l.full = true
			if depth > maxDepth {
				l.diags.Errorf(n.Pos, "", "nested too deeply: more than %d levels", maxDepth)
			} else {
				l.diags.Errorf(n.Pos, "", "too many values: more than %d with aliases filled in", maxNodes)
			}
		}
		return n
	}
	switch y.Kind {
	case yaml.AliasNode:
		if l.open[y.Alias] {
			l.diags.Errorf(n.Pos, "", "anchor %q holds itself", y.Value)
			return n
		}
		return l.node(y.Alias, depth+1)
	case yaml.SequenceNode:
		l.tag(y, n.Pos, "!!seq")
		n.Kind = List
		l.open[y] = true
		for _, c := range y.Content {
			n.Items = append(n.Items, l.node(c, depth+1))
			if l.full {
				break
			}
		}
		delete(l.open, y)
	case yaml.MappingNode:
		l.tag(y, n.Pos, "!!map")
		n.Kind = Map
		l.open[y] = true
		l.mapping(n, y, depth)
		delete(l.open, y)
	default:
		l.scalar(n, y)
	}
	return n
}

// tag reports a tag other than the one the kind has anyway.
func (l *loader) tag(y *yaml.Node, pos diag.Pos, own string) {
	if t := y.ShortTag(); y.Style&yaml.TaggedStyle != 0 && t != own {
		l.diags.Errorf(pos, "", "could not determine a constructor for the tag %q", y.Tag).Hint = "remove the tag"
	}
}

func (l *loader) scalar(n *Node, y *yaml.Node) {
	if len(y.Value) > maxScalar {
		l.diags.Errorf(n.Pos, "", "too long: a value of %d bytes, where at most %d are allowed", len(y.Value), maxScalar)
		return
	}
	plain := y.Style&^yaml.TaggedStyle == 0
	if y.Style&yaml.TaggedStyle == 0 {
		if plain {
			n.Kind, n.Value, n.date = resolveScalar(y.Value)
		} else {
			n.Kind, n.Value = String, y.Value
		}
		return
	}
	want, ok := map[string]Kind{"!!str": String, "!!int": Int, "!!float": Float, "!!bool": Bool, "!!null": Null, "!": String}[y.ShortTag()]
	if !ok {
		l.tag(y, n.Pos, "")
		return
	}
	if want == String {
		n.Kind, n.Value = String, y.Value
		return
	}
	n.Kind, n.Value, _ = resolveScalar(y.Value)
	if i, isInt := n.Value.(int64); isInt && want == Float {
		n.Kind, n.Value = Float, float64(i)
	}
	if n.Kind != want {
		l.diags.Errorf(n.Pos, "", "%q is no %s, as its tag %s says", y.Value, want, y.ShortTag())
	}
}

// mapping fills n with the pairs of y: those of `<<` first, as PyYAML does, then its own.
func (l *loader) mapping(n *Node, y *yaml.Node, depth int) {
	at := make(map[string]int, len(y.Content)/2)
	put := func(p Pair) (old *Pair) {
		if i, ok := at[p.Key]; ok {
			old = &Pair{Key: p.Key, KeyPos: n.Pairs[i].KeyPos, Value: n.Pairs[i].Value}
			n.Pairs[i] = p
			return old
		}
		at[p.Key] = len(n.Pairs)
		n.Pairs = append(n.Pairs, p)
		return nil
	}
	for i := 0; i+1 < len(y.Content); i += 2 {
		if isMergeKey(y.Content[i]) {
			for _, p := range l.merged(y.Content[i+1], depth) {
				put(p)
			}
		}
	}
	inherited := len(n.Pairs)
	own := make(map[string]bool, len(y.Content)/2)
	for i := 0; i+1 < len(y.Content) && !l.full; i += 2 {
		if isMergeKey(y.Content[i]) {
			continue
		}
		p, ok := l.key(y.Content[i], depth)
		if !ok {
			continue
		}
		p.Value = l.node(y.Content[i+1], depth+1)
		old := put(p)
		if old != nil && (own[p.Key] || at[p.Key] >= inherited) {
			d := l.diags.Warnf(p.KeyPos, "", "duplicate key %q: the last one counts", p.Key)
			d.Notes = []diag.Note{{Pos: old.KeyPos, Msg: "first set"}}
		}
		own[p.Key] = true
	}
}

func isMergeKey(k *yaml.Node) bool {
	return k.Kind == yaml.ScalarNode && k.Style == 0 && k.Value == "<<"
}

// key reads a key. One that is no string is kept for saving and goes by its Python text.
func (l *loader) key(y *yaml.Node, depth int) (Pair, bool) {
	k := l.node(y, depth+1)
	p := Pair{KeyPos: k.Pos, Key: keyText(k)}
	if k.Kind == List || k.Kind == Map {
		l.diags.Errorf(k.Pos, "", "a key must be a scalar, not a %s", k.Kind)
		return p, false
	}
	if k.Kind != String || k.date {
		p.key = k
	}
	if k.Kind == Bool && y.Kind == yaml.ScalarNode && len(y.Value) < 4 {
		l.diags.Warnf(k.Pos, "", "the key %s is read as %s", y.Value, p.Key).Hint = fmt.Sprintf("quote it: %q", y.Value)
	}
	return p, true
}

// merged gives the pairs a `<<` brings: of several mappings the first counts most.
func (l *loader) merged(y *yaml.Node, depth int) []Pair {
	n := l.node(y, depth+1)
	switch {
	case n.Kind == Map:
		return n.Pairs
	case n.Kind == List:
		var pairs []Pair
		for i := len(n.Items) - 1; i >= 0; i-- {
			if n.Items[i].Kind != Map {
				l.diags.Errorf(n.Items[i].Pos, "", "expected a mapping for merging, but found a %s", n.Items[i].Kind)
				continue
			}
			pairs = append(pairs, n.Items[i].Pairs...)
		}
		return pairs
	case l.full || n.Kind == Null && y.Kind == yaml.AliasNode:
		return nil // reported already
	}
	l.diags.Errorf(n.Pos, "", "expected a mapping or list of mappings for merging, but found a %s", n.Kind)
	return nil
}

// valuePos is the range a value takes on its first line.
func (l *loader) valuePos(y *yaml.Node) diag.Pos {
	p := l.pos(y.Line, y.Column, 1)
	if y.Line < 1 || y.Line > len(l.lines) {
		return p
	}
	rest, ok := l.from(y.Line, y.Column)
	if !ok {
		return p
	}
	switch {
	case y.Kind == yaml.AliasNode:
		p.Len = utf8.RuneCountInString(y.Value) + 1
	case y.Kind != yaml.ScalarNode:
	case y.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 && len(rest) > 0:
		p.Len = utf8.RuneCountInString(rest[:quotedEnd(rest)])
	case strings.HasPrefix(rest, y.Value) && y.Value != "":
		p.Len = utf8.RuneCountInString(y.Value)
	}
	return p
}

// from is a line from a column on.
func (l *loader) from(line, col int) (string, bool) {
	text := l.lines[line-1]
	offsets, seen := l.offsets[line]
	if !seen {
		if strings.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0 {
			for i := range text {
				offsets = append(offsets, int32(i))
			}
		}
		l.offsets[line] = offsets
	}
	switch {
	case col < 1:
		return "", false
	case offsets == nil && col <= len(text):
		return text[col-1:], true
	case offsets != nil && col <= len(offsets):
		return text[offsets[col-1]:], true
	}
	return "", false
}

// quotedEnd is the length of the quoted scalar that s starts with, as far as it goes on this line.
func quotedEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && s[0] == '"':
			i++
		case s[i] == s[0] && s[0] == '\'' && i+1 < len(s) && s[i+1] == '\'':
			i++
		case s[i] == s[0]:
			return i + 1
		}
	}
	return len(strings.TrimRight(s, " \t\r"))
}
