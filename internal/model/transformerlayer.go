package model

import (
	"fmt"
	"math"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

var negativeInfinity = math.Inf(-1)

func init() {
	l := TransformerLayer{Block: block(), Order: Order{LayerNormEps: 1e-5, Bias: true}}
	layer("transformer", "TransformerEncoderLayer", TransformerEncoderLayer{l})
	layer("transformer", "TransformerDecoderLayer", TransformerDecoderLayer{l})
}

// Activate is the `activation` of a transformer: a name, a module or a function.
type Activate struct {
	name     string         // relu or gelu
	module   lighter.Module // or a module
	function lighter.Module // or a function
}

// ConfigType implements the registry's Decoder.
func (*Activate) ConfigType() string { return "relu, gelu, a module or a function" }

// DecodeConfig implements the registry's Decoder.
func (a *Activate) DecodeConfig(v any) error {
	switch x := v.(type) {
	case string:
		if x != "relu" && x != "gelu" {
			return fmt.Errorf("activation should be relu/gelu, not %s", x)
		}
		a.named(x)
		return nil
	case lighter.Module:
		*a = Activate{module: x}
		switch x.Tree().Target() {
		case target("ReLU"):
			a.name = "relu"
		case target("GELU"):
			a.name = "gelu"
		}
		return nil
	case registry.Func:
		*a = Activate{function: lighter.Callable(x)}
		return nil
	}
	return fmt.Errorf("activation must be %s, got %s", a.ConfigType(), registry.Describe(v))
}

// CheckConfig implements the registry's Checker.
func (a *Activate) CheckConfig(v any) error {
	if registry.Fits[lighter.Module](v) {
		return nil
	}
	return a.DecodeConfig(v)
}

func (a *Activate) named(name string) { *a = Activate{name: name} }

// String is the default as a configuration has it.
func (a Activate) String() string { return a.name }

// TransformerLayer holds the arguments of both kinds of layers.
type TransformerLayer struct {
	DModel int64 `cfg:"d_model,required,aka=embed_dim|hidden_size" help:"size of each step"`
	NHead  int64 `cfg:"nhead,required,aka=num_heads|n_heads" help:"heads of attention"`
	Block
	Order
	Factory
}

// Validate implements the registry's Validator.
func (c TransformerLayer) Validate() error {
	if err := checkHeads("d_model", c.DModel, "nhead", c.NHead); err != nil {
		return err
	}
	if err := checkProbability("dropout", c.Dropout); err != nil {
		return err
	}
	return notNegative("dim_feedforward", c.DimFeedforward)
}

func (c TransformerLayer) norm(env *lighter.Env) (lighter.Module, error) {
	return LayerNorm{NormalizedShape: Shape{c.DModel}, Eps: c.LayerNormEps, ElementwiseAffine: true, Bias: c.Bias, Factory: c.Factory}.Build(env)
}

// transformerLayer is what both kinds of layers are: attentions, then a feed-forward part, each with a norm.
type transformerLayer struct {
	lighter.Node
	c          TransformerLayer
	build      func(*lighter.Env) (lighter.Module, error)
	activation tensorFunc // nil when it is a child
	// Places of the children.
	linear1, dropout, linear2, norms, dropouts, act int
}

type tensorFunc = func(x tensor.Tensor) tensor.Tensor

// assemble adds the children in PyTorch's order.
func (c TransformerLayer) assemble(env *lighter.Env, class string, build func(*lighter.Env) (lighter.Module, error), attentions ...string) (_ *transformerLayer, err error) {
	defer tensor.Recover(&err)
	m := &transformerLayer{c: c, build: build}
	m.SetClass(target(class))
	add := func(name string, child lighter.Module, e error) int {
		if e != nil && err == nil {
			err = e
		}
		m.Add(name, child)
		return len(m.Children()) - 1
	}
	dropout := func() (lighter.Module, error) {
		return Dropout{P: c.Dropout, class: "Dropout", op: "dropout"}.Build(env)
	}
	dense := func(in, out int64) (lighter.Module, error) {
		return Linear{InFeatures: in, OutFeatures: out, Bias: c.Bias, Factory: c.Factory}.Build(env)
	}
	for _, name := range attentions {
		a := MultiheadAttention{EmbedDim: c.DModel, NumHeads: c.NHead, Dropout: c.Dropout, Bias: c.Bias, BatchFirst: c.BatchFirst, Factory: c.Factory}
		child, e := a.Build(env)
		add(name, child, e)
	}
	child, e := dense(c.DModel, c.DimFeedforward)
	m.linear1 = add("linear1", child, e)
	child, e = dropout()
	m.dropout = add("dropout", child, e)
	child, e = dense(c.DimFeedforward, c.DModel)
	m.linear2 = add("linear2", child, e)
	m.norms = len(m.Children())
	for i := range len(attentions) + 1 {
		child, e = c.norm(env)
		add(fmt.Sprintf("norm%d", i+1), child, e)
	}
	m.dropouts = len(m.Children())
	for i := range len(attentions) + 1 {
		child, e = dropout()
		add(fmt.Sprintf("dropout%d", i+1), child, e)
	}
	switch {
	case c.Activation.module != nil:
		m.act = add("activation", c.Activation.module, nil)
	case c.Activation.function != nil:
		m.activation = func(x tensor.Tensor) tensor.Tensor {
			return lighter.TensorArg(m.Class(), lighter.List{c.Activation.function.Forward(x)}, 0)
		}
	case c.Activation.name == "gelu":
		m.activation = func(x tensor.Tensor) tensor.Tensor { return tensor.CallOne("gelu", x) }
	default:
		m.activation = tensor.Tensor.Relu
	}
	return m, err
}

func (m *transformerLayer) child(i int, in ...lighter.Value) tensor.Tensor {
	return lighter.TensorArg(m.Class(), lighter.List{m.Run(i, in...)}, 0)
}

// block adds what f makes of x to it, with norm i before or after, and dropout i.
func (m *transformerLayer) block(i int, x tensor.Tensor, f tensorFunc) tensor.Tensor {
	if m.c.NormFirst {
		return x.Add(m.child(m.dropouts+i, f(m.child(m.norms+i, x))))
	}
	return m.child(m.norms+i, x.Add(m.child(m.dropouts+i, f(x))))
}

// attend is attention i, without its weights.
func (m *transformerLayer) attend(i int, x, memory tensor.Tensor, mask, padding lighter.Value, causal bool) tensor.Tensor {
	out := m.Run(i, x, memory, memory, padding, false, mask, true, causal)
	return out.(lighter.List)[0].(tensor.Tensor)
}

func (m *transformerLayer) feedForward(x tensor.Tensor) tensor.Tensor {
	x = m.child(m.linear1, x)
	if m.activation != nil {
		x = m.activation(x)
	} else {
		x = m.child(m.act, x)
	}
	return m.child(m.linear2, m.child(m.dropout, x))
}

// TransformerEncoderLayer is torch.nn.TransformerEncoderLayer. Its forward is (src, src_mask, src_key_padding_mask, is_causal).
type TransformerEncoderLayer struct{ TransformerLayer }

// Build implements the registry's Builder.
func (c TransformerEncoderLayer) Build(env *lighter.Env) (lighter.Module, error) {
	return c.encoder(env)
}

func (c TransformerLayer) encoder(env *lighter.Env) (lighter.Module, error) {
	m, err := c.assemble(env, "TransformerEncoderLayer", c.encoder, "self_attn")
	if err != nil {
		return nil, err
	}
	return &encoderLayer{m}, nil
}

type encoderLayer struct{ *transformerLayer }

// Signature names the arguments of Forward.
func (*encoderLayer) Signature() string { return "src, src_mask=, src_key_padding_mask=, is_causal=" }

func (m *encoderLayer) Forward(in ...lighter.Value) lighter.Value {
	a := signature(m.Signature()).take(&m.Node, in)
	mask, padding, causal := a.values[1], a.values[2], a.flag(3, false)
	x := m.block(0, a.tensor(0), func(x tensor.Tensor) tensor.Tensor { return m.attend(0, x, x, mask, padding, causal) })
	return m.block(1, x, m.feedForward)
}

// TransformerDecoderLayer is torch.nn.TransformerDecoderLayer. Its forward is (tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask,
// memory_key_padding_mask, tgt_is_causal, memory_is_causal).
type TransformerDecoderLayer struct{ TransformerLayer }

// Build implements the registry's Builder.
func (c TransformerDecoderLayer) Build(env *lighter.Env) (lighter.Module, error) {
	return c.decoder(env)
}

func (c TransformerLayer) decoder(env *lighter.Env) (lighter.Module, error) {
	m, err := c.assemble(env, "TransformerDecoderLayer", c.decoder, "self_attn", "multihead_attn")
	if err != nil {
		return nil, err
	}
	return &decoderLayer{m}, nil
}

type decoderLayer struct{ *transformerLayer }

const decoderSignature = signature("tgt, memory, tgt_mask=, memory_mask=, tgt_key_padding_mask=, memory_key_padding_mask=, tgt_is_causal=, memory_is_causal=")

// Signature names the arguments of Forward.
func (*decoderLayer) Signature() string { return string(decoderSignature) }

func (m *decoderLayer) Forward(in ...lighter.Value) lighter.Value {
	a := decoderSignature.take(&m.Node, in)
	memory, v := a.tensor(1), a.values
	x := m.block(0, a.tensor(0), func(x tensor.Tensor) tensor.Tensor { return m.attend(0, x, x, v[2], v[4], a.flag(6, false)) })
	x = m.block(1, x, func(x tensor.Tensor) tensor.Tensor { return m.attend(1, x, memory, v[3], v[5], a.flag(7, false)) })
	return m.block(2, x, m.feedForward)
}
