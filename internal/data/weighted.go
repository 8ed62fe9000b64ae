package data

import (
	"fmt"
	"math"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// WeightedRandomSampler is torch.utils.data.WeightedRandomSampler: samples 0 to len(weights)-1, drawn by their weights.
type WeightedRandomSampler struct {
	Weights     Weights      `cfg:"weights,required" help:"a weight for each sample; their sum may be any"`
	NumSamples  int          `cfg:"num_samples,required" help:"samples of an epoch"`
	Replacement bool         `cfg:"replacement" help:"a sample may come more than once"`
	Generator   GeneratorArg `cfg:"generator" help:"a seed or a torch.Generator; the default generator when null"`
}

// Build checks what torch.multinomial would refuse.
func (c WeightedRandomSampler) Build(*lighter.Env) (_ Sampler, err error) {
	defer tensor.Recover(&err)
	if c.NumSamples <= 0 {
		return nil, positiveSamples(c.NumSamples)
	}
	positive, last := 0, -1
	for i, w := range c.Weights.values {
		if !(w >= 0) || math.IsInf(w, 1) {
			return nil, lighter.FieldError("weights", "probability tensor contains either `inf`, `nan` or element < 0: weight %d is %v", i, w)
		}
		if w > 0 {
			positive++
			last = i
		}
	}
	switch {
	case positive == 0:
		return nil, lighter.FieldError("weights", "invalid multinomial distribution (sum of probabilities <= 0): at least one weight must be greater than 0")
	case !c.Replacement && c.NumSamples > len(c.Weights.values):
		return nil, lighter.FieldError("num_samples", "cannot sample n_sample > prob_dist.size(-1) samples without replacement: num_samples=%d of %d weights", c.NumSamples, len(c.Weights.values))
	case !c.Replacement && c.NumSamples > positive:
		return nil, lighter.FieldError("num_samples", "cannot sample %d samples without replacement of the %d whose weights are greater than 0", c.NumSamples, positive)
	}
	return &weighted{weights: c.Weights.values, samples: c.NumSamples, replacement: c.Replacement, generator: c.Generator.generator(), last: int64(last)}, nil
}

type weighted struct {
	weights     []float64
	samples     int
	replacement bool
	generator   *Generator
	last        int64 // the last sample that can come
}

// Len is the number of samples of an epoch.
func (w *weighted) Len() int { return w.samples }

func (w *weighted) indices() []int64 { return []int64{w.last} }

func (w *weighted) ownGenerator() *Generator { return w.generator }

// Order is one torch.multinomial of float64 weights.
func (w *weighted) Order() (t tensor.Tensor) {
	w.generator.Draw(func() {
		t = tensor.CallOne("multinomial", tensor.FromSlice(w.weights, int64(len(w.weights))), w.samples, w.replacement)
	})
	return t
}

// Weights is a list of numbers or a tensor of them.
type Weights struct{ values []float64 }

// ConfigType implements [registry.Decoder].
func (*Weights) ConfigType() string { return "a list of numbers, or a tensor of one dimension" }

// DecodeConfig implements [registry.Decoder].
func (w *Weights) DecodeConfig(v any) error {
	*w = Weights{}
	switch x := v.(type) {
	case tensor.Tensor:
		if x.Dim() != 1 {
			return fmt.Errorf("weights should be a 1d sequence but given weights have shape %v", x.Shape())
		}
		w.values = tensor.Values[float64](x)
		return nil
	case []any:
		for i, item := range x {
			switch x := item.(type) {
			case int64:
				w.values = append(w.values, float64(x))
			case float64:
				w.values = append(w.values, x)
			default:
				return fmt.Errorf("must be %s: weight %d is %s", w.ConfigType(), i, registry.Describe(item))
			}
		}
		return nil
	}
	return fmt.Errorf("must be %s, got %s", w.ConfigType(), registry.Describe(v))
}

var (
	_ registry.Decoder = (*Weights)(nil)
	_ generating       = (*weighted)(nil)
	_ indexed          = (*weighted)(nil)
)

func init() {
	registry.Register[Sampler]("torch.utils.data.WeightedRandomSampler", WeightedRandomSampler{Replacement: true}, "torch.utils.data.sampler.WeightedRandomSampler")
}
