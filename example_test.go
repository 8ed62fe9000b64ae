package lighter_test

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// Double is a layer: its arguments, their defaults, and what they build.
type Double struct {
	Times int `cfg:"times" help:"how often to double"`
}

func init() { lighter.Register[lighter.Module]("mine.Double", Double{Times: 1}) }

func (c Double) Build(*lighter.Env) (lighter.Module, error) {
	m := &double{times: c.Times}
	m.SetClass("mine.Double")
	return m, nil
}

type double struct {
	lighter.Node
	times int
}

func (m *double) Forward(in ...lighter.Value) lighter.Value {
	x := lighter.TensorArg(m.Class(), in, 0)
	for range m.times {
		x = x.Add(x)
	}
	return x
}

func ExampleRegister() {
	defer tensor.Open().Close() // frees what is made here
	layer, err := lighter.New[lighter.Module]("mine.Double", &lighter.Env{}, map[string]any{"times": int64(3)})
	if err != nil {
		panic(err)
	}
	y := layer.Forward(tensor.FromSlice([]float32{1, 2}, 2)).(tensor.Tensor)
	fmt.Println(tensor.Values[float32](y))
	// Output: [8 16]
}

func ExampleNew_wrong() {
	_, err := lighter.New[lighter.Module]("mine.Double", &lighter.Env{}, map[string]any{"times": "often"})
	fmt.Println(err)
	// Output: times of mine.Double must be an int, got the str "often"
}
