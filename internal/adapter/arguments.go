package adapter

import (
	"errors"
	"fmt"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
)

// Call is how a step's values are handed to a criterion or to metrics.
type Call struct{ Roles }

// Roles are the arguments that criterionArguments and metricsArguments share.
type Roles struct {
	PredArgument     Argument   `cfg:"pred_argument" help:"where the prediction goes: a position, a name, or null for nowhere"`
	TargetArgument   Argument   `cfg:"target_argument" help:"where the target goes"`
	InputArgument    Argument   `cfg:"input_argument" help:"where the input goes"`
	PredTransforms   Transforms `cfg:"pred_transforms" help:"change the prediction before"`
	TargetTransforms Transforms `cfg:"target_transforms" help:"change the target before"`
	InputTransforms  Transforms `cfg:"input_transforms" help:"change the input before"`
}

// Validate applies Lighter's rules.
func (a Roles) Validate() error {
	var positions []int64
	for _, p := range []struct {
		name       string
		argument   Argument
		transforms Transforms
	}{{"input", a.InputArgument, a.InputTransforms}, {"target", a.TargetArgument, a.TargetTransforms}, {"pred", a.PredArgument, a.PredTransforms}} {
		if p.argument.to == nil && p.transforms != nil {
			return lighter.FieldError(p.name+"_transforms", "%s transforms provided but %s_argument is None", map[string]string{"input": "Input", "target": "Target", "pred": "Pred"}[p.name], p.name)
		}
		if i, ok := p.argument.to.(int64); ok {
			positions = append(positions, i)
		}
	}
	slices.Sort(positions)
	for i, p := range positions {
		if p != int64(i) {
			//lint:ignore ST1005 Lighter's wording
			return errors.New("Positional arguments must be consecutive integers starting from 0.")
		}
	}
	return nil
}

// criterionArguments are the arguments of lighter.adapters.CriterionAdapter.
type criterionArguments struct{ Roles }

// metricsArguments are the arguments of lighter.adapters.MetricsAdapter.
type metricsArguments struct{ Roles }

// CriterionAdapter and MetricsAdapter are the two kinds of call.
type (
	CriterionAdapter struct{ Call }
	MetricsAdapter   struct{ Call }
)

func init() {
	lighter.Register[*CriterionAdapter]("lighter.adapters.CriterionAdapter", criterionArguments{})
	lighter.Register[*MetricsAdapter]("lighter.adapters.MetricsAdapter", metricsArguments{})
}

// Doc is the component's prose.
func (criterionArguments) Doc() string {
	return "Says what a `lighter.System` hands to its criterion, after which transforms."
}

// Doc is the component's prose.
func (metricsArguments) Doc() string {
	return "Says what a `lighter.System` hands to its metrics, after which transforms."
}

// Build makes the adapter.
func (a criterionArguments) Build(*lighter.Env) (*CriterionAdapter, error) {
	return &CriterionAdapter{Call(a)}, nil
}

// Build makes the adapter.
func (a metricsArguments) Build(*lighter.Env) (*MetricsAdapter, error) {
	return &MetricsAdapter{Call(a)}, nil
}

// predTarget hands over (pred, target).
func predTarget() Call {
	return Call{Roles{PredArgument: Argument{int64(0)}, TargetArgument: Argument{int64(1)}}}
}

// DefaultCriterion calls with (pred, target), and so does DefaultMetrics.
func DefaultCriterion() *CriterionAdapter { return &CriterionAdapter{predTarget()} }

// DefaultMetrics calls with (pred, target).
func DefaultMetrics() *MetricsAdapter { return &MetricsAdapter{predTarget()} }

// Arguments are the transformed values where they go.
func (c *Call) Arguments(input, target, pred lighter.Value) (args lighter.List, kwargs lighter.Dict, err error) {
	kwargs = lighter.Dict{}
	for _, p := range []struct {
		value      lighter.Value
		to         Argument
		transforms Transforms
	}{{input, c.InputArgument, c.InputTransforms}, {target, c.TargetArgument, c.TargetTransforms}, {pred, c.PredArgument, c.PredTransforms}} {
		v, err := p.transforms.apply(p.value)
		if err != nil {
			return nil, nil, err
		}
		switch at := p.to.to.(type) {
		case int64:
			for int64(len(args)) <= at {
				args = append(args, nil)
			}
			args[at] = v
		case string:
			kwargs[at] = v
		}
	}
	return args, kwargs, nil
}

// Named places keyword arguments among positional ones: names are those of the parameters, in order; "" has no name.
func Named(what string, args lighter.List, kwargs lighter.Dict, names ...[]string) (lighter.List, error) {
	out := slices.Clone(args)
	for _, key := range keysOf(kwargs) {
		at := slices.IndexFunc(names, func(n []string) bool { return slices.Contains(n, key) })
		if at < 0 {
			return nil, fmt.Errorf("%s got an unexpected keyword argument '%s': it takes %s", what, key, parameters(names))
		}
		if at < len(args) {
			return nil, fmt.Errorf("%s got multiple values for argument '%s'", what, key)
		}
		for len(out) <= at {
			out = append(out, nil)
		}
		out[at] = kwargs[key]
	}
	return out, nil
}

func parameters(names [][]string) string {
	var first []string
	for _, n := range names {
		first = append(first, n[0])
	}
	return fmt.Sprintf("%q", first)
}

// Argument is a position, a name or, when nil, nowhere.
type Argument struct{ to any }

// ConfigType names the forms.
func (*Argument) ConfigType() string { return "an int, a str or null" }

// DecodeConfig takes one of the forms.
func (a *Argument) DecodeConfig(v any) error {
	switch v.(type) {
	case nil, int64, string:
		a.to = v
		return nil
	}
	return fmt.Errorf("must be %s, got %s", a.ConfigType(), registry.Describe(v))
}
