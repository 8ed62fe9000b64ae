package expr

import (
	"fmt"
	"unicode/utf8"
	"unsafe"

	"go.starlark.net/starlark"
)

// letters are the strings of one ASCII character.
var letters = func() (all [utf8.RuneSelf]starlark.Value) {
	for i := range all {
		all[i] = starlark.String(rune(i))
	}
	return all
}()

func runeText(r rune) starlark.Value {
	if r < utf8.RuneSelf {
		return letters[r]
	}
	return starlark.String(r)
}

// runesOf is a string whose characters have been counted, so that a loop over its indices costs no more than it should.
type runesOf struct {
	text  string
	count int
	every []int // the offset of every 64th character; nil when all are of one byte
}

const runeBlock = 64

// runes counts the characters of a string, unless it is the one that was asked about last.
func (m *machine) runes(s string) (*runesOf, error) {
	if c := &m.runesLast; len(c.text) == len(s) && (len(s) == 0 || unsafe.StringData(c.text) == unsafe.StringData(s)) {
		return c, nil
	}
	if err := m.spend(len(s) / 8); err != nil {
		return nil, err
	}
	c := runesOf{text: s, count: utf8.RuneCountInString(s)}
	if c.count != len(s) {
		n := 0
		for i := range s {
			if n%runeBlock == 0 {
				c.every = append(c.every, i)
			}
			n++
		}
	}
	m.runesLast = c
	return &m.runesLast, nil
}

// offset is where the i-th character begins.
func (c *runesOf) offset(i int) int {
	if c.every == nil {
		return i
	}
	if i >= c.count {
		return len(c.text)
	}
	at := c.every[i/runeBlock]
	for range i % runeBlock {
		_, size := utf8.DecodeRuneInString(c.text[at:])
		at += size
	}
	return at
}

// character is text[i].
func (m *machine) character(s string, i starlark.Value) (starlark.Value, error) {
	c, err := m.runes(s)
	if err != nil {
		return nil, err
	}
	n, err := m.index(i)
	if err != nil {
		return nil, fmt.Errorf("string indices must be integers, not '%s'", typeName(i))
	}
	if n < 0 {
		n += c.count
	}
	if n < 0 || n >= c.count {
		return nil, fmt.Errorf("string index out of range: %s of %d characters", i, c.count)
	}
	r, _ := utf8.DecodeRuneInString(s[c.offset(n):])
	return runeText(r), nil
}

// substring is text[start:stop:step].
func (m *machine) substring(s string, parts starlark.Tuple) (starlark.Value, error) {
	c, err := m.runes(s)
	if err != nil {
		return nil, err
	}
	start, stop, step, err := m.bounds(parts, c.count)
	if err != nil {
		return nil, err
	}
	if step == 1 {
		part := s[c.offset(start):c.offset(max(stop, start))]
		return starlark.String(part), m.spend(1)
	}
	size := (stop-start)/step + 1
	return m.made(size*utf8.UTFMax, func() string {
		out := make([]byte, 0, size)
		for i := start; (stop-i)*sign(step) > 0; i += step {
			r, _ := utf8.DecodeRuneInString(s[c.offset(i):])
			out = utf8.AppendRune(out, r)
		}
		return string(out)
	})
}
