package engine

import (
	"fmt"
	"maps"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/internal/weights"
	"github.com/lighter-go/lighter/tensor"
)

// What a checkpoint holds, between the program's values and the file's.

// fromTensor describes a tensor for the file; its bytes are read when they are copied or written, so it must live until then. Tensors
// that share a storage in memory share it in the file only when they are one parameter under two names, which is what
// state_dict gives.
func fromTensor(t tensor.Tensor) *torchfile.Tensor {
	dtype := t.DType()
	size := t.Numel() * int64(dtype.Size())
	storage := torchfile.LazyStorage(size, func(dst []byte) error {
		t.ReadInto(dst)
		return nil
	})
	return &torchfile.Tensor{DType: weights.DTypes[dtype], Shape: t.Shape(), Storage: storage}
}

// toFile converts a value to the file's types. Betas are a tuple in PyTorch.
func toFile(v any) any {
	switch x := v.(type) {
	case tensor.Tensor:
		return fromTensor(x)
	case []float64:
		t := make(torchfile.Tuple, len(x))
		for i, f := range x {
			t[i] = f
		}
		return t
	case int:
		return int64(x)
	case lighter.List:
		items := make([]any, len(x))
		for i := range x {
			items[i] = toFile(x[i])
		}
		return items
	case lighter.Dict:
		d := torchfile.NewDict()
		for _, k := range slices.Sorted(maps.Keys(x)) {
			d.Set(k, toFile(x[k]))
		}
		return d
	}
	return v
}

// fromFile is the other way; tensors go to the innermost scope.
func fromFile(v any) (any, error) {
	switch x := v.(type) {
	case *torchfile.Tensor:
		return weights.ToTensor(x)
	case torchfile.Tuple:
		return fromFile([]any(x))
	case []any:
		items := make(lighter.List, len(x))
		for i := range x {
			item, err := fromFile(x[i])
			if err != nil {
				return nil, err
			}
			items[i] = item
		}
		return items, nil
	case *torchfile.Dict:
		d := lighter.Dict{}
		for k, v := range x.All() {
			item, err := fromFile(v)
			if err != nil {
				return nil, err
			}
			d[fmt.Sprint(k)] = item
		}
		return d, nil
	}
	return v, nil
}

// option gives a group's value the type of lighter.Option: a list of numbers is []float64.
func option(v any) any {
	items, ok := v.(lighter.List)
	if !ok {
		return v
	}
	out := make([]float64, 0, len(items))
	for _, i := range items {
		f, ok := i.(float64)
		if !ok {
			return v
		}
		out = append(out, f)
	}
	return out
}

func get[V any](d *torchfile.Dict, key string) (V, bool) {
	v, _ := d.Get(key)
	x, ok := v.(V)
	return x, ok
}
