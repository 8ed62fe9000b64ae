package mine

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// Jitter adds normal noise to a tensor.
type Jitter struct {
	Std float64 `cfg:"std" help:"standard deviation of the noise"`
}

func init() { lighter.Register[lighter.Transform]("mine.Jitter", Jitter{Std: 0.01}) }

func (c Jitter) Validate() error {
	if !(c.Std >= 0) {
		return lighter.FieldError("std", "must not be negative, got %v", c.Std)
	}
	return nil
}

func (c Jitter) Build(*lighter.Env) (lighter.Transform, error) { return jitter(c), nil }

type jitter Jitter

// Apply draws from r alone, so that the same seed gives the same run.
func (j jitter) Apply(v lighter.Value, r lighter.Rand) (lighter.Value, error) {
	t, ok := v.(tensor.Tensor)
	if !ok {
		return nil, fmt.Errorf("mine.Jitter takes a Tensor, got %s", lighter.TypeName(v))
	}
	return t.Add(r.NormalTensor(t.Shape()...).MulScalar(j.Std)), nil
}
