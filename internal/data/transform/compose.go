package transform

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/data/draw"
	"github.com/lighter-go/lighter/internal/registry"
)

// Compose is torchvision.transforms.Compose.
type Compose struct {
	Transforms []lighter.Transform `cfg:"transforms,required" help:"what is done, in order"`
	v2         bool
}

// Build makes the transform.
func (c Compose) Build(*lighter.Env) (lighter.Transform, error) {
	if c.v2 && len(c.Transforms) == 0 {
		return nil, lighter.FieldError("transforms", "Pass at least one transform")
	}
	return chain(c.Transforms), nil
}

// chain does several transforms, one after the other.
type chain []lighter.Transform

// Apply implements [lighter.Transform].
func (c chain) Apply(v lighter.Value, r lighter.Rand) (_ lighter.Value, err error) {
	for _, t := range c {
		if v, err = t.Apply(v, r); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// RandomApply is torchvision.transforms.RandomApply.
type RandomApply struct {
	Transforms []lighter.Transform `cfg:"transforms,required" help:"what is done, in order"`
	P          float64             `cfg:"p" help:"the probability that all of it is done"`
	v2         bool
}

// Validate checks p.
func (c RandomApply) Validate() error { return probability(c.P) }

// Build makes the transform.
func (c RandomApply) Build(*lighter.Env) (lighter.Transform, error) {
	if len(c.Transforms) == 0 {
		return nil, lighter.FieldError("transforms", "Pass at least one transform")
	}
	all := chain(c.Transforms)
	return function(func(v lighter.Value, r lighter.Rand) (lighter.Value, error) {
		draw := r.Uniform(0, 1)
		if c.v2 && draw >= c.P || c.P < draw {
			return v, nil
		}
		return all.Apply(v, r)
	}), nil
}

// function is a transform that is one function.
type function func(v lighter.Value, r lighter.Rand) (lighter.Value, error)

// Apply implements [lighter.Transform].
func (f function) Apply(v lighter.Value, r lighter.Rand) (lighter.Value, error) { return f(v, r) }

// RandomChoice is torchvision.transforms.RandomChoice.
type RandomChoice struct {
	Transforms []lighter.Transform `cfg:"transforms,required" help:"what one is chosen of"`
	P          []float64           `cfg:"p" help:"weights of the choice; all the same when null"`
	v2         bool
}

// Doc is the reference's text.
func (RandomChoice) Doc() string {
	return "At `num_workers: 0` the choice is drawn as torchvision draws it: by torch.multinomial in torchvision.transforms.v2, from Python's random, which the run's seed seeds too, in torchvision.transforms."
}

// Build makes the transform.
func (c RandomChoice) Build(*lighter.Env) (lighter.Transform, error) {
	n := len(c.Transforms)
	if n == 0 {
		return nil, lighter.FieldError("transforms", "Pass at least one transform")
	}
	p := c.P
	if p == nil {
		p = make([]float64, n)
		for i := range p {
			p[i] = 1
		}
	}
	if len(p) != n {
		return nil, lighter.FieldError("p", "Length of p doesn't match the number of transforms: %d != %d", len(p), n)
	}
	total := 0.0
	for _, w := range p {
		if !(w >= 0) {
			return nil, lighter.FieldError("p", "weights must not be negative, got %v", w)
		}
		total += w
	}
	if total <= 0 {
		return nil, lighter.FieldError("p", "at least one weight must be greater than 0")
	}
	weights := make([]float64, n)
	for i, w := range p {
		weights[i] = w / total
	}
	return function(func(v lighter.Value, r lighter.Rand) (lighter.Value, error) {
		if p, ok := r.(draw.PythonRand); ok && !c.v2 {
			return c.Transforms[p.PythonChoice(n, c.P)].Apply(v, r)
		}
		return c.Transforms[r.Choice(weights)].Apply(v, r)
	}), nil
}

// RandomOrder is torchvision.transforms.RandomOrder.
type RandomOrder struct {
	Transforms []lighter.Transform `cfg:"transforms,required" help:"what is done, in an order that is drawn"`
	v2         bool
}

// Doc is the reference's text.
func (RandomOrder) Doc() string {
	return "At `num_workers: 0` the order is drawn as torchvision draws it: by torch.randperm in torchvision.transforms.v2, from Python's random, which the run's seed seeds too, in torchvision.transforms."
}

// Build makes the transform.
func (c RandomOrder) Build(*lighter.Env) (lighter.Transform, error) {
	if len(c.Transforms) == 0 {
		return nil, lighter.FieldError("transforms", "Pass at least one transform")
	}
	return function(func(v lighter.Value, r lighter.Rand) (_ lighter.Value, err error) {
		order := []int64(nil)
		if p, ok := r.(draw.PythonRand); ok && !c.v2 {
			order = p.PythonShuffle(len(c.Transforms))
		} else {
			order = r.Perm(len(c.Transforms))
		}
		for _, i := range order {
			if v, err = c.Transforms[i].Apply(v, r); err != nil {
				return nil, err
			}
		}
		return v, nil
	}), nil
}

// Callable is a function of a configuration: `$lambda x: x * 2`, or a component with `_mode_: callable`.
type Callable struct{ f registry.Func }

// ConfigType implements [registry.Decoder].
func (*Callable) ConfigType() string { return "a callable such as `$lambda x: x * 2`" }

// DecodeConfig implements [registry.Decoder].
func (c *Callable) DecodeConfig(v any) error {
	f, ok := v.(registry.Func)
	if !ok {
		return fmt.Errorf("Argument lambd should be callable, got %s", lighter.TypeName(v))
	}
	c.f = f
	return nil
}

// CheckConfig implements [registry.Checker].
func (c *Callable) CheckConfig(v any) error {
	if p, ok := v.(registry.Promise); ok {
		return fmt.Errorf("Argument lambd should be callable, got %s\nadd `_mode_: callable` beside its _target_", p.Entry.Target)
	}
	if _, later := v.(config.Unknown); later {
		return nil
	}
	return c.DecodeConfig(v)
}

// Lambda is torchvision.transforms.Lambda.
type Lambda struct {
	Lambd Callable `cfg:"lambd,required" help:"a function of the value that gives the changed one"`
	v2    bool
}

// Doc is the reference's text.
func (Lambda) Doc() string {
	return "A function of a configuration, `$lambda x: x * 2`, or a component with `_mode_: callable`. In torchvision.transforms.v2 it is applied to every part of a sample."
}

// Build makes the transform.
func (c Lambda) Build(*lighter.Env) (lighter.Transform, error) {
	return function(func(v lighter.Value, r lighter.Rand) (lighter.Value, error) {
		draw.Unknown(r)
		one := func(v lighter.Value) (lighter.Value, error) { return draw.Call(r, c.Lambd.f, v) }
		if c.v2 {
			return mapLeaves(v, one)
		}
		return one(v)
	}), nil
}

var _ registry.Decoder = (*Callable)(nil)

func init() {
	each("Compose", Compose{}, Compose{v2: true})
	each("RandomApply", RandomApply{P: 0.5}, RandomApply{P: 0.5, v2: true})
	each("RandomChoice", RandomChoice{}, RandomChoice{v2: true})
	each("RandomOrder", RandomOrder{}, RandomOrder{v2: true})
	each("Lambda", Lambda{}, Lambda{v2: true})
}
