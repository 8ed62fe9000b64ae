package expr

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.starlark.net/starlark"
)

// textMethods are the methods of strings.
var textMethods map[string]methodFunc

func containsWord(s, word string) bool { return strings.Contains(s, word) }

// textMethod is a method that makes a string no larger than factor times its own.
func textMethod(factor int, f func(s string) string) methodFunc {
	return func(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
		if err := a.unpack(); err != nil {
			return nil, err
		}
		s := string(recv.(starlark.String))
		return m.made(factor*len(s), func() string { return f(s) })
	}
}

// testText is a method that asks whether a string is not empty and all of its characters are so.
func testText(is func(c rune) bool) methodFunc {
	return func(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
		s := string(recv.(starlark.String))
		if err := errors.Join(m.spend(len(s)), a.unpack()); err != nil {
			return nil, err
		}
		return starlark.Bool(s != "" && strings.IndexFunc(s, func(c rune) bool { return !is(c) }) < 0), nil
	}
}

// cased is a method that asks whether a string has letters of one case and none of the other.
func cased(other, wanted func(c rune) bool) methodFunc {
	return func(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
		s := string(recv.(starlark.String))
		if err := errors.Join(m.spend(len(s)), a.unpack()); err != nil {
			return nil, err
		}
		bad := strings.IndexFunc(s, func(c rune) bool { return other(c) || unicode.IsTitle(c) })
		return starlark.Bool(bad < 0 && strings.IndexFunc(s, wanted) >= 0), nil
	}
}

// search is find and its like: of a substring between two characters, counted in characters.
func search(find func(s, sub string) int, must bool) methodFunc {
	return func(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
		var sub string
		var start, end starlark.Value = starlark.None, starlark.None
		if err := a.unpack("sub", &sub, "start?", &start, "end?", &end); err != nil {
			return nil, err
		}
		s := string(recv.(starlark.String))
		if err := m.spend(len(s)); err != nil {
			return nil, err
		}
		n := utf8.RuneCountInString(s)
		from, to, _, err := m.bounds(starlark.Tuple{start, end}, n)
		if err != nil {
			return nil, err
		}
		part := s
		if from > 0 || to < n {
			part = runeSlice(s, from, to)
		}
		at := find(part, sub)
		switch {
		case a.name == "count":
			return starlark.MakeInt(at), nil
		case at >= 0:
			return starlark.MakeInt(from + utf8.RuneCountInString(part[:at])), nil
		case must:
			return nil, errors.New("substring not found")
		}
		return starlark.MakeInt(-1), nil
	}
}

// runeSlice is the characters of a string from one on to before another.
func runeSlice(s string, from, to int) string {
	start, stop, n := len(s), len(s), 0
	for i := range s {
		if n == from {
			start = i
		}
		if n == to {
			stop = i
			break
		}
		n++
	}
	return s[min(start, stop):stop]
}

// split is splitting at a separator or at white space, at most so many times.
func split(right bool) methodFunc {
	return func(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
		var sep starlark.Value = starlark.None
		most := -1
		if err := a.unpack("sep?", &sep, "maxsplit?", &most); err != nil {
			return nil, err
		}
		pos := starlark.Tuple{sep}
		if most >= 0 {
			pos = append(pos, starlark.MakeInt(most))
		}
		return native(16)(m, recv, args{name: a.name, pos: pos})
	}
}

// splitLines is splitlines().
func splitLines(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
	keep := false
	if err := a.unpack("keepends?", &keep); err != nil {
		return nil, err
	}
	s := string(recv.(starlark.String))
	if err := errors.Join(m.spend(len(s)), m.alloc(len(s)*itemSize)); err != nil {
		return nil, err
	}
	lines := []starlark.Value{}
	for s != "" {
		end, size := strings.IndexAny(s, "\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029"), 0
		if end < 0 {
			end = len(s)
		} else {
			_, size = utf8.DecodeRuneInString(s[end:])
			if strings.HasPrefix(s[end:], "\r\n") {
				size = 2
			}
		}
		line := s[:end]
		if keep {
			line = s[:end+size]
		}
		lines = append(lines, starlark.String(line))
		s = s[end+size:]
	}
	return starlark.NewList(lines), nil
}

