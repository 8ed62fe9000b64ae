package model

import (
	"errors"
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("flatten", "Flatten", Flatten{StartDim: 1, EndDim: -1})
	layer("flatten", "Unflatten", Unflatten{})
}

// Flatten is torch.nn.Flatten: it merges the dimensions from start_dim to end_dim.
type Flatten struct {
	StartDim int64 `cfg:"start_dim" help:"first dimension to merge"`
	EndDim   int64 `cfg:"end_dim" help:"last dimension to merge"`
}

// Build implements the registry's Builder.
func (c Flatten) Build(*lighter.Env) (lighter.Module, error) {
	return newFunction("Flatten", func(_ *lighter.Node, x tensor.Tensor) tensor.Tensor { return x.Flatten(c.StartDim, c.EndDim) }), nil
}

// Unflatten is torch.nn.Unflatten: it splits a dimension.
type Unflatten struct {
	Dim             int64        `cfg:"dim,required" help:"dimension to split"`
	UnflattenedSize NotEmptyList `cfg:"unflattened_size,required" help:"sizes it is split into; one may be -1"`
}

// NotEmptyList is a list of ints.
type NotEmptyList []int64

// ConfigType implements the registry's Decoder.
func (*NotEmptyList) ConfigType() string { return "a list of ints" }

// DecodeConfig implements the registry's Decoder.
func (l *NotEmptyList) DecodeConfig(v any) (err error) {
	items, ok := v.([]any)
	switch {
	case !ok:
		return fmt.Errorf("must be a tuple of ints, but found %s", lighter.TypeName(v))
	case len(items) == 0:
		return errors.New("must be non-empty")
	}
	*l, err = sizesOf(v, 0)
	return err
}

// Build implements the registry's Builder.
func (c Unflatten) Build(*lighter.Env) (lighter.Module, error) {
	return newFunction("Unflatten", func(_ *lighter.Node, x tensor.Tensor) tensor.Tensor {
		return tensor.CallOne("unflatten", x, c.Dim, []int64(c.UnflattenedSize))
	}), nil
}
