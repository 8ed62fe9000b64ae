// Package registry maps a `_target_` to the component behind it. A component is declared once, as a Go struct whose `cfg`
// tags name its arguments and whose values are the defaults; that declaration feeds decoding, checking, listing, the
// schema and the docs.
package registry

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/internal/console"
	"github.com/lighter-go/lighter/internal/diag"
)

// Env is what a component may ask for while it is built.
type Env struct {
	Stage   string   // the command: fit, validate, test or predict
	Path    string   // the component's key path, "model::network::0"
	Pos     diag.Pos // of its target
	Seed    uint64   // the run's
	Log     zerolog.Logger
	Console *console.Console
	Project Project // the user's own code; nil when there is none

	host *host // of the build this is for; it closes what New makes
}

// Host gives code the components, and the objects that they make.
func (e *Env) Host() expr.Host {
	if e.host == nil {
		e.host = &host{env: *e}
	}
	return e.host
}

// Builder is a component's prototype: a struct of its arguments that can build what they describe.
type Builder[K any] interface {
	Build(env *Env) (K, error)
}

// Validator is a prototype with rules beyond its fields' types. It runs before anything is built: components among the fields
// are still nil then. A [FieldError] points at the argument.
type Validator interface{ Validate() error }

// Documenter is a prototype with prose for the reference.
type Documenter interface{ Doc() string }

// Entry is a registered component.
type Entry struct {
	Target  string
	Aliases []string
	Kind    reflect.Type // the contract it fulfils
	Fields  []Field      // in the order of positional arguments
	origin  origin
	proto   reflect.Value
	build   func(args reflect.Value, env *Env) (any, error)
}

// Class is the last part of the target: "Linear".
func (e *Entry) Class() string { return e.Target[strings.LastIndexByte(e.Target, '.')+1:] }

// Doc is the component's prose, "" when it has none.
func (e *Entry) Doc() string {
	if d, ok := e.proto.Interface().(Documenter); ok {
		return d.Doc()
	}
	return ""
}

// make builds a component. A panic with an error that is not the runtime's, as an operation of the tensor layer ends, becomes
// that error.
func (e *Entry) make(args reflect.Value, env *Env) (v any, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case runtime.Error:
			panic(r)
		case error:
			err = r
		default:
			panic(r)
		}
	}()
	return e.build(args, env)
}

var entries = map[string]*Entry{}

// Register adds a component under its target and aliases. A mistake in the declaration, or a name that is taken, is one of
// [Faults]; the component is left out.
func Register[K any](target string, prototype Builder[K], aliases ...string) {
	e := &Entry{
		Target: target, Aliases: aliases, Kind: reflect.TypeFor[K](), origin: callers(),
		build: func(args reflect.Value, env *Env) (any, error) { return args.Interface().(Builder[K]).Build(env) },
	}
	if err := e.declare(prototype); err != nil {
		faults = append(faults, fmt.Errorf("%s, registered by %s: %w", target, e.Source(), err))
		return
	}
	for _, name := range append([]string{target}, aliases...) {
		if first := entries[name]; first != nil {
			faults = append(faults, fmt.Errorf("the name %s is taken twice: by %s, and by %s; one of them needs another name",
				name, first.Source(), e.Source()))
			continue
		}
		entries[name] = e
	}
}

var (
	faults []error
	// dotted is what a target looks like.
	dotted = regexp.MustCompile(`^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$`)
)

// Faults are the mistakes in the declarations of this program's components; nil when there are none. With faults nothing should run.
func Faults() error { return errors.Join(faults...) }

// declare takes over what a prototype says.
func (e *Entry) declare(prototype any) (err error) {
	for _, name := range append([]string{e.Target}, e.Aliases...) {
		if !dotted.MatchString(name) {
			return fmt.Errorf("the name %q is none that `_target_` can hold: words of letters, digits and _ with dots between them, like mine.Metric", name)
		}
	}
	e.proto = reflect.ValueOf(prototype)
	if k := e.proto.Kind(); k != reflect.Struct {
		return fmt.Errorf("the prototype must be a struct, and is a %s", k)
	}
	e.Fields, err = fieldsOf(e.proto)
	return err
}

// Lookup finds a component by its target or an alias.
func Lookup(target string) (*Entry, bool) {
	e, ok := entries[target]
	return e, ok
}

// All lists the components by target.
func All() []*Entry {
	var all []*Entry
	for name, e := range entries {
		if name == e.Target {
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(a, b *Entry) int { return strings.Compare(a.Target, b.Target) })
	return all
}

// Names lists every target and alias, sorted.
func Names() []string {
	names := make([]string, 0, len(entries))
	for name := range entries {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

type fieldError struct {
	field string
	msg   string
	cause error
}

func (e *fieldError) Error() string { return e.field + ": " + e.msg }

// Unwrap returns what the message wraps with %w.
func (e *fieldError) Unwrap() error { return e.cause }

// FieldError blames an argument by its `cfg` name.
func FieldError(field, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &fieldError{field, err.Error(), errors.Unwrap(err)}
}
