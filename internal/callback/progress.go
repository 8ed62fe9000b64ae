package callback

import (
	"time"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/console"
)

// TQDMProgressBar are the arguments of Lightning's default bar.
// https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.TQDMProgressBar.html
type TQDMProgressBar struct {
	RefreshRate     int  `cfg:"refresh_rate" help:"batches between redraws, of which there are 10 a second at most; 0 for none"`
	ProcessPosition int  `cfg:"process_position,ignored" help:"no effect: there is one bar"`
	Leave           bool `cfg:"leave" help:"leave a line of every epoch on the screen"`
}

// RichProgressBar are the arguments of Lightning's other bar; it looks the same here.
// https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.RichProgressBar.html
type RichProgressBar struct {
	RefreshRate   int  `cfg:"refresh_rate" help:"batches between redraws, of which there are 10 a second at most; 0 for none"`
	Leave         bool `cfg:"leave" help:"leave a line of every epoch on the screen"`
	Theme         any  `cfg:"theme,ignored" help:"no effect"`
	ConsoleKwargs any  `cfg:"console_kwargs,ignored" help:"no effect"`
}

func init() {
	lighter.Register[lighter.Callback]("pytorch_lightning.callbacks.TQDMProgressBar", TQDMProgressBar{RefreshRate: 1},
		append(aliases("callbacks", "progress", "TQDMProgressBar"), "pytorch_lightning.callbacks.progress.tqdm_progress.TQDMProgressBar")...)
	lighter.Register[lighter.Callback]("pytorch_lightning.callbacks.RichProgressBar", RichProgressBar{RefreshRate: 1},
		append(aliases("callbacks", "progress", "RichProgressBar"), "pytorch_lightning.callbacks.progress.rich_progress.RichProgressBar")...)
}

// Build makes the callback.
func (a TQDMProgressBar) Build(env *lighter.Env) (lighter.Callback, error) {
	return newProgressBar(env.Console, a.RefreshRate, a.Leave)
}

// Build makes the callback.
func (a RichProgressBar) Build(env *lighter.Env) (lighter.Callback, error) {
	return newProgressBar(env.Console, a.RefreshRate, a.Leave)
}

func newProgressBar(c *console.Console, every int, leave bool) (lighter.Callback, error) {
	if every < 0 {
		return nil, lighter.FieldError("refresh_rate", "must be at least 0, got %d", every)
	}
	return &progressBar{console: c, every: every, leave: leave, now: time.Now}, nil
}

// progressBar follows a stage and shows it: a bar on a terminal, elsewhere a line an epoch.
type progressBar struct {
	console *console.Console
	every   int
	leave   bool
	now     func() time.Time

	view  progressView
	least time.Duration // between two drawings
	drawn time.Time
	// allEnds says that every epoch's end leaves a line.
	allEnds bool
	main    progressLoop // the stage's own loop
	inner   progressLoop // a validation inside a fit
	loop    *progressLoop
}

// progressLoop is where one loop stands.
type progressLoop struct {
	label       string
	done, total int // batches; total is -1 when it is unknown
	began       time.Time
	paused      time.Duration // time that went to validations in between
}

// progressView draws. metrics is nil when they were not read: those drawn before stay.
type progressView interface {
	// update shows a loop's course, finish the end of the main one, drop that of the other.
	update(l *progressLoop, now time.Time, metrics []shownMetric)
	finish(l *progressLoop, now time.Time, metrics []shownMetric)
	drop()
	// close stops drawing, and leaves what was drawn last.
	close()
}

var (
	_ lighter.StageStarter = (*progressBar)(nil)
	_ lighter.EpochStarter = (*progressBar)(nil)
	_ lighter.BatchEnder   = (*progressBar)(nil)
	_ lighter.EpochEnder   = (*progressBar)(nil)
	_ lighter.StageEnder   = (*progressBar)(nil)
	_ lighter.Progress     = (*progressBar)(nil)
)

// ShowsProgress marks it as the progress bar.
func (p *progressBar) ShowsProgress() {}

