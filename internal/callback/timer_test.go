package callback

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/callback/callbacktest"
)

// When the fit stops, the reports and the times in the state are those of Lightning's Timer.
func TestTimerAsLightning(t *testing.T) {
	for _, c := range golden[[]struct {
		Name  string
		Args  map[string]any
		Steps []struct {
			Do      string
			At      float64
			Stop    bool
			Elapsed map[string]float64
			Log     []string
		}
	}](t, "timer.json") {
		t.Run(c.Name, func(t *testing.T) {
			built, log := configured(t, "pytorch_lightning.callbacks.Timer", c.Args)
			tm := built.(*timer)
			origin := time.Now()
			var at float64
			tm.now = func() time.Time { return origin.Add(time.Duration(at * float64(time.Second))) }
			for i, step := range c.Steps {
				tr := &callbacktest.Trainer{}
				from := len(log.String())
				if step.Do != "load" {
					at = step.At
				}
				switch step.Do {
				case "load":
					must(t, tm.LoadStateDict(lighter.Dict{"time_elapsed": lighter.Dict{"train": step.At}}))
				case "fit":
					must(t, tm.StageStart(tr))
				case "train":
					must(t, tm.EpochStart(tr))
				case "batch":
					must(t, tm.BatchStart(tr, nil, 0))
					must(t, tm.BatchEnd(tr, nil, 0))
				case "epoch":
					must(t, tm.EpochEnd(tr))
				case "val":
					tr.InMode = lighter.Val
					must(t, tm.EpochStart(tr))
				case "val_end":
					tr.InMode = lighter.Val
					must(t, tm.EpochEnd(tr))
				case "end":
					must(t, tm.StageEnd(tr))
				}
				if stopped := tr.Stopped != ""; stopped != step.Stop {
					t.Errorf("event %d (%s): stopped %v, want %v", i, step.Do, stopped, step.Stop)
				}
				if got := reports(t, log, from); !slices.Equal(got, step.Log) {
					t.Errorf("event %d (%s): reported %q, want %q", i, step.Do, got, step.Log)
				}
				elapsed := tm.StateDict()["time_elapsed"].(lighter.Dict)
				for name, want := range step.Elapsed {
					if got := elapsed[name].(float64); math.Abs(got-want) > 1e-6 {
						t.Errorf("event %d (%s): %s has taken %v s, want %v", i, step.Do, name, got, want)
					}
				}
			}
		})
	}
}

// A fit that goes on within an epoch has no start of that epoch; its time counts all the same.
func TestTimerOfAResumedEpoch(t *testing.T) {
	built, _ := configured(t, "pytorch_lightning.callbacks.Timer", map[string]any{"duration": "00:00:01:00"})
	tm, at := built.(*timer), time.Now()
	tm.now = func() time.Time { return at }
	tr := &callbacktest.Trainer{}
	must(t, tm.StageStart(tr))
	must(t, tm.BatchStart(tr, nil, 5))
	at = at.Add(time.Minute)
	must(t, tm.BatchEnd(tr, nil, 5))
	if tr.Stopped == "" {
		t.Error("the fit goes on after its time")
	}
}
