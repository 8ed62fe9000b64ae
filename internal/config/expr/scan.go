package expr

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

type kind uint8

const (
	end kind = iota
	name
	number
	str
	op
	newline // the end of a logical line of a file
)

// token is a word of the source. start and stop are byte offsets.
type token struct {
	kind        kind
	text        string // of a name, number or operator; the decoded value of a string that is no f-string
	start, stop int
	format      bool // an f-string, whose body is source[body:close]
	raw         bool
	bytes       bool
	body, close int
}

// Longest first.
var operators = []string{"**=", "//=", "<<=", ">>=", "...", "**", "//", "<<", ">>", "<=", ">=", "==", "!=", "->", ":=", "+=", "-=", "*=", "/=", "%=", "@=", "&=", "|=", "^=",
	"+", "-", "*", "/", "%", "<", ">", "=", "(", ")", "[", "]", "{", "}", ",", ":", ".", "&", "|", "^", "~", "@", "!", ";"}

// skip goes over what stands between tokens.
func (r *rewriter) skip(i int) int {
	for i < r.limit {
		switch rest := r.source[i:r.limit]; {
		case rest[0] == '\n' && r.lines && r.nest == 0:
			return i
		case strings.IndexByte(" \t\r\n\f", rest[0]) >= 0:
			i++
		case strings.HasPrefix(rest, "\\\n"):
			i += 2
		case strings.HasPrefix(rest, "\\\r\n"):
			i += 3
		case rest[0] == '#':
			nl := strings.IndexByte(rest, '\n')
			if nl < 0 {
				return r.limit
			}
			i += nl
		default:
			return i
		}
	}
	return i
}

// scan reads the token at or after offset i.
func (r *rewriter) scan(i int) token {
	i = r.skip(i)
	t := token{start: i, stop: i}
	if i >= r.limit {
		return t
	}
	c, size := utf8.DecodeRuneInString(r.source[i:r.limit])
	switch {
	case c == '\n':
		t.kind, t.stop = newline, i+1
		return t
	case c >= '0' && c <= '9', c == '.' && i+1 < r.limit && r.source[i+1] >= '0' && r.source[i+1] <= '9':
		return r.scanNumber(t)
	case c == '"' || c == '\'':
		return r.scanString(t, "")
	case isStart(c):
		for t.stop = i + size; t.stop < r.limit; t.stop += size {
			c, size = utf8.DecodeRuneInString(r.source[t.stop:r.limit])
			if !isStart(c) && !unicode.IsDigit(c) {
				break
			}
		}
		t.kind, t.text = name, r.source[i:t.stop]
		if t.stop < r.limit && (r.source[t.stop] == '"' || r.source[t.stop] == '\'') && isPrefix(t.text) {
			return r.scanString(t, strings.ToLower(t.text))
		}
		return t
	}
	for _, o := range operators {
		if strings.HasPrefix(r.source[i:r.limit], o) {
			t.kind, t.text, t.stop = op, o, i+len(o)
			return t
		}
	}
	r.fail(i, size, "unexpected character %q", c)
	return t
}

func isStart(c rune) bool { return c == '_' || unicode.IsLetter(c) }

func isPrefix(s string) bool {
	switch strings.ToLower(s) {
	case "r", "u", "b", "f", "rf", "fr", "br", "rb":
		return true
	}
	return false
}

func (r *rewriter) scanNumber(t token) token {
	i := t.start
	accept := func(set string) {
		for i < r.limit && strings.IndexByte(set, r.source[i]|0x20) >= 0 || i < r.limit && r.source[i] == '_' {
			i++
		}
	}
	isFloat := false
	if rest := strings.ToLower(r.source[i:min(i+2, r.limit)]); rest == "0x" || rest == "0o" || rest == "0b" {
		i += 2
		accept(map[string]string{"0x": "0123456789abcdef", "0o": "01234567", "0b": "01"}[rest])
	} else {
		accept("0123456789")
		if i < r.limit && r.source[i] == '.' {
			isFloat = true
			i++
			accept("0123456789")
		}
		if i < r.limit && r.source[i]|0x20 == 'e' {
			j := i + 1
			if j < r.limit && (r.source[j] == '+' || r.source[j] == '-') {
				j++
			}
			if j < r.limit && r.source[j] >= '0' && r.source[j] <= '9' {
				isFloat = true
				i = j
				accept("0123456789")
			}
		}
	}
	t.kind, t.stop = number, i
	t.text = strings.ReplaceAll(r.source[t.start:i], "_", "")
	if c, size := utf8.DecodeRuneInString(r.source[i:r.limit]); i < r.limit && (isStart(c) || unicode.IsDigit(c)) {
		if word := r.source[i:r.limit]; !startsWithKeyword(word) {
			r.fail(t.start, i+size-t.start, "invalid number %q", r.source[t.start:i+size])
			return t
		}
	}
	switch {
	case isFloat:
		f, err := strconv.ParseFloat(t.text, 64)
		if err != nil && f == 0 {
			r.fail(t.start, i-t.start, "invalid number %q", r.source[t.start:i])
		}
		t.text = strconv.FormatFloat(f, 'e', -1, 64)
		if f > 1e308 && strings.Contains(t.text, "Inf") {
			t.text = `float("inf")`
		}
	case len(t.text) > 4096:
		r.fail(t.start, i-t.start, "a number of %d digits is too long", len(t.text))
	case len(t.text) > 1 && t.text[0] == '0' && t.text[1] >= '0' && t.text[1] <= '9' && strings.Trim(t.text, "0") != "":
		r.fail(t.start, i-t.start, "leading zeros in a decimal number are not permitted")
	case strings.Trim(t.text, "0") == "":
		t.text = "0"
	case len(t.text) == 2 && t.text[0] == '0' && t.text[1] > '9':
		r.fail(t.start, i-t.start, "invalid number %q", r.source[t.start:i])
	}
	return t
}

