package data

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// counted is a dataset of n samples that notes which are made; drawing ones give (i, a random number).
type counted struct {
	n    int
	made atomic.Int64
	last atomic.Int64
	wait func(i int)
}

func (c *counted) Len() int { return c.n }

func (c *counted) Item(i int) (lighter.Value, error) {
	if c.wait != nil {
		c.wait(i)
	}
	c.made.Add(1)
	c.last.Store(int64(i))
	return lighter.List{int64(i)}, nil
}

func (c *counted) Locate(i int) string { return fmt.Sprintf("some/file-%d", i) }

type drawing struct{ counted }

func (d *drawing) Draw(i int, r lighter.Rand) (lighter.Value, error) {
	d.made.Add(1)
	return lighter.List{int64(i), r.Uniform(0, 1), r.Int(0, 1000)}, nil
}

// arguments makes a loader's arguments of Go values.
func arguments(batch, workers int, change func(*DataLoader)) func(*DataLoader) {
	return func(c *DataLoader) {
		c.BatchSize, c.NumWorkers = &batch, &workers
		if workers < 0 {
			c.NumWorkers = nil
		}
		if change != nil {
			change(c)
		}
	}
}

func shuffled(c *DataLoader) {
	yes := true
	c.Shuffle = &yes
}

// read reads the rest of an epoch, each batch as text.
func read(t *testing.T, it lighter.Iterator, most int) (batches []string) {
	t.Helper()
	for range most {
		s := tensor.Open()
		v, ok, err := it.Next()
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			batches = append(batches, fmt.Sprint(plain(v)))
		}
		s.Close()
		if !ok {
			break
		}
	}
	return batches
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what)
		}
	}
}

// Without num_workers threads load ahead of what is asked for, and each epoch's first batches are there before it begins.
func TestLoadsAheadUnasked(t *testing.T) {
	tensortest.Scope(t)
	for _, workers := range []int{-1, 1, 3} {
		d := &counted{n: 24}
		l := load(t, d, arguments(2, workers, shuffled)).(*loader)
		tensor.ManualSeed(1)
		var epochs [][]string
		for range 3 {
			it, err := l.Iter(0)
			if err != nil {
				t.Fatal(err)
			}
			l.Foresee(false)
			first := read(t, it, 1)
			flight := int64(2 * min(l.inFlight, 11))
			before := int64(24 * len(epochs))
			eventually(t, "no samples ahead", func() bool { return d.made.Load() >= before+2+flight })
			epochs = append(epochs, append(first, read(t, it, 11)...))
			made := int64(24*len(epochs)) + 2*int64(min(l.inFlight, 12))
			eventually(t, fmt.Sprintf("%d workers: the next epoch's first batches are not there: %d of %d samples", workers, d.made.Load(), made), func() bool { return d.made.Load() >= made })
			l.Foresee(true)
			time.Sleep(5 * time.Millisecond)
			if n := d.made.Load(); n > made {
				t.Fatalf("%d samples made, more than in flight may be, %d", n, made)
			}
			it.Close()
		}
		l.Close()
		if n := d.made.Load(); n != 72+2*int64(min(l.inFlight, 12)) {
			t.Errorf("%d workers: %d samples made: what was foreseen was not taken", workers, n)
		}
		tensor.ManualSeed(1)
		plainly := load(t, &counted{n: 24}, arguments(2, 0, shuffled))
		for e := range epochs {
			it := begin(t, plainly)
			equal(t, "epoch", epochs[e], read(t, it, 12))
		}
	}
}

// What draws from the default generator where num_workers is 0 draws the same numbers where it is not given.
func TestUnsetDrawsAsZero(t *testing.T) {
	tensortest.Scope(t)
	run := func(workers int) (out []string, next int64) {
		l := load(t, &drawing{counted{n: 9}}, arguments(2, workers, shuffled))
		tensor.ManualSeed(4)
		for range 2 {
			it := begin(t, l)
			l.(lighter.Foreseer).Foresee(false)
			for range l.Len() {
				out = append(out, read(t, it, 1)...)
				s := tensor.Open()
				tensor.CallOne("rand", []int64{1})
				s.Close()
			}
			l.(lighter.Foreseer).Foresee(true)
			it.Close()
		}
		return out, tensor.RandomInt64()
	}
	want, wantNext := run(0)
	got, next := run(-1)
	equal(t, "batches", got, want)
	equal(t, "next number", next, wantNext)
}

