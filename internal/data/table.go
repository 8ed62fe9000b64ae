package data

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// table is a dataset in memory: tensors of one length n, whose rows are the samples.
type table struct {
	columns []tensor.Tensor
	n       int
	place   func(i int) string // where a row comes from; or nil
}

// RowsOf makes a dataset in memory say that its samples are the rows of a file from start on.
func RowsOf(d lighter.Dataset, path string, start int) lighter.Dataset {
	if t, ok := d.(*table); ok {
		t.place = func(i int) string { return fmt.Sprintf("%s, row %d", path, start+i) }
	}
	return d
}

// Locate implements [lighter.Locator].
func (t *table) Locate(i int) string {
	if t.place == nil {
		return ""
	}
	return t.place(i)
}

// Len is the number of samples.
func (t *table) Len() int { return t.n }

// Item gives row i of every tensor.
func (t *table) Item(i int) (v lighter.Value, err error) {
	defer tensor.Recover(&err)
	sample := make(lighter.List, len(t.columns))
	for c, column := range t.columns {
		sample[c] = column.Select(0, int64(i))
	}
	return sample, nil
}

// Gather implements [lighter.Gatherer] with one operation a tensor.
func (t *table) Gather(index tensor.Tensor) lighter.Value {
	batch := make(lighter.List, len(t.columns))
	for c, column := range t.columns {
		batch[c] = column.IndexSelect(0, index)
	}
	return batch
}

// narrow implements narrower.
func (t *table) narrow(start, n int) lighter.Value {
	batch := make(lighter.List, len(t.columns))
	for c, column := range t.columns {
		batch[c] = column.Narrow(0, int64(start), int64(n)).Clone()
	}
	return batch
}

// narrower is a Gatherer that gives successive samples without an index. They are a copy, so that an operation in place on a
// batch does not change the dataset.
type narrower interface {
	narrow(start, n int) lighter.Value
}

// TensorDataset is torch.utils.data.TensorDataset: sample i is row i of every tensor.
// https://pytorch.org/docs/stable/data.html#torch.utils.data.TensorDataset
type TensorDataset struct {
	Tensors []tensor.Tensor `cfg:"tensors,required,args" help:"tensors with the same size of the first dimension"`
}

// Build checks the sizes.
func (c TensorDataset) Build(*lighter.Env) (lighter.Dataset, error) {
	if len(c.Tensors) == 0 {
		return nil, lighter.FieldError("tensors", "at least one tensor is needed")
	}
	t := &table{columns: c.Tensors}
	for i, column := range c.Tensors {
		shape := column.Shape()
		if len(shape) == 0 {
			return nil, lighter.FieldError("tensors", "tensor %d has no dimensions, so it has no samples", i)
		}
		if i == 0 {
			t.n = int(shape[0])
		}
		if int(shape[0]) != t.n {
			return nil, lighter.FieldError("tensors", "Size mismatch between tensors: tensor 0 has %d samples, tensor %d has %d", t.n, i, shape[0])
		}
	}
	return t, nil
}

var (
	_ lighter.Gatherer = (*table)(nil)
	_ narrower         = (*table)(nil)
	_ lighter.Locator  = (*table)(nil)
)

func init() { registry.Register[lighter.Dataset]("torch.utils.data.TensorDataset", TensorDataset{}) }
