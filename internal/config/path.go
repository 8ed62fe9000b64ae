package config

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lighter-go/lighter/internal/diag"
)

// Sep joins the keys of a path: "model::optimizer::lr".
const Sep = "::"

// Join appends a key to a path.
func Join(path, key string) string {
	if path == "" {
		return key
	}
	return path + Sep + key
}

// splitPath gives the keys of a path; "" has none.
func splitPath(path string) []string {
	if path == "" {
		return nil
	}
	return strings.Split(path, Sep)
}

// parentPath is the path without its last key.
func parentPath(path string) string {
	if i := strings.LastIndex(path, Sep); i >= 0 {
		return path[:i]
	}
	return ""
}

// isName reports whether s is a path that references can have: word characters joined by "::".
func isName(s string) bool {
	for part := range strings.SplitSeq(s, Sep) {
		if part == "" || strings.IndexFunc(part, func(r rune) bool { return !isWord(r) }) >= 0 {
			return false
		}
	}
	return true
}

func isWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// child returns the value a key of a path names: a map's entry, or a list's element by index.
func (n *Node) child(key string) *Node {
	switch n.Kind {
	case Map:
		return n.Get(key)
	case List:
		if i, ok := index(key, len(n.Items)); ok {
			return n.Items[i]
		}
	}
	return nil
}

// index reads a list index, negative from the end; ok is false when there is no such element.
func index(key string, length int) (i int, ok bool) {
	i, err := strconv.Atoi(key)
	if err != nil || key[0] == '+' {
		return 0, false
	}
	if i < 0 {
		i += length
	}
	return i, i >= 0 && i < length
}

// at walks down a path from n.
func (n *Node) at(path string) *Node {
	for _, key := range splitPath(path) {
		if n == nil {
			return nil
		}
		n = n.child(key)
	}
	return n
}

// absolute turns a relative reference's name ("::lr", after the sign) into a path, as seen from the value at path.
func absolute(sign, name, path string) (string, *diag.Diagnostic) {
	levels := 0
	rest := name
	for strings.HasPrefix(rest, Sep) {
		rest = rest[len(Sep):]
		levels++
	}
	if levels == 0 {
		return name, nil
	}
	keys := splitPath(path)
	if levels > len(keys) {
		return "", &diag.Diagnostic{Path: path, Msg: "Relative reference '" + sign + name[:len(name)-len(rest)] + "' in '" + sign + name + "' attempts to go " +
			strconv.Itoa(levels) + " levels up, but current path '" + path + "' only has " + strconv.Itoa(len(keys)) + " levels"}
	}
	up := strings.Join(keys[:len(keys)-levels], Sep)
	if rest == "" {
		return up, nil
	}
	return Join(up, rest), nil
}

// makeAbsolute rewrites every relative reference in a string that holds references.
func makeAbsolute(s, path string) (string, *diag.Diagnostic) {
	if s == "" || !strings.Contains("@%$", s[:1]) {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if sign := s[i]; (sign == '@' || sign == '%') && strings.HasPrefix(s[i+1:], Sep) {
			end := i + 1
			for end < len(s) {
				r, size := utf8.DecodeRuneInString(s[end:])
				if strings.HasPrefix(s[end:], Sep) {
					size = len(Sep)
				} else if !isWord(r) {
					break
				}
				end += size
			}
			abs, d := absolute(s[i:i+1], s[i+1:end], path)
			if d != nil {
				return s, d
			}
			b.WriteByte(sign)
			b.WriteString(abs)
			i = end
			continue
		}
		b.WriteByte(s[i])
		i++
	}
	return b.String(), nil
}
