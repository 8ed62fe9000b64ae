package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lighter-go/lighter/internal/diag"
)

// Sections are the names a top-level key is expected to have. A new one within two edits of these is a mistake.
var Sections = []string{"trainer", "model", "data", "project", "vars", "args", "seed", "system", "_imports_", "_requires_"}

// newKey reports a key that is new in a tree that has one nearly like it. Keys of components are left to the
// registry, which knows what they may be called.
func (m *merger) newKey(base *Node, key string, pos diag.Pos, path string) {
	var known []string
	for _, p := range base.Pairs {
		if !isOverridePos(p.KeyPos) && p.KeyPos.Source != m.source {
			known = append(known, p.Key)
		}
	}
	if path == "" {
		known = append(known, Sections...)
		if slices.Contains(Sections, key) {
			return
		}
	}
	if isOverridePos(pos) {
		if head, tail, ok := cutWrongSeparator(key); ok && slices.Contains(known, head) {
			m.diags.Errorf(pos, "", "unknown key %q: keys are joined by \"::\"", Join(path, key)).Hint = fmt.Sprintf("did you mean %q?", Join(Join(path, head), tail))
			return
		}
	}
	if !m.typos || path != "" && isComponentPath(base, path) {
		return
	}
	if near := slip(key, known); near != "" {
		m.slips = append(m.slips, slipped{pos, Join(path, key), Join(path, near)})
	}
}

// slipped is a key that is nearly another.
type slipped struct {
	pos       diag.Pos
	key, near string
}

// reportSlips reports the keys that are slips, but for top-level ones that something refers to: nobody misspells a name the
// same way twice.
func (c *Config) reportSlips(m *copier) {
	used := map[string]bool{}
	c.Root.eachReference(func(section string) { used[section] = true })
	for _, s := range m.slips {
		if !used[s.key] {
			m.diags.Errorf(s.pos, "", "unknown key %q", s.key).Hint = fmt.Sprintf("did you mean %q?", s.near)
		}
	}
}

var reference = regexp.MustCompile(`[@%](\w+)`)

// eachReference visits the sections that the references in a tree begin with.
func (n *Node) eachReference(visit func(section string)) {
	if text := n.Text(); text != "" && strings.ContainsRune("@%$", rune(text[0])) {
		for _, m := range reference.FindAllStringSubmatch(text, -1) {
			visit(m[1])
		}
	}
	for _, v := range n.Items {
		v.eachReference(visit)
	}
	for _, p := range n.Pairs {
		p.Value.eachReference(visit)
	}
}

// isOverridePos tells the place of an override from that of a file or of a program's mapping.
func isOverridePos(p diag.Pos) bool { return diag.IsArgument(p.Source) && p.Line > 0 }

// lateSlips reports the top-level keys that only the whole tree shows to be slips: those of files that are nearly a
// section that is missing, and those of overrides that stand before the files.
func (c *Config) lateSlips(m *copier, early []string) {
	var files []string
	for _, p := range c.Root.Pairs {
		if !isOverridePos(p.KeyPos) {
			files = append(files, p.Key)
		}
	}
	for _, p := range c.Root.Pairs {
		near := slip(p.Key, Sections)
		switch {
		case slices.Contains(Sections, p.Key):
			continue
		case isOverridePos(p.KeyPos):
			if !slices.Contains(early, p.KeyPos.Source) {
				continue
			}
			near = slip(p.Key, slices.Concat(files, Sections))
		case c.Root.Get(near) != nil:
			continue
		}
		if near != "" {
			m.slips = append(m.slips, slipped{p.KeyPos, p.Key, near})
		}
	}
}

// cutWrongSeparator splits a key at a sign other tools join keys with.
func cutWrongSeparator(key string) (head, tail string, ok bool) {
	i := strings.IndexAny(key, "./:")
	if i <= 0 || i == len(key)-1 {
		return "", "", false
	}
	return key[:i], strings.NewReplacer(".", Sep, "/", Sep, ":", Sep).Replace(key[i+1:]), true
}

// isComponentPath reports whether a map is of a component, or in a section made of components.
func isComponentPath(n *Node, path string) bool {
	if _, ok := n.Target(); ok {
		return true
	}
	top, _, _ := strings.Cut(path, Sep)
	return slices.Contains([]string{"trainer", "model", "data", "system", "args"}, top)
}

// slip is the known name that key is a slip of: within two edits, fewer for a short name, and not the next of a
// series (lr1, lr2).
func slip(key string, known []string) string {
	if len(key) < 3 {
		return ""
	}
	for _, near := range diag.Nearest(key, known, 3) {
		if diag.Distance(key, near) <= 2 && undigited(key) != undigited(near) {
			return near
		}
	}
	return ""
}

func undigited(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, s)
}
