package runner_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/runner"
	"github.com/lighter-go/lighter/tensor"
)

type manualCase struct {
	Trainer    map[string]any
	Rows       [][2]any
	GlobalStep int64 `json:"global_step"`
	State      map[string][]float64
	Optimizers int
	Schedulers int
	LastLR     [][]float64 `json:"last_lr"`
	Progress   map[string]map[string]int64
	Stepped    int64
}

// pairRun is what the run under way does beyond the fixture's.
var pairRun struct {
	stopAt int64 // the global step after which it saves and stops; 0 is never
	save   string
	state  map[string][]float64
	step   int64
}

var errPairStopped = errors.New("stopped by the test")

// pair is a generator and a critic, each with its optimizer and scheduler, trained in turn.
type pair struct {
	lighter.LightningModule
	env               *lighter.Env
	generator, critic lighter.Module
}

type pairArgs struct{}

func (pairArgs) Build(env *lighter.Env) (lighter.Model, error) {
	m := &pair{env: env}
	m.ManualOptimization = true
	for _, half := range []struct {
		name, act string
		m         *lighter.Module
	}{{"generator", "tanh", &m.generator}, {"critic", "relu", &m.critic}} {
		in, err := linear(env, 1, 3)
		if err != nil {
			return nil, err
		}
		out, err := linear(env, 3, 1)
		if err != nil {
			return nil, err
		}
		s := &twoLayers{in: in, out: out, act: half.act}
		s.Add("0", in)
		s.Add("2", out)
		*half.m = s
		m.Add(half.name, s)
	}
	m.SetClass("test.Pair")
	return m, nil
}

type twoLayers struct {
	lighter.Node
	in, out lighter.Module
	act     string
}

func (s *twoLayers) Forward(in ...lighter.Value) lighter.Value {
	return s.out.Forward(tensor.CallOne(s.act, s.in.Forward(in...)))
}

func (m *pair) Forward(in ...lighter.Value) lighter.Value { return m.generator.Forward(in...) }

func (m *pair) TrainDataloader(lighter.LightningTrainer) (lighter.Value, error) { return pairs{5}, nil }

func (m *pair) ConfigureOptimizers(lighter.LightningTrainer) (lighter.Value, error) {
	g, err := optimizer(m.env, "Adam", m.generator, map[string]any{"lr": 0.05})
	if err != nil {
		return nil, err
	}
	c, err := optimizer(m.env, "SGD", m.critic, map[string]any{"lr": 0.1, "momentum": 0.9})
	if err != nil {
		return nil, err
	}
	falls, err := scheduler(m.env, "ExponentialLR", g, map[string]any{"gamma": 0.9})
	if err != nil {
		return nil, err
	}
	steps, err := scheduler(m.env, "StepLR", c, map[string]any{"step_size": int64(2)})
	return lighter.List{lighter.List{g, c}, lighter.List{falls, steps}}, err
}

func (m *pair) TrainingStep(t lighter.LightningTrainer, batch lighter.Value, idx int) (lighter.Value, error) {
	g, c := t.Optimizers()[0], t.Optimizers()[1]
	noise, real := batch.(lighter.List)[0], batch.(lighter.List)[1]
	mean := func(v lighter.Value) tensor.Tensor { return tensor.CallOne("mean", v) }
	learn := func(o lighter.LightningOptimizer, loss tensor.Tensor, clip bool) error {
		o.ZeroGrad()
		if err := t.ManualBackward(loss); err != nil {
			return err
		}
		if clip {
			value, algorithm := 0.5, "norm"
			if err := t.ClipGradients(o, &value, &algorithm); err != nil {
				return err
			}
		}
		return o.Step(nil)
	}
	t.ToggleOptimizer(g)
	if m.critic.Tree().Params()[0].Value.RequiresGrad() || !m.generator.Tree().Params()[0].Value.RequiresGrad() {
		return nil, errors.New("toggle_optimizer has no effect")
	}
	loss := tensor.CallOne("neg", mean(m.critic.Forward(m.generator.Forward(noise))))
	on := true
	err := errors.Join(t.LogValue("g", loss, lighter.LogArgs{ProgBar: true}), learn(g, loss, true))
	t.UntoggleOptimizer(g)
	t.ToggleOptimizer(c)
	loss = mean(m.critic.Forward(m.generator.Forward(noise).(tensor.Tensor).Detach())).Sub(mean(m.critic.Forward(real)))
	err = errors.Join(err, t.LogValue("c", loss, lighter.LogArgs{OnEpoch: &on}), learn(c, loss, false))
	t.UntoggleOptimizer(c)
	if idx%2 == 1 {
		for _, s := range t.LRSchedulers() {
			s.Step(0)
		}
	}
	return nil, err
}

func (m *pair) OnTrainBatchEnd(t lighter.LightningTrainer, _, _ lighter.Value, _ int) error {
	if pairRun.stopAt == 0 || t.GlobalStep() < pairRun.stopAt {
		return nil
	}
	pairRun.stopAt = 0
	if err := t.SaveCheckpoint(pairRun.save, false); err != nil {
		return err
	}
	return errPairStopped
}

func (m *pair) OnFitEnd(t lighter.LightningTrainer) error {
	pairRun.state, pairRun.step = map[string][]float64{}, t.GlobalStep()
	for _, e := range m.Tree().State() {
		pairRun.state[e.Name] = tensor.Values[float64](e.Value.To(tensor.Device{}, tensor.Float64))
	}
	return t.SaveCheckpoint(pairRun.save, false)
}

func init() { lighter.Register[lighter.Model]("test.Pair", pairArgs{}) }

