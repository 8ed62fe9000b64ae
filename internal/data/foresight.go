package data

import (
	"bytes"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// foresight is the epoch that comes next, as it will be if nobody draws from the default generator before it begins. Its first
// batches are made while the epoch under way ends. When it does begin, what it draws decides whether they are taken.
type foresight struct {
	pool  *pool
	state []byte // of the default generator when the epoch was foreseen
	list  []int64
	hasty bool // foreseen before the last batch was done
}

// Foresee implements [lighter.Foreseer].
func (l *loader) Foresee(over bool) {
	l.follows = true
	a := l.current
	if !over || l.draws || a == nil || a.pool == nil {
		return
	}
	s := tensor.Open()
	defer s.Close()
	if a.pool.left != 0 { // a limit ended the epoch before its end
		l.drop(a.pool)
	}
	if f := l.foresight; f != nil && !bytes.Equal(f.state, tensor.RNGState(tensor.Device{}).Bytes()) {
		l.wrong(f)
	}
	if l.foresight == nil {
		l.foresight = l.foresee(a.order)
	}
	if l.foresight != nil {
		l.foresight.pool.fill()
	}
}

// lookFurther lets a thread that has no batch of this epoch left begin one of the next.
func (l *loader) lookFurther(o order) {
	if !l.follows || l.batches == nil || l.misses > 1 {
		return
	}
	if l.foresight == nil {
		if l.foresight = l.foresee(o); l.foresight == nil {
			return
		}
		l.foresight.hasty = true
	}
	l.foresight.pool.grant()
}

// foresee draws what the next epoch will draw, after what the order o of the one under way still will, and puts all generators
// back.
func (l *loader) foresee(o order) *foresight {
	s := tensor.Open()
	defer s.Close()
	state := tensor.RNGState(tensor.Device{})
	defer tensor.SetRNGState(tensor.Device{}, state)
	for _, g := range l.generators() {
		defer func(was []byte) { g.state = was }(g.state)
	}
	defer func(seeded bool, base, epoch int64) { l.seeded, l.base, l.epoch = seeded, base, epoch }(l.seeded, l.base, l.epoch)
	f, count := &foresight{state: state.Bytes()}, -1
	if l.batches != nil {
		if d, ok := l.batches.sampler.(*distributed); ok {
			d.epoch++
			defer func() { d.epoch-- }()
		}
		o.ask(o.count + o.ahead)
	}
	l.seed()
	if l.batches != nil {
		count = o.count
		next := order{batches: l.batches, count: count, ahead: l.asks}
		next.ask(1)
		f.list = next.list()
		next.free()
	}
	feed, err := l.feed(f.list, l.numbers(), 0, nil)
	if err != nil {
		return nil // it is reported when the epoch begins
	}
	f.pool = newPool(l, l.numbers(), feed, 0, count)
	return f
}

// foreseen is the pool of an epoch in this order that begins, where it was foreseen; nil where it was not.
func (l *loader) foreseen(list []int64) *pool {
	f := l.foresight
	if f == nil {
		return nil
	}
	n := l.numbers()
	if !slices.Equal(f.list, list) || l.batches == nil && f.pool.numbers != n {
		l.wrong(f)
		return nil
	}
	if f.hasty {
		l.misses = 0
	}
	f.pool.draw(n) // samples that drew nothing are the same
	l.foresight = nil
	return f.pool
}

// wrong forgets what did not come.
func (l *loader) wrong(f *foresight) {
	if f.hasty {
		l.misses++
	}
	l.forget()
}

// forget drops the batches of an epoch that does not come.
func (l *loader) forget() {
	if l.foresight != nil {
		l.drop(l.foresight.pool)
		l.foresight = nil
	}
}

// drop stops a pool's threads without waiting for them; Close does.
func (l *loader) drop(p *pool) {
	l.leaving = append(slices.DeleteFunc(l.leaving, isClosed), p.abandon())
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

var _ lighter.Foreseer = (*loader)(nil)
