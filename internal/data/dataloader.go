package data

import (
	"time"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// DataLoader is torch.utils.data.DataLoader.
// https://pytorch.org/docs/stable/data.html#torch.utils.data.DataLoader
type DataLoader struct {
	Dataset                lighter.Dataset `cfg:"dataset,required,aka=data|ds" help:"where the samples come from"`
	BatchSize              *int            `cfg:"batch_size,aka=bs|batch" help:"samples of a batch; null gives single samples, without a batch dimension"`
	Shuffle                *bool           `cfg:"shuffle" help:"a new random order in each epoch"`
	Sampler                Sampler         `cfg:"sampler" help:"the order of the samples, instead of shuffle"`
	NumWorkers             int             `cfg:"num_workers,aka=workers|n_workers" help:"threads that load ahead; 0 loads when a batch is asked for"`
	CollateFn              Collate         `cfg:"collate_fn,aka=collate" help:"a callable of a list of samples, or MixUp or CutMix; null for default_collate"`
	PinMemory              bool            `cfg:"pin_memory" help:"batches in page-locked memory, when there is a CUDA device"`
	DropLast               bool            `cfg:"drop_last,aka=droplast|drop_remainder" help:"leave out a last batch that is not full"`
	Timeout                float64         `cfg:"timeout" help:"seconds to wait for a batch from the workers; 0 waits for ever"`
	Generator              GeneratorArg    `cfg:"generator" help:"a seed or a torch.Generator; the default generator when null"`
	PrefetchFactor         *int            `cfg:"prefetch_factor" help:"batches a worker loads ahead; 2 when null"`
	PersistentWorkers      bool            `cfg:"persistent_workers" help:"draw the base seed once for all epochs, as PyTorch then does"`
	MultiprocessingContext any             `cfg:"multiprocessing_context,ignored" help:"workers are threads"`
	PinMemoryDevice        any             `cfg:"pin_memory_device,ignored" help:"deprecated in PyTorch, too"`
}

// Doc is the reference's text.
func (DataLoader) Doc() string {
	return `Makes batches of a dataset. The order of samples is PyTorch's from the same seed, and so is what is drawn for it.

A dataset in memory (TensorDataset, lighter.datasets.Digits, a Subset of one) gives a batch by one gather a tensor, and
workers have nothing to do there and none are started. For other
datasets num_workers threads load samples and collate them, prefetch_factor batches each ahead of the training.`
}

// Validate checks what does not depend on the dataset.
func (c DataLoader) Validate() error {
	shuffle := c.Shuffle != nil && *c.Shuffle
	switch {
	case c.NumWorkers < 0:
		return lighter.FieldError("num_workers", "num_workers option should be non-negative; use num_workers=0 to disable multiprocessing. Got %d", c.NumWorkers)
	case c.Timeout < 0:
		return lighter.FieldError("timeout", "timeout option should be non-negative, got %v", c.Timeout)
	case c.NumWorkers == 0 && c.PrefetchFactor != nil:
		return lighter.FieldError("prefetch_factor", "prefetch_factor option could only be specified in multiprocessing. Let num_workers > 0 to enable it, otherwise set prefetch_factor to null")
	case c.PrefetchFactor != nil && *c.PrefetchFactor < 1:
		return lighter.FieldError("prefetch_factor", "must be at least 1, got %d", *c.PrefetchFactor)
	case c.PersistentWorkers && c.NumWorkers == 0:
		return lighter.FieldError("persistent_workers", "persistent_workers option needs num_workers > 0")
	case c.Sampler != nil && shuffle:
		return lighter.FieldError("sampler", "sampler option is mutually exclusive with shuffle")
	case c.BatchSize == nil && c.DropLast:
		return lighter.FieldError("drop_last", "batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
	case c.BatchSize != nil && *c.BatchSize <= 0:
		return lighter.FieldError("batch_size", "batch_size should be a positive integer value, but got batch_size=%d", *c.BatchSize)
	}
	return nil
}

// Build makes the loader. Nothing is drawn before an epoch begins.
func (c DataLoader) Build(env *lighter.Env) (_ lighter.Loader, err error) {
	defer tensor.Recover(&err)
	n := c.Dataset.Len()
	if n == 0 {
		return nil, lighter.FieldError("dataset", "is empty: there is nothing to load (num_samples=0)")
	}
	l := &loader{
		dataset: c.Dataset, sampler: c.Sampler, batch: 1, single: c.BatchSize == nil,
		timeout: time.Duration(c.Timeout * float64(time.Second)), generator: c.Generator.generator(),
		dropLast: c.DropLast, persistent: c.PersistentWorkers, pin: c.PinMemory, log: env.Log,
	}
	l.collate, l.mix = c.CollateFn.f, c.CollateFn.mix
	if c.BatchSize != nil {
		l.batch = *c.BatchSize
		if l.collate == nil {
			l.gatherer, _ = c.Dataset.(lighter.Gatherer)
			l.batcher, _ = c.Dataset.(lighter.Batcher)
			l.collate = collate
		}
	}
	if l.sampler == nil {
		l.sampler = sequential(n)
		if c.Shuffle != nil && *c.Shuffle {
			l.sampler = &random{n: n, samples: n, generator: l.generator}
		}
	}
	l.batches = l.countBatches()
	if l.batches == 0 {
		return nil, lighter.FieldError("batch_size", "batch_size=%d with drop_last leaves no batch of %d samples", l.batch, l.sampler.Len())
	}
	if c.NumWorkers > 0 {
		prefetch := 2
		if c.PrefetchFactor != nil {
			prefetch = *c.PrefetchFactor
		}
		l.workers, l.ahead = c.NumWorkers, c.NumWorkers*prefetch
	}
	return l, nil
}

func init() {
	one := 1
	registry.Register[lighter.Loader]("torch.utils.data.DataLoader", DataLoader{BatchSize: &one}, "torch.utils.data.dataloader.DataLoader")
}
