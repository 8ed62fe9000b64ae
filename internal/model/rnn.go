package model

import (
	"fmt"
	"math"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("rnn", "RNN", RNN{Layers: Layers{NumLayers: 1}, Nonlinearity: "tanh", Recurrence: Recurrence{Bias: true}})
	layer("rnn", "LSTM", LSTM{Layers: Layers{NumLayers: 1}, Recurrence: Recurrence{Bias: true}})
	layer("rnn", "GRU", GRU{Layers: Layers{NumLayers: 1}, Recurrence: Recurrence{Bias: true}})
}

// Layers are the sizes of a recurrent network.
type Layers struct {
	InputSize  int64 `cfg:"input_size,required,aka=in_features|input_dim|in_size" help:"size of each step of the input"`
	HiddenSize int64 `cfg:"hidden_size,required,aka=hidden_dim|hidden|out_features" help:"size of the hidden state"`
	NumLayers  int64 `cfg:"num_layers,aka=n_layers|layers" help:"networks on top of each other"`
}

// Recurrence are the options of a recurrent network.
type Recurrence struct {
	Bias          bool    `cfg:"bias" help:"learn additive biases"`
	BatchFirst    bool    `cfg:"batch_first" help:"input and output are [batch, length, size], not [length, batch, size]"`
	Dropout       float64 `cfg:"dropout" help:"probability of dropout on the output of each layer but the last"`
	Bidirectional bool    `cfg:"bidirectional" help:"a second network reads the sequence from its end"`
}

// RNN is torch.nn.RNN: h' = tanh(W_ih·x + b_ih + W_hh·h + b_hh), or relu. Its forward takes a tensor or a packed sequence and the
// state h; it gives the output of the last layer and the states.
type RNN struct {
	Layers
	Nonlinearity string `cfg:"nonlinearity" oneof:"tanh|relu" help:"what is applied to each state"`
	Recurrence
	Factory
}

// Validate implements the registry's Validator.
func (c RNN) Validate() error { return c.recurrent().validate() }

// Build implements the registry's Builder.
func (c RNN) Build(env *lighter.Env) (lighter.Module, error) { return c.recurrent().build(env) }

func (c RNN) recurrent() recurrent {
	return recurrent{c.Layers, c.Recurrence, c.Factory, 0, "RNN", "rnn_" + c.Nonlinearity, 1}
}

// GRU is torch.nn.GRU, with gates in the order reset, update, new.
type GRU struct {
	Layers
	Recurrence
	Factory
}

// Validate implements the registry's Validator.
func (c GRU) Validate() error { return c.recurrent().validate() }

// Build implements the registry's Builder.
func (c GRU) Build(env *lighter.Env) (lighter.Module, error) { return c.recurrent().build(env) }

func (c GRU) recurrent() recurrent {
	return recurrent{c.Layers, c.Recurrence, c.Factory, 0, "GRU", "gru", 3}
}

// LSTM is torch.nn.LSTM, with gates in the order input, forget, cell, output. Its state is the pair (h, c).
type LSTM struct {
	Layers
	Recurrence
	ProjSize int64 `cfg:"proj_size" help:"size the hidden state is projected to; 0 for none"`
	Factory
}

// Validate implements the registry's Validator.
func (c LSTM) Validate() error {
	switch {
	case c.ProjSize < 0:
		return lighter.FieldError("proj_size", "proj_size should be a positive integer or zero to disable projections")
	case c.ProjSize >= c.HiddenSize && c.HiddenSize > 0:
		return lighter.FieldError("proj_size", "proj_size has to be smaller than hidden_size")
	}
	return c.recurrent().validate()
}

// Build implements the registry's Builder.
func (c LSTM) Build(env *lighter.Env) (lighter.Module, error) { return c.recurrent().build(env) }

func (c LSTM) recurrent() recurrent {
	return recurrent{c.Layers, c.Recurrence, c.Factory, c.ProjSize, "LSTM", "lstm", 4}
}

