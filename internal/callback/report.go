package callback

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/atomicfile"
	"github.com/lighter-go/lighter/internal/release"
	"github.com/lighter-go/lighter/internal/report"
	"github.com/lighter-go/lighter/tensor"
)

// Report writes report.html into the run's folder. The Trainer adds it to runs that have one.
type Report struct{}

func init() { lighter.Register[lighter.Callback]("lighter.callbacks.Report", Report{}) }

// Doc is the component's prose.
func (Report) Doc() string {
	return `Writes report.html into the run's folder: the curves, the metrics, the configuration and the timing of the run, in one
page that loads nothing, refreshed as the run goes. The Trainer adds it by itself; trainer::report=false leaves it out.`
}

// Build makes the callback.
func (Report) Build(env *lighter.Env) (lighter.Callback, error) {
	return &reporter{log: env.Log, seed: env.Seed, now: time.Now, loggerRows: loggerRows{class: "Report", now: time.Now}}, nil
}

// reporter hands rows to a reportSink.
type reporter struct {
	loggerRows
	log   zerolog.Logger
	seed  uint64
	now   func() time.Time
	page  *reportSink // nil when there is no folder
	epoch time.Time   // when the epoch under way began
	from  int64       // the optimizer step it began at
}

var (
	_ lighter.StageStarter = (*reporter)(nil)
	_ lighter.EpochStarter = (*reporter)(nil)
	_ lighter.EpochEnder   = (*reporter)(nil)
	_ lighter.RowTaker     = (*reporter)(nil)
	_ lighter.StageEnder   = (*reporter)(nil)
	_ lighter.Failer       = (*reporter)(nil)
	_ lighter.Reporter     = (*reporter)(nil)
)

// ReportsRun marks it.
func (*reporter) ReportsRun() {}

