package callback

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lighter-go/lighter"
)

// loggerRows hands the rows of a logger to a goroutine that writes them, so that the run's thread does not wait for the disk.
// The goroutine sleeps between its turns: waking it for every row would cost the run's thread more than the row.
type loggerRows struct {
	class string // in errors
	now   func() time.Time
	sink  rowSink // what writes them; the goroutine's while there is one
	every int64   // write to the disk after every so many steps; 0 leaves it to the sink and the clock

	mu      sync.Mutex
	waiting rowBatch
	room    sync.Cond // waits until the goroutine has taken rows, or failed
	wake    chan struct{}
	done    chan struct{} // nil without a goroutine
	flushed time.Time     // when Flush was asked last
	failure atomic.Pointer[error]
	logged  struct{ rows, scalars int64 }
}

// rowSink writes rows to a file.
type rowSink interface {
	// add takes a row in; full says that it is time to write. The row's memory is the caller's.
	add(loggedRow) (full bool)
	// flush writes what was taken in.
	flush() error
}

// syncer is a rowSink that can make what was written last through a loss of power.
type syncer interface{ sync() error }

// loggedRow is one row.
type loggedRow struct {
	scalars []lighter.Scalar
	step    int64
	at      time.Time
}

// rowBatch are rows that wait to be written, their values one after the other.
type rowBatch struct {
	scalars []lighter.Scalar
	rows    []batchedRow
	flush   bool            // write them to the disk now
	last    bool            // no others follow
	synced  []chan struct{} // closed when the rows are on the disk
}

type batchedRow struct {
	end  int // of its scalars
	step int64
	at   time.Time
}

func (b *rowBatch) clear() {
	*b = rowBatch{scalars: b.scalars[:0], rows: b.rows[:0]}
}

const (
	// rowQueue is how many rows may wait to be written before logging waits: a second of slow disk in a fast run.
	rowQueue = 1 << 14
	// rowBurst is how many rows wait before the goroutine takes them.
	rowBurst = 256
	// flushAfter is how long a row may wait in memory.
	flushAfter = time.Second
	// flushPause is the time between the disk writes that [loggerRows.Flush] asks for, at least.
	flushPause = 100 * time.Millisecond
)

// LogMetrics hands a row over to be written; it costs the caller a copy. The error is that of an earlier row.
func (l *loggerRows) LogMetrics(row []lighter.Scalar, step int64) error {
	if err := l.failure.Load(); err != nil {
		return *err
	}
	if l.done == nil {
		l.start()
	}
	l.logged.rows++
	l.logged.scalars += int64(len(row))
	l.mu.Lock()
	for len(l.waiting.rows) >= rowQueue && l.failure.Load() == nil {
		l.room.Wait()
	}
	b := &l.waiting
	b.scalars = append(b.scalars, row...)
	b.rows = append(b.rows, batchedRow{end: len(b.scalars), step: step, at: l.now()})
	b.flush = b.flush || l.every > 0 && (step+1)%l.every == 0
	due := b.flush || len(b.rows) >= rowBurst
	l.mu.Unlock()
	if due {
		l.signal()
	}
	return nil
}

// signal ends the goroutine's sleep.
func (l *loggerRows) signal() {
	select {
	case l.wake <- struct{}{}:
	default: // it is about to look
	}
}

// Flush asks for what was logged to be written to the disk soon. It does not wait. Epochs may be shorter than a write: what
// follows another soon is left to the clock.
func (l *loggerRows) Flush() {
	if l.done == nil || l.now().Sub(l.flushed) < flushPause {
		return
	}
	l.flushed = l.now()
	l.mu.Lock()
	l.waiting.flush = true
	l.mu.Unlock()
	l.signal()
}

// written asks for what was logged to be written to the disk, and gives the call that waits until it is safe there.
func (l *loggerRows) written() func() error {
	synced := make(chan struct{})
	if l.done == nil {
		close(synced)
	} else {
		l.mu.Lock()
		l.waiting.synced = append(l.waiting.synced, synced)
		l.waiting.flush = true
		l.mu.Unlock()
		l.signal()
	}
	ended := l.done
	return func() error {
		select {
		case <-synced:
		case <-ended: // also when it failed
		}
		if err := l.failure.Load(); err != nil {
			return *err
		}
		return nil
	}
}

// Finalize writes what is left, and waits for it. Logging may go on afterwards.
func (l *loggerRows) Finalize(string) error {
	if l.done != nil {
		l.mu.Lock()
		l.waiting.last = true
		l.mu.Unlock()
		l.signal()
		<-l.done
		l.done = nil
	}
	if err := l.failure.Load(); err != nil {
		return *err
	}
	return nil
}

func (l *loggerRows) start() {
	l.room.L = &l.mu
	l.wake, l.done = make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(l.done)
		if err := l.serve(); err != nil {
			err = fmt.Errorf("%s: %w", l.class, err)
			l.failure.Store(&err)
			l.mu.Lock() // so that nobody begins to wait for room meanwhile
			l.room.Broadcast()
			l.mu.Unlock()
		}
	}()
}

// serve writes rows until the last: to the disk when the sink is full, when asked to, and when a row has waited for a second.
func (l *loggerRows) serve() error {
	tick := time.NewTicker(flushAfter)
	defer tick.Stop()
	var b rowBatch
	for !b.last {
		flush := false
		select {
		case <-l.wake:
		case <-tick.C:
			flush = true
		}
		l.mu.Lock()
		b.clear()
		l.waiting, b = b, l.waiting
		l.room.Broadcast()
		l.mu.Unlock()
		flush = flush || b.flush || b.last
		from := 0
		for _, r := range b.rows {
			if l.sink.add(loggedRow{scalars: b.scalars[from:r.end:r.end], step: r.step, at: r.at}) {
				if err := l.sink.flush(); err != nil {
					return err
				}
			}
			from = r.end
		}
		if flush {
			if err := l.sink.flush(); err != nil {
				return err
			}
		}
		if s, ok := l.sink.(syncer); ok && len(b.synced) > 0 {
			if err := s.sync(); err != nil {
				return err
			}
		}
		for _, synced := range b.synced {
			close(synced)
		}
	}
	return nil
}
