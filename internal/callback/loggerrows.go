package callback

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/lighter-go/lighter"
)

// loggerRows hands the rows of a logger to a goroutine that writes them, so that the run's thread does not wait for the disk.
type loggerRows struct {
	class   string // in errors
	now     func() time.Time
	sink    rowSink // what writes them; the goroutine's while there is one
	rows    chan loggedRow
	done    chan struct{}
	failure atomic.Pointer[error]
}

// rowSink writes rows to a file.
type rowSink interface {
	// add takes a row in; full says that it is time to write.
	add(loggedRow) (full bool)
	// flush writes what was taken in.
	flush() error
}

// loggedRow is one row, or a wish that those before it be written.
type loggedRow struct {
	scalars []lighter.Scalar
	step    int64
	at      time.Time
	flush   bool
}

const (
	// rowQueue is how many rows may wait to be written before logging waits.
	rowQueue = 1024
	// flushAfter is how long a row may wait in memory.
	flushAfter = time.Second
)

// LogMetrics hands a row over to be written; it costs the caller a copy. The error is that of an earlier row.
func (l *loggerRows) LogMetrics(row []lighter.Scalar, step int64) error {
	if err := l.failure.Load(); err != nil {
		return *err
	}
	if l.rows == nil {
		l.start()
	}
	l.rows <- loggedRow{scalars: slices.Clone(row), step: step, at: l.now()}
	return nil
}

// Flush asks for what was logged to be written to the disk soon. It does not wait.
func (l *loggerRows) Flush() {
	if l.rows != nil {
		select {
		case l.rows <- loggedRow{flush: true}:
		default: // the queue is full: rows are being written all the time
		}
	}
}

// Finalize writes what is left, and waits for it. Logging may go on afterwards.
func (l *loggerRows) Finalize(string) error {
	if l.rows != nil {
		close(l.rows)
		<-l.done
		l.rows = nil
	}
	if err := l.failure.Load(); err != nil {
		return *err
	}
	return nil
}

func (l *loggerRows) start() {
	l.rows, l.done = make(chan loggedRow, rowQueue), make(chan struct{})
	go func() {
		defer close(l.done)
		if err := serve(l.sink, l.rows); err != nil {
			err = fmt.Errorf("%s: %w", l.class, err)
			l.failure.Store(&err)
			for range l.rows { // so that nobody waits for a place in the queue
			}
		}
	}()
}

// serve writes rows until the channel is closed: when the sink is full, when asked to, and when a row has waited for a second.
func serve(s rowSink, rows <-chan loggedRow) error {
	timer := time.NewTimer(flushAfter)
	defer timer.Stop()
	waiting := false
	for {
		flush := false
		select {
		case r, open := <-rows:
			switch {
			case !open:
				return s.flush()
			case r.flush:
				flush = true
			default:
				if !waiting {
					waiting = true
					timer.Reset(flushAfter)
				}
				flush = s.add(r)
			}
		case <-timer.C:
			flush = true
		}
		if flush {
			waiting = false
			if err := s.flush(); err != nil {
				return err
			}
		}
	}
}
