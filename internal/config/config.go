// Package config reads Lighter's configuration language: YAML files and overrides are merged into one tree whose
// values know where they came from, and a [Resolver] turns the tree into values: `@` references, `%` copies and `$`
// expressions. What a `_target_` names is made by a [Host].
package config

import (
	"slices"
	"strings"

	"github.com/lighter-go/lighter/internal/diag"
)

// Config is the merged, still unresolved configuration: `%` copies are filled in, `@` and `$` are text.
type Config struct {
	Root     *Node // a Map
	Sources  diag.Sources
	Order    []string // the sources' names in the order they were read, for [diag.List.Sort]
	Warnings diag.List
	Imports  []Import // the `_imports_` section, which is taken out of Root
	Partial  bool     // an input could not be read, so what it brings is missing

	files map[string]*Node // the files that `%` references read; nil for one that can't be read
}

// Import is a module under a name for expressions, from the `_imports_` section or an import expression.
type Import struct {
	Name   string   // the name expressions use
	Module string   // "torch.nn", or "torch.nn.Linear" for a member
	Pos    diag.Pos // of the module's name
	Path   string   // of the value that says so
}

// Compose reads inputs from left to right and merges them. Each is a file's path, an override (`a::b=v` merges,
// `=a=v` replaces, `~a::b` deletes) or a map[string]any. Then `%` references are filled in. The Config is never nil.
// When the list has errors it is good for looking for more of them only, and for that too only when it is not Partial; warnings
// are in Config.Warnings.
func Compose(inputs ...any) (*Config, diag.List) {
	c := &Config{Root: &Node{Kind: Map}, Sources: diag.Sources{}, files: map[string]*Node{}}
	m := &copier{}
	m.load = func(file string, pos diag.Pos, path string) *Node { return c.include(&m.diags, file, pos, path) }
	files := 0
	var early []string // the overrides before the first file
	for i, in := range inputs {
		m.text, m.typos = "", files > 0
		name := diag.Argument(i + 1)
		switch in := in.(type) {
		case map[string]any:
			m.source = name
			c.Order = append(c.Order, name)
			n, err := fromGo(in, diag.Pos{Source: name}, 0)
			if err != nil {
				m.diags.Errorf(diag.Pos{Source: name}, "", "%v", err)
				c.Partial = true
				continue
			}
			c.mergeRoot(m, n)
			files++
		case *Node:
			m.source = name
			c.Order = append(c.Order, in.Pos.Source)
			c.mergeRoot(m, in.Clone())
			files++
		case string:
			if isOverride(in) {
				m.source, m.text = name, in
				if files == 0 {
					early = append(early, name)
				}
				c.override(m, in, name)
				continue
			}
			c.file(m, in, name)
			files++
		default:
			m.diags.Errorf(diag.Pos{Source: name}, "", "expected a file, an override or a mapping, got %T", in)
			c.Partial = true
		}
	}
	c.lateSlips(m, early)
	c.reportSlips(m)
	m.text, m.typos = "", false
	separate(c.Root)
	m.fill(c.Root, c.Root, "")
	relative(c.Root, "", &m.diags)
	c.takeImports(m)

	diags := m.diags.Sort(c.Order...)
	c.Warnings = slices.Clone(diags)
	c.Warnings = slices.DeleteFunc(c.Warnings, func(d diag.Diagnostic) bool { return d.Severity == diag.Error })
	if !diags.HasErrors() {
		return c, nil
	}
	return c, slices.DeleteFunc(diags, func(d diag.Diagnostic) bool { return d.Severity != diag.Error })
}

// file merges a file into the tree.
func (c *Config) file(m *copier, name, arg string) {
	c.Sources[arg] = []byte(name)
	m.source = name
	n := c.read(&m.diags, name, diag.Pos{Source: arg, Line: 1, Col: 1, Len: len([]rune(name))}, "")
	if n == nil {
		c.Partial = true
		return
	}
	if n = n.Clone(); n.Kind == Null {
		return
	}
	if n.Kind != Map {
		c.Partial = true
		m.diags.Errorf(n.Pos, "", "the top level of a configuration must be a mapping, not a %s", n.Kind)
		return
	}
	c.mergeRoot(m, n)
}

