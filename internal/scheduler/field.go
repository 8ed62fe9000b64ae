package scheduler

import (
	"fmt"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/internal/registry"
)

// PerGroup is an argument that is one float for all parameter groups, or a list with one for each.
type PerGroup struct {
	values []float64
	list   bool
}

func same(v float64) PerGroup { return PerGroup{values: []float64{v}} }

// ConfigType implements the registry's Decoder.
func (*PerGroup) ConfigType() string {
	return "a float, or a list of floats with one for each parameter group"
}

// DecodeConfig implements the registry's Decoder.
func (p *PerGroup) DecodeConfig(v any) error {
	items, list := v.([]any)
	if !list {
		items = []any{v}
	}
	p.values, p.list = make([]float64, len(items)), list
	for i, item := range items {
		f, ok := number(item)
		if _, isBool := item.(bool); !ok || isBool {
			return fmt.Errorf("must be %s, got %s", p.ConfigType(), registry.Describe(item))
		}
		p.values[i] = f
	}
	return nil
}

// String is the argument as a configuration has it.
func (p PerGroup) String() string {
	texts := make([]string, len(p.values))
	for i, v := range p.values {
		texts[i] = expr.Float(v)
	}
	if !p.list {
		return strings.Join(texts, "")
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// of gives the value of each group. name is the argument's.
func (p PerGroup) of(o lighter.Optimizer, name string) ([]float64, error) {
	n := len(o.Groups())
	if p.list && len(p.values) != n {
		return nil, lighter.FieldError(name, "%s must have the same length as optimizer.param_groups. %[1]s has %d values, param_groups has %d.", name, len(p.values), n)
	}
	return p.spread(n), nil
}

func (p PerGroup) spread(n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		if p.list {
			values[i] = p.values[i]
		} else {
			values[i] = p.values[0]
		}
	}
	return values
}

// Functions are one callable for all parameter groups, or a list with one for each: `$lambda epoch: 0.95 ** epoch`.
type Functions struct {
	functions []registry.Func
	list      bool
}

// ConfigType implements the registry's Decoder.
func (*Functions) ConfigType() string {
	return "a function such as `$lambda epoch: 0.95 ** epoch`, or a list with one for each parameter group"
}

// DecodeConfig implements the registry's Decoder.
func (f *Functions) DecodeConfig(v any) error {
	items, list := v.([]any)
	if !list {
		items = []any{v}
	}
	f.functions, f.list = make([]registry.Func, len(items)), list
	for i, item := range items {
		call, err := function(item)
		if err != nil {
			return err
		}
		f.functions[i] = call
	}
	return nil
}

// of gives the function of each group.
func (f Functions) of(o lighter.Optimizer) ([]registry.Func, error) {
	n := len(o.Groups())
	if f.list && len(f.functions) != n {
		return nil, lighter.FieldError("lr_lambda", "Expected %d lr_lambdas, but got %d", n, len(f.functions))
	}
	functions := make([]registry.Func, n)
	for i := range functions {
		if f.list {
			functions[i] = f.functions[i]
		} else {
			functions[i] = f.functions[0]
		}
	}
	return functions, nil
}

// Function is a callable, or null.
type Function struct{ call registry.Func }

// ConfigType implements the registry's Decoder.
func (*Function) ConfigType() string { return "a function such as `$lambda x: 0.5 ** x`, or null" }

// DecodeConfig implements the registry's Decoder.
func (f *Function) DecodeConfig(v any) (err error) {
	if v != nil {
		f.call, err = function(v)
	}
	return err
}

func function(v any) (registry.Func, error) {
	call, ok := v.(registry.Func)
	if !ok {
		return nil, fmt.Errorf("should be a function, but got %s", registry.Describe(v))
	}
	return call, nil
}

// call calls a function of the configuration for a number.
func call(f registry.Func, x int) (float64, error) {
	v, err := f([]any{int64(x)}, nil)
	if err != nil {
		return 0, err
	}
	y, ok := number(v)
	if !ok {
		return 0, fmt.Errorf("the function must give a float, got %s for %d", registry.Describe(v), x)
	}
	return y, nil
}
