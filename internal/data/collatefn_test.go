package data

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// holey has numbers as samples, and null where a file could not be read.
type holey struct {
	Samples []any `cfg:"samples,required" help:"the samples"`
}

func (h holey) Build(*lighter.Env) (lighter.Dataset, error) { return h, nil }
func (h holey) Len() int                                    { return len(h.Samples) }
func (h holey) Item(i int) (lighter.Value, error)           { return h.Samples[i], nil }

func init() { registry.Register[lighter.Dataset]("test.Holey", holey{}) }

func TestCollateReplacesCorrupted(t *testing.T) {
	for _, workers := range []int{0, 2} {
		tensortest.Scope(t)
		dataset := m{"_target_": "test.Holey", "samples": []any{0, nil, 2, nil, nil, 5}}
		collate := m{"_target_": "lighter.utils.data.collate_replace_corrupted", "_mode_": "callable", "dataset": dataset}
		l := mustBuild[lighter.Loader](t, dataLoader(dataset, m{"batch_size": 4, "collate_fn": collate, "num_workers": workers}))
		tensor.ManualSeed(0)
		it, err := l.Iter(0)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []struct{ size, first int64 }{{4, 0}, {2, 5}} {
			v, ok, err := it.Next()
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			got := tensor.Values[int64](v.(tensor.Tensor))
			if int64(len(got)) != want.size || got[0] != want.first || strings.Trim(fmt.Sprint(got), "[]025 ") != "" {
				t.Errorf("%d workers: batch %v, want %d sound samples, the first %d", workers, got, want.size, want.first)
			}
		}
		it.Close()
	}
}

func TestCollateGivesUp(t *testing.T) {
	tensortest.Scope(t)
	dataset := m{"_target_": "test.Holey", "samples": []any{nil, nil}}
	collate := m{"_target_": "lighter.utils.data.collate_replace_corrupted", "_mode_": "callable", "dataset": dataset, "max_retries": 3}
	l := mustBuild[lighter.Loader](t, dataLoader(dataset, m{"batch_size": 2, "collate_fn": collate}))
	it, err := l.Iter(0)
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	_, _, err = it.Next()
	if err == nil || !strings.Contains(err.Error(), "samples 0 1: reached maximum retry limit (3) while trying to replace corrupted samples. Found 8 total corrupted samples with 2 still remaining") {
		t.Errorf("error %v", err)
	}
}

func TestCollateFnIsACallable(t *testing.T) {
	tensortest.Scope(t)
	l := mustBuild[lighter.Loader](t, dataLoader(samples(4), m{"batch_size": 2, "collate_fn": m{"_target_": "torch.utils.data.default_collate", "_mode_": "callable"}}))
	equal(t, "batches", epoch(t, l), [][]int64{{0, 1}, {2, 3}})
}
