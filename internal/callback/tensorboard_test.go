package callback

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lighter-go/lighter"
)

func boardIn(t *testing.T, dir string, change func(*TensorBoardLogger)) *tensorBoardLogger {
	t.Helper()
	a := TensorBoardLogger{SaveDir: dir, Name: new("n"), DefaultHPMetric: true}
	change(&a)
	must(t, a.Validate())
	env, _ := envOf(false)
	l, err := a.Build(env)
	must(t, err)
	return l.(*tensorBoardLogger)
}

// eventsIn is the only event file of a folder, "" when there is none.
func eventsIn(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "events.out.tfevents.*"))
	must(t, err)
	if len(files) > 1 {
		t.Fatalf("several event files: %q", files)
	}
	return strings.Join(files, "")
}

// The event file is byte for byte what Lightning's TensorBoardLogger writes: the hyper-parameters, flat, and the rows.
func TestTensorBoardLoggerAsLightning(t *testing.T) {
	for _, rest := range []string{"", "more"} {
		l := boardIn(t, t.TempDir(), func(a *TensorBoardLogger) { a.Prefix, a.SubDir = "p", new("a/b") })
		l.now = func() time.Time { return time.Unix(1700000000, 250_000_000) }
		must(t, l.Open())
		must(t, l.LogHyperparams([]byte(read(t, "testdata/hyperparams.yaml"))))
		must(t, l.LogMetrics([]lighter.Scalar{{Name: "train/loss/step", Value: 2.3128662109375}, {Name: "epoch", Value: 0}}, 0))
		if rest != "" { // logging goes on after a stage, in the same file
			must(t, l.Finalize("success"))
		}
		must(t, l.LogMetrics([]lighter.Scalar{
			{Name: "val/loss/epoch", Value: math.NaN()}, {Name: "val/metrics/MulticlassAccuracy/epoch", Value: 0.30000001192092896}, {Name: "epoch", Value: 1},
		}, 1))
		must(t, l.Finalize("success"))
		got, want := read(t, eventsIn(t, filepath.Join(l.Dir(), "a/b"))), read(t, "testdata/events.bin")
		if got != want {
			t.Errorf("%q\nLightning:\n%q", got, want)
		}
		if !exists(filepath.Join(l.Dir(), "a/b/hparams.yaml")) {
			t.Error("no hparams.yaml beside the events")
		}
	}
}

func TestTensorBoardLoggerFolder(t *testing.T) {
	root := t.TempDir()
	t.Setenv("HOME", root)
	t.Setenv("RUN", "seven")
	must(t, os.MkdirAll(filepath.Join(root, "n", "version_3"), 0o777))
	for _, c := range []struct {
		saveDir string
		version any
		name    *string
		want    string
	}{
		{root, nil, new("n"), "n/version_4"},
		{root, int64(0), new("n"), "n/version_0"},
		{root, "mine", nil, "mine"},
		{root, nil, new(""), "version_0"},
		{"~", "$RUN", new("n"), "n/seven"},
		{"~/${RUN}", "$UNKNOWN_", new("n"), "seven/n/$UNKNOWN_"},
	} {
		l := boardIn(t, c.saveDir, func(a *TensorBoardLogger) { a.Name = c.name; must(t, a.Version.DecodeConfig(c.version)) })
		must(t, l.Open())
		if want := filepath.Join(root, c.want); l.Dir() != want || !isDir(want) {
			t.Errorf("%s, version %v: %s, want %s", c.saveDir, c.version, l.Dir(), want)
		}
	}
	for _, dir := range []string{"..", "/tmp", "~"} {
		if err := (TensorBoardLogger{SaveDir: root, SubDir: &dir}).Validate(); err == nil {
			t.Errorf("sub_dir %q was accepted", dir)
		}
	}
}

// Two loggers of a run have folders of their own, as with Lightning, unless one shares the other's.
func TestLoggersTogether(t *testing.T) {
	for _, csvFirst := range []bool{true, false} {
		for _, share := range []bool{true, false} {
			root := t.TempDir()
			csv, log := loggerIn(t, root, func(*CSVLogger) {})
			board := boardIn(t, root, func(*TensorBoardLogger) {})
			order := []lighter.Logger{board, csv}
			if csvFirst {
				order = []lighter.Logger{csv, board}
			}
			if share {
				order[1].(interface{ ShareDir(lighter.Logger) }).ShareDir(order[0])
			}
			for _, l := range order {
				must(t, l.Open())
				must(t, l.LogHyperparams([]byte("a: 1\n")))
			}
			for _, l := range order {
				must(t, l.LogMetrics([]lighter.Scalar{{Name: "x", Value: 1}}, 0))
				must(t, l.Finalize("success"))
			}
			first, second := filepath.Join(root, "n", "version_0"), filepath.Join(root, "n", "version_1")
			if share {
				second = first
			}
			if order[0].Dir() != first || order[1].Dir() != second {
				t.Errorf("the folders are %s and %s", order[0].Dir(), order[1].Dir())
			}
			if eventsIn(t, board.Dir()) == "" || !exists(filepath.Join(csv.Dir(), "metrics.csv")) || log.Len() > 0 {
				t.Errorf("left: %q, said: %s", filesIn(root), log)
			}
		}
	}
}

