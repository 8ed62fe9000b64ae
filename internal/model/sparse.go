package model

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() { layer("sparse", "Embedding", Embedding{NormType: 2}) }

// Embedding is torch.nn.Embedding: a table of vectors, looked up by index.
type Embedding struct {
	NumEmbeddings   int64    `cfg:"num_embeddings,required,aka=vocab_size|num_tokens" help:"number of vectors"`
	EmbeddingDim    int64    `cfg:"embedding_dim,required,aka=embed_dim|emb_dim|hidden_size" help:"size of each vector"`
	PaddingIdx      *int64   `cfg:"padding_idx" help:"index whose vector is zero at first and never trained"`
	MaxNorm         *float64 `cfg:"max_norm" help:"vectors looked up are scaled down to this norm"`
	NormType        float64  `cfg:"norm_type" help:"p of the p-norm of max_norm"`
	ScaleGradByFreq bool     `cfg:"scale_grad_by_freq" help:"divide gradients by how often an index is in the batch"`
	Sparse          bool     `cfg:"sparse" help:"gradients as sparse tensors, which SparseAdam takes"`
	Weight          Weights  `cfg:"_weight" help:"the vectors at first, instead of random ones"`
	Freeze          bool     `cfg:"_freeze" help:"don't train the vectors"`
	Factory
}

// Validate implements the registry's Validator.
func (c Embedding) Validate() error { return checkTable(c.NumEmbeddings, c.EmbeddingDim, c.PaddingIdx) }

func checkTable(rows, size int64, padding *int64) error {
	if padding != nil && (*padding >= rows || *padding < -rows) {
		return lighter.FieldError("padding_idx", "Padding_idx must be within num_embeddings")
	}
	return notNegative("num_embeddings", rows, "embedding_dim", size)
}

// paddingIndex counts from the start; -1 stands for none.
func paddingIndex(given *int64, rows int64) int64 {
	switch {
	case given == nil:
		return -1
	case *given < 0:
		return *given + rows
	}
	return *given
}

// vectors are the weight of a table: those given, or drawn ones, of which that at padding is zero.
func vectors(f Factory, given Weights, rows, size, padding int64) (tensor.Tensor, error) {
	weight := given.tensor()
	if weight.Defined() {
		if !weight.SameShape([]int64{rows, size}) {
			return weight, lighter.FieldError("_weight", "Shape of weight does not match num_embeddings and embedding_dim")
		}
		return weight, nil
	}
	weight = f.empty(rows, size)
	normal(weight)
	if padding >= 0 {
		s := tensor.Open()
		weight.Select(0, padding).Fill(0)
		s.Close()
	}
	return weight, nil
}

// renormalize scales the vectors that index names down to a norm, in place.
func renormalize(weight, index tensor.Tensor, maxNorm *float64, normType float64) {
	if maxNorm != nil {
		tensor.NoGrad(func() { tensor.Call("embedding_renorm_", weight, index.Contiguous(), *maxNorm, normType) })
	}
}

// Build implements the registry's Builder.
func (c Embedding) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	m := &embedding{c: c, padding: paddingIndex(c.PaddingIdx, c.NumEmbeddings)}
	m.SetClass("torch.nn.Embedding")
	weight, err := vectors(c.Factory, c.Weight, c.NumEmbeddings, c.EmbeddingDim, m.padding)
	if err != nil {
		return nil, err
	}
	m.parameter("weight", &m.weight, weight)
	m.weight.SetRequiresGrad(!c.Freeze)
	return m, nil
}

type embedding struct {
	weighted
	c       Embedding
	padding int64
	weight  tensor.Tensor
}

func (m *embedding) Forward(in ...lighter.Value) lighter.Value {
	index := only(&m.Node, in)
	renormalize(m.weight, index, m.c.MaxNorm, m.c.NormType)
	return tensor.CallOne("embedding", m.weight, index, m.padding, m.c.ScaleGradByFreq, m.c.Sparse)
}
