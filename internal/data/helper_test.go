package data

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	_ "github.com/lighter-go/lighter/internal/creation"
	"github.com/lighter-go/lighter/internal/diag"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

func TestMain(m *testing.M) { tensortest.Main(m) }

type m = map[string]any

var env = registry.Env{Stage: "fit", Log: zerolog.Nop()}

// build builds what stands under "x".
func build[K any](t testing.TB, sections m) (K, error) {
	t.Helper()
	c, problems := config.Compose(sections)
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	return registry.Get[K](registry.NewBuild(c, env), "x")
}

func mustBuild[K any](t testing.TB, x m) K {
	t.Helper()
	k, err := build[K](t, m{"x": x})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// samples is a dataset in memory whose sample i is (i).
func samples(n int) m {
	return m{"_target_": "torch.utils.data.TensorDataset", "_args_": []any{m{"_target_": "torch.arange", "end": n}}}
}

// slow is the same dataset without the fast path: ConcatDataset gives sample by sample.
func slow(n int) m {
	return m{"_target_": "torch.utils.data.ConcatDataset", "datasets": []any{samples(n)}}
}

func dataLoader(dataset m, arguments m) m {
	x := m{"_target_": "torch.utils.data.DataLoader", "dataset": dataset}
	for k, v := range arguments {
		x[k] = v
	}
	return x
}

// epoch runs an epoch to its end and gives the samples of each batch.
func epoch(t testing.TB, l lighter.Loader) [][]int64 {
	t.Helper()
	it, err := l.Iter(0)
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	var batches [][]int64
	for {
		b, ok := next(t, it)
		if !ok {
			return batches
		}
		batches = append(batches, b)
	}
}

// next reads a batch in a scope of its own, as the stage loop does.
func next(t testing.TB, it lighter.Iterator) ([]int64, bool) {
	t.Helper()
	s := tensor.Open()
	defer s.Close()
	batch, ok, err := it.Next()
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		return nil, false
	}
	return tensor.Values[int64](batch.(lighter.List)[0].(tensor.Tensor)), true
}

// plain is a value with its tensors as text and numbers, for comparison.
func plain(v lighter.Value) any {
	switch v := v.(type) {
	case tensor.Tensor:
		return fmt.Sprint(v, tensor.Values[float64](v))
	case lighter.List:
		out := []any{}
		for _, e := range v {
			out = append(out, plain(e))
		}
		return out
	case lighter.Dict:
		out := m{}
		for k, e := range v {
			out[k] = plain(e)
		}
		return out
	}
	return v
}

func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// list is a dataset of given values; an error value is what Item returns, a func what it calls.
type list []any

func (l list) Len() int { return len(l) }

func (l list) Item(i int) (lighter.Value, error) {
	switch v := l[i].(type) {
	case error:
		return nil, v
	case func() lighter.Value:
		return v(), nil
	}
	return l[i], nil
}

func (l list) Build(*lighter.Env) (lighter.Dataset, error) { return l, nil }

// load makes a loader of values given in Go.
func load(t testing.TB, d lighter.Dataset, change func(*DataLoader)) lighter.Loader {
	t.Helper()
	batch := d.Len()
	none := 0
	c := DataLoader{Dataset: Source{dataset: d}, BatchSize: &batch, NumWorkers: &none, InOrder: true}
	if change != nil {
		change(&c)
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	l, err := c.Build(&env)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// diagnostics are the problems of an error of the registry.
func diagnostics(err error) diag.List {
	var list diag.List
	errors.As(err, &list)
	return list
}

// contains says whether an error's text has a text in it.
func contains(err error, text string) bool { return strings.Contains(err.Error(), text) }
