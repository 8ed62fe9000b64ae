package model

import (
	"fmt"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/internal/registry/registrytest"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// build makes a module as a configuration would.
func build(t testing.TB, target string, args []any, kwargs map[string]any) lighter.Module {
	t.Helper()
	return component(t, target, args, kwargs).(lighter.Module)
}

func component(t testing.TB, target string, args []any, kwargs map[string]any) any {
	t.Helper()
	v, err := tryBuild(t, target, args, kwargs)
	if err != nil {
		t.Fatalf("%s: %v", target, err)
	}
	return v
}

func tryBuild(t testing.TB, target string, args []any, kwargs map[string]any) (any, error) {
	t.Helper()
	e, ok := registry.Lookup(target)
	if !ok {
		return nil, fmt.Errorf("%s is not registered", target)
	}
	return registry.New[any](target, &registry.Env{}, registrytest.Made(namedArgs(t, e, args, kwargs)))
}

// namedArgs are the arguments of a call by name.
func namedArgs(t testing.TB, e *registry.Entry, args []any, kwargs map[string]any) map[string]any {
	t.Helper()
	named := map[string]any{}
	for k, v := range kwargs {
		named[k] = argument(t, v)
	}
	for i, v := range args {
		v = argument(t, v)
		if f := e.Fields[min(i, len(e.Fields)-1)]; f.Args {
			rest, _ := named[f.Name].([]any)
			named[f.Name] = append(rest, v)
		} else {
			named[f.Name] = v
		}
	}
	return named
}

// argument is a value, made anew for each build when it is a component.
func argument(t testing.TB, v any) any {
	if c, ok := v.(tensortest.Call); ok {
		return registrytest.Fresh(func() any { return callOf(t, c) })
	}
	return valueOf(t, v)
}

// valueOf turns an argument of a fixture into what the configuration would resolve it to.
func valueOf(t testing.TB, v any) any {
	switch x := v.(type) {
	case int:
		return int64(x)
	case *tensortest.Tensor:
		return x.Make(t)
	case tensortest.Call:
		return callOf(t, x)
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = valueOf(t, x[i])
		}
		return out
	}
	return v
}

func callOf(t testing.TB, c tensortest.Call) any {
	args, _ := c.Args.V.([]any)
	kwargs, _ := c.Kwargs.V.(map[string]any)
	return component(t, c.Target, args, kwargs)
}
