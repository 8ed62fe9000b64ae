package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

func TestMain(m *testing.M) { tensortest.Main(m) }

// journal is a model, a data module, an optimizer and a logger that write down what happens to them. The loss of training
// batch i is i+1, so that means are easy to tell.
type journal struct {
	lighter.LightningModule
	events  []string
	rows    []string
	weight  tensor.Tensor
	batches [4]int
	sizes   []int
	unknown bool // the loaders do not know their length
	fail    func(mode lighter.Mode, idx int) error
	loss    func(idx int) float64
}

func (j *journal) note(format string, args ...any) {
	j.events = append(j.events, fmt.Sprintf(format, args...))
}

func (j *journal) Forward(in ...lighter.Value) lighter.Value { return in[0] }

func (j *journal) Step(t lighter.Trainer, _ lighter.Value, idx int) (lighter.Output, error) {
	if j.fail != nil {
		if err := j.fail(t.Mode(), idx); err != nil {
			return nil, err
		}
	}
	j.note("%s %d", t.Mode(), idx)
	v := float64(idx + 1)
	if j.loss != nil {
		v = j.loss(idx)
	}
	return lighter.Output{"loss": j.weight.MulScalar(v)}, nil
}

func (j *journal) Has(lighter.Mode) error { return nil }
func (j *journal) ConfigureOptimizers(lighter.LightningTrainer) (lighter.Value, error) {
	return stepper{j}, nil
}
func (j *journal) EpochEnd(t lighter.Trainer)                 { j.note("end %s", t.Mode()) }
func (j *journal) Name() string                               { return "Journal" }
func (j *journal) ZeroGrad()                                  {}
func (j *journal) Groups() []*lighter.ParamGroup              { return nil }
func (j *journal) Params() tensor.List                        { return tensor.List{} }
func (j *journal) StateDict() lighter.OptimizerState          { return lighter.OptimizerState{} }
func (j *journal) LoadStateDict(lighter.OptimizerState) error { return nil }
func (j *journal) Dir() string                                { return "" }
func (j *journal) Open() error                                { return nil }
func (j *journal) LogHyperparams([]byte) error                { return nil }
func (j *journal) Flush()                                     {}
func (j *journal) Finalize(string) error                      { return nil }
func (j *journal) Loaders(m lighter.Mode) []lighter.Loader {
	if j.batches[m] == 0 {
		return nil
	}
	if j.unknown {
		return []lighter.Loader{endless{countLoader{j.batches[m], j.sizes}}}
	}
	return []lighter.Loader{countLoader{j.batches[m], j.sizes}}
}

// endless is a loader that does not know its length.
type endless struct{ countLoader }

func (endless) Len() int { return -1 }

func (j *journal) BatchEnd(t lighter.Trainer, out lighter.Output, _ int) {
	loss := out["loss"].(tensor.Tensor)
	t.Log(t.Mode().String()+"/loss/step", loss, lighter.LogOptions{Step: true})
	t.Log(t.Mode().String()+"/loss/epoch", loss, lighter.LogOptions{Epoch: true})
}

func (j *journal) LogMetrics(row []lighter.Scalar, step int64) error {
	epoch, cells := "-", []string(nil)
	for _, s := range row {
		if s.Name == "epoch" {
			epoch = fmt.Sprint(s.Value)
			continue
		}
		cells = append(cells, fmt.Sprintf("%s=%.4g", s.Name, s.Value))
	}
	slices.Sort(cells)
	j.rows = append(j.rows, fmt.Sprintf("%s/%d %s", epoch, step, strings.Join(cells, " ")))
	return nil
}

type stepper struct{ *journal }

func (s stepper) Step() { s.note("update") }

type countLoader struct {
	n     int
	sizes []int
}

func (c countLoader) Len() int                                { return c.n }
func (c countLoader) Iter(from int) (lighter.Iterator, error) { return &countIterator{c, from}, nil }

type countIterator struct {
	countLoader
	i int
}

