package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lighter-go/lighter/internal/diag"
)

// An operator is what an input does at a key.
type operator uint8

const (
	compose operator = iota // merge mappings, extend lists, replace the rest
	replace                 // `=key`
	remove                  // `~key`
)

// operatorOf splits the sign off a key.
func operatorOf(key string) (operator, string) {
	if len(key) > 1 {
		switch key[0] {
		case '=':
			return replace, key[1:]
		case '~':
			return remove, key[1:]
		}
	}
	return compose, key
}

// edit is one change to a tree: an operator at a path.
type edit struct {
	op    operator
	keys  []string
	pos   []diag.Pos // of the keys
	value *Node      // nil for an argument such as ~a::b
	text  string     // of the override, "" for a file
}

func (e edit) below() edit {
	e.keys, e.pos = e.keys[1:], e.pos[1:]
	return e
}

// merger applies inputs to a tree and collects what is wrong with them.
type merger struct {
	diags  diag.List
	source string // the input being merged
	text   string // of an override
	slips  []slipped
	typos  bool // whether a new key near an old one is a mistake: not in the first file
}

// merge composes over onto base and returns the result, which shares no nodes with over's mappings that it changes.
func (m *merger) merge(base, over *Node, path string) *Node {
	switch {
	case base == nil:
		return m.fresh(over, path)
	case isCopy(base) && (over.Kind == Map || over.Kind == List):
		base.edits = append(base.edits, edit{op: compose, value: over, text: m.text})
		return base
	case base.Kind == Map && over.Kind == Map:
		for _, p := range over.Pairs {
			m.pair(base, p, path)
		}
		return base
	case base.Kind == List && over.Kind == List:
		for i, v := range over.Items {
			base.Items = append(base.Items, m.fresh(v, Join(path, fmt.Sprint(len(base.Items)+i))))
		}
		return base
	}
	return m.instead(base, m.fresh(over, path))
}

// instead notes on a value what it replaces.
func (m *merger) instead(old, n *Node) *Node {
	n.Was = append(slices.Clone(old.Was), diag.Note{Pos: old.Pos, Msg: "it replaces " + old.brief()})
	by := diag.Note{Pos: n.Pos, Msg: "value overridden"}
	if diag.IsArgument(n.Pos.Source) && m.text != "" {
		by.Msg = "value overridden by " + n.Pos.Source + ": " + m.text
	}
	n.by = &by
	return n
}

// pair applies one entry of a mapping to base.
func (m *merger) pair(base *Node, p Pair, path string) {
	op, key := operatorOf(p.Key)
	if again, _ := operatorOf(key); again != compose {
		m.diags.Errorf(p.KeyPos, Join(path, p.Key), "key %q has two operators", p.Key)
		return
	}
	m.apply(base, edit{op: op, keys: []string{key}, pos: []diag.Pos{p.KeyPos}, value: p.Value, text: m.text}, p.key, path)
}

// apply does an edit at its only key in a map, whose path is given.
func (m *merger) apply(base *Node, e edit, keyNode *Node, path string) {
	key, pos := e.keys[0], e.pos[0]
	at := Join(path, key)
	if e.op == remove {
		m.remove(base, e, path)
		return
	}
	old, found := base.Lookup(key)
	switch {
	case !found:
		m.newKey(base, key, pos, path)
		base.Pairs = append(base.Pairs, Pair{Key: key, KeyPos: pos, Value: m.fresh(e.value, at), key: keyNode})
	case e.op == replace:
		old.Value = m.instead(old.Value, m.fresh(e.value, at))
	default:
		old.Value = m.merge(old.Value, e.value, at)
	}
}

