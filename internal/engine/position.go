package engine

import (
	"errors"
	"fmt"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/tensor"
)

// phase says what a fit was doing when a checkpoint was saved, and so what is left to do when it goes on from there.
type phase string

const (
	phaseStart      phase = "start"      // an epoch is about to begin
	phaseTraining   phase = "training"   // in a batch
	phaseBatch      phase = "batch"      // a batch is done; a validation may follow
	phaseValidating phase = "validating" // in that validation
	phaseValidated  phase = "validated"  // it is done
	phaseBetween    phase = "between"    // all that follows a batch is done
	phaseEpoch      phase = "epoch"      // the epoch's end, after its metrics
)

// phases are those that a checkpoint may hold, in their order after one and the same batch.
var phases = []phase{phaseBatch, phaseValidated, phaseBetween, phaseEpoch, phaseStart}

// position is where a fit stands. The order of samples follows from the generator's state when the epoch began, everything
// after from its state now.
type position struct {
	phase    phase
	batch    int           // batches of the epoch that are done
	epochRNG tensor.Tensor // kept
	rng      generators    // before the batch or the validation under way

	called  int              // callbacks that have acted at this point
	row     []lighter.Scalar // waits to be written until they all have
	rowStep int64
	rowDue  bool // the batch's row waits

	logs      lighter.List // how much was logged when the validation began, and the steps of its rows
	valLogged []int64
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

// keepRNG notes the generators' state, to which a checkpoint goes back that is saved before phase p is over.
func (t *Trainer) keepRNG(p phase) {
	t.at.rng.free()
	t.at.rng = t.generators()
	t.enterPhase(p)
}

// savesOnException says whether a callback may save a checkpoint when a batch fails.
func (t *Trainer) savesOnException() bool {
	for _, c := range t.callbacks {
		if s, ok := c.(lighter.ExceptionSaver); ok && s.SavesOnException() {
			return true
		}
	}
	return false
}

// beginValidation notes what a validation changes, which begins anew when it is stopped.
func (t *Trainer) beginValidation() {
	t.at.logs, _ = t.logStates()
	t.at.valLogged = slices.Clone(t.loops[lighter.Val].logged)
	t.keepRNG(phaseValidating)
}

// openEpoch notes the generator's state and begins the loader's epoch.
func (t *Trainer) openEpoch(from int) (lighter.Iterator, error) {
	s := tensor.Open()
	t.at.epochRNG.Free()
	t.at.epochRNG = tensor.RNGState(tensor.Device{}).Keep()
	s.Close()
	setEpoch(t.trainLoader(), t.state.Epoch)
	it, err := t.loops[lighter.Train].begin(t.trainLoader(), from)
	if err != nil {
		return nil, err
	}
	t.foresee(false)
	t.enterPhase(phaseBetween)
	return it, nil
}

// beginEpoch begins an epoch, at the batch where a resumed one goes on.
func (t *Trainer) beginEpoch() (it lighter.Iterator, from int, err error) {
	resume := t.resume
	t.resume = nil
	if resume != nil {
		from = resume.batch
		tensor.SetRNGState(tensor.Device{}, resume.epochRNG)
		defer resume.free()
	}
	t.loops[lighter.Train].over = false
	if resume == nil {
		t.progress.epoch(t.loops[lighter.Val].total)
		again := t.stale(&t.loops[lighter.Train])
		if err := t.openTrainLoader(); err != nil {
			return nil, 0, err
		}
		if again { // Lightning makes an iterator of it here, and another one below
			spare, err := t.openEpoch(0)
			if err != nil {
				return nil, 0, err
			}
			spare.Close()
		}
		err := t.call(onTrainEpochStart)
		if it, t.ahead = t.ahead, nil; it == nil && err == nil {
			it, err = t.openEpoch(0)
		}
		return it, 0, err
	}
	if it, err = t.openEpoch(from); err != nil {
		return nil, 0, err
	}
	t.drawFrom(resume.rng)
	t.resumePending(resume)
	t.at.phase, t.progress.batches = resume.phase, int64(from)
	return it, from, nil
}

// standing is how far the fit is, for the order of checkpoints.
func (t *Trainer) standing() standing {
	p, batches := t.at.phase, t.loops[lighter.Train].total
	switch {
	case t.resume != nil:
		p = t.resume.phase
	case p == phaseValidating:
		p = phaseBatch
	case p == phaseTraining:
		p = phaseBetween
		batches-- // the batch under way
	}
	return standing{step: t.state.GlobalStep, batches: batches, epoch: int64(t.state.Epoch), phase: slices.Index(phases, p)}
}

// positionState is what a checkpoint holds of the position, and of what the epoch has gathered so far.
func (t *Trainer) positionState(logs lighter.List) *torchfile.Dict {
	at, valLogged := t.at, t.loops[lighter.Val].logged
	at.batch, at.rng = t.loops[lighter.Train].batch, t.generators()
	at.rng.adopt()
	switch {
	case t.resume != nil: // it has not gone on yet
		at = *t.resume
	case at.phase == phaseTraining: // the batch begins anew
		at.phase, at.rng = phaseBetween, t.at.rng
	case at.phase == phaseValidating: // the validation does
		at.phase, at.rng, at.called, logs, valLogged = phaseBatch, t.at.rng, len(t.callbacks), at.logs, at.valLogged
		at.batch++
	case at.phase == phaseBatch, at.phase == phaseValidated:
		at.batch++
	case at.phase == phaseStart:
		at.batch = 0
	}
	if at.rowDue {
		at.row, at.rowStep = t.trainRow(), t.state.Stepped
	}
	d := torchfile.NewDict("phase", string(at.phase), "batch", int64(at.batch), "stepped", t.state.Stepped,
		"train_batches", t.standing().batches, "val_batches", t.loops[lighter.Val].total, "val_logged", countsOf(valLogged), "results", toFile(t.results.state()),
		"run", t.run.number, "folder", t.run.folder, "logs", toFile(logs), "called", int64(at.called), "callbacks", int64(len(t.callbacks)))
	at.rng.save(d)
	within := at.phase != phaseStart && at.phase != phaseEpoch
	if within && at.epochRNG.Defined() {
		d.Set("epoch_rng_state", fromTensor(at.epochRNG))
	}
	if l, ok := t.trainLoader().(lighter.LoaderState); ok {
		if state := l.StateDict(within); state != nil {
			d.Set("loader", toFile(state))
		}
	}
	if t.stopping != "" {
		d.Set("stopping", t.stopping)
	}
	if len(at.row) > 0 {
		d.Set("row", toFile(rowState(at.row)))
		d.Set("row_step", at.rowStep)
	}
	if m, ok := t.model.(lighter.EpochState); ok {
		d.Set("model", toFile(m.EpochState()))
	}
	if t.logged != nil {
		d.Set("hooks", toFile(t.logged.state()))
	}
	manual := !t.model.AutomaticOptimization() // whose windows are the model's
	if within && at.batch > 0 && !t.forwardOnly && (manual || !t.windowEnds(at.batch-1)) {
		d.Set("gradients", toFile(t.gradients()))
	}
	return d
}

func countsOf(counts []int64) []any {
	items := make([]any, len(counts))
	for i, n := range counts {
		items[i] = n
	}
	return items
}

// rowState is a row in the order it is written in.
func rowState(row []lighter.Scalar) lighter.List {
	var l lighter.List
	for _, s := range row {
		l = append(l, s.Name, s.Value)
	}
	return l
}

func rowOf(v lighter.Value) (row []lighter.Scalar) {
	l, _ := v.(lighter.List)
	for i := 0; i+1 < len(l); i += 2 {
		name, ok1 := l[i].(string)
		value, ok2 := l[i+1].(float64)
		if ok1 && ok2 {
			row = append(row, lighter.Scalar{Name: name, Value: value})
		}
	}
	return row
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
	if rng.python, ok = pythonState(own); !ok {
		return errors.New("the state of Python's generator in it is damaged")
	}
	t.state.Stepped, _ = own["stepped"].(int64)
	t.loops[lighter.Train].total, _ = own["train_batches"].(int64)
	val := &t.loops[lighter.Val]
	val.total, _ = own["val_batches"].(int64)
	counts, _ := own["val_logged"].(lighter.List)
	for i := range min(len(counts), len(val.logged)) {
		val.logged[i], _ = counts[i].(int64)
	}
	if results, ok := own["results"].(lighter.Dict); ok {
		t.results.load(results, t.device)
	}
	if state, ok := own["hooks"].(lighter.Dict); ok {
		t.logs().load(state, t.device)
	}
	if m, ok := t.model.(lighter.EpochState); ok {
		if state, ok := own["model"].(lighter.Dict); ok {
			if err := m.LoadEpochState(state); err != nil {
				return err
			}
		}
	}
	if state, ok := own["loader"].(lighter.Dict); ok {
		if t.trainLoader() == nil { // its hook has not been asked yet
			t.loaderState, _ = kept(state).(lighter.Dict)
		} else if err := t.restoreLoader(state); err != nil {
			return err
		}
	}
	if d, ok := own["gradients"].(lighter.Dict); ok {
		t.setGradients(d)
	}
	t.stopping, _ = own["stopping"].(string)
	t.run.logs, _ = own["logs"].(lighter.List)
	t.drawFrom(rng)
	p := phase(text)
	switch {
	case p == phaseStart:
		return nil
	case !slices.Contains(phases, p):
		return fmt.Errorf("it was saved in the unknown phase %q of a fit", text)
	}
	at := &position{phase: p, batch: int(batch), called: len(t.callbacks), row: rowOf(own["row"])}
	at.rowStep, _ = own["row_step"].(int64)
	if n, _ := own["callbacks"].(int64); int(n) == len(t.callbacks) {
		called, _ := own["called"].(int64)
		at.called = min(max(int(called), 0), len(t.callbacks)+1)
	}
	if p != phaseEpoch {
		epochRNG, ok := own["epoch_rng_state"].(tensor.Tensor)
		if !ok {
			return errors.New("it does not hold the generator's state at the start of the epoch")
		}
		at.epochRNG = epochRNG.Keep()
	}
	at.rng = rng.keep()
	t.resume = at
	return nil
}

func (t *Trainer) restoreLoader(state lighter.Dict) error {
	if l, ok := t.trainLoader().(lighter.LoaderState); ok {
		if err := l.LoadStateDict(state); err != nil {
			return fmt.Errorf("data::train_dataloader: %w", err)
		}
	}
	return nil
}

// savedWithin says whether a checkpoint was saved within an epoch, or does not say where.
func savedWithin(root *torchfile.Dict) bool {
	own, _ := get[*torchfile.Dict](root, ownKey)
	p, ok := get[string](own, "phase")
	return !ok || phase(p) != phaseStart && phase(p) != phaseEpoch
}
