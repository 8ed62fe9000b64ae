// Package registrytest holds the rules that every registered component keeps, for the tests of the packages that
// register them.
package registrytest

import (
	"io"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lighter-go/lighter/internal/registry"
)

// Args are a component's arguments by name. A [Fresh] is made anew for every build.
type Args = map[string]any

// Fresh makes an argument that a component changes.
type Fresh func() any

// Made is args with what they make.
func Made(args Args) Args {
	c := Args{}
	for k, v := range args {
		switch x := v.(type) {
		case Fresh:
			v = x()
		case []any:
			items := make([]any, len(x))
			for i, item := range x {
				if f, ok := item.(Fresh); ok {
					item = f()
				}
				items[i] = item
			}
			v = items
		}
		c[k] = v
	}
	return c
}

var legalName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Contract checks every component registered in this program whose target begins with prefix. examples holds, by target,
// arguments that build it, at least those without a default. It builds on the calling thread.
func Contract(t *testing.T, prefix string, examples map[string]Args) {
	t.Helper()
	for target := range examples {
		if _, ok := registry.Lookup(target); !ok {
			t.Errorf("%s has an example but is not registered", target)
		}
	}
	for _, e := range registry.All() {
		if !strings.HasPrefix(e.Target, prefix) {
			continue
		}
		example, ok := examples[e.Target]
		if !ok {
			t.Errorf("%s has no example", e.Target)
			continue
		}
		Component(t, e, example)
	}
}

// Component checks one component, which example builds.
func Component(t *testing.T, e *registry.Entry, example Args) {
	t.Helper()
	declaration(t, e)
	builds(t, e, example)
	refuses(t, e, example)
	absurd(t, e, example)
}

func declaration(t *testing.T, e *registry.Entry) {
	if d := e.Doc(); strings.TrimSpace(d) != d {
		t.Errorf("%s: its Doc has spaces around it: %q", e.Target, d)
	}
	for _, f := range e.Fields {
		if !legalName.MatchString(f.Name) {
			t.Errorf("%s: %q is no name of an argument", e.Target, f.Name)
		}
		if strings.HasSuffix(f.Help, ".") || strings.TrimSpace(f.Help) != f.Help {
			t.Errorf("%s: the help of %s ends in a full stop or has spaces around it: %q", e.Target, f.Name, f.Help)
		}
		if v := reflect.ValueOf(e.Default(f)); f.Required && v.IsValid() && !v.IsZero() {
			t.Errorf("%s: %s is required and has a default", e.Target, f.Name)
		}
		if d := defaultOf(e, f.Name); !f.Required && d != "" && !(d == `""` && f.OneOf != nil) {
			if err := e.Decodes(f, d); err != nil {
				t.Errorf("%s: the default of %s does not come back from the configuration: %v", e.Target, f.Name, err)
			}
		}
		if f.OneOf != nil {
			if d, ok := e.Default(f).(string); ok && d != "" && !slices.Contains(f.OneOf, d) {
				t.Errorf("%s: the default %q of %s is none of %v", e.Target, d, f.Name, f.OneOf)
			}
		}
	}
}

// defaultOf is an argument's default as `lighter list` shows it.
func defaultOf(e *registry.Entry, name string) string {
	for _, a := range e.Describe().Arguments {
		if a.Name == name {
			return a.Default
		}
	}
	return ""
}

// builds twice: the defaults must not change, nor the two results be one object.
func builds(t *testing.T, e *registry.Entry, example Args) {
	before := defaults(e)
	first, err := registry.New[any](e.Target, &registry.Env{}, Made(example))
	if err != nil || first == nil {
		t.Errorf("%s does not build from its example: %v", e.Target, err)
		return
	}
	if !fits(first, e.Kind) {
		t.Errorf("%s builds a %T, which is no %s", e.Target, first, e.Kind)
	}
	second, err := registry.New[any](e.Target, &registry.Env{}, Made(example))
	if v := reflect.ValueOf(first); err != nil || v.Kind() == reflect.Pointer && first == second {
		t.Errorf("%s does not build a second object: %v", e.Target, err)
	}
	if after := defaults(e); !reflect.DeepEqual(before, after) {
		t.Errorf("%s: building changed the defaults from %v to %v", e.Target, before, after)
	}
}

func defaults(e *registry.Entry) []any {
	var all []any
	for _, f := range e.Fields {
		all = append(all, e.Default(f))
	}
	return all
}

// refuses goes through the mistakes that every component answers with an error.
func refuses(t *testing.T, e *registry.Entry, example Args) {
	fails := func(what, want string, args Args) {
		t.Helper()
		defer func() {
			if r := recover(); r != nil {
				t.Errorf("%s with %s panics: %v", e.Target, what, r)
			}
		}()
		_, err := registry.New[any](e.Target, &registry.Env{}, Made(args))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s with %s: got error %v, want one with %q", e.Target, what, err, want)
		}
	}
	fails("an unknown argument", "unexpected keyword argument", with(example, "no_such_argument", int64(1)))
	for _, f := range e.Fields {
		if f.Required {
			fails(f.Name+" missing", "missing 1 required argument", with(example, f.Name, nil))
		}
		if f.Type.Kind() != reflect.Interface || f.Type.NumMethod() > 0 {
			fails(f.Name+" of a wrong type", f.Name, with(example, f.Name, wrong{}))
		}
		if f.OneOf != nil {
			fails(f.Name+" out of range", "must be one of", with(example, f.Name, "no such word"))
		}
	}
}

// absurd gives every number and text values that nobody means: the component builds or says an error, and never panics.
func absurd(t *testing.T, e *registry.Entry, example Args) {
	for _, f := range e.Fields {
		for _, v := range absurdities(f.Type) {
			func() {
				defer func() {
					if r := recover(); r != nil {
						t.Errorf("%s with %s=%v panics: %v", e.Target, f.Name, v, r)
					}
				}()
				built, err := registry.New[any](e.Target, &registry.Env{}, Made(with(example, f.Name, v)))
				if err == nil {
					release(built)
				}
			}()
		}
	}
}

// absurdities are values of a type that are not meant. Large numbers are none of them: they are a matter of memory.
func absurdities(t reflect.Type) []any {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Int, reflect.Int64:
		return []any{int64(0), int64(-1), int64(math.MinInt64)}
	case reflect.Float64:
		return []any{0.0, -1.0, math.NaN(), math.Inf(1), math.Inf(-1)}
	case reflect.String:
		return []any{"", "\x00", "no such word"}
	case reflect.Slice:
		return []any{[]any{}}
	}
	return nil
}

// release closes what was built.
func release(v any) {
	if c, ok := v.(io.Closer); ok {
		c.Close()
	}
}

// wrong is a value that no argument takes.
type wrong struct{}

// with is a copy of args in which name is v; nil leaves name out.
func with(args Args, name string, v any) Args {
	c := Args{}
	for k, a := range args {
		c[k] = a
	}
	delete(c, name)
	if v != nil {
		c[name] = v
	}
	return c
}

func fits(v any, kind reflect.Type) bool {
	t := reflect.TypeOf(v)
	return t == kind || kind.Kind() == reflect.Interface && t.Implements(kind)
}