func runPair(t *testing.T, c manualCase, ckpt string, more map[string]any) error {
	t.Helper()
	trainer := trainerOf(c.Trainer, map[string]any{"default_root_dir": t.TempDir(), "log_every_n_steps": 1, "logger": map[string]any{"_target_": "test.RowKeeper"}})
	for k, v := range more {
		trainer[k] = v
	}
	_, err := runner.Run(context.Background(), "fit", []any{map[string]any{
		"seed": 3, "model": map[string]any{"_target_": "test.Pair"}, "trainer": trainer,
	}}, runner.Options{CkptPath: ckpt})
	return err
}

// TestManualOptimization trains two networks in turn as Lightning does: rows, weights, learning rates and what is counted. A fit
// that is stopped within an epoch goes on to the same bits.
func TestManualOptimization(t *testing.T) {
	for _, c := range recorded[manualCase](t, "manual.json", nil) {
		t.Run(fmt.Sprint(c.Trainer), func(t *testing.T) {
			tolerance := map[any]float64{nil: 1e-6, "64-true": 1e-12, "bf16-mixed": 2e-3}[c.Trainer["precision"]]
			logging.rows, pairRun.stopAt, pairRun.save = nil, 0, filepath.Join(t.TempDir(), "end.ckpt")
			if err := runPair(t, c, "", nil); err != nil {
				t.Fatal(err)
			}
			comparePair(t, c, tolerance)
			compareSaved(t, c, pairRun.save)
			whole := pairRun.state
			for _, at := range []int64{2, 8} {
				if at >= c.GlobalStep {
					continue
				}
				stopped := filepath.Join(t.TempDir(), "stopped.ckpt")
				pairRun.stopAt, pairRun.save = at, stopped
				if err := runPair(t, c, "", nil); !errors.Is(err, errPairStopped) {
					t.Fatalf("got %v", err)
				}
				pairRun.save = filepath.Join(t.TempDir(), "end.ckpt")
				if err := runPair(t, c, stopped, nil); err != nil {
					t.Fatal(err)
				}
				if fmt.Sprint(pairRun.state) != fmt.Sprint(whole) {
					t.Errorf("a fit that went on from step %d has other weights", at)
				}
			}
		})
	}
}

func comparePair(t *testing.T, c manualCase, tolerance float64) {
	t.Helper()
	if pairRun.step != c.GlobalStep {
		t.Errorf("global step %d, want %d", pairRun.step, c.GlobalStep)
	}
	for name, want := range c.State {
		got := pairRun.state[name]
		for i := range want {
			if i >= len(got) || math.Abs(got[i]-want[i]) > tolerance {
				t.Errorf("%s: got %v, want %v", name, got, want)
				break
			}
		}
	}
	if len(logging.rows) != len(c.Rows) {
		t.Errorf("%d rows, want %d", len(logging.rows), len(c.Rows))
	}
	for i := range min(len(c.Rows), len(logging.rows)) {
		if tolerance > 1e-5 {
			continue
		}
		if want := fmt.Sprintf("%v %s", c.Rows[i][0], numbersText(c.Rows[i][1].(map[string]any))); logging.rows[i] != want {
			t.Errorf("row %d: got %s, want %s", i, logging.rows[i], want)
		}
	}
}

// compareSaved looks at a checkpoint as Lightning reads it.
func compareSaved(t *testing.T, c manualCase, path string) {
	t.Helper()
	f, err := torchfile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	at := func(path ...string) any {
		var v any = f.Root
		for _, k := range path {
			d, _ := v.(*torchfile.Dict)
			v, _ = d.Get(k)
		}
		return v
	}
	optimizers, _ := at("optimizer_states").([]any)
	schedulers, _ := at("lr_schedulers").([]any)
	if len(optimizers) != c.Optimizers || len(schedulers) != c.Schedulers {
		t.Errorf("%d optimizer states and %d of schedulers, want %d and %d", len(optimizers), len(schedulers), c.Optimizers, c.Schedulers)
	}
	for i := range schedulers {
		lr, _ := schedulers[i].(*torchfile.Dict).Get("_last_lr")
		if got, ok := lr.([]any); !ok || math.Abs(got[0].(float64)-c.LastLR[i][0]) > 1e-12 {
			t.Errorf("scheduler %d: last_lr %v, want %v", i, lr, c.LastLR[i])
		}
	}
	const progress = "epoch_loop.manual_optimization.optim_step_progress"
	for when, counts := range c.Progress {
		for what, want := range counts {
			if got := at("loops", "fit_loop", progress, when, what); got != want && when == "total" {
				t.Errorf("%s, %s %s: got %v, want %d", progress, when, what, got, want)
			}
		}
	}
	if got := at("loops", "fit_loop", "epoch_loop.state_dict", "_batches_that_stepped"); got != c.Stepped {
		t.Errorf("_batches_that_stepped is %v, want %d", got, c.Stepped)
	}
}

// TestManualOptimizationErrors: what automatic optimization alone does is refused, in Lightning's words.
func TestManualOptimizationErrors(t *testing.T) {
	for _, c := range []struct {
		args map[string]any
		want string
	}{
		{map[string]any{"gradient_clip_val": 0.5}, "Automatic gradient clipping is not supported for manual optimization. Remove `Trainer(gradient_clip_val=0.5)` or switch to automatic optimization."},
		{map[string]any{"accumulate_grad_batches": 2}, "Automatic gradient accumulation is not supported for manual optimization. Remove `Trainer(accumulate_grad_batches=2)` or switch to automatic optimization."},
	} {
		pairRun.save = filepath.Join(t.TempDir(), "end.ckpt")
		if err := runPair(t, manualCase{}, "", c.args); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v", c.args, err)
		}
	}
}
