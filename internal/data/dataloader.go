package data

import (
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// DataLoader is torch.utils.data.DataLoader.
// https://pytorch.org/docs/stable/data.html#torch.utils.data.DataLoader
type DataLoader struct {
	Dataset                Source        `cfg:"dataset,required,aka=data|ds" help:"where the samples come from"`
	BatchSize              *int          `cfg:"batch_size,aka=bs|batch" help:"samples of a batch; null gives single samples, without a batch dimension"`
	Shuffle                *bool         `cfg:"shuffle" help:"a new random order in each epoch"`
	Sampler                SamplerArg    `cfg:"sampler" help:"the order of the samples: a sampler or a list of ints"`
	BatchSampler           BatchesArg    `cfg:"batch_sampler" help:"each batch's samples: a BatchSampler or a list of lists of ints"`
	NumWorkers             *int          `cfg:"num_workers,aka=workers|n_workers" help:"threads that load ahead; null loads ahead where that changes no number"`
	CollateFn              Collate       `cfg:"collate_fn,aka=collate" help:"a callable of a list of samples, or MixUp or CutMix; null for default_collate"`
	PinMemory              bool          `cfg:"pin_memory" help:"batches in page-locked memory, when there is a CUDA device"`
	DropLast               bool          `cfg:"drop_last,aka=droplast|drop_remainder" help:"leave out a last batch that is not full"`
	Timeout                float64       `cfg:"timeout" help:"seconds to wait for a batch from the workers; 0 waits for ever"`
	WorkerInitFn           registry.Func `cfg:"worker_init_fn" help:"a callable of the worker's number, called before it begins an epoch"`
	MultiprocessingContext any           `cfg:"multiprocessing_context,ignored" help:"workers are threads"`
	Generator              GeneratorArg  `cfg:"generator" help:"a seed or a torch.Generator; the default generator when null"`
	PrefetchFactor         *int          `cfg:"prefetch_factor" help:"batches a worker loads ahead; 2 when null"`
	PersistentWorkers      bool          `cfg:"persistent_workers" help:"draw the base seed once for all epochs, as PyTorch then does"`
	PinMemoryDevice        any           `cfg:"pin_memory_device,ignored" help:"deprecated in PyTorch, too"`
	InOrder                bool          `cfg:"in_order" help:"false gives a batch as soon as a worker has made it"`
}

// Doc is the reference's text.
func (DataLoader) Doc() string {
	return `Makes batches of a dataset. The order of samples is PyTorch's from the same seed, and so is what is drawn for it.

A dataset in memory (TensorDataset, lighter.datasets.Digits, a Subset of one) gives a batch by one gather a tensor, and
workers have nothing to do there and none are started. For other datasets num_workers threads load samples and collate them,
prefetch_factor batches each ahead of the training; what a sample draws then follows from the base seed, the epoch and its place,
so that batches do not depend on the number of workers. With num_workers: 0 samples draw from the default generator, in PyTorch's
order. When num_workers is not given, threads load ahead as long as no sample draws; the first one that does makes it 0. The first
batches of an epoch are loaded while the one before ends.

An iterable dataset is read in order by one thread at a time, and workers share what its samples cost. They draw from numbers of
their own also without workers. An epoch that goes on reads, and does not make, the samples it has had.`
}

func (c DataLoader) numWorkers() int {
	if c.NumWorkers == nil {
		return 0
	}
	return *c.NumWorkers
}

// Validate checks what does not depend on the dataset, in PyTorch's order.
func (c DataLoader) Validate() error {
	shuffle, workers := c.Shuffle != nil && *c.Shuffle, c.numWorkers()
	switch {
	case workers < 0:
		return lighter.FieldError("num_workers", "num_workers option should be non-negative; use num_workers=0 to disable multiprocessing. Got %d", workers)
	case c.Timeout < 0:
		return lighter.FieldError("timeout", "timeout option should be non-negative, got %v", c.Timeout)
	case workers == 0 && c.PrefetchFactor != nil:
		return lighter.FieldError("prefetch_factor", "prefetch_factor option could only be specified in multiprocessing. Let num_workers > 0 to enable it, otherwise set prefetch_factor to null")
	case c.PrefetchFactor != nil && *c.PrefetchFactor < 0:
		return lighter.FieldError("prefetch_factor", "prefetch_factor option should be non-negative, got %d", *c.PrefetchFactor)
	case c.PrefetchFactor != nil && *c.PrefetchFactor < 1:
		return lighter.FieldError("prefetch_factor", "must be at least 1, got %d", *c.PrefetchFactor)
	case c.PersistentWorkers && workers == 0:
		return lighter.FieldError("persistent_workers", "persistent_workers option needs num_workers > 0")
	case c.Timeout > 0 && workers == 0:
		return lighter.FieldError("timeout", "needs num_workers > 0: _SingleProcessDataLoaderIter requires timeout == 0")
	case c.Dataset.iterable != nil && shuffle:
		return iterableConflict("shuffle", "True")
	case c.Dataset.iterable != nil && c.Sampler.given():
		return iterableConflict("sampler", "one")
	case c.Dataset.iterable != nil && c.BatchSampler.batches != nil:
		return iterableConflict("batch_sampler", "one")
	case c.Sampler.given() && shuffle:
		return lighter.FieldError("sampler", "sampler option is mutually exclusive with shuffle")
	case c.BatchSampler.batches != nil && (c.BatchSize == nil || *c.BatchSize != 1 || shuffle || c.Sampler.given() || c.DropLast):
		return lighter.FieldError("batch_sampler", "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last")
	case c.BatchSize == nil && c.DropLast:
		return lighter.FieldError("drop_last", "batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
	case c.BatchSize != nil && *c.BatchSize <= 0:
		return lighter.FieldError("batch_size", "batch_size should be a positive integer value, but got batch_size=%d", *c.BatchSize)
	case c.Sampler.batches != nil && c.BatchSize != nil:
		return lighter.FieldError("sampler", "gives batches, not samples: name it batch_sampler")
	}
	return c.checkContext(workers)
}

func (c DataLoader) checkContext(workers int) error {
	if c.MultiprocessingContext == nil {
		return nil
	}
	methods := []string{"fork", "spawn", "forkserver"}
	name, isName := c.MultiprocessingContext.(string)
	switch {
	case workers == 0:
		return lighter.FieldError("multiprocessing_context", "multiprocessing_context can only be used with multi-process loading (num_workers > 0), but got num_workers=0")
	case isName && !slices.Contains(methods, name):
		return lighter.FieldError("multiprocessing_context", "multiprocessing_context option should specify a valid start method in ['fork', 'spawn', 'forkserver'], but got multiprocessing_context='%s'", name)
	}
	return nil
}

// Build makes the loader. Nothing is drawn before an epoch begins.
func (c DataLoader) Build(env *lighter.Env) (_ lighter.Loader, err error) {
	defer tensor.Recover(&err)
	l := &loader{
		Source: c.Dataset, size: 1, single: c.BatchSize == nil, inOrder: c.InOrder, workerInit: c.WorkerInitFn,
		timeout: time.Duration(c.Timeout * float64(time.Second)), generator: c.Generator.generator(),
		dropLast: c.DropLast, persistent: c.PersistentWorkers, pin: c.PinMemory, log: env.Log,
	}
	l.collate, l.mix = c.CollateFn.f, c.CollateFn.mix
	if c.BatchSize != nil {
		l.size = *c.BatchSize
	}
	if l.dataset != nil {
		if err := c.order(l); err != nil {
			return nil, err
		}
	}
	own := l.collate != nil // a function of the configuration, which may draw
	if l.single && l.batches != nil && c.Sampler.batches != nil {
		l.single = false // a sampler that gives batches, of a dataset that takes lists
	}
	if !l.single && !own {
		l.gatherer, _ = l.dataset.(lighter.Gatherer)
		l.batcher, _ = l.dataset.(lighter.Batcher)
		l.collate = collate
	}
	if c.Sampler.batches != nil && l.gatherer == nil {
		return nil, lighter.FieldError("sampler", "gives lists of samples' numbers, which only a dataset in memory takes: name it batch_sampler and leave batch_size out")
	}
	c.threads(l, own)
	return l, nil
}

// order is how a dataset's samples come.
func (c DataLoader) order(l *loader) error {
	n := l.dataset.Len()
	if n == 0 {
		return Unreadable("dataset", errNoSamples)
	}
	l.batches = c.BatchSampler.batches
	field := "batch_sampler"
	if l.batches == nil {
		field = "sampler"
		if l.batches = c.Sampler.batches; l.batches == nil {
			l.batches = &Batches{sampler: c.Sampler.sampler, size: l.size, dropLast: c.DropLast}
		}
	}
	if l.batches.sampler == nil {
		l.batches.sampler = sequential(n)
		if c.Shuffle != nil && *c.Shuffle {
			l.batches.sampler = &random{n: n, samples: n, generator: l.generator}
		}
	}
	b := *l.batches
	if s, err := within(b.sampler, n); err != nil {
		return Unreadable(field, err)
	} else if b.sampler = s; b.count() == 0 {
		err := fmt.Errorf("batch_size=%d with drop_last leaves no batch of %d samples", b.size, b.sampler.Len())
		return Unreadable("batch_size", err)
	}
	l.batches = &b
	return nil
}

// within is a sampler whose samples are those of a dataset of n. Negative ones count from the end.
func within(s Sampler, n int) (Sampler, error) {
	size := n
	switch s := s.(type) {
	case sequential:
		size = s.Len()
	case *random:
		size = s.n
	case *distributed:
		size = s.n
	case indexed:
		given := slices.Clone(s.indices())
		for k, i := range given {
			if i < -int64(n) || i >= int64(n) {
				return nil, fmt.Errorf("index %d at position %d is out of range for a dataset of %d samples", i, k, n)
			}
			given[k] = (i + int64(n)) % int64(n)
		}
		switch s := s.(type) {
		case listed:
			return listed(given), nil
		case *subsetRandom:
			return &subsetRandom{given: given, generator: s.generator}, nil
		}
	}
	if size > n {
		return nil, fmt.Errorf("index %d is out of range for a dataset of %d samples: the sampler's has %d", n, n, size)
	}
	return s, nil
}

// mostThreads is how many threads load ahead at most where num_workers is not given.
const mostThreads = 8

// threads is who loads.
func (c DataLoader) threads(l *loader, ownCollate bool) {
	n := c.numWorkers()
	switch {
	case n > 0:
		l.workers = true
		prefetch := 2
		if c.PrefetchFactor != nil {
			prefetch = *c.PrefetchFactor
		}
		l.threads, l.inFlight, l.asks = n, n*prefetch, n*prefetch
		if most := runtime.NumCPU(); n > most && l.gatherer == nil {
			l.log.Warn().Msgf("This DataLoader will create %d worker threads in total. Our suggested max number of worker in current system is %d, which is smaller than what this DataLoader is going to create.", n, most)
		}
	case c.NumWorkers == nil && !ownCollate:
		l.auto = true
		l.threads = min(max(runtime.NumCPU()-1, 1), mostThreads)
		l.inFlight = l.threads + 1
	}
	if l.gatherer != nil {
		l.threads, l.auto = 0, false
	}
}

func init() {
	one := 1
	registry.Register[lighter.Loader]("torch.utils.data.DataLoader", DataLoader{BatchSize: &one, InOrder: true}, "torch.utils.data.dataloader.DataLoader")
}
