package registry

import (
	"slices"
	"strconv"

	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/diag"
)

// corrected reports the mappings in which the key `_target_` is misspelt, and gives the configuration without these
// slips, so that they are all that is reported of them. A key is such a slip when its value is the name of a component.
func corrected(c *config.Config, roots []Root) (*config.Config, diag.List) {
	var found slips
	found.find(c.Root, roots)
	if found.problems == nil {
		return c, nil
	}
	fixed := *c
	fixed.Root = c.Root.Clone()
	(&slips{fix: true}).find(fixed.Root, roots)
	return &fixed, found.problems
}

// slips are the misspelt keys of a tree.
type slips struct {
	fix      bool // correct them
	free     bool // in a section of the user's own, "target" is a name like others
	problems diag.List
}

func (s *slips) find(root *config.Node, roots []Root) {
	for _, p := range root.Pairs {
		s.free = !slices.ContainsFunc(roots, func(r Root) bool { return r.Path == p.Key })
		s.walk(p.Value, p.Key)
	}
}

func (s *slips) walk(n *config.Node, path string) {
	for i, item := range n.Items {
		s.walk(item, config.Join(path, strconv.Itoa(i)))
	}
	_, isComponent := n.Target()
	for i := range n.Pairs {
		p := &n.Pairs[i]
		at := config.Join(path, p.Key)
		if !isComponent && s.isSlip(p) {
			s.problems.Errorf(p.KeyPos, at, "unknown key %q beside the name of a component", p.Key).Hint = `did you mean "_target_"?`
			isComponent = true
			if s.fix {
				p.Key = "_target_"
			}
		}
		s.walk(p.Value, at)
	}
}

func (s *slips) isSlip(p *config.Pair) bool {
	if s.free && p.Key == "target" || diag.Distance(p.Key, "_target_") > 2 {
		return false
	}
	target := p.Value.Text()
	if _, ok := Lookup(target); ok {
		return true
	}
	_, ok := ownerOf(target)
	return ok
}
