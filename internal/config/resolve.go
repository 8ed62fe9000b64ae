package config

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/internal/diag"
)

// Host makes the values the language itself can't make. A host that builds and a host that only checks share the
// rest of the language through one [Resolver]. A host whose objects take part in arithmetic is also an [Operator].
type Host interface {
	// Instantiate makes the component of a map n with a `_target_`, found at path. It calls r.Resolve for each
	// child in file order (a path below path), so that random draws come in Python's order.
	Instantiate(r *Resolver, path string, n *Node, target string) (any, error)
	// Attr gives an attribute of an object for `$` expressions ("@model::network.parameters"). Callables are
	// func(args []any, kwargs map[string]any) (any, error). When ok is false, names are what there is instead.
	// An object that can be called has the attribute "__call__"; "__len__", "__float__", "__int__" and "__str__"
	// are asked for by the functions of the name.
	Attr(obj any, name string) (v any, ok bool, names []string)
	// Index gives obj[i]; i is a [Slice] for obj[a:b].
	Index(obj any, i any) (any, error)
	// Iterate gives the elements of an object; ok is false when it has none.
	Iterate(obj any) (items []any, ok bool)
	// Module gives what the module name of an import stands for: an object whose members Attr gives. It is also
	// asked for names an expression uses without an import, such as "torch".
	Module(name string) (v any, ok bool)
}

// Operator is implemented by hosts whose objects take part in arithmetic and comparisons (`$torch.ones(3) / 4`).
type Operator = expr.Operator

// Unknown stands for a value that exists only when the configuration is built. A checking [Host] returns it;
// an expression that depends on one is Unknown itself and can't fail.
type Unknown = expr.Unknown

// Dict is a resolved mapping, in file order. A key is a string, or another scalar where YAML or an expression has one.
type Dict = expr.Dict

// Slice is the index of obj[start:stop:step]; a missing part is nil.
type Slice = expr.Slice

// Disabled is what resolving a component with `_disabled_: true` gives: it is dropped from lists and mappings, nil
// when referred to, and to be left out as an argument.
type Disabled struct{}

// maxChain is how many values may be in the making at once.
const maxChain = 1000

// maxCopies is how many copies `%` may make inside expressions: each may have expressions that copy again.
const maxCopies = 500

// Resolver gives the values of a configuration. Every path is resolved once: what two places refer to is one object.
// A Resolver is for one goroutine.
type Resolver struct {
	config  *Config
	host    Host
	memo    map[string]*result
	stack   []frame
	imports map[string]Import
	modules map[string]any
	copies  map[string]*Node  // the copies that `%` makes inside expressions, by a first key no configuration has
	origin  map[string]string // the expressions' paths by the same keys
}

type result struct {
	done  bool
	value any
	err   error
}

// frame is a value in the making.
type frame struct {
	path string
	node *Node
}

// NewResolver returns a resolver of c whose components, modules and objects are h's. Without a host (nil) a component is an error.
func NewResolver(c *Config, h Host) *Resolver {
	r := &Resolver{config: c, host: h, memo: map[string]*result{}, imports: map[string]Import{}, modules: map[string]any{}, copies: map[string]*Node{}, origin: map[string]string{}}
	for _, i := range c.Imports {
		r.imports[i.Name] = i
	}
	r.findImports(c.Root, "")
	return r
}

// Node returns the node that Resolve(path) resolves, nil when there is none.
func (r *Resolver) Node(path string) *Node {
	first, rest, _ := strings.Cut(path, Sep)
	if n, ok := r.copies[first]; ok {
		return n.at(rest)
	}
	return r.config.At(path)
}

// Resolve gives the value at path: nil, bool, int64, *big.Int, float64, string, []any, *Dict, [Disabled], [Unknown],
// a function of an expression or what the host made. An error is a diag.List.
func (r *Resolver) Resolve(path string) (any, error) {
	n := r.Node(path)
	if n == nil {
		d := diag.Diagnostic{Path: path, Msg: fmt.Sprintf("Config ID '%s' not found in the configuration", path), Hint: r.nearest(path, "", "")}
		return nil, diag.List{d}
	}
	return r.value(path, n)
}

