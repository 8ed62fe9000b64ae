package data

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
)

// BatchSampler is torch.utils.data.BatchSampler: the samples of another sampler, several at a time.
type BatchSampler struct {
	Sampler   SamplerArg `cfg:"sampler,required" help:"the order of the samples: a sampler or a list of ints"`
	BatchSize int        `cfg:"batch_size,required" help:"samples of a batch"`
	DropLast  bool       `cfg:"drop_last,required" help:"leave out a last batch that is not full"`
}

// Build makes the batches.
func (c BatchSampler) Build(*lighter.Env) (*Batches, error) {
	switch {
	case c.BatchSize <= 0:
		return nil, lighter.FieldError("batch_size", "batch_size should be a positive integer value, but got batch_size=%d", c.BatchSize)
	case c.Sampler.batches != nil:
		return nil, lighter.FieldError("sampler", "must give samples, not batches")
	}
	return &Batches{sampler: c.Sampler.sampler, size: c.BatchSize, dropLast: c.DropLast}, nil
}

// Batches is the samples of each batch of an epoch: what a DataLoader's batch_sampler takes.
type Batches struct {
	sampler  Sampler
	size     int // of every batch but the last
	dropLast bool
	ends     []int // where batches of other sizes end in the sampler's order; nil for those of one size
}

// count is the number of batches.
func (b *Batches) count() int {
	n := b.sampler.Len()
	switch {
	case b.ends != nil:
		return len(b.ends)
	case b.dropLast:
		return n / b.size
	}
	return (n + b.size - 1) / b.size
}

// bounds is where batch i lies in the sampler's order.
func (b *Batches) bounds(i int) (start, end int) {
	if b.ends == nil {
		return i * b.size, min((i+1)*b.size, b.sampler.Len())
	}
	if i > 0 {
		start = b.ends[i-1]
	}
	return start, b.ends[i]
}

// SamplerArg is an argument that takes a sampler or a list of samples' numbers.
type SamplerArg struct {
	sampler Sampler
	batches *Batches // where a BatchSampler is given
}

// given says whether there is one.
func (a SamplerArg) given() bool { return a.sampler != nil || a.batches != nil }

// ConfigType implements [registry.Decoder].
func (*SamplerArg) ConfigType() string { return "a sampler, a list of ints, or null" }

// DecodeConfig implements [registry.Decoder].
func (a *SamplerArg) DecodeConfig(v any) error {
	*a = SamplerArg{}
	switch x := v.(type) {
	case nil:
		return nil
	case Sampler:
		a.sampler = x
		return nil
	case *Batches:
		a.batches = x
		return nil
	case []any:
		l, err := numbersOf(x)
		if err == nil {
			a.sampler = l
		}
		return err
	}
	return fmt.Errorf("must be %s, got %s", a.ConfigType(), registry.Describe(v))
}

// CheckConfig implements [registry.Checker].
func (a *SamplerArg) CheckConfig(v any) error {
	if registry.Fits[Sampler](v) || registry.Fits[*Batches](v) {
		return nil
	}
	return a.DecodeConfig(v)
}

func numbersOf(items []any) (l listed, err error) {
	for k, item := range items {
		i, ok := item.(int64)
		if !ok {
			return nil, fmt.Errorf("must be a list of ints: element %d is %s", k, registry.Describe(item))
		}
		l = append(l, i)
	}
	if len(l) == 0 {
		return nil, fmt.Errorf("%w", &lighter.DataError{Err: errNoSamples})
	}
	return l, nil
}

// BatchesArg is an argument that takes a BatchSampler or a list of lists.
type BatchesArg struct{ batches *Batches }

// ConfigType implements [registry.Decoder].
func (*BatchesArg) ConfigType() string {
	return "a BatchSampler, a list of lists of ints, or null"
}

// DecodeConfig implements [registry.Decoder].
func (a *BatchesArg) DecodeConfig(v any) error {
	*a = BatchesArg{}
	switch x := v.(type) {
	case nil:
		return nil
	case *Batches:
		a.batches = x
		return nil
	case []any:
		var all listed
		b := &Batches{}
		for k, item := range x {
			one, ok := item.([]any)
			if !ok {
				return fmt.Errorf("must be a list of lists of ints: element %d is %s", k, registry.Describe(item))
			}
			l, err := numbersOf(one)
			if err != nil {
				return fmt.Errorf("batch %d: %w", k, err)
			}
			all = append(all, l...)
			b.ends = append(b.ends, len(all))
		}
		if len(all) == 0 {
			return fmt.Errorf("%w", &lighter.DataError{Err: errNoSamples})
		}
		b.sampler = all
		a.batches = b
		return nil
	}
	return fmt.Errorf("must be %s, got %s", a.ConfigType(), registry.Describe(v))
}

// CheckConfig implements [registry.Checker].
func (a *BatchesArg) CheckConfig(v any) error {
	if registry.Fits[*Batches](v) {
		return nil
	}
	return a.DecodeConfig(v)
}

var (
	_ registry.Checker = (*SamplerArg)(nil)
	_ registry.Checker = (*BatchesArg)(nil)
)

func init() {
	registry.Register[*Batches]("torch.utils.data.BatchSampler", BatchSampler{}, "torch.utils.data.sampler.BatchSampler")
}
