package token

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// splitter cuts a piece of text and appends what it gives.
type splitter func(p piece, to []piece) []piece

func (p *part) splitters() ([]splitter, error) {
	switch p.Type {
	case "Sequence":
		var all []splitter
		for i := range p.Pretokenizers {
			s, err := p.Pretokenizers[i].splitters()
			if err != nil {
				return nil, err
			}
			all = append(all, s...)
		}
		return all, nil
	case "ByteLevel":
		var all []splitter
		if orTrue(p.AddPrefixSpace) {
			all = append(all, func(p piece, to []piece) []piece {
				if !strings.HasPrefix(p.text, " ") {
					p.text = " " + p.text
				}
				return append(to, p)
			})
		}
		if orTrue(p.UseRegex) {
			all = append(all, cut("Isolated", false, gpt2))
		}
		return append(all, func(p piece, to []piece) []piece {
			p.text = byteLevel(p.text)
			return append(to, p)
		}), nil
	case "Metaspace":
		return p.metaspace()
	case "Split":
		if p.Pattern == nil {
			return nil, errors.New("a Split has no pattern")
		}
		return checked(p.Behavior, p.Invert, p.Pattern.matches)
	case "BertPreTokenizer":
		return []splitter{cut("Removed", false, each(unicode.IsSpace)), cut("Isolated", false, each(isPunctuation))}, nil
	case "Whitespace":
		return []splitter{cut("Removed", true, words)}, nil
	case "WhitespaceSplit":
		return []splitter{cut("Removed", false, each(unicode.IsSpace))}, nil
	case "CharDelimiterSplit":
		if utf8.RuneCountInString(p.Delimiter) != 1 {
			return nil, fmt.Errorf("the delimiter must be one character, got %q", p.Delimiter)
		}
		return []splitter{cut("Removed", false, (&pattern{text: p.Delimiter}).matches)}, nil
	case "Punctuation":
		behavior := p.Behavior
		if behavior == "" {
			behavior = "Isolated"
		}
		return checked(behavior, false, each(isPunctuation))
	case "Digits":
		if p.IndividualDigits {
			return []splitter{cut("Isolated", false, each(unicode.IsNumber))}, nil
		}
		return []splitter{cut("Contiguous", false, each(unicode.IsNumber))}, nil
	}
	return nil, fmt.Errorf("the type %q is not known", p.Type)
}

// metaspace puts a mark for spaces, by default U+2581, and cuts before each.
func (p *part) metaspace() ([]splitter, error) {
	mark, scheme := p.Replacement, "always"
	if mark == "" {
		mark = "▁"
	}
	switch {
	case p.PrependScheme != nil:
		scheme = *p.PrependScheme
	case p.AddPrefixSpace != nil && !*p.AddPrefixSpace:
		scheme = "never"
	}
	if scheme != "always" && scheme != "first" && scheme != "never" {
		return nil, fmt.Errorf("the prepend_scheme %q is not known", scheme)
	}
	all := []splitter{func(p piece, to []piece) []piece {
		p.text = strings.ReplaceAll(p.text, " ", mark)
		if (scheme == "always" || scheme == "first" && p.first) && !strings.HasPrefix(p.text, mark) {
			p.text = mark + p.text
		}
		return append(to, p)
	}}
	if orTrue(p.Split) {
		all = append(all, cut("MergedWithNext", false, (&pattern{text: mark}).matches))
	}
	return all, nil
}

func checked(behavior string, invert bool, find func(string) [][2]int) ([]splitter, error) {
	switch behavior {
	case "Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous":
		return []splitter{cut(behavior, invert, find)}, nil
	}
	return nil, fmt.Errorf("the behavior %q is not known", behavior)
}

// segment is a part of a text that a pattern matches, or one between.
type segment struct {
	from, to int
	match    bool
}

// segments cut a text of n bytes at matches; invert makes matches of what is between them and the other way round.
func segments(found [][2]int, n int, invert bool) (all []segment) {
	at := 0
	for _, m := range found {
		if at < m[0] {
			all = append(all, segment{at, m[0], invert})
		}
		all = append(all, segment{m[0], m[1], !invert})
		at = m[1]
	}
	if at < n {
		all = append(all, segment{at, n, invert})
	}
	return all
}