func (c *countIterator) Next() (lighter.Value, bool, error) {
	if c.i == c.n {
		return nil, false, nil
	}
	size := 1
	if c.i < len(c.sizes) {
		size = c.sizes[c.i]
	}
	c.i++
	return lighter.List{tensor.Zeros([]int64{int64(size), 1}, tensor.Float32, tensor.Device{})}, true, nil
}

func (c *countIterator) Close() {}

func num(n int) *int { return &n }

func count(n int) limit { return limit{set: true, count: n} }

func fraction(f float64) limit { return limit{set: true, count: -1, fraction: f} }

// newFit makes a trainer over a journal. The caller's scope owns its tensors.
func newFit(j *journal, a arguments) *Trainer {
	a.AccumulateGradBatches = max(a.AccumulateGradBatches, 1)
	if a.MaxSteps == 0 {
		a.MaxSteps = -1
	}
	a.InferenceMode, a.Precision = true, precisions[0]
	j.weight = tensor.Ones(nil, tensor.Float32, tensor.Device{}).SetRequiresGrad(true)
	t := &Trainer{
		args: a, log: zerolog.Nop(), saver: &saver{log: zerolog.Nop()}, loggers: []lighter.Logger{j}, ctx: context.Background(), stage: "fit", mode: lighter.Train,
		model: model{j}, stepper: model{j}, data: j,
	}
	t.bindHooks()
	t.optimizers = []*wrapped{{t, stepper{j}}}
	t.choosePrecision()
	if err := t.openLoaders(lighter.Train); err != nil {
		panic(err)
	}
	return t
}

// model hides the journal's optimizer methods, whose Step differs.
type model struct{ *journal }

func (m model) Tree() *lighter.Node { return &m.Node }

type loopCase struct {
	name       string
	train, val int
	args       arguments
	want       string
}

// loopCases are the arithmetic of the loop: which batches train, where the optimizer steps, where validation comes. "T" is a
// training batch, "u" an update, "V" a validation batch, "|" the end of a training epoch.
func loopCases() []loopCase {
	one, two := num(1), num(2)
	return []loopCase{
		{"plain", 3, 2, arguments{MaxEpochs: two, CheckValEveryNEpoch: one}, "TuTuTuVV|TuTuTuVV|"},
		{"no validation loader", 2, 0, arguments{MaxEpochs: one, CheckValEveryNEpoch: one}, "TuTu|"},
		{"accumulation, short last window", 5, 0, arguments{MaxEpochs: one, CheckValEveryNEpoch: one, AccumulateGradBatches: 2}, "TTuTTuTu|"},
		{"accumulation over more than an epoch", 3, 0, arguments{MaxEpochs: two, CheckValEveryNEpoch: one, AccumulateGradBatches: 4}, "TTTu|TTTu|"},
		{"limits by number", 9, 9, arguments{MaxEpochs: one, CheckValEveryNEpoch: one, LimitTrainBatches: count(2), LimitValBatches: count(1)}, "TuTuV|"},
		{"limits by fraction", 9, 9, arguments{MaxEpochs: one, CheckValEveryNEpoch: one, LimitTrainBatches: fraction(0.5), LimitValBatches: fraction(0.3)}, "TuTuTuTuVV|"},
		{"limit cuts the window", 9, 0, arguments{MaxEpochs: one, CheckValEveryNEpoch: one, LimitTrainBatches: count(3), AccumulateGradBatches: 2}, "TTuTu|"},
		{"no validation batches", 2, 2, arguments{MaxEpochs: one, CheckValEveryNEpoch: one, LimitValBatches: count(0)}, "TuTu|"},
		{"validation inside the epoch", 4, 1, arguments{MaxEpochs: one, CheckValEveryNEpoch: one, ValCheckInterval: interval{limit: fraction(0.5)}}, "TuTuVTuTuV|"},
		{"validation every 3 batches", 4, 1, arguments{MaxEpochs: two, CheckValEveryNEpoch: one, ValCheckInterval: interval{limit: count(3)}}, "TuTuTuVTu|TuTuTuVTu|"},
		{"validation across epochs", 4, 1, arguments{MaxEpochs: two, ValCheckInterval: interval{limit: count(3)}}, "TuTuTuVTu|TuTuVTuTu|"},
		{"validation every second epoch", 1, 1, arguments{MaxEpochs: num(4), CheckValEveryNEpoch: two}, "Tu|TuV|Tu|TuV|"},
		{"max_steps inside an epoch", 4, 1, arguments{MaxSteps: 6, CheckValEveryNEpoch: one}, "TuTuTuTuV|TuTu|"},
		{"max_steps with accumulation", 4, 0, arguments{MaxSteps: 3, CheckValEveryNEpoch: one, AccumulateGradBatches: 2}, "TTuTTu|TTu|"},
		{"max_epochs 0", 4, 1, arguments{MaxEpochs: num(0), CheckValEveryNEpoch: one}, ""},
		{"sanity check leaves the rest alone", 1, 4, arguments{MaxEpochs: one, CheckValEveryNEpoch: one, NumSanityValSteps: two}, "VVTuVVVV|"},
		{"whole sanity check", 1, 3, arguments{MaxEpochs: one, CheckValEveryNEpoch: one, NumSanityValSteps: num(-1)}, "VVVTuVVV|"},
		{"accumulation, short last window, validation inside it", 5, 1, arguments{MaxEpochs: two, CheckValEveryNEpoch: one, AccumulateGradBatches: 2, ValCheckInterval: interval{limit: count(3)}}, "TTuTVTuTu|TTuTVTuTu|"},
		{"limits, accumulation and validation across epochs", 9, 5, arguments{MaxEpochs: two, LimitTrainBatches: count(5), LimitValBatches: count(2), AccumulateGradBatches: 3, ValCheckInterval: interval{limit: count(4)}}, "TTTuTVVTu|TTTuVVTTu|"},
		{"overfit", 9, 5, arguments{MaxEpochs: two, CheckValEveryNEpoch: one, OverfitBatches: count(2)}, "TuTuVV|TuTuVV|"},
	}
}

