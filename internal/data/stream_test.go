package data

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// numbersFrom is an iterable dataset of the whole numbers from a start, in an order that each epoch draws; a sample is (number, a
// random number). After fail samples it fails; at broken making one does.
type numbersFrom struct {
	Start  int  `cfg:"start" help:"the first"`
	N      int  `cfg:"n" help:"how many"`
	Sized  bool `cfg:"sized" help:"its length is known"`
	Fail   int  `cfg:"fail" help:"samples before the stream fails; -1 for never"`
	Broken int  `cfg:"broken" help:"sample that cannot be made; -1 for none"`
}

func (c numbersFrom) Build(*lighter.Env) (lighter.IterableDataset, error) {
	if c.Sized {
		return sizedNumbers{&opened{numbersFrom: c}}, nil
	}
	return &opened{numbersFrom: c}, nil
}

type opened struct {
	numbersFrom
	streams, made atomic.Int64 // open streams; samples made
}

type sizedNumbers struct{ *opened }

func (s sizedNumbers) Len() int { return s.N }

func (o *opened) Stream(r lighter.Rand) (lighter.Stream, error) {
	o.streams.Add(1)
	return &numberStream{opened: o, order: r.Perm(o.N)}, nil
}

type numberStream struct {
	*opened
	order []int64
	at    int
}

func (s *numberStream) Next() (p lighter.Pending, ok bool, err error) {
	if s.at == s.Fail {
		return p, false, errors.New("shard.tar: unexpected EOF")
	}
	if s.at == len(s.order) {
		return p, false, nil
	}
	at, i := s.at, int64(s.Start)+s.order[s.at]
	s.at++
	return lighter.Pending{Where: fmt.Sprintf("shard.tar: %d", i), Make: func(r lighter.Rand) (lighter.Value, error) {
		s.made.Add(1)
		if at == s.Broken {
			panic("boom")
		}
		return lighter.List{i, r.Uniform(0, 1)}, nil
	}}, true, nil
}

func (s *numberStream) Close() error {
	s.streams.Add(-1)
	return nil
}

func init() {
	registry.Register[lighter.IterableDataset]("test.Numbers", numbersFrom{Fail: -1, Broken: -1})
}

func numbersOf20(arguments m) m {
	x := m{"n": 20}
	for k, v := range arguments {
		x[k] = v
	}
	return target("test.Numbers", x)
}

// The batches of a stream do not depend on who loads them; an epoch that goes on has those that are left, and makes no others.
func TestStreams(t *testing.T) {
	tensortest.Scope(t)
	chained := target("torch.utils.data.ChainDataset", m{"datasets": []any{numbersOf20(nil), numbersOf20(m{"start": 100, "n": 3}), numbersOf20(m{"start": 200, "n": 6})}})
	for name, dataset := range map[string]m{"one": numbersOf20(nil), "chained": chained} {
		for _, drop := range []bool{false, true} {
			open := func(workers any) *loader {
				x := dataLoader(dataset, m{"batch_size": 3, "drop_last": drop})
				if workers != nil {
					x["num_workers"] = workers
				}
				return mustBuild[lighter.Loader](t, x).(*loader)
			}
			run := func(l *loader, foresee bool) (epochs [][]string) {
				tensor.ManualSeed(2)
				for range 2 {
					it := begin(t, l)
					if foresee {
						l.Foresee(false)
					}
					epochs = append(epochs, read(t, it, 100))
					if foresee {
						l.Foresee(true)
					}
					it.Close()
				}
				l.Close()
				return epochs
			}
			want := run(open(0), false)
			n := map[string]int{"one": 7, "chained": 10}[name]
			if drop {
				n = map[string]int{"one": 6, "chained": 9}[name]
			}
			equal(t, "batches", len(want[0]), n)
			if fmt.Sprint(want[0]) == fmt.Sprint(want[1]) {
				t.Error("two epochs are the same")
			}
			for _, workers := range []any{nil, 1, 3} {
				equal(t, fmt.Sprint(name, workers), run(open(workers), false), want)
				equal(t, fmt.Sprint(name, workers, " foreseen"), run(open(workers), true), want)
			}
			for _, workers := range []any{0, nil, 2} {
				for from := range n + 1 {
					l := open(workers)
					tensor.ManualSeed(2)
					it, err := l.Iter(from)
					if err != nil {
						t.Fatal(err)
					}
					equal(t, fmt.Sprintf("%v workers, from %d", workers, from), append([]string{}, read(t, it, 100)...), append([]string{}, want[0][from:]...))
					it.Close()
				}
			}
		}
	}
}

