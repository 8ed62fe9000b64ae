package engine

import (
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
)

// What costs time cannot be asked for together with barebones; the message is Lightning's.
func TestBarebonesConflicts(t *testing.T) {
	yes := true
	for want, change := range map[string]func(a *arguments){
		"":                     func(*arguments) {},
		"enable_checkpointing": func(a *arguments) { a.EnableCheckpointing = &yes },
		"logger":               func(a *arguments) { _ = a.Logger.DecodeConfig(true) },
		"enable_progress_bar":  func(a *arguments) { a.EnableProgressBar = &yes },
		"log_every_n_steps":    func(a *arguments) { a.LogEveryNSteps = num(1) },
		"enable_model_summary": func(a *arguments) { a.EnableModelSummary = &yes },
		"num_sanity_val_steps": func(a *arguments) { a.NumSanityValSteps = num(2) },
		"fast_dev_run":         func(a *arguments) { a.FastDevRun = 1 },
		"detect_anomaly":       func(a *arguments) { a.DetectAnomaly = true },
		"profiler":             func(a *arguments) { _ = a.Profiler.DecodeConfig("simple") },
	} {
		a := arguments{Barebones: true, NumNodes: 1, MaxSteps: -1, AccumulateGradBatches: 1, NumSanityValSteps: num(0), LogEveryNSteps: num(0)}
		change(&a)
		err := a.bare()
		switch {
		case want == "" && err != nil:
			t.Errorf("alone: %v", err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), "barebones") || !strings.Contains(err.Error(), "disabled in barebones mode")):
			t.Errorf("%s: got %v", want, err)
		}
		a.Barebones = false
		if err := a.bare(); err != nil {
			t.Errorf("%s without barebones: %v", want, err)
		}
	}
}

// With barebones nothing but the loop is left: no logger, no callback, no logged value.
func TestBarebonesTurnsOff(t *testing.T) {
	tr, err := arguments{Barebones: true, AccumulateGradBatches: 1, MaxSteps: -1}.Build(&lighter.Env{Stage: "fit"})
	if err != nil {
		t.Fatal(err)
	}
	if len(tr.callbacks) > 0 || len(tr.loggers) > 0 || *tr.args.NumSanityValSteps != 0 {
		t.Errorf("%d callbacks, %d loggers, %d steps of sanity check are left", len(tr.callbacks), len(tr.loggers), *tr.args.NumSanityValSteps)
	}
	tr.LogEpoch("x", 1)
	if len(tr.results.records) > 0 {
		t.Error("a value is logged")
	}
}
