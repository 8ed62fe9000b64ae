package data

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// samplerCase is a case of samplers.json: two epochs of a DataLoader over 11 samples, with a number drawn after each batch.
type samplerCase struct {
	Name   string
	Loader m
	Epochs [2][][]int64
	Next   int64
}

func samplerCases(t *testing.T) (cases []samplerCase) {
	t.Helper()
	b, err := os.ReadFile("testdata/samplers.json")
	if err == nil {
		err = json.Unmarshal(b, &cases)
	}
	if err != nil || len(cases) < 20 {
		t.Fatal(len(cases), err)
	}
	for i := range cases {
		cases[i].Loader = ints(cases[i].Loader).(m)
	}
	return cases
}

// ints is a value of JSON with its whole numbers as ints.
func ints(v any) any {
	switch x := v.(type) {
	case float64:
		if x == float64(int(x)) {
			return int(x)
		}
	case []any:
		for i := range x {
			x[i] = ints(x[i])
		}
	case m:
		for k := range x {
			x[k] = ints(x[k])
		}
	}
	return v
}

// over is the case's loader of a dataset.
func (c samplerCase) over(t *testing.T, dataset m, change m) lighter.Loader {
	t.Helper()
	var put func(v any) any
	put = func(v any) any {
		switch x := v.(type) {
		case string:
			if x == "dataset" {
				return dataset
			}
		case m:
			out := m{}
			for k := range x {
				out[k] = put(x[k])
			}
			return out
		}
		return v
	}
	arguments := put(c.Loader).(m)
	maps.Copy(arguments, change)
	for k, v := range change {
		if v == "unset" {
			delete(arguments, k)
		}
	}
	return mustBuild[lighter.Loader](t, dataLoader(dataset, arguments))
}

