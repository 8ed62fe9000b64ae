package engine

import (
	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/torchfile"
)

// progress is what Lightning counts in its loops and a fit here does not need: it is kept so that Lightning can go on from
// our checkpoints.
type progress struct {
	batches    int64 // training batches of the epoch whose step is done
	trained    int64 // and those of the epochs before it
	scheduler  counts
	validated  int64 // validation batches of the whole run when the epoch began
	evaluating int64 // and when the last validation began
	evaluated  int64 // batches of the last validation that is over
}

// counts are an event's number over the run and in this epoch.
type counts struct{ total, current int64 }

func (c *counts) step() {
	c.total++
	c.current++
}

// epoch begins an epoch; val is how many validation batches came before it.
func (p *progress) epoch(val int64) {
	p.trained += p.batches
	p.batches, p.scheduler.current, p.validated = 0, 0, val
}

// evaluate begins a validation.
func (p *progress) evaluate(batches int64) { p.evaluating, p.evaluated = batches, 0 }

// loopState is the `loops` of Lightning's checkpoint. An event is ready, started, processed and completed in turn, and the
// four differ only in the hooks between: a batch is processed and not completed in its end's hooks, and so is an epoch.
func (t *Trainer) loopState() *torchfile.Dict {
	return torchfile.NewDict(
		"fit_loop", t.fitState(),
		"validate_loop", evalState(counts{}, 0, false),
		"test_loop", evalState(counts{}, 0, false),
		"predict_loop", torchfile.NewDict("state_dict", torchfile.NewDict(), "batch_progress", progressOf(counts{}, 0, 0)),
	)
}

func (t *Trainer) fitState() *torchfile.Dict {
	epoch, train, p := int64(t.state.Epoch), t.loops[lighter.Train], t.progress
	begun, processed := epoch+1, epoch
	switch t.at.phase {
	case phaseStart, "":
		begun = epoch
	case phaseEpoch:
		processed = epoch + 1
	}
	unfinished := int64(0) // the batch whose end's hooks run
	if t.at.phase == phaseBatch && t.mode == lighter.Train && t.resume == nil {
		unfinished = 1
	}
	batches := progressOf(counts{p.trained + p.batches, p.batches}, 0, unfinished)
	batches.Set("is_last_batch", p.batches > 0 && (train.isLast(int(p.batches)-1) || train.numBatches() < 0 && t.at.phase == phaseEpoch))
	optimizer, manual := t.stepState(), counts{}
	if !t.model.AutomaticOptimization() {
		manual = counts{t.state.GlobalStep, t.state.GlobalStep}
		optimizer = torchfile.NewDict("step", pair(counts{}, "ready", "completed"), "zero_grad", pair(counts{}, "ready", "completed", "started"))
	}
	d := torchfile.NewDict(
		"state_dict", torchfile.NewDict(),
		"epoch_loop.state_dict", torchfile.NewDict("_batches_that_stepped", t.state.Stepped),
		"epoch_loop.batch_progress", batches,
		"epoch_loop.scheduler_progress", pair(p.scheduler, "ready", "completed"),
		"epoch_loop.automatic_optimization.state_dict", torchfile.NewDict(),
		"epoch_loop.automatic_optimization.optim_progress", torchfile.NewDict("optimizer", optimizer),
		"epoch_loop.manual_optimization.state_dict", torchfile.NewDict(),
		"epoch_loop.manual_optimization.optim_step_progress", pair(manual, "ready", "completed"),
	)
	for k, v := range t.validationState().All() {
		d.Set("epoch_loop.val_loop."+k.(string), v)
	}
	d.Set("epoch_progress", progressOf(counts{begun, begun}, begun-processed, begun-epoch))
	return d
}

// stepState counts the optimizer's steps and the windows begun, each by a zero_grad.
func (t *Trainer) stepState() *torchfile.Dict {
	k, n := int64(max(t.args.AccumulateGradBatches, 1)), t.progress.batches
	begun := (n + k - 1) / k
	done := begun
	if n > 0 && !t.windowEnds(int(n-1)) {
		done--
	}
	step, total := counts{t.state.GlobalStep, done}, counts{t.state.GlobalStep + begun - done, begun}
	return torchfile.NewDict("step", pair(step, "ready", "completed"), "zero_grad", pair(total, "ready", "completed", "started"))
}

func (t *Trainer) validationState() *torchfile.Dict {
	p, val := t.progress, t.loops[lighter.Val]
	c, open := counts{val.total - p.validated, p.evaluated}, int64(0)
	running := t.mode == lighter.Val && !t.sanity
	if running && p.evaluated == 0 {
		c.current = val.total - p.evaluating
		open = 1 // what Lightning goes on with: it ends the validation before it trains
	}
	return evalState(c, open, c.current > 0 && open == 0)
}

// evalState is the state of a validation or test loop; open batches are begun and not done.
func evalState(c counts, open int64, last bool) *torchfile.Dict {
	b := progressOf(counts{c.total + open, c.current + open}, open, open)
	b.Set("is_last_batch", last)
	return torchfile.NewDict("state_dict", torchfile.NewDict(), "batch_progress", b)
}

// progressOf is an event's progress: ready and started count c, processed and completed less.
func progressOf(c counts, unprocessed, uncompleted int64) *torchfile.Dict {
	one := func(n int64) *torchfile.Dict {
		return torchfile.NewDict("ready", n, "completed", n-uncompleted, "started", n, "processed", n-unprocessed)
	}
	return torchfile.NewDict("total", one(c.total), "current", one(c.current))
}

// pair is the progress of an event that is over at once.
func pair(c counts, names ...string) *torchfile.Dict {
	one := func(n int64) *torchfile.Dict {
		d := torchfile.NewDict()
		for _, name := range names {
			d.Set(name, n)
		}
		return d
	}
	return torchfile.NewDict("total", one(c.total), "current", one(c.current))
}