// A run that fails before it logs leaves no folder; one into the folder of an earlier run leaves that one's files.
func TestTensorBoardLoggerLeavesNothing(t *testing.T) {
	root := t.TempDir()
	l := boardIn(t, root, func(a *TensorBoardLogger) { a.SubDir = new("a/b") })
	must(t, l.Open())
	must(t, l.Close())
	if isDir(l.Dir()) {
		t.Errorf("left: %q", filesIn(root))
	}

	version := func(a *TensorBoardLogger) { must(t, a.Version.DecodeConfig(int64(0))) }
	first := boardIn(t, root, version)
	must(t, first.Open())
	must(t, first.LogHyperparams([]byte("run: 1\n")))
	must(t, first.Close())
	file := eventsIn(t, first.Dir())
	before := read(t, file)
	second := boardIn(t, root, version)
	must(t, second.Open())
	must(t, second.Close())
	if eventsIn(t, first.Dir()) != file || read(t, file) != before {
		t.Error("the earlier run's events were changed")
	}
}

// default_hp_metric: false writes no hyper-parameters to the events, as Lightning.
func TestTensorBoardLoggerWithoutHPMetric(t *testing.T) {
	l := boardIn(t, t.TempDir(), func(a *TensorBoardLogger) { a.DefaultHPMetric = false })
	must(t, l.Open())
	must(t, l.LogHyperparams([]byte("a: 1\n")))
	must(t, l.Finalize("success"))
	if file := eventsIn(t, l.Dir()); file != "" || !exists(filepath.Join(l.Dir(), "hparams.yaml")) {
		t.Errorf("left: %q", filesIn(l.Dir()))
	}
}

// A killed run has lost no row that was logged more than a second, or a flush, ago.
func TestTensorBoardLoggerWritesSoon(t *testing.T) {
	for name, flush := range map[string]bool{"by itself": false, "when asked": true} {
		l := boardIn(t, t.TempDir(), func(*TensorBoardLogger) {})
		must(t, l.Open())
		began := time.Now()
		must(t, l.LogMetrics([]lighter.Scalar{{Name: "x", Value: 1}}, 0))
		if flush {
			l.Flush()
		}
		for eventsIn(t, l.Dir()) == "" {
			if time.Since(began) > 10*time.Second {
				t.Fatalf("%s: nothing is written", name)
			}
			time.Sleep(time.Millisecond)
		}
		must(t, l.Finalize("success"))
	}
}

func TestTensorBoardLoggerErrors(t *testing.T) {
	l := boardIn(t, t.TempDir(), func(*TensorBoardLogger) {})
	must(t, l.Open())
	must(t, os.RemoveAll(l.Dir()))
	must(t, l.LogMetrics([]lighter.Scalar{{Name: "x", Value: 1}}, 0))
	if err := l.Finalize("failed"); err == nil || !strings.Contains(err.Error(), "TensorBoardLogger: ") {
		t.Errorf("Finalize: %v", err)
	}
	if err := l.LogMetrics(nil, 1); err == nil {
		t.Error("a row was taken after a failure")
	}
	for _, config := range []string{"[1]", "a: [", "\x00"} {
		l := boardIn(t, t.TempDir(), func(*TensorBoardLogger) {})
		must(t, l.Open())
		if err := l.LogHyperparams([]byte(config)); err == nil {
			t.Errorf("the configuration %q was taken", config)
		}
	}
}

// More rows than the buffer holds come out the same however often they are flushed.
func TestTensorBoardLoggerManyRows(t *testing.T) {
	var want []byte
	for _, every := range []int64{1, 1 << 40} {
		l := boardIn(t, t.TempDir(), func(*TensorBoardLogger) {})
		l.now = func() time.Time { return time.Unix(1700000000, 0) }
		must(t, l.Open())
		for step := range int64(20_000) {
			must(t, l.LogMetrics([]lighter.Scalar{{Name: "train/loss/step", Value: float64(step)}, {Name: "epoch", Value: 0}}, step))
			if step%every == 0 {
				l.Flush()
			}
		}
		must(t, l.Finalize("success"))
		got := []byte(read(t, eventsIn(t, l.Dir())))
		if want == nil {
			want = got
		}
		if !bytes.Equal(got, want) || len(got) < eventBuffer {
			t.Errorf("%d bytes, and %d when flushed often", len(got), len(want))
		}
	}
}

func BenchmarkTensorBoardLoggerRow(b *testing.B) {
	env, _ := envOf(false)
	l, _ := TensorBoardLogger{SaveDir: b.TempDir()}.Build(env)
	benchmarkLogger(b, l)
}
