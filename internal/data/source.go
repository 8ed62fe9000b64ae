package data

import (
	"errors"
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
)

// errNoSamples is what is wrong with an empty dataset.
var errNoSamples = errors.New("is empty: there is nothing to load (num_samples should be a positive integer value, but got num_samples=0)")

// Source is what a DataLoader makes batches of: a dataset, or one whose samples only come one after the other.
type Source struct {
	dataset  lighter.Dataset
	iterable lighter.IterableDataset
}

// ConfigType implements [registry.Decoder].
func (*Source) ConfigType() string { return "a component of kind Dataset or IterableDataset" }

// DecodeConfig implements [registry.Decoder].
func (s *Source) DecodeConfig(v any) error {
	*s = Source{}
	switch x := v.(type) {
	case lighter.Dataset:
		s.dataset = x
		return nil
	case lighter.IterableDataset:
		s.iterable = x
		return nil
	}
	return fmt.Errorf("must be %s, got %s", s.ConfigType(), registry.Describe(v))
}

// CheckConfig implements [registry.Checker].
func (s *Source) CheckConfig(v any) error {
	if registry.Fits[lighter.Dataset](v) || registry.Fits[lighter.IterableDataset](v) {
		return nil
	}
	return s.DecodeConfig(v)
}

// iterableConflict is what cannot go with an iterable dataset.
func iterableConflict(option string, got any) error {
	return lighter.FieldError(option, "DataLoader with IterableDataset: expected unspecified %s option, but got %[1]s=%v", option, got)
}

// locate says where sample i of a dataset comes from; "" when that is unknown.
func locate(d lighter.Dataset, i int) string {
	if l, ok := d.(lighter.Locator); ok && i >= 0 && i < d.Len() {
		return l.Locate(i)
	}
	return ""
}

func inBrackets(place string) string {
	if place == "" {
		return ""
	}
	return " (" + place + ")"
}

var _ registry.Checker = (*Source)(nil)