// fresh is a value without a base: its operators have nothing to work on, so `=key` is key and `~key` a mistake.
func (m *merger) fresh(n *Node, path string) *Node {
	switch n.Kind {
	case List:
		for i, v := range n.Items {
			n.Items[i] = m.fresh(v, Join(path, fmt.Sprint(i)))
		}
	case Map:
		if !slices.ContainsFunc(n.Pairs, func(p Pair) bool { op, _ := operatorOf(p.Key); return op != compose }) {
			for i := range n.Pairs {
				n.Pairs[i].Value = m.fresh(n.Pairs[i].Value, Join(path, n.Pairs[i].Key))
			}
			return n
		}
		pairs := n.Pairs
		n.Pairs = make([]Pair, 0, len(pairs))
		typos := m.typos
		m.typos = false
		for _, p := range pairs {
			m.pair(n, p, path)
		}
		m.typos = typos
	}
	return n
}

// remove does a `~key` in a map: all of it, or the elements a list names.
func (m *merger) remove(base *Node, e edit, path string) {
	key := e.keys[0]
	at := Join(path, key)
	i := slices.IndexFunc(base.Pairs, func(p Pair) bool { return p.Key == key })
	if i < 0 {
		m.missing("Cannot delete key '%s': key does not exist", key, base.Keys(), e.pos[0], at)
		return
	}
	if whole, ok := m.removal(e, key, at); whole {
		base.Pairs = slices.Delete(base.Pairs, i, i+1)
	} else if ok {
		base.Pairs[i].Value = m.set(base.Pairs[i].Value, e.below(), at)
	}
}

// removal tells whether a `~key` removes all of it or, when ok, the elements its value lists.
func (m *merger) removal(e edit, key, at string) (whole, ok bool) {
	switch v := e.value; {
	case v == nil, v.Kind == Null, v.Kind == String && v.Value == "":
		return true, true
	case v.Kind != List:
		m.diags.Errorf(v.Pos, at, "Remove operator '~%s' must have null, empty, or list value", key).Hint =
			fmt.Sprintf("~%s: null removes the key, ~%s: [0, -1] removes elements of a list, ~%s: [a, b] keys of a mapping", key, key, key)
	case len(v.Items) == 0:
		m.diags.Errorf(v.Pos, at, "Remove operator '~%s' with list value cannot be empty", key)
	default:
		return false, true
	}
	return false, false
}

// removeItems takes the elements of a list or the keys of a map that items names out of n.
func (m *merger) removeItems(n, items *Node, key, at string) {
	switch n.Kind {
	case List:
		drop := make(map[int]bool)
		for _, it := range items.Items {
			i, isInt := it.Value.(int64)
			if !isInt {
				m.diags.Errorf(it.Pos, at, "Cannot remove from list '%s': index must be integer, got %s", key, it.Kind)
				continue
			}
			j := int(i)
			if j < 0 {
				j += len(n.Items)
			}
			if j < 0 || j >= len(n.Items) {
				m.diags.Errorf(it.Pos, at, "Cannot remove from list '%s': index %d out of range (list has %d items)", key, i, len(n.Items))
				continue
			}
			drop[j] = true
		}
		kept := n.Items[:0:0]
		for i, v := range n.Items {
			if !drop[i] {
				kept = append(kept, v)
			}
		}
		n.Items = kept
	case Map:
		for _, it := range items.Items {
			name := keyText(it)
			i := slices.IndexFunc(n.Pairs, func(p Pair) bool { return p.Key == name })
			if i < 0 {
				m.missing("Cannot remove non-existent key '%s' from '"+escape(key)+"'", name, n.Keys(), it.Pos, at)
				continue
			}
			n.Pairs = slices.Delete(n.Pairs, i, i+1)
		}
	default:
		m.diags.Errorf(items.Pos, at, "Cannot remove items from '%s': expected list or dict, got %s", key, n.Kind)
	}
}

func escape(s string) string { return strings.ReplaceAll(s, "%", "%%") }

// missing reports a key that is not there, with the nearest one that is.
func (m *merger) missing(format, key string, keys []string, pos diag.Pos, path string) {
	m.diags.Errorf(pos, path, format, key).Hint = whatElse(key, keys)
}

