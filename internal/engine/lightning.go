package engine

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/internal/weights"
)

// A fit goes on from a checkpoint of Lightning where Lightning would, by the counts in its `loops`. They have had other names
// in other versions, see pytorch_lightning/utilities/migration.

// savedLoops reads the `loops` of a checkpoint, whatever version wrote it. A count that is not there is 0.
type savedLoops struct {
	fit     *torchfile.Dict
	version [3]int
}

func loopsOf(root *torchfile.Dict) savedLoops {
	var s savedLoops
	text, _ := get[string](root, "pytorch-lightning_version")
	for i, part := range strings.SplitN(text, ".", 3) {
		s.version[i], _ = strconv.Atoi(strings.TrimRight(part, "abcdefghijklmnopqrstuvwxyz+-."))
	}
	if loops, ok := get[*torchfile.Dict](root, "loops"); ok {
		s.fit, _ = get[*torchfile.Dict](loops, "fit_loop")
	}
	return s
}

// before says whether the checkpoint is of a version older than one.
func (s savedLoops) before(version ...int) bool { return slices.Compare(s.version[:], version) < 0 }

// renamed are the places of 2.0 and what they were before.
var renamed = map[string][]string{
	"epoch_loop.automatic_optimization.optim_progress": {"epoch_loop.optimizer_loop.optim_progress", "epoch_loop.batch_loop.optimizer_loop.optim_progress"},
	"epoch_loop.val_loop.batch_progress":               {"epoch_loop.val_loop.epoch_loop.batch_progress"},
}

// at is what is at a path of keys.
func (s savedLoops) at(key string, path ...string) any {
	var v any
	found := false
	for _, k := range append([]string{key}, renamed[key]...) {
		if v, found = s.fit.Get(k); found {
			break
		}
	}
	for _, k := range path {
		d, _ := v.(*torchfile.Dict)
		v, _ = d.Get(k)
	}
	return v
}

func (s savedLoops) count(key string, path ...string) int64 {
	n, _ := s.at(key, path...).(int64)
	return max(n, 0)
}

// event is how often something happened in this epoch or over the run, in its four steps.
type event struct{ ready, started, processed, completed int64 }

func (s savedLoops) event(key, when string) event {
	return event{s.count(key, when, "ready"), s.count(key, when, "started"), s.count(key, when, "processed"), s.count(key, when, "completed")}
}

// restoreProgress restores what is counted for Lightning's sake alone.
func (t *Trainer) restoreProgress(s savedLoops) {
	const scheduler, val = "epoch_loop.scheduler_progress", "epoch_loop.val_loop.batch_progress"
	t.progress.scheduler = counts{s.count(scheduler, "total", "completed"), s.count(scheduler, "current", "completed")}
	t.progress.batches = s.event("epoch_loop.batch_progress", "current").processed
	t.progress.trained = max(s.event("epoch_loop.batch_progress", "total").processed-t.progress.batches, 0)
	t.loops[lighter.Val].total = s.event(val, "total").completed
}

