package data

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// workers gives the batches of any dataset, loaded ahead by threads and handed out in order.
//
// A worker makes a batch in a scope of its own and keeps its tensors; they belong to the result until [workers.Next] gives
// them to the scope of the thread that asks, or Close frees them.
type workers struct {
	loader  *loader
	order   order
	list    []int64
	at      int             // the batch that comes next
	sent    int             // batches given to the workers
	jobs    chan job        // holds all batches in flight, so that sending never waits
	pending []<-chan result // of the batches in flight, in order
	stop    atomic.Bool
	running sync.WaitGroup
	hung    bool // a batch did not come in time
	closed  bool
}

type job struct {
	index []int64
	start int           // the place of its first sample in the epoch
	out   chan<- result // holds one result, so that a worker never waits
}

type result struct {
	batch lighter.Value
	err   error
}

func newWorkers(l *loader, o order, from int) *workers {
	w := &workers{loader: l, order: o, at: from, sent: from, list: o.list(), jobs: make(chan job, l.ahead+1)}
	for range min(l.workers, l.batches) {
		w.running.Go(w.run)
	}
	for range l.ahead {
		w.send()
	}
	return w
}

// send gives the workers one more batch, if there is one.
func (w *workers) send() {
	if w.sent >= w.order.batches {
		return
	}
	start := w.sent * w.order.batch
	end := min(start+w.order.batch, len(w.list))
	out := make(chan result, 1)
	w.pending = append(w.pending, out)
	w.jobs <- job{w.list[start:end], start, out}
	w.sent++
}

func (w *workers) seek(at int) lighter.Iterator {
	o := w.order
	if !o.inOrder() {
		o.index = o.index.Keep()
	}
	o.ask(at + o.ahead)
	w.Close()
	return newWorkers(w.loader, o, at)
}

// run is a worker: it keeps to one thread, since libtorch's modes belong to threads.
func (w *workers) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for j := range w.jobs {
		j.out <- w.load(j)
	}
}

func (w *workers) load(j job) (r result) {
	defer tensor.Recover(&r.err)
	s := tensor.Open()
	defer s.Close()
	batch, err := w.loader.fetch(j.index, j.start, w.stop.Load)
	if err != nil {
		return result{err: err}
	}
	return result{batch: mapTensors(batch, tensor.Tensor.Keep)}
}

// Next waits for the next batch and asks for one more.
func (w *workers) Next() (batch lighter.Value, ok bool, err error) {
	defer tensor.Recover(&err)
	if w.closed {
		return nil, false, nil
	}
	start, n, more := w.order.next(w.at)
	if !more {
		w.Close()
		return nil, false, nil
	}
	var r result
	select {
	case r = <-w.pending[0]:
	default:
		if r, more = w.wait(); !more {
			return nil, false, fmt.Errorf("DataLoader timed out after %v seconds, waiting for %s", w.loader.timeout.Seconds(), named(w.list[start:start+n]))
		}
	}
	w.hung = false
	w.at++
	w.pending = w.pending[1:]
	w.send()
	if r.err != nil {
		return nil, false, r.err
	}
	return w.loader.pinned(mapTensors(r.batch, tensor.Tensor.Adopt)), true, nil
}

// wait waits for the first batch in flight, as long as the timeout allows.
func (w *workers) wait() (r result, ok bool) {
	if w.loader.timeout == 0 {
		return <-w.pending[0], true
	}
	timer := time.NewTimer(w.loader.timeout)
	defer timer.Stop()
	select {
	case r = <-w.pending[0]:
		return r, true
	case <-timer.C:
		w.hung = true
		return r, false
	}
}

// Close stops the workers after the samples they are at, and frees what they made. It does not wait for a worker that
// hangs: what that one made is freed when it comes back.
func (w *workers) Close() {
	if w.closed {
		return
	}
	w.closed = true
	w.stop.Store(true)
	close(w.jobs)
	w.order.free()
	settle := func() {
		w.running.Wait()
		for _, p := range w.pending {
			mapTensors((<-p).batch, func(t tensor.Tensor) tensor.Tensor { t.Free(); return t })
		}
	}
	if w.hung {
		go settle()
		return
	}
	settle()
}
