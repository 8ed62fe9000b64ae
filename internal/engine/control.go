package engine

import (
	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// What a callback may change of a fit: lighter.FitControl.

// AccumulateGradBatches is how many batches make one optimizer step.
func (t *Trainer) AccumulateGradBatches() int { return t.args.AccumulateGradBatches }

// SetAccumulateGradBatches changes it.
func (t *Trainer) SetAccumulateGradBatches(n int) { t.args.AccumulateGradBatches = n }

// SetMaxEpochs changes the last epoch's number plus one.
func (t *Trainer) SetMaxEpochs(n int) { t.args.MaxEpochs = &n }

// SetSchedule replaces what changes the learning rates.
func (t *Trainer) SetSchedule(s *lighter.Schedule) { t.schedules = []*lighter.Schedule{s} }

// SetForwardOnly lets training batches run forward only.
func (t *Trainer) SetForwardOnly(on bool) { t.forwardOnly = on }

// FastDevRun says that a few batches are run and nothing is written.
func (t *Trainer) FastDevRun() bool { return t.args.FastDevRun > 0 }

// HasLogger says that something writes what is logged.
func (t *Trainer) HasLogger() bool { return len(t.loggers) > 0 }

// LogEveryNSteps is how many optimizer steps lie between two rows of training.
func (t *Trainer) LogEveryNSteps() int { return orElse(t.args.LogEveryNSteps, 50) }

// LogRow writes a row of a callback's at once.
func (t *Trainer) LogRow(row []lighter.Scalar, step int64, withEpoch bool) error {
	t.results.makeMaps()
	for _, s := range row {
		t.results.keep(s.Name, t.results.rounded(s.Value))
	}
	return t.write(row, step, withEpoch)
}

// Stepped is the step of the training row under way.
func (t *Trainer) Stepped() int64 { return t.state.Stepped }

// BatchSize is the number of samples of the current batch.
func (t *Trainer) BatchSize() int { return t.loops[t.mode].size }

// Device is where the model is.
func (t *Trainer) Device() tensor.Device { return t.device }

// CheckpointDir is where the run's checkpoints go; "" when it saves none.
func (t *Trainer) CheckpointDir() string {
	if !has[lighter.Checkpointer](t.callbacks) {
		return ""
	}
	return t.checkpointDir()
}

// Rehearse trains with a schedule and a callback of the caller's, and takes everything back. Validations have as many batches as
// the rehearsal has steps, as in Lightning; their draws of random numbers are part of its results.
func (t *Trainer) Rehearse(r lighter.Rehearsal) (finished bool, err error) {
	s := tensor.Open()
	defer s.Close()
	before := t.remember()
	saved := *t
	defer func() { *t = saved }()
	epochs, none := t.MaxEpochs(), 0
	a := &t.args
	a.MaxSteps, a.MaxEpochs, a.NumSanityValSteps = int(t.state.GlobalStep)+r.Steps, &epochs, &none
	if t.loops[lighter.Val].all() != 0 {
		a.LimitValBatches = limit{set: true, count: r.Steps}
		if err := t.openLoader(lighter.Val); err != nil {
			return false, err
		}
	}
	t.callbacks, t.loggers, t.schedules, t.log = []lighter.Callback{r.Callback}, nil, []*lighter.Schedule{r.Schedule}, zerolog.Nop()
	t.bindHooks()
	t.results, t.at, t.resume, t.rehearsing = resultsOf(saved.results.dtype), position{}, nil, true
	t.logged = nil
	if t.scaler != nil {
		t.scaler = newScaler(t.device)
		defer t.scaler.free()
	}
	err = t.fit()
	t.results.close()
	t.logged.close()
	t.at.free()
	if back := t.recall(before); back != nil {
		return false, back
	}
	if t.interrupted(err) {
		return false, nil // the fit itself sees it, and saves its place
	}
	return err == nil, err
}

// memory is what training changes beside the Trainer's own state.
type memory struct {
	tensors    []tensor.Tensor
	optimizers []lighter.OptimizerState
	epoch      lighter.Dict // of the model
	loaders    map[lighter.LoaderState]lighter.Dict
	rng        generators
}

// remember copies it into the innermost scope.
func (t *Trainer) remember() memory {
	m := memory{rng: t.generators(), loaders: map[lighter.LoaderState]lighter.Dict{}}
	m.rng.cpu.Adopt()
	if m.rng.device.Defined() {
		m.rng.device.Adopt()
	}
	tensor.NoGrad(func() {
		for _, x := range t.model.Tree().Tensors() {
			m.tensors = append(m.tensors, x.Clone())
		}
		for _, o := range t.optimizers {
			all, state := o.o.StateDict(), map[int][]lighter.NamedValue{}
			for i, values := range all.State {
				for _, v := range values {
					state[i] = append(state[i], lighter.NamedValue{Name: v.Name, Value: copied(v.Value)})
				}
			}
			all.State = state
			m.optimizers = append(m.optimizers, all)
		}
		if e, ok := t.model.(lighter.EpochState); ok {
			m.epoch, _ = copied(e.EpochState()).(lighter.Dict)
		}
		for _, mode := range []lighter.Mode{lighter.Train, lighter.Val} {
			for _, loader := range t.loops[mode].loaders {
				if l, ok := loader.(lighter.LoaderState); ok {
					if state := l.StateDict(false); state != nil {
						m.loaders[l] = copied(state).(lighter.Dict)
					}
				}
			}
		}
	})
	return m
}

// copied is a value with copies of its tensors, kept one with handles of them that no scope owns; adopt gives these to the
// innermost scope.
func copied(v lighter.Value) lighter.Value { return lighter.MapTensors(v, tensor.Tensor.Clone) }
func kept(v lighter.Value) lighter.Value   { return lighter.MapTensors(v, tensor.Tensor.Keep) }
func adopt(v lighter.Value) lighter.Value  { return lighter.MapTensors(v, tensor.Tensor.Adopt) }

// recall is the other way.
func (t *Trainer) recall(m memory) error {
	tensor.NoGrad(func() {
		for i, x := range t.model.Tree().Tensors() {
			x.CopyInPlace(m.tensors[i])
		}
	})
	for _, o := range t.optimizers {
		o.ZeroGrad()
	}
	t.drawFrom(m.rng)
	for l, state := range m.loaders {
		if err := l.LoadStateDict(state); err != nil {
			return err
		}
	}
	if e, ok := t.model.(lighter.EpochState); ok {
		if err := e.LoadEpochState(m.epoch); err != nil {
			return err
		}
	}
	for i, o := range t.optimizers {
		if err := o.o.LoadStateDict(m.optimizers[i]); err != nil {
			return err
		}
	}
	return nil
}

var _ lighter.FitControl = (*Trainer)(nil)
