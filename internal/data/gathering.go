package data

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// gathering gives the batches of a dataset in memory.
type gathering struct {
	loader *loader
	order  order
	at     int // the batch that comes next
	start  int // where the last one lies in the order
	n      int // and its samples
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
	g.start, g.n = start, n
	if g.order.inOrder() {
		batch = g.successive(start, n)
	} else {
		batch = g.loader.gatherer.Gather(g.order.index.Narrow(0, int64(start), int64(n)))
	}
	if batch, err = g.loader.mixed(batch, start, making{numbers: g.loader.numbers()}); err != nil {
		return nil, false, err
	}
	return g.loader.pinned(batch), true, nil
}

// Locate implements [lighter.BatchLocator].
func (g *gathering) Locate() func(k int) string {
	s := tensor.Open()
	defer s.Close()
	start, n := int64(g.start), int64(g.n)
	if g.closed {
		return func(k int) string { return fmt.Sprintf("sample %d of the batch", k) }
	}
	if g.order.inOrder() {
		return g.loader.located(job{index: tensor.Values[int64](tensor.CallOne("arange", start, start+n))})
	}
	return g.loader.located(job{index: tensor.Values[int64](g.order.index.Narrow(0, start, n))})
}

func (g *gathering) seek(at int) (lighter.Iterator, error) {
	g.order.ask(at + g.order.ahead)
	g.at = at
	return g, nil
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
