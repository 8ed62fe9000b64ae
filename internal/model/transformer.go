package model

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("transformer", "Transformer", Transformer{
		DModel: 512, NHead: 8, NumEncoderLayers: 6, NumDecoderLayers: 6, Block: block(), Order: Order{LayerNormEps: 1e-5, Bias: true},
	})
}

// Block holds the arguments of a transformer's layers that its feed-forward part and dropout take.
type Block struct {
	DimFeedforward int64    `cfg:"dim_feedforward" help:"size between the two linear layers"`
	Dropout        float64  `cfg:"dropout" help:"probability of dropout"`
	Activation     Activate `cfg:"activation" help:"between the two linear layers: relu, gelu, a module or a function"`
}

// Order holds the arguments of a transformer's layers about norms and layout.
type Order struct {
	LayerNormEps float64 `cfg:"layer_norm_eps" help:"added to the variance in the layer norms"`
	BatchFirst   bool    `cfg:"batch_first" help:"tensors are [batch, length, size], not [length, batch, size]"`
	NormFirst    bool    `cfg:"norm_first" help:"normalise before attention and feed-forward, not after"`
	Bias         bool    `cfg:"bias" help:"learn additive biases in linear layers and norms"`
}

func block() Block {
	b := Block{DimFeedforward: 2048, Dropout: 0.1}
	b.Activation.named("relu")
	return b
}

// Transformer is torch.nn.Transformer. Its forward is (src, tgt, src_mask, tgt_mask, memory_mask, src_key_padding_mask,
// tgt_key_padding_mask, memory_key_padding_mask, src_is_causal, tgt_is_causal, memory_is_causal).
type Transformer struct {
	DModel           int64 `cfg:"d_model,aka=embed_dim|hidden_size" help:"size of each step"`
	NHead            int64 `cfg:"nhead,aka=num_heads|n_heads" help:"heads of attention"`
	NumEncoderLayers int64 `cfg:"num_encoder_layers" help:"layers of the encoder"`
	NumDecoderLayers int64 `cfg:"num_decoder_layers" help:"layers of the decoder"`
	Block
	CustomEncoder lighter.Module `cfg:"custom_encoder" help:"an encoder to use instead"`
	CustomDecoder lighter.Module `cfg:"custom_decoder" help:"a decoder to use instead"`
	Order
	Factory
}

// Validate implements the registry's Validator.
func (c Transformer) Validate() error {
	for _, f := range []struct {
		name string
		v    int64
	}{{"num_encoder_layers", c.NumEncoderLayers}, {"num_decoder_layers", c.NumDecoderLayers}} {
		if f.v < 1 {
			return lighter.FieldError(f.name, "must be at least 1, got %d", f.v)
		}
	}
	return c.layer().Validate()
}

func (c Transformer) layer() TransformerLayer {
	return TransformerLayer{DModel: c.DModel, NHead: c.NHead, Block: c.Block, Order: c.Order, Factory: c.Factory}
}

// Build implements the registry's Builder.
func (c Transformer) Build(env *lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	m := &transformer{c: c}
	m.SetClass("torch.nn.Transformer")
	encoder, decoder := c.CustomEncoder, c.CustomDecoder
	if encoder == nil {
		if encoder, err = c.stack(env, c.layer().encoder, c.NumEncoderLayers, newEncoder); err != nil {
			return nil, err
		}
	}
	m.Add("encoder", encoder)
	if decoder == nil {
		if decoder, err = c.stack(env, c.layer().decoder, c.NumDecoderLayers, newDecoder); err != nil {
			return nil, err
		}
	}
	m.Add("decoder", decoder)
	for _, p := range m.Params() {
		if p.Value.Dim() > 1 {
			xavierUniform(p.Value)
		}
	}
	return m, nil
}

func (c Transformer) stack(env *lighter.Env, build func(*lighter.Env) (lighter.Module, error), n int64,
	stack func(lighter.Module, int64, lighter.Module, bool) (lighter.Module, error)) (lighter.Module, error) {
	layer, err := build(env)
	if err != nil {
		return nil, err
	}
	norm, err := c.layer().norm(env)
	if err != nil {
		return nil, err
	}
	return stack(layer, n, norm, true)
}

type transformer struct {
	lighter.Node
	c Transformer
}

// Signature names the arguments of Forward.
func (*transformer) Signature() string {
	return "src, tgt, src_mask=, tgt_mask=, memory_mask=, src_key_padding_mask=, tgt_key_padding_mask=, memory_key_padding_mask=, src_is_causal=, tgt_is_causal=, memory_is_causal="
}

func (m *transformer) Forward(in ...lighter.Value) lighter.Value {
	a := signature(m.Signature()).take(&m.Node, in)
	src, tgt := a.tensor(0), a.tensor(1)
	batch := 1
	if m.c.BatchFirst {
		batch = 0
	}
	if src.Dim() == 3 && src.Size(batch) != tgt.Size(batch) {
		tensor.Fail(m.Class(), "the batch number of src and tgt must be equal: src has shape %s, tgt %s", list(src.Shape()), list(tgt.Shape()))
	}
	if src.Size(-1) != m.c.DModel || tgt.Size(-1) != m.c.DModel {
		tensor.Fail(m.Class(), "the feature number of src and tgt must be equal to d_model: src has shape %s, tgt %s, d_model is %d",
			list(src.Shape()), list(tgt.Shape()), m.c.DModel)
	}
	v := a.values
	memory := m.Run(0, src, v[2], v[5], v[8])
	return m.Run(1, tgt, memory, v[3], v[4], v[6], v[7], v[9], v[10])
}

// isCausal says whether a mask is known to hide just the future: said so, or equal to such a mask. Looking waits for the device, as it
// does in PyTorch.
func isCausal(mask tensor.Tensor, said lighter.Value, a arguments, i int, length int64) bool {
	if said != nil {
		return a.flag(i, false)
	}
	if !mask.Defined() || !mask.SameShape([]int64{length, length}) {
		return false
	}
	var hidden any = true
	if mask.IsFloat() {
		hidden = negativeInfinity
	}
	future := tensor.CallOne("triu", tensor.CallOne("full_like", mask, hidden), 1)
	return tensor.CallOne("all", mask.Eq(future)).Int() != 0
}

// lengthOf is the number of steps of x.
func lengthOf(x tensor.Tensor, batchFirst bool) int64 {
	if x.Dim() == 3 && batchFirst {
		return x.Size(1)
	}
	return x.Size(0)
}
