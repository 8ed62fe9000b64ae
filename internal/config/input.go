package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lighter-go/lighter/internal/diag"
)

// isOverride tells an override from a file: it has a "=" or starts with "~".
func isOverride(s string) bool { return strings.Contains(s, "=") || strings.HasPrefix(s, "~") }

// override merges a command-line override into the tree.
func (c *Config) override(m *copier, text, name string) {
	c.Sources[name] = []byte(text)
	c.Order = append(c.Order, name)
	rest, skip := text, 0
	e := edit{text: text}
	switch {
	case strings.HasPrefix(rest, "~"):
		e.op, rest, skip = remove, rest[1:], 1
	case strings.HasPrefix(rest, "="):
		e.op, rest, skip = replace, rest[1:], 1
	}
	key, value, hasValue := strings.Cut(rest, "=")
	pos := diag.Pos{Source: name, Line: 1, Col: 1, Len: utf8.RuneCountInString(key) + skip}
	if !utf8.ValidString(text) {
		m.diags.Errorf(pos, "", "invalid UTF-8 in an override")
		return
	}
	if e.op == replace && !hasValue {
		m.diags.Errorf(pos, "", "%q has no value", text).Hint = "to replace a value write =key=value"
		return
	}
	e.keys = strings.Split(key, Sep)
	e.pos = keyPositions(e.keys, pos, skip)
	if !m.checkKeys(e, pos, key) {
		return
	}
	if hasValue {
		if e.value = overrideValue(m, name, value, utf8.RuneCountInString(text[:len(text)-len(value)])); e.value == nil {
			return
		}
	}
	c.Root = m.set(c.Root, e, "")
}

// overrideValue reads a value as YAML, and as a string when it is none. nil when it is reported.
func overrideValue(m *copier, name, value string, shift int) *Node {
	pos := diag.Pos{Source: name, Line: 1, Col: shift + 1, Len: utf8.RuneCountInString(value)}
	if len(value) > maxScalar {
		m.diags.Errorf(pos, "", "too long: a value of %d bytes, where at most %d are allowed", len(value), maxScalar)
		return nil
	}
	n, diags := parse(name, []byte(value), shift)
	if diags.HasErrors() {
		if strings.IndexAny(value, "[{'\"") == 0 {
			d := m.diags.Warnf(pos, "", "taken as text, since it is not valid YAML: %s", strings.TrimPrefix(diags[0].Msg, "not valid YAML: "))
			d.Hint = diags[0].Hint
		}
		return &Node{Kind: String, Value: value, Pos: pos}
	}
	m.diags.Add(diags...)
	if n == nil {
		return &Node{Kind: Null, Pos: pos}
	}
	return n
}

// read gives the root of a file as it stands, an empty Map for an empty file. at and path say who asks. nil when it is reported.
func (c *Config) read(diags *diag.List, name string, at diag.Pos, path string) *Node {
	if n, ok := c.files[name]; ok {
		return n
	}
	c.files[name] = nil
	if ext := strings.ToLower(filepath.Ext(name)); ext != ".yaml" && ext != ".yml" {
		d := diags.Errorf(at, path, "Unknown file input: %q, must be a YAML file (.yaml or .yml)", name)
		if i := strings.IndexFunc(name, func(r rune) bool { return !isWord(r) }); strings.Contains(name, Sep) || slices.Contains(Sections, name[:max(i, 0)]) {
			d.Hint = "an override has the form key::sub=value"
		}
		return nil
	}
	text, err := readFile(name)
	if err != nil {
		unreadable(diags, name, at, path, err)
		return nil
	}
	c.Sources[name] = text
	if !slices.Contains(c.Order, name) {
		c.Order = append(c.Order, name)
	}
	n, problems := parse(name, text, 0)
	diags.Add(problems...)
	if problems.HasErrors() {
		return nil
	}
	if n == nil {
		n = &Node{Kind: Map, Pos: diag.Pos{Source: name, Line: 1}}
	}
	c.files[name] = n
	return n
}

// include gives the root of a file that a `%` reference names; its operators have nothing to work on.
func (c *Config) include(diags *diag.List, name string, pos diag.Pos, path string) *Node {
	const key = "\x00" // tells the tree that copies are filled in from the one that is merged
	if n, ok := c.files[key+name]; ok {
		return n
	}
	n := c.read(diags, name, pos, path)
	if n != nil {
		m := &merger{source: name}
		n = m.fresh(n.Clone(), "")
		diags.Add(m.diags...)
	}
	c.files[key+name] = n
	return n
}

var errLarge = fmt.Errorf("too large: a configuration has at most %d bytes", maxSource)

// readFile reads a file of at most maxSource bytes.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, errors.New("it is a folder")
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSource+1))
	if err == nil && len(text) > maxSource {
		err = errLarge
	}
	return text, err
}

// unreadable reports a file that can't be read; one that is not there with the nearest that is.
func unreadable(diags *diag.List, name string, at diag.Pos, path string, err error) {
	if !errors.Is(err, fs.ErrNotExist) {
		d := diags.Errorf(at, path, "can't read %s: %v", name, err)
		d.Err = err
		return
	}
	abs, absErr := filepath.Abs(name)
	if absErr != nil {
		abs = name
	}
	d := diags.Errorf(at, path, "No such file or directory: '%s'", abs)
	d.Err = err
	if strings.Contains(name, ",") {
		d.Hint = "files are separated by spaces"
		return
	}
	entries, readErr := os.ReadDir(filepath.Dir(name))
	if readErr != nil {
		return
	}
	var names []string
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); ext == ".yaml" || ext == ".yml" {
			names = append(names, e.Name())
		}
	}
	if near := diag.Nearest(filepath.Base(name), names, 1); len(near) > 0 {
		d.Hint = fmt.Sprintf("did you mean %q?", filepath.Join(filepath.Dir(name), near[0]))
	}
}

// fromGo is a value of a program as a node. Keys of maps are sorted.
func fromGo(v any, pos diag.Pos, depth int) (*Node, error) {
	n := &Node{Pos: pos}
	if depth > maxDepth {
		return nil, fmt.Errorf("nested too deeply: more than %d levels", maxDepth)
	}
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Invalid:
	case reflect.Bool:
		n.Kind, n.Value = Bool, r.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n.Kind, n.Value = Int, r.Int()
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		n.Kind, n.Value = Int, int64(r.Uint())
	case reflect.Float32, reflect.Float64:
		n.Kind, n.Value = Float, r.Float()
	case reflect.String:
		n.Kind, n.Value = String, r.String()
		if !utf8.ValidString(r.String()) {
			return nil, fmt.Errorf("invalid UTF-8 in %q", r.String())
		}
	case reflect.Slice, reflect.Array:
		n.Kind = List
		for i := range r.Len() {
			item, err := fromGo(r.Index(i).Interface(), pos, depth+1)
			if err != nil {
				return nil, err
			}
			n.Items = append(n.Items, item)
		}
	case reflect.Map:
		n.Kind = Map
		if r.Type().Key().Kind() != reflect.String {
			return nil, fmt.Errorf("a key must be a string, not %s", r.Type().Key())
		}
		for _, k := range r.MapKeys() {
			value, err := fromGo(r.MapIndex(k).Interface(), pos, depth+1)
			if err != nil {
				return nil, err
			}
			n.Pairs = append(n.Pairs, Pair{Key: k.String(), KeyPos: pos, Value: value})
		}
		slices.SortFunc(n.Pairs, func(a, b Pair) int { return strings.Compare(a.Key, b.Key) })
	default:
		return nil, fmt.Errorf("can't use a value of type %T in a configuration", v)
	}
	return n, nil
}