// startsWithKeyword lets `1if x else 2` be, as Python does.
func startsWithKeyword(s string) bool {
	for _, k := range []string{"if", "else", "and", "or", "in", "is", "not", "for"} {
		if strings.HasPrefix(s, k) {
			return true
		}
	}
	return false
}

// scanString reads a string literal after its prefix.
func (r *rewriter) scanString(t token, prefix string) token {
	i := t.start + len(prefix)
	quote := r.source[i : i+1]
	if strings.HasPrefix(r.source[i:r.limit], strings.Repeat(quote, 3)) {
		quote = strings.Repeat(quote, 3)
	}
	t.kind = str
	t.raw, t.format = strings.Contains(prefix, "r"), strings.Contains(prefix, "f")
	t.body = i + len(quote)
	closed := true // the fields so far
	for i = t.body; ; i++ {
		switch {
		case i >= r.limit:
			t.stop, t.close = r.limit, r.limit
			r.fail(t.start, 1, "unterminated string literal")
			return t
		case r.source[i] == '\\':
			i++
			continue
		case r.source[i] == '\n' && len(quote) == 1:
			t.stop, t.close = i, i
			r.fail(t.start, 1, "unterminated string literal")
			return t
		case t.format && r.source[i] == '{':
			if i+1 < r.limit && r.source[i+1] == '{' {
				i++
				continue
			}
			if closed {
				var stop int
				if stop, closed = r.skipField(i+1, quote); closed { // quotes inside a field don't end it, as in Python 3.12
					i = stop
				}
			}
			continue
		}
		if strings.HasPrefix(r.source[i:r.limit], quote) {
			break
		}
	}
	t.close, t.stop = i, i+len(quote)
	if t.bytes = strings.Contains(prefix, "b"); t.bytes && !r.lines {
		r.fail(t.start, t.stop-t.start, "bytes are not supported in expressions")
	}
	if !t.format {
		t.text = r.source[t.body:t.close]
		if at := strings.IndexFunc(t.text, func(c rune) bool { return c >= utf8.RuneSelf }); t.bytes && at >= 0 {
			r.fail(t.body+at, 1, "bytes can only contain ASCII literal characters")
		}
		if at := strings.Index(t.text, `\N{`); r.lines && at >= 0 && !t.raw && !t.bytes {
			r.fail(t.body+at, 2, "names of characters are not available in strings")
			if r.err.Hint == "" {
				r.err.Hint = "write the character itself, or its number: \"\\u2014\""
			}
		}
		if !t.raw {
			var bad int
			if t.text, bad = unescape(t.text, t.bytes); bad >= 0 {
				r.fail(t.body+bad, 2, "invalid escape in a string")
			}
		}
	}
	return t
}

// skipField finds the "}" of an f-string's field that starts at i, over strings and brackets within it.
func (r *rewriter) skipField(i int, quote string) (int, bool) {
	depth := 0
	for ; i < r.limit; i++ {
		switch c := r.source[i]; c {
		case '\'', '"':
			j := i + 1
			for j < r.limit && r.source[j] != c {
				if r.source[j] == '\n' {
					return 0, false
				}
				j++
			}
			if j >= r.limit {
				return 0, false
			}
			i = j
		case '(', '[', '{':
			depth++
		case ')', ']':
			depth--
		case '}':
			if depth == 0 {
				return i, true
			}
			depth--
		}
	}
	return 0, false
}

// unescape decodes Python's escapes; bad is the offset of one that is none, else -1.
func unescape(s string, bytes bool) (text string, bad int) {
	if !strings.Contains(s, `\`) {
		return s, -1
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 >= len(s) {
			b.WriteByte(s[i])
			continue
		}
		at := i
		i++
		hex := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[i]]
		if bytes && s[i] != 'x' {
			hex = 0
		}
		simple := strings.IndexByte("abfnrtv\\'\"", s[i])
		switch {
		case s[i] == '\n':
		case hex > 0:
			if i+hex >= len(s) {
				return "", at
			}
			v, err := strconv.ParseUint(s[i+1:i+1+hex], 16, 32)
			if err != nil || !utf8.ValidRune(rune(v)) || v > unicode.MaxRune {
				return "", at
			}
			if bytes {
				b.WriteByte(byte(v))
			} else {
				b.WriteRune(rune(v))
			}
			i += hex
		case s[i] >= '0' && s[i] <= '7':
			v := 0
			j := i
			for ; j < len(s) && j < i+3 && s[j] >= '0' && s[j] <= '7'; j++ {
				v = v*8 + int(s[j]-'0')
			}
			if bytes {
				b.WriteByte(byte(v))
			} else {
				b.WriteRune(rune(v))
			}
			i = j - 1
		case simple >= 0:
			b.WriteByte("\a\b\f\n\r\t\v\\'\""[simple])
		default: // Python keeps what it does not know
			b.WriteByte('\\')
			_, size := utf8.DecodeRuneInString(s[i:])
			b.WriteString(s[i : i+size])
			i += size - 1
		}
	}
	return b.String(), -1
}

// fail records the first error.
func (r *rewriter) fail(offset, length int, format string, args ...any) {
	if r.err == nil {
		offset = min(offset, len(r.source))
		r.err = &Error{Msg: fmt.Sprintf(format, args...), offset: offset, Col: r.col(offset), Len: utf8.RuneCountInString(r.source[offset:min(offset+max(length, 0), len(r.source))])}
	}
}

func (r *rewriter) col(offset int) int { return utf8.RuneCountInString(r.source[:offset]) + 1 }