func init() {
	textMethods = map[string]methodFunc{
		"split": split(false), "rsplit": split(true), "splitlines": splitLines, "partition": native(2), "rpartition": native(2),
		"strip": native(0), "lstrip": native(0), "rstrip": native(0), "removeprefix": native(0), "removesuffix": native(0),
		"startswith": native(0), "endswith": native(0), "upper": textMethod(3, func(s string) string { return strings.ReplaceAll(strings.ToUpper(s), "ß", "SS") }), "lower": native(3), "title": native(3),
		"capitalize": textMethod(3, func(s string) string {
			if rest, ok := strings.CutPrefix(s, "ß"); ok {
				return "Ss" + strings.ToLower(rest)
			}
			_, n := utf8.DecodeRuneInString(s)
			return strings.ToTitle(s[:n]) + strings.ToLower(s[n:])
		}),
		"isalnum": native(0), "isalpha": native(0), "islower": cased(unicode.IsUpper, unicode.IsLower), "isupper": cased(unicode.IsLower, unicode.IsUpper), "istitle": native(0),
		"isdigit": testText(unicode.IsDigit), "isdecimal": testText(unicode.IsDigit), "isnumeric": testText(unicode.IsNumber), "isspace": testText(unicode.IsSpace),
		"isascii": func(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
			s := string(recv.(starlark.String))
			return starlark.Bool(strings.IndexFunc(s, func(c rune) bool { return c >= utf8.RuneSelf }) < 0), errors.Join(m.spend(len(s)), a.unpack())
		},
		"isprintable": func(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
			s := string(recv.(starlark.String))
			return starlark.Bool(strings.IndexFunc(s, func(c rune) bool { return !unicode.IsPrint(c) }) < 0), errors.Join(m.spend(len(s)), a.unpack())
		},
		"isidentifier": func(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
			s := string(recv.(starlark.String))
			bad := strings.IndexFunc(s, func(c rune) bool { return !isStart(c) && !unicode.IsDigit(c) })
			first, _ := utf8.DecodeRuneInString(s)
			return starlark.Bool(s != "" && bad < 0 && isStart(first)), errors.Join(m.spend(len(s)), a.unpack())
		},
		"casefold": textMethod(3, strings.ToLower),
		"swapcase": textMethod(3, func(s string) string {
			return strings.Map(func(c rune) rune {
				if unicode.IsUpper(c) {
					return unicode.ToLower(c)
				}
				return unicode.ToUpper(c)
			}, s)
		}),
		"find": search(strings.Index, false), "rfind": search(strings.LastIndex, false), "index": search(strings.Index, true), "rindex": search(strings.LastIndex, true),
		"count": search(strings.Count, false),
		"encode": func(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
			encoding := "utf-8"
			if err := a.unpack("encoding?", &encoding); err != nil {
				return nil, err
			}
			if e := strings.ToLower(strings.ReplaceAll(encoding, "_", "-")); e != "utf-8" && e != "utf8" && e != "ascii" {
				return nil, fmt.Errorf("unknown encoding: %s", encoding)
			}
			return starlark.Bytes(recv.(starlark.String)), m.alloc(length(recv))
		},
		"join": joinText, "replace": replaceText, "format": formatText, "expandtabs": expandTabs,
		"zfill": pad(1, 0), "rjust": pad(1, 0), "ljust": pad(0, 1), "center": pad(1, 1),
	}
}

func joinText(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
	s := string(recv.(starlark.String))
	items, err := m.elements(a)
	if err != nil {
		return nil, err
	}
	size := len(s) * len(items)
	words := make([]string, len(items))
	for i, it := range items {
		w, ok := starlark.AsString(it)
		if !ok {
			if isUnknown(it) {
				return m.touch(), nil
			}
			return nil, fmt.Errorf("sequence item %d: expected str instance, %s found", i, typeName(it))
		}
		words[i] = w
		size += len(w)
	}
	return m.made(size, func() string { return strings.Join(words, s) })
}

func replaceText(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
	s := string(recv.(starlark.String))
	var old, with string
	count := -1
	if err := a.unpack("old", &old, "new", &with, "count?", &count); err != nil {
		return nil, err
	}
	return m.made(len(s)+strings.Count(s, old)*len(with), func() string { return strings.Replace(s, old, with, count) })
}

func expandTabs(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
	size := 8
	if err := a.unpack("tabsize?", &size); err != nil {
		return nil, err
	}
	s := string(recv.(starlark.String))
	return m.made(len(s)+strings.Count(s, "\t")*max(size, 0), func() string {
		var b strings.Builder
		col := 0
		for _, c := range s {
			switch c {
			case '\t':
				for size > 0 {
					b.WriteByte(' ')
					if col++; col%size == 0 {
						break
					}
				}
				continue
			case '\n', '\r':
				col = -1
			}
			b.WriteRune(c)
			col++
		}
		return b.String()
	})
}

// pad is a method that brings a string to a width, with so many parts of the filling on either side.
func pad(left, right int) methodFunc {
	return func(m *machine, recv starlark.Value, a args) (starlark.Value, error) {
		s := string(recv.(starlark.String))
		width, fill := 0, " "
		if a.name == "zfill" {
			fill = "0"
		}
		if err := a.unpack("width", &width, "fillchar?", &fill); err != nil {
			return nil, err
		}
		if utf8.RuneCountInString(fill) != 1 {
			return nil, errors.New("the fill character must be exactly one character long")
		}
		runes := utf8.RuneCountInString(s)
		n := max(width-runes, 0)
		return m.made(len(s)+n*len(fill), func() string {
			before := n * left / (left + right)
			if left == right && n%2 == 1 && width%2 == 1 { // as CPython centers
				before++
			}
			if a.name == "zfill" && s != "" && (s[0] == '-' || s[0] == '+') {
				return s[:1] + strings.Repeat(fill, n) + s[1:]
			}
			return strings.Repeat(fill, before) + s + strings.Repeat(fill, n-before)
		})
	}
}

func values(kw []starlark.Tuple) starlark.Tuple {
	var vs starlark.Tuple
	for _, kv := range kw {
		vs = append(vs, kv[1])
	}
	return vs
}

// copied is how many bytes are copied in the time of one unit of work.
const copied = 8

// made is a string of at most size bytes, made only when that is affordable.
func (m *machine) made(size int, text func() string) (starlark.Value, error) {
	if size > m.limits.text || size < 0 {
		return nil, fmt.Errorf("a string of %d bytes is too long: at most %d", size, m.limits.text)
	}
	work := size
	if m.run != nil {
		work /= copied
	}
	if err := errors.Join(m.spend(work), m.alloc(size)); err != nil {
		return nil, err
	}
	return starlark.String(text()), nil
}
