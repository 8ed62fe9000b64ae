package callback

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// StochasticWeightAveraging are the arguments of Lightning's callback that averages the weights of the last epochs (Izmailov et
// al., arXiv:1803.05407).
// https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.StochasticWeightAveraging.html
type StochasticWeightAveraging struct {
	SWALRs            SWALRs        `cfg:"swa_lrs,required,aka=swa_lr" help:"the learning rate while averaging: a float, or a list with one a group"`
	SWAEpochStart     EpochStart    `cfg:"swa_epoch_start" help:"the epoch that begins it, counted from 1, or a float part of max_epochs"`
	AnnealingEpochs   int           `cfg:"annealing_epochs" help:"epochs on the way to swa_lrs"`
	AnnealingStrategy string        `cfg:"annealing_strategy" oneof:"cos|linear" help:"the form of the way"`
	AvgFn             AvgFn         `cfg:"avg_fn" help:"how the average is formed; null lets all weights count the same"`
	Device            AverageDevice `cfg:"device" help:"where the average is kept; null for the model's device"`
}

func init() {
	lighter.Register[lighter.Callback]("pytorch_lightning.callbacks.StochasticWeightAveraging",
		StochasticWeightAveraging{SWAEpochStart: EpochStart{part: 0.8, isPart: true}, AnnealingEpochs: 10, AnnealingStrategy: "cos", Device: AverageDevice{given: true}},
		aliases("callbacks", "stochastic_weight_avg", "StochasticWeightAveraging")...)
}

// Doc is the component's prose.
func (StochasticWeightAveraging) Doc() string {
	return `From its first epoch on the learning rate goes to swa_lrs, in place of the fit's scheduler, and the weights at the start of each
epoch are averaged. After the last epoch the model gets the average; when it has batch normalization, one more epoch
gathers its statistics. The result is saved as swa.ckpt beside the other checkpoints.`
}

// SWALRs is the argument swa_lrs.
type SWALRs struct {
	values []float64
	list   bool
}

// ConfigType names the forms.
func (*SWALRs) ConfigType() string { return "a positive float, or a list of positive floats" }

// DecodeConfig takes any of the forms.
func (l *SWALRs) DecodeConfig(v any) error {
	items, list := v.([]any)
	if !list {
		items = []any{v}
	}
	l.values, l.list = make([]float64, len(items)), list
	if len(items) == 0 {
		return wording("The `swa_lrs` should a positive float, or a list of positive floats, got an empty list")
	}
	for i, item := range items {
		f, ok := item.(float64)
		if !ok || !(f > 0) {
			return wording("The `swa_lrs` should a positive float, or a list of positive floats, got %s", registry.Describe(v))
		}
		l.values[i] = f
	}
	return nil
}

// of is the learning rate of group i.
func (l SWALRs) of(i int) float64 {
	if l.list {
		return l.values[min(i, len(l.values)-1)]
	}
	return l.values[0]
}

// EpochStart is the argument swa_epoch_start.
type EpochStart struct {
	epoch  int
	part   float64
	isPart bool
}

// ConfigType names the forms.
func (*EpochStart) ConfigType() string { return "an int from 1, or a float from 0.0 to 1.0" }

// DecodeConfig takes any of the forms.
func (e *EpochStart) DecodeConfig(v any) error {
	switch x := v.(type) {
	case int64:
		if x >= 1 {
			*e = EpochStart{epoch: int(x)}
			return nil
		}
	case float64:
		if x >= 0 && x <= 1 {
			*e = EpochStart{part: x, isPart: true}
			return nil
		}
	}
	return fmt.Errorf("swa_epoch_start should be a >0 integer or a float between 0 and 1, got %s", registry.Describe(v))
}

// String is the argument as a configuration has it.
func (e EpochStart) String() string {
	if e.isPart {
		return fmt.Sprint(e.part)
	}
	return fmt.Sprint(e.epoch)
}

// Validate applies Lightning's rules.
func (a StochasticWeightAveraging) Validate() error {
	if a.AnnealingEpochs < 0 {
		return lighter.FieldError("annealing_epochs", "anneal_epochs must be equal or greater than 0, got %d", a.AnnealingEpochs)
	}
	return nil
}

// Build makes the callback.
func (a StochasticWeightAveraging) Build(env *lighter.Env) (lighter.Callback, error) {
	return &swa{args: a, env: env, log: env.Log, f: a.AvgFn.or(mean{}), latest: -1}, nil
}

type swa struct {
	args StochasticWeightAveraging
	env  *lighter.Env
	log  zerolog.Logger
	f    Averaging

	t          lighter.FitControl // nil outside a fit
	average    *average
	start, end int  // the first and the last epoch that are averaged, counted from 0
	gathers    bool // an epoch more gathers the statistics of norms
	norms      []lighter.RunningStatistics
	momenta    []*float64 // of norms, while their statistics are gathered
	accumulate int        // the fit's, while their statistics are gathered

	scheduler lighter.Scheduler // nil before the first of those epochs
	latest    int               // the epoch whose weights were taken in last
}

