package callback

import (
	"fmt"
	"slices"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
)

// LearningRateMonitor are the arguments of Lightning's callback that logs learning rates.
// https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.LearningRateMonitor.html
type LearningRateMonitor struct {
	LoggingInterval *string `cfg:"logging_interval" oneof:"step|epoch" help:"when to log; default: when the scheduler steps"`
	LogMomentum     bool    `cfg:"log_momentum" help:"log the momentum, or the first of the betas, too"`
	LogWeightDecay  bool    `cfg:"log_weight_decay" help:"log the weight decay too"`
}

func init() {
	lighter.Register[lighter.Callback]("pytorch_lightning.callbacks.LearningRateMonitor", LearningRateMonitor{},
		aliases("callbacks", "lr_monitor", "LearningRateMonitor")...)
}

// Build makes the callback.
func (a LearningRateMonitor) Build(env *lighter.Env) (lighter.Callback, error) {
	m := &lrMonitor{args: a, log: env.Log}
	if a.LoggingInterval != nil {
		m.interval = *a.LoggingInterval
	}
	return m, nil
}

type lrMonitor struct {
	args     LearningRateMonitor
	log      zerolog.Logger
	interval string // "" for that of the scheduler
}

var (
	_ lighter.StageStarter = (*lrMonitor)(nil)
	_ lighter.EpochStarter = (*lrMonitor)(nil)
	_ lighter.BatchStarter = (*lrMonitor)(nil)
)

// StageStart looks at what there is to log. Lightning refuses a Trainer without a logger; here other callbacks see the values.
func (m *lrMonitor) StageStart(t lighter.Trainer) error {
	if t.Stage() != "fit" {
		return nil
	}
	if t.LogDir() == "" {
		m.log.Warn().Msg("Cannot use `LearningRateMonitor` callback with `Trainer` that has no logger: its values are not written.")
	}
	all, err := ratedOf(t)
	for _, r := range all {
		groups := r.optimizer.Groups()
		if m.args.LogMomentum && len(groups) > 0 && groups[0].Option("momentum") == nil && groups[0].Option("betas") == nil {
			m.log.Warn().Msg("You have set log_momentum=True, but some optimizers do not have momentum. This will log a value 0 for the momentum.")
			break
		}
	}
	return err
}

// EpochStart logs what changes by epochs.
func (m *lrMonitor) EpochStart(t lighter.Trainer) error {
	if t.Mode() != lighter.Train || m.interval == "step" {
		return nil
	}
	return m.write(t, "epoch")
}

// BatchStart logs what changes by steps, in the steps that have a row.
func (m *lrMonitor) BatchStart(t lighter.Trainer, _ lighter.Value, _ int) error {
	if t.Mode() != lighter.Train || m.interval == "epoch" || !t.RowDue() {
		return nil
	}
	return m.write(t, "step")
}

// write logs the options of all groups, unless their scheduler's interval is another one and no interval was asked for. What no
// scheduler changes belongs to both.
func (m *lrMonitor) write(t lighter.Trainer, interval string) error {
	all, err := ratedOf(t)
	if err != nil {
		return err
	}
	var row []lighter.Scalar
	for _, r := range all {
		if r.schedule != nil && m.interval == "" && r.schedule.Interval != interval {
			continue
		}
		for i, g := range r.optimizer.Groups() {
			row = append(row, lighter.Scalar{Name: r.names[i], Value: g.LR()})
			if m.args.LogMomentum {
				row = append(row, lighter.Scalar{Name: r.names[i] + "-momentum", Value: momentum(g)})
			}
			if m.args.LogWeightDecay {
				row = append(row, lighter.Scalar{Name: r.names[i] + "-weight_decay", Value: number(g.Option("weight_decay"))})
			}
		}
	}
	if row == nil {
		return nil
	}
	return t.WriteRow(row)
}

// rated is an optimizer with the names of its groups' learning rates, and what changes them; nil is nothing.
type rated struct {
	optimizer lighter.Optimizer
	schedule  *lighter.Schedule
	names     []string
}

// ratedOf are a fit's optimizers: those of its schedulers first, in their order, then those without.
func ratedOf(t lighter.Trainer) ([]rated, error) {
	var all []rated
	if o := t.Optimizer(); o != nil {
		all = []rated{{optimizer: o, schedule: t.Schedule()}}
	}
	if l, ok := t.(lighter.LightningTrainer); ok {
		all = nil
		for _, s := range l.Schedules() {
			o := t.Optimizer()
			if of, ok := s.Scheduler.(interface{ Optimizer() lighter.Optimizer }); ok {
				o = of.Optimizer()
			}
			all = append(all, rated{optimizer: o, schedule: s})
		}
		for _, o := range l.Optimizers() {
			if !slices.ContainsFunc(all, func(r rated) bool { return r.optimizer == o.Optimizer() }) {
				all = append(all, rated{optimizer: o.Optimizer()})
			}
		}
	}
	seen := map[string]int{}
	for i := range all {
		r := &all[i]
		class := r.optimizer.Name()
		name := "lr-" + class
		if r.schedule != nil && r.schedule.Name != "" {
			name = r.schedule.Name
		} else {
			seen[class]++
		}
		if n := seen[class]; n > 1 {
			name += fmt.Sprintf("-%d", n-1)
		}
		var err error
		if r.names, err = lrNames(name, r.optimizer.Groups()); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// lrNames are the names of the groups' learning rates: the schedule's or "lr-SGD", and with several groups "lr-SGD/pg1" or the
// group's own name.
func lrNames(name string, groups []*lighter.ParamGroup) ([]string, error) {
	var own []string
	for i, g := range groups {
		given, ok := g.Option("name").(string)
		if !ok && len(groups) > 1 {
			given = fmt.Sprintf("pg%d", i+1)
		}
		if slices.Contains(own, given) {
			return nil, wording("A single `Optimizer` cannot have multiple parameter groups with identical `name` values. %s has duplicated parameter group names {%s}",
				name, pythonRepr(given))
		}
		own = append(own, given)
	}
	names := make([]string, len(groups))
	for i := range names {
		if names[i] = name; own[i] != "" {
			names[i] += "/" + own[i]
		}
	}
	return names, nil
}

// momentum is a group's momentum, or the first of its betas; 0 when it has neither.
func momentum(g *lighter.ParamGroup) float64 {
	if betas, ok := g.Option("betas").([]float64); ok && len(betas) > 0 {
		return betas[0]
	}
	return number(g.Option("momentum"))
}

func number(v any) float64 {
	switch x := v.(type) {
	case float64:
		return x
	case int64:
		return float64(x)
	}
	return 0
}
