package data

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync/atomic"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// job is a batch to be made, of samples of a dataset or of a stream.
type job struct {
	number  int
	index   []int64
	pending []lighter.Pending
	start   int // the place of its first sample in the epoch
}

// len is the number of its samples.
func (j job) len() int { return max(len(j.index), len(j.pending)) }

// place names sample k of a batch: its number, and where it comes from.
func (l *loader) place(j job, k int) string {
	if j.pending != nil {
		return fmt.Sprintf("sample %d%s", j.start+k, inBrackets(j.pending[k].Where))
	}
	return fmt.Sprintf("sample %d%s", j.index[k], inBrackets(locate(l.dataset, int(j.index[k]))))
}

// named lists a batch's samples for a message.
func (j job) named() string {
	const most = 8
	index := j.index
	for k := range j.pending {
		index = append(index, int64(j.start+k))
	}
	text := strings.Trim(fmt.Sprint(index[:min(len(index), most)]), "[]")
	if len(index) > most {
		return fmt.Sprintf("samples %s and %d more", text, len(index)-most)
	}
	return "samples " + text
}

// making is how a batch is made: what its samples draw from, and whom to tell of them.
type making struct {
	numbers
	drew *atomic.Bool // set when a sample drew; or nil
	// begin is told the sample that comes, and says whether to go on; or nil.
	begin func(k int) bool
}

func (m making) rand(place int) lighter.Rand { return m.at(place, m.drew) }

// fetch makes a batch; its tensors and what it needed on the way are in the innermost scope. It gives nil when it is to stop.
// Every failure, a panic of the dataset included, is an error that names the sample.
func (l *loader) fetch(j job, m making) (batch lighter.Value, err error) {
	defer l.caught(&err)
	if l.batcher != nil {
		batch, ok, err := l.whole(j, m)
		if err != nil {
			return nil, err
		}
		if ok {
			return l.mixed(batch, j.start, m)
		}
	}
	samples := make([]lighter.Value, j.len())
	for k := range samples {
		if m.begin != nil && !m.begin(k) {
			return nil, nil
		}
		if samples[k], err = l.sample(j, k, m); err != nil {
			return nil, err
		}
	}
	if l.single {
		if l.collate == nil {
			return samples[0], nil
		}
		return l.collate(samples[:1:1])
	}
	if batch, err = l.collate(samples); err != nil {
		var odd *oddSample
		if errors.As(err, &odd) {
			return nil, fmt.Errorf("collate %s: %w: entry %d is %s, entry %d is %s", j.named(), err, odd.first, l.place(j, odd.first), odd.at, l.place(j, odd.at))
		}
		return nil, fmt.Errorf("collate %s: %w", j.named(), err)
	}
	return l.mixed(batch, j.start, m)
}

// mixed is a collated batch after the transform of batches; it draws as the batch's first sample would after it.
func (l *loader) mixed(batch lighter.Value, start int, m making) (lighter.Value, error) {
	if l.mix == nil {
		return batch, nil
	}
	batch, err := l.mix.Apply(batch, m.rand(^start))
	if err != nil {
		return nil, fmt.Errorf("collate_fn: %w", err)
	}
	return batch, nil
}

// whole is a batch that the dataset makes at once.
func (l *loader) whole(j job, m making) (batch lighter.Value, ok bool, err error) {
	n := int64(l.dataset.Len())
	for k, i := range j.index {
		if i < 0 || i >= n {
			return nil, false, outOfRange(i, n)
		}
		if m.begin != nil && !m.begin(k) {
			return nil, true, nil
		}
	}
	return l.batcher.Batch(j.index, func(k int) lighter.Rand { return m.rand(j.start + k) })
}

func outOfRange(i, n int64) error {
	return fmt.Errorf("sample %d: index out of range: the dataset has %d samples", i, n)
}

// sample is sample k of a batch.
func (l *loader) sample(j job, k int, m making) (v lighter.Value, err error) {
	defer func() {
		if err != nil && !errors.Is(err, errDraws) {
			place := l.place(j, k)
			if at := strings.IndexByte(place, '('); at > 0 && strings.Contains(err.Error(), strings.Trim(place[at:], "()")) {
				place = place[:at-1]
			}
			v, err = nil, fmt.Errorf("%s: %w", place, err)
		}
	}()
	defer l.caught(&err)
	if j.pending != nil {
		return j.pending[k].Make(m.rand(j.start + k))
	}
	i, n := j.index[k], int64(l.dataset.Len())
	if i < 0 || i >= n {
		return nil, fmt.Errorf("index out of range: the dataset has %d samples", n)
	}
	return drawSample(l.dataset, int(i), m.rand(j.start+k))
}

// caught, deferred, turns a panic into *err. Where it happened is in the log, for those who look for it.
func (l *loader) caught(err *error) {
	switch r := recover().(type) {
	case nil:
	case *tensor.Error:
		*err = r
	case error:
		if errors.Is(r, errDraws) {
			*err = errDraws
			return
		}
		*err = fmt.Errorf("panic: %w", r)
		l.log.Debug().Msgf("panic: %v\n%s", r, debug.Stack())
	default:
		*err = fmt.Errorf("panic: %v", r)
		l.log.Debug().Msgf("panic: %v\n%s", r, debug.Stack())
	}
}

// drawSample is sample i of a dataset, drawn from r where it draws.
func drawSample(d lighter.Dataset, i int, r lighter.Rand) (lighter.Value, error) {
	if d, ok := d.(lighter.Drawer); ok {
		return d.Draw(i, r)
	}
	return d.Item(i)
}

// fetching gives the batches of any dataset, on the thread that asks.
type fetching struct {
	loader *loader
	order  order
	list   []int64
	at     int
	last   job
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
	if f.list == nil {
		f.list = f.order.list()
	}
	f.last = job{number: f.at, index: f.list[start : start+n], start: start}
	f.at++
	s := tensor.Open()
	defer s.Close()
	if batch, err = f.loader.fetch(f.last, making{numbers: f.loader.numbers()}); err != nil {
		return nil, false, err
	}
	return lighter.MapTensors(f.loader.pinned(batch), s.Return), true, nil
}

// Locate implements [lighter.BatchLocator].
func (f *fetching) Locate() func(k int) string { return f.loader.located(f.last) }

func (l *loader) located(j job) func(k int) string {
	return func(k int) string { return l.place(j, k) }
}

func (f *fetching) seek(at int) (lighter.Iterator, error) {
	f.order.ask(at + f.order.ahead)
	f.at = at
	return f, nil
}

// Close frees the order.
func (f *fetching) Close() {
	f.closed = true
	f.order.free()
}