// fit makes the case's trainer over a new journal.
func (c loopCase) fit(dir string) (*journal, *Trainer) {
	if c.args.NumSanityValSteps == nil {
		c.args.NumSanityValSteps = num(0)
	}
	c.args.DefaultRootDir = &dir
	j := &journal{batches: [4]int{c.train, c.val}}
	return j, newFit(j, c.args)
}

// TestUnknownLength: a training loader that does not know its length makes the same epochs, the short last window and the
// validation at the end included.
func TestUnknownLength(t *testing.T) {
	for _, c := range loopCases() {
		if v := c.args.ValCheckInterval; v.isFraction() && v.set || !c.args.LimitTrainBatches.isFraction() || c.args.LimitTrainBatches.set || c.args.OverfitBatches.set {
			continue // Lightning has no fractions of what it does not know
		}
		t.Run(c.name, func(t *testing.T) {
			tensortest.Scope(t)
			j, tr := c.fit("")
			defer tr.free()
			j.unknown = true
			if err := tr.openLoaders(lighter.Train); err != nil {
				t.Fatal(err)
			}
			if err := tr.fit(); err != nil {
				t.Fatal(err)
			}
			if got := brief(j.events); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestLoop(t *testing.T) {
	for _, c := range loopCases() {
		t.Run(c.name, func(t *testing.T) {
			tensortest.Scope(t)
			j, tr := c.fit("")
			defer tr.free()
			if err := tr.fit(); err != nil {
				t.Fatal(err)
			}
			if got := brief(j.events); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// stopper ends a fit at its k-th batch, of training and validation: as a signal does, or with a checkpoint saved in the hook
// that follows the batch, as ModelCheckpoint does.
type stopper struct {
	tr     *Trainer
	left   int
	cancel func()
	path   string // of the checkpoint to save; "" for a signal
	done   string // what the fit had done, without a validation that begins anew
}

var errStopped = errors.New("stopped by the test")

func (s *stopper) BatchEnd(t lighter.Trainer, _ lighter.Output, _ int) error {
	if s.left--; s.left != 0 || t.SanityChecking() {
		return nil
	}
	s.cancel()
	if s.path == "" {
		return nil
	}
	s.note()
	if err := t.SaveCheckpoint(s.path, false); err != nil {
		return err
	}
	return errStopped
}

func (s *stopper) note() {
	s.done = brief(s.tr.model.(model).events)
	if s.tr.at.phase == phaseValidating {
		s.done = strings.TrimRight(s.done, "V")
	}
}

// TestLoopGoesOn stops every case of TestLoop at each of its batches, in training, within an accumulation window and in
// validation: what it had done and what a fit from its checkpoint does are together what a fit that is not stopped does.
func TestLoopGoesOn(t *testing.T) {
	for _, c := range loopCases() {
		for _, saved := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, saved in the hook %t", c.name, saved), func(t *testing.T) {
				tensortest.Scope(t)
				for k := 1; k < strings.Count(c.want, "T")+strings.Count(c.want, "V"); k++ {
					if saved && c.args.AccumulateGradBatches > 1 && within(c, k) {
						continue // callbacks save when the optimizer has stepped
					}
					dir := t.TempDir()
					_, tr := c.fit(dir)
					s := &stopper{tr: tr, left: k}
					tr.ctx, s.cancel = context.WithCancel(context.Background())
					tr.callbacks = []lighter.Callback{s}
					tr.bindHooks()
					path := filepath.Join(dir, "checkpoints", interruptName)
					if saved {
						s.path = path
					}
					err := tr.fit()
					switch {
					case err == nil: // it was the last thing to do
						tr.free()
						continue
					case tr.interrupted(err):
						s.note()
						err = tr.saveInterrupt()
					case errors.Is(err, errStopped):
						err = nil
					}
					tr.free()
					if err != nil {
						t.Fatal(err)
					}
					rest, on := c.fit(dir)
					if err := on.load(path, false); err != nil {
						t.Fatal(err)
					}
					if err := on.fit(); err != nil {
						t.Fatal(err)
					}
					on.free()
					if got, want := strings.TrimLeft(s.done+brief(rest.events), "V"), strings.TrimLeft(c.want, "V"); got != want {
						t.Errorf("stopped at batch %d, after %s: got\n%s, want\n%s", k, s.done, got, want)
					}
				}
			})
		}
	}
}

// within says whether the k-th batch of a case is a training batch that does not end its window.
func within(c loopCase, k int) bool {
	for i, e := range c.want {
		if e == 'T' || e == 'V' {
			k--
		}
		if k == 0 {
			return e == 'T' && c.want[i+1] != 'u'
		}
	}
	return false
}

func brief(events []string) string {
	var b strings.Builder
	for _, e := range events {
		switch {
		case strings.HasPrefix(e, "train"):
			b.WriteByte('T')
		case strings.HasPrefix(e, "val"):
			b.WriteByte('V')
		case e == "update":
			b.WriteByte('u')
		case e == "end train":
			b.WriteByte('|')
		}
	}
	return b.String()
}

// TestRows is where rows come and what they hold: epoch/step and values; the epoch's mean is weighted by batch size and not
// divided by the accumulation.
func TestRows(t *testing.T) {
	tensortest.Scope(t)
	j := &journal{batches: [4]int{3, 2}, sizes: []int{4, 4, 2}}
	tr := newFit(j, arguments{MaxEpochs: num(2), CheckValEveryNEpoch: num(1), NumSanityValSteps: num(1), AccumulateGradBatches: 2, LogEveryNSteps: num(1)})
	defer tr.free()
	if err := tr.fit(); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"0/0 train/loss/step=2", "0/1 train/loss/step=3",
		"-/0 val/loss/step=1", "-/1 val/loss/step=2", "0/1 val/loss/epoch=1.5", "0/1 train/loss/epoch=1.8",
		"1/2 train/loss/step=2", "1/3 train/loss/step=3",
		"-/2 val/loss/step=1", "-/3 val/loss/step=2", "1/3 val/loss/epoch=1.5", "1/3 train/loss/epoch=1.8",
	}
	if !slices.Equal(j.rows, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(j.rows, "\n"), strings.Join(want, "\n"))
	}
}

func TestLogEveryNSteps(t *testing.T) {
	tensortest.Scope(t)
	j := &journal{batches: [4]int{7}}
	tr := newFit(j, arguments{MaxEpochs: num(1), CheckValEveryNEpoch: num(1), LogEveryNSteps: num(3)})
	defer tr.free()
	if err := tr.fit(); err != nil {
		t.Fatal(err)
	}
	if want := []string{"0/2 train/loss/step=3", "0/5 train/loss/step=6", "0/6 train/loss/epoch=4"}; !slices.Equal(j.rows, want) {
		t.Errorf("got %q, want %q", j.rows, want)
	}
}

// TestErrorsSayWhere runs into each kind of trouble; the process lives, nothing leaks, and the message names the batch.
func TestErrorsSayWhere(t *testing.T) {
	shapes := func(mode lighter.Mode) func(lighter.Mode, int) error {
		return func(m lighter.Mode, idx int) error {
			if m == mode && idx == 1 {
				tensor.Ones([]int64{2, 3}, tensor.Float32, tensor.Device{}).Matmul(tensor.Ones([]int64{4, 5}, tensor.Float32, tensor.Device{}))
			}
			return nil
		}
	}
	for _, c := range []struct {
		name string
		j    journal
		code int
		want string
	}{
		{"shapes", journal{fail: shapes(lighter.Train)}, ExitFailure, "train, epoch 0, batch 1: matmul: mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"},
		{"shapes in validation", journal{fail: shapes(lighter.Val)}, ExitFailure, "val, epoch 0, batch 1: matmul: mat1 and mat2"},
		{"memory", journal{fail: func(lighter.Mode, int) error {
			tensor.Zeros([]int64{10 << 40}, tensor.Uint8, tensor.Device{})
			return nil
		}}, ExitMemory, "train, epoch 0, batch 0: zeros: "},
		{"NaN", journal{loss: func(idx int) float64 { return []float64{1, 1, math.NaN()}[idx] }}, ExitNumeric, "train, epoch 0, batch 2: the loss is NaN"},
		{"step's own error", journal{fail: func(_ lighter.Mode, idx int) error { return errors.New("no such thing") }}, ExitFailure, "train, epoch 0, batch 0: no such thing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tensortest.Scope(t)
			j := &c.j
			j.batches = [4]int{3, 2}
			tr := newFit(j, arguments{MaxEpochs: num(1), CheckValEveryNEpoch: num(1), NumSanityValSteps: num(0)})
			before := tensor.Live()
			err := tr.fit()
			tr.free()
			var run *Error
			if !errors.As(err, &run) || run.Code != c.code || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want code %d and %q", err, c.code, c.want)
			}
			if left := tensor.Live() - before; left > 1 { // the weight's gradient may be one
				t.Errorf("%d handles left after the error", left)
			}
		})
	}
}

func TestCancelStopsAfterTheBatch(t *testing.T) {
	tensortest.Scope(t)
	stop := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(context.Background())
	j := &journal{batches: [4]int{5}}
	j.fail = func(_ lighter.Mode, idx int) error {
		if idx == 1 {
			cancel(stop)
		}
		return nil
	}
	tr := newFit(j, arguments{MaxEpochs: num(1), CheckValEveryNEpoch: num(1)})
	tr.ctx = ctx
	defer tr.free()
	if err := tr.fit(); !errors.Is(err, stop) {
		t.Errorf("got %v, want the cause of the cancellation", err)
	}
	if got := brief(j.events); got != "TuTu" {
		t.Errorf("got %s, want the batch under way finished and no more", got)
	}
}
