package callback

import (
	"fmt"
	"io"
	"math"
	"testing"
	"time"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/callback/callbacktest"
	"github.com/lighter-go/lighter/internal/console"
)

var shownLogged = map[string]float64{
	"train/loss/step": 0.123456, "train/loss/epoch": 0.5, "train/metrics/Acc/step": 1, "train/metrics/Acc/epoch": 0.75,
	"val/loss/step": 9, "val/loss/epoch": 0.25, "train/optimizer/Adam/lr/epoch": 0.001, "custom": 3,
}

// clocked is a progress bar whose clock the test moves.
type clocked struct {
	*progressBar
	t  *testing.T
	tr *callbacktest.Trainer
	at time.Time
}

func progressOn(t *testing.T, c *console.Console, every int, leave bool) *clocked {
	t.Helper()
	built, err := newProgressBar(c, every, leave)
	must(t, err)
	p := &clocked{progressBar: built.(*progressBar), t: t, tr: &callbacktest.Trainer{Epochs: 10, Batches: 4, Logged: shownLogged}}
	p.now = func() time.Time { return p.at }
	must(t, p.StageStart(p.tr))
	return p
}

// epoch runs a loop of the trainer's mode, half a second a batch.
func (p *clocked) epoch(within ...func(batch int)) {
	p.t.Helper()
	must(p.t, p.EpochStart(p.tr))
	for i := range p.tr.Batches {
		p.at = p.at.Add(500 * time.Millisecond)
		must(p.t, p.BatchEnd(p.tr, nil, i))
		for _, f := range within {
			f(i)
		}
	}
	must(p.t, p.EpochEnd(p.tr))
}

func TestProgressBarOnATerminal(t *testing.T) {
	s := &screen{}
	c := console.New(s, true, false)
	p := progressOn(t, c, 1, false)
	const half = "Epoch 1/10 ━━━━━━━━━━━━──────────── 2/4 [0:01<0:01, 2.0 it/s]  train/loss 0.1235"
	p.epoch(func(i int) {
		if i != 1 {
			return
		}
		s.shows(t, half)
		fmt.Fprintln(c, "a warning")
		s.shows(t, "a warning\n"+half)

		p.tr.InMode, p.tr.Batches = lighter.Val, 8
		must(t, p.EpochStart(p.tr))
		p.at = p.at.Add(time.Second)
		must(t, p.BatchEnd(p.tr, nil, 5))
		s.shows(t, "a warning\n"+half+
			"\nValidate   ━━━━━━━━━━━━━━━━━━────── 6/8 [0:01<0:00, 6.0 it/s]")
		must(t, p.EpochEnd(p.tr))
		p.tr.InMode, p.tr.Batches = lighter.Train, 4
		s.shows(t, "a warning\n"+half)
	})
	// The second of the validation does not count for the rate.
	s.shows(t, "a warning\nEpoch 1/10 ━━━━━━━━━━━━━━━━━━━━━━━━ 4/4 [0:02<0:00, 2.0 it/s]  train/loss 0.1235")
	p.tr.AtEpoch = 1
	p.epoch()
	must(t, p.StageEnd(p.tr))
	must(t, p.Close())
	last := "a warning\nEpoch 2/10 ━━━━━━━━━━━━━━━━━━━━━━━━ 4/4 [0:02<0:00, 2.0 it/s]  train/loss 0.5000"
	if s.String() != last || s.coloured {
		t.Errorf("left on the screen (coloured %v):\n%s\nwant\n%s", s.coloured, s, last)
	}
	fmt.Fprintln(c, "after")
	s.shows(t, last+"\nafter")
}

func TestProgressBarLeavesLines(t *testing.T) {
	s := &screen{}
	p := progressOn(t, console.New(s, true, true), 1, true)
	for p.tr.AtEpoch = range 2 {
		p.epoch()
	}
	must(t, p.Close())
	line := "  4/4  2.0 it/s  train/loss 0.5000  val/loss 0.2500  train/Acc 0.7500  custom 3.000\n"
	want := "epoch 1/10" + line + "epoch 2/10" + line + "Epoch 2/10 ━━━━━━━━━━━━━━━━━━━━━━━━ 4/4 [0:02<0:00, 2.0 it/s]  train/loss 0.5000"
	if s.String() != want || !s.coloured {
		t.Errorf("coloured %v:\n%s\nwant\n%s", s.coloured, s, want)
	}
}

