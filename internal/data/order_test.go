package data

import (
	"encoding/json"
	"fmt"
	"maps"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// loaderFixture is a case of loader.json; its output depends on the target.
type loaderFixture struct {
	Name, Target string
	Args, Kwargs tensortest.Arg
	Seed         uint64
	Output       json.RawMessage
	Next         int64
}

// loaderFixtures calls test with the cases for one target, of which there are at least three.
func loaderFixtures[Output any](t *testing.T, target string, test func(t *testing.T, c loaderFixture, want Output)) {
	t.Helper()
	ran := 0
	for _, c := range tensortest.Load[loaderFixture](t, "loader") {
		if c.Target != target {
			continue
		}
		ran++
		t.Run(c.Name, func(t *testing.T) {
			tensortest.Scope(t)
			var want Output
			if err := json.Unmarshal(c.Output, &want); err != nil {
				t.Fatal(err)
			}
			test(t, c, want)
		})
	}
	if ran < 3 {
		t.Errorf("loader.json has %d cases for %s", ran, target)
	}
}

// Every case is two epochs of Lightning's fit; the loaders begin an epoch where Lightning begins one.
func TestOrderIsPyTorchs(t *testing.T) {
	type record struct {
		Stage string
		Epoch int
		Batch []int64
	}
	loaderFixtures(t, "torch.utils.data.DataLoader", func(t *testing.T, c loaderFixture, want []record) {
		n := int(c.Args.V.([]any)[0].(int64))
		for kind, dataset := range map[string]m{"in memory": samples(n), "by sample": slow(n)} {
			train := mustBuild[lighter.Loader](t, dataLoader(dataset, c.Kwargs.V.(m)))
			val := mustBuild[lighter.Loader](t, dataLoader(dataset, m{"batch_size": 4}))
			tensor.ManualSeed(c.Seed)
			var training, validation lighter.Iterator
			epoch := -1
			for i, w := range want {
				it := &training
				if w.Stage == "val" {
					it = &validation
					if validation == nil {
						validation = begin(t, val)
					}
				} else {
					validation = nil
					if w.Epoch != epoch {
						epoch, training = w.Epoch, begin(t, train)
					}
				}
				got, _ := next(t, *it)
				equal(t, fmt.Sprintf("%s, record %d (%s)", kind, i, w.Stage), got, w.Batch)
			}
			if next := tensor.RandomInt64(); next != c.Next {
				t.Errorf("%s: the default generator gives %d next, PyTorch's %d", kind, next, c.Next)
			}
		}
	})
}

func begin(t *testing.T, l lighter.Loader) lighter.Iterator {
	t.Helper()
	it, err := l.Iter(0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(it.Close)
	return it
}

func TestRandomSplitIsPyTorchs(t *testing.T) {
	loaderFixtures(t, "torch.utils.data.random_split", func(t *testing.T, c loaderFixture, want [][]int64) {
		args := c.Args.V.([]any)
		n := int(args[0].(int64))
		for _, dataset := range []m{samples(n), slow(n)} {
			tensor.ManualSeed(c.Seed)
			parts := mustBuild[Splits](t, m{"_target_": "torch.utils.data.random_split", "dataset": dataset, "lengths": args[1]})
			if next := tensor.RandomInt64(); next != c.Next {
				t.Errorf("the default generator gives %d next, PyTorch's %d", next, c.Next)
			}
			equal(t, "number of parts", len(parts), len(want))
			for i, part := range parts {
				equal(t, "part", epoch(t, load(t, part, nil)), [][]int64{want[i]})
			}
		}
	})
}

// The laws of an epoch, for every kind of loader: each sample comes once, batches are full but the last, their number is
// Len, and neither workers nor the fast path change the order.
func TestEpochLaws(t *testing.T) {
	for _, n := range []int{1, 2, 7, 8, 33} {
		for _, batch := range []int{1, 3, 4, 8, 50} {
			for _, shuffle := range []bool{false, true} {
				for _, drop := range []bool{false, true} {
					if drop && batch > n {
						continue
					}
					arguments := m{"batch_size": batch, "shuffle": shuffle, "drop_last": drop}
					name := fmt.Sprint(n, arguments)
					first := epochs(t, samples(n), arguments, 0)
					equal(t, name+": by sample", epochs(t, slow(n), arguments, 0), first)
					for _, workers := range []int{1, 3} {
						equal(t, name+": workers, in memory", epochs(t, samples(n), arguments, workers), first)
						equal(t, name+": workers", epochs(t, slow(n), arguments, workers), first)
					}
					for _, e := range first {
						checkEpoch(t, name, e, n, batch, drop)
					}
				}
			}
		}
	}
}

// epochs runs two epochs from one seed.
func epochs(t *testing.T, dataset, arguments m, workers int) [][][]int64 {
	t.Helper()
	s := tensor.Open()
	defer s.Close()
	arguments = maps.Clone(arguments)
	arguments["num_workers"] = workers
	l := mustBuild[lighter.Loader](t, dataLoader(dataset, arguments))
	tensor.ManualSeed(1)
	out := [][][]int64{epoch(t, l), epoch(t, l)}
	for _, e := range out {
		equal(t, "Len", l.Len(), len(e))
	}
	return out
}

func checkEpoch(t *testing.T, name string, batches [][]int64, n, batch int, drop bool) {
	t.Helper()
	seen := map[int64]int{}
	for i, b := range batches {
		if len(b) != batch && (drop || i != len(batches)-1) {
			t.Errorf("%s: batch %d has %d samples", name, i, len(b))
		}
		for _, s := range b {
			seen[s]++
			if s < 0 || s >= int64(n) || seen[s] > 1 {
				t.Errorf("%s: sample %d came %d times", name, s, seen[s])
			}
		}
	}
	want := n
	if drop {
		want = n / batch * batch
	}
	equal(t, name+": samples of an epoch", len(seen), want)
}
