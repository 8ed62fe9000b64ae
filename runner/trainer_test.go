package runner_test

import (
	"encoding/json"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/cpu"
)

// TestTrainerArguments compares what is logged under many Trainer arguments and callbacks, and which checkpoints are there at the
// end, with what Python's Lighter leaves (testdata/trainer.py). float64 and float32 numbers agree to the parity test's tolerance, 16-bit ones to their precision.
func TestTrainerArguments(t *testing.T) {
	var cases []struct {
		Name      string
		Overrides []string
		Series    map[string][][3]any
		Files     []string
	}
	b, err := os.ReadFile("testdata/trainer.json")
	if err == nil {
		err = json.Unmarshal(b, &cases)
	}
	if err != nil {
		t.Fatal(err)
	}
	config, err := filepath.Abs("testdata/trainer.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			inputs := []any{config}
			for _, o := range c.Overrides {
				inputs = append(inputs, o)
			}
			if !slices.ContainsFunc(c.Overrides, func(o string) bool { return strings.HasPrefix(o, "=model::optimizer=") }) {
				inputs = append(inputs, "model::optimizer::fused=false")
			}
			tol := tolerance()
			switch c.Name {
			case "bf16-true", "bf16-mixed", "16-mixed":
				tol = 1.0 / 128
			case "16-true":
				tol = 1.0 / 1024
			}
			got := readSeries(t, filepath.Join(run(t, "fit", "", inputs...).LogDir, "metrics.csv"))
			for name := range got {
				if c.Series[name] == nil {
					t.Errorf("column %s is not expected", name)
				}
			}
			worst := 0.0
			for name, want := range c.Series {
				if len(got[name]) != len(want) {
					t.Errorf("%d values of %s, want %d", len(got[name]), name, len(want))
					continue
				}
				for i, w := range want {
					g, v := got[name][i], w[2].(float64)
					diff := math.Abs(g.value-v) / math.Abs(v)
					if v == 0 {
						diff = math.Abs(g.value)
					}
					worst = max(worst, diff)
					if g.epoch != w[0] || g.step != w[1] || diff > tol {
						t.Errorf("value %d of %s is %+v, want %v", i, name, g, w)
					}
				}
			}
			if files := checkpoints(t, "out"); !slices.Equal(files, c.Files) {
				t.Errorf("checkpoints %q, want %q", files, c.Files)
			}
			t.Logf("largest relative difference %.3g (AVX-512: %t)", worst, cpu.X86.HasAVX512F)
		})
	}
}

// checkpoints are the files of that kind below a folder.
func checkpoints(t *testing.T, root string) []string {
	t.Helper()
	files := []string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".ckpt" {
			path, err = filepath.Rel(root, path)
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	return files
}