// Short epochs are no reason to draw more often; the last one's end is drawn all the same.
func TestProgressBarShortEpochs(t *testing.T) {
	s := &screen{}
	p := progressOn(t, console.New(s, true, false), 1, false)
	p.tr.Epochs, p.tr.Batches = 1000, 2
	batches := func() {
		must(t, p.EpochStart(p.tr))
		for i := range 2 {
			p.at = p.at.Add(time.Millisecond)
			must(t, p.BatchEnd(p.tr, nil, i))
		}
	}
	for p.tr.AtEpoch = range 1000 { // 4 s
		p.tr.InMode = lighter.Train
		batches()
		p.tr.InMode = lighter.Val
		batches()
		must(t, p.EpochEnd(p.tr))
		p.tr.InMode = lighter.Train
		must(t, p.EpochEnd(p.tr))
	}
	must(t, p.StageEnd(p.tr))
	if p.tr.MetricsOf > 42 || s.redraws > 400 { // the renderer, a goroutine, may write a frame in two
		t.Errorf("metrics were read %d times and the screen written %d times in 4 s", p.tr.MetricsOf, s.redraws)
	}
	s.shows(t, "Epoch 1000/1000 ━━━━━━━━━━━━━━━━━━ 2/2 [0:00<0:00, 1000 it/s]  train/loss 0.5000")
}

// What is drawn is bounded by time, and metrics, which wait for the device, are read only to be drawn.
func TestProgressBarDrawsTenTimesASecond(t *testing.T) {
	s := &screen{}
	p := progressOn(t, console.New(s, true, false), 1, false)
	p.tr.Batches = 10_000
	must(t, p.EpochStart(p.tr))
	for i := range p.tr.Batches { // 2 s
		p.at = p.at.Add(200 * time.Microsecond)
		must(t, p.BatchEnd(p.tr, nil, i))
	}
	if p.tr.MetricsOf > 20 {
		t.Errorf("metrics were read %d times in 2 s", p.tr.MetricsOf)
	}
	must(t, p.Close())
	if s.redraws > 60 {
		t.Errorf("%d writes in 2 s", s.redraws)
	}
}

func TestProgressBarRefreshRate(t *testing.T) {
	s := &screen{}
	p := progressOn(t, console.New(s, true, false), 0, false)
	p.epoch()
	must(t, p.Close())
	if s.redraws > 0 || p.tr.MetricsOf > 0 {
		t.Errorf("refresh_rate 0 drew %q", s)
	}
	p = progressOn(t, console.New(s, true, false), 3, false)
	p.epoch()
	must(t, p.Close())
	if p.tr.MetricsOf != 2 { // after batch 3, and at the epoch's end
		t.Errorf("refresh_rate 3 read metrics %d times in 4 batches", p.tr.MetricsOf)
	}
	if _, err := newProgressBar(nil, -1, false); err == nil {
		t.Error("refresh_rate -1 was accepted")
	}
}

func TestProgressLines(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(*callbacktest.Trainer)
		want    string
	}{
		{"fit", func(*callbacktest.Trainer) {}, "epoch 1/10  4/4  2.0 it/s  train/loss 0.5000  val/loss 0.2500  train/Acc 0.7500  custom 3.000\n"},
		{"fit without end", func(tr *callbacktest.Trainer) { tr.Epochs, tr.AtEpoch = -1, 41 }, "epoch 42  4/4  2.0 it/s  train/loss 0.5000  val/loss 0.2500  train/Acc 0.7500  custom 3.000\n"},
		{"a validation in a fit", func(tr *callbacktest.Trainer) { tr.InMode = lighter.Val }, ""},
		{"the sanity check", func(tr *callbacktest.Trainer) { tr.InMode, tr.Sanity = lighter.Val, true }, ""},
		{"test", func(tr *callbacktest.Trainer) {
			tr.InMode, tr.Command, tr.Logged = lighter.Test, "test", map[string]float64{"test/loss/epoch": 0.5}
		}, "test  4/4  2.0 it/s  test/loss 0.5000\n"},
		{"validate", func(tr *callbacktest.Trainer) { tr.InMode, tr.Command, tr.Logged = lighter.Val, "validate", nil }, "validate  4/4  2.0 it/s\n"},
		{"predict", func(tr *callbacktest.Trainer) { tr.InMode, tr.Command, tr.Logged = lighter.Predict, "predict", nil }, "predict  4/4  2.0 it/s\n"},
		{"an epoch of minutes", func(tr *callbacktest.Trainer) { tr.Batches, tr.Logged = 250, nil },
			"epoch 1/10  120/250  2.0 it/s\nepoch 1/10  240/250  2.0 it/s\nepoch 1/10  250/250  2.0 it/s\n"},
	} {
		_, out := envOf(false)
		p := progressOn(t, console.New(out, false, false), 1, false)
		c.prepare(p.tr)
		p.epoch()
		must(t, p.StageEnd(p.tr))
		if out.String() != c.want {
			t.Errorf("%s:\n%swant\n%s", c.name, out, c.want)
		}
	}
}

