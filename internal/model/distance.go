package model

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("distance", "CosineSimilarity", CosineSimilarity{Dim: 1, Eps: 1e-8})
	layer("distance", "PairwiseDistance", PairwiseDistance{P: 2, Eps: 1e-6})
}

// CosineSimilarity is torch.nn.CosineSimilarity: the cosine of the angle between two inputs along dim.
type CosineSimilarity struct {
	Dim int64   `cfg:"dim" help:"dimension of the vectors"`
	Eps float64 `cfg:"eps" help:"least norm, against division by zero"`
}

// Build implements the registry's Builder.
func (c CosineSimilarity) Build(*lighter.Env) (lighter.Module, error) {
	return newPair("CosineSimilarity", "x1, x2", func(_ *lighter.Node, x, y tensor.Tensor) tensor.Tensor {
		return tensor.CallOne("cosine_similarity", x, y, c.Dim, c.Eps)
	}), nil
}

// PairwiseDistance is torch.nn.PairwiseDistance: the p-norm of the difference of two inputs over their last dimension.
type PairwiseDistance struct {
	P       float64 `cfg:"p" help:"p of the norm"`
	Eps     float64 `cfg:"eps" help:"added to the difference, against division by zero"`
	Keepdim bool    `cfg:"keepdim" help:"keep the last dimension, with size 1"`
}

// Build implements the registry's Builder.
func (c PairwiseDistance) Build(*lighter.Env) (lighter.Module, error) {
	return newPair("PairwiseDistance", "x1, x2", func(_ *lighter.Node, x, y tensor.Tensor) tensor.Tensor {
		return tensor.CallOne("pairwise_distance", x, y, c.P, c.Eps, c.Keepdim)
	}), nil
}
