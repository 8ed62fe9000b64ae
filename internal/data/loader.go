package data

import (
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data/draw"
	"github.com/lighter-go/lighter/tensor"
)

// loader makes the epochs of a DataLoader.
type loader struct {
	dataset    lighter.Dataset
	gatherer   lighter.Gatherer // the dataset when it is in memory, else nil
	batcher    lighter.Batcher  // the dataset when it makes batches of samples it draws, else nil
	collate    CollateFn        // nil with single samples: they stay as they are
	sampler    Sampler
	batch      int  // samples of a batch
	single     bool // samples come without a batch dimension
	batches    int  // of an epoch
	workers    int
	ahead      int // batches asked for before they are needed
	timeout    time.Duration
	generator  *Generator
	dropLast   bool
	persistent bool // the base seed is drawn once
	seeded     bool
	base       int64             // the base seed
	epoch      int64             // epochs begun since it was drawn
	mix        lighter.Transform // done to every collated batch, or nil
	// The states of the loader's own generators when the epoch under way began, and whether the base seed had been drawn.
	began        [][]byte
	seededBefore bool
	pin          bool
	pinWarned    bool
	log          zerolog.Logger
}

// Len is the number of batches of an epoch.
func (l *loader) Len() int { return l.batches }

// Iter begins an epoch. It draws the base seed and, when it loads ahead or begins within the epoch, the order; else the first
// batch draws the order.
func (l *loader) Iter(from int) (it lighter.Iterator, err error) {
	defer tensor.Recover(&err)
	l.began, l.seededBefore = nil, l.seeded
	for _, g := range l.generators() {
		l.began = append(l.began, g.state)
	}
	if !l.seeded {
		l.generator.Draw(func() { l.base = tensor.RandomInt64() })
		l.seeded, l.epoch = l.persistent, 0
	} else {
		l.epoch++
	}
	o := order{sampler: l.sampler, batch: l.batch, batches: l.batches, ahead: l.ahead}
	if n := from + l.ahead; n > 0 {
		o.ask(n)
	}
	switch {
	case l.gatherer != nil:
		return &gathering{loader: l, order: o, at: from}, nil
	case l.workers > 0:
		return newWorkers(l, o, from), nil
	}
	return &fetching{loader: l, order: o, at: from}, nil
}

// countBatches is the number of batches that the sampler's samples make.
func (l *loader) countBatches() int {
	n := l.sampler.Len()
	if l.dropLast {
		return n / l.batch
	}
	return (n + l.batch - 1) / l.batch
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
	return mapTensors(batch, func(t tensor.Tensor) tensor.Tensor { return tensor.CallOne("pin_memory", t) })
}

// rand is where the sample at a place of the epoch draws: with workers from numbers of its own, so that it does not matter
// which worker makes it when.
func (l *loader) rand(place int) lighter.Rand {
	if l.workers == 0 {
		return draw.Default{}
	}
	return draw.Stream(uint64(l.base)+uint64(l.epoch)*0x9e3779b97f4a7c15, uint64(place))
}

// fetch makes the batch of the samples index names, which begin at place start of the epoch; its tensors and what it needed on
// the way are in the innermost scope. stopped is asked before each sample; when it is true, fetch gives nil.
func (l *loader) fetch(index []int64, start int, stopped func() bool) (lighter.Value, error) {
	if l.batcher != nil {
		batch, ok, err := l.whole(index, start)
		if err != nil {
			return nil, err
		}
		if ok {
			return l.mixed(batch, start)
		}
	}
	samples := make([]lighter.Value, len(index))
	for k, i := range index {
		if stopped() {
			return nil, nil
		}
		s, err := l.sample(i, start+k)
		if err != nil {
			return nil, err
		}
		samples[k] = s
	}
	if l.single {
		if l.collate == nil {
			return samples[0], nil
		}
		return l.collate(samples[:1:1])
	}
	batch, err := l.collate(samples)
	if err != nil {
		return nil, fmt.Errorf("collate %s: %w", named(index), err)
	}
	return l.mixed(batch, start)
}

// mixed is a collated batch after the transform of batches; it draws as the batch's first sample would after it.
func (l *loader) mixed(batch lighter.Value, start int) (lighter.Value, error) {
	if l.mix == nil {
		return batch, nil
	}
	batch, err := l.mix.Apply(batch, l.rand(^start))
	if err != nil {
		return nil, fmt.Errorf("collate_fn: %w", err)
	}
	return batch, nil
}

// whole is a batch that the dataset makes at once.
func (l *loader) whole(index []int64, start int) (batch lighter.Value, ok bool, err error) {
	defer tensor.Recover(&err)
	n := int64(l.dataset.Len())
	for _, i := range index {
		if i < 0 || i >= n {
			return nil, false, fmt.Errorf("sample %d: index out of range: the dataset has %d samples", i, n)
		}
	}
	return l.batcher.Batch(index, func(k int) lighter.Rand { return l.rand(start + k) })
}