// restoreLoops sets where a fit goes on from a checkpoint of Lightning. Within an epoch that is the batch after the last one
// done; Lightning keeps no state of the random numbers, so that samples that were shuffled come in another order.
func (t *Trainer) restoreLoops(s savedLoops) {
	t.state.Stepped = t.state.GlobalStep
	if s.fit == nil || s.before(1, 6, 0) {
		return // `epoch` counts those that are done, and the loops do not say more
	}
	if n := s.count("epoch_loop.automatic_optimization.optim_progress", "optimizer", "step", "total", "completed"); n > 0 {
		t.state.GlobalStep = n
	}
	if n := s.count("epoch_loop.manual_optimization.optim_step_progress", "total", "completed"); n > 0 && !t.model.AutomaticOptimization() {
		t.state.GlobalStep = n
	}
	t.state.Stepped = t.state.GlobalStep
	if n, ok := s.at("epoch_loop.state_dict", "_batches_that_stepped").(int64); ok {
		t.state.Stepped = n
	}
	epoch, batch := s.event("epoch_progress", "current"), s.event("epoch_loop.batch_progress", "current")
	train := &t.loops[lighter.Train]
	train.total = s.event("epoch_loop.batch_progress", "total").processed
	t.state.Epoch = int(epoch.processed)
	if epoch.started < epoch.ready || epoch.processed >= epoch.started {
		return // between two epochs
	}
	done := int(batch.processed)
	if done == 0 {
		return
	}
	t.progress.evaluated = s.event("epoch_loop.val_loop.batch_progress", "current").completed
	val := s.event("epoch_loop.val_loop.batch_progress", "total")
	pending := batch.completed < batch.processed // saved by a hook of the batch's end
	if batch.ready == batch.processed && val.started == val.ready && val.processed < val.started {
		pending = true // saved in the validation after it, which begins anew
	} else if train.numBatches() >= 0 && done >= train.numBatches() || s.at("epoch_loop.batch_progress", "is_last_batch") == true && int(batch.ready) == done {
		// What is left of the epoch needs metrics that the checkpoint does not hold.
		t.state.Epoch++
		t.state.Stepped++
		return
	}
	rng := t.generators()
	at := &position{phase: phaseBetween, batch: done, epochRNG: rng.cpu.Keep(), rng: rng, called: len(t.callbacks)}
	train.batch = done
	if pending {
		at.phase = phaseBatch
	} else if int(batch.ready) == done && t.windowEnds(done-1) {
		t.state.Stepped++ // saved at a validation's end, before it counts
	}
	t.resume = at
	t.log.Warn().Msg("You're resuming from a checkpoint that ended before the epoch ended and your dataloader is not resumable. " +
		"This can cause unreliable results if further training is done: Lightning's checkpoints do not hold the order of shuffled samples. " +
		"Consider using an end-of-epoch checkpoint.")
}

// restoreCallbacks gives every callback its state. States of callbacks that the configuration does not have are named, as in
// Lightning.
func (t *Trainer) restoreCallbacks(root *torchfile.Dict) error {
	saved, _ := get[*torchfile.Dict](root, "callbacks")
	left := map[string]bool{}
	states := map[string]*torchfile.Dict{}
	for k, v := range saved.All() {
		key := stateKey(fmt.Sprint(k))
		left[key] = true
		states[key], _ = v.(*torchfile.Dict)
	}
	for _, c := range t.callbacks {
		s, ok := c.(lighter.Stateful)
		if !ok {
			continue
		}
		name, _, _ := strings.Cut(s.StateKey(), "{")
		for _, key := range []string{s.StateKey(), name} {
			d := states[key]
			if d == nil {
				continue
			}
			delete(left, key)
			v, err := fromFile(d)
			if err != nil {
				return err
			}
			if err := s.LoadStateDict(v.(lighter.Dict)); err != nil {
				return err
			}
			break
		}
	}
	if len(left) > 0 {
		t.stopping = "" // one of these may have asked for it
		var names []string
		for k := range left {
			names = append(names, k)
		}
		slices.Sort(names)
		t.log.Warn().Msgf("Be aware that when using `ckpt_path`, callbacks used to create the checkpoint need to be provided during "+
			"`Trainer` instantiation. Please add the following callbacks: %s", weights.Quoted(names))
	}
	return nil
}

var oldArgument = regexp.MustCompile(`, 'save_on_train_epoch_end': (None|True|False)`)

// stateKey is a callback's key as today's Lightning writes it: before 1.5 it was the class, before 1.9 a checkpoint's had an
// argument more.
func stateKey(key string) string {
	if strings.HasPrefix(key, "pytorch_lightning.callbacks.") {
		return key[strings.LastIndexByte(key, '.')+1:]
	}
	if strings.HasPrefix(key, "ModelCheckpoint") {
		return oldArgument.ReplaceAllString(key, "")
	}
	return key
}
