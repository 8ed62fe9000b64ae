package engine

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/tensor"
)

// phase says what a fit was doing when a checkpoint was saved, and so what is left to do when it goes on from there.
type phase string

const (
	phaseStart      phase = "start"      // an epoch is about to begin
	phaseBatch      phase = "batch"      // a batch is done; a validation may follow
	phaseValidating phase = "validating" // in that validation
	phaseValidated  phase = "validated"  // it is done
	phaseBetween    phase = "between"    // all that follows a batch is done
	phaseEpoch      phase = "epoch"      // the epoch's end, after its metrics
)

// position is where a fit stands. The order of samples follows from the generator's state when the epoch began, everything
// after from its state now.
type position struct {
	phase    phase
	batch    int           // batches of the epoch that are done
	epochRNG tensor.Tensor // kept
	rng      generators    // before the validation while one is under way
}

func (p *position) free() {
	p.epochRNG.Free()
	p.rng.free()
	p.epochRNG = tensor.Tensor{}
}

func (t *Trainer) enterPhase(p phase) {
	t.at.phase = p
	if p == phaseBatch {
		t.progress.batches = int64(t.loops[lighter.Train].batch) + 1
	}
}

// beginEpoch notes the generator's state and begins the loader's epoch, at the batch where a resumed one goes on.
func (t *Trainer) beginEpoch() (it lighter.Iterator, from int, err error) {
	resume := t.resume
	t.resume = nil
	if resume != nil {
		from = resume.batch
		tensor.SetRNGState(tensor.Device{}, resume.epochRNG)
		defer resume.free()
	}
	s := tensor.Open()
	t.at.epochRNG.Free()
	t.at.epochRNG = tensor.RNGState(tensor.Device{}).Keep()
	s.Close()
	if it, err = t.trainLoader().Iter(from); err != nil {
		return nil, 0, &Error{Code: ExitData, Err: err}
	}
	if resume == nil {
		t.progress.epoch(t.loops[lighter.Val].total)
		t.enterPhase(phaseBetween)
		return it, 0, t.dispatchEpochStart()
	}
	t.drawFrom(resume.rng)
	t.at.phase, t.progress.batches = resume.phase, int64(from)
	return it, from, nil
}

// positionState is what a checkpoint holds of the position, and of what the epoch has gathered so far.
func (t *Trainer) positionState() *torchfile.Dict {
	p, batch, epochRNG := t.at.phase, t.loops[lighter.Train].batch, t.at.epochRNG
	rng := t.generators()
	rng.cpu.Adopt()
	if rng.device.Defined() {
		rng.device.Adopt()
	}
	switch {
	case t.resume != nil: // it has not gone on yet
		p, batch, rng, epochRNG = t.resume.phase, t.resume.batch, t.resume.rng, t.resume.epochRNG
	case p == phaseValidating: // it begins anew
		p, rng, batch = phaseBatch, t.at.rng, batch+1
	case p == phaseBatch, p == phaseValidated:
		batch++
	case p == phaseStart:
		batch = 0
	}
	d := torchfile.NewDict("phase", string(p), "batch", int64(batch), "stepped", t.state.Stepped,
		"train_batches", t.loops[lighter.Train].total, "results", toFile(t.results.state()))
	rng.save(d)
	within := p != phaseStart && p != phaseEpoch
	if within && epochRNG.Defined() {
		d.Set("epoch_rng_state", fromTensor(epochRNG))
	}
	if l, ok := t.trainLoader().(lighter.LoaderState); ok {
		if state := l.StateDict(within); state != nil {
			d.Set("loader", toFile(state))
		}
	}
	if m, ok := t.model.(lighter.EpochState); ok {
		d.Set("model", toFile(m.EpochState()))
	}
	if within && batch > 0 && !t.forwardOnly && !t.windowEnds(batch-1) {
		d.Set("gradients", toFile(t.gradients()))
	}
	return d
}

