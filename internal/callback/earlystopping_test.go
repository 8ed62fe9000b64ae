package callback

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/callback/callbacktest"
	"github.com/lighter-go/lighter/tensor"
)

// After every value the state, the reports and whether the fit stops are those of Lightning's EarlyStopping, also when the state
// went through a checkpoint before.
func TestEarlyStoppingAsLightning(t *testing.T) {
	for _, c := range golden[[]struct {
		Name     string
		Args     map[string]any
		StateKey string `json:"state_key"`
		Steps    []struct {
			Value goldenFloat
			Stop  bool
			State struct {
				Wait     int64       `json:"wait_count"`
				Epoch    int64       `json:"stopped_epoch"`
				Best     goldenFloat `json:"best_score"`
				Patience int64
				Reason   int64   `json:"stopping_reason"`
				Message  *string `json:"stopping_reason_message"`
			}
			Log []string
		}
	}](t, "early_stopping.json") {
		t.Run(c.Name, func(t *testing.T) {
			s := tensor.Open()
			defer s.Close()
			c.Args["monitor"] = "val/loss"
			built, log := configured(t, "pytorch_lightning.callbacks.EarlyStopping", c.Args)
			e := built.(*earlyStopping)
			if e.StateKey() != c.StateKey {
				t.Errorf("state key %s, want %s", e.StateKey(), c.StateKey)
			}
			for i, step := range c.Steps {
				tr := &callbacktest.Trainer{AtEpoch: i, Logged: map[string]float64{"val/loss": float64(step.Value)}}
				from := len(log.String())
				must(t, e.EpochEnd(tr))
				if stopped := tr.Stopped != ""; stopped != step.Stop || stopped && tr.Stopped != *step.State.Message {
					t.Fatalf("value %d: stopped by %q, want %v", i, tr.Stopped, step.Stop)
				}
				state := e.StateDict()
				want := lighter.Dict{"wait_count": step.State.Wait, "stopped_epoch": step.State.Epoch, "patience": step.State.Patience,
					"stopping_reason": step.State.Reason, "stopping_reason_message": nil}
				if step.State.Message != nil {
					want["stopping_reason_message"] = *step.State.Message
				}
				for name, v := range want {
					if state[name] != v {
						t.Errorf("value %d: %s is %v, want %v", i, name, state[name], v)
					}
				}
				if best := state["best_score"].(tensor.Tensor).Item(); best != float64(step.State.Best) {
					t.Errorf("value %d: best_score is %v, want %v", i, best, step.State.Best)
				}
				if got := reports(t, log, from); !slices.Equal(got, step.Log) {
					t.Errorf("value %d: reported %q, want %q", i, got, step.Log)
				}
				built, log = configured(t, "pytorch_lightning.callbacks.EarlyStopping", c.Args)
				e = built.(*earlyStopping)
				must(t, e.LoadStateDict(state))
			}
		})
	}
}

func TestEarlyStoppingLooksWhenAsked(t *testing.T) {
	for _, c := range []struct {
		name  string
		tr    callbacktest.Trainer
		asked *bool
		looks bool
	}{
		{"a validation each epoch: at the training epoch's end", callbacktest.Trainer{InMode: lighter.Train}, nil, true},
		{"and not after the validation", callbacktest.Trainer{InMode: lighter.Val}, nil, false},
		{"validations within the epoch: after each", callbacktest.Trainer{InMode: lighter.Val, MidEpoch: true}, nil, true},
		{"and not at the training epoch's end", callbacktest.Trainer{InMode: lighter.Train, MidEpoch: true}, nil, false},
		{"as asked", callbacktest.Trainer{InMode: lighter.Train, MidEpoch: true}, new(true), true},
		{"as asked, after the validation", callbacktest.Trainer{InMode: lighter.Val}, new(false), true},
		{"never in the sanity check", callbacktest.Trainer{InMode: lighter.Val, MidEpoch: true, Sanity: true}, nil, false},
		{"never outside a fit", callbacktest.Trainer{InMode: lighter.Val, MidEpoch: true, Command: "validate"}, nil, false},
	} {
		built, _ := build(t, EarlyStopping{Monitor: "v", Patience: 1, Mode: "min", CheckOnTrainEpochEnd: c.asked})
		tr := &c.tr
		tr.Logged = map[string]float64{"v": math.NaN()}
		must(t, built.(*earlyStopping).EpochEnd(tr))
		if looked := tr.Stopped != ""; looked != c.looks {
			t.Errorf("%s: looked %v, want %v", c.name, looked, c.looks)
		}
	}
}

func TestEarlyStoppingMonitorNobodyLogs(t *testing.T) {
	want := "Early stopping conditioned on metric `x` which is not available. Pass in or modify your `EarlyStopping` callback to use any of the following: `acc`, `val/loss`"
	for _, strict := range []bool{true, false} {
		built, log := build(t, EarlyStopping{Monitor: "x", Mode: "min", Strict: strict, Verbose: true})
		err := built.(*earlyStopping).EpochEnd(&callbacktest.Trainer{Logged: map[string]float64{"val/loss": 1, "acc": 1}})
		if strict && (err == nil || err.Error() != want) || !strict && (err != nil || !strings.Contains(log.String(), want)) {
			t.Errorf("strict %v: got %v, log %q", strict, err, log)
		}
	}
}

func TestEarlyStoppingRefusesADamagedState(t *testing.T) {
	built, _ := build(t, EarlyStopping{Monitor: "x", Mode: "min"})
	for _, state := range []lighter.Dict{{}, {"wait_count": int64(1)}, {"best_score": "high"}} {
		if err := built.(*earlyStopping).LoadStateDict(state); err == nil {
			t.Errorf("%v was accepted", state)
		}
	}
}
