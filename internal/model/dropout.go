package model

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("dropout", "Dropout", Dropout{P: 0.5, class: "Dropout", op: "dropout"})
	layer("dropout", "Dropout2d", Dropout{P: 0.5, class: "Dropout2d", op: "feature_dropout"})
}

// Dropout zeroes elements, or whole channels, at random in training and scales the rest by 1/(1-p); in evaluation it does
// nothing.
type Dropout struct {
	P       float64 `cfg:"p,aka=rate|prob|dropout|dropout_rate|drop_rate" help:"probability of an element (a channel) to be zeroed"`
	Inplace bool    `cfg:"inplace" help:"overwrite the input"`

	class, op string
}

// Validate implements the registry's Validator.
func (c Dropout) Validate() error {
	if !(c.P >= 0 && c.P <= 1) {
		return lighter.FieldError("p", "dropout probability has to be between 0 and 1, but got %s", expr.Float(c.P))
	}
	return nil
}

// Build implements the registry's Builder.
func (c Dropout) Build(*lighter.Env) (lighter.Module, error) {
	return newFunction(c.class, func(m *lighter.Node, x tensor.Tensor) tensor.Tensor {
		if !m.Training() {
			return x
		}
		return apply(c.Inplace, c.op, x, c.P, true)
	}), nil
}
