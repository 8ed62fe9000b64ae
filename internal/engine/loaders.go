package engine

import (
	"errors"
	"fmt"
	"io"

	"github.com/lighter-go/lighter"
)

// loop is where the loop of one mode stands.
type loop struct {
	loaders []lighter.Loader
	batches []int   // how many of each loader an epoch has; -1 when that is unknown
	loader  int     // the one whose batches are done now
	batch   int     // of this loader and epoch
	total   int64   // batches over the whole run, the current one included
	logged  []int64 // of each loader, those that were logged: the step of an evaluation's rows
	size    int     // samples of the current batch
	open    bool    // the loaders are there
	opened  int     // the epoch in which they were made
	over    bool    // a hook has ended the epoch
	end     int     // how many batches the current loader turned out to have; -1 before that is known, where it was not from the start

	iterator lighter.Iterator // of the current loader's epoch
}

// numBatches is how many batches of the current loader there are; -1 when that is unknown.
func (l *loop) numBatches() int {
	if len(l.batches) == 0 {
		return -1
	}
	return l.batches[l.loader]
}

// all is how many batches an epoch has, of all loaders.
func (l *loop) all() int {
	sum := 0
	for _, n := range l.batches {
		if n < 0 {
			return -1
		}
		sum += n
	}
	return sum
}

// close drops what the loaders have loaded for an epoch that does not come.
func (l *loop) close() {
	for _, loader := range l.loaders {
		if c, ok := loader.(io.Closer); ok {
			_ = c.Close() // it fails in nothing
		}
	}
}

// suffix is what names get where a mode has several loaders.
func (l *loop) suffix() string {
	if len(l.loaders) < 2 {
		return ""
	}
	return fmt.Sprintf("/dataloader_idx_%d", l.loader)
}

// trainLoader is the loader of a fit.
func (t *Trainer) trainLoader() lighter.Loader {
	if l := t.loops[lighter.Train].loaders; len(l) > 0 {
		return l[0]
	}
	return nil
}

// atMost limits every loader's batches; n is -1 for no limit.
func (l *loop) atMost(n int) {
	limited := make([]int, len(l.batches))
	for i, b := range l.batches {
		if limited[i] = b; n >= 0 && (b < 0 || n < b) {
			limited[i] = n
		}
	}
	l.batches = limited
}

// openLoaders takes the loaders of a stage's mode, which must have one, and of a fit's validation, which may.
func (t *Trainer) openLoaders(m lighter.Mode) error {
	if err := t.needLoader(m); err != nil {
		return err
	}
	if m != lighter.Train {
		return nil
	}
	if err := t.openLoader(lighter.Val); err != nil {
		return err
	}
	return t.checkValInterval()
}

func (t *Trainer) openLoader(m lighter.Mode) error {
	limits := [...]limit{t.args.LimitTrainBatches, t.args.LimitValBatches, t.args.LimitTestBatches, t.args.LimitPredictBatches}
	limit, overfit := limits[m], t.stage == "fit" && !t.args.OverfitBatches.zero() && t.args.OverfitBatches.set
	if overfit {
		limit = t.args.OverfitBatches
	}
	l := &t.loops[m]
	loaders, err := t.loadersOf(m)
	if err != nil {
		return err
	}
	l.close()
	l.loaders, l.loader, l.open, l.opened, l.end = loaders, 0, true, t.state.Epoch, -1
	l.batches, l.logged = make([]int, len(l.loaders)), make([]int64, len(l.loaders))
	for i, loader := range l.loaders {
		var err error
		if l.batches[i], err = limit.of(loader.Len(), m); err != nil {
			return err
		}
	}
	if overfit {
		t.unshuffle(m)
	}
	return nil
}

// unshuffle makes every epoch have the same batches, as overfit_batches wants it.
func (t *Trainer) unshuffle(m lighter.Mode) {
	l, shuffled := &t.loops[m], false
	loaders := make([]lighter.Loader, len(l.loaders))
	for i, loader := range l.loaders {
		if o, ok := loader.(lighter.InOrder); ok {
			ordered, changed := o.InOrder()
			loader, shuffled = ordered, shuffled || changed
		}
		loaders[i] = loader
	}
	l.loaders = loaders
	if shuffled {
		t.log.Warn().Msgf("You requested to overfit but enabled %s dataloader shuffling. We are turning off the %[1]s dataloader shuffling for you.", m)
	}
}

// checkValInterval applies Lightning's rules on val_check_interval, once the number of batches is known.
func (t *Trainer) checkValInterval() error {
	v, n := t.args.ValCheckInterval, t.loops[lighter.Train].all()
	switch {
	case !v.set || v.every > 0 || t.loops[lighter.Val].all() == 0:
	case v.isFraction() && n < 0 && v.fraction != 1:
		return errors.New("when using an IterableDataset for `train_dataloader`, `Trainer(val_check_interval)` must be time based, `1.0` or an int. An int k specifies checking validation every k training batches: set trainer::val_check_interval")
	case !v.isFraction() && t.args.CheckValEveryNEpoch != nil && n >= 0 && v.count > n:
		return fmt.Errorf("`val_check_interval` (%d) must be less than or equal to the number of the training batches (%d). If you want to disable validation set `limit_val_batches` to 0.0 instead. If you want to validate based on the total training batches, set `check_val_every_n_epoch=null`", v.count, n)
	}
	return nil
}

// setEpoch tells a loader whose order may depend on it the epoch's number.
func setEpoch(l lighter.Loader, epoch int) {
	if s, ok := l.(lighter.EpochSetter); ok {
		s.SetEpoch(epoch)
	}
}

// trainingOver says that the training epoch under way has had all its batches.
func (t *Trainer) trainingOver() bool {
	l := &t.loops[lighter.Train]
	return l.isLast(l.batch)
}

// foresee lets the training loader prepare the next epoch, if there is to be one. over says that nothing of this one draws any
// more.
func (t *Trainer) foresee(over bool) {
	last := t.MaxEpochs()
	if last >= 0 && t.state.Epoch+1 >= last || t.stepsDone() || over && t.mayStop() || t.rehearsing {
		return
	}
	if t.staleIn(&t.loops[lighter.Train], t.state.Epoch+1) { // which another loader gives
		return
	}
	if f, ok := t.trainLoader().(lighter.Foreseer); ok {
		f.Foresee(over)
	}
}
