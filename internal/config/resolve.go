package config

import "errors"

// Host makes the values the language itself can't make. A host that builds and a host that only checks share the
// rest of the language through one [Resolver].
type Host interface {
	// Instantiate makes the component of a map n with a `_target_`, found at path. It calls r.Resolve for each
	// child in file order (a path below path), so that random draws come in Python's order.
	Instantiate(r *Resolver, path string, n *Node, target string) (any, error)
	// Attr gives an attribute of an object for `$` expressions ("@model::network.parameters"). Callables are
	// func(args []any, kwargs map[string]any) (any, error). When ok is false, names are what there is instead.
	Attr(obj any, name string) (v any, ok bool, names []string)
	// Index gives obj[i].
	Index(obj any, i any) (any, error)
	// Iterate gives the elements of an object; ok is false when it has none.
	Iterate(obj any) (items []any, ok bool)
	// Module gives what the module name of an import stands for: an object whose members Attr gives. It is also
	// asked for names an expression uses without an import, such as "torch".
	Module(name string) (v any, ok bool)
}

// Operator is implemented by hosts whose objects take part in arithmetic and comparisons (`$torch.ones(3) / 4`).
type Operator interface {
	// Binary gives x op y for one of + - * / // % ** @ & | ^ << >> == != < <= > >=; ok is false when the operands don't fit.
	Binary(op string, x, y any) (v any, ok bool, err error)
	// Unary gives op x for one of + - ~.
	Unary(op string, x any) (v any, ok bool, err error)
}

// Unknown stands for a value that exists only when the configuration is built. A checking [Host] returns it;
// an expression that depends on one is Unknown itself and can't fail.
type Unknown struct{}

// Disabled is what resolving a component with `_disabled_: true` gives: it is dropped from lists and maps and left
// out as an argument. [Resolver.Value] turns it into nil, as for a direct reference.
type Disabled struct{}

// ErrDisabled is the error form of [Disabled].
var ErrDisabled = errors.New("component is disabled")

// Dict is a resolved mapping, in file order. A key is a string, or another scalar where YAML or an expression has one.
type Dict struct {
	Keys   []any
	Values []any
}

// Get returns the value of a key, nil when there is none.
func (d *Dict) Get(key any) any {
	for i, k := range d.Keys {
		if k == key {
			return d.Values[i]
		}
	}
	return nil
}

// Resolver gives the values of a configuration. Every path is resolved once: what two places refer to is one object.
// A Resolver is for one goroutine.
type Resolver struct {
	config *Config
	host   Host
}

// NewResolver returns a resolver of c whose components, modules and objects are h's.
func NewResolver(c *Config, h Host) *Resolver { return &Resolver{config: c, host: h} }

// Resolve gives the value at path: nil, bool, int64, *big.Int, float64, string, []any, *Dict, [Disabled] or what the host made.
// An error is a diag.Diagnostic or a diag.List.
func (r *Resolver) Resolve(path string) (any, error) { return nil, nil }
