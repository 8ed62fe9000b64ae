package runner_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/cpu"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/runner"
)

// The parity cases are projects of Python's Lighter with their configurations as they were, and model.py and data.py ported to
// Starlark. A case's expected/ was written by Lighter 0.1.0 with PyTorch 2.11.0 on one thread of a CPU with AVX-512;
// testdata/fixtures/README.md says how. Every logged number, the checkpoint and the predictions are compared.

// parity is a case in its working folder.
type parity struct {
	inputs    []any
	exact     bool // its numbers are PyTorch's in every bit
	tolerance float64
	near      map[string]float64 // the tolerance of series that are not exact anywhere
}

// enter makes a copy of cases' folders the working folder.
func enter(t *testing.T, cases ...string) {
	t.Helper()
	dir := t.TempDir()
	for _, c := range cases {
		if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", c))); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
}

// exactly are the inputs with which the order of sums is PyTorch's.
func exactly(inputs ...any) parity {
	inputs = append(inputs, "model::optimizer::fused=false", "trainer::memory_format=contiguous")
	return parity{inputs: inputs, exact: cpu.X86.HasAVX512F, tolerance: tolerance()}
}

// usually are the inputs as they are: a fused step rounds elsewhere, and that grows with training.
func usually(inputs ...any) parity { return parity{inputs: inputs, tolerance: 10 * tolerance()} }

// both runs a test with exact numbers and with the configuration as it is.
func both(t *testing.T, test func(t *testing.T, c parity), cases ...string) {
	for name, c := range map[string]parity{"exact": exactly("config.yaml"), "usual": usually("config.yaml")} {
		t.Run(name, func(t *testing.T) {
			enter(t, cases...)
			test(t, c)
		})
	}
}

func (c parity) run(t *testing.T, stage, ckpt string, overrides ...any) *runner.Result {
	t.Helper()
	return run(t, stage, ckpt, append(c.inputs[:len(c.inputs):len(c.inputs)], overrides...)...)
}

// fit trains a case and compares what it logs and its last checkpoint, and before that the weights that are drawn.
func (c parity) fit(t *testing.T) {
	t.Helper()
	c.run(t, "fit", "", "trainer::logger=false", "trainer::fast_dev_run=true", "trainer::callbacks=[{_target_: test.SaveAtStart, path: init.ckpt}]")
	compareWeights(t, "expected/init.csv", "init.ckpt", drawn)
	c.run(t, "fit", "")
	worst := compareSeries(t, "expected/metrics.csv", "out/fit/version_0/metrics.csv", c.tolerance, c.near)
	for name := range c.near {
		delete(worst, name)
	}
	exact(t, c.exact, worst)
	weights := 10 * c.tolerance
	if c.exact {
		weights = drawn
	}
	compareWeights(t, "expected/final.csv", "out/checkpoints/last.ckpt", weights)
}

// test compares what a checkpoint gives on the data of the test.
func (c parity) test(t *testing.T, ckpt string) {
	t.Helper()
	c.run(t, "test", ckpt, "trainer::logger::name=test")
	exact(t, c.exact, compareSeries(t, "expected/test_metrics.csv", "out/test/version_0/metrics.csv", c.tolerance, nil))
}

func TestParityDigits(t *testing.T) {
	both(t, func(t *testing.T, c parity) {
		c.fit(t)
		c.test(t, "last")
		c.run(t, "predict", "out/checkpoints/last.ckpt", "trainer::logger=false")
		exact(t, c.exact, compareColumns(t, "expected/predictions.csv", "out/predictions.csv", c.tolerance))
	}, "a1", "digits")
}

// TestParityCNN is convolution, batch norm, both dropouts and Nesterov's momentum; every metric of the collection is compared. The
// running statistics and the counts of batch norm are in the checkpoint.
func TestParityCNN(t *testing.T) {
	both(t, func(t *testing.T, c parity) { c.fit(t) }, "a2", "digits")
}

// TestParityRegression is accumulation, clipping, a scheduler that steps with the optimizer, early stopping and the best checkpoint,
// on a CSV table.
func TestParityRegression(t *testing.T) {
	both(t, func(t *testing.T, c parity) {
		c.fit(t)
		c.test(t, "out/checkpoints/best.ckpt")
		c.run(t, "predict", "out/checkpoints/best.ckpt", "trainer::logger=false")
		exact(t, c.exact, compareColumns(t, "expected/predictions.csv", "out/predictions.csv", c.tolerance))
	}, "a3")
}

// TestParityTransformer is a network of the project's own, of attention with a causal mask, and files of predictions.
func TestParityTransformer(t *testing.T) {
	enter(t, "a4")
	c := exactly("config.yaml")
	// Without gradients PyTorch's layer takes a path of its own.
	c.near = map[string]float64{"val/loss/step": c.tolerance, "val/loss/epoch": c.tolerance}
	c.fit(t)
	c.run(t, "predict", "out/checkpoints/last.ckpt", "trainer::logger=false")
	want, err := filepath.Glob("expected/predictions/*.txt")
	if err != nil || len(want) == 0 {
		t.Fatal("no predictions are expected", err)
	}
	for _, path := range want {
		got, err := os.ReadFile(strings.Replace(path, "expected", "out", 1))
		if err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(path); err != nil || string(got) != string(text) {
			t.Errorf("%s is %q, want %q (%v)", path, got, text, err)
		}
	}
}

// TestParityImages is a folder of images with random transforms, resnet18, and a Freezer.
func TestParityImages(t *testing.T) {
	enter(t, "a5")
	exactly("config.yaml").fit(t)
}

// TestParityLayers is the configuration language: files over files, operators, expressions, overrides.
func TestParityLayers(t *testing.T) {
	enter(t, "a6")
	exactly("config.yaml", "experiment.yaml", "vars::width=12", "trainer::max_steps=50", "=vars::rates=[0.05, 0.005]",
		"model::network::_args_=[{_target_: torch.nn.LogSoftmax, dim: 1}]", "~vars::depth").fit(t)
}

// saveAtStart is a callback that keeps the weights that a fit begins with.
type saveAtStart struct {
	Path string `cfg:"path,required" help:"the checkpoint to write"`
}

func (s saveAtStart) Build(*lighter.Env) (lighter.Callback, error) { return s, nil }

func (s saveAtStart) StageStart(t lighter.Trainer) error { return t.SaveCheckpoint(s.Path, true) }

func init() { lighter.Register[lighter.Callback]("test.SaveAtStart", saveAtStart{}) }

// compareColumns compares tables of float32 numbers and lists of them cell by cell, and returns the largest difference in each
// column.
func compareColumns(t *testing.T, expected, actual string, tol float64) map[string]float64 {
	t.Helper()
	want, got := readTable(t, expected), readTable(t, actual)
	if len(want) != len(got) || !slices.Equal(want[0], got[0]) {
		t.Fatalf("%s: %d rows of %v, want %d of %v", actual, len(got), got[0], len(want), want[0])
	}
	worst := map[string]float64{}
	for i := range want[1:] {
		for j, name := range want[0] {
			w, g := numbersOf(t, want[i+1][j]), numbersOf(t, got[i+1][j])
			if len(w) != len(g) {
				t.Fatalf("%s: row %d of %s is %v, want %v", actual, i, name, g, w)
			}
			for k := range w {
				worst[name] = max(worst[name], math.Abs(g[k]-w[k]))
				if math.Abs(g[k]-w[k]) > tol*math.Abs(w[k])+1e-6*tol {
					t.Fatalf("%s: row %d of %s is %v, want %v", actual, i, name, g, w)
				}
			}
		}
	}
	return worst
}

// numbersOf are those of a cell, a number or a list.
func numbersOf(t *testing.T, cell string) []float64 {
	t.Helper()
	var all []float64
	for part := range strings.SplitSeq(strings.Trim(cell, "[]"), ",") {
		all = append(all, float64(float32(parse(t, strings.TrimSpace(part)))))
	}
	return all
}
