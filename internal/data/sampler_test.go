package data

import (
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// The expected orders are those of PyTorch 2.11.0 after torch.manual_seed(0), for the first batches of two epochs; next is
// the default generator's next int64 random_(). They differ where PyTorch draws at another moment: with workers the order
// is drawn ahead, persistent workers draw one base seed, and a generator of one's own goes on by a permutation when an
// epoch is asked for more samples than there are.
func TestSamplersDrawAsPyTorchs(t *testing.T) {
	type batches = [][]int64
	random := func(n int, arguments m) m {
		x := m{"_target_": "torch.utils.data.RandomSampler", "data_source": samples(n)}
		for k, v := range arguments {
			x[k] = v
		}
		return x
	}
	// The next number after the seed, and after two, three and four int64s drawn.
	const untouched, two, three, four int64 = 900450186894289455, 1895649597198586619, 827948490035658087, 7815051614634499795
	for _, c := range []struct {
		name      string
		n         int
		arguments m
		stop      int // batches of an epoch; 0 goes on to its end
		epochs    [2]batches
		next      int64
	}{
		{"workers", 10, m{"batch_size": 4, "shuffle": true, "num_workers": 2}, 0,
			[2]batches{{{6, 7, 1, 4}, {2, 0, 9, 8}, {3, 5}}, {{2, 4, 7, 0}, {8, 9, 5, 3}, {6, 1}}}, four},
		{"persistent workers", 10, m{"batch_size": 4, "shuffle": true, "num_workers": 2, "persistent_workers": true}, 0,
			[2]batches{{{6, 7, 1, 4}, {2, 0, 9, 8}, {3, 5}}, {{3, 5, 0, 6}, {1, 2, 4, 9}, {7, 8}}}, three},
		{"generator", 8, m{"batch_size": 4, "shuffle": true, "generator": 7}, 0,
			[2]batches{{{1, 2, 3, 5}, {7, 4, 6, 0}}, {{7, 2, 1, 3}, {0, 5, 6, 4}}}, untouched},
		{"generator, as many batches as there are", 8, m{"batch_size": 4, "shuffle": true, "generator": 7}, 2,
			[2]batches{{{1, 2, 3, 5}, {7, 4, 6, 0}}, {{7, 3, 5, 2}, {6, 1, 4, 0}}}, untouched},
		{"generator, one batch", 8, m{"batch_size": 4, "shuffle": true, "generator": 7}, 1,
			[2]batches{{{1, 2, 3, 5}}, {{7, 3, 5, 2}}}, untouched},
		{"generator, a worker ahead", 8, m{"batch_size": 4, "shuffle": true, "generator": 7, "num_workers": 1}, 2,
			[2]batches{{{1, 2, 3, 5}, {7, 4, 6, 0}}, {{7, 2, 1, 3}, {0, 5, 6, 4}}}, untouched},
		{"generator, a worker one batch ahead", 10, m{"batch_size": 3, "shuffle": true, "generator": 7, "num_workers": 1, "prefetch_factor": 1}, 1,
			[2]batches{{{1, 3, 5}}, {{7, 3, 4}}}, untouched},
		{"torch.Generator", 8, m{"batch_size": 4, "shuffle": true, "generator": "$torch.Generator().manual_seed(7)"}, 2,
			[2]batches{{{1, 2, 3, 5}, {7, 4, 6, 0}}, {{7, 3, 5, 2}, {6, 1, 4, 0}}}, untouched},
		{"torch.Generator without a seed", 5, m{"batch_size": 5, "shuffle": true, "generator": "$torch.Generator()"}, 0,
			[2]batches{{{2, 1, 0, 4, 3}}, {{2, 3, 0, 4, 1}}}, untouched},
		{"single samples", 3, m{"batch_size": nil, "shuffle": true}, 0,
			[2]batches{{{0}, {2}, {1}}, {{2}, {1}, {0}}}, four},
		{"replacement", 10, m{"batch_size": 4, "sampler": random(10, m{"replacement": true, "num_samples": 7})}, 0,
			[2]batches{{{6, 3, 7, 0}, {7, 1, 7}}, {{2, 2, 7, 5}, {4, 4, 1}}}, four},
		{"more samples than there are", 10, m{"batch_size": 8, "sampler": random(10, m{"num_samples": 15})}, 0,
			[2]batches{{{6, 7, 1, 4, 2, 0, 9, 8}, {3, 5, 6, 7, 0, 1, 5}}, {{2, 4, 7, 0, 8, 9, 5, 3}, {6, 1, 4, 7, 2, 3, 9}}}, four},
		{"fewer samples", 10, m{"batch_size": 8, "sampler": random(10, m{"num_samples": 4})}, 0,
			[2]batches{{{6, 7, 1, 4}}, {{2, 4, 7, 0}}}, four},
		{"the sampler's generator", 10, m{"batch_size": 5, "sampler": random(10, m{"generator": 3})}, 0,
			[2]batches{{{6, 0, 3, 7, 8}, {5, 1, 9, 2, 4}}, {{0, 9, 6, 1, 7}, {2, 5, 3, 4, 8}}}, two},
		{"the sampler's generator, fewer samples", 10, m{"batch_size": 8, "sampler": random(10, m{"generator": 3, "num_samples": 4})}, 0,
			[2]batches{{{6, 0, 3, 7}}, {{9, 8, 5, 3}}}, two},
		{"the sampler's generator, replacement", 10, m{"batch_size": 4, "sampler": random(10, m{"generator": 3, "num_samples": 4, "replacement": true})}, 0,
			[2]batches{{{6, 8, 7, 7}}, {{0, 0, 0, 5}}}, two},
		{"sequential", 3, m{"batch_size": 2, "sampler": m{"_target_": "torch.utils.data.SequentialSampler", "data_source": samples(3)}}, 0,
			[2]batches{{{0, 1}, {2}}, {{0, 1}, {2}}}, two},
	} {
		for kind, dataset := range map[string]m{"in memory": samples(c.n), "by sample": slow(c.n)} {
			t.Run(c.name+", "+kind, func(t *testing.T) {
				tensortest.Scope(t)
				l := mustBuild[lighter.Loader](t, dataLoader(dataset, c.arguments))
				tensor.ManualSeed(0)
				for _, want := range c.epochs {
					if c.stop == 0 {
						equal(t, "epoch", epoch(t, l), want)
						continue
					}
					it := begin(t, l)
					for i := range c.stop {
						got, _ := next(t, it)
						equal(t, "batch", got, want[i])
					}
					it.Close()
				}
				if got := tensor.RandomInt64(); got != c.next {
					t.Errorf("the default generator gives %d next, PyTorch's %d", got, c.next)
				}
			})
		}
	}
}

// A generator leaves the default one as it was.
func TestRandomSplitWithGenerator(t *testing.T) {
	tensortest.Scope(t)
	tensor.ManualSeed(0)
	parts := mustBuild[Splits](t, m{"_target_": "torch.utils.data.random_split", "dataset": samples(10), "lengths": []any{6, 4}, "generator": 7})
	equal(t, "first part", epoch(t, load(t, parts[0], nil)), [][]int64{{5, 0, 3, 4, 1, 7}})
	equal(t, "second part", epoch(t, load(t, parts[1], nil)), [][]int64{{9, 6, 8, 2}})
}
