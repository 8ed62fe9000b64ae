package token

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// addedToken is a token that is found in the text before the model cuts it.
type addedToken struct {
	ID         int64  `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
}

// added finds tokens: the leftmost, and of those the longest.
type added struct {
	tokens []addedToken
	first  map[byte][]addedToken // by the first byte, the longest first
	starts string                // the first bytes, each once
}

func (a *added) index() {
	a.first = map[byte][]addedToken{}
	for _, t := range a.tokens {
		if t.Content == "" {
			continue
		}
		c := t.Content[0]
		if a.first[c] == nil {
			a.starts += string(rune(c))
		}
		a.first[c] = append(a.first[c], t)
	}
	for _, list := range a.first {
		slices.SortStableFunc(list, func(x, y addedToken) int { return len(y.Content) - len(x.Content) })
	}
}

// find cuts a piece at the tokens in it.
func (a *added) find(p piece) (pieces []piece) {
	text, start := p.text, 0
	if len(a.first) == 0 {
		return []piece{p}
	}
	for i := 0; i < len(text); {
		t, ok := a.at(text, i)
		if !ok {
			i++
			continue
		}
		from, to := i, i+len(t.Content)
		if t.SingleWord && (from > 0 && isWord(lastRune(text[:from])) || to < len(text) && isWord(firstRune(text[to:]))) {
			i = to
			continue
		}
		if t.LStrip {
			from = max(start, len(strings.TrimRightFunc(text[:from], unicode.IsSpace)))
		}
		if t.RStrip {
			to = len(text) - len(strings.TrimLeftFunc(text[to:], unicode.IsSpace))
		}
		if from > start {
			pieces = append(pieces, piece{text[start:from], -1, p.first && start == 0})
		}
		pieces = append(pieces, piece{text[from:to], t.ID, p.first && from == 0})
		i, start = to, to
	}
	if start < len(text) {
		pieces = append(pieces, piece{text[start:], -1, p.first && start == 0})
	}
	return pieces
}

func (a *added) at(text string, i int) (addedToken, bool) {
	for _, t := range a.first[text[i]] {
		if strings.HasPrefix(text[i:], t.Content) {
			return t, true
		}
	}
	return addedToken{}, false
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

func lastRune(s string) rune {
	r, _ := utf8.DecodeLastRuneInString(s)
	return r
}

// isWord is \w of regular expressions on Unicode.
func isWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.In(r, unicode.M, unicode.Nd, unicode.Nl, unicode.Pc, unicode.Other_Alphabetic) || r == 0x200c || r == 0x200d
}