// With workers a sample's numbers follow from the seed, the epoch and its place: not from how many workers there are, nor from what
// was foreseen, nor from what else draws.
func TestWorkersDrawTheSame(t *testing.T) {
	tensortest.Scope(t)
	run := func(workers int, foresee, noise bool) (out []string) {
		l := load(t, &drawing{counted{n: 20}}, arguments(3, workers, func(c *DataLoader) { c.PersistentWorkers = noise })).(*loader)
		tensor.ManualSeed(4)
		for range 3 {
			it := begin(t, l)
			if foresee {
				l.Foresee(false)
			}
			out = append(out, read(t, it, l.Len())...)
			if foresee {
				l.Foresee(true)
			}
			it.Close()
			if noise {
				tensor.RandomInt64()
			}
		}
		l.Close()
		return out
	}
	for _, noise := range []bool{false, true} {
		want := run(1, false, noise)
		equal(t, "3 workers", run(3, false, noise), want)
		equal(t, "foreseen", run(2, true, noise), want)
		if slices.Equal(want[:7], want[7:14]) {
			t.Error("two epochs drew the same numbers")
		}
	}
}

// What was foreseen and did not come leaves no trace in the numbers.
func TestForesightThatIsWrong(t *testing.T) {
	tensortest.Scope(t)
	before := tensor.Live()
	run := func(foresee bool) (out []string) {
		l := load(t, &drawing{counted{n: 20}}, arguments(3, 2, shuffled)).(*loader)
		tensor.ManualSeed(4)
		for range 4 {
			it, err := l.Iter(0)
			if err != nil {
				t.Fatal(err)
			}
			if foresee {
				l.Foresee(false)
			}
			out = append(out, read(t, it, l.Len())...)
			tensor.RandomInt64() // a step draws
			if foresee {
				l.Foresee(true)
				tensor.RandomInt64() // and so does what comes between
			} else {
				tensor.RandomInt64()
			}
			it.Close()
		}
		l.Close()
		return out
	}
	equal(t, "batches", run(true), run(false))
	equal(t, "handles left", tensor.Live()-before, int64(0))
}

// in_order: false gives each batch once, in whatever order, and what is left of them where a run goes on.
func TestAnyOrder(t *testing.T) {
	tensortest.Scope(t)
	any := func(c *DataLoader) { c.InOrder = false }
	open := func() *loader {
		d := &counted{n: 22}
		d.wait = func(i int) {
			// The first batch waits for another one, if there is one.
			for end := time.Now().Add(100 * time.Millisecond); i == 0 && d.made.Load() < 6 && time.Now().Before(end); {
				time.Sleep(time.Millisecond)
			}
		}
		return load(t, d, arguments(2, 3, any)).(*loader)
	}
	all := func(batches ...[]string) []string { return slices.Sorted(slices.Values(slices.Concat(batches...))) }
	var want []string
	for i := 0; i < 22; i += 2 {
		want = append(want, fmt.Sprintf("[int64[2] [%d %d]]", i, i+1))
	}
	want = all(want)
	for stop := range 12 {
		l := open()
		it := begin(t, l)
		first := read(t, it, stop)
		if stop > 0 && first[0] == "[int64[2] [0 1]]" {
			t.Error("the slow batch came first")
		}
		state := l.StateDict(true)
		it.Close()
		other := open()
		if state != nil {
			if err := other.LoadStateDict(state); err != nil {
				t.Fatal(err)
			}
		}
		it, err := other.Iter(stop)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, fmt.Sprintf("stopped after %d", stop), all(first, read(t, it, 20)), want)
		it.Close()
	}
}

// Whatever goes wrong with a sample names it and its file, with and without workers.
func TestFaultsNameTheSample(t *testing.T) {
	tensortest.Scope(t)
	for _, workers := range []int{-1, 0, 2} {
		for what, fail := range map[string]func(){
			"panic: boom":                     func() { panic("boom") },
			"panic: runtime error: index out": func() { _ = []int{}[len("a")] },
		} {
			d := &counted{n: 6, wait: func(i int) {
				if i == 4 {
					fail()
				}
			}}
			it := begin(t, load(t, d, arguments(2, workers, nil)))
			read(t, it, 2)
			_, _, err := it.Next()
			if err == nil || !contains(err, "sample 4 (some/file-4): "+what) || strings.Contains(err.Error(), "goroutine") {
				t.Errorf("%d workers: got %v", workers, err)
			}
		}
		collated := load(t, &odd{counted{n: 6}}, arguments(3, workers, nil))
		_, _, err := begin(t, collated).Next()
		if err == nil || !contains(err, "got [1] at entry 0 and [2] at entry 2: entry 0 is sample 0 (some/file-0), entry 2 is sample 2 (some/file-2)") {
			t.Errorf("%d workers: got %v", workers, err)
		}
	}
}

