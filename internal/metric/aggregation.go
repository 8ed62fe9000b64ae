package metric

import (
	"fmt"
	"math"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	warn := NaNStrategy{name: "warn"}
	for _, a := range aggregations {
		a.NaNStrategy, a.Options = warn, standard
		register(a.class, a, "torchmetrics", "torchmetrics.aggregation")
	}
	register("MeanMetric", MeanMetric{NaNStrategy: warn, Options: standard}, "torchmetrics", "torchmetrics.aggregation")
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

// clean puts instead into values where any of those given is NaN, or the strategy's own value, and gives where that was; removed
// is how many it left out.
func (s NaNStrategy) clean(name string, instead float64, values ...tensor.Tensor) (cleaned, nan, removed tensor.Tensor) {
	nan = tensor.CallOne("isnan", values[0])
	for _, v := range values[1:] {
		nan = tensor.CallOne("logical_or", nan, tensor.CallOne("isnan", v))
	}
	if s.name == "" {
		instead = s.value
	}
	removed = nan.Sum(tensor.Int64)
	if s.name == "error" && removed.Int() > 0 {
		tensor.Fail(name, "Encountered `nan` values in tensor")
	}
	return tensor.CallOne("masked_fill", values[0], nan, instead), nan, removed
}

// told warns of NaN that was left out, where the host waits for the value anyway.
func (s NaNStrategy) told(say *notice, removed tensor.Tensor) {
	if s.name == "warn" && removed.Int() > 0 {
		say.warn("Encountered `nan` values in tensor. Will be removed.")
	}
}

// aggregation is a metric of values alone: their sum, their largest, their least, or all of them.
type aggregation struct {
	class       string
	kind        kind
	start       float64 // the value of nothing, which NaN becomes too
	reduce      string
	doc         string
	NaNStrategy NaNStrategy `cfg:"nan_strategy" help:"error (waits for the device), warn, ignore, disable, or a float"`
	Options
}

var aggregations = []aggregation{
	{class: "SumMetric", kind: summed, reduce: "sum", doc: "The sum of all values."},
	{class: "MaxMetric", kind: largest, start: math.Inf(-1), reduce: "max", doc: "The largest of all values."},
	{class: "MinMetric", kind: least, start: math.Inf(1), reduce: "min", doc: "The least of all values."},
	{class: "CatMetric", kind: joined, doc: "All values, one after another."},
}

// Doc is the component's prose.
func (c aggregation) Doc() string { return c.doc }

// Build implements the registry's Builder.
func (c aggregation) Build(env *lighter.Env) (_ lighter.Metric, err error) {
	defer tensor.Recover(&err)
	device := scalar(c.start) // moves with the model
	states := []*state{{kind: c.kind, value: device}, {value: counter()}}
	m := &metric{name: c.class, accumulator: &accumulator{states: states, onCPU: c.ComputeOnCPU}}
	say := &notice{name: c.class, log: env.Log}
	m.update = func(parts []tensor.Tensor, pred, target lighter.Value) ([]tensor.Tensor, int64) {
		if target != nil {
			tensor.Fail(c.class, "%s.update() takes 2 positional arguments but 3 were given: it takes a value alone", c.class)
		}
		value := number(c.class, pred, device.Device())
		none := tensor.Zeros(nil, tensor.Int64, value.Device())
		removed := none
		switch {
		case c.NaNStrategy.name == "disable":
		case c.kind == joined && c.NaNStrategy.name != "": // taken out when the value is asked for
			_, _, removed = c.NaNStrategy.clean(c.class, 0, value)
		default:
			value, _, removed = c.NaNStrategy.clean(c.class, c.start, value)
		}
		if c.NaNStrategy.name == "" || c.NaNStrategy.name == "disable" {
			removed = none
		}
		switch {
		case c.kind == joined:
			value = value.Reshape(-1)
		case value.Numel() == 0:
			value = tensor.CallOne("full", []int64{}, c.start, tensor.Kwarg{Name: "device", Value: value.Device()})
		default:
			value = tensor.CallOne(c.reduce, value)
		}
		return append(parts, value, removed), 0
	}
	m.value = func(s []tensor.Tensor, _ int64) lighter.Value {
		c.NaNStrategy.told(say, s[1])
		if c.kind == joined && c.NaNStrategy.name != "" && c.NaNStrategy.name != "disable" {
			return tensor.CallOne("masked_select", s[0], tensor.CallOne("logical_not", tensor.CallOne("isnan", s[0])))
		}
		return s[0]
	}
	return m, nil
}

// MeanMetric is torchmetrics.MeanMetric: the mean of all values, weighted by the second argument when there is one.
type MeanMetric struct {
	NaNStrategy NaNStrategy `cfg:"nan_strategy" help:"error (waits for the device), warn, ignore, disable, or a float"`
	Options
}

// Doc is the component's prose.
func (MeanMetric) Doc() string {
	return "The mean of all values, weighted by the second argument when there is one."
}

// Build implements the registry's Builder.
func (c MeanMetric) Build(env *lighter.Env) (_ lighter.Metric, err error) {
	defer tensor.Recover(&err)
	const name = "MeanMetric"
	m := &metric{name: name, accumulator: &accumulator{states: sums(scalar(0), scalar(0), counter())}}
	device := m.states[0].value
	say := &notice{name: name, log: env.Log}
	m.update = func(parts []tensor.Tensor, pred, target lighter.Value) ([]tensor.Tensor, int64) {
		value := number(name, pred, device.Device())
		weight := tensor.CallOne("ones_like", value)
		if target != nil && c.NaNStrategy.name != "disable" { // torchmetrics then drops the weights
			weight = tensor.CallOne("broadcast_to", number(name, target, device.Device()), value.Shape())
		}
		removed := tensor.Zeros(nil, tensor.Int64, value.Device())
		if c.NaNStrategy.name != "disable" {
			counts := 1.0
			if c.NaNStrategy.name != "" {
				counts = 0
			}
			var nan tensor.Tensor
			value, nan, removed = c.NaNStrategy.clean(name, 0, value, weight)
			weight = tensor.CallOne("masked_fill", weight, nan, counts)
		}
		return append(parts, value.Mul(weight).Sum(tensor.Float32), weight.Sum(tensor.Float32), removed), 0
	}
	m.value = func(s []tensor.Tensor, _ int64) lighter.Value {
		c.NaNStrategy.told(say, s[2])
		return s[0].Div(s[1])
	}
	return m, nil
}

// number takes a tensor or a number as a float32 tensor.
func number(name string, v lighter.Value, d tensor.Device) tensor.Tensor {
	switch x := v.(type) {
	case float64:
		return tensor.FromSlice([]float32{float32(x)}).To(d, tensor.Float32)
	case int64:
		return tensor.FromSlice([]float32{float32(x)}).To(d, tensor.Float32)
	}
	t := lighter.TensorArg(name, []lighter.Value{v}, 0)
	return t.Detach().To(t.Device(), tensor.Float32)
}
