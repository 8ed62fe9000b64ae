package engine

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// lookahead is the iterator of a training loader that does not know its length: like Lightning it loads a batch ahead, so that the
// last one is known when it is done.
type lookahead struct {
	lighter.Iterator
	l    *loop
	next lighter.Value // its tensors are kept
	more bool
	err  error
}

// lookAhead makes it and loads the first batch, number from.
func lookAhead(it lighter.Iterator, l *loop, from int) lighter.Iterator {
	a := &lookahead{Iterator: it, l: l}
	a.load(from)
	return a
}

// load loads the batch that will be number idx. Without one the epoch has as many.
func (a *lookahead) load(idx int) {
	s := tensor.Open()
	defer s.Close()
	defer tensor.Recover(&a.err)
	a.next, a.more = nil, false
	batch, more, err := a.Iterator.Next()
	if a.err = err; err != nil {
		return
	}
	if a.more = more; more {
		a.next = kept(batch)
	} else {
		a.l.batches[0] = idx
	}
}

// Next implements lighter.Iterator.
func (a *lookahead) Next() (lighter.Value, bool, error) {
	batch, more, err := a.next, a.more, a.err
	if err != nil || !more {
		return nil, false, err
	}
	adopt(batch)
	if n := a.l.numBatches(); n < 0 || a.l.batch+1 < n {
		a.load(a.l.batch + 1)
	} else {
		a.next, a.more = nil, false
	}
	return batch, true, nil
}

// Close implements lighter.Iterator.
func (a *lookahead) Close() {
	if a.more {
		s := tensor.Open()
		adopt(a.next)
		s.Close()
		a.more = false
	}
	a.Iterator.Close()
}
