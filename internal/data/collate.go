package data

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/creation"
	"github.com/lighter-go/lighter/tensor"
)

// collate makes a batch of samples as torch.utils.data.default_collate does: tensors are stacked, floats become a float64
// tensor, ints an int64 and bools a bool one, lists and dicts are collated entry by entry, strings stay a list.
func collate(samples []lighter.Value) (lighter.Value, error) {
	switch first := samples[0].(type) {
	case tensor.Tensor:
		return stack(samples)
	case float64, int64, bool:
		for i, s := range samples {
			switch s.(type) {
			case float64, int64, bool:
			default:
				return nil, fmt.Errorf("expected a number as element %d, but got %s", i, lighter.TypeName(s))
			}
		}
		var dtype creation.DType
		if _, ok := first.(float64); ok {
			dtype = creation.DTypeOf(tensor.Float64)
		}
		return creation.Numbers(samples, dtype)
	case string:
		return slices.Clone(samples), nil
	case lighter.List:
		return collateLists(samples, len(first))
	case lighter.Dict:
		return collateDicts(samples, first)
	}
	return nil, fmt.Errorf("default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found %s", lighter.TypeName(samples[0]))
}

// oddSample says which two samples of a batch do not go together.
type oddSample struct {
	error
	first, at int
}

// Unwrap returns the operation's error.
func (o *oddSample) Unwrap() error { return o.error }

func stack(samples []lighter.Value) (batch lighter.Value, err error) {
	defer func() {
		if err == nil {
			return
		}
		for i, s := range samples {
			t, ok := s.(tensor.Tensor)
			if !ok || !t.SameShape(samples[0].(tensor.Tensor).Shape()) {
				err = &oddSample{err, 0, i}
				return
			}
		}
	}()
	defer tensor.Recover(&err)
	ts := make([]tensor.Tensor, len(samples))
	for i, s := range samples {
		t, ok := s.(tensor.Tensor)
		if !ok {
			return nil, fmt.Errorf("expected Tensor as element %d, but got %s", i, lighter.TypeName(s))
		}
		ts[i] = t
	}
	return tensor.Stack(ts, 0), nil
}

func collateLists(samples []lighter.Value, n int) (lighter.Value, error) {
	batch := make(lighter.List, n)
	column := make([]lighter.Value, len(samples))
	for c := range batch {
		for i, s := range samples {
			list, ok := s.(lighter.List)
			if !ok || len(list) != n {
				return nil, errors.New("each element in list of batch should be of equal size")
			}
			column[i] = list[c]
		}
		v, err := collate(column)
		if err != nil {
			return nil, fmt.Errorf("element %d: %w", c, err)
		}
		batch[c] = v
	}
	return batch, nil
}

func collateDicts(samples []lighter.Value, first lighter.Dict) (lighter.Value, error) {
	batch := make(lighter.Dict, len(first))
	column := make([]lighter.Value, len(samples))
	for _, key := range slices.Sorted(maps.Keys(first)) {
		for i, s := range samples {
			dict, _ := s.(lighter.Dict)
			v, ok := dict[key]
			if !ok {
				return nil, fmt.Errorf("element %d of the batch has no key %q", i, key)
			}
			column[i] = v
		}
		v, err := collate(column)
		if err != nil {
			return nil, fmt.Errorf("key %q: %w", key, err)
		}
		batch[key] = v
	}
	return batch, nil
}