var (
	_ lighter.Setupper     = (*swa)(nil)
	_ lighter.StageStarter = (*swa)(nil)
	_ lighter.EpochStarter = (*swa)(nil)
	_ lighter.EpochEnder   = (*swa)(nil)
	_ lighter.StageEnder   = (*swa)(nil)
	_ lighter.Stateful     = (*swa)(nil)
)

// Setup copies the model, says when averaging begins, and adds an epoch for batch normalization.
func (s *swa) Setup(t lighter.Trainer) (err error) {
	if t.Stage() != "fit" {
		return nil
	}
	if s.t, err = controlOf(t); err != nil {
		return err
	}
	device, err := s.args.Device.of(s.t.Device())
	if err != nil {
		return wording("StochasticWeightAveraging: %w", err)
	}
	s.average = averageOf(t.Model().Tree(), device)
	last, first := t.MaxEpochs(), s.args.SWAEpochStart.epoch
	if s.args.SWAEpochStart.isPart {
		if last == -1 {
			return wording("SWA with `swa_epoch_start` as a float is not supported when `max_epochs=-1`. Please provide `swa_epoch_start` as an integer.")
		}
		first = int(float64(last) * s.args.SWAEpochStart.part)
	}
	if err := s.checkGroups(t); err != nil {
		return err
	}
	s.start, s.end = max(first-1, 0), last-1
	if last == -1 {
		s.end = math.MaxInt - 1
	}
	if s.start > s.end {
		s.log.Warn().Msgf("StochasticWeightAveraging does nothing: swa_epoch_start=%d is after the last epoch, max_epochs=%d", first, last)
		s.t = nil
		return nil
	}
	t.Model().Tree().Walk(func(_ string, n *lighter.Node) {
		for _, c := range n.Children() {
			if r, ok := c.Module.(lighter.RunningStatistics); ok && !slices.Contains(s.norms, r) {
				s.norms = append(s.norms, r)
			}
		}
	})
	if s.gathers = len(s.norms) > 0 && last != -1; s.gathers {
		s.t.SetMaxEpochs(last + 1)
	}
	return nil
}

// checkGroups compares the learning rates with the optimizer's groups, once there is one.
func (s *swa) checkGroups(t lighter.Trainer) error {
	o := t.Optimizer()
	if o == nil {
		return nil
	}
	if n := len(o.Groups()); s.args.SWALRs.list && len(s.args.SWALRs.values) != n {
		return wording("swa_lrs of StochasticWeightAveraging must be a float, or a list with one for each parameter group: it has %d values, the optimizer has %d group(s)",
			len(s.args.SWALRs.values), n)
	}
	return nil
}

// StageStart goes on within the epoch for batch normalization.
func (s *swa) StageStart(t lighter.Trainer) error {
	if l, ok := t.(lighter.LightningTrainer); ok && s.t != nil {
		if len(l.Optimizers()) != 1 {
			return wording("SWA currently works with 1 `optimizer`.")
		}
		if len(l.Schedules()) > 1 {
			return wording("SWA currently not supported for more than 1 `lr_scheduler`.")
		}
		if err := s.checkGroups(t); err != nil {
			return err
		}
	}
	if s.t != nil && t.CkptPath() != "" && s.averaged() {
		s.gather()
	}
	return nil
}

// averaged says that the epoch is the one that gathers the statistics of batch normalization.
func (s *swa) averaged() bool { return s.gathers && s.t.Epoch() == s.end+1 }

// EpochStart takes in the weights that an epoch begins with.
func (s *swa) EpochStart(t lighter.Trainer) error {
	if s.t == nil || t.Mode() != lighter.Train {
		return nil
	}
	if epoch := t.Epoch(); s.start <= epoch && epoch <= s.end {
		if s.scheduler == nil {
			if epoch != s.start {
				s.log.Warn().Msg("SWA is initializing after swa_start without any checkpoint data.")
			}
			if err := s.schedule(); err != nil {
				return err
			}
		}
		if epoch > s.latest {
			s.average.update(s.f, s.average.params)
			s.latest = epoch
		}
	}
	if s.averaged() {
		if s.average.n == 0 { // the epochs before were done without this callback
			s.average.update(s.f, s.average.params)
		}
		s.average.transfer(s.average.params)
		tensor.NoGrad(func() {
			for _, n := range s.norms {
				n.ResetStatistics()
			}
		})
		s.gather()
	}
	return nil
}

