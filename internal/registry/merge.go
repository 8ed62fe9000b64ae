package registry

import (
	"regexp"
	"slices"
	"strings"

	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/diag"
)

// Merge joins what composing a configuration found with what a check found, sorted, without what only follows from the rest:
// a second fault of one place, and references to a key that is there misspelt.
func Merge(composed, checked diag.List, order ...string) diag.List {
	taken := map[diag.Pos]bool{}
	for _, p := range composed {
		taken[p.Pos] = taken[p.Pos] || p.Severity == diag.Error
	}
	all := slices.Clone(composed)
	for _, p := range checked {
		if !p.Pos.IsValid() || !taken[p.Pos] {
			all.Add(p)
		}
	}
	var meant []string
	for _, p := range all {
		if m := slipPattern.FindStringSubmatch(p.Msg + "\n" + p.Hint); m != nil {
			parent := ""
			if i := strings.LastIndex(p.Path, config.Sep); i > 0 {
				parent = p.Path[:i]
			}
			meant = append(meant, config.Join(parent, m[1]))
		}
	}
	all = slices.DeleteFunc(all, func(p diag.Diagnostic) bool {
		m := missingPattern.FindStringSubmatch(p.Msg)
		return m != nil && slices.ContainsFunc(meant, func(key string) bool {
			name := m[1] + m[2]
			return name == key || strings.HasPrefix(name, key+config.Sep)
		})
	})
	return once(all.Sort(order...))
}

var (
	slipPattern    = regexp.MustCompile(`(?s)^unknown (?:key|field) .*\ndid you mean "([^"]+)"\?$`)
	missingPattern = regexp.MustCompile(`^(?:Reference '@|Error resolving raw reference '%)([^']+)'|^([^ ]+): section missing$`)
)

// once drops what is reported again of the same place, as of the copies of a value.
func once(problems diag.List) diag.List {
	seen := map[place]bool{}
	return slices.DeleteFunc(problems, func(p diag.Diagnostic) bool {
		at := place{p.Pos, p.Msg}
		if !p.Pos.IsValid() || !seen[at] {
			seen[at] = true
			return false
		}
		return true
	})
}

type place struct {
	pos diag.Pos
	msg string
}