// recurrent is what the three have in common.
type recurrent struct {
	Layers
	Recurrence
	Factory
	proj      int64 // size of the projected state, 0 for none
	class, op string
	gates     int64
}

func (c recurrent) validate() error {
	for _, f := range []struct {
		name string
		v    int64
	}{{"input_size", c.InputSize}, {"hidden_size", c.HiddenSize}, {"num_layers", c.NumLayers}} {
		if f.v <= 0 {
			return lighter.FieldError(f.name, "%s must be greater than zero", f.name)
		}
	}
	if !(c.Dropout >= 0 && c.Dropout <= 1) {
		return lighter.FieldError("dropout", "dropout should be a number in range [0, 1] representing the probability of an element being zeroed")
	}
	return nil
}

func (c recurrent) directions() int64 {
	if c.Bidirectional {
		return 2
	}
	return 1
}

// state is the size of the hidden state that goes from step to step.
func (c recurrent) state() int64 {
	if c.proj > 0 {
		return c.proj
	}
	return c.HiddenSize
}

func (c recurrent) build(env *lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	if c.Dropout > 0 && c.NumLayers == 1 {
		env.Log.Warn().Msgf("%s: dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects num_layers greater than 1, but got dropout=%s and num_layers=1",
			c.class, expr.Float(c.Dropout))
	}
	m := &rnn{recurrent: c}
	m.SetClass(target(c.class))
	type weight struct {
		name  string
		shape []int64
	}
	var weights []weight
	for l := range c.NumLayers {
		inputs := c.InputSize
		if l > 0 {
			inputs = c.state() * c.directions()
		}
		for _, suffix := range []string{"", "_reverse"}[:c.directions()] {
			suffix = fmt.Sprintf("_l%d%s", l, suffix)
			weights = append(weights, weight{"weight_ih" + suffix, []int64{c.gates * c.HiddenSize, inputs}},
				weight{"weight_hh" + suffix, []int64{c.gates * c.HiddenSize, c.state()}})
			if c.Bias {
				weights = append(weights, weight{"bias_ih" + suffix, []int64{c.gates * c.HiddenSize}}, weight{"bias_hh" + suffix, []int64{c.gates * c.HiddenSize}})
			}
			if c.proj > 0 {
				weights = append(weights, weight{"weight_hr" + suffix, []int64{c.proj, c.HiddenSize}})
			}
		}
	}
	m.weights = make([]tensor.Tensor, len(weights))
	for i, w := range weights {
		t := c.empty(w.shape...)
		uniform(t, 1/math.Sqrt(float64(c.HiddenSize)))
		m.parameter(w.name, &m.weights[i], t)
	}
	return m, nil
}

type rnn struct {
	weighted
	recurrent
	weights []tensor.Tensor
}

// Signature names the arguments of Forward.
func (*rnn) Signature() string { return "input, hx=" }

func (m *rnn) Forward(in ...lighter.Value) lighter.Value {
	a := signature(m.Signature()).take(&m.Node, in)
	if packed, ok := a.values[0].(*PackedSequence); ok {
		return m.forwardPacked(packed, a)
	}
	x := a.tensor(0)
	if d := x.Dim(); d != 2 && d != 3 {
		tensor.Fail(m.class, "Expected input to be 2D or 3D, got %dD instead", d)
	}
	batchDim, batched := 1, x.Dim() == 3
	if m.BatchFirst {
		batchDim = 0
	}
	if !batched {
		x = tensor.CallOne("unsqueeze", x, batchDim)
	}
	m.checkInput(x)
	hx := m.given(a, batched)
	if hx == nil {
		hx = m.zeros(x, x.Size(batchDim))
	}
	m.checkState(hx, x.Size(batchDim))
	args := []any{x, m.stateArg(hx), m.weights, m.Bias, m.NumLayers, m.Dropout, m.Training(), m.Bidirectional, m.BatchFirst}
	out := tensor.Call(m.op, args...)
	if !batched {
		out[0] = tensor.CallOne("squeeze", out[0], batchDim)
		for i := range out[1:] {
			out[i+1] = tensor.CallOne("squeeze", out[i+1], 1)
		}
	}
	return m.result(out[0], out[1:])
}

