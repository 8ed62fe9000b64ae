package callback

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/callback/callbacktest"
	"github.com/lighter-go/lighter/internal/report"
)

// network is a model without parameters.
type network struct {
	lighter.Node
	lighter.Model
}

func (n *network) Tree() *lighter.Node { return &n.Node }

// clock is one that a test moves on while others read it.
type clock struct{ since atomic.Int64 }

func (c *clock) now() time.Time {
	return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Add(time.Duration(c.since.Load()))
}
func (c *clock) pass(d time.Duration) { c.since.Add(int64(d)) }

// reporterIn gives the callback for a run in dir, on a clock of the test's.
func reporterIn(t *testing.T, dir string) (*reporter, *callbacktest.Trainer, fmt.Stringer, *clock) {
	t.Helper()
	built, log := build(t, Report{})
	r := built.(*reporter)
	at := &clock{}
	r.now = at.now
	return r, &callbacktest.Trainer{Dir: dir, Epochs: 5, Network: &network{}}, log, at
}

func logTo(t *testing.T, r *reporter, tr *callbacktest.Trainer, from, to int64) {
	t.Helper()
	for step := from; step < to; step++ {
		tr.AtStep = step + 1
		must(t, r.Row(tr, []lighter.Scalar{{Name: "train/loss/step", Value: float64(step)}, {Name: "epoch", Value: 0}}, step))
	}
}

// A page is there from the start of a stage on, and its last one says how the stage ended.
func TestReport(t *testing.T) {
	for _, c := range []struct {
		stage string
		cause error
		want  []string
	}{
		{"fit", nil, []string{"fit finished", "epoch 1 of 5", "train/loss/step"}},
		{"fit", errors.New("train, epoch 0, batch 7: <boom>"), []string{"fit failed", "train, epoch 0, batch 7: &lt;boom&gt;"}},
		{"fit", errors.Join(fmt.Errorf("stopped by SIGTERM: %w", context.Canceled), errors.New("disk full")), []string{"fit interrupted", "stopped by SIGTERM", "disk full"}},
		{"test", nil, []string{"test finished"}},
	} {
		r, tr, log, at := reporterIn(t, t.TempDir())
		tr.Command = c.stage
		must(t, os.WriteFile(filepath.Join(tr.Dir, "config.yaml"), []byte("seed: 7 # &\n"), 0o666))
		must(t, r.StageStart(tr))
		file := filepath.Join(tr.Dir, "report.html")
		for start := time.Now(); !exists(file); time.Sleep(time.Millisecond) {
			if time.Since(start) > 10*time.Second {
				t.Fatal("there is no first page")
			}
		}
		must(t, r.EpochStart(tr))
		logTo(t, r, tr, 0, 10)
		at.pass(2 * time.Second)
		if c.cause == nil {
			must(t, r.EpochEnd(tr))
			must(t, r.StageEnd(tr))
		} else {
			must(t, r.Exception(tr, c.cause))
		}
		page := read(t, file)
		for _, want := range append(c.want, "seed: 7 # &amp;", "duration</th><td>2.00 s") {
			if !strings.Contains(page, want) {
				t.Errorf("%s, %v: no %q", c.stage, c.cause, want)
			}
		}
		if log.String() != "" {
			t.Errorf("said %s", log)
		}
	}
}

// A run without a folder gets no page.
func TestReportWithoutFolder(t *testing.T) {
	r, tr, _, _ := reporterIn(t, "")
	must(t, r.StageStart(tr))
	must(t, r.EpochStart(tr))
	logTo(t, r, tr, 0, 3)
	must(t, r.EpochEnd(tr))
	must(t, r.StageEnd(tr))
	if exists("report.html") {
		t.Error("a page was written to the working folder")
	}
}

// A page that cannot be written is said once and does not end the run.
func TestReportCannotBeWritten(t *testing.T) {
	r, tr, log, _ := reporterIn(t, t.TempDir())
	must(t, os.Mkdir(filepath.Join(tr.Dir, "report.html"), 0o777))
	must(t, r.StageStart(tr))
	logTo(t, r, tr, 0, 3)
	must(t, r.StageEnd(tr))
	if strings.Count(log.String(), "Report: ") != 1 {
		t.Errorf("said %s", log)
	}
}

