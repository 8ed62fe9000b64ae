package model

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	for name, mode := range map[string]string{"Reflection": "reflect", "Replication": "replicate", "Zero": "constant", "Circular": "circular"} {
		layer("padding", name+"Pad1d", Pad[one]{name: name, mode: mode})
		layer("padding", name+"Pad2d", Pad[two]{name: name, mode: mode})
		layer("padding", name+"Pad3d", Pad[three]{name: name, mode: mode})
	}
	layer("padding", "ConstantPad1d", ConstantPad[one]{})
	layer("padding", "ConstantPad2d", ConstantPad[two]{})
	layer("padding", "ConstantPad3d", ConstantPad[three]{})
}

// Sides are elements to add on each side of the last dimensions, the last one first: left, right, top, bottom, front, back. An int is
// for all of them.
type Sides[D dims] []int64

// ConfigType implements the registry's Decoder.
func (*Sides[D]) ConfigType() string { return tupleText(2*dimsOf[D](), "int") }

// DecodeConfig implements the registry's Decoder.
func (s *Sides[D]) DecodeConfig(v any) (err error) {
	*s, err = sizesOf(v, 2*dimsOf[D]())
	if *s == nil && err == nil {
		err = fmt.Errorf("must be %s, got null", s.ConfigType())
	}
	return err
}

// Pad is the padding layers but for ConstantPad; what stands in the added elements depends on the class.
type Pad[D dims] struct {
	Padding Sides[D] `cfg:"padding,required,aka=pad" help:"elements to add: left, right, then top, bottom, then front, back"`

	name, mode string
}

// Build implements the registry's Builder.
func (c Pad[D]) Build(*lighter.Env) (lighter.Module, error) {
	return newFunction(classOf[D](c.name+"Pad"), func(m *lighter.Node, x tensor.Tensor) tensor.Tensor {
		if n, d := dimsOf[D](), x.Dim(); c.mode == "circular" && d != n+1 && d != n+2 {
			tensor.Fail(m.Class(), "expected %dD or %dD input (got %dD input)", n+1, n+2, d)
		}
		return tensor.CallOne("pad", x, []int64(c.Padding), c.mode)
	}), nil
}

// ConstantPad is torch.nn.ConstantPad1d, 2d and 3d.
type ConstantPad[D dims] struct {
	Padding Sides[D] `cfg:"padding,required,aka=pad" help:"elements to add: left, right, then top, bottom, then front, back"`
	Value   float64  `cfg:"value,required" help:"what stands in them"`
}

// Build implements the registry's Builder.
func (c ConstantPad[D]) Build(*lighter.Env) (lighter.Module, error) {
	return newFunction(classOf[D]("ConstantPad"), func(_ *lighter.Node, x tensor.Tensor) tensor.Tensor {
		return tensor.CallOne("pad", x, []int64(c.Padding), "constant", c.Value)
	}), nil
}