// sample is sample i, at a place of the epoch; every failure, a panic of the dataset included, names it.
func (l *loader) sample(i int64, place int) (v lighter.Value, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *tensor.Error:
			err = r
		default:
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
		if err != nil {
			v, err = nil, fmt.Errorf("sample %d: %w", i, err)
		}
	}()
	if n := int64(l.dataset.Len()); i < 0 || i >= n {
		return nil, fmt.Errorf("index out of range: the dataset has %d samples", n)
	}
	return drawSample(l.dataset, int(i), l.rand(place))
}

// drawSample is sample i of a dataset, drawn from r where it draws.
func drawSample(d lighter.Dataset, i int, r lighter.Rand) (lighter.Value, error) {
	if d, ok := d.(lighter.Drawer); ok {
		return d.Draw(i, r)
	}
	return d.Item(i)
}

// named lists samples for a message.
func named(index []int64) string {
	const most = 8
	text := strings.Trim(fmt.Sprint(index[:min(len(index), most)]), "[]")
	if len(index) > most {
		return fmt.Sprintf("samples %s and %d more", text, len(index)-most)
	}
	return "samples " + text
}

// order is the order of one epoch's samples.
type order struct {
	sampler   Sampler
	batch     int
	batches   int
	ahead     int
	index     tensor.Tensor // kept, int64 of shape [Len]; the zero value means 0, 1, 2...
	drawn     bool
	exhausted bool
}

// ask says that n batches have been asked for so far. The first draws the order; the one that needs more samples than
// there are exhausts the sampler.
func (o *order) ask(n int) {
	if !o.drawn {
		s := tensor.Open()
		defer s.Close()
		if t := o.sampler.Order(); t.Defined() {
			o.index = t.Keep()
		}
		o.drawn = true
	}
	if !o.exhausted && n*o.batch > o.sampler.Len() {
		o.exhausted = true
		if e, ok := o.sampler.(exhauster); ok {
			e.exhausted()
		}
	}
}

// next says that batch b is wanted and gives its place in the order; ok is false after the last batch.
func (o *order) next(b int) (start, n int, ok bool) {
	o.ask(b + 1 + o.ahead)
	if b >= o.batches {
		return 0, 0, false
	}
	start = b * o.batch
	return start, min(o.batch, o.sampler.Len()-start), true
}

func (o *order) inOrder() bool { return o.index == tensor.Tensor{} }

// list is the whole order on the host.
func (o *order) list() []int64 {
	if !o.inOrder() {
		return tensor.Values[int64](o.index)
	}
	all := make([]int64, o.sampler.Len())
	for i := range all {
		all[i] = int64(i)
	}
	return all
}

func (o *order) free() {
	o.index.Free()
	o.index = tensor.Tensor{}
}

// gathering gives the batches of a dataset in memory.
type gathering struct {
	loader *loader
	order  order
	at     int // the batch that comes next
	closed bool
}

// Next gathers the next batch: one operation a tensor, and one for the batch's part of the order.
func (g *gathering) Next() (batch lighter.Value, ok bool, err error) {
	defer tensor.Recover(&err)
	if g.closed {
		return nil, false, nil
	}
	start, n, more := g.order.next(g.at)
	if !more {
		g.Close()
		return nil, false, nil
	}
	g.at++
	if g.order.inOrder() {
		batch = g.successive(start, n)
	} else {
		batch = g.loader.gatherer.Gather(g.order.index.Narrow(0, int64(start), int64(n)))
	}
	if batch, err = g.loader.mixed(batch, start); err != nil {
		return nil, false, err
	}
	return g.loader.pinned(batch), true, nil
}

func (g *gathering) seek(at int) lighter.Iterator {
	g.order.ask(at + g.order.ahead)
	g.at = at
	return g
}

func (g *gathering) successive(start, n int) lighter.Value {
	if d, ok := g.loader.gatherer.(narrower); ok {
		return d.narrow(start, n)
	}
	return g.loader.gatherer.Gather(tensor.CallOne("arange", start, start+n))
}

// Close frees the order.
func (g *gathering) Close() {
	g.closed = true
	g.order.free()
}

// fetching gives the batches of any dataset, on the thread that asks.
type fetching struct {
	loader *loader
	order  order
	list   []int64
	at     int
	closed bool
}

// Next loads the samples of the next batch and collates them.
func (f *fetching) Next() (batch lighter.Value, ok bool, err error) {
	defer tensor.Recover(&err)
	if f.closed {
		return nil, false, nil
	}
	start, n, more := f.order.next(f.at)
	if !more {
		f.Close()
		return nil, false, nil
	}
	f.at++
	if f.list == nil {
		f.list = f.order.list()
	}
	s := tensor.Open()
	defer s.Close()
	batch, err = f.loader.fetch(f.list[start:start+n], start, func() bool { return false })
	if err != nil {
		return nil, false, err
	}
	return mapTensors(f.loader.pinned(batch), s.Return), true, nil
}

func (f *fetching) seek(at int) lighter.Iterator {
	f.order.ask(at + f.order.ahead)
	f.at = at
	return f
}

// Close frees the order.
func (f *fetching) Close() {
	f.closed = true
	f.order.free()
}
