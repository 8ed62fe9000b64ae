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
	Sparse          bool     `cfg:"sparse" help:"gradients as sparse tensors, which the optimizers here don't take"`
	Weight          Weights  `cfg:"_weight" help:"the vectors at first, instead of random ones"`
	Freeze          bool     `cfg:"_freeze" help:"don't train the vectors"`
	Device          any      `cfg:"device,ignored" help:"the trainer places the module"`
	DType           DType    `cfg:"dtype" help:"type of the parameters, $torch.float32 when null"`
}

// Validate implements the registry's Validator.
func (c Embedding) Validate() error {
	if c.PaddingIdx != nil && (*c.PaddingIdx >= c.NumEmbeddings || *c.PaddingIdx < -c.NumEmbeddings) {
		return lighter.FieldError("padding_idx", "Padding_idx must be within num_embeddings")
	}
	if c.Sparse {
		return lighter.FieldError("sparse", "sparse gradients are not available; leave it false")
	}
	return notNegative("num_embeddings", c.NumEmbeddings, "embedding_dim", c.EmbeddingDim)
}

// Build implements the registry's Builder.
func (c Embedding) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	m := &embedding{c: c, padding: -1}
	m.SetClass("torch.nn.Embedding")
	if c.PaddingIdx != nil {
		m.padding = *c.PaddingIdx
		if m.padding < 0 {
			m.padding += c.NumEmbeddings
		}
	}
	shape := []int64{c.NumEmbeddings, c.EmbeddingDim}
	weight := c.Weight.tensor()
	if weight.Defined() {
		if !weight.SameShape(shape) {
			return nil, lighter.FieldError("_weight", "Shape of weight does not match num_embeddings and embedding_dim")
		}
	} else {
		weight = tensor.Empty(shape, c.DType.get(), tensor.Device{})
		normal(weight)
		if m.padding >= 0 {
			s := tensor.Open()
			weight.Select(0, m.padding).Fill(0)
			s.Close()
		}
	}
	m.weight = m.Param("weight", weight)
	m.weight.SetRequiresGrad(!c.Freeze)
	return m, nil
}

type embedding struct {
	lighter.Node
	c       Embedding
	padding int64
	weight  tensor.Tensor
}

func (m *embedding) Forward(in ...lighter.Value) lighter.Value {
	index := only(&m.Node, in)
	if m.c.MaxNorm != nil {
		tensor.NoGrad(func() { tensor.Call("embedding_renorm_", m.weight, index, *m.c.MaxNorm, m.c.NormType) })
	}
	return tensor.CallOne("embedding", m.weight, index, m.padding, m.c.ScaleGradByFreq, false)
}
