package metric

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lighter-go/lighter"
)

// Groups is the compute_groups argument: whether metrics that gather the same do it once, or the names of those that may.
type Groups struct {
	on    bool
	names [][]string
}

// ConfigType implements the registry's Decoder.
func (*Groups) ConfigType() string { return "a bool or a list of lists of metrics' names" }

// DecodeConfig implements the registry's Decoder.
func (g *Groups) DecodeConfig(v any) error {
	wrong := fmt.Errorf("must be %s", g.ConfigType())
	switch x := v.(type) {
	case bool:
		*g = Groups{on: x}
		return nil
	case []any:
		*g = Groups{on: true, names: [][]string{}}
		for _, item := range x {
			list, ok := item.([]any)
			if !ok {
				return wrong
			}
			var names []string
			for _, name := range list {
				text, ok := name.(string)
				if !ok {
					return wrong
				}
				names = append(names, text)
			}
			g.names = append(g.names, names)
		}
		return nil
	}
	return wrong
}

// share makes metrics that gather the same use one accumulator. Unlike torchmetrics, which compares states after the first
// batch, it knows them by what they were built for: two that happen to agree stay apart.
func (g Groups) share(items []item) error {
	var all []string
	for _, it := range items {
		all = append(all, it.name)
	}
	for _, group := range g.names {
		for _, name := range group {
			if !slices.Contains(all, name) {
				return lighter.FieldError("compute_groups", "Input %s in `compute_groups` argument does not match a metric in the collection. "+
					"Please make sure that %v matches %s", name, g.names, strings.Join(all, ", "))
			}
		}
	}
	if !g.on {
		return nil
	}
	first := map[string]*accumulator{}
	for i, it := range items {
		m, ok := it.metric.(*metric)
		if !ok || m.key == "" {
			continue
		}
		key := m.key
		if g.names != nil {
			group := slices.IndexFunc(g.names, func(names []string) bool { return slices.Contains(names, it.name) })
			if group < 0 {
				continue
			}
			key = fmt.Sprint(group, " ", key)
		}
		if first[key] == nil {
			first[key] = m.accumulator
			continue
		}
		items[i].metric, items[i].shares = &metric{name: m.name, accumulator: first[key], value: m.value}, true
	}
	return nil
}
