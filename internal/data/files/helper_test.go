package files

import (
	"reflect"
	"testing"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
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

// whole is a dataset's samples as one batch: its tensors.
func whole(t *testing.T, d lighter.Dataset) []tensor.Tensor {
	t.Helper()
	var out []tensor.Tensor
	for _, v := range d.(lighter.Gatherer).Gather(tensor.CallOne("arange", d.Len())).(lighter.List) {
		out = append(out, v.(tensor.Tensor))
	}
	return out
}

func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
