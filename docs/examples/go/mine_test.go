package mine

import (
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/lightertest"
	_ "github.com/lighter-go/lighter/runner" // the components of lighter, to build with
	"github.com/lighter-go/lighter/tensor"
)

func TestComponents(t *testing.T) {
	logits := func() tensor.Tensor { return tensor.FromSlice([]float32{2, -1, 0, 3, 1, 1, -2, 0.5}, 4, 2) }
	classes := func() tensor.Tensor { return tensor.FromSlice([]int64{0, 1, 1, 0}, 4) }
	lightertest.Run(t, "mine.",
		lightertest.Case{
			Target: "mine.Scale", Args: func() map[string]any { return map[string]any{"features": int64(2)} },
			Input: func() []lighter.Value { return []lighter.Value{logits()} },
		},
		lightertest.Case{Target: "mine.FocalLoss", Input: func() []lighter.Value { return []lighter.Value{logits(), classes()} }},
		lightertest.Case{Target: "mine.ErrorRate", Batches: func() [][2]lighter.Value {
			return [][2]lighter.Value{{logits(), classes()}, {logits().MulScalar(-1), classes()}, {logits().Narrow(0, 0, 1), classes().Narrow(0, 0, 1)}}
		}},
		lightertest.Case{Target: "mine.Jitter", Input: func() []lighter.Value { return []lighter.Value{logits()} }},
		lightertest.Case{Target: "mine.Classifier", Args: func() map[string]any {
			network, err := lighter.New[lighter.Module]("torch.nn.Linear", &lighter.Env{}, map[string]any{"in_features": int64(2), "out_features": int64(2)})
			if err != nil {
				t.Fatal(err)
			}
			return map[string]any{"network": network}
		}, Input: func() []lighter.Value { return []lighter.Value{logits()} }},
	)
}
