package expr

import "go.starlark.net/starlark"

// Plain gives a value as a [KwFunc] gets it as Go's, lists and tuples of numbers through and through.
func Plain(v any) (any, error) {
	s, ok := v.(starlark.Value)
	if !ok {
		return v, nil
	}
	return (&machine{limits: expressionLimits}).out(s)
}
