package lighter

import (
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/console"
	"github.com/lighter-go/lighter/internal/registry"
)

// Builder is a component's prototype: a struct of its arguments that can build what they describe. Its `cfg` tags are
// `cfg:"name,required,args,ignored,aka=old|synonym"`, beside them `help:"what it is, in at most 80 characters"` and
// `oneof:"a|b|c"`. An `args` field is a slice that takes all positional arguments; an `ignored` one is accepted for compatibility
// and warns; `aka` are names that people write for it by mistake. A field whose type is a contract takes a component of that
// kind. Arguments that several components share stand in a struct that they embed, or hold in a field tagged `cfg:",inline"`.
//
// What a component that is an [io.Closer] holds is closed when the run ends.
type Builder[K any] = registry.Builder[K]

// Env is what a component may ask for while it is built: the stage, its place in the configuration, the log.
type Env = registry.Env

// Console is where a component prints for a person, above a progress bar.
type Console = console.Console

// Validator is a prototype with rules beyond its fields' types. It runs before anything is built: components among the fields
// are still nil then. A [FieldError] points at the argument.
type Validator = registry.Validator

// Documenter is a prototype with prose for `lighter list`.
type Documenter = registry.Documenter

// Pruner is a prototype some of whose arguments a stage has no use for: they are not built then.
type Pruner = registry.Pruner

// Decoder is a field type with a form of its own in the configuration. It is given the resolved value: nil, bool, int64, float64,
// string, []any, *[Mapping] or a component.
type Decoder = registry.Decoder

// Mapping is a mapping of a configuration, in its order.
type Mapping = config.Dict

// Func is a callable of a configuration, what `_mode_: callable` gives.
type Func = registry.Func

// The optional interfaces by which a built component takes part in expressions: attributes (`@model::network.depth`, methods are
// a [Func]), indexing and iteration.
type (
	Attributer = registry.Attributer
	Indexer    = registry.Indexer
	Iterable   = registry.Iterable
)

// FieldError is what a component's Validate or Build returns to blame one of its arguments by its `cfg` name.
func FieldError(field, format string, args ...any) error {
	return registry.FieldError(field, format, args...)
}

// New builds a component by its target from args by name, the others at their defaults: for a component that is made of others.
// The run that env belongs to closes it. Numbers are int64 or float64.
func New[K any](target string, env *Env, args map[string]any) (K, error) {
	return registry.New[K](target, env, args)
}
