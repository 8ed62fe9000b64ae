package data

import (
	"fmt"

	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// Generator is torch.Generator on the CPU: random numbers apart from the default generator's. All that name it share it.
// A nil Generator is the default one.
type Generator struct{ state []byte }

// defaultSeed is that of a torch.Generator nobody seeded.
const defaultSeed = 67280421310721

// newGenerator is torch.Generator().manual_seed(seed).
func newGenerator(seed uint64) *Generator {
	g := &Generator{}
	devices := []tensor.Device{{}}
	for i := range tensor.DeviceCount() {
		devices = append(devices, tensor.Device{Type: tensor.CUDA, Index: i})
	}
	s := tensor.Open()
	defer s.Close()
	// The seed reaches every device's default generator; all get their own numbers back.
	for _, d := range devices {
		defer tensor.SetRNGState(d, tensor.RNGState(d))
	}
	tensor.ManualSeed(seed)
	g.state = tensor.RNGState(tensor.Device{}).Bytes()
	return g
}

// Draw runs f with g in place of the default CPU generator.
func (g *Generator) Draw(f func()) {
	if g == nil {
		f()
		return
	}
	own := exchangeState(g.state)
	defer func() { g.state = exchangeState(own) }()
	f()
}

// exchangeState sets the default CPU generator's state and returns the one before.
func exchangeState(state []byte) (was []byte) {
	s := tensor.Open()
	defer s.Close()
	was = tensor.RNGState(tensor.Device{}).Bytes()
	tensor.SetRNGState(tensor.Device{}, tensor.FromSlice(state, int64(len(state))))
	return was
}

// permutation is torch.randperm(n, generator=g): int64 of shape [n].
func (g *Generator) permutation(n int) (t tensor.Tensor) {
	g.Draw(func() { t = tensor.CallOne("randperm", n, tensor.Kwarg{Name: "dtype", Value: tensor.Int64}) })
	return t
}

// Attr implements [registry.Attributer]: `$torch.Generator().manual_seed(42)`.
func (g *Generator) Attr(name string) (v any, ok bool, names []string) {
	if name != "manual_seed" {
		return nil, false, []string{"manual_seed"}
	}
	return registry.Func(func(args []any, kwargs map[string]any) (_ any, err error) {
		defer tensor.Recover(&err)
		if len(args) == 0 {
			args = append(args, kwargs["seed"])
		}
		seed, ok := args[0].(int64)
		if !ok || len(args) > 1 {
			return nil, fmt.Errorf("manual_seed takes one int, the seed")
		}
		g.state = newGenerator(uint64(seed)).state
		return g, nil
	}), true, nil
}

// GeneratorArg is an argument that takes a seed or a torch.Generator. A seed makes a generator of the argument's own.
type GeneratorArg struct {
	seed *int64
	g    *Generator
}

// DecodeConfig implements [registry.Decoder].
func (a *GeneratorArg) DecodeConfig(v any) error {
	*a = GeneratorArg{}
	switch v := v.(type) {
	case nil:
	case int64:
		a.seed = &v
	case *Generator:
		a.g = v
	default:
		return fmt.Errorf("must be %s, got %v", a.ConfigType(), v)
	}
	return nil
}

// ConfigType implements [registry.Decoder].
func (*GeneratorArg) ConfigType() string { return "a seed or a torch.Generator" }

// generator is nil when none was given.
func (a GeneratorArg) generator() *Generator {
	if a.seed != nil {
		return newGenerator(uint64(*a.seed))
	}
	return a.g
}

// NewGenerator is the declaration of torch.Generator.
type NewGenerator struct {
	Device string `cfg:"device" help:"where it draws" oneof:"cpu"`
}

// Build makes a generator with PyTorch's default seed.
func (NewGenerator) Build(*registry.Env) (g *Generator, err error) {
	defer tensor.Recover(&err)
	return newGenerator(defaultSeed), nil
}

var (
	_ registry.Attributer = (*Generator)(nil)
	_ registry.Decoder    = (*GeneratorArg)(nil)
)

func init() { registry.Register[*Generator]("torch.Generator", NewGenerator{Device: "cpu"}) }
