package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lighter-go/lighter/internal/diag"
)

// copyState is how far the filling in of a `%` reference is.
type copyState uint8

const (
	uncopied copyState = iota
	copying
	copied // also of one that failed, so that it is reported once
)

// copier replaces `%` references by copies of their sources, and then makes relative references absolute. It runs
// when everything is merged: a copy follows later overrides of its source, and what overrides do inside it is done
// to the copy.
type copier struct {
	merger
	load   func(file string, pos diag.Pos, path string) *Node // a file's root; nil when reported
	nodes  int                                                // made by copying
	full   bool                                               // the limit of nodes has been reported
	cyclic bool                                               // a cycle has been reported
	chain  []link
}

// link is a `%` reference that is being filled in.
type link struct {
	text string
	path string
	pos  diag.Pos
}

var filePattern = regexp.MustCompile(`(?i)^(.*\.ya?ml)(?:::(.*))?$`)

// fill replaces every reference below n, which is at path in root.
func (c *copier) fill(root, n *Node, path string) {
	switch {
	case n.Kind == Map:
		for _, p := range n.Pairs {
			c.fill(root, p.Value, Join(path, p.Key))
		}
	case n.Kind == List:
		for i, v := range n.Items {
			c.fill(root, v, Join(path, fmt.Sprint(i)))
		}
	case isCopy(n):
		c.reference(root, n, path)
	}
}

// reference makes n the copy it names. On failure n stays as it is, reported.
func (c *copier) reference(root, n *Node, path string) {
	here := link{n.Text(), path, n.Pos}
	if n.state == copying {
		c.circular(here)
		return
	}
	n.state = copying
	defer func() { n.state = copied }()
	c.chain = append(c.chain, here)
	defer func() { c.chain = c.chain[:len(c.chain)-1] }()
	if len(c.chain) > maxDepth {
		c.diags.Errorf(n.Pos, path, "raw references are chained too deeply: more than %d", maxDepth)
		return
	}

	src := c.find(root, n, path)
	if src == nil {
		return
	}
	nodes, depth := src.measure()
	switch {
	case c.nodes+nodes > maxNodes:
		if !c.full {
			c.full = true
			c.diags.Errorf(n.Pos, path, "too many values: more than %d with raw references filled in", maxNodes)
		}
		return
	case depth+len(splitPath(path)) > maxDepth:
		c.diags.Errorf(n.Pos, path, "nested too deeply: more than %d levels with raw references filled in", maxDepth)
		return
	}
	c.nodes += nodes
	made := src.Clone()
	made.mark(diag.Note{Pos: n.Pos, Msg: fmt.Sprintf("copied by %q", n.Text())})
	if len(n.Was) > 0 {
		made.Was, made.by = append(slices.Clone(n.Was), src.Was...), n.by
	}
	for _, e := range n.edits {
		c.text = e.text
		made = c.set(made, e, path)
	}
	*n = *made
	n.state = copying
	c.fill(root, n, path) // what the edits brought
}

// find gives what a reference names and fills it in first. nil when it is reported.
func (c *copier) find(root, n *Node, path string) *Node {
	ref := strings.TrimSpace(n.Text()[1:])
	from := "local config"
	if m := filePattern.FindStringSubmatch(ref); m != nil {
		from = "'" + m[1] + "'"
		if root = c.load(m[1], n.Pos, path); root == nil {
			return nil
		}
		ref = m[2]
	} else {
		abs, d := absolute("%", ref, path)
		if d != nil {
			d.Pos = n.Pos
			c.diags.Add(*d)
			return nil
		}
		ref = abs
	}
	src, done := root, ""
	for _, key := range splitPath(ref) {
		if isCopy(src) {
			c.fill(root, src, done)
		}
		next := src.child(key)
		if next == nil {
			d := c.diags.Errorf(n.Pos, path, "Error resolving raw reference '%s' from %s: %s", n.Text(), from, notFound(src, key, done))
			if near := diag.Nearest(key, src.names(), 1); len(near) > 0 {
				fixed := "%" + strings.TrimSuffix(n.Text()[1:], ref) + Join(done, near[0]) + strings.TrimPrefix(ref, Join(done, key))
				d.Hint = fmt.Sprintf("did you mean %q?", fixed)
			}
			return nil
		}
		src, done = next, Join(done, key)
	}
	if src == root && from == "local config" || c.within(path, ref, from) {
		c.circular(link{n.Text(), path, n.Pos})
		return nil
	}
	c.fill(root, src, done)
	if src.state == copying {
		return nil // a cycle, reported
	}
	return src
}

// within reports whether the source at ref holds a reference that is being filled in.
func (c *copier) within(path, ref, from string) bool {
	return from == "local config" && (path == ref || strings.HasPrefix(path, ref+Sep)) && len(c.chain) > 0
}

// circular reports a reference that comes back to itself, with the places it goes through.
func (c *copier) circular(again link) {
	if c.cyclic {
		return
	}
	c.cyclic = true
	from := slices.IndexFunc(c.chain, func(l link) bool { return l.path == again.path })
	places := c.chain[max(from, 0):]
	names := make([]string, 0, len(places)+1)
	for _, l := range places {
		names = append(names, l.text)
	}
	d := c.diags.Errorf(again.pos, again.path, "Circular raw reference detected: '%s' (reference chain: %s)", again.text, strings.Join(append(names, again.text), " -> "))
	for _, l := range places {
		d.Notes = append(d.Notes, diag.Note{Pos: l.pos, Msg: fmt.Sprintf("%s is %q", l.path, l.text)})
	}
}

// names are the keys of a map or the indices of a list.
func (n *Node) names() []string {
	if n.Kind != List {
		return n.Keys()
	}
	names := make([]string, len(n.Items))
	for i := range names {
		names[i] = fmt.Sprint(i)
	}
	return names
}

// notFound says that a value has no such key.
func notFound(n *Node, key, path string) string {
	in := ""
	if path != "" {
		in = " in '" + path + "'"
	}
	switch n.Kind {
	case Map:
		keys := n.Keys()
		more := ""
		if len(keys) > 10 {
			keys, more = keys[:10], "..."
		}
		return fmt.Sprintf("Key '%s' not found%s. Available keys: ['%s']%s", key, in, strings.Join(keys, "', '"), more)
	case List:
		return fmt.Sprintf("List index '%s' out of range%s (list has %d items)", key, in, len(n.Items))
	}
	return fmt.Sprintf("Cannot index %s with key '%s'%s", n.Kind, key, in)
}

// mark notes on a copy, and all in it, where it was copied.
func (n *Node) mark(note diag.Note) {
	n.From = append(slices.Clip(n.From), note)
	for _, v := range n.Items {
		v.mark(note)
	}
	for _, p := range n.Pairs {
		p.Value.mark(note)
	}
}

// relative makes the relative references below n absolute, as the saved configuration has them.
func relative(n *Node, path string, diags *diag.List) {
	if n.Kind >= List && len(splitPath(path)) > maxDepth {
		diags.Errorf(n.Pos, "", "nested too deeply: more than %d levels", maxDepth)
		return
	}
	switch n.Kind {
	case Map:
		for _, p := range n.Pairs {
			relative(p.Value, Join(path, p.Key), diags)
		}
	case List:
		for i, v := range n.Items {
			relative(v, Join(path, fmt.Sprint(i)), diags)
		}
	case String:
		text, d := makeAbsolute(n.Text(), path)
		if d != nil {
			d.Pos = n.Pos
			diags.Add(*d)
		} else if text != n.Text() {
			n.written, n.Value = n.Text(), text
		}
	}
}
