package data

import (
	"errors"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

func target(name string, arguments m) m {
	x := m{"_target_": name}
	for k, v := range arguments {
		x[k] = v
	}
	return x
}

// What Gather makes is what Item's samples collate to, also through a Subset of a Subset.
func TestGatherEqualsItems(t *testing.T) {
	tensortest.Scope(t)
	table := target("torch.utils.data.TensorDataset", m{"_args_": []any{
		target("torch.randn", m{"_args_": []any{6, 2, 3}}),
		target("torch.tensor", m{"data": []any{5, 4, 3, 2, 1, 0}}),
		target("torch.tensor", m{"data": []any{true, false, true, true, false, true}}),
	}})
	subset := target("torch.utils.data.Subset", m{"dataset": table, "indices": []any{5, 0, -2, 3}})
	for name, x := range map[string]m{
		"table":           table,
		"subset":          subset,
		"subset's subset": target("torch.utils.data.Subset", m{"dataset": subset, "indices": []any{3, 1, 1}}),
		"digits":          digits(m{"start": 3, "stop": 9}),
	} {
		d := mustBuild[lighter.Dataset](t, x)
		n := d.Len()
		var items []lighter.Value
		var index []int64
		for i := n - 1; i >= 0; i-- {
			item, err := d.Item(i)
			if err != nil {
				t.Fatal(name, err)
			}
			items, index = append(items, item), append(index, int64(i))
		}
		want, err := collate(items)
		if err != nil {
			t.Fatal(name, err)
		}
		equal(t, name, plain(d.(lighter.Gatherer).Gather(tensor.FromSlice(index, int64(n)))), plain(want))

		inOrder, _, err := begin(t, load(t, d, nil)).Next()
		if err != nil {
			t.Fatal(name, err)
		}
		for i := range index {
			index[i] = int64(i)
		}
		equal(t, name+" in order", plain(inOrder), plain(d.(lighter.Gatherer).Gather(tensor.FromSlice(index, int64(n)))))
	}
}

func TestConcatDataset(t *testing.T) {
	tensortest.Scope(t)
	parts := []any{digits(m{"start": 0, "stop": 2}), digits(m{"start": 2, "stop": 3}), digits(m{"start": 3, "stop": 7})}
	joined := mustBuild[lighter.Dataset](t, target("torch.utils.data.ConcatDataset", m{"datasets": parts}))
	whole := mustBuild[lighter.Dataset](t, digits(m{"start": 0, "stop": 7}))
	equal(t, "Len", joined.Len(), whole.Len())
	for i := range whole.Len() {
		a, err := joined.Item(i)
		if err != nil {
			t.Fatal(err)
		}
		b, err := whole.Item(i)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "sample", plain(a), plain(b))
	}
}

func TestRandomSplitByIndex(t *testing.T) {
	tensortest.Scope(t)
	split := target("torch.utils.data.random_split", m{"dataset": samples(10), "lengths": []any{0.8, 0.2}})
	for expression, want := range map[string]int{"$@vars::parts[0]": 8, "$@vars::parts[1]": 2, "$@vars::parts[-1]": 2} {
		d, err := build[lighter.Dataset](t, m{"vars": m{"parts": split}, "x": expression})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, expression, d.Len(), want)
	}
	if _, err := build[lighter.Dataset](t, m{"vars": m{"parts": split}, "x": "$@vars::parts[2]"}); err == nil || !strings.Contains(err.Error(), "list index out of range") {
		t.Errorf("got %v", err)
	}
}

