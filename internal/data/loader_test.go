package data

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

func TestCollate(t *testing.T) {
	tensortest.Scope(t)
	x := func(v ...float32) tensor.Tensor { return tensor.FromSlice(v, int64(len(v))) }
	for _, c := range []struct {
		name    string
		samples list
		want    any
	}{
		{"tensors", list{x(1, 2), x(3, 4)}, "float32[2 2] [1 2 3 4]"},
		{"ints", list{int64(3), int64(1 << 40)}, "int64[2] [3 1.099511627776e+12]"},
		{"floats", list{0.1, 2.0}, "float64[2] [0.1 2]"},
		{"a float first", list{0.5, int64(2)}, "float64[2] [0.5 2]"},
		{"an int first", list{int64(2), 0.5}, "float32[2] [2 0.5]"},
		{"bools", list{true, false}, "bool[2] [1 0]"},
		{"strings", list{"a", "b"}, []any{"a", "b"}},
		{"lists", list{lighter.List{x(1), "a"}, lighter.List{x(2), "b"}}, []any{"float32[2 1] [1 2]", []any{"a", "b"}}},
		{"dicts", list{lighter.Dict{"x": x(1), "y": lighter.List{int64(1)}}, lighter.Dict{"x": x(2), "y": lighter.List{int64(2)}, "z": "more"}},
			m{"x": "float32[2 1] [1 2]", "y": []any{"int64[2] [1 2]"}}},
	} {
		for _, workers := range []int{0, 2} {
			batch, ok, err := begin(t, load(t, c.samples, func(l *DataLoader) { l.NumWorkers = &workers })).Next()
			if err != nil || !ok {
				t.Fatal(c.name, err)
			}
			equal(t, c.name, plain(batch), c.want)
		}
	}
}

func TestBadSamples(t *testing.T) {
	tensortest.Scope(t)
	x := func(n int64) tensor.Tensor { return tensor.Zeros([]int64{n}, tensor.Float32, tensor.Device{}) }
	for _, c := range []struct {
		name    string
		samples list
		want    string
	}{
		{"shapes", list{x(3), x(4)}, "stack expects each tensor to be equal size, but got [3] at entry 0 and [4] at entry 1"},
		{"none", list{nil, nil}, "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found NoneType"},
		{"lengths", list{lighter.List{x(1)}, lighter.List{x(1), x(1)}}, "each element in list of batch should be of equal size"},
		{"key", list{lighter.Dict{"a": x(1)}, lighter.Dict{"b": x(1)}}, `element 1 of the batch has no key "a"`},
		{"inner", list{lighter.Dict{"a": x(1)}, lighter.Dict{"a": x(2)}}, `key "a": stack: stack expects`},
		{"tensor and number", list{x(1), int64(1)}, "expected Tensor as element 1, but got int"},
		{"number and string", list{int64(1), "a"}, "expected a number as element 1, but got str"},
		{"error", list{x(1), errors.New("no such file")}, "sample 1: no such file"},
		{"panic", list{x(1), func() lighter.Value { panic("boom") }}, "sample 1: panic: boom"},
		{"operation", list{x(1), func() lighter.Value { return x(2).Add(x(3)) }}, "sample 1: add: The size of tensor a (2) must match the size of tensor b (3)"},
	} {
		for _, workers := range []int{0, 2} {
			_, ok, err := begin(t, load(t, c.samples, func(l *DataLoader) { l.NumWorkers = &workers })).Next()
			if err == nil || ok || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s, %d workers: got %v, want %q", c.name, workers, err, c.want)
			}
		}
	}
}

// An error in one batch does not end the epoch: the next batch comes.
func TestLoadingGoesOnAfterAnError(t *testing.T) {
	tensortest.Scope(t)
	one := 1
	for _, workers := range []int{0, 2} {
		it := begin(t, load(t, list{errors.New("bad"), int64(7)}, func(l *DataLoader) { l.NumWorkers, l.BatchSize = &workers, &one }))
		if _, _, err := it.Next(); err == nil {
			t.Error("no error")
		}
		batch, ok, err := it.Next()
		if err != nil || !ok {
			t.Fatal(err)
		}
		equal(t, "second batch", plain(batch), "int64[1] [7]")
	}
}

