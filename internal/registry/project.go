package registry

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/internal/diag"
)

// Project is the user's own code, which targets that begin with "project." name.
type Project interface {
	// Find gives what a dotted name stands for: a [Package] or a [Member]. The error, a [diag.Diagnostic] or [diag.List], says what
	// is wrong with its file or what there is instead.
	Find(name string) (any, error)
	// Sources are the files read so far.
	Sources() diag.Sources
}

// Package is a folder or a file of a project.
type Package struct {
	Name    string   // "project.models"
	Members []string // what is in it
}

// TypeName is Python's word for it.
func (Package) TypeName() string { return "module" }

// Member is a name that a file of a project binds.
type Member interface {
	// IsFunction says that it is bound to a function. If not, it may still be something that can be called.
	IsFunction() bool
	// Params are the parameters of its call.
	Params() []expr.Param
	Pos() diag.Pos
	// Value is what the name is bound to, once the file has run. An error of the file's own code is an [*expr.Traceback].
	Value(env *Env) (any, error)
	// Call gives what the call of its value returns.
	Call(env *Env, args []any, kwargs []Keyword) (any, error)
}

// Keyword is a keyword argument of a call.
type Keyword struct {
	Name  string
	Value any
}

// inProject reports whether a target is of the user's own code.
func inProject(target string) bool { return strings.HasPrefix(target, "project.") }

// userCode builds what a target of the project describes.
func (h *host) userCode(r *config.Resolver, path string, n *config.Node, target string) (any, error) {
	at := n.Get("_target_").Pos
	found, err := h.env.Project.Find(target)
	f, ok := found.(Member)
	if err == nil && !ok {
		err = diag.Diagnostic{Msg: fmt.Sprintf("%s is a module, and a target names a function of one", target)}
	}
	if !ok {
		problems := diag.List{}
		for _, d := range diag.AsList(err) {
			if !d.Pos.IsValid() {
				d.Pos, d.Path = at, path
			} else {
				d.Notes = append(d.Notes, diag.Note{Pos: at, Msg: target + " is used here"})
			}
			problems.Add(d)
		}
		return h.unknown(append(problems, h.inside(r, path, n)...))
	}
	if h.checking {
		h.paths[path] = true
	}
	c := call{target: target, path: path, node: n, function: f, mode: "default"}
	c.collect(r)
	if c.mode != "callable" {
		c.missing(at)
	}
	if h.checking || c.problems.HasErrors() {
		return h.unknown(c.problems)
	}
	if c.mode == "callable" {
		return c.partial(h), nil
	}
	v, err := c.run(h, path, c.args, c.kwargs)
	if err != nil {
		return nil, diag.List{failed(target, err, at, path)}
	}
	h.built = append(h.built, v)
	return v, nil
}

// inside finds what is wrong with the arguments of a component that is not there.
func (h *host) inside(r *config.Resolver, path string, n *config.Node) (problems diag.List) {
	for _, pair := range n.Pairs {
		if h.checking && pair.Key != "_target_" {
			_, err := r.Resolve(config.Join(path, pair.Key))
			problems.Add(diag.AsList(err)...)
		}
	}
	return problems
}

// failed words an error of a function's, with the calls that led to it.
func failed(target string, err error, at diag.Pos, path string) diag.Diagnostic {
	d := diag.Diagnostic{Pos: at, Path: path, Msg: fmt.Sprintf("%s: %v", target, err), Err: err}
	var t *expr.Traceback
	if errors.As(err, &t) {
		d.Msg, d.Hint = fmt.Sprintf("%s: %s", target, t.Msg), t.Error()
	}
	return d
}

// call is a call of a function of the project that a configuration describes.
type call struct {
	target, path string
	node         *config.Node
	function     Member
	mode         string
	args         []any
	kwargs       []Keyword
	problems     diag.List
}

// collect resolves the arguments and checks them against the function's parameters.
func (c *call) collect(r *config.Resolver) {
	for _, pair := range c.node.Pairs {
		switch pair.Key {
		case "_target_", "_disabled_", "_requires_":
		case "_mode_":
			d := decoder{entry: &Entry{Target: c.target}, path: c.path}
			c.mode = d.mode(pair.Value)
			c.problems.Add(d.problems...)
		case "_args_":
			c.positional(r, pair)
		default:
			v, err := r.Resolve(config.Join(c.path, pair.Key))
			c.problems.Add(diag.AsList(err)...)
			if _, off := v.(config.Disabled); !off {
				c.keyword(pair, v)
			}
		}
	}
}

