package model

import (
	"errors"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// A target that is no class is found, by sample and by its place in it; what is ignored, and what is no index, passes.
func TestCheckTarget(t *testing.T) {
	tensortest.Scope(t)
	zeros := func(shape ...int64) tensor.Tensor { return tensor.Zeros(shape, tensor.Float32, tensor.Device{}) }
	labels := func(v []int64, shape ...int64) tensor.Tensor { return tensor.FromSlice(v, shape...) }
	cross, nll, margin := CrossEntropyLoss{IgnoreIndex: -100}, NLLLoss{IgnoreIndex: 7, class: "NLLLoss"}, MultiMarginLoss{P: 1, Reduced: mean}
	for name, c := range map[string]struct {
		loss interface {
			Build(*lighter.Env) (lighter.Module, error)
		}
		pred, target tensor.Tensor
		sample       int // -1 for none
		want         string
	}{
		"fits":            {cross, zeros(3, 4), labels([]int64{0, 3, -100}, 3), -1, ""},
		"too great":       {cross, zeros(3, 4), labels([]int64{0, 4, 5}, 3), 1, "Target 4 is out of bounds: the prediction has 4 classes, so targets must be from 0 to 3"},
		"negative":        {cross, zeros(3, 4), labels([]int64{0, 3, -1}, 3), 2, "Target -1 is out of bounds"},
		"ignored":         {nll, zeros(2, 4), labels([]int64{7, 0}, 2), -1, ""},
		"not ignored":     {nll, zeros(2, 4), labels([]int64{7, -100}, 2), 1, "Target -100"},
		"no ignored one":  {margin, zeros(2, 4), labels([]int64{0, -100}, 2), 1, "Target -100"},
		"masks":           {cross, zeros(2, 3, 2, 2), labels([]int64{0, 1, 2, 0, 0, 0, 3, 0}, 2, 2, 2), 1, "Target 3 is out of bounds (at element 2 of its target)"},
		"one sample":      {cross, zeros(3), labels([]int64{3}), 0, "Target 3 is out of bounds: the prediction has 3 classes"},
		"probabilities":   {cross, zeros(2, 4), zeros(2, 4), -1, ""},
		"another's error": {BCELoss{Reduced: mean}, zeros(2, 4), labels([]int64{9, 9}, 2), -1, ""},
	} {
		m, err := c.loss.Build(&lighter.Env{})
		if err != nil {
			t.Fatal(err)
		}
		err = m.(lighter.TargetChecker).CheckTarget(c.pred, c.target)
		var fault *lighter.SampleError
		switch {
		case c.sample < 0 && err != nil:
			t.Errorf("%s: got %v", name, err)
		case c.sample >= 0 && (!errors.As(err, &fault) || fault.K != c.sample || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: got %v (%+v), want %q of sample %d", name, err, fault, c.want, c.sample)
		}
	}
}