func TestSingleSamples(t *testing.T) {
	tensortest.Scope(t)
	l := mustBuild[lighter.Loader](t, dataLoader(samples(3), m{"batch_size": nil}))
	equal(t, "Len", l.Len(), 3)
	equal(t, "samples", epoch(t, l), [][]int64{{0}, {1}, {2}})
	batch, _, err := begin(t, load(t, list{"a", "b"}, func(c *DataLoader) { c.BatchSize = nil })).Next()
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "a sample as it is", batch, lighter.Value("a"))
}

// Whoever stops early, at any batch, with workers in flight, leaves nothing behind; closing twice is harmless.
func TestEarlyCloseLeavesNothing(t *testing.T) {
	s := tensor.Open()
	defer s.Close()
	for _, dataset := range []m{samples(40), slow(40)} {
		for _, workers := range []int{0, 1, 4} {
			l := mustBuild[lighter.Loader](t, dataLoader(dataset, m{"batch_size": 3, "shuffle": true, "num_workers": workers}))
			before := tensor.Live()
			for batches := range l.Len() + 2 {
				it, err := l.Iter(0)
				if err != nil {
					t.Fatal(err)
				}
				for range batches {
					next(t, it)
				}
				it.Close()
				it.Close()
				if n := tensor.Live(); n != before {
					t.Fatalf("%d workers, closed after %d batches: %d handles more than before", workers, batches, n-before)
				}
				if _, ok := next(t, it); ok {
					t.Fatal("a batch after Close")
				}
			}
		}
	}
}

func TestTimeout(t *testing.T) {
	tensortest.Scope(t)
	single := 1
	release := make(chan struct{})
	before := tensor.Live()
	hang := func() lighter.Value {
		<-release
		return tensor.Zeros([]int64{1}, tensor.Float32, tensor.Device{})
	}
	it, err := load(t, list{hang}, func(c *DataLoader) { c.NumWorkers, c.Timeout = &single, 0.01 }).Iter(0)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := it.Next(); err == nil || !strings.Contains(err.Error(), "DataLoader timed out after 0.01 seconds, waiting for samples 0") {
		t.Errorf("got %v", err)
	}
	it.Close() // does not wait for the worker that hangs
	close(release)
	for i := 0; tensor.Live() != before || i == 0; i++ {
		if i > 1000 {
			t.Fatalf("%d handles of the late batch are left", tensor.Live()-before)
		}
		time.Sleep(time.Millisecond)
	}
}

// num_workers: 0 loads a batch when it is asked for, not before.
func TestNoWorkersDoNotRunAhead(t *testing.T) {
	tensortest.Scope(t)
	loaded := 0
	sample := func() lighter.Value { loaded++; return int64(0) }
	two := 2
	it := begin(t, load(t, list{sample, sample, sample, sample}, func(c *DataLoader) { c.BatchSize = &two }))
	for _, want := range []int{2, 4} {
		if _, ok, err := it.Next(); !ok || err != nil {
			t.Fatal(err)
		}
		equal(t, "samples loaded", loaded, want)
	}
}

// What is done to a batch in place does not reach the dataset.
func TestBatchesHaveMemoryOfTheirOwn(t *testing.T) {
	tensortest.Scope(t)
	x := tensor.Zeros([]int64{8, 2}, tensor.Float32, tensor.Device{})
	d, err := TensorDataset{Tensors: []tensor.Tensor{x}}.Build(&env)
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	for _, shuffle := range []*bool{nil, &yes} {
		batch, _, err := begin(t, load(t, d, func(c *DataLoader) { c.Shuffle = shuffle })).Next()
		if err != nil {
			t.Fatal(err)
		}
		y := batch.(lighter.List)[0].(tensor.Tensor)
		equal(t, "shares the dataset's memory", &y.Storage()[0] == &x.Storage()[0], false)
	}
}

func BenchmarkGather(b *testing.B) {
	s := tensor.Open()
	defer s.Close()
	for name, arguments := range map[string]m{"shuffled": {"shuffle": true}, "in order": {}} {
		arguments["batch_size"] = 32
		l := mustBuild[lighter.Loader](b, dataLoader(digits(nil), arguments))
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			it, err := l.Iter(0)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				s := tensor.Open()
				_, ok, err := it.Next()
				s.Close()
				if err != nil {
					b.Fatal(err)
				}
				if !ok {
					if it, err = l.Iter(0); err != nil {
						b.Fatal(err)
					}
				}
			}
			it.Close()
		})
	}
}
