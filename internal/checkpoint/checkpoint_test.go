package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lighter-go/lighter/internal/safetensors"
	"github.com/lighter-go/lighter/internal/torchfile"
)

func ones(n int64) *torchfile.Tensor {
	return torchfile.NewTensor(torchfile.Uint8, []int64{n}, make([]byte, n))
}

// state is a state_dict of tensors of one element.
func state(names ...string) *torchfile.Dict {
	d := &torchfile.Dict{Kind: torchfile.OrderedDict}
	for _, n := range names {
		d.Set(n, ones(1))
	}
	return d
}

// saved writes an object as torch.save does and opens it.
func saved(t testing.TB, root any) (*File, error) {
	path := filepath.Join(t.TempDir(), "x.pt")
	if err := torchfile.Save(path, root); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err == nil {
		t.Cleanup(func() { f.Close() })
	}
	return f, err
}

func TestWhereTheWeightsAre(t *testing.T) {
	w := state("a.weight", "a.bias")
	mixed := state("a.weight", "a.bias")
	mixed.Set("a._extra_state", nil)
	for _, c := range []struct {
		name, kind, key, err string
		root                 any
	}{
		{name: "bare", root: w, kind: StateDict},
		{name: "with an extra state", root: mixed, kind: StateDict},
		{name: "Lightning", root: torchfile.NewDict("pytorch-lightning_version", "2.6.6", "state_dict", w), kind: Lightning, key: "state_dict"},
		{name: "Lightning without parameters", root: torchfile.NewDict("pytorch-lightning_version", "2.6.6", "state_dict", torchfile.NewDict()), kind: Lightning, key: "state_dict"},
		{name: "state_dict", root: torchfile.NewDict("state_dict", w, "arch", "resnet"), kind: Wrapped, key: "state_dict"},
		{name: "model", root: torchfile.NewDict("optimizer", state("x"), "model", w), kind: Wrapped, key: "model"},
		{name: "another key", root: torchfile.NewDict("epoch", 3, "generator", w), kind: Wrapped, key: "generator"},
		{name: "a layer named model", root: state("model", "net"), kind: StateDict},
		{name: "two", root: torchfile.NewDict("generator", w, "critic", w), err: `its keys are "generator", "critic"`},
		{name: "none", root: torchfile.NewDict("a", 1), err: "it has no state_dict"},
		{name: "nothing", root: torchfile.NewDict(), err: "its keys are none"},
		{name: "Lightning without weights", root: torchfile.NewDict("pytorch-lightning_version", "2.6.6", "epoch", 1), err: "without a state_dict"},
		{name: "a list", root: []any{1}, err: "it holds a list"},
		{name: "a tensor", root: ones(3), err: "one tensor of shape [3]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := saved(t, c.root)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) || !strings.Contains(err.Error(), "x.pt: ") {
					t.Errorf("error %v, want one that names the file and holds %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if f.Kind != c.kind || f.Key != c.key {
				t.Errorf("%s at %q, want %s at %q", f.Kind, f.Key, c.kind, c.key)
			}
		})
	}
}

