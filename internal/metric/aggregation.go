package metric

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	register("MeanMetric", MeanMetric{NaNStrategy: NaNStrategy{name: "warn"}}, "torchmetrics", "torchmetrics.aggregation")
}

// NaNStrategy is what becomes of NaN: "error", "warn", "ignore", "disable", or a float to take instead.
type NaNStrategy struct {
	name  string // "" when value is given
	value float64
}

// ConfigType implements the registry's Decoder.
func (*NaNStrategy) ConfigType() string { return `"error", "warn", "ignore", "disable" or a float` }

// DecodeConfig implements the registry's Decoder.
func (s *NaNStrategy) DecodeConfig(v any) error {
	switch x := v.(type) {
	case float64:
		*s = NaNStrategy{value: x}
		return nil
	case string:
		switch x {
		case "error", "warn", "ignore", "disable":
			*s = NaNStrategy{name: x}
			return nil
		}
	}
	//lint:ignore ST1005 torchmetrics' wording
	return fmt.Errorf("Arg `nan_strategy` should either be a float or one of ('error', 'warn', 'ignore', 'disable') but got %v.", v)
}

// MeanMetric is torchmetrics.MeanMetric: the mean of all values, weighted by the second argument when there is one.
type MeanMetric struct {
	NaNStrategy NaNStrategy `cfg:"nan_strategy" help:"error (waits for the device), warn, ignore, disable, or a float"`
}

// Build implements the registry's Builder.
func (c MeanMetric) Build(env *lighter.Env) (_ lighter.Metric, err error) {
	defer tensor.Recover(&err)
	scalar := func() tensor.Tensor { return tensor.Zeros(nil, tensor.Float32, tensor.Device{}) }
	m := &sums{name: "MeanMetric", states: []tensor.Tensor{scalar(), scalar(), counter(0)}}
	log, warned := env.Log, false
	m.update = func(parts []tensor.Tensor, pred, target lighter.Value) ([]tensor.Tensor, int64) {
		value := m.number(pred)
		weight := tensor.CallOne("ones_like", value)
		if target != nil {
			weight = tensor.CallOne("broadcast_to", m.number(target), value.Shape())
		}
		nan := tensor.CallOne("zeros_like", value, tensor.Kwarg{Name: "dtype", Value: tensor.Bool})
		if c.NaNStrategy.name != "disable" {
			nan = tensor.CallOne("logical_or", tensor.CallOne("isnan", value), tensor.CallOne("isnan", weight))
			replacement, counts := c.NaNStrategy.value, 1.0
			if c.NaNStrategy.name != "" {
				replacement, counts = 0, 0
			}
			value = tensor.CallOne("masked_fill", value, nan, replacement)
			weight = tensor.CallOne("masked_fill", weight, nan, counts)
		}
		removed := nan.Sum(tensor.Int64)
		if c.NaNStrategy.name == "error" && removed.Int() > 0 {
			tensor.Fail(m.name, "Encountered `nan` values in tensor")
		}
		return append(parts, value.Mul(weight).Sum(tensor.Float32), weight.Sum(tensor.Float32), removed), 0
	}
	m.compute = func(s []tensor.Tensor, _ int64) tensor.Tensor { return s[0].Div(s[1]) }
	return &meanMetric{sums: m, warn: func() {
		if c.NaNStrategy.name == "warn" && !warned && m.states[2].Int() > 0 {
			warned = true
			log.Warn().Msg("MeanMetric: Encountered `nan` values in tensor. They were removed.")
		}
	}}, nil
}

// meanMetric warns of NaN where the host waits for the value anyway.
type meanMetric struct {
	*sums
	warn func()
}

func (m *meanMetric) Compute() lighter.Value {
	m.warn()
	return m.sums.Compute()
}

// number takes a tensor or a number as a float32 tensor.
func (m *sums) number(v lighter.Value) tensor.Tensor {
	d := m.states[0].Device()
	switch x := v.(type) {
	case float64:
		return tensor.FromSlice([]float32{float32(x)}).To(d, tensor.Float32)
	case int64:
		return tensor.FromSlice([]float32{float32(x)}).To(d, tensor.Float32)
	}
	t := lighter.TensorArg(m.name, []lighter.Value{v}, 0)
	return t.Detach().To(t.Device(), tensor.Float32)
}
