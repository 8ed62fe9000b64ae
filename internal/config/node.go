package config

import (
	"fmt"
	"math/big"
	"strconv"

	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/internal/diag"
)

// Kind tells what a [Node] holds.
type Kind uint8

// The kinds of a node.
const (
	Null Kind = iota
	Bool
	Int
	Float
	String
	List
	Map
)

// String is the kind's name as Lighter's users know it: "null", "bool", "int", "float", "str", "list", "dict".
func (k Kind) String() string {
	return [...]string{"null", "bool", "int", "float", "str", "list", "dict"}[k]
}

// Node is a value of a configuration and where it came from.
type Node struct {
	Kind  Kind
	Value any         // bool, int64, *big.Int for an int beyond int64, float64, string; nil for the other kinds
	Items []*Node     // of a List
	Pairs []Pair      // of a Map, in file order; a merged key keeps the place of its first definition
	Pos   diag.Pos    // of the value; in a `%` copy that of the source
	Was   []diag.Note // what this value replaced, oldest first, worded for the user
	From  []diag.Note // the `%` references this value was copied through, innermost first

	by      *diag.Note // who overrode the value that was here
	written string     // a string with relative references as the user wrote it, when Value differs
	date    bool       // a String that is a date in YAML, so saved without quotes
	edits   []edit     // of a `%` reference: what overrides do inside the copy
	state   copyState  // of a `%` reference while it is filled in
}

// Pair is an entry of a Map.
type Pair struct {
	Key    string
	KeyPos diag.Pos
	Value  *Node

	key *Node // the key itself when it is not a string (`0: cat`), else nil
}

// Lookup returns the entry of a key of a Map.
func (n *Node) Lookup(key string) (*Pair, bool) {
	if n != nil && n.Kind == Map {
		for i := range n.Pairs {
			if n.Pairs[i].Key == key {
				return &n.Pairs[i], true
			}
		}
	}
	return nil, false
}

// Get returns the value of a key of a Map, nil when there is none.
func (n *Node) Get(key string) *Node {
	if p, ok := n.Lookup(key); ok {
		return p.Value
	}
	return nil
}

// Keys returns the keys of a Map in order.
func (n *Node) Keys() []string {
	keys := make([]string, len(n.Pairs))
	for i, p := range n.Pairs {
		keys[i] = p.Key
	}
	return keys
}

// Text is the value of a String, "" for other kinds.
func (n *Node) Text() string {
	if n == nil {
		return ""
	}
	s, _ := n.Value.(string)
	return s
}

// Target returns the text of `_target_` of a Map; ok is false when the node is no component.
func (n *Node) Target() (target string, ok bool) {
	t := n.Get("_target_")
	return t.Text(), t != nil
}

// Overridden says who overrode the value a key had, such as `value overridden by argument 2: model::lr=0.01`;
// ok is false when nothing did.
func (n *Node) Overridden() (note diag.Note, ok bool) {
	if n.by == nil {
		return diag.Note{}, false
	}
	return *n.by, true
}

// Clone is a deep copy. Positions are kept.
func (n *Node) Clone() *Node {
	if n == nil {
		return nil
	}
	c := *n
	if n.Items != nil {
		c.Items = make([]*Node, len(n.Items))
		for i, v := range n.Items {
			c.Items[i] = v.Clone()
		}
	}
	if n.Pairs != nil {
		c.Pairs = make([]Pair, len(n.Pairs))
		for i, p := range n.Pairs {
			c.Pairs[i] = p
			c.Pairs[i].Value = p.Value.Clone()
		}
	}
	return &c
}

// Plain is the value in Go's terms: nil, bool, int64, *big.Int, float64, string, []any, map[string]any.
func (n *Node) Plain() any {
	switch {
	case n == nil:
		return nil
	case n.Kind == List:
		items := make([]any, len(n.Items))
		for i, v := range n.Items {
			items[i] = v.Plain()
		}
		return items
	case n.Kind == Map:
		m := make(map[string]any, len(n.Pairs))
		for _, p := range n.Pairs {
			m[p.Key] = p.Value.Plain()
		}
		return m
	}
	return n.Value
}

// measure counts the nodes of a tree and its levels.
func (n *Node) measure() (nodes, depth int) {
	nodes = 1
	for _, v := range n.Items {
		s, d := v.measure()
		nodes, depth = nodes+s, max(depth, d)
	}
	for _, p := range n.Pairs {
		s, d := p.Value.measure()
		nodes, depth = nodes+s, max(depth, d)
	}
	return nodes, depth + 1
}

// brief is a value in a few words, for notes.
func (n *Node) brief() string {
	switch n.Kind {
	case List:
		return fmt.Sprintf("a list of %d", len(n.Items))
	case Map:
		if t, ok := n.Target(); ok {
			return t
		}
		return fmt.Sprintf("a mapping of %d", len(n.Pairs))
	case String:
		return fmt.Sprintf("%.60q", n.Value)
	}
	return keyText(n)
}

// keyText is a scalar as Python's str() has it, for a key that is no string.
func keyText(n *Node) string {
	switch v := n.Value.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case int64:
		return strconv.FormatInt(v, 10)
	case *big.Int:
		return v.String()
	case float64:
		return expr.Float(v)
	case string:
		return v
	}
	return ""
}
