package data

import (
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// A stack is a list or a dict of its parts' samples, whether its batches are gathered or collated, in any nesting.
func TestStackDataset(t *testing.T) {
	tensortest.Scope(t)
	stack := func(arguments m) m { return target("torch.utils.data.StackDataset", arguments) }
	for name, c := range map[string]struct {
		x    m
		want any
	}{
		"list":   {stack(m{"_args_": []any{samples(4), samples(4)}}), []any{[]any{"int64[2] [3 1]"}, []any{"int64[2] [3 1]"}}},
		"slow":   {stack(m{"_args_": []any{samples(4), slow(4)}}), []any{[]any{"int64[2] [3 1]"}, []any{"int64[2] [3 1]"}}},
		"dict":   {stack(m{"image": samples(4), "args": slow(4)}), m{"image": []any{"int64[2] [3 1]"}, "args": []any{"int64[2] [3 1]"}}},
		"nested": {stack(m{"a": stack(m{"b": samples(4)})}), m{"a": m{"b": []any{"int64[2] [3 1]"}}}},
	} {
		batch, _, err := begin(t, mustBuild[lighter.Loader](t, dataLoader(c.x, m{"batch_size": 2, "sampler": []any{3, 1}}))).Next()
		if err != nil {
			t.Fatal(err)
		}
		equal(t, name, plain(batch), c.want)
	}
	for want, x := range map[string]m{
		"Size mismatch between datasets: dataset 0 has 4 samples, dataset 1 has 3": {"_args_": []any{samples(4), samples(3)}},
		"Size mismatch between datasets: a has 4 samples, b has 3":                 {"a": samples(4), "b": slow(3)},
		"but both types are given":                                               {"_args_": []any{samples(4)}, "a": samples(4)},
		"At least one dataset should be passed":                                  {},
		"a of torch.utils.data.StackDataset must be a component of kind Dataset": {"a": 3},
	} {
		if _, err := build[lighter.Dataset](t, m{"x": stack(x)}); err == nil || !contains(err, want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// What draws in a stack draws in the order of its parts.
func TestStackDraws(t *testing.T) {
	tensortest.Scope(t)
	d, err := StackDataset{Datasets: []lighter.Dataset{&drawing{counted{n: 4}}, &drawing{counted{n: 4}}}}.Build(&env)
	if err != nil {
		t.Fatal(err)
	}
	run := func(workers int) []string {
		tensor.ManualSeed(3)
		return read(t, begin(t, load(t, d, arguments(3, workers, nil))), 9)
	}
	equal(t, "unset", run(-1), run(0))
	equal(t, "workers", run(3), run(1))
}
