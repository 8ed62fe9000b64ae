package registry

import (
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/internal/diag"
)

// Pruner is a prototype some of whose arguments a stage has no use for: they are not resolved, so that nothing they
// describe is built. "dataloaders::train" is a key of a mapping that is an argument.
type Pruner interface {
	Prune(stage string) (unneeded []string)
}

// Attributer is a built object with attributes for expressions. A callable is a Func. When ok is false, names are what
// there is instead.
type Attributer interface {
	Attr(name string) (v any, ok bool, names []string)
}

// Indexer is a built object that expressions can index.
type Indexer interface{ Index(i any) (any, error) }

// Iterable is a built object that expressions can iterate over.
type Iterable interface{ Iterate() []any }

// Func is a callable of an expression.
type Func = func(args []any, kwargs map[string]any) (any, error)

// adapters make components of functions, by the contract of the component.
var adapters = map[reflect.Type]func(Func) any{}

// Adapt lets a function stand where a K is wanted.
func Adapt[K any](adapt func(Func) K) {
	adapters[reflect.TypeFor[K]()] = func(f Func) any { return adapt(f) }
}

// Promise stands, while checking, for the component an entry would build.
type Promise struct{ Entry *Entry }

// Fits reports whether a value of a [Checker] can be a K: it is one, it will be one, or that is not known yet.
func Fits[K any](v any) bool {
	switch x := v.(type) {
	case Promise:
		return fits(x.Entry.Kind, reflect.TypeFor[K]())
	case config.Unknown:
		return true
	}
	_, ok := v.(K)
	return ok
}

// host gives the language its components. With checking set it builds nothing and collects every problem.
type host struct {
	env      Env
	checking bool
	problems diag.List
	built    []any
	classes  map[any]*Entry // what each built object is, for names in reports
	before   Learnt         // of the run that goes on
	learnt   Learnt

	paths map[string]bool // of the components, while checking
}

// Instantiate decodes the arguments of a component and builds it.
func (h *host) Instantiate(r *config.Resolver, path string, n *config.Node, target string) (any, error) {
	targetPos := n.Get("_target_").Pos
	if inProject(target) && h.env.Project != nil {
		return h.userCode(r, path, n, target)
	}
	e, ok := Lookup(target)
	if !ok {
		return h.unknown(append(diag.List{unknownTarget(target, targetPos, path)}, h.inside(r, path, n)...))
	}
	d := newDecoder(e, e.proto, n, path)
	if h.checking {
		h.paths[path] = true
	}
	mode := "default"
	var unneeded []string
	if p, ok := e.proto.Interface().(Pruner); ok {
		unneeded = p.Prune(h.env.Stage)
	}
	for _, pair := range n.Pairs {
		switch pair.Key {
		case "_target_", "_disabled_", "_requires_":
			continue
		case "_mode_":
			mode = d.mode(pair.Value)
			continue
		case "_args_":
			d.positional(r, pair)
			continue
		}
		if slices.Contains(unneeded, pair.Key) {
			d.given[pair.Key] = true
			continue
		}
		d.keyword(r, pair, unneeded)
	}
	if mode == "callable" {
		return h.partial(&d)
	}
	d.finish(targetPos)
	if h.checking || d.problems.HasErrors() {
		return h.promise(e, d.problems)
	}
	env := h.env
	env.Path, env.Pos, env.host = path, targetPos, h
	if mode == "debug" { // Python's Lighter opens its debugger here; what one looks at there are the arguments
		h.env.Log.Info().Msgf("%s: %s(%s)", path, e.Target, strings.Trim(fmt.Sprintf("%+v", d.args.Interface()), "{}"))
	}
	v, err := e.make(d.args, &env)
	if err != nil {
		return nil, diag.List{d.blame(err, targetPos)}
	}
	h.built = append(h.built, v)
	h.remember(v, e)
	return v, nil
}

func (h *host) remember(v any, e *Entry) {
	if v == nil || !reflect.ValueOf(v).Comparable() {
		return
	}
	if h.classes == nil {
		h.classes = map[any]*Entry{}
	}
	h.classes[v] = e
}

// Class is the name of the class that v was built as, "ModelCheckpoint"; that of its Go type when the build does not know it.
func (e *Env) Class(v any) string {
	if e.host != nil && v != nil && reflect.ValueOf(v).Comparable() {
		if entry := e.host.classes[v]; entry != nil {
			return entry.Class()
		}
	}
	name := fmt.Sprintf("%T", v)
	return name[strings.LastIndexByte(name, '.')+1:]
}

// partial is `_mode_: callable`: the component as a function, with the arguments given so far.
func (h *host) partial(d *decoder) (any, error) {
	if h.checking || d.problems.HasErrors() {
		return h.unknown(d.problems)
	}
	return h.callable(d.entry, *d), nil
}

func (h *host) promise(e *Entry, problems diag.List) (any, error) {
	if !h.checking {
		return nil, problems
	}
	h.problems.Add(problems...)
	return Promise{e}, nil
}

