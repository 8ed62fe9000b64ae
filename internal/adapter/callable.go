package adapter

import (
	"fmt"
	"maps"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/data/draw"
	"github.com/lighter-go/lighter/internal/registry"
)

// callable is a function of one value: an expression's, a module's forward or a transform.
type callable func(lighter.Value) (lighter.Value, error)

func callableOf(v any) (callable, error) {
	switch f := v.(type) {
	case registry.Func:
		return func(v lighter.Value) (lighter.Value, error) {
			out, err := f([]any{forExpression(v)}, nil)
			return fromExpression(out), err
		}, nil
	case lighter.Module:
		return func(v lighter.Value) (lighter.Value, error) { return f.Forward(v), nil }, nil
	case interface {
		Call(args []any, kwargs map[string]any) (any, error)
	}:
		return callableOf(registry.Func(f.Call))
	case lighter.Transform:
		return func(v lighter.Value) (lighter.Value, error) { return f.Apply(v, draw.Default{}) }, nil
	}
	return nil, fmt.Errorf("%s is not callable", lighter.TypeName(v))
}

// canCall says whether a value of a check may be one that callableOf takes.
func canCall(v any) bool {
	if _, ok := v.(registry.Func); ok {
		return true
	}
	if p, ok := v.(registry.Promise); ok && registry.Fits[any](p) && !registry.Fits[lighter.Module](p) && !registry.Fits[lighter.Transform](p) {
		return false
	}
	return registry.Fits[lighter.Module](v) || registry.Fits[lighter.Transform](v)
}

// forExpression gives mappings the form in which expressions index them.
func forExpression(v lighter.Value) any {
	switch x := v.(type) {
	case lighter.List:
		out := make([]any, len(x))
		for i := range x {
			out[i] = forExpression(x[i])
		}
		return out
	case lighter.Dict:
		d := &config.Dict{}
		for _, k := range keysOf(x) {
			d.Keys, d.Values = append(d.Keys, k), append(d.Values, forExpression(x[k]))
		}
		return d
	}
	return v
}

func fromExpression(v any) lighter.Value {
	switch x := v.(type) {
	case []any:
		out := make(lighter.List, len(x))
		for i := range x {
			out[i] = fromExpression(x[i])
		}
		return out
	case *config.Dict:
		d := lighter.Dict{}
		for i, k := range x.Keys {
			d[fmt.Sprint(k)] = fromExpression(x.Values[i])
		}
		return d
	}
	return v
}

func keysOf(d lighter.Dict) []string { return slices.Sorted(maps.Keys(d)) }

// Transforms are functions applied one after the other.
type Transforms []callable

// ConfigType names the forms.
func (*Transforms) ConfigType() string { return "a callable or a list of callables" }

// DecodeConfig takes one or a list.
func (t *Transforms) DecodeConfig(v any) error {
	*t = nil
	for _, item := range itemsOf(v) {
		f, err := callableOf(item)
		if err != nil {
			//lint:ignore ST1005 Lighter's wording
			return fmt.Errorf("Invalid transform type for transform: %s. It must be %s", registry.Describe(item), t.ConfigType())
		}
		*t = append(*t, f)
	}
	return nil
}

// CheckConfig refuses components that are no callables.
func (t *Transforms) CheckConfig(v any) error {
	for _, item := range itemsOf(v) {
		if !canCall(item) {
			//lint:ignore ST1005 Lighter's wording
			return fmt.Errorf("Invalid transform type for transform: %s. It must be %s; add `_mode_: callable` beside the _target_ of a function", registry.Describe(item), t.ConfigType())
		}
	}
	*t = make(Transforms, 1) // given, which is all that a check of the arguments together asks
	return nil
}

func itemsOf(v any) []any {
	items, ok := v.([]any)
	if !ok && v != nil {
		return []any{v}
	}
	return items
}

func (t Transforms) apply(v lighter.Value) (_ lighter.Value, err error) {
	for _, f := range t {
		if v, err = f(v); err != nil {
			return nil, err
		}
	}
	return v, nil
}

var (
	_ registry.Decoder = (*Transforms)(nil)
	_ registry.Checker = (*Transforms)(nil)
)