// StageStart writes the first page. A fit that goes on from a checkpoint goes on with what its folder holds.
func (r *reporter) StageStart(t lighter.Trainer) error {
	dir := t.LogDir()
	if dir == "" {
		return nil
	}
	began := r.now()
	s := &reportSink{path: filepath.Join(dir, "report.html"), log: r.log, now: r.now, history: &report.History{}}
	s.run = report.Run{
		Title: filepath.Join(filepath.Base(filepath.Dir(dir)), filepath.Base(dir)), Stage: t.Stage(), Status: report.Running,
		Epochs: t.Epoch(), Of: t.MaxEpochs(), Refresh: reportPause, Facts: r.facts(t),
	}
	config, err := os.ReadFile(filepath.Join(dir, "config.yaml"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.log.Warn().Msgf("Report: the configuration is left out: %v", err)
	}
	s.run.Config = string(config)
	if t.Stage() == "fit" && t.CkptPath() != "" {
		s.goOn(dir)
	}
	s.run.Sessions = append(s.run.Sessions, report.Session{Began: began, From: t.GlobalStep(), To: t.GlobalStep(), Status: report.Running})
	r.page, r.sink = s, s
	r.start()
	r.Flush()
	return nil
}

// facts are what the numbers of a run depend on.
func (r *reporter) facts(t lighter.Trainer) []report.Fact {
	own, _ := release.Versions()
	device := "cpu"
	for _, p := range t.Model().Tree().Params() {
		device = p.Value.Device().String()
		break
	}
	return []report.Fact{
		{Name: "lighter", Text: own}, {Name: "libtorch", Text: tensor.Version()}, {Name: "Go", Text: runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH},
		{Name: "device", Text: device}, {Name: "threads", Text: fmt.Sprintf("%d of %d processors", tensor.Threads(), runtime.NumCPU())},
		{Name: "seed", Text: strconv.FormatUint(r.seed, 10)},
	}
}

// EpochStart notes when a training epoch begins.
func (r *reporter) EpochStart(t lighter.Trainer) error {
	if t.Mode() == lighter.Train {
		r.epoch, r.from = r.now(), t.GlobalStep()
	}
	return nil
}

// EpochEnd takes the time of a training epoch, its validation included.
func (r *reporter) EpochEnd(t lighter.Trainer) error {
	if t.Mode() != lighter.Train || r.page == nil {
		return nil
	}
	r.page.progress(t.Epoch()+1, t.GlobalStep())
	seconds, steps := r.now().Sub(r.epoch).Seconds(), t.GlobalStep()-r.from
	row := []lighter.Scalar{{Name: report.EpochSeconds, Value: seconds}}
	if seconds > 0 {
		row = append(row, lighter.Scalar{Name: report.StepsPerSecond, Value: float64(steps) / seconds})
	}
	return r.LogMetrics(row, t.GlobalStep()-1)
}

// Row takes a row that the loggers get.
func (r *reporter) Row(t lighter.Trainer, row []lighter.Scalar, step int64) error {
	if r.page == nil {
		return nil
	}
	if t.Mode() == lighter.Train {
		r.page.progress(0, t.GlobalStep())
	}
	return r.LogMetrics(row, step)
}

// StageEnd writes the page of a stage that is done.
func (r *reporter) StageEnd(t lighter.Trainer) error { return r.end(t, report.Finished, "") }

// Exception writes the page of one that is not.
func (r *reporter) Exception(t lighter.Trainer, cause error) error {
	if errors.Is(cause, context.Canceled) {
		return r.end(t, report.Interrupted, cause.Error())
	}
	return r.end(t, report.Failed, cause.Error())
}

func (r *reporter) end(t lighter.Trainer, status report.Status, reason string) error {
	if r.page == nil {
		return nil
	}
	r.page.end(t.GlobalStep(), status, reason)
	return r.Finalize("")
}

const (
	// reportPause is how long a page stays as it is, at least; a large one stays reportShare times as long as writing it took.
	reportPause = 3 * time.Second
	reportShare = 100
	// reportPulse is after what time a page is written that has nothing new, to show that the run goes on.
	reportPulse = time.Minute
)

// reportSink writes the page. A page that cannot be written is no reason to end a run.
type reportSink struct {
	path    string
	log     zerolog.Logger
	now     func() time.Time
	history *report.History // the goroutine's
	changed bool
	written time.Time // the newest page
	pause   time.Duration
	writing *pageWrite // under way, or the last one; nil before the first
	warned  bool

	mu  sync.Mutex
	run report.Run
}

func (s *reportSink) add(r loggedRow) (full bool) {
	for _, v := range r.scalars {
		if v.Name != "epoch" {
			s.history.Add(v.Name, r.step, v.Value)
		}
	}
	s.changed = true
	return false
}

// progress notes how far a fit is, in complete epochs and steps.
func (s *reportSink) progress(epochs int, step int64) {
	s.mu.Lock()
	s.run.Epochs = max(s.run.Epochs, epochs)
	s.run.Sessions[len(s.run.Sessions)-1].To = step
	s.mu.Unlock()
}

// end notes how the run ended, which the last page shows.
func (s *reportSink) end(step int64, status report.Status, reason string) {
	s.mu.Lock()
	last := &s.run.Sessions[len(s.run.Sessions)-1]
	last.To, last.Status = step, status
	s.run.Status, s.run.Reason = status, reason
	s.mu.Unlock()
}

// flush writes the page when it is time.
func (s *reportSink) flush() error {
	now := s.now()
	s.mu.Lock()
	last := &s.run.Sessions[len(s.run.Sessions)-1]
	last.Seconds = now.Sub(last.Began).Seconds()
	run := s.run
	run.Updated = now
	run.Sessions = append([]report.Session{}, s.run.Sessions...)
	s.mu.Unlock()
	running := run.Status == report.Running
	if !s.settle(!running) {
		return nil
	}
	since := now.Sub(s.written)
	if running && !s.written.IsZero() && (since < max(reportPause, s.pause) || !s.changed && since < reportPulse) {
		return nil
	}
	run.Refresh = max(run.Refresh, s.pause)
	s.changed, s.written = false, now
	s.write(run)
	s.settle(!running)
	return nil
}

// pageWrite is a page on its way to the disk, which may be slow: rows are taken in meanwhile.
type pageWrite struct {
	done chan struct{}
	took time.Duration
	err  error
}

func (s *reportSink) write(run report.Run) {
	began := s.now()
	w := &pageWrite{done: make(chan struct{})}
	s.writing = w
	var page bytes.Buffer
	if w.err = report.Write(&page, run, s.history); w.err != nil {
		close(w.done)
		return
	}
	go func() {
		defer close(w.done)
		w.err = atomicfile.Write(s.path, func(f io.Writer) error {
			_, err := page.WriteTo(f)
			return err
		})
		w.took = s.now().Sub(began)
	}()
}

// settle says whether no page is on its way, and learns from the last one. It waits for it when asked to.
func (s *reportSink) settle(wait bool) bool {
	w := s.writing
	if w == nil {
		return true
	}
	if !wait {
		select {
		case <-w.done:
		default:
			return false
		}
	}
	<-w.done
	s.pause = reportShare * w.took
	if w.err != nil && !s.warned {
		s.warned = true
		s.log.Warn().Msgf("Report: %v", w.err)
	}
	return true
}

// goOn takes in what the run's folder holds of it: an earlier page, and metrics.csv, which has every row.
func (s *reportSink) goOn(dir string) {
	page, err := os.ReadFile(s.path)
	if err == nil {
		var h *report.History
		if h, s.run.Sessions, err = report.Read(page); err == nil {
			s.history = h
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Warn().Msgf("Report: the earlier page %s is left out: %v", s.path, err)
	}
	table, err := os.Open(filepath.Join(dir, "metrics.csv"))
	if err == nil {
		defer table.Close()
		err = s.history.ReadCSV(table)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Warn().Msgf("Report: rows of an earlier metrics.csv are left out: %v", err)
	}
}