func (h *host) unknown(problems diag.List) (any, error) {
	if !h.checking {
		return nil, problems
	}
	h.problems.Add(problems...)
	return config.Unknown{}, nil
}

func unknownTarget(target string, pos diag.Pos, path string) diag.Diagnostic {
	msg, hint := Unknown(target)
	return diag.Diagnostic{Pos: pos, Path: path, Msg: msg, Hint: hint}
}

// Attr gives an attribute of a built object, of a namespace such as torch.nn, or of what will be built.
func (h *host) Attr(obj any, name string) (any, bool, []string) {
	switch o := obj.(type) {
	case Promise, config.Unknown:
		return config.Unknown{}, true, nil
	case namespace:
		return o.attr(h, name)
	case Package:
		return h.userAttr(o.Name, name)
	}
	if known(obj) {
		v, ok, names := objects.Attr(obj, name)
		if _, isFunc := v.(Func); isFunc && h.checking {
			v = Func(func([]any, map[string]any) (any, error) { return config.Unknown{}, nil })
		}
		return v, ok, names
	}
	switch o := obj.(type) {
	case Attributer:
		return o.Attr(name)
	case *config.Dict:
		if v := o.Get(name); v != nil {
			return v, true, nil
		}
	}
	return nil, false, nil
}

// Index gives obj[i] of a built object.
func (h *host) Index(obj, i any) (any, error) {
	switch o := obj.(type) {
	case Promise, config.Unknown:
		return config.Unknown{}, nil
	case Indexer:
		return o.Index(i)
	}
	if known(obj) {
		return objects.Index(obj, i)
	}
	return nil, fmt.Errorf("%T cannot be indexed", obj)
}

// Iterate gives the elements of a built object.
func (h *host) Iterate(obj any) ([]any, bool) {
	if o, ok := obj.(Iterable); ok {
		return o.Iterate(), true
	}
	if known(obj) {
		items, err := objects.Iterate(obj)
		if err != nil {
			panic(err) // the evaluation ends with it
		}
		return items, true
	}
	return nil, false
}

// Module gives the namespace of targets that begin with name: "torch", "torch.nn".
func (h *host) Module(name string) (any, bool) {
	if name == "project" && h.env.Project != nil {
		v, err := h.env.Project.Find(name)
		return v, err == nil
	}
	v, ok, _ := namespace("").attr(h, name)
	return v, ok
}

// namespace is a dotted prefix of targets and constants.
type namespace string

// TypeName is Python's word for it.
func (namespace) TypeName() string { return "module" }

// FullName is the prefix, "torch.nn".
func (ns namespace) FullName() string { return string(ns) }

func (ns namespace) attr(h *host, name string) (any, bool, []string) {
	full := name
	if ns != "" {
		full = string(ns) + "." + name
	}
	if v, ok := constants[full]; ok {
		return v, true, nil
	}
	if v, ok := h.given(full); ok {
		return v, true, nil
	}
	if e, ok := Lookup(full); ok {
		return h.callable(e, decoder{args: e.proto}), true, nil
	}
	if packages()[full] {
		return namespace(full), true, nil
	}
	var names []string
	for _, known := range fullNames() {
		if known == full || strings.HasPrefix(known, full+".") {
			return namespace(full), true, nil
		}
		if rest, ok := strings.CutPrefix(known, string(ns)+"."); ok {
			head, _, _ := strings.Cut(rest, ".")
			names = append(names, head)
		}
	}
	if v, ok := h.refused(full); ok {
		return v, true, nil
	}
	slices.Sort(names)
	return nil, false, slices.Compact(names)
}

// callable lets an expression or a component call a target: `$torch.zeros(3)`, `_mode_: callable`. Arguments preset in from
// stand before and beside those of the call.
func (h *host) callable(e *Entry, from decoder) Func {
	return func(args []any, kwargs map[string]any) (any, error) {
		d := newDecoder(e, from.args, nil, e.Target)
		maps.Copy(d.given, from.given)
		for i, a := range args {
			d.place(from.placed+i, a, nil, e.Target+"::_args_::"+strconv.Itoa(i))
		}
		d.collect()
		for name, v := range kwargs {
			delete(d.given, name) // a call's keyword replaces a preset one, as functools.partial's does
			d.set(config.Pair{Key: name}, v)
		}
		d.finish(diag.Pos{})
		if d.problems.HasErrors() {
			return nil, &expr.Error{Msg: d.problems[0].Msg, Hint: d.problems[0].Hint}
		}
		if h.checking {
			return Promise{e}, nil
		}
		env := h.env
		env.Path, env.host = e.Target, h
		v, err := e.make(d.args, &env)
		if _, closes := v.(io.Closer); closes && err == nil { // others are not kept: a callable may be called for every sample
			h.built = append(h.built, v)
		}
		return v, err
	}
}

var constants = map[string]any{}

// Constant makes a value known to expressions, `$torch.float32`.
func Constant(name string, v any) { constants[name] = v }

func constantNames() []string {
	var names []string
	for n := range constants {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
