package callback

import (
	"errors"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// WeightAveraging are the arguments of Lightning's callback that averages the weights after every step.
// https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.WeightAveraging.html
type WeightAveraging struct {
	Device     AverageDevice `cfg:"device" help:"where the average is kept; null for the model's device"`
	UseBuffers bool          `cfg:"use_buffers" help:"average the buffers too, such as the statistics of batch normalization"`
	AvgFn      AvgFn         `cfg:"avg_fn" help:"how the average is formed; null lets all weights count the same"`
	MultiAvgFn AvgFn         `cfg:"multi_avg_fn" help:"the same, for all weights at once"`
}

// EMAWeightAveraging are the arguments of Lightning's callback that keeps an exponential moving average of the weights.
// https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.EMAWeightAveraging.html
type EMAWeightAveraging struct {
	Device                AverageDevice `cfg:"device" help:"where the average is kept; null for the model's device"`
	UseBuffers            bool          `cfg:"use_buffers" help:"average the buffers too, such as the statistics of batch normalization"`
	Decay                 float64       `cfg:"decay,aka=ema_decay" help:"the part of the average that stays, from 0 to 1"`
	UpdateEveryNSteps     int           `cfg:"update_every_n_steps" help:"optimizer steps from one update to the next; 0 for none by steps"`
	UpdateStartingAtStep  *int64        `cfg:"update_starting_at_step" help:"the first step that may update it, counted from 0"`
	UpdateStartingAtEpoch *int          `cfg:"update_starting_at_epoch" help:"the first epoch that updates it at its end too, counted from 0; null for none"`
}

func init() {
	lighter.Register[lighter.Callback]("pytorch_lightning.callbacks.WeightAveraging", WeightAveraging{UseBuffers: true},
		aliases("callbacks", "weight_averaging", "WeightAveraging")...)
	lighter.Register[lighter.Callback]("pytorch_lightning.callbacks.EMAWeightAveraging",
		EMAWeightAveraging{UseBuffers: true, Decay: 0.999, UpdateEveryNSteps: 1}, aliases("callbacks", "weight_averaging", "EMAWeightAveraging")...)
}

const averagingDoc = `Validation uses the average, and so does the model once the fit is done. A checkpoint's state_dict is the average;
the weights in training are in current_model_state, from which a fit goes on.`

// Doc is the component's prose.
func (WeightAveraging) Doc() string { return averagingDoc }

// Doc is the component's prose.
func (EMAWeightAveraging) Doc() string { return averagingDoc }

// Validate refuses two functions.
func (a WeightAveraging) Validate() error {
	if a.AvgFn.Averaging != nil && a.MultiAvgFn.Averaging != nil {
		return lighter.FieldError("multi_avg_fn", "Only one of avg_fn and multi_avg_fn should be provided")
	}
	return nil
}

// Validate checks the decay.
func (a EMAWeightAveraging) Validate() error { return checkDecay(a.Decay) }

// Build makes the callback.
func (a WeightAveraging) Build(*lighter.Env) (lighter.Callback, error) {
	return &weightAveraging{
		name: "WeightAveraging", device: a.Device, buffers: a.UseBuffers, f: a.MultiAvgFn.or(a.AvgFn.or(mean{})), latestEpoch: -1,
		afterStep: func(int64) bool { return true }, afterEpoch: func(int) bool { return false },
	}, nil
}

// Build makes the callback.
func (a EMAWeightAveraging) Build(*lighter.Env) (lighter.Callback, error) {
	return &weightAveraging{
		name: "EMAWeightAveraging", device: a.Device, buffers: a.UseBuffers, f: ema{a.Decay}, latestEpoch: -1,
		afterStep: func(step int64) bool {
			begun := a.UpdateStartingAtStep == nil || step >= *a.UpdateStartingAtStep
			return begun && a.UpdateEveryNSteps > 0 && step%int64(a.UpdateEveryNSteps) == 0
		},
		afterEpoch: func(epoch int) bool { return a.UpdateStartingAtEpoch != nil && epoch >= *a.UpdateStartingAtEpoch },
	}, nil
}

type weightAveraging struct {
	name    string
	device  AverageDevice
	buffers bool
	f       Averaging
	// afterStep and afterEpoch say whether to update after an optimizer step or an epoch, both counted from 0.
	afterStep  func(step int64) bool
	afterEpoch func(epoch int) bool

	average     *average // nil outside a fit
	latestStep  int64    // the number of steps at the last update
	latestEpoch int
	swapped     bool // the model has the average, the average the weights in training
}

var (
	_ lighter.Setupper     = (*weightAveraging)(nil)
	_ lighter.BatchEnder   = (*weightAveraging)(nil)
	_ lighter.EpochStarter = (*weightAveraging)(nil)
	_ lighter.EpochEnder   = (*weightAveraging)(nil)
	_ lighter.StageEnder   = (*weightAveraging)(nil)
	_ lighter.Stateful     = (*weightAveraging)(nil)
	_ lighter.Averager     = (*weightAveraging)(nil)
)

// Setup copies the model.
func (w *weightAveraging) Setup(t lighter.Trainer) error {
	if t.Stage() != "fit" {
		return nil
	}
	c, err := controlOf(t)
	if err != nil {
		return err
	}
	device, err := w.device.of(c.Device())
	if err != nil {
		return wording("%s: %w", w.name, err)
	}
	w.average = averageOf(t.Model().Tree(), device)
	return nil
}

// BatchEnd updates the average after an optimizer step.
func (w *weightAveraging) BatchEnd(t lighter.Trainer, _ lighter.Output, _ int) error {
	if n := t.GlobalStep(); w.average != nil && t.Mode() == lighter.Train && n > w.latestStep && w.afterStep(n-1) {
		w.update()
		w.latestStep = n
	}
	return nil
}

// update takes the weights in; buffers that are not averaged are those of the model.
func (w *weightAveraging) update() {
	if w.buffers {
		w.average.update(w.f, w.average.all())
		return
	}
	w.average.update(w.f, w.average.params)
	w.average.follow(w.average.buffers)
}

// EpochStart gives a validation the average.
func (w *weightAveraging) EpochStart(t lighter.Trainer) error {
	if w.average != nil && t.Mode() == lighter.Val {
		w.average.swap(w.average.all())
		w.swapped = true
	}
	return nil
}

// EpochEnd takes it back, or updates the average after an epoch.
func (w *weightAveraging) EpochEnd(t lighter.Trainer) error {
	switch m := t.Mode(); {
	case w.average == nil:
	case m == lighter.Val:
		w.average.swap(w.average.all())
		w.swapped = false
	case m == lighter.Train && t.Epoch() > w.latestEpoch && w.afterEpoch(t.Epoch()):
		w.update()
		w.latestEpoch = t.Epoch()
	}
	return nil
}

// StageEnd leaves the average in the model.
func (w *weightAveraging) StageEnd(lighter.Trainer) error {
	if w.average != nil {
		w.average.transfer(w.average.all())
	}
	return nil
}

// StateKey is Lightning's.
func (w *weightAveraging) StateKey() string { return w.name }

// StateDict is the state under Lightning's names.
func (w *weightAveraging) StateDict() lighter.Dict {
	return lighter.Dict{"latest_update_step": w.latestStep}
}

// LoadStateDict is the other way.
func (w *weightAveraging) LoadStateDict(state lighter.Dict) error {
	w.latestStep, _ = state["latest_update_step"].(int64)
	return nil
}

// AverageState implements lighter.Averager.
func (w *weightAveraging) AverageState() (average, current, state []lighter.Named) {
	if w.average == nil {
		return nil, nil, nil
	}
	average, current = w.average.state(), w.average.model.State()
	if w.swapped {
		average, current = current, average
	}
	return average, current, []lighter.Named{{Name: "n_averaged", Value: tensor.FromSlice([]int64{w.average.n}), Buffer: true}}
}

// LoadAverageState implements lighter.Averager.
func (w *weightAveraging) LoadAverageState(average, current, state map[string]tensor.Tensor) error {
	if w.average == nil {
		return nil
	}
	if err := w.average.load(average); err != nil || current == nil {
		return err
	}
	n, ok := state["n_averaged"]
	if !ok || n.Numel() != 1 {
		return errors.New("averaging_state holds no n_averaged")
	}
	w.average.n = n.Int()
	return w.average.model.LoadState(current, true)
}
