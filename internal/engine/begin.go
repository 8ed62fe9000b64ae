package engine

import (
	"fmt"
	"math"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/lightning"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// What a stage with hooks of the user's does before its loop, in Lightning's order: prepare_data, setup, configure_model, the
// weights of a checkpoint, configure_optimizers, on_fit_start, the loaders, the rest of the checkpoint. Where the model is
// lighter.LighterModule and the loaders are the configuration's, optimizers and loaders are known beforehand.

// verify says what a stage lacks, in Lightning's words.
func (t *Trainer) verify(m lighter.Mode) error {
	if t.stepper != nil {
		if err := t.stepper.Has(m); err != nil || m != lighter.Train {
			return err
		}
		return t.checkManual()
	}
	const minimum = "Lightning `Trainer` expects as minimum a `training_step()`, `train_dataloader()` and `configure_optimizers()` to be defined."
	step := pointNames[stepPoints[m]]
	switch has := t.hooks.has(stepPoints[m]); {
	case m == lighter.Predict || has && m != lighter.Train:
		return nil
	case !has && m == lighter.Train:
		return lightning.Wording("No `training_step()` method defined. " + minimum)
	case !has:
		return lightning.Wording("No `%s()` method defined to run `Trainer.%s`.", step, t.stage)
	case !t.hooks.has(configureOptimizers):
		return lightning.Wording("No `configure_optimizers()` method defined. " + minimum)
	}
	if err := t.checkManual(); err != nil {
		return err
	}
	loader, hasStep := t.late && t.hooks.has(valDataloader) || !t.late && len(t.data.Loaders(lighter.Val)) > 0, t.hooks.has(validationStep)
	if loader && !hasStep {
		t.log.Warn().Msg("You passed in a `val_dataloader` but have no `validation_step`. Skipping val loop.")
	}
	if hasStep && !loader {
		t.log.Warn().Msg("You defined a `validation_step` but have no `val_dataloader`. Skipping val loop.")
	}
	return nil
}

// validatable says whether a fit's model can validate.
func (t *Trainer) validatable() bool { return t.stepper != nil || t.hooks.has(validationStep) }

// modelCallbacks adds the callbacks that the model configures; they replace those of their type.
func (t *Trainer) modelCallbacks() error {
	v, ok, err := t.callLast(configureCallbacks)
	if err != nil || !ok || v == nil {
		return err
	}
	list, ok := v.(lighter.List)
	if !ok {
		list = lighter.List{v}
	}
	added := map[string]bool{}
	for _, c := range list {
		added[t.class(c)] = true
	}
	var all []lighter.Callback
	for _, c := range t.callbacks {
		if !added[t.class(c)] {
			all = append(all, c)
		} else {
			t.log.Warn().Msgf("The following callbacks returned in `LightningModule.configure_callbacks` will override existing callbacks passed to Trainer: %s", t.class(c))
		}
	}
	for _, c := range list {
		all = append(all, c)
	}
	t.callbacks = all
	t.checkpointsLast()
	t.bindHooks()
	return nil
}

// setUp lets the data module, the callbacks and the model set up.
func (t *Trainer) setUp() error {
	for _, p := range []point{prepareData, setup, configureModel} {
		if err := t.call(p); err != nil {
			return err
		}
	}
	if t.hooks.has(setup) || t.hooks.has(configureModel) { // which may have made layers
		t.moveModel()
	}
	return nil
}

// begin makes what comes after the weights of a checkpoint and before the rest of it. A checkpoint within an epoch needs to know
// the loaders.
func (t *Trainer) begin(within bool) error {
	if t.stage == "fit" {
		if t.stepper == nil {
			if err := t.configureOptimizers(); err != nil {
				return err
			}
			t.moveOptimizers()
		}
		if err := t.call(onFitStart); err != nil {
			return err
		}
		if t.goesOn && within {
			return t.openTraining()
		}
	}
	return nil
}

// configureOptimizers takes the optimizers and schedulers of a fit from the model.
func (t *Trainer) configureOptimizers() error {
	v, _, err := t.callLast(configureOptimizers)
	if err != nil {
		return err
	}
	optimizers, schedules, err := lightning.Optimizers(v, t.model.AutomaticOptimization(), func(s string) { t.log.Warn().Msg(s) })
	if err != nil {
		return &Error{Code: ExitUsage, Err: err}
	}
	t.optimizers, t.schedules = nil, schedules
	for _, o := range optimizers {
		if _, again := o.(lighter.ClosureOptimizer); again && t.scaler != nil {
			return &Error{Code: ExitUsage, Err: lightning.Wording("AMP and the %s optimizer are not compatible. Use trainer::precision=bf16-mixed or 32-true", o.Name())}
		}
		t.optimizers = append(t.optimizers, &wrapped{t, o})
	}
	return nil
}

// openTraining takes the loaders of a fit from hooks: Lightning asks for them when it needs them.
func (t *Trainer) openTraining() error {
	if !t.late {
		return nil
	}
	if err := t.openTrainLoader(); err != nil {
		return err
	}
	if val := &t.loops[lighter.Val]; t.checksEpoch() && !val.open {
		if err := t.openValidation(); err != nil {
			return err
		}
	}
	if err := t.checkValInterval(); err != nil {
		return &Error{Code: ExitUsage, Err: err}
	}
	return nil
}

// openTrainLoader takes the training loader from a hook, again when reload_dataloaders_every_n_epochs asks for it.
func (t *Trainer) openTrainLoader() error {
	if l := &t.loops[lighter.Train]; !t.late || l.open && !t.stale(l) {
		return nil
	}
	if err := t.needLoader(lighter.Train); err != nil || t.loaderState == nil {
		return err
	}
	s := tensor.Open()
	defer s.Close()
	state := t.loaderState
	t.loaderState = nil
	adopt(state)
	return t.restoreLoader(state)
}

// EstimatedSteppingBatches implements lighter.LightningTrainer.
func (t *Trainer) EstimatedSteppingBatches() (float64, error) {
	epochs, steps := t.MaxEpochs(), t.args.MaxSteps
	if epochs == -1 {
		if steps == -1 {
			return math.Inf(1), nil
		}
		return float64(steps), nil
	}
	if err := t.openTrainLoader(); err != nil {
		return 0, err
	}
	n, k := t.loops[lighter.Train].all(), t.args.AccumulateGradBatches
	if n < 0 {
		return float64(steps), nil
	}
	most := (n + k - 1) / k * max(epochs, 1)
	if steps != -1 {
		most = min(most, steps)
	}
	return float64(most), nil
}

// openValidation takes the loaders of a fit's validation from hooks, again when reload_dataloaders_every_n_epochs asks for it.
func (t *Trainer) openValidation() error {
	l := &t.loops[lighter.Val]
	if !t.late || l.open && !t.stale(l) || !t.validatable() || !t.hooks.has(valDataloader) || t.args.LimitValBatches.zero() {
		return nil
	}
	if err := t.openLoader(lighter.Val); err != nil {
		return &Error{Code: ExitUsage, Err: err}
	}
	return nil
}

// hasValidation says whether a fit validates, as far as is known before the loaders are there.
func (t *Trainer) hasValidation() bool {
	if l := &t.loops[lighter.Val]; !t.late || l.open {
		return l.all() != 0
	}
	return t.validatable() && t.hooks.has(valDataloader) && !t.args.LimitValBatches.zero()
}

// stale says that the loaders are to be made again for this epoch.
func (t *Trainer) stale(l *loop) bool { return t.staleIn(l, t.state.Epoch) }

func (t *Trainer) staleIn(l *loop, epoch int) bool {
	n := t.args.ReloadDataloadersEveryNEpochs
	return t.late && n > 0 && epoch-l.opened >= n
}

// needLoader takes the loaders of a mode, which must have one.
func (t *Trainer) needLoader(m lighter.Mode) error {
	if err := t.openLoader(m); err != nil {
		return &Error{Code: ExitUsage, Err: err}
	}
	if len(t.loops[m].loaders) == 0 {
		hint := fmt.Sprintf("add data::%s_dataloader", m)
		if t.late {
			hint = fmt.Sprintf("the data module, or a model without one, must define `%s_dataloader()`", m)
		}
		return &Error{Code: ExitUsage, Err: lightning.Wording("`%s_dataloader` must be implemented to be used with the Lightning Trainer: %s", m, hint)}
	}
	return nil
}

// loadersOf are a mode's loaders.
func (t *Trainer) loadersOf(m lighter.Mode) ([]lighter.Loader, error) {
	if !t.late {
		if m == lighter.Val && !t.validatable() {
			return nil, nil
		}
		return t.data.Loaders(m), nil
	}
	v, _, err := t.callLast(loaderPoints[m])
	if err != nil || v == nil {
		return nil, err
	}
	list, ok := v.(lighter.List)
	if !ok {
		list = lighter.List{v}
	}
	loaders := make([]lighter.Loader, len(list))
	for i, item := range list {
		if loaders[i], ok = item.(lighter.Loader); !ok {
			return nil, lightning.Wording("An invalid dataloader was returned from `%s.%s()`. Found %s", t.sourceName(), pointNames[loaderPoints[m]], lighter.TypeName(item))
		}
	}
	if m == lighter.Train && len(loaders) > 1 {
		return t.combine(list)
	}
	return loaders, nil
}

func (t *Trainer) sourceName() string {
	if t.data != nil {
		return t.class(t.data)
	}
	return t.model.Tree().Class()
}

// combiner makes one training loader of several.
func combiner(env *lighter.Env) func(lighter.List) ([]lighter.Loader, error) {
	return func(list lighter.List) ([]lighter.Loader, error) {
		d, err := registry.New[lighter.DataModule]("lighter.LighterDataModule", env, map[string]any{"train_dataloader": list})
		if err != nil {
			return nil, err
		}
		return d.Loaders(lighter.Train), nil
	}
}

// checksEpoch says whether the epoch is one that validates.
func (t *Trainer) checksEpoch() bool {
	every := t.args.CheckValEveryNEpoch
	return every == nil || (t.state.Epoch+1)%*every == 0
}

// DataModule implements lighter.LightningTrainer.
func (t *Trainer) DataModule() lighter.DataModule { return t.data }

// Callbacks implements lighter.LightningTrainer.
func (t *Trainer) Callbacks() []lighter.Callback { return t.callbacks }

// Loggers implements lighter.LightningTrainer.
func (t *Trainer) Loggers() []lighter.Logger { return t.loggers }

// ShouldStop implements lighter.LightningTrainer.
func (t *Trainer) ShouldStop() bool { return t.stopping != "" }

// IsLastBatch implements lighter.LightningTrainer.
func (t *Trainer) IsLastBatch() bool {
	l := &t.loops[t.mode]
	return len(l.batches) > 0 && l.isLast(l.batch) && l.loader == len(l.loaders)-1
}
