package registry

import (
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/diag"
)

// Root is a section of the configuration that a stage needs, and what it must be.
type Root struct {
	Path     string
	Kind     reflect.Type
	Optional bool
	Wrong    func(got string) string // the message when it is something else
}

// Check decodes everything the roots need, as a build would, without building anything, and reports every problem.
func Check(c *config.Config, env Env, roots ...Root) diag.List {
	h := &host{env: env, checking: true, warned: map[string]bool{}}
	r := config.NewResolver(c, h)
	for _, root := range roots {
		n := c.At(root.Path)
		if n == nil || n.Kind == config.Null {
			if !root.Optional {
				h.problems.Errorf(c.Root.Pos, root.Path, "%s: section missing", root.Path)
			}
			continue
		}
		v, err := r.Resolve(root.Path)
		if err != nil {
			d := decoder{path: root.Path}
			d.fail(err, n.Pos)
			h.problems.Add(d.problems...)
			continue
		}
		switch x := v.(type) {
		case config.Unknown:
		case Promise:
			if !fits(x.Entry.Kind, root.Kind) {
				p := h.problems.Errorf(n.Get("_target_").Pos, root.Path, "%s", root.Wrong(fmt.Sprintf("<class '%s'>", x.Entry.Target)))
				p.Path = root.Path
			}
		default:
			h.problems.Errorf(n.Pos, root.Path, "%s", root.Wrong(describe(v)))
		}
	}
	return h.problems.Sort(c.Order...)
}

// Build makes the components of a configuration, each where it is first needed.
type Build struct {
	host     *host
	resolver *config.Resolver
}

// NewBuild begins a build.
func NewBuild(c *config.Config, env Env) *Build {
	h := &host{env: env, warned: map[string]bool{}}
	return &Build{host: h, resolver: config.NewResolver(c, h)}
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
		return none, fmt.Errorf("%s must be %s, got %s", path, kindName(reflect.TypeFor[K]()), describe(v))
	}
	return k, nil
}

// New builds a component outside the configuration, from its defaults and args, by field name.
func New[K any](target string, env *Env, args map[string]any) (K, error) {
	var none K
	e, ok := Lookup(target)
	if !ok {
		return none, fmt.Errorf("no component %q in this program", target)
	}
	h := &host{env: *env, warned: map[string]bool{}}
	v, err := h.callable(e)(nil, args)
	if err != nil {
		return none, err
	}
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
