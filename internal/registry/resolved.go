package registry

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/internal/diag"
)

// maxView is how many values a resolved view may have; beyond it references stay as they are.
const maxView = 100_000

// viewer replaces references and constant expressions by what they stand for.
type viewer struct {
	config   *config.Config
	resolver *config.Resolver
	nodes    int
	open     map[string]bool // the references that are being replaced
}

func newViewer(c *config.Config, env Env) *viewer {
	h := &host{env: env, checking: true, paths: map[string]bool{}}
	return &viewer{config: c, resolver: config.NewResolver(c, h), open: map[string]bool{}}
}

// Resolved is a view of a configuration in which `@` references and constant `$` expressions are replaced by their values.
// A component stays the mapping that describes it. What is known only when it is built stays as it is written.
func Resolved(c *config.Config, env Env) *config.Config {
	view := *c
	view.Root = newViewer(c, env).view("", c.Root)
	return &view
}

func (v *viewer) view(path string, n *config.Node) *config.Node {
	v.nodes++
	seen := *n
	switch {
	case n.Kind == config.List:
		seen.Items = make([]*config.Node, len(n.Items))
		for i, item := range n.Items {
			seen.Items[i] = v.view(config.Join(path, fmt.Sprint(i)), item)
		}
	case n.Kind == config.Map:
		seen.Pairs = make([]config.Pair, len(n.Pairs))
		for i, p := range n.Pairs {
			p.Value = v.view(config.Join(path, p.Key), p.Value)
			seen.Pairs[i] = p
		}
	case strings.HasPrefix(n.Text(), "@"):
		return v.reference(n)
	case strings.HasPrefix(n.Text(), "$"):
		if value, ok := v.constant(path); ok {
			return value
		}
	}
	return &seen
}

// reference is the view of what an `@` string names.
func (v *viewer) reference(n *config.Node) *config.Node {
	path := strings.TrimSpace(n.Text()[1:])
	to := v.config.At(path)
	if to == nil || v.open[path] || v.nodes > maxView {
		return n
	}
	v.open[path] = true
	defer delete(v.open, path)
	return v.view(path, to)
}

// constant is the value of an expression that needs nothing that is built.
func (v *viewer) constant(path string) (*config.Node, bool) {
	value, err := v.resolver.Resolve(path)
	if err != nil || containsLater(value) {
		return nil, false
	}
	return nodeOf(value)
}

// nodeOf is a resolved value as a configuration would have it.
func nodeOf(v any) (*config.Node, bool) {
	switch x := v.(type) {
	case nil:
		return &config.Node{Kind: config.Null}, true
	case bool:
		return &config.Node{Kind: config.Bool, Value: x}, true
	case int64, *big.Int:
		return &config.Node{Kind: config.Int, Value: x}, true
	case float64:
		return &config.Node{Kind: config.Float, Value: x}, true
	case string:
		return &config.Node{Kind: config.String, Value: x}, true
	case []any:
		n := &config.Node{Kind: config.List}
		for _, item := range x {
			child, ok := nodeOf(item)
			if !ok {
				return nil, false
			}
			n.Items = append(n.Items, child)
		}
		return n, true
	case *config.Dict:
		n := &config.Node{Kind: config.Map}
		for i, k := range x.Keys {
			child, ok := nodeOf(x.Values[i])
			if !ok {
				return nil, false
			}
			n.Pairs = append(n.Pairs, config.Pair{Key: fmt.Sprint(k), Value: child})
		}
		return n, true
	}
	return nil, false
}

// Explain says what stands at a path, where it came from, what it replaced and, of a reference, what it leads to: one entry
// for each place. An argument that is not set has its component's default.
func Explain(c *config.Config, env Env, path string) (diag.List, error) {
	v := newViewer(c, env)
	path = strings.TrimLeft(path, "@%")
	if c.At(path) == nil {
		return v.unset(path)
	}
	var places diag.List
	seen := map[string]bool{}
	for !seen[path] {
		seen[path] = true
		n := c.At(path)
		if n == nil {
			break
		}
		d := places.Errorf(n.Pos, "", "%s is %s", path, valueText(n))
		d.Notes = append(d.Notes, n.Was...)
		d.Notes = append(d.Notes, n.From...)
		if strings.HasPrefix(n.Text(), "$") {
			if value, ok := v.constant(path); ok {
				d.Notes = append(d.Notes, diag.Note{Msg: "its value is " + valueText(value)})
			}
		}
		if name, ok := strings.CutPrefix(n.Text(), "@"); ok {
			path = strings.TrimSpace(name)
		}
	}
	return places, nil
}

// unset explains an argument that the configuration does not give.
func (v *viewer) unset(path string) (diag.List, error) {
	if i := strings.LastIndex(path, config.Sep); i > 0 {
		parent, key := v.config.At(path[:i]), path[i+len(config.Sep):]
		target, _ := parent.Target()
		if e, ok := Lookup(target); ok {
			for _, a := range e.Describe().Arguments {
				if a.Name != key {
					continue
				}
				what := fmt.Sprintf("the default of %s counts", target)
				switch {
				case a.Required:
					what = target + " requires it"
				case a.Default != "":
					what = fmt.Sprintf("the default of %s is %s", target, a.Default)
				}
				return diag.List{{Pos: parent.Get("_target_").Pos, Msg: fmt.Sprintf("%s is not set: %s", path, what)}}, nil
			}
		}
	}
	_, err := v.resolver.Resolve(path)
	return nil, err
}

// valueText is a value in a few words.
func valueText(n *config.Node) string {
	switch x := n.Value.(type) {
	case nil:
		if target, ok := n.Target(); ok {
			return "the component " + target
		}
		switch n.Kind {
		case config.List:
			return fmt.Sprintf("a list of %d", len(n.Items))
		case config.Map:
			return fmt.Sprintf("a mapping of %d", len(n.Pairs))
		}
		return "null"
	case float64:
		return expr.Float(x)
	case string:
		return fmt.Sprintf("%q", x)
	}
	return fmt.Sprint(n.Value)
}