// The page is written anew after a while when there is something new, and after a longer one to show that the run goes on.
func TestReportIsRefreshed(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := &reportSink{path: filepath.Join(t.TempDir(), "report.html"), now: func() time.Time { return at }, history: &report.History{}}
	s.run = report.Run{Status: report.Running, Sessions: []report.Session{{Began: at}}}
	for _, c := range []struct {
		after time.Duration
		row   bool
		want  bool
	}{
		{0, false, true}, {time.Second, true, false}, {2 * time.Second, false, true}, {2 * time.Second, true, false}, {time.Second, false, true},
		{10 * time.Second, false, false}, {50 * time.Second, false, true},
	} {
		at = at.Add(c.after)
		if c.row {
			s.add(loggedRow{scalars: []lighter.Scalar{{Name: "x", Value: 1}}})
		}
		before := s.written
		must(t, s.flush())
		s.settle(true)
		if wrote := s.written != before; wrote != c.want {
			t.Errorf("at %s: written %v, want %v", at.Format("04:05"), wrote, c.want)
		}
	}
	s.writing.took = time.Hour / reportShare // of a large page on a slow disk
	at = at.Add(30 * time.Minute)
	s.add(loggedRow{})
	if must(t, s.flush()); s.written == at {
		t.Error("writing the page takes more than its share")
	}
	s.end(1, report.Finished, "")
	if must(t, s.flush()); s.written != at {
		t.Error("the last page waits")
	}
}

// A fit that goes on in its folder shows all of its history: from metrics.csv, which has the rows that a killed run's last page
// missed, or from that page where there is no such file. Another fit begins anew.
func TestReportGoesOn(t *testing.T) {
	for _, c := range []struct {
		name          string
		table, resume bool
		want          string
	}{
		{"with metrics.csv", true, true, `"x":[0,1,2,3,4,5,6,7],"y":[0,1,2,3,4,5,6,7]`},
		{"without", false, true, `"x":[0,1,2,3,5,6,7],"y":[0,1,2,3,5,6,7]`},
		{"from the start", true, false, `"x":[5,6,7],"y":[5,6,7]`},
	} {
		r, tr, log, at := reporterIn(t, t.TempDir())
		must(t, r.StageStart(tr))
		logTo(t, r, tr, 0, 4)
		at.pass(time.Minute)
		must(t, r.Exception(tr, context.Canceled))
		if c.table {
			must(t, os.WriteFile(filepath.Join(tr.Dir, "metrics.csv"), []byte("epoch,step,train/loss/step\r\n0,0,0.0\r\n0,1,1.0\r\n0,2,2.0\r\n0,3,3.0\r\n0,4,4.0\r\n0,5,55.0\r\n"), 0o666))
		}
		again, tr2, _, at2 := reporterIn(t, tr.Dir)
		at2.pass(time.Hour)
		tr2.AtStep = 5
		if c.resume {
			tr2.Resumed = filepath.Join(tr.Dir, "checkpoints", "last.ckpt")
		}
		must(t, again.StageStart(tr2))
		logTo(t, again, tr2, 5, 8)
		at2.pass(time.Minute)
		must(t, again.StageEnd(tr2))
		page := read(t, filepath.Join(tr.Dir, "report.html"))
		if !strings.Contains(page, c.want) {
			t.Errorf("%s: the page has %s", c.name, page[strings.Index(page, `"series":[{`):])
		}
		if resumed := strings.Contains(page, "(once, after step 5)") && strings.Contains(page, "60.0 s since then, 2m0s in all"); resumed != c.resume {
			t.Errorf("%s: resumed is %v", c.name, resumed)
		}
		if log.String() != "" {
			t.Errorf("%s: said %s", c.name, log)
		}
	}
}

// What an earlier run left and cannot be read is left out, with a warning.
func TestReportGoesOnFromDamage(t *testing.T) {
	r, tr, log, _ := reporterIn(t, t.TempDir())
	must(t, os.WriteFile(filepath.Join(tr.Dir, "report.html"), []byte("<html>"), 0o666))
	must(t, os.WriteFile(filepath.Join(tr.Dir, "metrics.csv"), []byte("a,b\n1,2\n"), 0o666))
	tr.Resumed = "x.ckpt"
	must(t, r.StageStart(tr))
	logTo(t, r, tr, 0, 3)
	must(t, r.StageEnd(tr))
	if said := log.String(); strings.Count(said, "Report: ") != 2 || !strings.Contains(said, "no whole report") || !strings.Contains(said, `no column \"step\"`) {
		t.Errorf("said %s", said)
	}
	if page := read(t, filepath.Join(tr.Dir, "report.html")); !strings.Contains(page, "fit finished") {
		t.Error("the page is not written anew")
	}
}

func BenchmarkReportRow(b *testing.B) {
	env, _ := envOf(false)
	built, _ := Report{}.Build(env)
	r := built.(*reporter)
	tr := &callbacktest.Trainer{Dir: b.TempDir(), Network: &network{}}
	if err := r.StageStart(tr); err != nil {
		b.Fatal(err)
	}
	benchmarkRows(b, func(row []lighter.Scalar, step int64) error { return r.Row(tr, row, step) })
	r.StageEnd(tr)
}