// schedule puts SWALR in the place of the fit's scheduler.
func (s *swa) schedule() error {
	groups := s.t.Optimizer().Groups()
	lrs := make([]any, len(groups))
	for i := range lrs {
		lrs[i] = s.args.SWALRs.of(i)
		groups[i].SetOption("initial_lr", lrs[i])
	}
	last := -1
	if s.args.AnnealingStrategy == "cos" {
		last = s.t.MaxEpochs()
	}
	scheduler, err := registry.New[lighter.Scheduler]("torch.optim.swa_utils.SWALR", s.env, map[string]any{
		"optimizer": s.t.Optimizer(), "swa_lr": lrs, "anneal_epochs": int64(s.args.AnnealingEpochs), "anneal_strategy": s.args.AnnealingStrategy,
		"last_epoch": int64(last),
	})
	if err != nil {
		return err
	}
	schedule := &lighter.Schedule{Scheduler: scheduler, Interval: "epoch", Frequency: 1, Strict: true}
	if was := s.t.Schedule(); was != nil {
		schedule.Name = was.Name
		if was.Interval != "epoch" || was.Frequency != 1 {
			s.log.Warn().Msgf("SWA is currently only supported every epoch. The fit's scheduler stepped every %d %s(s).", was.Frequency, was.Interval)
		}
		if named, ok := was.Scheduler.(interface{ Name() string }); ok {
			s.log.Info().Msgf("Swapping scheduler `%s` for `SWALR`", named.Name())
		}
	}
	s.scheduler = scheduler
	s.t.SetSchedule(schedule)
	return nil
}

// gather lets an epoch run forward only, as one window, while batch normalization averages over its batches.
func (s *swa) gather() {
	if s.momenta != nil {
		return
	}
	s.accumulate = s.t.AccumulateGradBatches()
	window := math.MaxInt
	if n := s.t.NumBatches(); n >= 0 {
		window = n + 1
	}
	s.t.SetAccumulateGradBatches(window)
	s.t.SetForwardOnly(true)
	s.momenta = []*float64{}
	for _, n := range s.norms {
		s.momenta = append(s.momenta, n.Momentum())
		n.SetMomentum(nil)
	}
}

// EpochEnd lets training go on as usual.
func (s *swa) EpochEnd(t lighter.Trainer) error {
	if s.t != nil && t.Mode() == lighter.Train {
		s.t.SetForwardOnly(false)
	}
	return nil
}

// StageEnd leaves the average in the model, and saves it: the checkpoints of the last epoch hold the weights in training.
func (s *swa) StageEnd(t lighter.Trainer) error {
	switch {
	case s.t == nil || s.scheduler == nil:
		return nil
	case s.momenta != nil:
		s.t.SetAccumulateGradBatches(s.accumulate)
		for i, n := range s.norms {
			n.SetMomentum(s.momenta[i])
		}
		s.momenta = nil
	case t.Epoch()-1 == s.end || s.end == math.MaxInt-1:
		s.average.transfer(s.average.params)
	default:
		return nil // stopped before
	}
	dir := s.t.CheckpointDir()
	if dir == "" {
		return nil
	}
	path := filepath.Join(dir, "swa.ckpt")
	if err := t.SaveCheckpoint(path, false); err != nil {
		return err
	}
	s.log.Info().Msgf("Saved the averaged weights to: %s", path)
	return nil
}

// StateKey is Lightning's.
func (s *swa) StateKey() string { return "StochasticWeightAveraging" }

// StateDict is the state under Lightning's names.
func (s *swa) StateDict() lighter.Dict {
	d := lighter.Dict{"n_averaged": int64(0), "latest_update_epoch": int64(s.latest), "scheduler_state": nil, "average_model_state": nil}
	if s.scheduler != nil {
		d["scheduler_state"] = s.scheduler.StateDict()
	}
	if s.average != nil {
		model := lighter.Dict{}
		for _, e := range s.average.state() {
			model[e.Name] = e.Value
		}
		d["n_averaged"], d["average_model_state"] = s.average.n, model
	}
	return d
}

// LoadStateDict is the other way. The scheduler is in its place at once, as the fit may go on within an epoch.
func (s *swa) LoadStateDict(state lighter.Dict) error {
	if s.t == nil {
		return nil
	}
	n, _ := state["n_averaged"].(int64)
	latest, ok := state["latest_update_epoch"].(int64)
	if !ok {
		return wording("the state of StochasticWeightAveraging in the checkpoint holds no latest_update_epoch")
	}
	s.average.n, s.latest = n, int(latest)
	if model, ok := state["average_model_state"].(lighter.Dict); ok {
		tensors := map[string]tensor.Tensor{}
		for name, v := range model {
			if t, ok := v.(tensor.Tensor); ok {
				tensors[name] = t
			}
		}
		if err := s.average.load(tensors); err != nil {
			return err
		}
	}
	if scheduler, ok := state["scheduler_state"].(lighter.Dict); ok {
		if err := s.schedule(); err != nil {
			return err
		}
		return s.scheduler.LoadStateDict(scheduler)
	}
	return nil
}
