package transform

import (
	"fmt"
	"reflect"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/data/draw"
	"github.com/lighter-go/lighter/internal/registry"
)

// Argument is a dataset's `transform` or `target_transform`: a transform, a function of a configuration, or null.
type Argument struct{ lighter.Transform }

// Given says whether there is one.
func (a Argument) Given() bool { return a.Transform != nil }

// ConfigType implements [registry.Decoder].
func (*Argument) ConfigType() string {
	return "a transform such as torchvision.transforms.Compose, a callable, or null"
}

// DecodeConfig implements [registry.Decoder].
func (a *Argument) DecodeConfig(v any) error {
	*a = Argument{}
	switch x := v.(type) {
	case nil:
		return nil
	case lighter.Transform:
		a.Transform = x
		return nil
	case registry.Func:
		a.Transform = function(func(v lighter.Value, r lighter.Rand) (lighter.Value, error) {
			draw.Unknown(r)
			return draw.Call(r, x, v)
		})
		return nil
	}
	return fmt.Errorf("must be %s, got %s", a.ConfigType(), registry.Describe(v))
}

// CheckConfig implements [registry.Checker].
func (a *Argument) CheckConfig(v any) error {
	if p, ok := v.(registry.Promise); ok {
		if p.Entry.Kind == reflect.TypeFor[lighter.Transform]() {
			return nil
		}
		return fmt.Errorf("must be %s, got %s", a.ConfigType(), registry.Describe(v))
	}
	if _, later := v.(config.Unknown); later {
		return nil
	}
	return a.DecodeConfig(v)
}

var _ registry.Checker = (*Argument)(nil)
