package transform

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/data/draw"
	"github.com/lighter-go/lighter/internal/data/image"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
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

// Batched is a transform in two parts: Image is done to each image, in the order of the samples, and Tensors then once to all,
// [N, C, H, W].
type Batched struct {
	image chain
	rest  []pixelwise
}

// Split divides a transform of images; ok is false where it must be done to samples.
func Split(t lighter.Transform) (b Batched, ok bool) {
	steps := flat(t, nil)
	for i, s := range steps {
		p, is := s.(pixelwise)
		if !is {
			if b.rest != nil {
				return b, false
			}
			continue
		}
		if b.rest == nil && p.begins == nil {
			continue
		}
		if b.rest == nil {
			b.image = steps[:i:i]
		}
		b.rest = append(b.rest, p)
	}
	return b, b.rest != nil
}

func flat(t lighter.Transform, steps chain) chain {
	if c, ok := t.(chain); ok {
		for _, s := range c {
			steps = flat(s, steps)
		}
		return steps
	}
	return append(steps, t)
}

// Image does the first part to one image.
func (b Batched) Image(m *image.Image, r lighter.Rand) (*image.Image, error) {
	v, err := b.image.Apply(m, r)
	if err != nil {
		return nil, err
	}
	out, ok := v.(*image.Image)
	if !ok {
		return nil, fmt.Errorf("the transforms before the conversion to a tensor gave a %s", typeName(v))
	}
	return out, nil
}

// Tensors makes the batch of images that Image gave.
func (b Batched) Tensors(images []*image.Image) (_ lighter.Value, err error) {
	first := images[0]
	size := len(first.Pix)
	pix := make([]byte, 0, len(images)*size)
	for _, m := range images {
		if m.Mode != first.Mode || m.Width != first.Width || m.Height != first.Height || !b.rest[0].begins(m) {
			return b.each(images)
		}
		pix = append(pix, m.Pix...)
	}
	c := int64(first.Mode.Bands())
	n, h, w := int64(len(images)), int64(first.Height), int64(first.Width)
	t := tensor.FromBytes(pix, tensor.Uint8, []int64{n, h, w, c})
	if c == 1 {
		t = t.Reshape(n, 1, h, w)
	} else {
		t = call("permute", t, []int64{0, 3, 1, 2}).Contiguous()
	}
	for _, p := range b.rest {
		if t, err = p.batch(t); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// each makes the batch image by image, as a loader collates it: the error for unequal sizes is stack's.
func (b Batched) each(images []*image.Image) (lighter.Value, error) {
	ts := make([]tensor.Tensor, len(images))
	for i, m := range images {
		var v lighter.Value = m
		for _, p := range b.rest {
			var err error
			if v, err = p.Apply(v, nil); err != nil {
				return nil, err
			}
		}
		ts[i] = Plain(v).(tensor.Tensor)
	}
	return tensor.Stack(ts, 0), nil
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
}

// Doc is the reference's text.
func (RandomChoice) Doc() string {
	return "The choice is drawn as torchvision.transforms.v2 draws it, by torch.multinomial; torchvision.transforms draws from Python's random."
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
		return c.Transforms[r.Choice(weights)].Apply(v, r)
	}), nil
}

// RandomOrder is torchvision.transforms.RandomOrder.
type RandomOrder struct {
	Transforms []lighter.Transform `cfg:"transforms,required" help:"what is done, in an order that is drawn"`
}

// Doc is the reference's text.
func (RandomOrder) Doc() string {
	return "The order is drawn as torchvision.transforms.v2 draws it, by torch.randperm; torchvision.transforms draws from Python's random."
}

// Build makes the transform.
func (c RandomOrder) Build(*lighter.Env) (lighter.Transform, error) {
	if len(c.Transforms) == 0 {
		return nil, lighter.FieldError("transforms", "Pass at least one transform")
	}
	return function(func(v lighter.Value, r lighter.Rand) (_ lighter.Value, err error) {
		for _, i := range r.Perm(len(c.Transforms)) {
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
	return "A function of a configuration, `$lambda x: x.clamp(0, 1)`, or a component with `_mode_: callable`. In torchvision.transforms.v2 it is applied to every part of a sample."
}

// Build makes the transform.
func (c Lambda) Build(*lighter.Env) (lighter.Transform, error) {
	one := func(v lighter.Value) (lighter.Value, error) { return c.Lambd.f([]any{v}, nil) }
	return function(func(v lighter.Value, r lighter.Rand) (lighter.Value, error) {
		draw.Unknown(r)
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
	both("RandomChoice", RandomChoice{})
	both("RandomOrder", RandomOrder{})
	each("Lambda", Lambda{}, Lambda{v2: true})
}
