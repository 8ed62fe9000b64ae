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

// feed gives what the batches of an epoch are made of, one after the other.
type feed interface {
	// next is batch number's; one goroutine at a time calls it, with numbers that ascend by one.
	next(number int) (j job, ok bool, err error)
	close()
}

// pool is the threads that make the batches of one epoch.
//
// A thread makes a batch in a scope of its own and keeps its tensors; they belong to the result until [pool.take] gives them to the
// scope of the thread that asks, or close frees them.
type pool struct {
	loader *loader

	mu      sync.Mutex // guards what chooses the batches
	feed    feed
	number  int
	numbers numbers

	may      chan struct{} // a token for each batch that may be begun
	done     chan result   // holds all batches in flight, so that a thread never waits
	early    map[int]result
	granted  int // tokens given
	received int
	left     int // batches that no token was given for; -1 when there may always be more
	inOrder  bool

	at      []place // of each thread
	stop    atomic.Bool
	running sync.WaitGroup
	hung    bool // a batch did not come in time
	closed  bool
	settled chan struct{} // once it is closed
}

type result struct {
	job
	numbers numbers // that its samples could draw from
	batch   lighter.Value
	err     error
	drew    bool
	end     bool // there is no such batch
}

// place is the sample that a thread is at.
type place struct {
	job atomic.Pointer[job] // nil between batches
	k   atomic.Int32
}

// newPool begins an epoch of at most count batches from batch number on; count is -1 when it is not known.
func newPool(l *loader, n numbers, f feed, number, count int) *pool {
	p := &pool{loader: l, numbers: n, feed: f, number: number, left: -1, inOrder: l.inOrder, early: map[int]result{},
		may: make(chan struct{}, l.inFlight+1), done: make(chan result, l.inFlight+1), at: make([]place, l.threads)}
	threads := l.threads
	if count >= 0 {
		p.left = count - number
		threads = max(min(threads, p.left), 1)
	}
	for i := range threads {
		p.running.Go(func() { p.run(i) })
	}
	if p.left == 0 {
		close(p.may)
	}
	return p
}

// grant lets one more batch be begun; false when there is none.
func (p *pool) grant() bool {
	if p.left == 0 || p.closed {
		return false
	}
	p.may <- struct{}{}
	p.granted++
	if p.left > 0 {
		if p.left--; p.left == 0 {
			close(p.may)
		}
	}
	return true
}

// fill grants batches until as many are in flight as may be.
func (p *pool) fill() {
	for p.granted-p.received < p.loader.inFlight && p.grant() {
	}
}

// run is a thread: it keeps to one of the system's, since libtorch's modes belong to those, and ends with it.
func (p *pool) run(thread int) {
	runtime.LockOSThread()
	tensor.SingleThread()
	var failed error
	if f := p.loader.workerInit; f != nil {
		if _, err := f([]any{int64(thread)}, nil); err != nil {
			failed = fmt.Errorf("worker_init_fn(%d): %w", thread, err)
		}
	}
	for range p.may {
		r := p.choose()
		switch {
		case r.err == nil && failed != nil:
			r.err = failed
		case r.err == nil && !r.end:
			r = p.load(r, &p.at[thread])
		}
		p.done <- r
	}
}

// choose takes the next batch, still to be made.
func (p *pool) choose() (r result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer func(n int) { r.number, r.numbers = n, p.numbers }(p.number)
	defer p.loader.caught(&r.err)
	p.number++
	if p.stop.Load() {
		return result{end: true}
	}
	j, ok, err := p.feed.next(p.number - 1)
	return result{job: j, end: !ok && err == nil, err: err}
}

func (p *pool) load(r result, at *place) result {
	at.k.Store(0)
	at.job.Store(&r.job)
	defer at.job.Store(nil)
	return made(p.loader, r.job, making{numbers: r.numbers, begin: func(k int) bool {
		at.k.Store(int32(k))
		return !p.stop.Load()
	}})
}

