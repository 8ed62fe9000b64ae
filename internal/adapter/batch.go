package adapter

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
)

// BatchAdapter takes a batch apart.
type BatchAdapter struct{ input, target, identifier Accessor }

// batchArguments are the arguments of lighter.adapters.BatchAdapter.
type batchArguments struct {
	Input      Accessor `cfg:"input_accessor,required" help:"the input: an index, a key, or a callable of the batch"`
	Target     Accessor `cfg:"target_accessor" help:"the target, in the same forms; null for none"`
	Identifier Accessor `cfg:"identifier_accessor" help:"what names the samples, in the same forms; null for none"`
}

func init() {
	lighter.Register[*BatchAdapter]("lighter.adapters.BatchAdapter", batchArguments{})
}

// Doc is the component's prose.
func (batchArguments) Doc() string {
	return "Says what of a batch is the input, the target and the identifier, for a `lighter.System`."
}

// Build makes the adapter.
func (a batchArguments) Build(*lighter.Env) (*BatchAdapter, error) {
	return &BatchAdapter{a.Input, a.Target, a.Identifier}, nil
}

// Pair is the adapter of (input, target) batches, Whole that of batches that are the input.
func Pair() *BatchAdapter {
	return &BatchAdapter{input: Accessor{key: int64(0)}, target: Accessor{key: int64(1)}}
}

// Whole takes the batch as the input.
func Whole() *BatchAdapter {
	return &BatchAdapter{input: Accessor{key: callable(func(v lighter.Value) (lighter.Value, error) { return v, nil })}}
}

// Split gives the parts of a batch; nil for those that are not asked for.
func (b *BatchAdapter) Split(batch lighter.Value) (input, target, identifier lighter.Value, err error) {
	for _, part := range []struct {
		of   Accessor
		into *lighter.Value
	}{{b.input, &input}, {b.target, &target}, {b.identifier, &identifier}} {
		if *part.into, err = part.of.take(batch); err != nil {
			break
		}
	}
	return input, target, identifier, err
}

// Accessor is an index into a list, a key of a mapping, or a callable.
type Accessor struct{ key any } // nil, int64, string or callable

// ConfigType names the forms.
func (*Accessor) ConfigType() string { return "an int, a str, a callable or null" }

// DecodeConfig takes one of the forms.
func (a *Accessor) DecodeConfig(v any) error {
	switch x := v.(type) {
	case nil, int64, string:
		a.key = x
		return nil
	}
	f, err := callableOf(v)
	if err != nil {
		return fmt.Errorf("must be %s, got %s", a.ConfigType(), registry.Describe(v))
	}
	a.key = f
	return nil
}

// CheckConfig refuses a component that is no callable.
func (a *Accessor) CheckConfig(v any) error {
	if !canCall(v) {
		return fmt.Errorf("must be %s, got %s", a.ConfigType(), registry.Describe(v))
	}
	return nil
}

func (a Accessor) take(batch lighter.Value) (lighter.Value, error) {
	switch k := a.key.(type) {
	case nil:
		return nil, nil
	case callable:
		return k(batch)
	case int64:
		if list, ok := batch.(lighter.List); ok {
			i := k
			if i < 0 {
				i += int64(len(list))
			}
			if i < 0 || i >= int64(len(list)) {
				return nil, fmt.Errorf("accessor %d: list index out of range: the batch has %d parts", k, len(list))
			}
			return list[i], nil
		}
	case string:
		if dict, ok := batch.(lighter.Dict); ok {
			v, ok := dict[k]
			if !ok {
				return nil, fmt.Errorf("accessor %q: KeyError: the batch has the keys %q", k, keysOf(dict))
			}
			return v, nil
		}
	}
	//lint:ignore ST1005 Lighter's wording
	return nil, fmt.Errorf("Invalid accessor %v of type %s for data type %s. An int takes a part of a list, a str one of a dict: set a BatchAdapter under system::adapters for batches like this", a.key, lighter.TypeName(a.key), lighter.TypeName(batch))
}

var (
	_ registry.Decoder = (*Accessor)(nil)
	_ registry.Checker = (*Accessor)(nil)
)
