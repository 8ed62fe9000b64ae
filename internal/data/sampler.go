package data

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// Sampler gives the order of an epoch's samples: torch.utils.data.Sampler.
type Sampler interface {
	// Len is the number of samples of an epoch.
	Len() int
	// Order draws the order of an epoch when its first batch is asked for: int64 of shape [Len], owned by the innermost
	// scope. An undefined tensor means 0, 1, ... Len-1.
	Order() tensor.Tensor
}

// The optional interfaces of a Sampler.
type (
	// exhauster does something when an epoch asks for more samples than there are.
	exhauster interface{ exhausted() }
	// generating draws from a generator of its own, nil for none.
	generating interface{ ownGenerator() *Generator }
	// epochal has an order that depends on the epoch's number.
	epochal interface{ setEpoch(n int) }
	// indexed takes its samples' numbers from the user: they may not fit the dataset.
	indexed interface {
		// indices are all that can come, in the places where the user gave them.
		indices() []int64
	}
)

// SequentialSampler is torch.utils.data.SequentialSampler: the samples in order.
type SequentialSampler struct {
	DataSource lighter.Dataset `cfg:"data_source,required" help:"the dataset to sample from"`
}

// Build makes the sampler.
func (c SequentialSampler) Build(*lighter.Env) (Sampler, error) {
	return sequential(c.DataSource.Len()), nil
}

type sequential int

func (n sequential) Len() int             { return int(n) }
func (n sequential) Order() tensor.Tensor { return tensor.Tensor{} }

// listed is an order that is given.
type listed []int64

func (l listed) Len() int             { return len(l) }
func (l listed) Order() tensor.Tensor { return tensor.FromSlice(l, int64(len(l))) }
func (l listed) indices() []int64     { return l }

// RandomSampler is torch.utils.data.RandomSampler. With a generator of its own it draws from that; else each epoch draws a
// seed from the default generator, and the order from a generator so seeded.
type RandomSampler struct {
	DataSource  lighter.Dataset `cfg:"data_source,required" help:"the dataset to sample from"`
	Replacement bool            `cfg:"replacement" help:"draw every sample from all, so that some come twice"`
	NumSamples  *int            `cfg:"num_samples" help:"samples of an epoch; all when null"`
	Generator   GeneratorArg    `cfg:"generator" help:"a seed or a torch.Generator; the default generator when null"`
}

// Build makes the sampler.
func (c RandomSampler) Build(*lighter.Env) (s Sampler, err error) {
	defer tensor.Recover(&err)
	n := c.DataSource.Len()
	samples := n
	if c.NumSamples != nil {
		samples = *c.NumSamples
	}
	switch {
	case n == 0:
		return nil, Unreadable("data_source", errNoSamples)
	case samples <= 0:
		return nil, positiveSamples(samples)
	}
	return &random{n: n, samples: samples, replacement: c.Replacement, generator: c.Generator.generator()}, nil
}

func positiveSamples(n int) error {
	return lighter.FieldError("num_samples", "num_samples should be a positive integer value, but got num_samples=%d", n)
}

type random struct {
	n, samples  int
	replacement bool
	generator   *Generator // nil: one seeded anew for each epoch
}

// Len is the number of samples of an epoch.
func (r *random) Len() int { return r.samples }

func (r *random) ownGenerator() *Generator { return r.generator }

// Order draws as RandomSampler.__iter__ does.
func (r *random) Order() tensor.Tensor {
	if r.generator != nil {
		return r.order(r.generator)
	}
	seed := uint64(tensor.RandomInt64())
	if !r.replacement && r.samples == r.n {
		return tensor.RandPerm(int64(r.n), seed)
	}
	return r.order(newGenerator(seed))
}

func (r *random) order(g *Generator) tensor.Tensor {
	if r.replacement {
		var t tensor.Tensor
		g.Draw(func() {
			t = tensor.CallOne("randint", r.n, []int64{int64(r.samples)}, tensor.Kwarg{Name: "dtype", Value: tensor.Int64})
		})
		return t
	}
	var parts []tensor.Tensor
	for left := r.samples; left > 0; left -= r.n {
		p := g.permutation(r.n)
		parts = append(parts, p.Narrow(0, 0, int64(min(left, r.n))))
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return tensor.Cat(parts, 0)
}

// exhausted draws the permutation of which PyTorch's sampler then takes the first samples%n, here none.
func (r *random) exhausted() {
	if r.generator != nil && !r.replacement && r.samples%r.n == 0 {
		s := tensor.Open()
		defer s.Close()
		r.generator.permutation(r.n)
	}
}

var (
	_ exhauster  = (*random)(nil)
	_ generating = (*random)(nil)
	_ indexed    = listed(nil)
)

func init() {
	registry.Register[Sampler]("torch.utils.data.SequentialSampler", SequentialSampler{}, "torch.utils.data.sampler.SequentialSampler")
	registry.Register[Sampler]("torch.utils.data.RandomSampler", RandomSampler{}, "torch.utils.data.sampler.RandomSampler")
}
