package model

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() { layer("sparse", "EmbeddingBag", EmbeddingBag{NormType: 2, Mode: "mean"}) }

// EmbeddingBag is torch.nn.EmbeddingBag: sums, means or maxima of bags of vectors. Its forward is (input, offsets, per_sample_weights):
// input [bags, n] of indices, or [n] with the place where each bag begins in offsets.
type EmbeddingBag struct {
	NumEmbeddings     int64    `cfg:"num_embeddings,required,aka=vocab_size|num_tokens" help:"number of vectors"`
	EmbeddingDim      int64    `cfg:"embedding_dim,required,aka=embed_dim|emb_dim|hidden_size" help:"size of each vector"`
	MaxNorm           *float64 `cfg:"max_norm" help:"vectors looked up are scaled down to this norm"`
	NormType          float64  `cfg:"norm_type" help:"p of the p-norm of max_norm"`
	ScaleGradByFreq   bool     `cfg:"scale_grad_by_freq" help:"divide gradients by how often an index is in the batch"`
	Mode              string   `cfg:"mode" oneof:"sum|mean|max" help:"how the vectors of a bag become one"`
	Sparse            bool     `cfg:"sparse" help:"gradients as sparse tensors, which SparseAdam takes"`
	Weight            Weights  `cfg:"_weight" help:"the vectors at first, instead of random ones"`
	IncludeLastOffset bool     `cfg:"include_last_offset" help:"offsets ends with the number of indices"`
	PaddingIdx        *int64   `cfg:"padding_idx" help:"index whose vector is zero at first, never trained and not counted"`
	Factory
}

// Validate implements the registry's Validator.
func (c EmbeddingBag) Validate() error {
	switch {
	case c.Mode == "max" && c.ScaleGradByFreq:
		return lighter.FieldError("scale_grad_by_freq", "max mode does not support scaling the gradient by the frequency")
	case c.Mode == "max" && c.Sparse:
		return lighter.FieldError("sparse", "max mode does not support sparse weights")
	}
	return checkTable(c.NumEmbeddings, c.EmbeddingDim, c.PaddingIdx)
}

// Build implements the registry's Builder.
func (c EmbeddingBag) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	m := &embeddingBag{c: c, mode: map[string]int64{"sum": 0, "mean": 1, "max": 2}[c.Mode]}
	m.SetClass("torch.nn.EmbeddingBag")
	padding := paddingIndex(c.PaddingIdx, c.NumEmbeddings)
	if padding >= 0 {
		m.padding = padding
	}
	weight, err := vectors(c.Factory, c.Weight, c.NumEmbeddings, c.EmbeddingDim, padding)
	if err != nil {
		return nil, err
	}
	m.parameter("weight", &m.weight, weight)
	return m, nil
}

type embeddingBag struct {
	weighted
	c       EmbeddingBag
	mode    int64
	padding any // an index, or nil
	weight  tensor.Tensor
}

// Signature names the arguments of Forward.
func (*embeddingBag) Signature() string { return "input, offsets=, per_sample_weights=" }

func (m *embeddingBag) Forward(in ...lighter.Value) lighter.Value {
	a := signature(m.Signature()).take(&m.Node, in)
	index, offsets, weights, last := a.tensor(0), a.tensor(1), a.tensor(2), m.c.IncludeLastOffset
	if weights.Defined() {
		if !weights.SameShape(index.Shape()) {
			tensor.Fail(m.Class(), "If per_sample_weights (%s) is not None, then it must have the same shape as the input (%s)",
				lighter.SizeText(weights), lighter.SizeText(index))
		}
		if m.c.Mode != "sum" {
			tensor.Fail(m.Class(), "per_sample_weights is only supported for mode='sum' (got mode='%s')", m.c.Mode)
		}
	}
	switch d := index.Dim(); {
	case d == 2 && offsets.Defined():
		tensor.Fail(m.Class(), "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length sequences")
	case d == 2:
		offsets = tensor.CallOne("arange", 0, index.Numel(), max(index.Size(1), 1), tensor.Kwarg{Name: "dtype", Value: index.DType()},
			tensor.Kwarg{Name: "device", Value: index.Device()})
		last = false
		index = index.Reshape(-1)
		if weights.Defined() {
			weights = weights.Reshape(-1)
		}
	case d != 1:
		tensor.Fail(m.Class(), "input has to be 1D or 2D Tensor, but got Tensor of dimension %d", d)
	case !offsets.Defined():
		tensor.Fail(m.Class(), "offsets has to be a 1D Tensor but got None")
	}
	renormalize(m.weight, index, m.c.MaxNorm, m.c.NormType)
	return tensor.Call("embedding_bag", m.weight, index, offsets, m.c.ScaleGradByFreq, m.mode, m.c.Sparse, weights, last, m.padding)[0]
}