// mergeRoot merges a mapping into the tree. When one of its keys is a path, all of them are.
func (c *Config) mergeRoot(m *copier, n *Node) {
	paths := slices.ContainsFunc(n.Pairs, func(p Pair) bool { return strings.Contains(p.Key, Sep) })
	for _, p := range n.Pairs {
		if !paths {
			m.pair(c.Root, p, "")
			continue
		}
		op, key := operatorOf(p.Key)
		e := edit{op: op, keys: strings.Split(key, Sep), value: p.Value}
		e.pos = keyPositions(e.keys, p.KeyPos, len(p.Key)-len(key))
		if !m.checkKeys(e, p.KeyPos, p.Key) {
			continue
		}
		c.Root = m.set(c.Root, e, "")
	}
}

// keyPositions gives the place of every key of a path that stands at pos after skip characters.
func keyPositions(keys []string, pos diag.Pos, skip int) []diag.Pos {
	at := make([]diag.Pos, len(keys))
	for i, k := range keys {
		at[i] = pos
		at[i].Len = len([]rune(k))
		if pos.Line > 0 {
			at[i].Col += skip
		}
		skip += at[i].Len + len(Sep)
	}
	return at
}

// checkKeys reports a path that can't be one.
func (m *merger) checkKeys(e edit, pos diag.Pos, text string) bool {
	again, _ := operatorOf(e.keys[0])
	switch {
	case slices.Contains(e.keys, ""):
		m.diags.Errorf(pos, "", "%q is no path: a key is missing", text).Hint = "keys are joined by \"::\", as in trainer::max_epochs"
	case again != compose || strings.HasPrefix(e.keys[0], "="):
		m.diags.Errorf(pos, "", "key %q has two operators", text)
	case len(e.keys) > maxDepth:
		m.diags.Errorf(pos, "", "nested too deeply: a path of %d keys, where at most %d are allowed", len(e.keys), maxDepth)
	default:
		return true
	}
	return false
}

// takeImports moves the `_imports_` section out of the tree.
func (c *Config) takeImports(m *copier) {
	const section = "_imports_"
	i := slices.IndexFunc(c.Root.Pairs, func(p Pair) bool { return p.Key == section })
	if i < 0 {
		return
	}
	n := c.Root.Pairs[i].Value
	c.Root.Pairs = slices.Delete(c.Root.Pairs, i, i+1)
	if n.Kind != Map {
		if n.Kind != Null {
			m.diags.Errorf(n.Pos, section, "expected a mapping of names to modules, got %s", n.Kind)
		}
		return
	}
	for _, p := range n.Pairs {
		at := Join(section, p.Key)
		switch {
		case !isIdentifier(p.Key):
			m.diags.Errorf(p.KeyPos, at, "%q is no name that an expression can use", p.Key)
		case p.Value.Kind != String || p.Value.Text() == "":
			m.diags.Errorf(p.Value.Pos, at, "expected the name of a module, got %s", p.Value.Kind)
		default:
			c.Imports = append(c.Imports, Import{Name: p.Key, Module: p.Value.Text(), Pos: p.Value.Pos, Path: at})
		}
	}
}

func isIdentifier(s string) bool {
	return isName(s) && !strings.Contains(s, Sep) && (s[0] < '0' || s[0] > '9')
}

// At returns the node at a path such as "model::network::0", nil when there is none. "" is the root.
func (c *Config) At(path string) *Node { return c.Root.at(path) }

// Plain returns the subtree at path in Go's terms: nil, bool, int64, *big.Int, float64, string, []any, map[string]any.
// nil when there is none.
func (c *Config) Plain(path string) any { return c.At(path).Plain() }