func TestRateAndClockText(t *testing.T) {
	for rate, want := range map[float64]string{0: "- it/s", 0.25: "4.00 s/it", 12.34: "12.3 it/s", 1530.4: "1530 it/s"} {
		if got := rateText(rate); got != want {
			t.Errorf("%v: %q, want %q", rate, got, want)
		}
	}
	for d, want := range map[time.Duration]string{7 * time.Second: "0:07", 750 * time.Second: "12:30", 3723 * time.Second: "1:02:03", 599_600 * time.Millisecond: "10:00"} {
		if got := clockText(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
	l := &progressLoop{total: -1, done: 3}
	if got := l.count() + " " + timeText(l, l.began.Add(time.Second)); got != "3/? 0:01<?" {
		t.Errorf("unknown length: %q", got)
	}
	if got := shownMetrics(map[string]float64{"a": math.NaN(), "b": math.Inf(1)}, lighter.Train, true); got[0].value+got[1].value != "NaN+Inf" {
		t.Errorf("%v", got)
	}
}

// A terminal that went away must not stop a run, nor swallow what is logged.
func TestProgressBarWithoutItsTerminal(t *testing.T) {
	c := console.New(&gone{}, true, false)
	p := progressOn(t, c, 1, false)
	for range 20 {
		p.epoch()
		p.tr.InMode = lighter.Val - p.tr.InMode
		time.Sleep(time.Millisecond)
	}
	if _, err := fmt.Fprintln(c, "a line"); err == nil {
		t.Error("a line that was not written gives no error")
	}
	must(t, p.Close())
}

type gone struct{}

func (*gone) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func BenchmarkProgressBarBatch(b *testing.B) {
	built, err := newProgressBar(console.New(io.Discard, true, false), 1, false)
	if err != nil {
		b.Fatal(err)
	}
	p := built.(*progressBar)
	tr := &callbacktest.Trainer{Batches: 1 << 30, Logged: shownLogged}
	p.StageStart(tr)
	p.EpochStart(tr)
	i := 0
	for b.Loop() {
		p.BatchEnd(tr, nil, i)
		i++
	}
	p.Close()
	b.ReportMetric(float64(tr.MetricsOf)/b.Elapsed().Seconds(), "draws/s")
}

func TestFitDropsWholeMetrics(t *testing.T) {
	ms := []shownMetric{{"train/loss", "0.1"}, {"val/loss", "0.2"}}
	for room, want := range map[int]string{100: "  train/loss 0.1  val/loss 0.2", 30: "  train/loss 0.1  val/loss 0.2", 29: "  train/loss 0.1", 10: "", -5: ""} {
		if got := fit(ms, room); got != want {
			t.Errorf("room %d: %q, want %q", room, got, want)
		}
	}
}

// The bar of the sanity check goes away, and that of the first epoch takes its place.
func TestProgressBarSanityCheck(t *testing.T) {
	s := &screen{}
	p := progressOn(t, console.New(s, true, false), 1, false)
	p.tr.InMode, p.tr.Sanity = lighter.Val, true
	p.epoch(func(i int) {
		if i == 1 {
			s.shows(t, "Sanity check ━━━━━━━━━━━━──────────── 2/4 [0:01<0:01, 2.0 it/s]")
		}
	})
	s.shows(t, "")
	p.tr.InMode, p.tr.Sanity, p.tr.Logged = lighter.Train, false, nil
	p.at = p.at.Add(barInterval)
	must(t, p.EpochStart(p.tr))
	s.shows(t, "Epoch 1/10 ──────────────────────── 0/4 [0:00<?, - it/s]")
	must(t, p.Close())
}

// A run that fails before its first epoch leaves no bar.
func TestProgressBarNothingBegun(t *testing.T) {
	for name, prepare := range map[string]func(*clocked){
		"at once":                func(*clocked) {},
		"after the sanity check": func(p *clocked) { p.tr.InMode, p.tr.Sanity = lighter.Val, true; p.epoch() },
	} {
		s := &screen{}
		p := progressOn(t, console.New(s, true, false), 1, false)
		prepare(p)
		must(t, p.StageEnd(p.tr))
		if s.String() != "" {
			t.Errorf("%s: %q", name, s)
		}
	}
}
