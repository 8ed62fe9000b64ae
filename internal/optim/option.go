package optim

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
)

// convert checks an option that a group gives against the type of its default.
func (o *optimizer) convert(opt lighter.Option) (any, error) {
	var names []string
	for _, d := range o.options {
		names = append(names, d.Name)
		if d.Name == opt.Name {
			return converted(opt, d.Value)
		}
	}
	if opt.Name == "name" || opt.Name == "initial_lr" { // what monitors and schedulers read
		return opt.Value, nil
	}
	return nil, fmt.Errorf("unknown option %q: a group of %s takes %s", opt.Name, o.name, strings.Join(names, ", "))
}

// words are the options that are one of some words, or null.
var words = map[string][]string{"adjust_lr_fn": {"original", "match_rms_adamw"}, "line_search_fn": {"strong_wolfe"}}

func converted(opt lighter.Option, like any) (any, error) {
	if allowed := words[opt.Name]; allowed != nil {
		if w, ok := opt.Value.(string); ok && slices.Contains(allowed, w) || opt.Value == nil {
			return opt.Value, nil
		}
		return nil, fmt.Errorf("%s must be %s or null, got %v", opt.Name, strings.Join(allowed, ", "), opt.Value)
	}
	switch like.(type) {
	case float64:
		if f, ok := number(opt.Value); ok {
			return f, nil
		}
		return nil, fmt.Errorf("%s must be a float, got %v", opt.Name, opt.Value)
	case int64:
		if n, ok := opt.Value.(int64); ok {
			return n, nil
		}
		return nil, fmt.Errorf("%s must be an int, got %v", opt.Name, opt.Value)
	case []float64:
		if fs, ok := numbers(opt.Value); ok {
			return fs, nil
		}
		return nil, fmt.Errorf("%s must be a list of floats, got %v", opt.Name, opt.Value)
	case []any: // of which some may be null
		switch items := opt.Value.(type) {
		case []any:
			for _, item := range items {
				if _, ok := number(item); !ok && item != nil {
					return nil, fmt.Errorf("%s must be a list of floats or nulls, got %v", opt.Name, opt.Value)
				}
			}
			return items, nil
		case []float64:
			all := make([]any, len(items))
			for i, f := range items {
				all[i] = f
			}
			return all, nil
		}
		return nil, fmt.Errorf("%s must be a list of floats or nulls, got %v", opt.Name, opt.Value)
	}
	switch v := opt.Value.(type) {
	case bool:
		return v, nil
	case nil:
		if like == nil || opt.Name == "fused" || opt.Name == "foreach" { // null leaves the choice to whoever runs
			return like, nil
		}
	}
	return nil, fmt.Errorf("%s must be a bool, got %v", opt.Name, opt.Value)
}

func number(v any) (float64, bool) {
	switch n := v.(type) {
	case float64:
		return n, true
	case int64:
		return float64(n), true
	}
	return 0, false
}

func numbers(v any) ([]float64, bool) {
	switch items := v.(type) {
	case []float64:
		return items, true
	case []any:
		out := make([]float64, len(items))
		for i, item := range items {
			f, ok := number(item)
			if !ok {
				return nil, false
			}
			out[i] = f
		}
		return out, true
	}
	return nil, false
}

// option is a number of a group; float64 options may be ints in a file.
func option(g *lighter.ParamGroup, name string) float64 {
	f, _ := number(g.Option(name))
	return f
}

func flag(g *lighter.ParamGroup, name string) bool {
	b, _ := g.Option(name).(bool)
	return b
}

// numbersOf are the values of options as a step takes them: flags are 0 or 1, null is NaN, lists their numbers.
func numbersOf(g *lighter.ParamGroup, names []string) []float64 {
	values := make([]float64, 0, len(names)+2)
	var add func(v any)
	add = func(v any) {
		switch x := v.(type) {
		case bool:
			if x {
				values = append(values, 1)
				return
			}
			values = append(values, 0)
		case nil:
			values = append(values, math.NaN())
		case []float64:
			values = append(values, x...)
		case []any:
			for _, item := range x {
				add(item)
			}
		default:
			f, _ := number(v)
			values = append(values, f)
		}
	}
	for _, name := range names {
		add(g.Option(name))
	}
	return values
}

// fault is an option that PyTorch refuses, and its words.
type fault struct{ option, msg string }

func (f *fault) Error() string { return f.msg }

func refuse(option, format string, args ...any) error {
	return &fault{option, fmt.Sprintf(format, args...)}
}

// blamed gives a fault to the argument of its name.
func blamed(err error) error {
	var f *fault
	if errors.As(err, &f) {
		return lighter.FieldError(f.option, "%s", f.msg)
	}
	return err
}

// validate checks the options that a component's arguments make.
func validate(options []lighter.Option, check func(*lighter.ParamGroup) error) error {
	return blamed(check(&lighter.ParamGroup{Options: options}))
}

// notNegative checks options of a group, given as names and PyTorch's words for them in turn.
func notNegative(g *lighter.ParamGroup, names ...string) error {
	for i := 0; i < len(names); i += 2 {
		if v := option(g, names[i]); !(v >= 0) {
			return refuse(names[i], "Invalid %s: %s", names[i+1], expr.Float(v))
		}
	}
	return nil
}

func checkBetas(g *lighter.ParamGroup) error {
	b, _ := g.Option("betas").([]float64)
	if len(b) != 2 {
		return refuse("betas", "must be two floats, got %d", len(b))
	}
	for i, beta := range b {
		if !(beta >= 0 && beta < 1) {
			return refuse("betas", "Invalid beta parameter at index %d: %s", i, expr.Float(beta))
		}
	}
	return nil
}

// implementation checks the arguments that choose between PyTorch's implementations.
func implementation(foreach, fused *bool, differentiable bool) error {
	isFused := fused != nil && *fused
	switch {
	case isFused && differentiable:
		return lighter.FieldError("differentiable", "`fused` does not support `differentiable`")
	case differentiable:
		return lighter.FieldError("differentiable", "a step that autograd records is not available")
	case isFused && foreach != nil && *foreach:
		return lighter.FieldError("fused", "`fused` and `foreach` cannot be `True` together.")
	}
	return nil
}

// maybe is an option that may be null.
func maybe(b *bool) any {
	if b == nil {
		return nil
	}
	return *b
}
