package runner_test

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/cpu"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/runner"
)

// TestParityCNN is convolution, batch norm, both dropouts and Nesterov's momentum on an array of numpy.save; every metric of the
// collection is compared. The running statistics and the counts of batch norm are in the checkpoint.
func TestParityCNN(t *testing.T) {
	c := parity{dir: "testdata/a2", out: t.TempDir(), checkpoints: 0}
	for _, fused := range []bool{true, false} {
		t.Run(fmt.Sprintf("fused_%t", fused), func(t *testing.T) { c.fit(t, fused) })
	}
	c.initial(t)
}

// TestParityRegression is accumulation, clipping, a scheduler that steps with the optimizer, early stopping and the best checkpoint,
// on a CSV table. Predictions are compared in the target's own unit, by the
// arithmetic in float32 of the reference's predict_step.
func TestParityRegression(t *testing.T) {
	c := parity{dir: "testdata/a3", out: t.TempDir(), checkpoints: 1}
	for _, fused := range []bool{true, false} {
		t.Run(fmt.Sprintf("fused_%t", fused), func(t *testing.T) {
			o := c.fit(t, fused)
			best := filepath.Join(o.checkpoints, "best.ckpt")
			test := run(t, "test", best, o.with(fmt.Sprintf("trainer::logger::name=test_%t", fused))...)
			o.compare(t, "test_metrics.csv", test)
			predictions := filepath.Join(c.out, fmt.Sprintf("predictions_%t.csv", fused))
			run(t, "predict", best, o.with("trainer::logger=false", "trainer::callbacks::2::path="+predictions)...)
			unscaled := func(x float64) float64 { return float64(float32(float32(x)*77) + 152) }
			exact(t, o.exact, compareColumns(t, c.dir+"/expected/predictions.csv", predictions, o.tolerance, unscaled))
		})
	}
	c.initial(t)
}

// TestParityImages is images of a folder, resized, cropped and flipped at random, a resnet18 and a Freezer that lets go of it. The
// samples draw from the default generator, in PyTorch's order, though num_workers is not given.
func TestParityImages(t *testing.T) {
	c := parity{dir: "testdata/a5", out: t.TempDir(), checkpoints: 2, photos: "val/"}
	c.fit(t, false)
	c.initial(t)
}

// parity is a case: a configuration, what Python's Lighter wrote of it, and the place of its ModelCheckpoint.
type parity struct {
	dir, out    string
	checkpoints int
	photos      string // the series whose data are JPEG files, which decoders read up to a grey level apart; "" for none
}

// outcome is a fit of a case. exact says that its numbers are PyTorch's in every bit.
type outcome struct {
	parity
	inputs      []any
	checkpoints string
	exact       bool
	tolerance   float64
}

func (o outcome) with(more ...any) []any {
	return append(o.inputs[:len(o.inputs):len(o.inputs)], more...)
}

// compare compares a run's table with the one expected.
func (o outcome) compare(t *testing.T, expected string, r *runner.Result) {
	t.Helper()
	ofPhotos := func(name string) bool { return o.photos != "" && strings.HasPrefix(name, o.photos) }
	worst := compareEachSeries(t, filepath.Join(o.dir, "expected", expected), filepath.Join(r.LogDir, "metrics.csv"), func(name string) float64 {
		if ofPhotos(name) {
			return 1e-2
		}
		return o.tolerance
	})
	maps.DeleteFunc(worst, func(name string, _ float64) bool { return ofPhotos(name) })
	exact(t, o.exact, worst)
}

// fit trains a case and compares what it logs and its last checkpoint.
func (c parity) fit(t *testing.T, fused bool) outcome {
	t.Helper()
	name := fmt.Sprintf("fused_%t", fused)
	o := outcome{parity: c, checkpoints: filepath.Join(c.out, name), exact: !fused && cpu.X86.HasAVX512F, tolerance: tolerance()}
	if fused {
		o.tolerance *= 10 // a fused step rounds elsewhere, and that grows with training
	}
	o.inputs = []any{
		c.dir + "/config.yaml", "trainer::logger::save_dir=" + c.out, fmt.Sprintf("model::optimizer::fused=%t", fused),
		fmt.Sprintf("trainer::callbacks::%d::dirpath=%s", c.checkpoints, o.checkpoints),
	}
	fit := run(t, "fit", "", o.with("trainer::logger::name="+name)...)
	o.compare(t, "metrics.csv", fit)
	weights := 10 * o.tolerance
	if o.exact {
		weights = drawn
	}
	compareWeights(t, c.dir+"/expected/final.csv", filepath.Join(o.checkpoints, "last.ckpt"), weights)
	return o
}

// initial compares the weights that are drawn.
func (c parity) initial(t *testing.T) {
	t.Helper()
	path := filepath.Join(c.out, "init.ckpt")
	run(t, "fit", "", c.dir+"/config.yaml", "trainer::logger=false", "trainer::fast_dev_run=true", fmt.Sprintf("trainer::callbacks=[{_target_: test.SaveAtStart, path: %q}]", path))
	compareWeights(t, c.dir+"/expected/init.csv", path, drawn)
}

// saveAtStart is a callback that keeps the weights that a fit begins with.
type saveAtStart struct {
	Path string `cfg:"path,required" help:"the checkpoint to write"`
}

func (s saveAtStart) Build(*lighter.Env) (lighter.Callback, error) { return s, nil }

func (s saveAtStart) StageStart(t lighter.Trainer) error { return t.SaveCheckpoint(s.Path, true) }

func init() { lighter.Register[lighter.Callback]("test.SaveAtStart", saveAtStart{}) }

// compareColumns compares tables of float32 numbers cell by cell, actual's cells through f, and returns the largest difference in
// each column.
func compareColumns(t *testing.T, expected, actual string, tol float64, f func(float64) float64) map[string]float64 {
	t.Helper()
	want, got := readTable(t, expected), readTable(t, actual)
	if len(want) != len(got) || !slices.Equal(want[0], got[0]) {
		t.Fatalf("%s: %d rows of %v, want %d of %v", actual, len(got), got[0], len(want), want[0])
	}
	worst := map[string]float64{}
	for i := range want[1:] {
		for j, name := range want[0] {
			w, g := float64(float32(parse(t, want[i+1][j]))), f(parse(t, got[i+1][j]))
			worst[name] = max(worst[name], math.Abs(g-w))
			if math.Abs(g-w) > tol*math.Abs(w) {
				t.Fatalf("%s: row %d of %s is %v, want %v", actual, i, name, g, w)
			}
		}
	}
	return worst
}