// value resolves the node at path.
func (r *Resolver) value(path string, n *Node) (any, error) {
	if m, ok := r.memo[path]; ok {
		if !m.done {
			return nil, r.circular(path)
		}
		return m.value, m.err
	}
	if len(r.stack) >= maxChain {
		return nil, fault(n.Pos, path, "references are chained too deeply: more than %d", maxChain)
	}
	m := &result{}
	r.memo[path] = m
	r.stack = append(r.stack, frame{path, n})
	v, err := r.make(path, n)
	r.stack = r.stack[:len(r.stack)-1]
	m.done, m.value = true, v
	if err != nil {
		m.value, m.err = nil, r.placed(err, path, n)
	}
	return m.value, m.err
}

// placed gives an error of the host's a place when it has none.
func (r *Resolver) placed(err error, path string, n *Node) diag.List {
	l := slices.Clone(diag.AsList(err)).Sort() // once each, however many references lead to it
	for i := range l {
		if !l[i].Pos.IsValid() {
			l[i].Pos = n.Pos
		}
		if l[i].Path == "" {
			l[i].Path = path
		}
		if first, _, _ := strings.Cut(l[i].Path, Sep); r.origin[first] != "" {
			l[i].Path = r.origin[first]
		}
	}
	return l
}

func fault(pos diag.Pos, path, format string, args ...any) diag.List {
	return diag.List{{Pos: pos, Path: path, Msg: fmt.Sprintf(format, args...)}}
}

func (r *Resolver) make(path string, n *Node) (any, error) {
	switch n.Kind {
	case Int:
		if b, ok := n.Value.(*big.Int); ok {
			return new(big.Int).Set(b), nil
		}
	case String:
		text := n.Text()
		switch {
		case strings.HasPrefix(text, "@") && !strings.Contains(text[1:], "@"):
			return r.reference(path, n)
		case strings.HasPrefix(text, "$"):
			return r.expression(path, n)
		}
	case List:
		return r.list(path, n)
	case Map:
		if _, ok := n.Target(); ok {
			return r.component(path, n)
		}
		return r.dict(path, n)
	}
	return n.Value, nil
}

func (r *Resolver) list(path string, n *Node) (any, error) {
	items := make([]any, 0, len(n.Items))
	var errs diag.List
	for i, item := range n.Items {
		v, err := r.value(Join(path, fmt.Sprint(i)), item)
		if err != nil {
			errs.Add(diag.AsList(err)...)
		} else if v != (any)(Disabled{}) {
			items = append(items, v)
		}
	}
	return items, errs.Err()
}

func (r *Resolver) dict(path string, n *Node) (any, error) {
	d := &Dict{Keys: make([]any, 0, len(n.Pairs)), Values: make([]any, 0, len(n.Pairs))}
	var errs diag.List
	for _, p := range n.Pairs {
		at := Join(path, p.Key)
		if at == "" {
			at = Sep // the key "" of the root, which is not the root
		}
		v, err := r.value(at, p.Value)
		if err != nil {
			errs.Add(diag.AsList(err)...)
			continue
		}
		if _, off := v.(Disabled); off {
			continue
		}
		var key any = p.Key
		if p.key != nil && !p.key.date {
			key = p.key.Value
		}
		d.Keys, d.Values = append(d.Keys, key), append(d.Values, v)
	}
	return d, errs.Err()
}

func (r *Resolver) component(path string, n *Node) (any, error) {
	if off := n.Get("_disabled_"); off != nil {
		v, err := r.Resolve(Join(path, "_disabled_"))
		if err != nil {
			return nil, err
		}
		if s, ok := v.(string); ok {
			v = strings.EqualFold(strings.TrimSpace(s), "true")
		}
		if v == true {
			return Disabled{}, nil
		}
	}
	at := Join(path, "_target_")
	v, err := r.Resolve(at)
	if err != nil {
		return nil, err
	}
	target, ok := v.(string)
	if _, unknown := v.(Unknown); unknown {
		return v, nil
	}
	if !ok || target == "" {
		return nil, fault(n.Get("_target_").Pos, at, "_target_ must be the name of a component, got %s", describe(v))
	}
	if r.host == nil {
		return nil, fault(n.Get("_target_").Pos, at, "nothing can make the component %q here", target)
	}
	return r.host.Instantiate(r, path, n, target)
}

