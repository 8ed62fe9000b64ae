package data

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// SubsetRandomSampler is torch.utils.data.SubsetRandomSampler: given samples in a random order.
type SubsetRandomSampler struct {
	Indices   []int        `cfg:"indices,required" help:"the samples to take"`
	Generator GeneratorArg `cfg:"generator" help:"a seed or a torch.Generator; the default generator when null"`
}

// Build makes the sampler.
func (c SubsetRandomSampler) Build(*lighter.Env) (_ Sampler, err error) {
	defer tensor.Recover(&err)
	if len(c.Indices) == 0 {
		return nil, Unreadable("indices", errNoSamples)
	}
	s := &subsetRandom{given: make([]int64, len(c.Indices)), generator: c.Generator.generator()}
	for i, at := range c.Indices {
		s.given[i] = int64(at)
	}
	return s, nil
}

type subsetRandom struct {
	given     []int64
	generator *Generator
}

// Len is the number of samples.
func (s *subsetRandom) Len() int { return len(s.given) }

func (s *subsetRandom) indices() []int64 { return s.given }

func (s *subsetRandom) ownGenerator() *Generator { return s.generator }

// Order draws from the default generator itself where there is no other.
func (s *subsetRandom) Order() tensor.Tensor {
	return listed(s.given).Order().IndexSelect(0, s.generator.permutation(len(s.given)))
}

var (
	_ generating = (*subsetRandom)(nil)
	_ indexed    = (*subsetRandom)(nil)
)

func init() {
	registry.Register[Sampler]("torch.utils.data.SubsetRandomSampler", SubsetRandomSampler{}, "torch.utils.data.sampler.SubsetRandomSampler")
}
