package callback

import (
	"math"
	"strings"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/internal/scheduler"
	"github.com/lighter-go/lighter/tensor"
)

// LearningRateFinder are the arguments of Lightning's callback that looks for a learning rate before the fit (Smith,
// arXiv:1506.01186).
// https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.LearningRateFinder.html
type LearningRateFinder struct {
	MinLR              float64  `cfg:"min_lr" help:"the learning rate to begin with"`
	MaxLR              float64  `cfg:"max_lr" help:"the learning rate to end with"`
	NumTrainingSteps   int      `cfg:"num_training_steps" help:"how many learning rates to try"`
	Mode               string   `cfg:"mode" help:"how they rise: exponential or linear"`
	EarlyStopThreshold *float64 `cfg:"early_stop_threshold" help:"stop when the loss is so many times the best; null for never"`
	UpdateAttr         bool     `cfg:"update_attr" help:"train with the learning rate found"`
	AttrName           string   `cfg:"attr_name" help:"the attribute to set: lr or learning_rate, which are the optimizer's here"`
}

func init() {
	threshold := 4.0
	lighter.Register[lighter.Callback]("pytorch_lightning.callbacks.LearningRateFinder", LearningRateFinder{
		MinLR: 1e-8, MaxLR: 1, NumTrainingSteps: 100, Mode: "exponential", EarlyStopThreshold: &threshold, UpdateAttr: true,
	}, aliases("callbacks", "lr_finder", "LearningRateFinder")...)
}

// Doc is the component's prose.
func (LearningRateFinder) Doc() string {
	return `Trains a few steps with ever higher learning rates before the fit and suggests the one where the loss falls most steeply.
Weights, optimizer and random numbers are then as before: the fit is that of a configuration with this learning rate. A
fit that goes on from a checkpoint keeps its own.`
}

// Validate applies Lightning's rules.
func (a LearningRateFinder) Validate() error {
	switch mode := strings.ToLower(a.Mode); {
	case mode != "linear" && mode != "exponential":
		return lighter.FieldError("mode", "`mode` should be either of ('linear', 'exponential')")
	case a.NumTrainingSteps < 1:
		return lighter.FieldError("num_training_steps", "must be at least 1, got %d", a.NumTrainingSteps)
	case !(a.MinLR > 0):
		return lighter.FieldError("min_lr", "must be positive, got %s", expr.Float(a.MinLR))
	case !(a.MaxLR > a.MinLR):
		return lighter.FieldError("max_lr", "must be greater than min_lr, got %s", expr.Float(a.MaxLR))
	case a.AttrName != "" && a.AttrName != "lr" && a.AttrName != "learning_rate":
		return lighter.FieldError("attr_name", "The attribute name for the learning rate was set to %s, but could not find this as a field in `model` or `model.hparams`: lr and learning_rate are those of the optimizer", a.AttrName)
	}
	return nil
}

// Build makes the callback.
func (a LearningRateFinder) Build(env *lighter.Env) (lighter.Callback, error) {
	return &lrFinder{args: a, log: env.Log}, nil
}

type lrFinder struct {
	args LearningRateFinder
	log  zerolog.Logger
}

var _ lighter.StageStarter = (*lrFinder)(nil)

// StageStart looks for the learning rate, and sets it.
func (f *lrFinder) StageStart(t lighter.Trainer) error {
	if t.Stage() != "fit" {
		return nil
	}
	c, err := controlOf(t)
	switch {
	case err != nil:
		return err
	case c.FastDevRun():
		f.log.Warn().Msg("Skipping learning rate finder since `fast_dev_run` is enabled.")
		return nil
	case t.GlobalStep() > 0:
		f.log.Info().Msg("Skipping learning rate finder since the fit goes on from a checkpoint, with its learning rate.")
		return nil
	}
	if l, ok := t.(lighter.LightningTrainer); ok && len(l.Optimizers()) != 1 {
		return wording("`model.configure_optimizers()` returned %d optimizers, but learning rate finder only works with single optimizer", len(l.Optimizers()))
	}
	optimizer := t.Optimizer()
	rises := &rangeTest{args: f.args, optimizer: optimizer}
	f.log.Info().Msgf("Finding best initial lr in %d steps", f.args.NumTrainingSteps)
	finished, err := c.Rehearse(lighter.Rehearsal{
		Steps: f.args.NumTrainingSteps, Callback: rises,
		Schedule: &lighter.Schedule{Scheduler: rises, Interval: "step", Frequency: 1},
	})
	if err != nil {
		return wording("learning rate finder: %w", err)
	}
	if !finished {
		return nil
	}
	switch {
	case rises.diverged:
		f.log.Info().Msgf("LR finder stopped early after %d steps due to diverging loss.", rises.steps)
	case rises.steps < int64(f.args.NumTrainingSteps):
		f.log.Info().Msgf("LR finder stopped early after %d steps: the fit has no more.", rises.steps)
	}
	lr, ok := rises.suggestion()
	if !ok {
		f.log.Error().Msg("Failed to compute suggestion for learning rate because there are not enough points. Increase the loop iteration limits or the size of your dataset/dataloader.")
		return nil
	}
	if !f.args.UpdateAttr {
		f.log.Info().Msgf("Suggested learning rate: %s", expr.Float(lr))
		return nil
	}
	if err := rebase(optimizer, t.Schedule(), lr); err != nil {
		return wording("learning rate finder: %w", err)
	}
	f.log.Info().Msgf("Learning rate set to %s", expr.Float(lr))
	return nil
}

