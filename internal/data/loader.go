package data

import (
	"time"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// loader makes the epochs of a DataLoader.
type loader struct {
	Source
	gatherer lighter.Gatherer // the dataset when it is in memory, else nil
	batcher  lighter.Batcher  // the dataset when it makes batches of samples it draws, else nil
	collate  CollateFn        // nil with single samples: they stay as they are
	mix      lighter.Transform
	batches  *Batches // of a dataset; nil for an iterable one
	size     int      // samples of a batch of an iterable dataset
	dropLast bool     // of an iterable dataset
	single   bool     // samples come without a batch dimension

	threads    int  // that load ahead
	inFlight   int  // batches that are loaded ahead
	auto       bool // num_workers is unset: threads load ahead until a sample draws random numbers
	draws      bool // one did
	workers    bool // num_workers is 1 or more: PyTorch draws the order ahead, and samples have numbers of their own
	asks       int  // batches that PyTorch's iterator asks its sampler for ahead
	inOrder    bool
	timeout    time.Duration
	workerInit registry.Func
	persistent bool // the base seed is drawn once
	generator  *Generator
	pin        bool
	pinWarned  bool
	log        zerolog.Logger

	seeded bool
	base   int64 // the base seed
	epoch  int64 // epochs begun since it was drawn
	// The states of the loader's own generators when the epoch under way began, and whether the base seed had been drawn.
	began        [][]byte
	seededBefore bool
	taken        []int // batches that are not to come again when an epoch goes on, where they come in any order
	current      *ahead
	follows      bool              // another epoch comes after the one under way
	foresight    *foresight        // of it, or nil
	misses       int               // how often in a row the one before the last batch was wrong
	leaving      []<-chan struct{} // closed when the threads of epochs that did not come are done
}

// Len is the number of batches of an epoch, -1 when an iterable dataset does not know its length.
func (l *loader) Len() int {
	if l.batches != nil {
		return l.batches.count()
	}
	sized, ok := l.iterable.(lighter.Sized)
	if !ok {
		return -1
	}
	if l.dropLast {
		return sized.Len() / l.size
	}
	return (sized.Len() + l.size - 1) / l.size
}

// Iter begins an epoch. It draws the base seed and, with workers or when it begins within the epoch, the order; else the first
// batch draws the order.
func (l *loader) Iter(from int) (it lighter.Iterator, err error) {
	defer tensor.Recover(&err)
	l.began, l.seededBefore = nil, l.seeded
	for _, g := range l.generators() {
		l.began = append(l.began, g.state)
	}
	l.seed()
	taken := l.taken
	l.taken, l.follows = nil, false
	if l.batches == nil {
		return l.iterStream(from, taken)
	}
	o := order{batches: l.batches, count: l.batches.count(), ahead: l.asks}
	if n := from + l.asks; n > 0 {
		o.ask(n)
	}
	switch {
	case l.gatherer != nil:
		return &gathering{loader: l, order: o, at: from}, nil
	case l.threads > 0 && !l.draws:
		a := &ahead{loader: l, order: o, at: from, taken: taken}
		if _, still := l.batches.sampler.(sequential); o.drawn || still {
			return a, a.start()
		}
		return a, nil
	}
	return &fetching{loader: l, order: o, at: from}, nil
}

// seed draws the epoch's base seed, as PyTorch's iterators do when they are made.
func (l *loader) seed() {
	if l.seeded {
		l.epoch++
		return
	}
	l.generator.Draw(func() { l.base = tensor.RandomInt64() })
	l.seeded, l.epoch = l.persistent, 0
}

// numbers are what the samples of the epoch under way draw from.
func (l *loader) numbers() numbers {
	n := numbers{base: l.base, epoch: l.epoch}
	switch {
	case l.workers || l.batches == nil:
		n.kind = ofSample
	case l.auto && !l.draws:
		n.kind = forbidden
	}
	return n
}

// SetEpoch implements [lighter.EpochSetter].
func (l *loader) SetEpoch(n int) {
	if l.batches == nil {
		return
	}
	if s, ok := l.batches.sampler.(epochal); ok {
		s.setEpoch(n)
	}
}

// Close drops what was loaded for an epoch that does not come.
func (l *loader) Close() error {
	l.forget()
	for _, done := range l.leaving {
		wait(done)
	}
	l.leaving = nil
	return nil
}

// pinned moves a batch to page-locked memory when that is wanted and there is a device for it.
func (l *loader) pinned(batch lighter.Value) lighter.Value {
	if !l.pin {
		return batch
	}
	if tensor.DeviceCount() == 0 {
		if !l.pinWarned {
			l.pinWarned = true
			l.log.Warn().Msg("'pin_memory' argument is set as true but no accelerator is found, then device pinned memory won't be used.")
		}
		return batch
	}
	return lighter.MapTensors(batch, func(t tensor.Tensor) tensor.Tensor { return tensor.CallOne("pin_memory", t) })
}