// whatElse is the hint after a name that does not exist.
func whatElse(name string, names []string) string {
	if near := diag.Nearest(name, names, 1); len(near) > 0 {
		return fmt.Sprintf("did you mean %q?", near[0])
	}
	if len(names) == 0 {
		return ""
	}
	const most = 10
	more := ""
	if len(names) > most {
		names, more = names[:most], ", ..."
	}
	return "Available keys: ['" + strings.Join(names, "', '") + "']" + more
}

// isCopy reports whether a value is a `%` reference.
func isCopy(n *Node) bool {
	return n.Kind == String && n.state != copied && strings.HasPrefix(n.Text(), "%")
}

// isReference reports whether a value is an `@` reference or a `$` expression.
func isReference(n *Node) bool {
	return n.Kind == String && (strings.HasPrefix(n.Text(), "@") || strings.HasPrefix(n.Text(), "$"))
}

// set does an edit at a path below base, making the mappings on the way, and returns what stands in base's place.
func (m *merger) set(base *Node, e edit, path string) *Node {
	if isCopy(base) && (len(e.keys) > 0 || e.op == remove) {
		base.edits = append(base.edits, e)
		return base
	}
	if len(e.keys) == 0 {
		switch e.op {
		case replace:
			return m.instead(base, m.fresh(e.value, path))
		case remove:
			m.removeItems(base, e.value, lastKey(path), path)
			return base
		}
		return m.merge(base, e.value, path)
	}
	if isReference(base) {
		m.diags.Errorf(e.pos[0], path, "'%s' is the reference %q: a key inside it can't be set", path, base.Text()).Hint =
			"set the key where it is defined, or replace the whole value with =" + path
		return base
	}
	switch base.Kind {
	case Map:
		m.setKey(base, e, path)
		return base
	case List:
		m.setElement(base, e, path)
		return base
	}
	if e.op == remove {
		m.missing("Cannot delete key '%s': key does not exist", e.keys[0], nil, e.pos[0], Join(path, e.keys[0]))
		return base
	}
	made := m.instead(base, &Node{Kind: Map, Pos: e.pos[0]})
	m.setKey(made, e, path)
	return made
}

func (m *merger) setKey(base *Node, e edit, path string) {
	if len(e.keys) == 1 {
		m.apply(base, e, nil, path)
		return
	}
	key, pos := e.keys[0], e.pos[0]
	at := Join(path, key)
	if p, ok := base.Lookup(key); ok {
		p.Value = m.set(p.Value, e.below(), at)
		return
	}
	if e.op == remove {
		m.missing("Cannot delete key '"+escape(strings.Join(e.keys, Sep))+"': '%s' does not exist", key, base.Keys(), pos, at)
		return
	}
	m.newKey(base, key, pos, path)
	base.Pairs = append(base.Pairs, Pair{Key: key, KeyPos: pos, Value: m.set(&Node{Kind: Map, Pos: pos}, e.below(), at)})
}

func (m *merger) setElement(base *Node, e edit, path string) {
	key := e.keys[0]
	at := Join(path, key)
	i, ok := index(key, len(base.Items))
	if !ok {
		m.noElement(base, key, e.pos[0], path)
		return
	}
	if e.op == remove && len(e.keys) == 1 {
		whole, ok := m.removal(e, key, at)
		if whole {
			base.Items = slices.Delete(base.Items, i, i+1)
		}
		if whole || !ok {
			return
		}
	}
	base.Items[i] = m.set(base.Items[i], e.below(), at)
}

// noElement reports a key of a list that names no element.
func (m *merger) noElement(list *Node, key string, pos diag.Pos, path string) {
	if strings.Trim(key, "-0123456789") == "" {
		m.diags.Errorf(pos, path, "index %s of list '%s' is out of range (list has %d items)", key, path, len(list.Items))
		return
	}
	m.diags.Errorf(pos, path, "'%s' is a list of %d items: %q is no index", path, len(list.Items), key).Hint =
		fmt.Sprintf("write %s::0::... for its first element", path)
}

func lastKey(path string) string {
	if i := strings.LastIndex(path, Sep); i >= 0 {
		return path[i+len(Sep):]
	}
	return path
}
