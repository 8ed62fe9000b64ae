package model

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("pixelshuffle", "PixelShuffle", PixelShuffle{})
	layer("pixelshuffle", "PixelUnshuffle", PixelUnshuffle{})
	layer("channelshuffle", "ChannelShuffle", ChannelShuffle{})
}

// PixelShuffle is torch.nn.PixelShuffle: [..., C·r², H, W] becomes [..., C, H·r, W·r].
type PixelShuffle struct {
	UpscaleFactor int64 `cfg:"upscale_factor,required" help:"r, how much higher and wider the output is"`
}

// Build implements the registry's Builder.
func (c PixelShuffle) Build(*lighter.Env) (lighter.Module, error) {
	return shuffle("PixelShuffle", "pixel_shuffle", "upscale_factor", c.UpscaleFactor)
}

// PixelUnshuffle is torch.nn.PixelUnshuffle: [..., C, H·r, W·r] becomes [..., C·r², H, W].
type PixelUnshuffle struct {
	DownscaleFactor int64 `cfg:"downscale_factor,required" help:"r, how much lower and narrower the output is"`
}

// Build implements the registry's Builder.
func (c PixelUnshuffle) Build(*lighter.Env) (lighter.Module, error) {
	return shuffle("PixelUnshuffle", "pixel_unshuffle", "downscale_factor", c.DownscaleFactor)
}

// ChannelShuffle is torch.nn.ChannelShuffle: it deals the channels of groups out in turn.
type ChannelShuffle struct {
	Groups int64 `cfg:"groups,required" help:"groups of channels"`
}

// Build implements the registry's Builder.
func (c ChannelShuffle) Build(*lighter.Env) (lighter.Module, error) {
	return shuffle("ChannelShuffle", "channel_shuffle", "groups", c.Groups)
}

func shuffle(class, op, field string, by int64) (lighter.Module, error) {
	if by <= 0 {
		return nil, lighter.FieldError(field, "must be at least 1, got %d", by)
	}
	return newFunction(class, func(_ *lighter.Node, x tensor.Tensor) tensor.Tensor { return tensor.CallOne(op, x, by) }), nil
}
