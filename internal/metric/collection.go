package metric

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	register("MetricCollection", MetricCollection{ComputeGroups: Groups{on: true}}, "torchmetrics", "torchmetrics.collections")
}

// MetricCollection is torchmetrics.MetricCollection: several metrics of the same predictions, logged under their class names
// or, from a mapping, its keys.
type MetricCollection struct {
	Metrics       Metrics          `cfg:"metrics,required" help:"a metric, a list of metrics, or a mapping of names to metrics"`
	Additional    []lighter.Metric `cfg:"additional_metrics,args" help:"more metrics, as positional arguments"`
	Prefix        *string          `cfg:"prefix" help:"put before each name"`
	Postfix       *string          `cfg:"postfix" help:"put after each name"`
	ComputeGroups Groups           `cfg:"compute_groups" help:"metrics that gather the same share it; or which may"`
}

// Metrics are metrics and their names.
type Metrics struct {
	items []item
	named bool // from a mapping
}

type item struct {
	name   string
	metric lighter.Metric
	shares bool // an earlier one's accumulator
}

// ConfigType implements the registry's Decoder.
func (*Metrics) ConfigType() string {
	return "a metric, a list of metrics or a mapping of names to metrics"
}

// DecodeConfig implements the registry's Decoder.
func (m *Metrics) DecodeConfig(v any) error {
	*m = Metrics{}
	switch x := v.(type) {
	case lighter.Metric:
		m.items = []item{{metric: x}}
		return nil
	case []any:
		for i, e := range x {
			metric, ok := e.(lighter.Metric)
			if !ok {
				//lint:ignore ST1005 torchmetrics' wording
				return fmt.Errorf("Input %d to `MetricCollection` is not a instance of `torchmetrics.Metric` or `torchmetrics.MetricCollection`", i)
			}
			m.items = append(m.items, item{metric: metric})
		}
		return nil
	case *config.Dict:
		m.named = true
		for i, k := range x.Keys {
			name := fmt.Sprint(k)
			metric, ok := x.Values[i].(lighter.Metric)
			if !ok {
				//lint:ignore ST1005 torchmetrics' wording
				return fmt.Errorf("Value belonging to key %s is not an instance of `torchmetrics.Metric` or `torchmetrics.MetricCollection`", name)
			}
			m.items = append(m.items, item{name: name, metric: metric})
		}
		slices.SortFunc(m.items, func(a, b item) int { return strings.Compare(a.name, b.name) })
		return nil
	}
	return fmt.Errorf("must be %s", m.ConfigType())
}

// CheckConfig implements the registry's Checker.
func (m *Metrics) CheckConfig(v any) error {
	items := []any{v}
	switch x := v.(type) {
	case []any:
		items = x
	case *config.Dict:
		items = x.Values
	}
	for _, item := range items {
		if !registry.Fits[lighter.Metric](item) {
			return fmt.Errorf("must be %s, got %s", m.ConfigType(), registry.Describe(item))
		}
	}
	return nil
}

// Build implements the registry's Builder.
func (c MetricCollection) Build(*lighter.Env) (lighter.Metric, error) {
	if c.Metrics.named && len(c.Additional) > 0 {
		return nil, lighter.FieldError("additional_metrics", "positional metrics are not compatible with a first mapping of metrics")
	}
	m := &collection{}
	items := c.Metrics.items
	for _, metric := range c.Additional {
		items = append(items, item{metric: metric})
	}
	seen := map[string]bool{}
	for _, it := range items {
		for _, one := range flatten(it) {
			if seen[one.name] {
				return nil, lighter.FieldError("metrics", "Encountered two metrics both named %s", one.name)
			}
			seen[one.name] = true
			m.items = append(m.items, one)
		}
	}
	if err := c.ComputeGroups.share(m.items); err != nil {
		return nil, err
	}
	for i := range m.items {
		m.items[i].name = pointed(c.Prefix) + m.items[i].name + pointed(c.Postfix)
	}
	return m, nil
}

func pointed(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// flatten names a metric, or those of a collection inside.
func flatten(it item) []item {
	inner, ok := it.metric.(*collection)
	if !ok {
		if it.name == "" {
			it.name = it.metric.Name()
		}
		return []item{it}
	}
	var out []item
	for _, one := range inner.items {
		if it.name != "" {
			one.name = it.name + "_" + one.name
		}
		out = append(out, one)
	}
	return out
}

type collection struct{ items []item }

func (m *collection) Name() string { return "MetricCollection" }

// Members implements lighter.MetricGroup.
func (m *collection) Members() []lighter.NamedMetric {
	out := make([]lighter.NamedMetric, len(m.items))
	for i, it := range m.items {
		out[i] = lighter.NamedMetric{Name: it.name, Metric: it.metric}
	}
	return out
}

// gathering visits the metrics that gather for themselves.
func (m *collection) gathering(visit func(it item)) {
	for _, it := range m.items {
		if !it.shares {
			visit(it)
		}
	}
}

func (m *collection) Update(pred, target lighter.Value) {
	m.gathering(func(it item) { it.metric.Update(pred, target) })
}

func (m *collection) Batch() lighter.Value   { return m.values(lighter.Metric.Batch) }
func (m *collection) Compute() lighter.Value { return m.values(lighter.Metric.Compute) }

func (m *collection) values(value func(lighter.Metric) lighter.Value) lighter.Value {
	out := make(lighter.Dict, len(m.items))
	for _, it := range m.items {
		out[it.name] = value(it.metric)
	}
	return out
}

func (m *collection) Reset() {
	m.gathering(func(it item) { it.metric.Reset() })
}

func (m *collection) States() []tensor.Tensor {
	var all []tensor.Tensor
	m.gathering(func(it item) { all = append(all, it.metric.States()...) })
	return all
}

func (m *collection) StateDict() lighter.Dict {
	d := make(lighter.Dict, len(m.items))
	m.gathering(func(it item) { d[it.name] = it.metric.StateDict() })
	return d
}

func (m *collection) LoadStateDict(d lighter.Dict) (err error) {
	m.gathering(func(it item) {
		state, ok := d[it.name].(lighter.Dict)
		switch {
		case err != nil:
		case !ok:
			err = fmt.Errorf("the state has no metric %q", it.name)
		default:
			if e := it.metric.LoadStateDict(state); e != nil {
				err = fmt.Errorf("metric %q: %w", it.name, e)
			}
		}
	})
	return err
}
