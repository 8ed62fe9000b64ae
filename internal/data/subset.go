package data

import (
	"fmt"
	"math"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// Subset is torch.utils.data.Subset: the samples of a dataset that indices name, in that order.
type Subset struct {
	Dataset lighter.Dataset `cfg:"dataset,required,aka=data|ds" help:"the whole dataset"`
	Indices []int           `cfg:"indices,required" help:"samples to take, in order; negative ones count from the end"`
}

// Build checks the indices.
func (c Subset) Build(*lighter.Env) (d lighter.Dataset, err error) {
	defer tensor.Recover(&err)
	n := c.Dataset.Len()
	indices := make([]int64, len(c.Indices))
	for k, i := range c.Indices {
		if i < -n || i >= n {
			return nil, lighter.FieldError("indices", "index %d at position %d is out of range for a dataset of %d samples", i, k, n)
		}
		indices[k] = int64((i + n) % n)
	}
	return newSubset(c.Dataset, indices), nil
}

func newSubset(d lighter.Dataset, indices []int64) lighter.Dataset {
	s := subset{dataset: d, indices: indices}
	if g, ok := d.(lighter.Gatherer); ok {
		return &gatheredSubset{subset: s, gatherer: g, index: tensor.FromSlice(indices, int64(len(indices)))}
	}
	return &s
}

type subset struct {
	dataset lighter.Dataset
	indices []int64
}

// Len is the number of samples.
func (s *subset) Len() int { return len(s.indices) }

// Item gives the sample that index i names.
func (s *subset) Item(i int) (lighter.Value, error) { return s.dataset.Item(int(s.indices[i])) }

// Draw implements [lighter.Drawer].
func (s *subset) Draw(i int, r lighter.Rand) (lighter.Value, error) {
	return drawSample(s.dataset, int(s.indices[i]), r)
}

// Locate implements [lighter.Locator].
func (s *subset) Locate(i int) string { return locate(s.dataset, int(s.indices[i])) }

// Batch implements [lighter.Batcher] where the whole dataset does.
func (s *subset) Batch(index []int64, rand func(int) lighter.Rand) (lighter.Value, bool, error) {
	b, ok := s.dataset.(lighter.Batcher)
	if !ok {
		return nil, false, nil
	}
	whole := make([]int64, len(index))
	for k, i := range index {
		whole[k] = s.indices[i]
	}
	return b.Batch(whole, rand)
}

// gatheredSubset is a subset of a dataset in memory.
type gatheredSubset struct {
	subset
	gatherer lighter.Gatherer
	index    tensor.Tensor // the indices, int64 of shape [Len]
}

// Gather implements [lighter.Gatherer].
func (s *gatheredSubset) Gather(index tensor.Tensor) lighter.Value {
	return s.gatherer.Gather(s.index.IndexSelect(0, index))
}

// narrow implements narrower with a copy: the samples lie apart.
func (s *gatheredSubset) narrow(start, n int) lighter.Value {
	return s.gatherer.Gather(s.index.Narrow(0, int64(start), int64(n)))
}

// RandomSplit is torch.utils.data.random_split: it deals the samples of a dataset out at random.
// https://pytorch.org/docs/stable/data.html#torch.utils.data.random_split
type RandomSplit struct {
	Dataset   lighter.Dataset `cfg:"dataset,required,aka=data|ds" help:"the dataset to split"`
	Lengths   []float64       `cfg:"lengths,required" help:"sizes of the parts, or fractions that add up to 1"`
	Generator GeneratorArg    `cfg:"generator" help:"a seed or a torch.Generator; the default generator when null"`
}

// Splits are the parts that random_split gives; `$@name[0]` is the first.
type Splits []lighter.Dataset

// Index implements [registry.Indexer].
func (s Splits) Index(i any) (any, error) {
	n, ok := i.(int64)
	if !ok {
		return nil, fmt.Errorf("the parts of random_split are indexed by an int, not %s", lighter.TypeName(i))
	}
	if n < 0 {
		n += int64(len(s))
	}
	if n < 0 || n >= int64(len(s)) {
		return nil, fmt.Errorf("list index out of range: random_split gave %d parts", len(s))
	}
	return s[n], nil
}

// Iterate implements [registry.Iterable].
func (s Splits) Iterate() []any {
	parts := make([]any, len(s))
	for i, d := range s {
		parts[i] = d
	}
	return parts
}

// Build draws one permutation and cuts it into the parts.
func (c RandomSplit) Build(*lighter.Env) (s Splits, err error) {
	defer tensor.Recover(&err)
	n := c.Dataset.Len()
	sizes, err := splitSizes(c.Lengths, n)
	if err != nil {
		return nil, err
	}
	order := tensor.Values[int64](c.Generator.generator().permutation(n))
	for _, size := range sizes {
		s = append(s, newSubset(c.Dataset, order[:size:size]))
		order = order[size:]
	}
	return s, nil
}

// splitSizes turns fractions into sizes: each rounded down, what is left given out one by one from the first on.
func splitSizes(lengths []float64, n int) ([]int, error) {
	total := 0.0
	for _, l := range lengths {
		total += l
	}
	sizes := make([]int, len(lengths))
	sum := 0
	// math.isclose's tolerance; a sum above 1 is no set of fractions.
	if fractions := math.Abs(total-1) <= 1e-9 && total <= 1; fractions {
		for i, f := range lengths {
			if f < 0 || f > 1 {
				return nil, lighter.FieldError("lengths", "Fraction at index %d is not between 0 and 1: %v", i, f)
			}
			sizes[i] = int(math.Floor(float64(n) * f))
			sum += sizes[i]
		}
		for i := range n - sum {
			sizes[i%len(sizes)]++
		}
		return sizes, nil
	}
	for i, l := range lengths {
		if l != math.Trunc(l) || l < 0 {
			return nil, lighter.FieldError("lengths", "sizes must be whole numbers, or fractions that add up to 1; got %v", l)
		}
		sizes[i] = int(l)
		sum += sizes[i]
	}
	if sum != n {
		return nil, lighter.FieldError("lengths", "Sum of input lengths does not equal the length of the input dataset! They add up to %d, the dataset has %d samples", sum, n)
	}
	return sizes, nil
}

var (
	_ lighter.Gatherer  = (*gatheredSubset)(nil)
	_ lighter.Drawer    = (*subset)(nil)
	_ lighter.Batcher   = (*subset)(nil)
	_ narrower          = (*gatheredSubset)(nil)
	_ registry.Indexer  = Splits{}
	_ registry.Iterable = Splits{}
)

func init() {
	registry.Register[lighter.Dataset]("torch.utils.data.Subset", Subset{}, "torch.utils.data.dataset.Subset")
	registry.Register[Splits]("torch.utils.data.random_split", RandomSplit{})
}
