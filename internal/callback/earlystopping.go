package callback

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
)

// EarlyStopping are the arguments of Lightning's callback that ends a fit when a metric stops improving.
// https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.EarlyStopping.html
type EarlyStopping struct {
	Monitor              string   `cfg:"monitor,required,aka=metric" help:"the metric to look at, by the name it is logged under"`
	MinDelta             float64  `cfg:"min_delta" help:"a change of this or less is no improvement"`
	Patience             int      `cfg:"patience" help:"checks without improvement after which to stop"`
	Verbose              bool     `cfg:"verbose" help:"report every improvement"`
	Mode                 string   `cfg:"mode" oneof:"min|max" help:"whether less or more is better"`
	Strict               bool     `cfg:"strict" help:"a metric that is not there is an error"`
	CheckFinite          bool     `cfg:"check_finite" help:"stop when the metric is NaN or infinite"`
	StoppingThreshold    *float64 `cfg:"stopping_threshold" help:"stop once the metric is better than this"`
	DivergenceThreshold  *float64 `cfg:"divergence_threshold" help:"stop once the metric is worse than this"`
	CheckOnTrainEpochEnd *bool    `cfg:"check_on_train_epoch_end" help:"check after training epochs, not validations; default: as fits the Trainer"`
	LogRankZeroOnly      bool     `cfg:"log_rank_zero_only,ignored" help:"report from one process only, which is all there is"`
}

func init() {
	lighter.Register[lighter.Callback]("pytorch_lightning.callbacks.EarlyStopping",
		EarlyStopping{Patience: 3, Mode: "min", Strict: true, CheckFinite: true}, aliases("callbacks", "early_stopping", "EarlyStopping")...)
}

// Build makes the callback.
func (a EarlyStopping) Build(env *lighter.Env) (lighter.Callback, error) {
	best := float32(math.Inf(1))
	if a.Mode == "max" {
		best = -best
	}
	return &earlyStopping{args: a, log: env.Log, best: best}, nil
}

// stopReason is why a fit was stopped, numbered as in Lightning's state.
type stopReason int64

const (
	notStopped stopReason = iota
	reachedThreshold
	diverged
	patienceExhausted
	notFinite
)

// earlyStopping compares in float32, as PyTorch does with a logged metric.
type earlyStopping struct {
	args EarlyStopping
	log  zerolog.Logger

	best         float32
	waited       int // checks since the last improvement
	stoppedEpoch int
	reason       stopReason
	message      string // why the fit was stopped; "" before
}

var (
	_ lighter.EpochEnder = (*earlyStopping)(nil)
	_ lighter.Stateful   = (*earlyStopping)(nil)
)

// EpochEnd checks after a training epoch or after a validation.
func (e *earlyStopping) EpochEnd(t lighter.Trainer) error {
	if t.Stage() != "fit" || t.SanityChecking() {
		return nil
	}
	onTrain := t.ValidatesAtEpochEnd()
	if c := e.args.CheckOnTrainEpochEnd; c != nil {
		onTrain = *c
	}
	if onTrain != (t.Mode() == lighter.Train) {
		return nil
	}
	metrics := t.Metrics()
	v, ok := metrics[e.args.Monitor]
	if !ok {
		return e.missing(slices.Sorted(maps.Keys(metrics)))
	}
	stop, message := e.check(float32(v))
	if stop {
		e.stoppedEpoch, e.message = t.Epoch(), message
		t.Stop(message)
	}
	if message != "" && e.args.Verbose {
		e.log.Info().Msg(message)
	}
	return nil
}

func (e *earlyStopping) missing(known []string) error {
	msg := fmt.Sprintf("Early stopping conditioned on metric `%s` which is not available. Pass in or modify your `EarlyStopping` callback "+
		"to use any of the following: `%s`", e.args.Monitor, strings.Join(known, "`, `"))
	if e.args.Strict {
		return errors.New(msg)
	}
	if e.args.Verbose {
		e.log.Warn().Msg(msg)
	}
	return nil
}

