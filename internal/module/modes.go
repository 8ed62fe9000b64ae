package module

import (
	"fmt"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/adapter"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/registry"
)

// modeNames are the keys of a System's mappings, in the order of the modes.
var modeNames = []string{"train", "val", "test", "predict"}

// eachMode visits the values of a mapping by mode; those of null are left out.
func eachMode(v any, known []string, want string, visit func(mode lighter.Mode, v any) error) error {
	if v == nil {
		return nil
	}
	d, ok := v.(*config.Dict)
	if !ok {
		return fmt.Errorf("must be %s, got %s", want, registry.Describe(v))
	}
	for i, k := range d.Keys {
		key := fmt.Sprint(k)
		mode := slices.Index(known, key)
		if mode < 0 {
			return registry.UnknownKey(key, known)
		}
		if d.Values[i] == nil {
			continue
		}
		if err := visit(lighter.Mode(mode), d.Values[i]); err != nil {
			return lighter.FieldError(key, "%w", err)
		}
	}
	return nil
}

// perMode are the loaders of the modes.
type perMode [4]lighter.Loader

// ConfigType names the form.
func (*perMode) ConfigType() string {
	return "a mapping of train, val, test and predict to DataLoaders"
}

// DecodeConfig takes the mapping.
func (p *perMode) DecodeConfig(v any) error {
	*p = perMode{}
	return eachMode(v, modeNames, p.ConfigType(), func(mode lighter.Mode, v any) error {
		loader, ok := v.(lighter.Loader)
		if !ok {
			return fmt.Errorf("must be a DataLoader, got %s", registry.Describe(v))
		}
		p[mode] = loader
		return nil
	})
}

// CheckConfig takes what will be the mapping.
func (p *perMode) CheckConfig(v any) error {
	return eachMode(v, modeNames, p.ConfigType(), func(_ lighter.Mode, v any) error {
		if !registry.Fits[lighter.Loader](v) {
			return fmt.Errorf("must be a DataLoader, got %s", registry.Describe(v))
		}
		return nil
	})
}

// modeMetrics are the metrics of train, val and test as a MetricCollection takes them.
type modeMetrics [3]any

// ConfigType names the form.
func (*modeMetrics) ConfigType() string {
	return "a mapping of train, val and test to a metric, a list or a mapping of metrics"
}

// DecodeConfig takes the mapping.
func (m *modeMetrics) DecodeConfig(v any) error {
	*m = modeMetrics{}
	return eachMode(v, modeNames[:3], m.ConfigType(), func(mode lighter.Mode, v any) error {
		m[mode] = v
		return checkMetrics(v)
	})
}

// CheckConfig takes what will be the mapping.
func (m *modeMetrics) CheckConfig(v any) error { return m.DecodeConfig(v) }

func checkMetrics(v any) error {
	if d, ok := v.(*config.Dict); ok {
		v = d.Values
	}
	items, ok := v.([]any)
	if !ok {
		items = []any{v}
	}
	if i := slices.IndexFunc(items, func(item any) bool { return !registry.Fits[lighter.Metric](item) }); i >= 0 {
		return fmt.Errorf("must be a metric, a list or a mapping of metrics, got %s", registry.Describe(items[i]))
	}
	return nil
}

// stepAdapters are those of one mode.
type stepAdapters struct {
	batch     *adapter.BatchAdapter
	criterion *adapter.CriterionAdapter
	metrics   *adapter.MetricsAdapter
	logging   *adapter.LoggingAdapter
}

// modeAdapters are the adapters that a configuration gives.
type modeAdapters [4]stepAdapters

// ConfigType names the form.
func (*modeAdapters) ConfigType() string {
	return "a mapping of train, val, test and predict to mappings of batch, criterion, metrics and logging to adapters"
}

// complete puts the defaults where nothing was given.
func (m *modeAdapters) complete() [4]stepAdapters {
	all := [4]stepAdapters(*m)
	for mode := range all {
		a := &all[mode]
		if a.batch == nil && lighter.Mode(mode) == lighter.Predict {
			a.batch = adapter.Whole()
		}
		if a.batch == nil {
			a.batch = adapter.Pair()
		}
		if a.criterion == nil {
			a.criterion = adapter.DefaultCriterion()
		}
		if a.metrics == nil {
			a.metrics = adapter.DefaultMetrics()
		}
		if a.logging == nil {
			a.logging = &adapter.LoggingAdapter{}
		}
	}
	return all
}

// DecodeConfig takes the mapping of mappings.
func (m *modeAdapters) DecodeConfig(v any) error {
	*m = modeAdapters{}
	return eachMode(v, modeNames, m.ConfigType(), func(mode lighter.Mode, v any) error { return m[mode].decode(mode, v) })
}

// CheckConfig takes what will be the mapping of mappings.
func (m *modeAdapters) CheckConfig(v any) error { return m.DecodeConfig(v) }

func (a *stepAdapters) decode(mode lighter.Mode, v any) error {
	d, ok := v.(*config.Dict)
	if !ok {
		return fmt.Errorf("must be a mapping of batch, criterion, metrics and logging to adapters, got %s", registry.Describe(v))
	}
	known := map[lighter.Mode][]string{
		lighter.Test: {"batch", "metrics", "logging"}, lighter.Predict: {"batch", "logging"},
	}[mode]
	if known == nil {
		known = []string{"batch", "criterion", "metrics", "logging"}
	}
	for i, k := range d.Keys {
		key, v := fmt.Sprint(k), d.Values[i]
		var err error
		switch {
		case !slices.Contains(known, key):
			return registry.UnknownKey(key, known)
		case v == nil:
		case key == "batch":
			err = fit(&a.batch, v, "BatchAdapter")
		case key == "criterion":
			err = fit(&a.criterion, v, "CriterionAdapter")
		case key == "metrics":
			err = fit(&a.metrics, v, "MetricsAdapter")
		default:
			err = fit(&a.logging, v, "LoggingAdapter")
		}
		if err != nil {
			return lighter.FieldError(key, "%w", err)
		}
	}
	return nil
}

// fit sets an adapter, or, in a check, finds that it will be one.
func fit[A any](into *A, v any, class string) error {
	adapter, ok := v.(A)
	if !ok && !registry.Fits[A](v) {
		return fmt.Errorf("must be a lighter.adapters.%s, got %s", class, registry.Describe(v))
	}
	*into = adapter
	return nil
}
