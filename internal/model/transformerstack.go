package model

import (
	"fmt"
	"strconv"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("transformer", "TransformerEncoder", TransformerEncoder{EnableNestedTensor: true, MaskCheck: true})
	layer("transformer", "TransformerDecoder", TransformerDecoder{})
}

// TransformerEncoder is torch.nn.TransformerEncoder: copies of a layer on top of each other. Its forward is (src, mask,
// src_key_padding_mask, is_causal).
type TransformerEncoder struct {
	EncoderLayer       lighter.Module `cfg:"encoder_layer,required" help:"a torch.nn.TransformerEncoderLayer, which is copied"`
	NumLayers          int64          `cfg:"num_layers,required,aka=n_layers|depth" help:"number of copies"`
	Norm               lighter.Module `cfg:"norm" help:"applied to the output"`
	EnableNestedTensor bool           `cfg:"enable_nested_tensor" help:"in evaluation padded steps give zeros where PyTorch skips them"`
	MaskCheck          bool           `cfg:"mask_check" help:"look whether the padding is at the end before that"`
}

// Validate implements the registry's Validator.
func (c TransformerEncoder) Validate() error { return checkCopies(c.NumLayers) }

func checkCopies(n int64) error {
	if n < 1 {
		return lighter.FieldError("num_layers", "must be at least 1, got %d", n)
	}
	return nil
}

// Build implements the registry's Builder.
func (c TransformerEncoder) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	m, err := newEncoder(c.EncoderLayer, c.NumLayers, c.Norm, c.EnableNestedTensor)
	if err == nil {
		m.(*encoder).maskCheck = c.MaskCheck
	}
	return m, err
}

func newEncoder(first lighter.Module, n int64, norm lighter.Module, nested bool) (lighter.Module, error) {
	l, ok := first.(*encoderLayer)
	if !ok {
		return nil, lighter.FieldError("encoder_layer", "must be a torch.nn.TransformerEncoderLayer, got %s", first.Tree().Target())
	}
	m := &encoder{c: l.c, maskCheck: true}
	m.SetClass("torch.nn.TransformerEncoder")
	// Where PyTorch can work on the steps that are not padded alone.
	m.nested = nested && !l.c.NormFirst && l.c.BatchFirst && l.c.Bias && l.c.Activation.name != "" && l.c.NHead%2 == 0
	return m, m.fill(&m.Node, l.transformerLayer, n, norm)
}

// stack is the copies of a layer, as the child layers, and a norm.
type stack struct{ copies *moduleList }

func (s *stack) fill(m *lighter.Node, l *transformerLayer, n int64, norm lighter.Module) error {
	s.copies = newModuleList()
	for i := range n {
		c, err := l.clone()
		if err != nil {
			return err
		}
		s.copies.Add(strconv.FormatInt(i, 10), c)
	}
	m.Add("layers", s.copies)
	m.Add("norm", norm)
	return nil
}

// pass lets x through the layers and the norm; between is applied before the norm.
func (s *stack) pass(m *lighter.Node, x lighter.Value, between func(tensor.Tensor) tensor.Tensor, rest ...lighter.Value) lighter.Value {
	m.Enter(0)
	for i := range s.copies.Children() {
		x = s.copies.Run(i, append([]lighter.Value{x}, rest...)...)
	}
	m.Leave()
	if between != nil {
		x = between(x.(tensor.Tensor))
	}
	if len(m.Children()) > 1 {
		x = m.Run(1, x)
	}
	return x
}

// clone is a copy with the same weights, made without drawing: copy.deepcopy.
func (m *transformerLayer) clone() (_ lighter.Module, err error) {
	if a := m.c.Activation.module; a != nil && len(a.Tree().State()) > 0 {
		return nil, fmt.Errorf("%s: the activation %s has parameters, which the copies of the layer would share: use one without", m.Class(), a.Tree().Target())
	}
	s := tensor.Open()
	generator := tensor.RNGState(tensor.Device{}).Keep()
	s.Close()
	defer func() {
		tensor.SetRNGState(tensor.Device{}, generator)
		generator.Free()
	}()
	c, err := m.build(&lighter.Env{})
	if err != nil {
		return nil, err
	}
	from := map[string]tensor.Tensor{}
	for _, n := range m.State() {
		from[n.Name] = n.Value
	}
	tensor.NoGrad(func() {
		for _, n := range c.Tree().State() {
			n.Value.CopyInPlace(from[n.Name])
		}
	})
	return c, nil
}