// check judges a value: whether to stop, and what to say.
func (e *earlyStopping) check(current float32) (stop bool, message string) {
	a, sign := e.args, "<"
	if a.Mode == "max" {
		sign = ">"
	}
	reached := func(what string, threshold float64) string {
		return fmt.Sprintf("%s threshold reached: %s = %s %s %s. Signaling Trainer to stop.",
			what, a.Monitor, expr.Float(float64(current)), sign, expr.Float(threshold))
	}
	switch {
	case a.CheckFinite && !finite(current):
		e.reason = notFinite
		return true, fmt.Sprintf("Monitored metric %s = %s is not finite. Previous best value was %s. Signaling Trainer to stop.",
			a.Monitor, expr.Float(float64(current)), threeDigits(e.best))
	case a.StoppingThreshold != nil && e.better(current, float32(*a.StoppingThreshold)):
		e.reason = reachedThreshold
		return true, reached("Stopping", *a.StoppingThreshold)
	case a.DivergenceThreshold != nil && e.better(-current, -float32(*a.DivergenceThreshold)):
		e.reason = diverged
		return true, reached("Divergence", *a.DivergenceThreshold)
	case e.better(current-e.margin(), e.best):
		message = fmt.Sprintf("Metric %s improved. New best score: %s", a.Monitor, threeDigits(current))
		if finite(e.best) {
			message = fmt.Sprintf("Metric %s improved by %s >= min_delta = %s. New best score: %s",
				a.Monitor, threeDigits(float32(math.Abs(float64(e.best-current)))), expr.Float(math.Abs(a.MinDelta)), threeDigits(current))
		}
		e.best, e.waited = current, 0
		return false, message
	}
	e.waited++
	if e.waited < a.Patience {
		return false, ""
	}
	e.reason = patienceExhausted
	return true, fmt.Sprintf("Monitored metric %s did not improve in the last %d records. Best score: %s. Signaling Trainer to stop.",
		a.Monitor, e.waited, threeDigits(e.best))
}

func (e *earlyStopping) better(a, b float32) bool {
	if e.args.Mode == "max" {
		return a > b
	}
	return a < b
}

// margin is min_delta with the sign that makes an improvement harder.
func (e *earlyStopping) margin() float32 {
	if e.args.Mode == "max" {
		return float32(e.args.MinDelta)
	}
	return -float32(e.args.MinDelta)
}

func finite(v float32) bool { return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) }

func threeDigits(v float32) string {
	text, err := formatNumber(float64(v), ".3f")
	if err != nil {
		return expr.Float(float64(v))
	}
	return text
}

// StateKey tells this callback from others of its kind in a checkpoint, as Lightning does.
func (e *earlyStopping) StateKey() string {
	return fmt.Sprintf("EarlyStopping{'monitor': %s, 'mode': '%s'}", pythonRepr(e.args.Monitor), e.args.Mode)
}

// StateDict is the state under Lightning's names. The score is a scalar tensor of the innermost scope.
func (e *earlyStopping) StateDict() lighter.Dict {
	best := float64(e.best)
	state := lighter.Dict{
		"wait_count": int64(e.waited), "stopped_epoch": int64(e.stoppedEpoch), "best_score": scoreTensor(&best),
		"patience": int64(e.args.Patience), "stopping_reason": int64(e.reason), "stopping_reason_message": nil,
	}
	if e.message != "" {
		state["stopping_reason_message"] = e.message
	}
	return state
}

// LoadStateDict restores the state of [earlyStopping.StateDict] or of Lightning's callback, with its patience.
func (e *earlyStopping) LoadStateDict(state lighter.Dict) error {
	best, err := loadedScore("EarlyStopping", "best_score", state["best_score"])
	if err != nil {
		return err
	}
	waited, ok1 := state["wait_count"].(int64)
	epoch, ok2 := state["stopped_epoch"].(int64)
	patience, ok3 := state["patience"].(int64)
	if !ok1 || !ok2 || !ok3 || best == nil {
		return errors.New("the state of EarlyStopping lacks wait_count, stopped_epoch, best_score or patience")
	}
	reason, _ := state["stopping_reason"].(int64)
	e.waited, e.stoppedEpoch, e.best, e.reason = int(waited), int(epoch), float32(*best), stopReason(reason)
	e.args.Patience = int(patience)
	e.message, _ = state["stopping_reason_message"].(string)
	return nil
}
