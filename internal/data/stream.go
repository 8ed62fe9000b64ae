package data

import (
	"fmt"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// stream is the feed of an iterable dataset. Its samples draw from numbers of their own, also without workers.
type stream struct {
	loader *loader
	stream lighter.Stream
	place  int // of the next sample in the epoch
	taken  []int
	ended  bool
}

// openStream begins an epoch of an iterable dataset at batch from, less those that were given beyond.
func (l *loader) openStream(n numbers, from int, taken []int) (f *stream, err error) {
	defer l.caught(&err)
	opened, err := l.iterable.Stream(&ownNumbers{numbers: n, place: streamPlace})
	if err != nil {
		return nil, err
	}
	f = &stream{loader: l, stream: opened, taken: taken}
	if err := f.skip((from - len(taken)) * l.size); err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

// skip reads n samples and makes none.
func (f *stream) skip(n int) error {
	for range n {
		if _, ok, err := f.stream.Next(); err != nil || !ok {
			f.ended = true
			return err
		}
		f.place++
	}
	return nil
}

func (f *stream) next(number int) (j job, ok bool, err error) {
	if f.ended {
		return j, false, nil
	}
	if slices.Contains(f.taken, number) {
		return j, false, f.skip(f.loader.size)
	}
	j.number, j.start = number, f.place
	for len(j.pending) < f.loader.size {
		s, ok, err := f.stream.Next()
		if err != nil {
			f.ended = true
			return j, false, fmt.Errorf("sample %d: %w", f.place, err)
		}
		if !ok {
			f.ended = true
			if f.place == 0 {
				return j, false, errNoSamples
			}
			break
		}
		j.pending = append(j.pending, s)
		f.place++
	}
	if len(j.pending) == 0 || f.loader.dropLast && len(j.pending) < f.loader.size {
		return j, false, nil
	}
	return j, true, nil
}

func (f *stream) close() {
	if err := f.stream.Close(); err != nil {
		f.loader.log.Warn().Msgf("the data set's stream cannot be closed: %v", err)
	}
}

// streaming gives the batches of an iterable dataset on the thread that asks.
type streaming struct {
	loader *loader
	feed   feed
	at     int
	last   job
	closed bool
}

func (l *loader) iterStream(from int, taken []int) (lighter.Iterator, error) {
	if l.threads > 0 {
		a := &ahead{loader: l, at: from, taken: taken}
		return a, a.start()
	}
	f, err := l.feed(nil, l.numbers(), from, nil)
	if err != nil {
		return nil, err
	}
	return &streaming{loader: l, feed: f, at: from}, nil
}

// Next makes the next batch.
func (s *streaming) Next() (batch lighter.Value, ok bool, err error) {
	defer tensor.Recover(&err)
	if s.closed {
		return nil, false, nil
	}
	j, ok, err := s.next()
	if err != nil || !ok {
		s.Close()
		return nil, false, err
	}
	s.last = j
	s.at++
	scope := tensor.Open()
	defer scope.Close()
	if batch, err = s.loader.fetch(j, making{numbers: s.loader.numbers()}); err != nil {
		return nil, false, err
	}
	return lighter.MapTensors(s.loader.pinned(batch), scope.Return), true, nil
}

func (s *streaming) next() (j job, ok bool, err error) {
	defer s.loader.caught(&err)
	return s.feed.next(s.at)
}

// Locate implements [lighter.BatchLocator].
func (s *streaming) Locate() func(k int) string { return s.loader.located(s.last) }

func (s *streaming) seek(at int) (lighter.Iterator, error) {
	s.Close()
	return s.loader.iterStream(at, nil)
}

// Close ends the stream.
func (s *streaming) Close() {
	if !s.closed {
		s.closed = true
		s.feed.close()
	}
}