func TestStreamsCloseAndMakeNoMore(t *testing.T) {
	tensortest.Scope(t)
	for _, workers := range []any{0, nil, 3} {
		x := dataLoader(numbersOf20(nil), m{"batch_size": 3})
		if workers != nil {
			x["num_workers"] = workers
		}
		l := mustBuild[lighter.Loader](t, x).(*loader)
		d := l.iterable.(*opened)
		before := tensor.Live()
		for from := range 7 {
			it, err := l.Iter(from)
			if err != nil {
				t.Fatal(err)
			}
			l.Foresee(false)
			read(t, it, 1)
			it.Close()
			l.Close()
			equal(t, "open streams", d.streams.Load(), int64(0))
			equal(t, "handles", tensor.Live()-before, int64(0))
		}
		d.made.Store(0)
		it := begin(t, l)
		it.Close()
		it, err := l.Iter(6)
		if err != nil {
			t.Fatal(err)
		}
		d.made.Store(0)
		read(t, it, 5)
		equal(t, "samples made of the last batch", d.made.Load(), int64(2))
	}
}

func TestStreamLength(t *testing.T) {
	tensortest.Scope(t)
	for _, c := range []struct {
		x    m
		want int
	}{
		{numbersOf20(nil), -1},
		{numbersOf20(m{"sized": true}), 7},
		{target("torch.utils.data.ChainDataset", m{"datasets": []any{numbersOf20(m{"sized": true}), numbersOf20(m{"sized": true})}}), 14},
		{target("torch.utils.data.ChainDataset", m{"datasets": []any{numbersOf20(m{"sized": true}), numbersOf20(nil)}}), -1},
	} {
		equal(t, "Len", mustBuild[lighter.Loader](t, dataLoader(c.x, m{"batch_size": 3})).Len(), c.want)
	}
	equal(t, "Len", mustBuild[lighter.Loader](t, dataLoader(numbersOf20(m{"sized": true}), m{"batch_size": 3, "drop_last": true})).Len(), 6)
}

func TestStreamFaults(t *testing.T) {
	tensortest.Scope(t)
	for _, workers := range []int{0, 2} {
		for want, arguments := range map[string]m{
			"sample 4: shard.tar: unexpected EOF": {"fail": 4},
			"sample 5 (shard.tar: ":               {"broken": 5},
			"is empty: there is nothing to load":  {"n": 0},
			"sample 0: shard.tar: unexpected EOF": {"fail": 0},
			"): panic: boom":                      {"broken": 3},
		} {
			it := begin(t, mustBuild[lighter.Loader](t, dataLoader(numbersOf20(arguments), m{"batch_size": 3, "num_workers": workers})))
			var err error
			for ok := true; ok && err == nil; {
				_, ok, err = it.Next()
			}
			if err == nil || !contains(err, want) {
				t.Errorf("%d workers: got %v, want %q", workers, err, want)
			}
		}
	}
	for want, arguments := range map[string]m{
		"DataLoader with IterableDataset: expected unspecified shuffle option, but got shuffle=True":         {"shuffle": true},
		"DataLoader with IterableDataset: expected unspecified sampler option, but got sampler=":             {"sampler": []any{1}},
		"DataLoader with IterableDataset: expected unspecified batch_sampler option, but got batch_sampler=": {"batch_sampler": []any{[]any{1}}},
	} {
		if _, err := build[lighter.Loader](t, m{"x": dataLoader(numbersOf20(nil), arguments)}); err == nil || !contains(err, want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if _, err := build[lighter.Dataset](t, m{"x": target("torch.utils.data.ConcatDataset", m{"datasets": []any{numbersOf20(nil)}})}); err == nil {
		t.Error("ConcatDataset takes an iterable dataset")
	}
}
