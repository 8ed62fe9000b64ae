package runner_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lighter-go/lighter/internal/torchfile"
)

// The checkpoints of testdata/interop.yaml here and in Python's Lighter on Lightning 2.6.6, which testdata/interop.py runs.

// summary is what interop.py's summary gives of a checkpoint.
type summary map[string]any

// moments are those of the fit at which the committed checkpoints were saved: in the hooks after a batch, in a validation's
// end, at an epoch's end.
var moments = map[string]string{"batch": "epoch=1-step=5", "val": "epoch=1-step=4", "epoch": "epoch=0-step=3"}

func readJSON[T any](t *testing.T, path string) (out T) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// fitInterop runs the configuration in a folder and returns its checkpoints' summaries, by their paths in it.
func fitInterop(t *testing.T, ckpt string) (dir string, found map[string]summary) {
	t.Helper()
	dir = t.TempDir()
	inputs := []any{"testdata/interop.yaml", "trainer::logger::save_dir=" + filepath.Join(dir, "logs")}
	for i, kind := range []string{"batch", "val", "epoch"} {
		inputs = append(inputs, fmt.Sprintf("trainer::callbacks::%d::dirpath=%s", i, filepath.Join(dir, "out", kind)))
	}
	run(t, "fit", ckpt, inputs...)
	paths, _ := filepath.Glob(filepath.Join(dir, "out", "*", "*.ckpt"))
	found = map[string]summary{}
	for _, p := range paths {
		name, _ := filepath.Rel(dir, p)
		found[name] = summarise(t, p)
	}
	return dir, found
}

// summarise is interop.py's summary.
func summarise(t *testing.T, path string) summary {
	t.Helper()
	f, err := torchfile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	root := f.Root.(*torchfile.Dict)
	at := func(d any, key any) any { v, _ := d.(*torchfile.Dict).Get(key); return v }
	optimizer := at(root, "optimizer_states").([]any)[0]
	var lr, steps, last []any
	for _, g := range at(optimizer, "param_groups").([]any) {
		lr = append(lr, at(g, "lr"))
	}
	for _, s := range at(optimizer, "state").(*torchfile.Dict).All() {
		sum, _ := sums(t, at(s, "step").(*torchfile.Tensor))
		steps = append(steps, sum)
	}
	for _, s := range at(root, "lr_schedulers").([]any) {
		last = append(last, at(s, "last_epoch"))
	}
	var wait any
	for k, v := range at(root, "callbacks").(*torchfile.Dict).All() {
		if strings.HasPrefix(k.(string), "EarlyStopping") {
			wait = at(v, "wait_count")
		}
	}
	weights := map[string]any{}
	for k, v := range at(root, "state_dict").(*torchfile.Dict).All() {
		sum, magnitude := sums(t, v.(*torchfile.Tensor))
		weights[k.(string)] = []any{sum, magnitude}
	}
	return summary{"epoch": at(root, "epoch"), "global_step": at(root, "global_step"), "loops": plain(at(root, "loops")),
		"lr": lr, "steps": steps, "last_epoch": last, "wait_count": wait, "weights": weights}
}

// sums are the sum of a tensor's elements and of their magnitudes.
func sums(t *testing.T, x *torchfile.Tensor) (sum, magnitude float64) {
	t.Helper()
	b, err := x.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(b); i += int(x.DType.Size()) {
		var v float64
		switch x.DType {
		case torchfile.Float32:
			v = float64(math.Float32frombits(uint32(b[i]) | uint32(b[i+1])<<8 | uint32(b[i+2])<<16 | uint32(b[i+3])<<24))
		default:
			v = float64(b[i])
		}
		sum += v
		magnitude += math.Abs(v)
	}
	return sum, magnitude
}

// plain turns dicts into maps.
func plain(v any) any {
	d, ok := v.(*torchfile.Dict)
	if !ok {
		return v
	}
	out := map[string]any{}
	for k, x := range d.All() {
		out[k.(string)] = plain(x)
	}
	return out
}

// flatten lists the values of a summary by their paths.
func flatten(out map[string]any, path string, v any) map[string]any {
	switch x := v.(type) {
	case summary:
		return flatten(out, path, map[string]any(x))
	case map[string]any:
		if len(x) == 0 {
			out[path] = "{}"
		}
		for k, item := range x {
			flatten(out, path+"/"+k, item)
		}
	case []any:
		for i, item := range x {
			flatten(out, fmt.Sprintf("%s/%d", path, i), item)
		}
	default:
		out[path] = v
	}
	return out
}

