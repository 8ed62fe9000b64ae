package callback

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/lighter-go/lighter"
)

func loggerIn(t *testing.T, dir string, change func(*CSVLogger)) (*csvLogger, *bytes.Buffer) {
	t.Helper()
	a := CSVLogger{SaveDir: dir, Name: new("n"), FlushLogsEveryNSteps: 100}
	change(&a)
	must(t, a.Validate())
	env, log := envOf(false)
	l, err := a.Build(env)
	must(t, err)
	return l.(*csvLogger), log
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	return string(data)
}

// metrics.csv is byte for byte what Lightning's CSVLogger writes, however often it is flushed.
func TestCSVLoggerAsLightning(t *testing.T) {
	var all map[string][][2]json.RawMessage
	must(t, json.Unmarshal([]byte(read(t, "testdata/rows.json")), &all))
	for name, rows := range all {
		for _, every := range []int{1, 2, 100} {
			l, _ := loggerIn(t, t.TempDir(), func(a *CSVLogger) {
				a.FlushLogsEveryNSteps = every
				if name == "prefixed" {
					a.Prefix = "p"
				}
			})
			must(t, l.Open())
			for _, r := range rows {
				var values map[string]any
				var step int64
				must(t, json.Unmarshal(r[0], &values))
				must(t, json.Unmarshal(r[1], &step))
				var row []lighter.Scalar
				for k, v := range values {
					f, ok := v.(float64)
					if !ok {
						var err error
						f, err = strconv.ParseFloat(v.(string), 64)
						must(t, err)
					}
					row = append(row, lighter.Scalar{Name: k, Value: f})
				}
				must(t, l.LogMetrics(row, step))
			}
			must(t, l.Finalize("success"))
			want := read(t, "testdata/metrics_"+name+".csv")
			if got := read(t, filepath.Join(l.Dir(), "metrics.csv")); got != want {
				t.Errorf("%s, flushed every %d:\n%s\nLightning:\n%s", name, every, got, want)
			}
		}
	}
}

func TestCSVLoggerFolder(t *testing.T) {
	root := t.TempDir()
	for _, d := range []string{"version_2", "version_7", "version_x", "other", "version_3_old"} {
		must(t, os.MkdirAll(filepath.Join(root, "n", d), 0o777))
	}
	must(t, os.WriteFile(filepath.Join(root, "n", "version_9"), nil, 0o666))
	for _, c := range []struct {
		version any
		name    *string
		want    string
	}{
		{nil, new("n"), "n/version_8"},
		{nil, new("n"), "n/version_9x"}, // taken by a file: see below
		{int64(0), new("n"), "n/version_0"},
		{"mine", new("n"), "n/mine"},
		{"mine", nil, "mine"},
	} {
		l, _ := loggerIn(t, root, func(a *CSVLogger) { a.Name = c.name; must(t, a.Version.DecodeConfig(c.version)) })
		must(t, l.Open())
		want := filepath.Join(root, c.want)
		if c.want == "n/version_9x" {
			want = filepath.Join(root, "n/version_10")
		}
		if l.Dir() != want || !isDir(want) {
			t.Errorf("version %v: %s, want %s", c.version, l.Dir(), want)
		}
	}
	var v Version
	if err := v.DecodeConfig(1.5); err == nil {
		t.Error("version 1.5 was accepted")
	}
}

// Runs that start at the same moment write to folders of their own; one that fails before it writes leaves none.
func TestCSVLoggerVersionsAreClaimed(t *testing.T) {
	root := t.TempDir()
	a, _ := loggerIn(t, root, func(*CSVLogger) {})
	b, _ := loggerIn(t, root, func(*CSVLogger) {})
	if a.Dir() == b.Dir() {
		t.Errorf("both runs write to %s", a.Dir())
	}
	must(t, a.Close())
	must(t, b.Open())
	must(t, b.LogMetrics([]lighter.Scalar{{Name: "x", Value: 1}}, 0))
	must(t, b.Close())
	if isDir(a.Dir()) || !exists(filepath.Join(b.Dir(), "metrics.csv")) {
		t.Errorf("left: %q", filesIn(root))
	}
}

// A run into the folder of an earlier one leaves its files alone until it logs itself.
func TestCSVLoggerKeepsTheEarlierRun(t *testing.T) {
	root := t.TempDir()
	version := func(a *CSVLogger) { must(t, a.Version.DecodeConfig(int64(0))) }
	first, _ := loggerIn(t, root, version)
	must(t, first.Open())
	must(t, first.LogMetrics([]lighter.Scalar{{Name: "old", Value: 1}}, 0))
	must(t, first.Finalize("success"))
	file := filepath.Join(first.Dir(), "metrics.csv")
	before := read(t, file)

	failed, log := loggerIn(t, root, version)
	must(t, failed.Open())
	must(t, failed.Finalize("failed"))
	must(t, failed.Close())
	if got := read(t, file); got != before {
		t.Errorf("a run that failed left %q, before it was %q", got, before)
	}
	if !strings.Contains(log.String(), "exists and is not empty") {
		t.Errorf("no warning: %s", log)
	}

	second, _ := loggerIn(t, root, version)
	must(t, second.Open())
	must(t, second.LogMetrics([]lighter.Scalar{{Name: "new", Value: 2}}, 0))
	must(t, second.Finalize("success"))
	if got := read(t, file); got != "new,step\r\n2.0,0\r\n" {
		t.Errorf("the second run wrote %q", got)
	}
}