// The redraws a person can follow, and the lines a log file can bear in an epoch that takes long.
const (
	barInterval  = 100 * time.Millisecond
	lineInterval = time.Minute
)

// StageStart begins to draw.
func (p *progressBar) StageStart(lighter.Trainer) error {
	switch {
	case p.console == nil || p.every == 0 || p.view != nil:
	case p.console.IsTerminal():
		p.view, p.least, p.allEnds = newBarView(p.console, &p.main, p.leave), barInterval, p.leave
	default:
		p.view, p.least, p.allEnds = &lineView{out: p.console}, lineInterval, true
	}
	return nil
}

// EpochStart begins a loop.
func (p *progressBar) EpochStart(t lighter.Trainer) error {
	if p.view == nil {
		return nil
	}
	p.loop = &p.main
	if t.Stage() == "fit" && t.Mode() != lighter.Train {
		p.loop = &p.inner
	}
	now := p.now()
	*p.loop = progressLoop{label: loopLabel(t), total: t.NumBatches(), began: now}
	switch {
	case p.console.IsTerminal() && p.due(now):
		p.draw(now, nil)
	case !p.console.IsTerminal() && (p.loop == &p.main || p.drawn.IsZero()):
		p.drawn = now // the first line comes when the epoch has taken long
	}
	return nil
}

func (p *progressBar) due(now time.Time) bool { return now.Sub(p.drawn) >= p.least }

func (p *progressBar) draw(now time.Time, metrics []shownMetric) {
	p.view.update(p.loop, now, metrics)
	p.drawn = now
}

func loopLabel(t lighter.Trainer) string {
	switch m := t.Mode(); {
	case m == lighter.Train:
		return epochLabel(t.Epoch(), t.MaxEpochs())
	case t.SanityChecking():
		return "Sanity check"
	case m == lighter.Val:
		return "Validate"
	case m == lighter.Test:
		return "Test"
	}
	return "Predict"
}

// BatchEnd counts, and draws when it is time. Only then are metrics read, which waits for the device.
func (p *progressBar) BatchEnd(t lighter.Trainer, _ lighter.Output, idx int) error {
	if p.loop == nil {
		return nil
	}
	if p.loop.done++; t.DataloaderIdx() == 0 {
		p.loop.done = idx + 1
	}
	if p.every > 1 && p.loop.done%p.every != 0 {
		return nil
	}
	if now := p.now(); p.due(now) {
		p.draw(now, p.metrics(t, false))
	}
	return nil
}

// metrics are those to show beside the stage's own loop.
func (p *progressBar) metrics(t lighter.Trainer, ended bool) []shownMetric {
	if p.loop != &p.main {
		return nil
	}
	if l, ok := t.(lighter.LightningTrainer); ok {
		if _, all := t.Model().(lighter.StepModel); !all { // what it logs with prog_bar=True
			return shownMetrics(l.ProgBarMetrics(), t.Mode(), ended)
		}
	}
	return shownMetrics(t.Metrics(), t.Mode(), ended)
}

// EpochEnd shows the end of a loop. After a validation, training goes on.
func (p *progressBar) EpochEnd(t lighter.Trainer) error {
	if p.loop == nil {
		return nil
	}
	now := p.now()
	switch {
	case p.loop == &p.inner:
		p.view.drop()
		p.main.paused += now.Sub(p.inner.began)
		p.loop = &p.main
	case p.allEnds || p.due(now):
		p.view.finish(p.loop, now, p.metrics(t, true))
		p.drawn = now
	}
	return nil
}

// StageEnd leaves the last state on the screen.
func (p *progressBar) StageEnd(t lighter.Trainer) error {
	if p.view != nil && p.console.IsTerminal() && p.loop == &p.main && p.main.label != "" {
		var metrics []shownMetric
		if p.main.done == p.main.total { // else it failed, and the device may give nothing any more
			metrics = p.metrics(t, true)
		}
		p.draw(p.now(), metrics)
	}
	return p.Close()
}

// Close stops drawing, also after an error.
func (p *progressBar) Close() error {
	if p.view != nil {
		p.view.close()
		p.view, p.loop = nil, nil
	}
	return nil
}