// sameSummary compares two summaries: counts exactly, weights to 1e-4 of their magnitudes. Skipped paths contain one of skip.
func sameSummary(t *testing.T, name string, got, want summary, skip ...string) {
	t.Helper()
	g, w := flatten(map[string]any{}, "", got), flatten(map[string]any{}, "", want)
	paths := map[string]bool{}
	for _, m := range []map[string]any{g, w} {
		for p := range m {
			paths[p] = !slices.ContainsFunc(skip, func(s string) bool { return strings.Contains(p, s) })
		}
	}
	for _, p := range slices.Sorted(maps.Keys(paths)) {
		a, aOK := number(g[p])
		b, bOK := number(w[p])
		switch {
		case !paths[p]:
		case strings.HasPrefix(p, "/weights") && aOK && bOK:
			// The tensor's magnitude bounds what rounding does to the sum of its elements, too.
			scale, _ := number(w[p[:strings.LastIndexByte(p, '/')]+"/1"])
			if math.Abs(a-b) > 1e-4*scale+1e-6 {
				t.Errorf("%s: %s is %v, Lightning's %v", name, p, a, b)
			}
		case aOK != bOK || a != b || !aOK && g[p] != w[p]:
			t.Errorf("%s: %s is %v, Lightning's %v", name, p, g[p], w[p])
		}
	}
}

func number(v any) (float64, bool) {
	switch x := v.(type) {
	case int64:
		return float64(x), true
	case float64:
		return x, true
	}
	return 0, false
}

// TestCheckpointsAreLightnings: every checkpoint of the fit holds the weights, counts and positions that Lightning's holds.
func TestCheckpointsAreLightnings(t *testing.T) {
	want := readJSON[map[string]summary](t, "testdata/interop.json")
	_, got := fitInterop(t, "")
	if len(got) != len(want) {
		t.Errorf("%d checkpoints, Lightning saves %d", len(got), len(want))
	}
	for name, w := range want {
		sameSummary(t, name, got[name], w)
	}
}

// TestGoesOnFromLightning goes on from checkpoints that Lightning saved, and ends with the weights, optimizer, schedulers and
// callbacks of the fit that Lightning did not stop. (Lightning itself does not from those within an epoch: it begins the
// loader anew.)
func TestGoesOnFromLightning(t *testing.T) {
	want := readJSON[map[string]summary](t, "testdata/interop.json")
	for kind, saved := range moments {
		t.Run(kind, func(t *testing.T) {
			_, got := fitInterop(t, "testdata/interop_"+kind+".ckpt")
			compared := 0
			for name, g := range got {
				if strings.HasSuffix(name, saved+".ckpt") || want[name] == nil {
					continue // the moment itself, which a callback may save again after it
				}
				compared++
				// Before the first validation, Lightning's counts are still those of the last epoch's.
				sameSummary(t, name, g, want[name], "val_loop.batch_progress/current", "val_loop.batch_progress/is_last_batch")
			}
			if compared < 3 {
				t.Errorf("%d checkpoints after it", compared)
			}
		})
	}
}

// TestLightningGoesOnFromOurs: Lightning goes on from our checkpoints as it does from its own of the same moments. It runs with
// the Python that LIGHTER_PYTHON names, or in a soak with the one that `make bench-peer` installs.
func TestLightningGoesOnFromOurs(t *testing.T) {
	python := os.Getenv("LIGHTER_PYTHON")
	if cache, err := os.UserCacheDir(); err == nil && python == "" && os.Getenv("LIGHTER_SOAK") != "" {
		python = filepath.Join(cache, "lighter", "peer", "bin", "python")
	}
	if _, err := os.Stat(python); err != nil {
		t.Skip("LIGHTER_PYTHON does not name a Python with Lighter")
	}
	dir, _ := fitInterop(t, "")
	args := []string{"testdata/interop.py", "fit", filepath.Join(dir, "resumed.json"), "testdata/interop.yaml"}
	for kind, name := range moments {
		ckpt := filepath.Join(dir, "interop_"+kind+".ckpt")
		if err := os.Link(filepath.Join(dir, "out", kind, name+".ckpt"), ckpt); err != nil {
			t.Fatal(err)
		}
		args = append(args, ckpt)
	}
	cmd := exec.Command(python, args...)
	cmd.Env = append(os.Environ(), "OMP_NUM_THREADS=1", "PYTHONDONTWRITEBYTECODE=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := readJSON[map[string]map[string]summary](t, "testdata/interop_resumed.json")
	got := readJSON[map[string]map[string]summary](t, filepath.Join(dir, "resumed.json"))
	for from, checkpoints := range want {
		if len(got[from]) != len(checkpoints) || len(checkpoints) < 3 {
			t.Errorf("%s: %d checkpoints after it, %d after Lightning's own", from, len(got[from]), len(checkpoints))
		}
		for name, w := range checkpoints {
			sameSummary(t, from+": "+name, got[from][name], w)
		}
	}
}
