package data

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
)

// ChainDataset is torch.utils.data.ChainDataset: iterable datasets one after the other.
type ChainDataset struct {
	Datasets []lighter.IterableDataset `cfg:"datasets,required" help:"the iterable datasets, in order"`
}

// Build adds up the lengths where all are known.
func (c ChainDataset) Build(*lighter.Env) (lighter.IterableDataset, error) {
	if len(c.Datasets) == 0 {
		return nil, lighter.FieldError("datasets", "datasets should not be an empty iterable")
	}
	d, n := chain(c.Datasets), 0
	for _, part := range c.Datasets {
		sized, ok := part.(lighter.Sized)
		if !ok {
			return d, nil
		}
		n += sized.Len()
	}
	return sizedChain{d, n}, nil
}

type chain []lighter.IterableDataset

// Stream implements [lighter.IterableDataset]; a part begins when the one before is at its end.
func (c chain) Stream(r lighter.Rand) (lighter.Stream, error) {
	return &chainStream{left: c, rand: r}, nil
}

type sizedChain struct {
	chain
	n int
}

// Len implements [lighter.Sized].
func (c sizedChain) Len() int { return c.n }

type chainStream struct {
	left []lighter.IterableDataset
	rand lighter.Rand
	part lighter.Stream // under way, or nil
}

// Next gives the next sample of the part under way, or of the first after it that has one.
func (c *chainStream) Next() (s lighter.Pending, ok bool, err error) {
	for {
		if c.part == nil {
			if len(c.left) == 0 {
				return s, false, nil
			}
			if c.part, err = c.left[0].Stream(c.rand); err != nil {
				return s, false, err
			}
			c.left = c.left[1:]
		}
		if s, ok, err = c.part.Next(); ok || err != nil {
			return s, ok, err
		}
		if err := c.Close(); err != nil {
			return s, false, err
		}
	}
}

// Close ends the part under way.
func (c *chainStream) Close() error {
	if c.part == nil {
		return nil
	}
	part := c.part
	c.part = nil
	return part.Close()
}

func init() {
	registry.Register[lighter.IterableDataset]("torch.utils.data.ChainDataset", ChainDataset{}, "torch.utils.data.dataset.ChainDataset")
}
