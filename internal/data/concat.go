package data

import (
	"sort"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
)

// ConcatDataset is torch.utils.data.ConcatDataset: datasets one after the other.
type ConcatDataset struct {
	Datasets []lighter.Dataset `cfg:"datasets,required" help:"the datasets, in order"`
}

// Build adds up the lengths.
func (c ConcatDataset) Build(*lighter.Env) (lighter.Dataset, error) {
	if len(c.Datasets) == 0 {
		return nil, lighter.FieldError("datasets", "datasets should not be an empty iterable")
	}
	d := &concat{parts: c.Datasets}
	for _, part := range c.Datasets {
		d.n += part.Len()
		d.ends = append(d.ends, d.n)
	}
	return d, nil
}

type concat struct {
	parts []lighter.Dataset
	ends  []int // ends[p] is the number of samples up to and with part p
	n     int
}

// Len is the number of samples of all parts.
func (d *concat) Len() int { return d.n }

// Item gives sample i, counted over the parts.
func (d *concat) Item(i int) (lighter.Value, error) {
	p, i := d.part(i)
	return d.parts[p].Item(i)
}

// Draw implements [lighter.Drawer].
func (d *concat) Draw(i int, r lighter.Rand) (lighter.Value, error) {
	p, i := d.part(i)
	return drawSample(d.parts[p], i, r)
}

// Locate implements [lighter.Locator].
func (d *concat) Locate(i int) string {
	p, i := d.part(i)
	return locate(d.parts[p], i)
}

// part says which part holds sample i, and its number there.
func (d *concat) part(i int) (part, at int) {
	p := sort.SearchInts(d.ends, i+1)
	if p > 0 {
		i -= d.ends[p-1]
	}
	return p, i
}

func init() { registry.Register[lighter.Dataset]("torch.utils.data.ConcatDataset", ConcatDataset{}) }