// made is a batch with tensors that are kept.
func made(l *loader, j job, m making) (r result) {
	var drew atomic.Bool
	m.drew = &drew
	r.job, r.numbers = j, m.numbers
	defer func() { r.drew = drew.Load() }()
	defer tensor.Recover(&r.err)
	s := tensor.Open()
	defer s.Close()
	batch, err := l.fetch(j, m)
	if err != nil {
		r.err = err
		return r
	}
	r.batch = lighter.MapTensors(batch, tensor.Tensor.Keep)
	return r
}

// take waits for batch number, or for any where they come in any order. Its tensors go to the innermost scope. The result's end is
// set after the last batch.
func (p *pool) take(number int) (r result, err error) {
	var late <-chan time.Time
	if t := p.loader.timeout; t > 0 {
		timer := time.NewTimer(t)
		defer timer.Stop()
		late = timer.C
	}
	for {
		if r, ok := p.ready(number); ok {
			return p.adopted(r), nil
		}
		if p.received == p.granted && !p.grant() {
			return result{end: true}, nil
		}
		select {
		case r = <-p.done:
		default:
			select {
			case r = <-p.done:
			case <-late:
				p.hung = true
				return r, p.timedOut(number)
			}
		}
		p.received++
		p.hung = false
		p.early[r.number] = r
	}
}

// ready is a batch that has come and is next.
func (p *pool) ready(number int) (r result, ok bool) {
	if !p.inOrder {
		for n, r := range p.early {
			if delete(p.early, n); !r.end {
				return r, true
			}
		}
		return r, false
	}
	if r, ok = p.early[number]; ok {
		delete(p.early, number)
	}
	return r, ok
}

// draw makes batches that are given from now on ones that draw from n.
func (p *pool) draw(n numbers) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.numbers = n
}

// adopted is a result whose tensors belong to the innermost scope. A batch that drew from other numbers than the epoch's is made
// again.
func (p *pool) adopted(r result) result {
	if r.drew && r.numbers != p.numbers {
		freeBatch(r.batch)
		r = made(p.loader, r.job, making{numbers: p.numbers})
	}
	r.batch = lighter.MapTensors(r.batch, tensor.Tensor.Adopt)
	return r
}

func (p *pool) timedOut(number int) error {
	err := fmt.Errorf("DataLoader timed out after %v seconds", p.loader.timeout.Seconds())
	for i := range p.at {
		if j := p.at[i].job.Load(); j != nil && (j.number == number || !p.inOrder) {
			k := int(p.at[i].k.Load())
			return fmt.Errorf("%w, waiting for %s: a worker is still at %s", err, j.named(), p.loader.place(*j, k))
		}
	}
	if f, ok := p.feed.(*indices); ok && p.inOrder {
		if j, ok, _ := f.next(number); ok {
			return fmt.Errorf("%w, waiting for %s, which no worker has come to", err, j.named())
		}
	}
	return fmt.Errorf("%w, waiting for batch %d", err, number)
}

// patience is how long close waits for a sample under way.
const patience = 5 * time.Second

// close stops the threads after the samples they are at, and frees what they made. For a thread that hangs it does not wait: what
// that one made is freed when it comes back.
func (p *pool) close() {
	if settled := p.abandon(); !p.hung {
		wait(settled)
	}
}

func wait(settled <-chan struct{}) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-settled:
	case <-timer.C:
	}
}

// abandon is close without waiting; settled is closed when all is freed.
func (p *pool) abandon() (settled <-chan struct{}) {
	if p.closed {
		return p.settled
	}
	p.stop.Store(true)
	if p.left != 0 {
		close(p.may)
	}
	p.closed = true
	done := make(chan struct{})
	p.settled = done
	go func() {
		defer close(done)
		p.running.Wait()
		p.feed.close()
		for _, r := range p.early {
			freeBatch(r.batch)
		}
		for range len(p.done) {
			freeBatch((<-p.done).batch)
		}
	}()
	return p.settled
}

func freeBatch(v lighter.Value) {
	lighter.MapTensors(v, func(t tensor.Tensor) tensor.Tensor { t.Free(); return t })
}