type odd struct{ counted }

func (o *odd) Item(i int) (lighter.Value, error) {
	return tensor.Zeros([]int64{1 + int64(i)/2}, tensor.Float32, tensor.Device{}), nil
}

func TestTimeoutNamesTheSample(t *testing.T) {
	tensortest.Scope(t)
	hangs, release := make(chan struct{}), make(chan struct{})
	d := &counted{n: 6, wait: func(i int) {
		if i == 3 {
			close(hangs)
			<-release
		}
	}}
	l := load(t, d, arguments(2, 2, nil)).(*loader)
	it, err := l.Iter(0)
	if err != nil {
		t.Fatal(err)
	}
	read(t, it, 1)
	<-hangs
	l.timeout = 50 * time.Millisecond
	if _, _, err := it.Next(); err == nil || !contains(err, "DataLoader timed out after 0.05 seconds, waiting for samples 2 3: a worker is still at sample 3 (some/file-3)") {
		t.Errorf("got %v", err)
	}
	close(release)
	eventually(t, "the batch does not come after all", func() bool {
		_, ok, err := it.Next()
		return ok && err == nil
	})
	it.Close()
}

// Leaving early, at any batch, with anything in flight, leaves no thread and no tensor behind.
func TestEarlyExitLeavesNothing(t *testing.T) {
	s := tensor.Open()
	defer s.Close()
	goroutines, handles := runtime.NumGoroutine(), tensor.Live()
	for _, workers := range []int{-1, 1, 4} {
		for stop := range 13 {
			l := load(t, &drawing{counted{n: 24}}, arguments(2, workers, shuffled)).(*loader)
			it, err := l.Iter(0)
			if err != nil {
				t.Fatal(err)
			}
			l.Foresee(false)
			read(t, it, stop)
			if stop%2 == 0 {
				l.Foresee(true)
			}
			it.Close()
			l.Close()
			if n := tensor.Live(); n != handles {
				t.Fatalf("%d workers, closed after %d batches: %d handles more than before", workers, stop, n-handles)
			}
		}
	}
	eventually(t, "goroutines are left", func() bool { return runtime.NumGoroutine() <= goroutines })
}

// Threads add no batches: what is in memory at once is what prefetch_factor allows.
func TestMemoryIsTheBatchesInFlight(t *testing.T) {
	tensortest.Scope(t)
	const prefetch = 2
	for _, workers := range []int{1, 4} {
		var mu sync.Mutex
		most, two := int64(0), prefetch
		base := tensor.Live()
		d := &counted{n: 200, wait: func(int) {
			mu.Lock()
			defer mu.Unlock()
			most = max(most, tensor.Live()-base)
		}}
		it := begin(t, load(t, d, arguments(2, workers, func(c *DataLoader) { c.PrefetchFactor = &two })))
		read(t, it, 100)
		it.Close()
		// A batch is one tensor; one more is with who asked, and making one takes a few for a moment.
		if limit := int64(workers*prefetch + 1 + 4*workers); most > limit {
			t.Errorf("%d workers: %d tensors at once, at most %d were expected", workers, most, limit)
		}
	}
}

func TestWorkerInit(t *testing.T) {
	tensortest.Scope(t)
	var mu sync.Mutex
	var seen []int64
	it := begin(t, load(t, &counted{n: 6}, arguments(1, 2, func(c *DataLoader) {
		c.WorkerInitFn = func(args []any, _ map[string]any) (any, error) {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, args[0].(int64))
			return nil, nil
		}
	})))
	read(t, it, 6)
	it.Close()
	slices.Sort(seen)
	equal(t, "workers", seen, []int64{0, 1})
	it = begin(t, load(t, &counted{n: 6}, arguments(1, 2, func(c *DataLoader) {
		c.WorkerInitFn = func([]any, map[string]any) (any, error) { return nil, errors.New("no") }
	})))
	if _, _, err := it.Next(); err == nil || !contains(err, "worker_init_fn(") {
		t.Errorf("got %v", err)
	}
}
