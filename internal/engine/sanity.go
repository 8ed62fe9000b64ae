package engine

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// sanityCheck validates a few batches before the first epoch. What it draws and logs leaves no trace.
func (t *Trainer) sanityCheck() error {
	n := orElse(t.args.NumSanityValSteps, 2)
	if n == 0 || !t.startsSanely() || !t.hasValidation() {
		return nil
	}
	s := tensor.Open()
	defer s.Close()
	rng, results, logged, all := t.generators(), t.results, t.logged, t.loops[lighter.Val]
	defer rng.free()
	t.results, t.logged, t.sanity = resultsOf(results.dtype), nil, true
	defer func() {
		t.results.close()
		t.logged.close()
		t.results, t.logged, t.sanity = results, logged, false
		t.drawFrom(rng)
	}()
	if err := t.call(onSanityCheckStart); err != nil {
		return err
	}
	if err := t.openValidation(); err != nil {
		return err
	}
	if l := &t.loops[lighter.Val]; l.open != all.open { // its loaders stay
		all = *l
	}
	t.loops[lighter.Val].atMost(n)
	err := t.evaluateSome(lighter.Val)
	t.loops[lighter.Val] = all
	if err != nil {
		return err
	}
	return t.call(onSanityCheckEnd)
}

// startsSanely says whether a sanity check comes first. Lightning does one also in a fit that goes on between two epochs, unless
// it counts by steps, which hooks can tell.
func (t *Trainer) startsSanely() bool {
	between := t.resume == nil || t.resume.phase == phaseEpoch
	return t.resumed == "" || t.stepper == nil && t.goesOn && between && t.args.MaxSteps == -1
}
