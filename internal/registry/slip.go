package registry

import (
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/diag"
)

// corrected reports the mappings in which the key `_target_` is misspelt, and gives the configuration without these
// slips, so that they are all that is reported of them. A key is such a slip when its value is the name of a component.
func corrected(c *config.Config) (*config.Config, diag.List) {
	var problems diag.List
	if !misspelt(c.Root, "", &problems, nil) {
		return c, nil
	}
	fixed := *c
	fixed.Root = c.Root.Clone()
	misspelt(fixed.Root, "", new(diag.List), func(p *config.Pair) { p.Key = "_target_" })
	return &fixed, problems
}

// misspelt finds the slips below n, and hands each to fix.
func misspelt(n *config.Node, path string, problems *diag.List, fix func(*config.Pair)) (found bool) {
	for _, item := range n.Items {
		found = misspelt(item, path, problems, fix) || found
	}
	_, isComponent := n.Target()
	for i := range n.Pairs {
		p := &n.Pairs[i]
		at := config.Join(path, p.Key)
		if !isComponent && isTarget(p.Value.Text()) && p.Key != "_target_" && diag.Distance(p.Key, "_target_") <= 2 {
			problems.Errorf(p.KeyPos, at, "unknown key %q beside the name of a component", p.Key).Hint = `did you mean "_target_"?`
			if fix != nil {
				fix(p)
			}
			isComponent, found = true, true
		}
		found = misspelt(p.Value, at, problems, fix) || found
	}
	return found
}

func isTarget(name string) bool {
	if name == "" {
		return false
	}
	if _, ok := Lookup(name); ok {
		return true
	}
	_, ok := ownerOf(name)
	return ok
}
