package model

import (
	"fmt"
	"math"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("rnn", "RNNCell", RNNCell{Cell: Cell{Bias: true}, Nonlinearity: "tanh"})
	layer("rnn", "LSTMCell", GatedCell{Cell: Cell{Bias: true}, class: "LSTMCell", op: "lstm_cell", gates: 4})
	layer("rnn", "GRUCell", GatedCell{Cell: Cell{Bias: true}, class: "GRUCell", op: "gru_cell", gates: 3})
}

// Cell holds the arguments of one step of a recurrent network: input [batch, input_size] or [input_size], and a state.
type Cell struct {
	InputSize  int64 `cfg:"input_size,required,aka=in_features|input_dim" help:"size of the input"`
	HiddenSize int64 `cfg:"hidden_size,required,aka=hidden_dim|out_features" help:"size of the state"`
	Bias       bool  `cfg:"bias" help:"learn additive biases"`
}

// Validate implements the registry's Validator.
func (c Cell) Validate() error {
	return notNegative("input_size", c.InputSize, "hidden_size", c.HiddenSize)
}

// RNNCell is torch.nn.RNNCell: tanh(W_ih·x + b_ih + W_hh·h + b_hh), or relu.
type RNNCell struct {
	Cell
	Nonlinearity string `cfg:"nonlinearity" oneof:"tanh|relu" help:"what is applied to the state"`
	Factory
}

// Build implements the registry's Builder.
func (c RNNCell) Build(*lighter.Env) (lighter.Module, error) {
	return c.Cell.build(c.Factory, "RNNCell", "rnn_"+c.Nonlinearity+"_cell", 1)
}

// GatedCell is torch.nn.LSTMCell, whose state is the pair (h, c), and torch.nn.GRUCell.
type GatedCell struct {
	Cell
	Factory

	class, op string
	gates     int64
}

// Build implements the registry's Builder.
func (c GatedCell) Build(*lighter.Env) (lighter.Module, error) {
	return c.Cell.build(c.Factory, c.class, c.op, c.gates)
}

func (c Cell) build(f Factory, class, op string, gates int64) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	m := &cell{c: c, op: op}
	m.SetClass(target(class))
	bound := 0.0
	if c.HiddenSize > 0 {
		bound = 1 / math.Sqrt(float64(c.HiddenSize))
	}
	add := func(name string, i int, shape ...int64) {
		t := f.empty(shape...)
		uniform(t, bound)
		m.parameter(name, &m.weights[i], t)
	}
	add("weight_ih", 0, gates*c.HiddenSize, c.InputSize)
	add("weight_hh", 1, gates*c.HiddenSize, c.HiddenSize)
	if c.Bias {
		add("bias_ih", 2, gates*c.HiddenSize)
		add("bias_hh", 3, gates*c.HiddenSize)
	}
	return m, nil
}

type cell struct {
	weighted
	c       Cell
	op      string
	weights [4]tensor.Tensor // the biases may be undefined
}

// Signature names the arguments of Forward.
func (*cell) Signature() string { return "input, hx=" }

func (m *cell) Forward(in ...lighter.Value) lighter.Value {
	a := signature(m.Signature()).take(&m.Node, in)
	x := a.tensor(0)
	batched := m.check("input", x)
	var hx []tensor.Tensor
	switch {
	case !a.given(1):
	case m.op == "lstm_cell":
		hx = a.twoTensors(1)
	default:
		hx = []tensor.Tensor{a.tensor(1)}
	}
	for i, h := range hx {
		name := "hidden"
		if m.op == "lstm_cell" {
			name = fmt.Sprintf("hx[%d]", i)
		}
		m.check(name, h)
	}
	if !batched {
		x = tensor.CallOne("unsqueeze", x, 0)
		for i := range hx {
			hx[i] = tensor.CallOne("unsqueeze", hx[i], 0)
		}
	}
	if hx == nil {
		zeros := tensor.Zeros([]int64{x.Size(0), m.c.HiddenSize}, x.DType(), x.Device())
		hx = []tensor.Tensor{zeros, zeros}
	}
	var state any = hx[0]
	if m.op == "lstm_cell" {
		state = hx
	}
	w := &m.weights
	out := tensor.Call(m.op, x, state, w[0], w[1], w[2], w[3])
	if !batched {
		for i := range out {
			out[i] = tensor.CallOne("squeeze", out[i], 0)
		}
	}
	if m.op == "lstm_cell" {
		return lighter.List(out)
	}
	return out[0]
}

// check refuses other than one or two dimensions and says whether there are two.
func (m *cell) check(name string, t tensor.Tensor) (batched bool) {
	d := t.Dim()
	if d != 1 && d != 2 {
		tensor.Fail(m.Class(), "Expected %s to be 1D or 2D, got %dD instead", name, d)
	}
	return d == 2
}
