package eventfile

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

var clock = time.Unix(1700000000, 250_000_000)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	return data
}

// A file is byte for byte that of PyTorch's SummaryWriter, however often it is flushed.
func TestAsPyTorch(t *testing.T) {
	want := read(t, "testdata/torch.bin")
	for _, often := range []bool{false, true} {
		w := New(t.TempDir())
		flush := func() {
			if often {
				must(t, w.Flush())
			}
		}
		w.Scalar(clock, 0, "hp_metric", -1)
		flush()
		w.HParams(clock, []HParam{{"lr", 0.001}, {"name", "Adam"}, {"é", -1.0}}, []string{"hp_metric", "loss"})
		for _, c := range []struct {
			step  int64
			tag   string
			value float64
		}{
			{0, "train/loss/step", 0.1}, {1, "epoch", 0}, {300, "a", math.NaN()}, {300, "b", math.Inf(-1)}, {1 << 40, "c", 1e300},
			{127, "é", math.Copysign(0, -1)},
		} {
			flush()
			w.Scalar(clock, c.step, c.tag, c.value)
		}
		must(t, w.Flush())
		if got := read(t, w.Path()); !bytes.Equal(got, want) {
			t.Errorf("flushed often: %v:\n%q\nPyTorch:\n%q", often, got, want)
		}
	}
}

// TensorBoard finds files by their names and orders them by the time in it; two writers never share one.
func TestNames(t *testing.T) {
	dir := t.TempDir()
	pattern := regexp.MustCompile(`^events\.out\.tfevents\.1700000000\..+\.\d+\.\d+$`)
	seen := map[string]bool{}
	for range 3 {
		w := New(dir)
		must(t, w.Flush())
		if w.Path() != "" {
			t.Errorf("%s was made for nothing", w.Path())
		}
		w.Scalar(clock, 0, "x", 1)
		must(t, w.Flush())
		if name := filepath.Base(w.Path()); !pattern.MatchString(name) || seen[name] {
			t.Errorf("the name %q", name)
		}
		seen[filepath.Base(w.Path())] = true
	}
}

// A tag that is no UTF-8 would make the record unreadable.
func TestInvalidText(t *testing.T) {
	w := New(t.TempDir())
	w.Scalar(clock, 0, "a\xffb", 1)
	must(t, w.Flush())
	if got := read(t, w.Path()); !bytes.Contains(got, []byte("\x05a\uFFFDb")) {
		t.Errorf("%q", got)
	}
}

func TestErrors(t *testing.T) {
	w := New(filepath.Join(t.TempDir(), "missing"))
	w.Scalar(clock, 0, "x", 1)
	if err := w.Flush(); err == nil || w.Buffered() == 0 {
		t.Errorf("a file was made in a folder that is not there: %v", err)
	}
}