// rebase makes lr the learning rate that the configuration would have given. Lightning changes the groups' rate only, and a
// scheduler that calculates from its base rates then brings the old one back.
func rebase(o lighter.Optimizer, schedule *lighter.Schedule, lr float64) error {
	for _, g := range o.Groups() {
		initial, ok := g.Option("initial_lr").(float64)
		if !ok {
			g.SetOption("lr", lr)
			continue
		}
		g.SetOption("lr", lr*part(g.LR(), initial))
		g.SetOption("initial_lr", lr)
	}
	if schedule == nil {
		return nil
	}
	state := schedule.Scheduler.StateDict()
	rebaseState(state, lr)
	return schedule.Scheduler.LoadStateDict(state)
}

// part is what a scheduler has left of an initial rate.
func part(now, initial float64) float64 {
	if initial == 0 {
		return 1
	}
	return now / initial
}

func rebaseState(state lighter.Dict, lr float64) {
	base, _ := state["base_lrs"].(lighter.List)
	last, _ := state["_last_lr"].(lighter.List)
	for i := range base {
		if i < len(last) {
			last[i] = lr * part(number(last[i]), number(base[i]))
		}
		base[i] = lr
	}
	inner, _ := state["_schedulers"].(lighter.List)
	for _, item := range inner {
		if d, ok := item.(lighter.Dict); ok {
			rebaseState(d, lr)
		}
	}
}

// rangeTest is the scheduler of the search, and the callback that notes what the loss does.
type rangeTest struct {
	args      LearningRateFinder
	optimizer lighter.Optimizer
	steps     int64 // of the optimizer

	lrs, losses []float64
	smooth      float64 // the moving average of the loss
	best        float64
	diverged    bool
}

var (
	_ lighter.Scheduler    = (*rangeTest)(nil)
	_ lighter.BatchStarter = (*rangeTest)(nil)
	_ lighter.BatchEnder   = (*rangeTest)(nil)
)

func (r *rangeTest) lr() float64 {
	a := r.args
	return scheduler.RangeLR(strings.EqualFold(a.Mode, "linear"), a.MinLR, a.MaxLR, int(r.steps), a.NumTrainingSteps)
}

// Step implements lighter.Scheduler.
func (r *rangeTest) Step(float64) { r.steps++ }

// NeedsMetric implements lighter.Scheduler.
func (r *rangeTest) NeedsMetric() bool { return false }

// StateDict implements lighter.Scheduler; nothing is saved in a search.
func (r *rangeTest) StateDict() lighter.Dict { return nil }

// LoadStateDict implements lighter.Scheduler.
func (r *rangeTest) LoadStateDict(lighter.Dict) error { return nil }

// ends says whether a batch is the last of a full window: others are not looked at, as in Lightning.
func (r *rangeTest) ends(t lighter.Trainer, idx int) bool {
	c, err := controlOf(t)
	return err == nil && t.Mode() == lighter.Train && (idx+1)%c.AccumulateGradBatches() == 0
}

// BatchStart sets the learning rate, and notes it.
func (r *rangeTest) BatchStart(t lighter.Trainer, _ lighter.Value, idx int) error {
	if t.Mode() == lighter.Train {
		for _, g := range r.optimizer.Groups() {
			g.SetOption("lr", r.lr())
		}
	}
	if r.ends(t, idx) {
		r.lrs = append(r.lrs, r.lr())
	}
	return nil
}

// BatchEnd notes the loss, smoothed, and stops when it diverges. The host waits for the device.
func (r *rangeTest) BatchEnd(t lighter.Trainer, out lighter.Output, idx int) error {
	if !r.ends(t, idx) {
		return nil
	}
	c, err := controlOf(t)
	if err != nil {
		return err
	}
	var loss tensor.Tensor
	switch l := out["loss"].(type) {
	case tensor.Tensor:
		loss = l
	case lighter.Dict:
		loss, _ = l["total"].(tensor.Tensor)
	}
	if !loss.Defined() {
		r.losses = append(r.losses, math.NaN())
		return nil
	}
	const beta = 0.98
	s := tensor.Open()
	value := loss.Detach().DivScalar(float64(c.AccumulateGradBatches())).Item()
	s.Close()
	step := t.GlobalStep()
	r.smooth = float64(beta*r.smooth) + float64((1-beta)*value)
	smoothed := r.smooth / (1 - math.Pow(beta, float64(step+1)))
	if limit := r.args.EarlyStopThreshold; limit != nil && step > 1 && smoothed > *limit*r.best {
		r.diverged = true
		t.Stop("the loss diverges")
	}
	if smoothed < r.best || step == 1 {
		r.best = smoothed
	}
	r.losses = append(r.losses, smoothed)
	return nil
}

// suggestion is the learning rate where the loss falls most steeply; the first ten and the last are left out, and what is not
// finite.
func (r *rangeTest) suggestion() (lr float64, ok bool) {
	const begin, end = 10, 1
	var at []int
	var losses, lrs []float32
	for i := begin; i < len(r.losses)-end; i++ {
		if loss := float32(r.losses[i]); !math.IsNaN(float64(loss)) && !math.IsInf(float64(loss), 0) {
			at, losses, lrs = append(at, i), append(losses, loss), append(lrs, float32(r.lrs[i]))
		}
	}
	n := int64(len(at))
	if n < 2 {
		return 0, false
	}
	s := tensor.Open()
	defer s.Close()
	gradients := tensor.Call("gradient", tensor.FromSlice(losses, n), tensor.Kwarg{Name: "spacing", Value: []tensor.Tensor{tensor.FromSlice(lrs, n)}})
	steepest := tensor.CallOne("argmin", tensorsIn(gradients[0])[0])
	return r.lrs[at[steepest.Int()]], true
}