func (c *call) positional(r *config.Resolver, pair config.Pair) {
	if pair.Value.Kind != config.List {
		c.problems.Errorf(pair.Value.Pos, c.path, "Expected _args_ to be a list, but got %s. _args_ must be a list of positional arguments.", pair.Value.Kind)
		return
	}
	for i := range pair.Value.Items {
		v, err := r.Resolve(config.Join(c.path, "_args_::"+strconv.Itoa(i)))
		c.problems.Add(diag.AsList(err)...)
		if _, off := v.(config.Disabled); !off {
			c.args = append(c.args, v)
		}
	}
	places := 0
	for _, p := range c.function.Params() {
		switch p.Kind {
		case expr.VarArgs:
			return
		case expr.Ordinary:
			places++
		}
	}
	if len(c.args) > places {
		c.note(c.problems.Errorf(pair.Value.Items[places].Pos, c.path, "%s takes %d positional arguments but %d were given", c.target, places, len(c.args)))
	}
}

func (c *call) keyword(pair config.Pair, v any) {
	names := []string{}
	for i, p := range c.function.Params() {
		switch {
		case p.Kind == expr.VarKeywords:
			c.kwargs = append(c.kwargs, Keyword{pair.Key, v})
			return
		case p.Kind == expr.VarArgs:
		case p.Name == pair.Key:
			if p.Kind == expr.Ordinary && i < len(c.args) {
				c.note(c.problems.Errorf(pair.KeyPos, c.path, "%s got multiple values for argument %q", c.target, pair.Key))
			}
			c.kwargs = append(c.kwargs, Keyword{pair.Key, v})
			return
		default:
			names = append(names, p.Name)
		}
	}
	d := c.problems.Errorf(pair.KeyPos, config.Join(c.path, pair.Key), "unknown field %q for %s: it got an unexpected keyword argument %q", pair.Key, c.target, pair.Key)
	free := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return c.node.Get(n) != nil })
	switch near := diag.Nearest(pair.Key, append(free, reserved...), 1); {
	case len(near) > 0:
		d.Hint = fmt.Sprintf("did you mean %q?", near[0])
		c.kwargs = append(c.kwargs, Keyword{near[0], nil}) // not missing as well
	case len(names) == 0:
		d.Hint = "it takes no arguments"
	default:
		d.Hint = "it takes " + strings.Join(names, ", ")
	}
	c.note(d)
}

// missing reports the parameters that need an argument and have none.
func (c *call) missing(at diag.Pos) {
	for i, p := range c.function.Params() {
		if p.Default || p.Kind == expr.VarArgs || p.Kind == expr.VarKeywords || p.Kind == expr.Ordinary && i < len(c.args) ||
			slices.ContainsFunc(c.kwargs, func(k Keyword) bool { return k.Name == p.Name }) {
			continue
		}
		c.note(c.problems.Errorf(at, c.path, "%s is missing a required argument: %q", c.target, p.Name))
	}
}

// note says where the function is defined.
func (c *call) note(d *diag.Diagnostic) {
	d.Notes = append(d.Notes, diag.Note{Pos: c.function.Pos(), Msg: c.target + " is defined here"})
}

func (c *call) run(h *host, path string, args []any, kwargs []Keyword) (any, error) {
	env := h.env
	env.Path, env.host, env.Pos = path, h, c.node.Get("_target_").Pos
	return c.function.Call(&env, args, kwargs)
}

// partial is `_mode_: callable`: the function with the arguments given so far, as functools.partial has it.
func (c *call) partial(h *host) Func {
	return func(args []any, kwargs map[string]any) (any, error) {
		all := slices.DeleteFunc(slices.Clone(c.kwargs), func(k Keyword) bool { _, again := kwargs[k.Name]; return again })
		return c.run(h, c.path, slices.Concat(c.args, args), append(all, sorted(kwargs)...))
	}
}

// sorted orders keyword arguments, so that a run does not depend on the order of a map.
func sorted(kwargs map[string]any) []Keyword {
	list := make([]Keyword, 0, len(kwargs))
	for name, v := range kwargs {
		list = append(list, Keyword{name, v})
	}
	slices.SortFunc(list, func(a, b Keyword) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// userAttr gives `project.model.f` to an expression.
func (h *host) userAttr(pkg, name string) (any, bool, []string) {
	full := pkg + "." + name
	v, err := h.env.Project.Find(full)
	if err != nil {
		p, _ := h.env.Project.Find(pkg)
		folder, _ := p.(Package)
		return nil, false, folder.Members
	}
	m, ok := v.(Member)
	if !ok {
		return v, true, nil
	}
	env := h.env
	env.Path, env.host = full, h
	switch {
	case m.IsFunction():
		return Func(func(args []any, kwargs map[string]any) (any, error) {
			if h.checking {
				return config.Unknown{}, nil
			}
			return m.Call(&env, args, sorted(kwargs))
		}), true, nil
	case h.checking:
		return config.Unknown{}, true, nil
	}
	if v, err = m.Value(&env); err != nil {
		return err, true, nil
	}
	return v, true, nil
}
