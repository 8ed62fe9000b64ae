package model

import (
	"strings"
	"testing"

	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/internal/registry/registrytest"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

func TestMain(m *testing.M) { tensortest.Main(m) }

// The examples are the first case of each class in the fixtures.
func TestEveryLayerKeepsTheContract(t *testing.T) {
	tensortest.Scope(t)
	type args = registrytest.Args
	examples := map[string]args{
		"torch.nn.ModuleList":                     {"modules": []any{dense(t, 2, 2)}},
		"torch.nn.ModuleDict":                     {"modules": &config.Dict{Keys: []any{"a"}, Values: []any{dense(t, 2, 2)}}},
		"torch.nn.ParameterList":                  {"values": []any{ones(2)}},
		"torch.nn.utils.rnn.pack_padded_sequence": {"input": ones(3, 2), "lengths": []any{int64(3), int64(1)}},
		"torch.nn.utils.rnn.pad_packed_sequence":  {"sequence": packPadded(ones(3, 2), tensor.FromSlice([]int64{3, 1}, 2), false, true)},
		"torch.nn.ParameterDict":                  {"parameters": &config.Dict{Keys: []any{"a"}, Values: []any{ones(2)}}},
	}
	var calls []tensortest.Call
	for _, family := range layerFamilies(t) {
		for _, c := range tensortest.Load[layerCase](t, family) {
			calls = append(calls, c.Call)
		}
	}
	for _, c := range tensortest.Load[lossCase](t, "loss") {
		calls = append(calls, c.Call)
	}
	for _, c := range tensortest.Load[functionCase](t, "functional") {
		calls = append(calls, c.Call)
	}
	for _, c := range calls {
		if strings.HasPrefix(c.Target, "torch.nn.") && examples[c.Target] == nil {
			e, _ := registry.Lookup(c.Target)
			if e == nil {
				t.Errorf("%s is not registered", c.Target)
				continue
			}
			positional, _ := c.Args.V.([]any)
			kwargs, _ := c.Kwargs.V.(map[string]any)
			examples[c.Target] = namedArgs(t, e, positional, kwargs)
		}
	}
	registrytest.Contract(t, "torch.nn.", examples)
}
