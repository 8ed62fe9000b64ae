package model

import (
	"fmt"
	"strings"

	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/registry"
)

// Items are values by name, in the order of the configuration.
type Items[V any] struct {
	names  []string
	values []V
}

// ConfigType implements the registry's Decoder.
func (*Items[V]) ConfigType() string { return "a mapping" }

// DecodeConfig implements the registry's Decoder.
func (m *Items[V]) DecodeConfig(v any) error {
	*m = Items[V]{}
	return m.each(v, func(name string, item any) error {
		x, ok := item.(V)
		if !ok {
			return wrongItem[V](name, item)
		}
		m.names, m.values = append(m.names, name), append(m.values, x)
		return nil
	})
}

// CheckConfig implements the registry's Checker.
func (m *Items[V]) CheckConfig(v any) error {
	return m.each(v, func(name string, item any) error {
		if !registry.Fits[V](item) {
			return wrongItem[V](name, item)
		}
		return nil
	})
}

func wrongItem[V any](name string, item any) error {
	return fmt.Errorf("%q is %s, which does not belong here", name, registry.Describe(item))
}

func (m *Items[V]) each(v any, f func(name string, item any) error) error {
	if v == nil {
		return nil
	}
	if _, unknown := v.(config.Unknown); unknown {
		return nil
	}
	d, ok := v.(*config.Dict)
	if !ok {
		return fmt.Errorf("must be a mapping, got %s", registry.Describe(v))
	}
	for i, k := range d.Keys {
		name, ok := k.(string)
		switch {
		case !ok:
			return fmt.Errorf("module name should be a string, but got %v", k)
		case name == "":
			return fmt.Errorf("module name can't be empty string \"\"")
		case strings.Contains(name, "."):
			return fmt.Errorf("module name can't contain \".\", got: %s", name)
		}
		if err := f(name, d.Values[i]); err != nil {
			return err
		}
	}
	return nil
}