// gradients are those gathered in an accumulation window that has not ended, as where a validation comes within one.
func (t *Trainer) gradients() lighter.Dict {
	d := lighter.Dict{}
	for _, p := range t.model.Tree().Params() {
		if g := p.Value.Grad(); g.Defined() {
			d[p.Name] = g
		}
	}
	return d
}

func (t *Trainer) setGradients(d lighter.Dict) {
	for _, p := range t.model.Tree().Params() {
		if g, ok := d[p.Name].(tensor.Tensor); ok {
			p.Value.SetGrad(g.To(p.Value.Device(), p.Value.DType()))
		}
	}
}

// restorePosition is the other way.
func (t *Trainer) restorePosition(d *torchfile.Dict) error {
	v, err := fromFile(d)
	if err != nil {
		return err
	}
	own := v.(lighter.Dict)
	text, _ := own["phase"].(string)
	batch, _ := own["batch"].(int64)
	rng := generators{}
	var ok bool
	if rng.cpu, ok = own[rngKey].(tensor.Tensor); !ok {
		return errors.New("it does not hold the generator's state")
	}
	rng.device, _ = own[deviceRNGKey].(tensor.Tensor)
	t.state.Stepped, _ = own["stepped"].(int64)
	t.loops[lighter.Train].total, _ = own["train_batches"].(int64)
	if results, ok := own["results"].(lighter.Dict); ok {
		t.results.load(results, t.device)
	}
	if m, ok := t.model.(lighter.EpochState); ok {
		if state, ok := own["model"].(lighter.Dict); ok {
			if err := m.LoadEpochState(state); err != nil {
				return err
			}
		}
	}
	if l, ok := t.trainLoader().(lighter.LoaderState); ok {
		if state, ok := own["loader"].(lighter.Dict); ok {
			if err := l.LoadStateDict(state); err != nil {
				return fmt.Errorf("data::train_dataloader: %w", err)
			}
		}
	}
	if d, ok := own["gradients"].(lighter.Dict); ok {
		t.setGradients(d)
	}
	t.drawFrom(rng)
	switch p := phase(text); p {
	case phaseEpoch:
		// What is left of that epoch is a scheduler that waits for its metrics.
		if err := t.stepSchedule("epoch", true); err != nil {
			return err
		}
		t.state.Epoch++
	case phaseBatch, phaseValidated, phaseBetween:
		epochRNG, ok := own["epoch_rng_state"].(tensor.Tensor)
		if !ok {
			return errors.New("it does not hold the generator's state at the start of the epoch")
		}
		t.resume = &position{phase: p, batch: int(batch), epochRNG: epochRNG.Keep(), rng: rng.keep()}
	case phaseStart:
	default:
		return fmt.Errorf("it was saved in the unknown phase %q of a fit", text)
	}
	return nil
}

// interrupted says whether a fit ended because it was asked to.
func (t *Trainer) interrupted(err error) bool {
	return t.stage == "fit" && t.ctx.Err() != nil && errors.Is(err, context.Cause(t.ctx))
}

// saveInterrupt saves what there is when a fit is stopped, so that --ckpt_path last goes on from there.
func (t *Trainer) saveInterrupt() error {
	path := filepath.Join(t.checkpointDir(), interruptName)
	if err := t.SaveCheckpoint(path, false); err != nil {
		return err
	}
	t.log.Warn().Msgf("saved %s: `--ckpt_path %s` goes on from there", path, path)
	return nil
}

const interruptName = "interrupt.ckpt"

// checkpointDir is where the configuration's checkpoints go.
func (t *Trainer) checkpointDir() string {
	for _, c := range t.callbacks {
		if k, ok := c.(lighter.Checkpointer); ok && k.Dirpath() != "" {
			return k.Dirpath()
		}
	}
	if dir := t.LogDir(); dir != "" {
		return filepath.Join(dir, "checkpoints")
	}
	return filepath.Join(t.DefaultRootDir(), "checkpoints")
}
