package model

import (
	"fmt"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// build makes a module as a configuration would.
func build(t testing.TB, target string, args []any, kwargs map[string]any) lighter.Module {
	t.Helper()
	m, err := tryBuild(t, target, args, kwargs)
	if err != nil {
		t.Fatalf("%s: %v", target, err)
	}
	return m
}

func tryBuild(t testing.TB, target string, args []any, kwargs map[string]any) (lighter.Module, error) {
	t.Helper()
	e, ok := registry.Lookup(target)
	if !ok {
		return nil, fmt.Errorf("%s is not registered", target)
	}
	named := map[string]any{}
	for k, v := range kwargs {
		named[k] = valueOf(t, v)
	}
	for i, v := range args {
		v = valueOf(t, v)
		if f := e.Fields[min(i, len(e.Fields)-1)]; f.Args {
			rest, _ := named[f.Name].([]any)
			named[f.Name] = append(rest, v)
		} else {
			named[f.Name] = v
		}
	}
	return registry.New[lighter.Module](target, &registry.Env{}, named)
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

func callOf(t testing.TB, c tensortest.Call) lighter.Module {
	args, _ := c.Args.V.([]any)
	kwargs, _ := c.Kwargs.V.(map[string]any)
	return build(t, c.Target, args, kwargs)
}
