package runner_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/lightertest"
	"github.com/lighter-go/lighter/tensor"
)

// cases are what components need to be built, or to be tried with.
func cases() map[string]lightertest.Case {
	floats := func(shape ...int64) tensor.Tensor {
		n := int64(1)
		for _, d := range shape {
			n *= d
		}
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(i%7)/7 - float32(i%3)/5
		}
		return tensor.FromSlice(v, shape...)
	}
	pairs := func() [][2]lighter.Value {
		return [][2]lighter.Value{{floats(4), floats(6).Narrow(0, 2, 4)}, {floats(3).MulScalar(-1), floats(3)}, {floats(5), floats(9).Narrow(0, 4, 5)}}
	}
	classes := func() [][2]lighter.Value {
		target := tensor.FromSlice([]int64{0, 2, 1, 2, 0, 1, 1}, 7)
		return [][2]lighter.Value{
			{floats(4, 3).Softmax(1), target.Narrow(0, 0, 4)}, {floats(2, 3).MulScalar(-1).Softmax(1), target.Narrow(0, 4, 2)}, {floats(1, 3).Softmax(1), target.Narrow(0, 6, 1)},
		}
	}
	task := func(more ...any) func() map[string]any {
		return func() map[string]any {
			args := map[string]any{"task": "multiclass", "num_classes": int64(3)}
			for i := 0; i < len(more); i += 2 {
				args[more[i].(string)] = more[i+1]
			}
			return args
		}
	}
	all := map[string]lightertest.Case{
		"torch.optim.SparseAdam": {Loss: func(p tensor.Tensor) tensor.Tensor {
			index := tensor.FromSlice([]int64{0}, 1)
			row := tensor.CallOne("embedding", p, index, int64(-1), false, true)
			return row.Mul(row).Sum(tensor.Float32)
		}, Args: func() map[string]any {
			return map[string]any{"params": []any{floats(3, 2).AddScalar(1).SetRequiresGrad(true)}}
		}},
		"torch.optim.Muon": {Args: func() map[string]any {
			return map[string]any{"params": []any{floats(2, 3).AddScalar(1).SetRequiresGrad(true)}}
		}},
		"torch.optim.lr_scheduler.ExponentialLR": {Args: func() map[string]any { return map[string]any{"gamma": 0.9} }},
		"torch.optim.lr_scheduler.StepLR":        {Args: func() map[string]any { return map[string]any{"step_size": int64(2)} }},
		"torch.optim.lr_scheduler.CosineAnnealingLR": {Args: func() map[string]any {
			return map[string]any{"T_max": int64(5)}
		}},
		"torch.nn.Linear": {
			Args:  func() map[string]any { return map[string]any{"in_features": int64(3), "out_features": int64(2)} },
			Input: func() []lighter.Value { return []lighter.Value{floats(2, 3)} },
		},
		"torch.nn.BatchNorm1d": {
			Args:  func() map[string]any { return map[string]any{"num_features": int64(3)} },
			Input: func() []lighter.Value { return []lighter.Value{floats(4, 3)} },
		},
		"torch.nn.CrossEntropyLoss":                   {Input: func() []lighter.Value { b := classes()[0]; return []lighter.Value{b[0], b[1]} }},
		"torchvision.transforms.RandomHorizontalFlip": {Input: func() []lighter.Value { return []lighter.Value{floats(3, 4, 5)} }},
		"torchvision.transforms.Normalize": {
			Args: func() map[string]any {
				half := []any{0.5, 0.5, 0.5}
				return map[string]any{"mean": half, "std": half}
			},
			Input: func() []lighter.Value { return []lighter.Value{floats(3, 4, 5)} },
		},
	}
	for _, name := range []string{"MeanSquaredError", "MeanAbsoluteError", "R2Score"} {
		all["torchmetrics."+name] = lightertest.Case{Batches: pairs}
	}
	for _, name := range []string{"Accuracy", "Precision", "Recall", "F1Score", "Specificity", "StatScores", "JaccardIndex", "ConfusionMatrix"} {
		all["torchmetrics."+name] = lightertest.Case{Args: task("average", "macro"), Batches: classes}
	}
	all["torchmetrics.StatScores"] = lightertest.Case{Args: task(), Batches: classes}
	all["torchmetrics.ConfusionMatrix"] = lightertest.Case{Args: task(), Batches: classes}
	return all
}

// elsewhere are components whose package tests them with registrytest, as the defaults of their arguments do not build them or they
// take any value, and a large data set.
var elsewhere = []string{
	"lighter.callbacks.Freezer", "pytorch_lightning.Trainer", "torch.arange", "torch.randint", "torch.nn.Transformer", "torch.nn.Upsampl",
	"torchmetrics.classification.Multiclass", "torch.utils.data.StackDataset", "torchvision.datasets.FakeData", "torchvision.models.",
}

// TestEveryComponentKeepsTheContract runs the contract that users run on their components over all of lighter's that build from
// their defaults or a case.
func TestEveryComponentKeepsTheContract(t *testing.T) {
	given, ran := cases(), 0
	for _, e := range registry.All() {
		c, has := given[e.Target]
		c.Target = e.Target
		needs := slices.ContainsFunc(e.Fields, func(f registry.Field) bool {
			return f.Required && f.Type.String() != "lighter.Params" && f.Type.String() != "lighter.Optimizer"
		})
		skipped := slices.ContainsFunc(elsewhere, func(prefix string) bool { return strings.HasPrefix(e.Target, prefix) })
		if !e.Own() || strings.HasPrefix(e.Target, "test.") || !has && (needs || skipped) {
			continue
		}
		ran++
		lightertest.RunOne(t, c)
	}
	if ran < 100 {
		t.Errorf("only %d components were tried", ran)
	}
}