// A killed run has lost no row that was logged more than a second, or a flush, ago.
func TestCSVLoggerWritesSoon(t *testing.T) {
	for name, flush := range map[string]bool{"by itself": false, "when asked": true} {
		l, _ := loggerIn(t, t.TempDir(), func(*CSVLogger) {})
		must(t, l.Open())
		began := time.Now()
		must(t, l.LogMetrics([]lighter.Scalar{{Name: "x", Value: 1}}, 0))
		if flush {
			l.Flush()
		}
		file := filepath.Join(l.Dir(), "metrics.csv")
		for !exists(file) {
			if time.Since(began) > 10*time.Second {
				t.Fatalf("%s: nothing is written", name)
			}
			time.Sleep(time.Millisecond)
		}
		must(t, l.Finalize("success"))
	}
}

func TestCSVLoggerGoesOnAfterFinalize(t *testing.T) {
	l, _ := loggerIn(t, t.TempDir(), func(*CSVLogger) {})
	must(t, l.Open())
	for i := range int64(3) {
		must(t, l.LogMetrics([]lighter.Scalar{{Name: string(rune('c' - i)), Value: float64(i)}}, i))
		must(t, l.Finalize("success"))
	}
	if got, want := read(t, filepath.Join(l.Dir(), "metrics.csv")), "a,b,c,step\r\n,,0.0,0\r\n,1.0,,1\r\n2.0,,,2\r\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// A disk that fails ends the run with an error, at a later row or at the end, and no row waits for ever.
func TestCSVLoggerErrors(t *testing.T) {
	l, _ := loggerIn(t, t.TempDir(), func(a *CSVLogger) { a.FlushLogsEveryNSteps = 1 })
	must(t, l.Open())
	must(t, os.RemoveAll(l.Dir()))
	var err error
	for i := range int64(5 * rowQueue) {
		if err = l.LogMetrics([]lighter.Scalar{{Name: "x", Value: 1}}, i); err != nil {
			break
		}
	}
	if final := l.Finalize("failed"); final == nil || !strings.Contains(final.Error(), "CSVLogger: ") || err != nil && final != err {
		t.Errorf("LogMetrics: %v, Finalize: %v", err, final)
	}
	blocked := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(blocked, nil, 0o666))
	l, _ = loggerIn(t, blocked, func(*CSVLogger) {})
	if err := l.Open(); err == nil {
		t.Error("a folder was made inside a file")
	}
}

func TestCSVLoggerHyperparams(t *testing.T) {
	l, _ := loggerIn(t, t.TempDir(), func(*CSVLogger) {})
	must(t, l.Open())
	config := "trainer:\n    max_epochs: 3\n    text: |\n        a\n\n        b\nmodel:\n    x: [1, 2]\n"
	must(t, l.LogHyperparams([]byte(config)))
	var got, want map[string]any
	must(t, yaml.Unmarshal([]byte(read(t, filepath.Join(l.Dir(), "hparams.yaml"))), &got))
	must(t, yaml.Unmarshal([]byte(config), &want))
	inner, _ := got["config"].(map[string]any)
	delete(got, "config")
	for _, m := range []map[string]any{inner, got} {
		a, _ := json.Marshal(m)
		b, _ := json.Marshal(want)
		if !slices.Equal(a, b) {
			t.Errorf("%s, want %s", a, b)
		}
	}
}

func BenchmarkCSVLoggerRow(b *testing.B) {
	env, _ := envOf(false)
	l, _ := CSVLogger{SaveDir: b.TempDir(), FlushLogsEveryNSteps: 100}.Build(env)
	benchmarkLogger(b, l)
}

// benchmarkRows times what a row costs the loop, whose steps take 100 us: the writing goroutine sleeps meanwhile.
func benchmarkRows(b *testing.B, write func(row []lighter.Scalar, step int64) error) {
	row := []lighter.Scalar{{Name: "epoch", Value: 1}, {Name: "train/loss/step", Value: 0.1}, {Name: "train/metrics/MulticlassAccuracy/step", Value: 0.5}}
	var step int64
	var took time.Duration
	for b.Loop() {
		step++
		began := time.Now()
		if err := write(row, step); err != nil {
			b.Fatal(err)
		}
		now := time.Now()
		took += now.Sub(began)
		for time.Since(now) < 100*time.Microsecond {
		}
	}
	b.ReportMetric(float64(took.Nanoseconds())/float64(step), "ns/row")
}

func benchmarkLogger(b *testing.B, l lighter.Logger) {
	if err := l.Open(); err != nil {
		b.Fatal(err)
	}
	benchmarkRows(b, l.LogMetrics)
	l.Finalize("success")
}
