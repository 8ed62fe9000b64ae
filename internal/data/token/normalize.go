package token

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/dlclark/regexp2"
	"golang.org/x/text/unicode/norm"
)

// part is a normalizer or a pre-tokenizer of the file, with the arguments of every type.
type part struct {
	Type          string `json:"type"`
	Normalizers   []part `json:"normalizers"`
	Pretokenizers []part `json:"pretokenizers"`

	// of normalizers
	CleanText          *bool  `json:"clean_text"`
	HandleChineseChars *bool  `json:"handle_chinese_chars"`
	StripAccents       *bool  `json:"strip_accents"`
	Lowercase          *bool  `json:"lowercase"`
	StripLeft          bool   `json:"strip_left"`
	StripRight         bool   `json:"strip_right"`
	Prepend            string `json:"prepend"`

	// of both
	Pattern *pattern `json:"pattern"`
	Content string   `json:"content"`

	// of pre-tokenizers
	AddPrefixSpace   *bool   `json:"add_prefix_space"`
	UseRegex         *bool   `json:"use_regex"`
	Behavior         string  `json:"behavior"`
	Invert           bool    `json:"invert"`
	Replacement      string  `json:"replacement"`
	PrependScheme    *string `json:"prepend_scheme"`
	Split            *bool   `json:"split"`
	IndividualDigits bool    `json:"individual_digits"`
	Delimiter        string  `json:"delimiter"`
}

// pattern is {"String": text} or {"Regex": expression}.
type pattern struct {
	text  string
	regex *regexp2.Regexp
}

// UnmarshalJSON implements [json.Unmarshaler].
func (p *pattern) UnmarshalJSON(data []byte) error {
	var form struct {
		String *string
		Regex  *string
	}
	if err := json.Unmarshal(data, &form); err != nil {
		return err
	}
	switch {
	case form.String != nil && *form.String != "":
		p.text = *form.String
		return nil
	case form.Regex != nil:
		text, err := oniguruma(*form.Regex)
		var r *regexp2.Regexp
		if err == nil {
			r, err = regexp2.Compile(text, regexp2.Unicode)
		}
		if err != nil {
			return fmt.Errorf("pattern %q: %w", *form.Regex, err)
		}
		p.regex = r
		return nil
	}
	return errors.New("a pattern must be a String or a Regex")
}

// oniguruma writes out \w of an expression as the library of Python's tokenizers has it, which is not .NET's.
func oniguruma(text string) (string, error) {
	const word = `\p{L}\p{M}\p{N}\p{Pc}`
	var b strings.Builder
	class := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			i++
			switch {
			case text[i] == 'w' && class:
				b.WriteString(word)
			case text[i] == 'w':
				b.WriteString("[" + word + "]")
			case text[i] == 'W' && class:
				return "", errors.New(`\W within brackets is not done here`)
			case text[i] == 'W':
				b.WriteString("[^" + word + "]")
			default:
				b.WriteString(text[i-1 : i+1])
			}
			continue
		case c == '[' && class:
			return "", errors.New("brackets within brackets are not done here")
		case c == '[':
			class = true
		case c == ']':
			class = false
		}
		b.WriteByte(text[i])
	}
	return b.String(), nil
}

func orTrue(b *bool) bool { return b == nil || *b }

