package model

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() { layer("flatten", "Flatten", Flatten{StartDim: 1, EndDim: -1}) }

// Flatten is torch.nn.Flatten: it merges the dimensions from start_dim to end_dim.
type Flatten struct {
	StartDim int64 `cfg:"start_dim" help:"first dimension to merge"`
	EndDim   int64 `cfg:"end_dim" help:"last dimension to merge"`
}

// Build implements the registry's Builder.
func (c Flatten) Build(*lighter.Env) (lighter.Module, error) {
	return newFunction("Flatten", func(_ *lighter.Node, x tensor.Tensor) tensor.Tensor { return x.Flatten(c.StartDim, c.EndDim) }), nil
}
