package engine

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// lookahead gives the batches of a loader that does not know its length. It holds the next one, and so knows the last one when it
// gives it, as Lightning does of such loaders.
type lookahead struct {
	lighter.Iterator
	l    *loop
	next lighter.Value // its tensors are kept
	err  error
	more bool
	at   int                // batches given
	here func(k int) string // what the samples of the batch given last are
	then func(k int) string
}

// look begins to look ahead, at batch from.
func look(l *loop, it lighter.Iterator, from int) *lookahead {
	a := &lookahead{Iterator: it, l: l, at: from}
	l.end = -1
	a.fetch()
	return a
}

func (a *lookahead) fetch() {
	s := tensor.Open()
	defer s.Close()
	defer tensor.Recover(&a.err)
	batch, more, err := a.Iterator.Next()
	switch {
	case err != nil:
		a.err = err
	case more:
		a.next, a.more, a.then = kept(batch), true, locator(a.Iterator)
	default:
		a.l.end = a.at
	}
}

// Next gives the batch that is there and takes the one after it.
func (a *lookahead) Next() (batch lighter.Value, ok bool, err error) {
	if a.err != nil || !a.more {
		err, a.err = a.err, nil
		return nil, false, err
	}
	batch = adopt(a.next)
	a.here, a.more = a.then, false
	a.at++
	if n := a.l.numBatches(); n < 0 || a.at < n {
		a.fetch()
	}
	return batch, true, nil
}

// Locate implements [lighter.BatchLocator].
func (a *lookahead) Locate() func(k int) string { return a.here }

// Close frees what was not given.
func (a *lookahead) Close() {
	if a.more {
		lighter.MapTensors(a.next, func(t tensor.Tensor) tensor.Tensor { t.Free(); return t })
		a.more = false
	}
	a.Iterator.Close()
}

// locator says what the samples of an iterator's last batch are.
func locator(it lighter.Iterator) func(k int) string {
	if l, ok := it.(lighter.BatchLocator); ok {
		return l.Locate()
	}
	return func(k int) string { return fmt.Sprintf("sample %d of the batch", k) }
}

// begin begins a loader's epoch at a batch.
func (l *loop) begin(loader lighter.Loader, from int) (lighter.Iterator, error) {
	l.end = -1
	it, err := loader.Iter(from)
	if err != nil {
		return nil, &Error{Code: ExitData, Err: err}
	}
	if loader.Len() < 0 {
		it = look(l, it, from)
	}
	l.iterator = it
	return it, nil
}

// isLast says whether batch idx is the last of the epoch and loader, as far as known when it was given.
func (l *loop) isLast(idx int) bool { return idx+1 == l.numBatches() || idx+1 == l.end }

// endsAt says that no batch idx comes, as far as is known.
func (l *loop) endsAt(idx int) bool {
	n := l.numBatches()
	return n >= 0 && idx >= n || l.end >= 0 && idx >= l.end
}