func TestBadArguments(t *testing.T) {
	ten := func(arguments m) m { return dataLoader(samples(10), arguments) }
	vector := func(n int) m { return target("torch.zeros", m{"size": n}) }
	for _, c := range []struct {
		x    m
		want string
	}{
		{ten(m{"batch_size": 0}), "batch_size should be a positive integer value, but got batch_size=0"},
		{ten(m{"batch_size": 2.5}), "must be an int"},
		{ten(m{"num_workers": -1}), "num_workers option should be non-negative"},
		{ten(m{"timeout": -1}), "timeout option should be non-negative"},
		{ten(m{"prefetch_factor": 2}), "prefetch_factor option could only be specified in multiprocessing"},
		{ten(m{"prefetch_factor": 0, "num_workers": 1}), "must be at least 1, got 0"},
		{ten(m{"persistent_workers": true}), "persistent_workers option needs num_workers > 0"},
		{ten(m{"shuffle": true, "sampler": target("torch.utils.data.SequentialSampler", m{"data_source": samples(10)})}), "sampler option is mutually exclusive with shuffle"},
		{ten(m{"batch_size": nil, "drop_last": true}), "batch_size=None option disables auto-batching and is mutually exclusive with drop_last"},
		{ten(m{"batch_size": 11, "drop_last": true}), "batch_size=11 with drop_last leaves no batch of 10 samples"},
		{ten(m{"collate_fn": "mine"}), "must be a callable that makes a batch"},
		{ten(m{"generator": "seven"}), "must be a seed or a torch.Generator, got seven"},
		{ten(m{"batchsize": 3}), `did you mean "batch_size"?`},
		{ten(m{"sampler": samples(10)}), "sampler of torch.utils.data.DataLoader: must be a sampler, a list of ints, or null"},
		{dataLoader(samples(0), nil), "dataset of torch.utils.data.DataLoader: is empty"},
		{dataLoader(samples(0), m{"shuffle": true}), "num_samples=0"},
		{target("torch.utils.data.RandomSampler", m{"data_source": samples(10), "num_samples": 0}), "num_samples should be a positive integer value, but got num_samples=0"},
		{target("torch.utils.data.RandomSampler", m{"data_source": samples(0)}), "num_samples should be a positive integer value, but got num_samples=0"},
		{target("torch.utils.data.TensorDataset", nil), `missing 1 required argument: "tensors"`},
		{target("torch.utils.data.TensorDataset", m{"_args_": []any{vector(3), vector(4)}}), "Size mismatch between tensors: tensor 0 has 3 samples, tensor 1 has 4"},
		{target("torch.utils.data.TensorDataset", m{"_args_": []any{target("torch.tensor", m{"data": 3})}}), "tensor 0 has no dimensions"},
		{target("torch.utils.data.TensorDataset", m{"_args_": []any{[]any{1, 2}}}), "tensors of torch.utils.data.TensorDataset must be a Tensor, got a list"},
		{target("torch.utils.data.Subset", m{"dataset": samples(3), "indices": []any{0, 3}}), "index 3 at position 1 is out of range for a dataset of 3 samples"},
		{target("torch.utils.data.Subset", m{"dataset": samples(0), "indices": []any{0}}), "out of range for a dataset of 0 samples"},
		{target("torch.utils.data.ConcatDataset", m{"datasets": []any{}}), "datasets should not be an empty iterable"},
		{target("torch.utils.data.random_split", m{"dataset": samples(10), "lengths": []any{5, 4}}), "Sum of input lengths does not equal the length of the input dataset!"},
		{target("torch.utils.data.random_split", m{"dataset": samples(10), "lengths": []any{1.5, -0.5}}), "Fraction at index 0 is not between 0 and 1"},
		{target("torch.utils.data.random_split", m{"dataset": samples(10), "lengths": []any{0.5, 0.6}}), "sizes must be whole numbers, or fractions that add up to 1"},
	} {
		s := tensor.Open()
		c2, problems := config.Compose(m{"x": c.x})
		if problems.HasErrors() {
			t.Fatal(problems)
		}
		var text string
		if _, err := registry.Get[any](registry.NewBuild(c2, env), "x"); err != nil {
			text = err.Error()
			for _, p := range diagnostics(err) {
				text += " " + p.Hint
			}
		}
		if !strings.Contains(text, c.want) {
			t.Errorf("%v: got %q, want %q", c.x, text, c.want)
		}
		s.Close()
	}
}

// A sampler whose samples the dataset may not have is found out before an epoch begins; negative numbers count from the end.
func TestSampleOutOfRange(t *testing.T) {
	tensortest.Scope(t)
	for want, sampler := range map[string]any{
		"index 10 is out of range for a dataset of 10 samples: the sampler's has 30": target("torch.utils.data.RandomSampler", m{"data_source": samples(30)}),
		"index 11 at position 2 is out of range for a dataset of 10 samples":         []any{1, 2, 11},
		"index -11 at position 0 is out of range for a dataset of 10 samples":        target("torch.utils.data.SubsetRandomSampler", m{"indices": []any{-11}}),
		"index 12 at position 0 is out of range for a dataset of 10 samples":         target("torch.utils.data.WeightedRandomSampler", m{"weights": ones(13), "num_samples": 1}),
	} {
		for _, dataset := range []m{samples(10), slow(10)} {
			_, err := build[lighter.Loader](t, m{"x": dataLoader(dataset, m{"sampler": sampler})})
			var data *lighter.DataError
			if err == nil || !strings.Contains(err.Error(), want) || !errors.As(err, &data) {
				t.Errorf("got %v, want %q as a fault of the data", err, want)
			}
		}
	}
	l := mustBuild[lighter.Loader](t, dataLoader(slow(10), m{"batch_size": 3, "sampler": []any{-1, 0, -10}}))
	equal(t, "negative", epoch(t, l), [][]int64{{9, 0, 0}})
}

func ones(n int) []any {
	l := make([]any, n)
	for i := range l {
		l[i] = 1
	}
	return l
}

// Each stage builds the loaders it uses and no other.
func TestDataModuleBuildsWhatTheStageNeeds(t *testing.T) {
	tensortest.Scope(t)
	arguments := m{}
	for _, name := range []string{"train", "val", "test", "predict"} {
		arguments[name+"_dataloader"] = dataLoader(samples(4), nil)
	}
	for stage, want := range map[string][4]bool{
		"fit":      {true, true, false, false},
		"validate": {false, true, false, false},
		"test":     {false, false, true, false},
		"predict":  {false, false, false, true},
	} {
		c, problems := config.Compose(m{"data": target("lighter.LighterDataModule", arguments)})
		if problems.HasErrors() {
			t.Fatal(problems)
		}
		d, err := registry.Get[lighter.DataModule](registry.NewBuild(c, registry.Env{Stage: stage}), "data")
		if err != nil {
			t.Fatal(err)
		}
		for mode := lighter.Train; mode <= lighter.Predict; mode++ {
			equal(t, stage+": "+mode.String()+" loader", len(d.Loaders(mode)) > 0, want[mode])
		}
	}
}