func TestMatch(t *testing.T) {
	model := []string{"network.0.weight", "network.0.bias", "network.1.num_batches_tracked", "criterion.weight"}
	whole := "network.0.weight network.0.bias network.1.num_batches_tracked criterion.weight"
	for _, c := range []struct{ name, file, note, missing, kept, unexpected string }{
		{name: "the same", file: whole},
		{name: "another order", file: "criterion.weight network.1.num_batches_tracked network.0.bias network.0.weight"},
		{name: "the network", file: "0.weight 0.bias 1.num_batches_tracked", note: `with the prefix "network."`, kept: "criterion.weight"},
		{name: "DataParallel", file: "module.0.weight module.0.bias module.1.num_batches_tracked",
			note: `without the prefix "module.", with the prefix "network."`, kept: "criterion.weight"},
		{name: "DataParallel of the module", file: "module.network.0.weight module.network.0.bias module.network.1.num_batches_tracked module.criterion.weight",
			note: `without the prefix "module."`},
		{name: "two wraps", file: "module.model.0.weight module.model.0.bias module.model.1.num_batches_tracked",
			note: `without the prefix "module.model.", with the prefix "network."`, kept: "criterion.weight"},
		{name: "a LightningModule of someone's", file: "model.0.weight model.0.bias model.1.num_batches_tracked loss.weight",
			note: `without the prefix "model.", with the prefix "network."`, kept: "criterion.weight", unexpected: "loss.weight"},
		{name: "torch.compile", file: "network._orig_mod.0.weight network._orig_mod.0.bias network._orig_mod.1.num_batches_tracked criterion.weight",
			note: `without "_orig_mod."`},
		{name: "before batches were counted", file: "network.0.weight network.0.bias criterion.weight", kept: "network.1.num_batches_tracked"},
		{name: "missing", file: "network.0.weight criterion.weight", missing: "network.0.bias", kept: "network.1.num_batches_tracked"},
		{name: "missing of the network", file: "0.weight", note: `with the prefix "network."`, missing: "network.0.bias", kept: "network.1.num_batches_tracked criterion.weight"},
		{name: "another model", file: "conv.weight fc.weight", missing: "network.0.weight network.0.bias criterion.weight",
			kept: "network.1.num_batches_tracked", unexpected: "conv.weight fc.weight"},
		{name: "two names of one", file: "network.0.weight network._orig_mod.0.weight network._orig_mod.0.bias criterion.weight",
			note: `without "_orig_mod."`, kept: "network.1.num_batches_tracked", unexpected: "network._orig_mod.0.weight"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := saved(t, state(strings.Fields(c.file)...))
			if err != nil {
				t.Fatal(err)
			}
			m := f.Match(model)
			got := [...]string{m.Note, strings.Join(m.Missing, " "), strings.Join(m.Kept, " "), strings.Join(m.Unexpected, " ")}
			if want := [...]string{c.note, c.missing, c.kept, c.unexpected}; got != want {
				t.Errorf("note, missing, kept, unexpected\n%q, want\n%q", got, want)
			}
			if n := len(model) - len(m.Missing) - len(m.Kept); len(m.Pairs) != n {
				t.Errorf("%d pairs, want %d", len(m.Pairs), n)
			}
		})
	}
}

// TestVersionsOfLayers: a file that says its batch norms count batches must hold the counts.
func TestVersionsOfLayers(t *testing.T) {
	d := state("bn.weight")
	d.Attrs = torchfile.NewDict("_metadata", torchfile.NewDict("", torchfile.NewDict("version", 1), "bn", torchfile.NewDict("version", 2)))
	f, err := saved(t, d)
	if err != nil {
		t.Fatal(err)
	}
	if m := f.Match([]string{"network.bn.weight", "network.bn.num_batches_tracked"}); !slices.Equal(m.Missing, []string{"network.bn.num_batches_tracked"}) {
		t.Errorf("missing %q", m.Missing)
	}
}

func TestExport(t *testing.T) {
	w := state("network.bn.weight", "criterion.weight")
	tied := ones(2)
	tied.Parameter = true
	w.Set("network.a", tied)
	w.Set("network.b", tied)
	w.Attrs = torchfile.NewDict("_metadata", torchfile.NewDict("", torchfile.NewDict("version", 1), "network", torchfile.NewDict("version", 1),
		"network.bn", torchfile.NewDict("version", 2), "criterion", torchfile.NewDict("version", 1)))
	f, err := saved(t, torchfile.NewDict("pytorch-lightning_version", "2.6.6", "state_dict", w))
	if err != nil {
		t.Fatal(err)
	}
	part, left, err := f.Part(f.DefaultPrefix())
	if err != nil || !slices.Equal(left, []string{"criterion.weight"}) {
		t.Fatalf("left out %q, %v", left, err)
	}
	dir := t.TempDir()
	for _, ending := range Endings {
		path := filepath.Join(dir, "x"+ending)
		if err := f.Export(path, NetworkPrefix, part, nil); err != nil {
			t.Fatal(err)
		}
		g, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		names := g.names()
		slices.Sort(names)
		if !slices.Equal(names, []string{"a", "b", "bn.weight"}) || g.Kind != StateDict {
			t.Errorf("%s: %s of %q", ending, g.Kind, names)
		}
		if ending == ".safetensors" {
			continue
		}
		if fmt.Sprint(g.Versions) != "map[:1 bn:2]" {
			t.Errorf("%s: versions of layers %v", ending, g.Versions)
		}
		a, _ := g.Root.Get("a")
		if b, _ := g.Root.Get("b"); a != b || a.(*torchfile.Tensor).Parameter {
			t.Errorf("%s: one parameter with two names became %v and %v", ending, a, b)
		}
	}
	if _, _, err := f.Part("encoder."); err == nil || !strings.Contains(err.Error(), `they begin with network., criterion.`) {
		t.Errorf("a prefix that is not there: %v", err)
	}
}

