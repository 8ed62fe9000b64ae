package callback

import (
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/timedelta"
)

// Timer are the arguments of Lightning's callback that measures the time of training and limits it.
// https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.Timer.html
type Timer struct {
	Duration *timedelta.Duration `cfg:"duration" help:"how long training may take, over all the runs it is resumed in"`
	Interval string              `cfg:"interval" oneof:"step|epoch" help:"whether to look at the clock after every batch or every epoch"`
	Verbose  bool                `cfg:"verbose" help:"report when the limit is reached"`
}

func init() {
	lighter.Register[lighter.Callback]("pytorch_lightning.callbacks.Timer", Timer{Interval: "step", Verbose: true},
		aliases("callbacks", "timer", "Timer")...)
}

// Build makes the callback.
func (a Timer) Build(env *lighter.Env) (lighter.Callback, error) {
	return &timer{args: a, log: env.Log, now: time.Now}, nil
}

type timer struct {
	args   Timer
	log    zerolog.Logger
	now    func() time.Time
	spans  [lighter.Predict]span // of training, validation and test
	before time.Duration         // trained in the runs this one goes on from
}

// span is when something began and ended last; zero times for not yet.
type span struct{ start, end time.Time }

var (
	_ lighter.StageStarter = (*timer)(nil)
	_ lighter.StageEnder   = (*timer)(nil)
	_ lighter.EpochStarter = (*timer)(nil)
	_ lighter.EpochEnder   = (*timer)(nil)
	_ lighter.BatchStarter = (*timer)(nil)
	_ lighter.BatchEnder   = (*timer)(nil)
	_ lighter.Stateful     = (*timer)(nil)
)

// StageStart ends a fit at once whose time was used up in the run it goes on from.
func (t *timer) StageStart(tr lighter.Trainer) error {
	if tr.Stage() == "fit" {
		t.check(tr)
	}
	return nil
}

// StageEnd stops the clock of training.
func (t *timer) StageEnd(tr lighter.Trainer) error {
	if tr.Stage() == "fit" {
		t.spans[lighter.Train].end = t.now()
	}
	return nil
}

// EpochStart starts the clock of the mode; that of training goes on over all epochs.
func (t *timer) EpochStart(tr lighter.Trainer) error {
	if m := tr.Mode(); m == lighter.Val || m == lighter.Test {
		t.spans[m].start = t.now()
	}
	t.trains(tr)
	return nil
}

// BatchStart starts the clock of a fit that goes on within an epoch.
func (t *timer) BatchStart(tr lighter.Trainer, _ lighter.Value, _ int) error {
	t.trains(tr)
	return nil
}

func (t *timer) trains(tr lighter.Trainer) {
	if s := &t.spans[lighter.Train]; tr.Mode() == lighter.Train && s.start.IsZero() {
		s.start = t.now()
	}
}

// BatchEnd looks at the clock.
func (t *timer) BatchEnd(tr lighter.Trainer, _ lighter.Output, _ int) error {
	if tr.Mode() == lighter.Train && t.args.Interval == "step" {
		t.check(tr)
	}
	return nil
}

// EpochEnd looks at the clock after a training epoch.
func (t *timer) EpochEnd(tr lighter.Trainer) error {
	switch m := tr.Mode(); {
	case m == lighter.Val || m == lighter.Test:
		t.spans[m].end = t.now()
	case m == lighter.Train && t.args.Interval == "epoch":
		t.check(tr)
	}
	return nil
}

// elapsed is the time training has taken, the runs before included, or the last validation or test.
func (t *timer) elapsed(m lighter.Mode) time.Duration {
	s, before := t.spans[m], time.Duration(0)
	if m == lighter.Train {
		before = t.before
	}
	switch {
	case s.start.IsZero():
		return before
	case s.end.IsZero():
		return t.now().Sub(s.start) + before
	}
	return s.end.Sub(s.start) + before
}

func (t *timer) check(tr lighter.Trainer) {
	if t.args.Duration == nil || t.elapsed(lighter.Train) < time.Duration(*t.args.Duration) {
		return
	}
	message := fmt.Sprintf("Time limit reached. Elapsed time is %s. Signaling Trainer to stop.", pythonTime(t.elapsed(lighter.Train)))
	tr.Stop(message)
	if t.args.Verbose {
		t.log.Info().Msg(message)
	}
}

// pythonTime is Python's str of a timedelta of whole seconds: "1 day, 0:00:05".
func pythonTime(d time.Duration) string {
	seconds := int64(d / time.Second)
	days := ""
	switch n := seconds / 86400; {
	case n == 1:
		days = "1 day, "
	case n > 1:
		days = fmt.Sprintf("%d days, ", n)
	}
	seconds %= 86400
	return fmt.Sprintf("%s%d:%02d:%02d", days, seconds/3600, seconds/60%60, seconds%60)
}

// StateKey is Lightning's.
func (t *timer) StateKey() string { return "Timer" }

// StateDict is the state under Lightning's names, in seconds.
func (t *timer) StateDict() lighter.Dict {
	return lighter.Dict{"time_elapsed": lighter.Dict{
		"train": t.elapsed(lighter.Train).Seconds(), "sanity_check": 0.0, "validate": t.elapsed(lighter.Val).Seconds(),
		"test": t.elapsed(lighter.Test).Seconds(), "predict": 0.0,
	}}
}

// LoadStateDict takes over the time that training has taken so far.
func (t *timer) LoadStateDict(state lighter.Dict) error {
	elapsed, _ := state["time_elapsed"].(lighter.Dict)
	switch s := elapsed["train"].(type) {
	case float64:
		t.before = time.Duration(s * float64(time.Second))
	case int64:
		t.before = time.Duration(s) * time.Second
	}
	return nil
}
