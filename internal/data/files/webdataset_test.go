package files

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data/draw"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

// plain is a value as JSON has it.
func plain(v lighter.Value) any {
	switch v := v.(type) {
	case tensor.Tensor:
		return nested(tensor.Values[float64](v), v.Shape())
	case lighter.List:
		out := []any{}
		for _, e := range v {
			out = append(out, plain(e))
		}
		return out
	case lighter.Dict:
		out := m{}
		for k, e := range v {
			if k != "__url__" {
				out[k] = plain(e)
			}
		}
		return out
	case int64:
		return float64(v)
	}
	return v
}

func nested(values []float64, shape []int64) any {
	if len(shape) == 0 {
		return values[0]
	}
	out := []any{}
	step := len(values) / int(shape[0])
	for i := range int(shape[0]) {
		out = append(out, nested(values[i*step:(i+1)*step], shape[1:]))
	}
	return out
}

// streamed are the samples of an epoch.
func streamed(t *testing.T, x m, r lighter.Rand) (samples []any, where []string) {
	t.Helper()
	s, err := mustBuild[lighter.IterableDataset](t, x).Stream(r)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for {
		p, ok, err := s.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return samples, where
		}
		v, err := p.Make(r)
		if err != nil {
			t.Fatal(err)
		}
		samples, where = append(samples, plain(v)), append(where, p.Where)
	}
}

func shards(urls any, arguments m) m {
	x := m{"_target_": "lighter.datasets.WebDataset", "urls": urls}
	for k, v := range arguments {
		x[k] = v
	}
	return x
}

// Samples, their order and what is decoded of each kind of file are the webdataset library's.
func TestWebDatasetIsPythons(t *testing.T) {
	tensortest.Scope(t)
	g, dir := goldens(t)
	urls := dir + "/s-{00.tar,01.tar.gz}"
	got, where := streamed(t, shards(urls, m{"decode": "torchrgb8"}), draw.Default{})
	equal(t, "samples", got, g.Samples)
	equal(t, "place", where[3], "s-01.tar.gz: d/10")
	got, _ = streamed(t, shards(dir+"/s-*.tar*", m{"decode": "torchl", "to_tuple": "jpg;png cls"}), draw.Default{})
	equal(t, "grey", got, g.Grey)
}

// A buffer and shuffled shards give every sample once, in an order that follows from the numbers drawn.
func TestWebDatasetShuffles(t *testing.T) {
	tensortest.Scope(t)
	_, dir := goldens(t)
	x := shards([]any{dir + "/s-00.tar", dir + "/s-01.tar.gz"}, m{"to_tuple": []any{"cls"}, "shuffle": 4, "initial": 2, "shardshuffle": true})
	orders := map[string]bool{}
	for seed := range uint64(6) {
		got, _ := streamed(t, x, draw.Stream(seed, 0))
		again, _ := streamed(t, x, draw.Stream(seed, 0))
		equal(t, "the same numbers", again, got)
		seen := map[any]bool{}
		for _, s := range got {
			seen[s.([]any)[0]] = true
		}
		if len(got) != 6 || len(seen) != 6 {
			t.Errorf("%v", got)
		}
		orders[fmt.Sprint(got)] = true
	}
	if len(orders) < 3 {
		t.Errorf("six seeds gave %d orders", len(orders))
	}
}

func TestWebDatasetErrors(t *testing.T) {
	tensortest.Scope(t)
	g, dir := goldens(t)
	for _, c := range []struct {
		x    m
		want string
	}{
		{shards("nowhere-{0..1}.tar", nil), "open nowhere-0.tar: no such file"},
		{shards(dir+"/*.tgz", nil), "no file matches"},
		{shards("a{", nil), "a brace is not closed"},
		{shards("https://host/a.tar", nil), "is not a local file"},
		{shards(dir+"/s-00.tar", m{"decode": "rgb"}), "decode of lighter.datasets.WebDataset must be one of pil"},
		{shards(dir+"/s-00.tar", m{"shuffle": -1}), "must be at least 0"},
		{shards(dir+"/s-00.tar", m{"to_tuple": "png", "target_transform": "$lambda x: x"}), "needs a to_tuple of two"},
	} {
		_, err := build[lighter.IterableDataset](t, m{"x": c.x})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want %q", c.x, err, c.want)
		}
	}
	first := func(x m) error {
		s, err := mustBuild[lighter.IterableDataset](t, x).Stream(draw.Default{})
		if err != nil {
			return err
		}
		defer s.Close()
		for {
			p, ok, err := s.Next()
			if err != nil || !ok {
				return err
			}
			if _, err := p.Make(draw.Default{}); err != nil {
				return err
			}
		}
	}
	bad := strings.Replace(string(g.Files["s-00.tar"]), "0\n\x00", "x\n\x00", 1)
	for _, c := range []struct {
		x    m
		want string
	}{
		{shards(fileOf(t, "cut.tar", string(g.Files["s-00.tar"][:5000])), nil), "cut.tar is truncated"},
		{shards(fileOf(t, "bad.tar", bad), m{"to_tuple": "cls"}), `bad.tar: d/00.cls: "x\n" is no int`},
		{shards(dir+"/s-00.tar", m{"to_tuple": "jpg cls"}), `s-00.tar: d/00: didn't find "jpg": the sample has`},
	} {
		err := first(c.x)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want %q", c.x, err, c.want)
		}
	}
}