func (p *part) normalizer() (func(string) string, error) {
	switch p.Type {
	case "Sequence":
		var all []func(string) string
		for i := range p.Normalizers {
			f, err := p.Normalizers[i].normalizer()
			if err != nil {
				return nil, err
			}
			all = append(all, f)
		}
		return func(s string) string {
			for _, f := range all {
				s = f(s)
			}
			return s
		}, nil
	case "NFC":
		return norm.NFC.String, nil
	case "NFD":
		return norm.NFD.String, nil
	case "NFKC":
		return norm.NFKC.String, nil
	case "NFKD":
		return norm.NFKD.String, nil
	case "Lowercase":
		return lower, nil
	case "StripAccents":
		return withoutMarks, nil
	case "Strip":
		return func(s string) string {
			if p.StripLeft {
				s = strings.TrimLeftFunc(s, unicode.IsSpace)
			}
			if p.StripRight {
				s = strings.TrimRightFunc(s, unicode.IsSpace)
			}
			return s
		}, nil
	case "Prepend":
		return func(s string) string {
			if s == "" {
				return s
			}
			return p.Prepend + s
		}, nil
	case "Replace":
		if p.Pattern == nil {
			return nil, errors.New("a Replace has no pattern")
		}
		return func(s string) string { return p.Pattern.replace(s, p.Content) }, nil
	case "ByteLevel":
		return byteLevel, nil
	case "BertNormalizer":
		return p.bert, nil
	case "Precompiled":
		return nil, errors.New(`"Precompiled", sentencepiece's table of a model's own, is not done here: give a tokenizer.json with NFKC or another known normalizer`)
	}
	return nil, fmt.Errorf("the type %q is not known", p.Type)
}

// bert does what BERT does, each where it is on.
func (p *part) bert(s string) string {
	if orTrue(p.CleanText) {
		s = strings.Map(func(r rune) rune {
			switch {
			case r == '\t' || r == '\n' || r == '\r' || unicode.IsSpace(r):
				return ' '
			case r == 0 || r == 0xfffd || unicode.In(r, unicode.C) || !assigned(r):
				return -1
			}
			return r
		}, s)
	}
	if orTrue(p.HandleChineseChars) {
		var b strings.Builder
		for _, r := range s {
			if isChinese(r) {
				b.WriteString(" " + string(r) + " ")
			} else {
				b.WriteRune(r)
			}
		}
		s = b.String()
	}
	lowercase := orTrue(p.Lowercase)
	if p.StripAccents != nil && *p.StripAccents || p.StripAccents == nil && lowercase {
		s = withoutMarks(norm.NFD.String(s))
	}
	if lowercase {
		s = lower(s)
	}
	return s
}

// assigned says whether a code point is one of Unicode's characters.
func assigned(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z)
}

func isChinese(r rune) bool {
	for _, block := range [][2]rune{{0x4e00, 0x9fff}, {0x3400, 0x4dbf}, {0x20000, 0x2a6df}, {0x2a700, 0x2b73f}, {0x2b740, 0x2b81f}, {0x2b920, 0x2ceaf}, {0xf900, 0xfaff}, {0x2f800, 0x2fa1f}} {
		if r >= block[0] && r <= block[1] {
			return true
		}
	}
	return false
}

func withoutMarks(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, s)
}

// lower maps letter by letter, without a look at those beside.
func lower(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r == 'İ' { // the one letter that becomes two characters
			b.WriteString("i̇")
		} else {
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// matches are the places of a pattern in s, in bytes. An empty match counts for none.
func (p *pattern) matches(s string) (found [][2]int) {
	if p.regex == nil {
		for at := 0; ; {
			n := strings.Index(s[at:], p.text)
			if n < 0 {
				return found
			}
			found = append(found, [2]int{at + n, at + n + len(p.text)})
			at += n + len(p.text)
		}
	}
	runes := []rune(s)
	place := make([]int, 0, len(runes)+1) // of every character in bytes
	for i := range s {
		place = append(place, i)
	}
	place = append(place, len(s))
	m, err := p.regex.FindRunesMatch(runes)
	for err == nil && m != nil {
		if m.Length > 0 {
			found = append(found, [2]int{place[m.Index], place[m.Index+m.Length]})
		}
		m, err = p.regex.FindNextMatch(m)
	}
	return found
}

func (p *pattern) replace(s, with string) string {
	var b strings.Builder
	at := 0
	for _, m := range p.matches(s) {
		b.WriteString(s[at:m[0]])
		b.WriteString(with)
		at = m[1]
	}
	b.WriteString(s[at:])
	return b.String()
}