func (m *rnn) forwardPacked(p *PackedSequence, a arguments) lighter.Value {
	m.checkInput(p.Data)
	batch := p.batch()
	hx := m.given(a, true)
	if hx == nil {
		hx = m.zeros(p.Data, batch)
	} else {
		for i := range hx {
			hx[i] = permuted(hx[i], p.SortedIndices)
		}
	}
	m.checkState(hx, batch)
	out := tensor.Call(m.op, p.Data, p.BatchSizes, m.stateArg(hx), m.weights, m.Bias, m.NumLayers, m.Dropout, m.Training(), m.Bidirectional)
	for i := range out[1:] {
		out[i+1] = permuted(out[i+1].(tensor.Tensor), p.UnsortedIndices)
	}
	return m.result(&PackedSequence{out[0].(tensor.Tensor), p.BatchSizes, p.SortedIndices, p.UnsortedIndices}, out[1:])
}

// permuted is a state with its batch in another order; no order leaves it.
func permuted(t, order tensor.Tensor) tensor.Tensor {
	if !order.Defined() {
		return t
	}
	return t.IndexSelect(1, order)
}

// given is the state of a call, nil when there is none; one tensor, or LSTM's two.
func (m *rnn) given(a arguments, batched bool) []tensor.Tensor {
	if !a.given(1) {
		return nil
	}
	hx := m.states(a)
	for i, h := range hx {
		want, as := 3, "batched 3-D"
		if !batched {
			want, as = 2, "unbatched 2-D"
		}
		if h.Dim() != want {
			tensor.Fail(m.class, "For %s input, hx should also be %d-D but got %d-D tensor", as, want, h.Dim())
		}
		if !batched {
			hx[i] = tensor.CallOne("unsqueeze", h, 1)
		}
	}
	return hx
}

func (m *rnn) states(a arguments) []tensor.Tensor {
	if m.op != "lstm" {
		return []tensor.Tensor{a.tensor(1)}
	}
	return a.twoTensors(1)
}

// zeros is the state at first.
func (m *rnn) zeros(x tensor.Tensor, batch int64) []tensor.Tensor {
	sizes := []int64{m.state()}
	if m.op == "lstm" {
		sizes = append(sizes, m.HiddenSize)
	}
	var hx []tensor.Tensor
	for _, size := range sizes {
		hx = append(hx, tensor.Zeros([]int64{m.NumLayers * m.directions(), batch, size}, x.DType(), x.Device()))
	}
	return hx
}

func (m *rnn) checkInput(x tensor.Tensor) {
	if got := x.Size(-1); got != m.InputSize {
		tensor.Fail(m.class, "input.size(-1) must be equal to input_size. Expected %d, got %d (input of shape %s)", m.InputSize, got, list(x.Shape()))
	}
}

func (m *rnn) checkState(hx []tensor.Tensor, batch int64) {
	for i, h := range hx {
		want, name := []int64{m.NumLayers * m.directions(), batch, m.state()}, "hidden"
		if m.op == "lstm" {
			name = fmt.Sprintf("hidden[%d]", i)
		}
		if i == 1 {
			want[2] = m.HiddenSize
		}
		if !h.SameShape(want) {
			tensor.Fail(m.class, "Expected %s size %s, got %s", name, list(want), list(h.Shape()))
		}
	}
}

func (m *rnn) stateArg(hx []tensor.Tensor) any {
	if m.op == "lstm" {
		return hx
	}
	return hx[0]
}

// result is (output, h), or LSTM's (output, (h, c)).
func (m *rnn) result(output any, states []any) lighter.Value {
	if m.op == "lstm" {
		return lighter.List{output, lighter.List(states)}
	}
	return lighter.List{output, states[0]}
}

// reads is how often PyTorch's recurrent layers take a parametrized weight in a forward pass: to see whether it is another one, and then
// to take it.
func (m *rnn) reads() int { return 4 }
