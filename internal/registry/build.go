package registry

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"

	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/diag"
)

// Root is a section of the configuration that a stage needs, and what it must be.
type Root struct {
	Path  string
	Kind  reflect.Type
	Wrong func(got string) string // the message when it is something else
	// By is the root whose component may do without this section, unless it is a [Needer] of it; "" is none.
	By string
}

// Needer is a prototype that cannot do without some of the sections, by their paths.
type Needer interface{ Needs() []string }

// Report is what a check found.
type Report struct {
	Components int       // how many the configuration describes
	Problems   diag.List // sorted; those of sections that no root refers to are warnings

	paths map[string]bool // of the components
}

// Check decodes everything the roots need, as a build would, without building anything, and reports every problem.
func Check(c *config.Config, env Env, roots ...Root) Report {
	c, slips := corrected(c, roots)
	h := &host{env: env, checking: true, paths: map[string]bool{}}
	r := config.NewResolver(c, h)
	for _, root := range roots {
		h.checkRoot(r, c, root)
	}
	found := append(slips, h.problems...)
	h.problems = nil
	for _, p := range c.Root.Pairs {
		if slices.ContainsFunc(roots, func(r Root) bool { return r.Path == p.Key }) {
			continue
		}
		if _, err := r.Resolve(p.Key); err != nil {
			h.fail(p.Key, err, p.Value.Pos)
		}
	}
	for _, d := range h.problems {
		if !slices.ContainsFunc(found, func(f diag.Diagnostic) bool { return f.Pos == d.Pos && f.Msg == d.Msg }) {
			d.Severity = diag.Warning
			found.Add(d)
		}
	}
	return Report{len(h.paths), once(found.Sort(c.Order...)), h.paths}
}

func (h *host) checkRoot(r *config.Resolver, c *config.Config, root Root) {
	n := c.At(root.Path)
	if n == nil || n.Kind == config.Null {
		if root.By != "" && h.doesWithout(r, c, root) {
			return
		}
		h.problems.Errorf(c.Root.Pos, root.Path, "%s: section missing", root.Path)
		return
	}
	v, err := r.Resolve(root.Path)
	if err != nil {
		h.fail(root.Path, err, n.Pos)
		return
	}
	switch x := v.(type) {
	case config.Unknown:
	case Promise:
		if !fits(x.Entry.Kind, root.Kind) {
			h.problems.Errorf(n.Get("_target_").Pos, root.Path, "%s", root.Wrong(fmt.Sprintf("<class '%s'>", x.Entry.Target)))
		}
	default:
		h.problems.Errorf(n.Pos, root.Path, "%s", root.Wrong(Describe(v)))
	}
}

// doesWithout says whether the component of another section does without a root.
func (h *host) doesWithout(r *config.Resolver, c *config.Config, root Root) bool {
	if n := c.At(root.By); n == nil || n.Kind == config.Null {
		return false
	}
	v, err := r.Resolve(root.By)
	p, ok := v.(Promise)
	if err != nil || !ok {
		_, unknown := v.(config.Unknown)
		return unknown
	}
	needer, ok := p.Entry.proto.Interface().(Needer)
	return !ok || !slices.Contains(needer.Needs(), root.Path)
}

func (h *host) fail(path string, err error, pos diag.Pos) {
	d := decoder{path: path}
	d.fail(err, pos)
	h.problems.Add(d.problems...)
}

// Value resolves what needs no component: a number behind a reference or an expression.
func Value(c *config.Config, path string) (any, error) {
	return config.NewResolver(c, &host{checking: true, paths: map[string]bool{}}).Resolve(path)
}

// Build makes the components of a configuration, each where it is first needed.
type Build struct {
	config   *config.Config
	host     *host
	resolver *config.Resolver
}

// NewBuild begins a build.
func NewBuild(c *config.Config, env Env) *Build {
	h := &host{env: env}
	return &Build{config: c, host: h, resolver: config.NewResolver(c, h)}
}

// Get builds what stands at path, as a K.
func Get[K any](b *Build, path string) (K, error) {
	var none K
	v, err := b.resolver.Resolve(path)
	if err != nil {
		return none, err
	}
	k, ok := v.(K)
	if !ok {
		return none, fmt.Errorf("%s must be %s, got %s", path, kindName(reflect.TypeFor[K]()), Describe(v))
	}
	return k, nil
}

// Has says whether something stands at path.
func (b *Build) Has(path string) bool {
	n := b.config.At(path)
	return n != nil && n.Kind != config.Null
}

// New builds a component outside the configuration, from its defaults and args, by field name. The build that env belongs to
// closes it.
func New[K any](target string, env *Env, args map[string]any) (K, error) {
	var none K
	e, ok := Lookup(target)
	if !ok {
		return none, fmt.Errorf("no component %q in this program", target)
	}
	h := env.host
	if h == nil {
		h = &host{env: *env}
	}
	v, err := h.callable(e, decoder{args: e.proto})(nil, args)
	if err != nil {
		return none, err
	}
	h.remember(v, e)
	return v.(K), nil
}

// Close closes what was built, in reverse order, and joins the errors.
func (b *Build) Close() error {
	var errs []error
	for i := len(b.host.built) - 1; i >= 0; i-- {
		if c, ok := b.host.built[i].(io.Closer); ok {
			errs = append(errs, c.Close())
		}
	}
	b.host.built = nil
	return errors.Join(errs...)
}
