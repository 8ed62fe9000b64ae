package data

import (
	"errors"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// ahead gives batches that threads make before they are asked for.
type ahead struct {
	loader *loader
	order  order // of a dataset
	at     int   // batches given, or done before the epoch went on
	taken  []int // of those the ones that lie beyond the first at-len(taken), where batches come in any order
	given  *handedOut
	pool   *pool // nil before the first batch is asked for, where that draws the order
	last   job
	closed bool
	plain  *fetching // goes on where a sample draws random numbers; nil before
}

// start lets the threads begin.
func (a *ahead) start() error {
	l := a.loader
	var list []int64
	count := -1
	if l.batches != nil {
		list, count = a.order.list(), a.order.count
	}
	if a.at == 0 {
		a.pool = l.foreseen(list)
	}
	if a.pool == nil {
		l.forget()
		f, err := l.feed(list, l.numbers(), a.at, a.taken)
		if err != nil {
			return err
		}
		a.pool = newPool(l, l.numbers(), f, a.at-len(a.taken), count)
	}
	if !l.inOrder {
		a.given = &handedOut{done: a.at - len(a.taken), more: slices.Clone(a.taken)}
	}
	l.current = a
	a.pool.fill()
	return nil
}

// feed is what the batches of an epoch are made of, from a batch on.
func (l *loader) feed(list []int64, n numbers, from int, taken []int) (feed, error) {
	if l.batches != nil {
		return &indices{list: list, batches: l.batches, taken: taken}, nil
	}
	return l.openStream(n, from, taken)
}

// Next waits for the next batch and lets one more be begun.
func (a *ahead) Next() (batch lighter.Value, ok bool, err error) {
	if a.plain != nil {
		return a.plain.Next()
	}
	defer tensor.Recover(&err)
	if a.closed {
		return nil, false, nil
	}
	if a.loader.batches != nil {
		if _, _, more := a.order.next(a.at); !more {
			a.Close()
			return nil, false, nil
		}
	}
	if a.pool == nil {
		if err := a.start(); err != nil {
			return nil, false, err
		}
	}
	r, err := a.pool.take(a.at)
	switch {
	case err != nil:
		return nil, false, err
	case errors.Is(r.err, errDraws):
		return a.fallBack()
	case r.end:
		a.Close()
		return nil, false, nil
	}
	a.at++
	a.last = r.job
	if a.given != nil {
		a.given.add(r.number)
	}
	if !a.pool.grant() {
		a.loader.lookFurther(a.order)
	}
	if r.err != nil {
		return nil, false, r.err
	}
	return a.loader.pinned(r.batch), true, nil
}

// fallBack makes this and all later batches when they are asked for, as PyTorch does without workers: their samples draw from the
// default generator, in order.
func (a *ahead) fallBack() (lighter.Value, bool, error) {
	l := a.loader
	l.draws = true
	a.leave()
	l.forget()
	a.plain = &fetching{loader: l, order: a.order, at: a.at}
	a.order = order{}
	return a.plain.Next()
}

// Locate implements [lighter.BatchLocator].
func (a *ahead) Locate() func(k int) string {
	if a.plain != nil {
		return a.plain.Locate()
	}
	return a.loader.located(a.last)
}

func (a *ahead) seek(at int) (lighter.Iterator, error) {
	a.leave()
	a.at = at
	if a.loader.batches != nil {
		a.order.ask(at + a.order.ahead)
	}
	return a, a.start()
}

// leave stops the threads.
func (a *ahead) leave() {
	if a.pool != nil {
		a.pool.close()
		a.pool = nil
	}
	if a.loader.current == a {
		a.loader.current = nil
	}
}

// Close stops the threads.
func (a *ahead) Close() {
	if a.plain != nil {
		a.plain.Close()
		return
	}
	if !a.closed {
		a.closed = true
		a.leave()
		a.order.free()
	}
}

// indices is the feed of a dataset.
type indices struct {
	list    []int64
	batches *Batches
	taken   []int // batches that do not come
}

func (f *indices) next(number int) (j job, ok bool, err error) {
	if slices.Contains(f.taken, number) {
		return j, false, nil
	}
	start, end := f.batches.bounds(number)
	return job{index: f.list[start:end], start: start}, true, nil
}

func (*indices) close() {}

// handedOut are the batches that an epoch in any order has given: all before done, and more.
type handedOut struct {
	done int
	more []int
}

func (h *handedOut) add(number int) {
	h.more = append(h.more, number)
	for slices.Contains(h.more, h.done) {
		h.more = slices.DeleteFunc(h.more, func(n int) bool { return n == h.done })
		h.done++
	}
}