// cut splits at what find gives, or at what it leaves when it is inverted; behavior says what becomes of that.
func cut(behavior string, invert bool, find func(string) [][2]int) splitter {
	return func(p piece, to []piece) []piece {
		all := segments(find(p.text), len(p.text), invert)
		joins := func(a, b segment) bool { return false } // b to a, which comes before
		switch behavior {
		case "Removed":
			all = slices.DeleteFunc(all, func(s segment) bool { return s.match })
		case "MergedWithPrevious":
			joins = func(a, b segment) bool { return b.match && !a.match }
		case "MergedWithNext":
			joins = func(a, b segment) bool { return a.match && !b.match }
		case "Contiguous":
			joins = func(a, b segment) bool { return a.match == b.match }
		}
		for i := 0; i < len(all); {
			end := i + 1
			for end < len(all) && joins(all[end-1], all[end]) {
				end++
			}
			to = append(to, piece{p.text[all[i].from:all[end-1].to], -1, p.first && all[i].from == 0})
			i = end
		}
		return to
	}
}

// each finds the characters of a kind, one by one.
func each(is func(rune) bool) func(string) [][2]int {
	return func(s string) (found [][2]int) {
		for i, r := range s {
			if is(r) {
				_, n := utf8.DecodeRuneInString(s[i:])
				found = append(found, [2]int{i, i + n})
			}
		}
		return found
	}
}

func isPunctuation(r rune) bool {
	return unicode.IsPunct(r) || r < 128 && strings.ContainsRune("$+<=>^`|~", r)
}

// words finds \w+|[^\w\s]+.
func words(s string) (found [][2]int) {
	kind := func(r rune) int {
		switch {
		case isWord(r):
			return 1
		case unicode.IsSpace(r):
			return 0
		}
		return 2
	}
	start, last := 0, 0
	for i, r := range s {
		if k := kind(r); k != last {
			if last != 0 {
				found = append(found, [2]int{start, i})
			}
			start, last = i, k
		}
	}
	if last != 0 {
		found = append(found, [2]int{start, len(s)})
	}
	return found
}

// gpt2 finds 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+.
func gpt2(s string) (found [][2]int) {
	for i := 0; i < len(s); {
		n := gpt2Word(s[i:])
		found = append(found, [2]int{i, i + n})
		i += n
	}
	return found
}

func gpt2Word(s string) int {
	if s[0] == '\'' {
		for _, end := range []string{"s", "t", "re", "ve", "m", "ll", "d"} {
			if strings.HasPrefix(s[1:], end) {
				return 1 + len(end)
			}
		}
	}
	space := 0
	if s[0] == ' ' && len(s) > 1 {
		space = 1
	}
	other := func(r rune) bool { return !unicode.IsSpace(r) && !unicode.IsLetter(r) && !unicode.IsNumber(r) }
	for _, is := range []func(rune) bool{unicode.IsLetter, unicode.IsNumber, other} {
		if n := run(s[space:], is); n > 0 {
			return space + n
		}
	}
	n := run(s, unicode.IsSpace)
	if n == len(s) {
		return n
	}
	// The last space before a word is the word's.
	_, last := utf8.DecodeLastRuneInString(s[:n])
	if n > last {
		return n - last
	}
	return n
}

// run is how many bytes of s begin it with characters of a kind.
func run(s string, is func(rune) bool) int {
	for i, r := range s {
		if !is(r) {
			return i
		}
	}
	return len(s)
}

// byteChars are the characters that stand for bytes in the vocabularies of GPT-2 and its kin.
var byteChars = func() (chars [256]rune) {
	next := rune(256)
	for b := range chars {
		r := rune(b)
		if r >= '!' && r <= '~' || r >= '¡' && r <= '¬' || r >= '®' && r <= 'ÿ' {
			chars[b] = r
			continue
		}
		chars[b] = next
		next++
	}
	return chars
}()

func byteLevel(s string) string {
	var b strings.Builder
	b.Grow(2 * len(s))
	for i := range len(s) {
		b.WriteRune(byteChars[s[i]])
	}
	return b.String()
}
