package model

import (
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("dropout", "Dropout", Dropout{P: 0.5, class: "Dropout", op: "dropout"})
	layer("dropout", "Dropout1d", Dropout{P: 0.5, class: "Dropout1d", op: "feature_dropout", dims: []int{2, 3}, whole: 2})
	layer("dropout", "Dropout2d", Dropout{P: 0.5, class: "Dropout2d", op: "feature_dropout"})
	layer("dropout", "Dropout3d", Dropout{P: 0.5, class: "Dropout3d", op: "feature_dropout", whole: 4})
	layer("dropout", "AlphaDropout", Dropout{P: 0.5, class: "AlphaDropout", op: "alpha_dropout"})
	layer("dropout", "FeatureAlphaDropout", Dropout{P: 0.5, class: "FeatureAlphaDropout", op: "feature_alpha_dropout"})
}

// Dropout zeroes elements, or whole channels, at random in training and scales the rest by 1/(1-p); the alpha dropouts keep mean and
// variance instead. In evaluation it does nothing.
type Dropout struct {
	P       float64 `cfg:"p,aka=rate|prob|dropout|dropout_rate|drop_rate" help:"probability of an element (a channel) to be zeroed"`
	Inplace bool    `cfg:"inplace" help:"overwrite the input"`

	class, op string
	dims      []int // numbers of dimensions an input may have; nil for any
	whole     int   // that number of dimensions stands for one sample without a batch; 0 for none
}

// Validate implements the registry's Validator.
func (c Dropout) Validate() error { return checkProbability("p", c.P) }

func checkProbability(field string, p float64) error {
	if !(p >= 0 && p <= 1) {
		return lighter.FieldError(field, "dropout probability has to be between 0 and 1, but got %s", expr.Float(p))
	}
	return nil
}

// Build implements the registry's Builder.
func (c Dropout) Build(*lighter.Env) (lighter.Module, error) {
	return newFunction(c.class, func(m *lighter.Node, x tensor.Tensor) tensor.Tensor {
		d := x.Dim()
		if c.dims != nil && !slices.Contains(c.dims, d) {
			tensor.Fail(m.Class(), "Expected 2D or 3D input, but received a %dD input.", d)
		}
		if !m.Training() {
			return x
		}
		if d != c.whole {
			return apply(c.Inplace, c.op, x, c.P, true)
		}
		out := apply(c.Inplace, c.op, tensor.CallOne("unsqueeze", x, 0), c.P, true)
		return tensor.CallOne("squeeze", out, 0)
	}), nil
}
