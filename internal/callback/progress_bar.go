package callback

import (
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/lighter-go/lighter/internal/console"
)

// barView draws bars with mpb, from a goroutine of mpb's; the run's thread only hands over what to draw. Lines written to
// the console meanwhile go above the bars.
type barView struct {
	console *console.Console
	leave   bool
	loop    *progressLoop // the main one
	bars    *mpb.Progress
	redraw  chan any
	detach  func()
	main    *drawnBar
	inner   *drawnBar
}

// drawnBar is a bar of mpb's and what stands beside it.
type drawnBar struct {
	bar  *mpb.Bar
	text atomic.Pointer[barText]
}

type barText struct {
	label, count, time string
	metrics            []shownMetric
	full               bool
}

// The columns of the bar itself, of what the metrics leave of it on a narrow terminal, and of the label.
const (
	barWidth   = 24
	leastWidth = 10
	labelWidth = 10
)

func newBarView(c *console.Console, main *progressLoop, leave bool) *barView {
	v := &barView{console: c, leave: leave, loop: main, redraw: make(chan any, 1)}
	v.bars = mpb.New(mpb.WithOutput(c.Out()), mpb.WithManualRefresh(v.redraw), mpb.ForceTTY())
	v.detach = c.Attach(v)
	return v
}

// Write puts lines above the bars. When mpb has stopped, because the terminal is gone, they go straight out.
func (v *barView) Write(p []byte) (int, error) {
	if _, err := v.bars.Write(p); err != nil {
		return v.console.Out().Write(p)
	}
	v.poke()
	return len(p), nil
}

// poke asks for a redraw. It never waits: one that is due already will do.
func (v *barView) poke() {
	select {
	case v.redraw <- nil:
	default:
	}
}

// add makes a bar that never ends by itself; nil when mpb has stopped.
func (v *barView) add() *drawnBar {
	d := &drawnBar{}
	d.text.Store(&barText{})
	paint := func(codes string) func(string) string {
		return func(s string) string {
			if s == "" || !v.console.Color() {
				return s
			}
			return "\x1b[" + codes + "m" + s + "\x1b[0m"
		}
	}
	filled := func(s string) string {
		if d.text.Load().full {
			return paint("32")(s)
		}
		return paint("36")(s)
	}
	style := mpb.BarStyle().Lbound("").Rbound("").Filler("━").Tip("━").Padding("─").FillerMeta(filled).TipMeta(filled).PaddingMeta(paint("2"))
	text := func(get func(*barText) string, wc ...decor.WC) decor.Decorator {
		return decor.Any(func(s decor.Statistics) string {
			if s.Aborted {
				v.poke() // mpb draws a dropped bar once more before it goes
			}
			return get(d.text.Load())
		}, wc...)
	}
	bar, err := v.bars.Add(0, style.Build(), mpb.BarWidth(barWidth),
		mpb.PrependDecorators(decor.Meta(text(func(t *barText) string { return t.label }, decor.WC{W: labelWidth, C: decor.DindentRight}), paint("1"))),
		mpb.AppendDecorators(
			text(func(t *barText) string { return t.count + " " }),
			decor.Meta(text(func(t *barText) string { return t.time }), paint("2")),
			decor.Any(func(s decor.Statistics) string { return fit(d.text.Load().metrics, s.AvailableWidth-leastWidth-2) }),
		),
	)
	if err != nil {
		return nil
	}
	d.bar = bar
	return d
}

// fit joins the metrics that have room, whole ones only.
func fit(metrics []shownMetric, room int) string {
	var b strings.Builder
	for _, m := range metrics {
		item := "  " + m.name + " " + m.value
		if len(item) > room {
			break
		}
		room -= len(item)
		b.WriteString(item)
	}
	return b.String()
}

// show hands a loop's state over, to a bar that is made when it is first shown.
func (v *barView) show(b **drawnBar, l *progressLoop, now time.Time, metrics []shownMetric) {
	if *b == nil {
		if *b = v.add(); *b == nil {
			return
		}
	}
	d := *b
	if metrics == nil {
		metrics = d.text.Load().metrics
	}
	d.text.Store(&barText{
		label: l.label, count: l.count(), time: "[" + timeText(l, now) + ", " + rateText(l.rate(now)) + "]",
		metrics: metrics, full: l.done == l.total,
	})
	d.bar.SetTotal(int64(max(l.total, 0)), false)
	d.bar.SetCurrent(int64(l.done))
	v.poke()
}

func (v *barView) update(l *progressLoop, now time.Time, metrics []shownMetric) {
	if l == v.loop {
		v.show(&v.main, l, now, metrics)
		return
	}
	if v.inner == nil && v.main != nil { // where training waits
		v.show(&v.main, v.loop, l.began, nil)
	}
	v.show(&v.inner, l, now, nil)
}

func (v *barView) finish(l *progressLoop, now time.Time, metrics []shownMetric) {
	v.show(&v.main, l, now, metrics)
	if v.leave {
		io.WriteString(v, progressLine(l, now, metrics)+"\n")
	}
}

func (v *barView) drop() {
	if v.inner != nil {
		v.inner.bar.Abort(true)
		v.inner = nil
		v.poke()
	}
}

// close gives the screen back.
func (v *barView) close() {
	v.detach()
	for _, d := range []*drawnBar{v.inner, v.main} {
		if d != nil {
			d.bar.Abort(d == v.inner)
		}
	}
	v.bars.Wait()
}