func TestReportIsJSON(t *testing.T) {
	inf := ones(1)
	deep := torchfile.NewDict()
	for range 100 {
		deep = torchfile.NewDict("in", deep)
	}
	root := torchfile.NewDict("pytorch-lightning_version", "2.6.6", "state_dict", state("a"), "epoch", 1, "optimizer_states", []any{
		torchfile.NewDict("state", torchfile.NewDict(0, torchfile.NewDict("exp_avg", inf)), "param_groups", []any{torchfile.NewDict("lr", 0.1, "betas", torchfile.Tuple{0.9, 0.99}, "params", []any{0})}),
		"no dict"}, "callbacks", torchfile.NewDict("X", deep, "Y", torchfile.Set{1}), "hyper_parameters", torchfile.NewDict("t", ones(3), "b", []byte("x")))
	f, err := saved(t, root)
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.Report()
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"epoch":1`, `"resumable":true`, `"options":{"betas":[0.9,0.99],"lr":0.1}`, `"t":"tensor of shape [3], uint8"`, `"b":"1 bytes"`, `"..."`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("the report lacks %s: %s", want, b)
		}
	}
}

func TestDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := safetensors.Save(path, []safetensors.Tensor{{Name: "a", Tensor: ones(9)}}, nil); err != nil {
		t.Fatal(err)
	}
	for n := int64(80); n >= 0; n -= 8 {
		if err := os.Truncate(path, n); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); !errors.Is(err, safetensors.ErrDamaged) && !errors.Is(err, safetensors.ErrNotSafetensors) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
}

// FuzzOpen: no file makes Open or Report panic, and every report is JSON.
func FuzzOpen(f *testing.F) {
	for _, pattern := range []string{"../torchfile/testdata/*.pt", "../torchfile/testdata/*.ckpt", "../safetensors/testdata/*.safetensors"} {
		paths, _ := filepath.Glob(pattern)
		for _, p := range paths {
			b, err := os.ReadFile(p)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		x, err := Open(path)
		if err != nil {
			return
		}
		defer x.Close()
		r, err := x.Report()
		if err == nil {
			_, err = json.Marshal(r)
		}
		if err != nil {
			t.Error(err)
		}
	})
}

// FuzzMatch: no names make it panic or take for ever, and every name ends up somewhere.
func FuzzMatch(f *testing.F) {
	f.Add("module.a module.b", "network.a network.b")
	f.Add("a._orig_mod.b ..", "a.b . x.num_batches_tracked")
	f.Fuzz(func(t *testing.T, file, model string) {
		names := slices.Compact(slices.Sorted(slices.Values(strings.Fields(model))))
		var x File
		for _, n := range strings.Fields(file) {
			x.Weights = append(x.Weights, safetensors.Tensor{Name: n})
		}
		m := x.Match(names)
		if len(m.Pairs)+len(m.Missing)+len(m.Kept) != len(names) || len(m.Pairs)+len(m.Unexpected) != len(x.Weights) {
			t.Errorf("of %d names and %d weights: %+v", len(names), len(x.Weights), m)
		}
	})
}