func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case string:
		return fmt.Sprintf("%q", v)
	case bool, int64, float64:
		return fmt.Sprint(v)
	case []any:
		return "a list"
	case *Dict:
		return "a mapping"
	}
	return fmt.Sprintf("%T", v)
}

// reference is an `@` string: the value of another path.
func (r *Resolver) reference(path string, n *Node) (any, error) {
	name := strings.TrimSpace(n.Text()[1:])
	if r.Node(name) == nil || name == "" {
		return nil, diag.List{r.missing(name, n.Pos, path)}
	}
	v, err := r.Resolve(name)
	if _, off := v.(Disabled); off {
		return nil, err
	}
	return v, err
}

// missing reports a reference to nothing.
func (r *Resolver) missing(name string, pos diag.Pos, path string) diag.Diagnostic {
	d := diag.Diagnostic{Pos: pos, Path: path, Msg: fmt.Sprintf("Reference '@%s' not found in configuration", name)}
	i := strings.IndexFunc(name, func(c rune) bool { return !isWord(c) && c != ':' })
	if i > 0 && r.Node(name[:i]) != nil {
		d.Hint = fmt.Sprintf("to compute with a reference start with $: \"$@%s\"", name)
		return d
	}
	d.Hint = r.nearest(name, "@", path)
	return d
}

// nearest is a hint at the path that a wrong one, which stands at from, is likely a slip of.
func (r *Resolver) nearest(path, sign, from string) string {
	keys := splitPath(path)
	n, done := r.config.Root, ""
	for i, key := range keys {
		if next := n.child(key); next != nil {
			n, done = next, Join(done, key)
			continue
		}
		for _, near := range diag.Nearest(key, n.names(), 3) {
			fixed := Join(done, strings.Join(append([]string{near}, keys[i+1:]...), Sep))
			if r.config.At(fixed) != nil {
				return fmt.Sprintf("did you mean %q?", sign+fixed)
			}
		}
		break
	}
	var all []string
	for p := range r.paths(r.config.Root, "") {
		if p == from {
			continue
		}
		if lastKey(p) == lastKey(path) {
			return fmt.Sprintf("did you mean %q?", sign+p)
		}
		if len(all) < 5000 {
			all = append(all, p)
		}
	}
	if near := diag.Nearest(path, all, 1); len(near) > 0 {
		return fmt.Sprintf("did you mean %q?", sign+near[0])
	}
	return ""
}

// paths are all paths below n.
func (r *Resolver) paths(n *Node, path string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		var walk func(n *Node, path string) bool
		walk = func(n *Node, path string) bool {
			if path != "" && !yield(path) {
				return false
			}
			for i, v := range n.Items {
				if !walk(v, Join(path, fmt.Sprint(i))) {
					return false
				}
			}
			for _, p := range n.Pairs {
				if !walk(p.Value, Join(path, p.Key)) {
					return false
				}
			}
			return true
		}
		walk(n, path)
	}
}

// circular reports the chain of places through which a path comes back to itself.
func (r *Resolver) circular(path string) diag.List {
	from := slices.IndexFunc(r.stack, func(f frame) bool { return f.path == path })
	var links []frame
	for _, f := range r.stack[max(from, 0):] {
		if f.path == path || f.node.Kind == String {
			links = append(links, f)
		}
	}
	last := r.stack[len(r.stack)-1]
	names := make([]string, 0, len(links)+1)
	for _, f := range links {
		names = append(names, f.path)
	}
	d := diag.Diagnostic{Pos: last.node.Pos, Path: last.path,
		Msg: fmt.Sprintf("Circular reference detected: '%s' references back to '%s' (%s)", path, last.path, strings.Join(append(names, path), " -> "))}
	for _, f := range links {
		if f.node.Kind == String {
			d.Notes = append(d.Notes, diag.Note{Pos: f.node.Pos, Msg: fmt.Sprintf("%s is %q", f.path, f.node.Text())})
		}
	}
	return diag.List{d}
}

var errNoModule = errors.New("no such module")