// training runs a loader's epochs from a batch of one on, as a fit does: a number is drawn after each batch. before is called before
// each batch, each time with the default generator's state when the epoch began.
func training(t *testing.T, l lighter.Loader, foresee bool, epochs int, it lighter.Iterator, epoch, from int, before func(epoch, batch int, began tensor.Tensor)) (out [][][]int64) {
	t.Helper()
	for ; epoch < epochs; epoch, from, it = epoch+1, 0, nil {
		var began tensor.Tensor
		if it == nil {
			began = tensor.RNGState(tensor.Device{})
			l.(lighter.EpochSetter).SetEpoch(epoch)
			var err error
			if it, err = l.Iter(0); err != nil {
				t.Fatal(err)
			}
		}
		if foresee {
			l.(lighter.Foreseer).Foresee(false)
		}
		var batches [][]int64
		for b := from; b < l.Len(); b++ {
			if before != nil {
				before(epoch, b, began)
			}
			got, ok := next(t, it)
			if !ok {
				t.Fatal("no batch")
			}
			batches = append(batches, got)
			s := tensor.Open()
			tensor.CallOne("rand", []int64{1})
			s.Close()
		}
		if foresee {
			l.(lighter.Foreseer).Foresee(true)
		}
		it.Close()
		out = append(out, batches)
	}
	if c, ok := l.(interface{ Close() error }); ok {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

var kinds = map[string]func(int) m{"in memory": samples, "by sample": slow}

func TestSamplersArePyTorchs(t *testing.T) {
	for _, c := range samplerCases(t) {
		for kind, dataset := range kinds {
			for _, change := range []m{nil, {"num_workers": "unset"}} {
				if change != nil && c.Loader["num_workers"] != 0 {
					continue
				}
				for _, foresee := range []bool{false, true} {
					t.Run(fmt.Sprint(c.Name, ", ", kind, change, foresee), func(t *testing.T) {
						tensortest.Scope(t)
						l := c.over(t, dataset(11), change)
						tensor.ManualSeed(3)
						equal(t, "epochs", training(t, l, foresee, 2, nil, 0, 0, nil), c.Epochs[:])
						if got := tensor.RandomInt64(); got != c.Next {
							t.Errorf("the default generator gives %d next, PyTorch's %d", got, c.Next)
						}
					})
				}
			}
		}
	}
}

// A run that goes on from any batch has the batches of one that was not stopped, whatever the sampler and whoever loads.
func TestGoesOnAtEveryBatch(t *testing.T) {
	for _, c := range samplerCases(t) {
		for kind, dataset := range kinds {
			for _, change := range []m{nil, {"num_workers": "unset"}} {
				if change != nil && c.Loader["num_workers"] != 0 {
					continue
				}
				t.Run(fmt.Sprint(c.Name, ", ", kind, change), func(t *testing.T) {
					tensortest.Scope(t)
					tensor.ManualSeed(3)
					l := c.over(t, dataset(11), change)
					training(t, l, true, 2, nil, 0, 0, func(epoch, batch int, began tensor.Tensor) {
						state := lighter.Dict(nil)
						if d := l.(lighter.LoaderState).StateDict(true); d != nil {
							state = lighter.MapTensors(d, tensor.Tensor.Clone).(lighter.Dict)
						}
						now := tensor.RNGState(tensor.Device{})
						other := c.over(t, dataset(11), change)
						if state != nil {
							if err := other.(lighter.LoaderState).LoadStateDict(state); err != nil {
								t.Fatal(err)
							}
						}
						tensor.SetRNGState(tensor.Device{}, began)
						other.(lighter.EpochSetter).SetEpoch(epoch)
						it, err := other.Iter(batch)
						if err != nil {
							t.Fatal(err)
						}
						tensor.SetRNGState(tensor.Device{}, now)
						got := training(t, other, batch%2 == 0, 2, it, epoch, batch, nil)
						want := append([][][]int64{c.Epochs[epoch][batch:]}, c.Epochs[epoch+1:]...)
						equal(t, fmt.Sprintf("from epoch %d, batch %d", epoch, batch), got, want)
						tensor.SetRNGState(tensor.Device{}, now)
					})
				})
			}
		}
	}
}

func TestBadSamplers(t *testing.T) {
	weighted := func(arguments m) m {
		arguments["weights"] = []any{1, 0, 2}
		return target("torch.utils.data.WeightedRandomSampler", arguments)
	}
	distributed := func(arguments m) m {
		arguments["dataset"] = samples(10)
		return target("torch.utils.data.distributed.DistributedSampler", arguments)
	}
	for _, c := range []struct {
		x    m
		want string
	}{
		{target("torch.utils.data.SubsetRandomSampler", m{"indices": []any{}}), "is empty"},
		{weighted(m{"num_samples": 0}), "num_samples should be a positive integer value, but got num_samples=0"},
		{weighted(m{"num_samples": 4, "replacement": false}), "cannot sample n_sample > prob_dist.size(-1) samples without replacement"},
		{weighted(m{"num_samples": 3, "replacement": false}), "cannot sample 3 samples without replacement of the 2 whose weights are greater than 0"},
		{target("torch.utils.data.WeightedRandomSampler", m{"weights": []any{1, -1}, "num_samples": 1}), "weight 1 is -1"},
		{target("torch.utils.data.WeightedRandomSampler", m{"weights": []any{0, 0}, "num_samples": 1}), "sum of probabilities <= 0"},
		{target("torch.utils.data.WeightedRandomSampler", m{"weights": target("torch.ones", m{"size": []any{2, 2}}), "num_samples": 1}), "weights should be a 1d sequence"},
		{distributed(m{"num_replicas": 2, "rank": 2}), "Invalid rank 2, rank should be in the interval [0, 1]"},
		{distributed(m{"num_replicas": 11, "drop_last": true}), "leaves no sample"},
		{target("torch.utils.data.BatchSampler", m{"sampler": []any{1}, "batch_size": 0, "drop_last": false}), "batch_size should be a positive integer value, but got batch_size=0"},
		{target("torch.utils.data.BatchSampler", m{"sampler": []any{"a"}, "batch_size": 1, "drop_last": false}), "element 0 is the str \"a\""},
		{dataLoader(samples(3), m{"batch_sampler": []any{[]any{0}}, "batch_size": 2}), "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"},
		{dataLoader(samples(3), m{"batch_sampler": []any{[]any{0}}, "shuffle": true}), "batch_sampler option is mutually exclusive with"},
		{dataLoader(samples(3), m{"batch_sampler": []any{1, 2}}), "must be a list of lists of ints: element 0 is the int 1"},
		{dataLoader(samples(3), m{"batch_sampler": []any{[]any{0, 3}}}), "index 3 at position 1 is out of range"},
		{dataLoader(samples(3), m{"multiprocessing_context": "fork"}), "multiprocessing_context can only be used with multi-process loading (num_workers > 0), but got num_workers=0"},
		{dataLoader(samples(3), m{"multiprocessing_context": "thread", "num_workers": 1}), "should specify a valid start method in ['fork', 'spawn', 'forkserver'], but got multiprocessing_context='thread'"},
		{dataLoader(samples(3), m{"timeout": 1}), "_SingleProcessDataLoaderIter requires timeout == 0"},
		{dataLoader(samples(3), m{"prefetch_factor": -1, "num_workers": 1}), "prefetch_factor option should be non-negative"},
		{dataLoader(slow(3), m{"batch_size": nil, "sampler": target("torch.utils.data.BatchSampler", m{"sampler": []any{1}, "batch_size": 1, "drop_last": false})}), "name it batch_sampler"},
	} {
		tensortest.Scope(t)
		if _, err := build[any](t, m{"x": c.x}); err == nil || !contains(err, c.want) {
			t.Errorf("%v: got %v, want %q", c.x, err, c.want)
		}
	}
}

// batch_size: null with a sampler of batches indexes a dataset in memory by lists.
func TestSamplerOfBatches(t *testing.T) {
	tensortest.Scope(t)
	l := mustBuild[lighter.Loader](t, dataLoader(samples(5), m{"batch_size": nil, "sampler": target("torch.utils.data.BatchSampler", m{"sampler": []any{4, 0, 3}, "batch_size": 2, "drop_last": false})}))
	equal(t, "batches", epoch(t, l), [][]int64{{4, 0}, {3}})
}