type encoder struct {
	lighter.Node
	stack
	c                 TransformerLayer
	nested, maskCheck bool
}

// Signature names the arguments of Forward.
func (*encoder) Signature() string { return "src, mask=, src_key_padding_mask=, is_causal=" }

func (m *encoder) Forward(in ...lighter.Value) lighter.Value {
	a := signature(m.Signature()).take(&m.Node, in)
	src, given := a.tensor(0), a.tensor(1)
	mask, padding := floatMask("mask", given, src.DType()), a.tensor(2)
	var between func(tensor.Tensor) tensor.Tensor
	if m.skipsPadding(src, mask, padding) {
		between = func(x tensor.Tensor) tensor.Tensor {
			return tensor.CallOne("masked_fill", x, unsqueeze(padding, 2), 0.0)
		}
	}
	causal := isCausal(mask, a.values[3], a, 3, lengthOf(src, m.c.BatchFirst))
	return m.pass(&m.Node, src, between, orNull(mask), orNull(floatMask("src_key_padding_mask", padding, src.DType())), causal)
}

// skipsPadding says whether PyTorch would leave padded steps out, whose outputs are then zeros.
func (m *encoder) skipsPadding(src, mask, padding tensor.Tensor) bool {
	if !m.nested || m.Training() || src.Dim() != 3 || !padding.Defined() || padding.DType() != tensor.Bool || mask.Defined() {
		return false
	}
	if tensor.GradEnabled() {
		if src.RequiresGrad() {
			return false
		}
		for _, p := range m.copies.Params() {
			if p.Value.RequiresGrad() {
				return false
			}
		}
	}
	return !m.maskCheck || tensor.Call("_nested_tensor_from_mask_left_aligned", src, tensor.CallOne("logical_not", padding))[0].(bool)
}

// TransformerDecoder is torch.nn.TransformerDecoder: copies of a layer on top of each other. Its forward is (tgt, memory, tgt_mask,
// memory_mask, tgt_key_padding_mask, memory_key_padding_mask, tgt_is_causal, memory_is_causal).
type TransformerDecoder struct {
	DecoderLayer lighter.Module `cfg:"decoder_layer,required" help:"a torch.nn.TransformerDecoderLayer, which is copied"`
	NumLayers    int64          `cfg:"num_layers,required,aka=n_layers|depth" help:"number of copies"`
	Norm         lighter.Module `cfg:"norm" help:"applied to the output"`
}

// Validate implements the registry's Validator.
func (c TransformerDecoder) Validate() error { return checkCopies(c.NumLayers) }

// Build implements the registry's Builder.
func (c TransformerDecoder) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	return newDecoder(c.DecoderLayer, c.NumLayers, c.Norm, false)
}

func newDecoder(first lighter.Module, n int64, norm lighter.Module, _ bool) (lighter.Module, error) {
	l, ok := first.(*decoderLayer)
	if !ok {
		return nil, lighter.FieldError("decoder_layer", "must be a torch.nn.TransformerDecoderLayer, got %s", first.Tree().Target())
	}
	m := &decoder{c: l.c}
	m.SetClass("torch.nn.TransformerDecoder")
	return m, m.fill(&m.Node, l.transformerLayer, n, norm)
}

type decoder struct {
	lighter.Node
	stack
	c TransformerLayer
}

// Signature names the arguments of Forward.
func (*decoder) Signature() string { return string(decoderSignature) }

func (m *decoder) Forward(in ...lighter.Value) lighter.Value {
	a := decoderSignature.take(&m.Node, in)
	tgt, v := a.tensor(0), a.values
	causal := isCausal(a.tensor(2), v[6], a, 6, lengthOf(tgt, m.c.BatchFirst))
	return m.pass(&m.Node, tgt, nil, v[1], v[2], v[3], v[4], v[5], causal, a.flag(7, false))
}
