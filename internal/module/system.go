package module

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/adapter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

const systemTarget = "lighter.System"

// systemArguments are those of lighter.System, of Lighter 0.0.3 to 0.0.5.
type systemArguments struct {
	Model       lighter.Module    `cfg:"model,required,aka=network|net|module" help:"the network to train"`
	Dataloaders perMode           `cfg:"dataloaders,required,aka=dataloader|loaders" help:"a mapping of train, val, test and predict to loaders"`
	Optimizer   lighter.Optimizer `cfg:"optimizer,aka=optim|opt" help:"updates the network's parameters; fit needs one"`
	Scheduler   schedule          `cfg:"scheduler,aka=lr_scheduler" help:"changes the learning rate: a scheduler, or a mapping with interval"`
	Criterion   lighter.Criterion `cfg:"criterion,aka=loss|loss_fn" help:"the loss of (prediction, target); fit and validate need one"`
	Metrics     modeMetrics       `cfg:"metrics" help:"a mapping of train, val and test to metrics, lists or mappings of them"`
	Adapters    modeAdapters      `cfg:"adapters" help:"a mapping of train, val, test and predict to batch, criterion, metrics, logging"`
	Inferer     lighter.Inferer   `cfg:"inferer" help:"makes the predictions in val, test and predict"`
}

func init() {
	lighter.Register[lighter.Model](systemTarget, systemArguments{}, "lighter.system.System")
}

// Doc is the component's prose.
func (systemArguments) Doc() string {
	return `The model of Lighter 0.0.3 to 0.0.5, under a configuration's key system in the place of model and data: a network with its
loss, optimizer, metrics and loaders. Adapters say what of a batch is the input, the target and the identifier, and what the
criterion, the metrics and the writers are given; without them a batch is (input, target), the criterion and the metrics take
(prediction, target), and predict takes the whole batch as the input.`
}

// Prune leaves out what a stage has no use for.
func (systemArguments) Prune(stage string) []string {
	needed := map[string][]string{"fit": {"train", "val"}, "validate": {"val"}, "test": {"test"}, "predict": {"predict"}}[stage]
	var out []string
	for _, mode := range modeNames {
		if !slices.Contains(needed, mode) {
			out = append(out, "dataloaders::"+mode, "metrics::"+mode)
		}
	}
	if stage != "fit" {
		out = append(out, "optimizer", "scheduler")
	}
	return out
}

// Build makes the system.
func (a systemArguments) Build(env *lighter.Env) (lighter.Model, error) {
	s := &System{loaders: a.Dataloaders, inferer: a.Inferer, adapters: a.Adapters.complete()}
	args := arguments{Network: a.Model, Criterion: a.Criterion, Optimizer: a.Optimizer, Scheduler: a.Scheduler}
	for mode, of := range map[lighter.Mode]*metrics{lighter.Train: &args.TrainMetrics, lighter.Val: &args.ValMetrics, lighter.Test: &args.TestMetrics} {
		given := a.Metrics[mode]
		if given == nil {
			continue
		}
		collection, err := registry.New[lighter.Metric]("torchmetrics.MetricCollection", env, map[string]any{"metrics": given})
		if err != nil {
			return nil, lighter.FieldError("metrics", "%s: %w", mode, err)
		}
		*of = metrics{collection}
	}
	s.Module = newModule(systemTarget, "model", args, env)
	return s, nil
}

// System is a lighter.System.
type System struct {
	*Module
	loaders  perMode
	inferer  lighter.Inferer
	adapters [4]stepAdapters
}

// Loaders makes it its own data module.
func (s *System) Loaders(mode lighter.Mode) []lighter.Loader {
	if l := s.loaders[mode]; l != nil {
		return []lighter.Loader{l}
	}
	return nil
}

// ConfigureOptimizers gives the optimizer of a fit and its schedule.
func (s *System) ConfigureOptimizers(t lighter.LightningTrainer) (lighter.Value, error) {
	if s.Optimizer == nil {
		return nil, errors.New("please specify 'system.optimizer' in the config, for example:\n  optimizer:\n    _target_: torch.optim.Adam\n    params: $@system::model.parameters()")
	}
	return s.Module.ConfigureOptimizers(t)
}

// Has says what a mode lacks.
func (s *System) Has(mode lighter.Mode) error {
	switch {
	case s.loaders[mode] == nil:
		return fmt.Errorf("system::dataloaders::%s is missing: there is nothing to %s", mode, [...]string{"train on", "validate on", "test on", "predict"}[mode])
	case s.Criterion == nil && mode <= lighter.Val:
		return errors.New("please specify 'system.criterion' in the config, for example:\n  criterion:\n    _target_: torch.nn.CrossEntropyLoss")
	}
	return nil
}

// Step adapts the batch, predicts, and hands the values on.
func (s *System) Step(t lighter.Trainer, batch lighter.Value, _ int) (lighter.Output, error) {
	mode := t.Mode()
	a := &s.adapters[mode]
	input, target, identifier, err := a.batch.Split(batch)
	if err != nil {
		return nil, at(mode, "batch", err)
	}
	pred := s.predict(t, input)
	out := lighter.Output{"identifier": identifier, "step": t.GlobalStep(), "epoch": int64(t.Epoch())}
	if mode == lighter.Train || mode == lighter.Val {
		if out["loss"], err = s.loss(a, input, target, pred); err != nil {
			return nil, at(mode, "criterion", err)
		}
	}
	if mode != lighter.Predict && len(s.metrics[mode]) > 0 {
		if out["metrics"], err = s.measure(mode, a, input, target, pred); err != nil {
			return nil, at(mode, "metrics", err)
		}
	}
	if out["input"], out["target"], out["pred"], err = a.logging.Apply(input, target, pred); err != nil {
		return nil, at(mode, "logging", err)
	}
	return out, nil
}

func at(mode lighter.Mode, name string, err error) error {
	return fmt.Errorf("system::adapters::%s::%s: %w", mode, name, err)
}

// named is a network that takes keyword arguments and says which.
type named interface {
	HasArgument(name string) bool
	ForwardKeywords(in []lighter.Value, kwargs map[string]lighter.Value) lighter.Value
}

// predict is the network's output, or the inferer's where gradients are not needed. A network that takes epoch or step gets it.
func (s *System) predict(t lighter.Trainer, input lighter.Value) lighter.Value {
	network := func(v lighter.Value) lighter.Value { return s.Forward(v) }
	if n, ok := s.Network.(named); ok {
		kwargs := lighter.Dict{}
		for name, v := range map[string]int64{"epoch": int64(t.Epoch()), "step": t.GlobalStep()} {
			if n.HasArgument(name) {
				kwargs[name] = v
			}
		}
		if len(kwargs) > 0 {
			network = func(v lighter.Value) lighter.Value {
				s.Enter(0)
				out := n.ForwardKeywords([]lighter.Value{v}, kwargs)
				s.Leave()
				return out
			}
		}
	}
	if s.inferer != nil && t.Mode() != lighter.Train {
		return s.inferer.Infer(input, network)
	}
	return network(input)
}

func (s *System) loss(a *stepAdapters, input, target, pred lighter.Value) (lighter.Value, error) {
	args, kwargs, err := a.criterion.Arguments(input, target, pred)
	if err != nil {
		return nil, err
	}
	loss, err := callCriterion(s.Criterion, args, kwargs)
	if err != nil {
		return nil, err
	}
	if parts, ok := loss.(lighter.Dict); ok && parts["total"] == nil {
		return nil, fmt.Errorf("the loss dictionary must include a 'total' key that combines all sublosses. Example: {'total': combined_loss, 'subloss1': loss1, ...}. It has %q", slices.Sorted(maps.Keys(parts)))
	}
	return loss, nil
}

// callCriterion hands named arguments to a criterion that takes them, and puts them where torch.nn's losses have them for others.
func callCriterion(c lighter.Criterion, args lighter.List, kwargs lighter.Dict) (lighter.Value, error) {
	if n, ok := c.(interface {
		ForwardKeywords(in []lighter.Value, kwargs map[string]lighter.Value) lighter.Value
	}); ok {
		return n.ForwardKeywords(args, kwargs), nil
	}
	args, err := adapter.Named(c.Tree().Class(), args, kwargs, []string{"input"}, []string{"target"})
	if err != nil {
		return nil, err
	}
	return c.Forward(args...), nil
}

func (s *System) measure(mode lighter.Mode, a *stepAdapters, input, target, pred lighter.Value) (lighter.Value, error) {
	defer tensor.SetGradEnabled(false)()
	args, kwargs, err := a.metrics.Arguments(input, target, pred)
	if err != nil {
		return nil, err
	}
	if args, err = adapter.Named("a metric", args, kwargs, []string{"preds", "value"}, []string{"target"}); err != nil {
		return nil, err
	}
	if len(args) != 2 {
		return nil, fmt.Errorf("metrics take preds and target, and the adapter gives %d arguments", len(args))
	}
	values := lighter.Dict{}
	for _, metric := range s.metrics[mode] {
		metric.Update(args[0], args[1])
		s.scalars(metric.Name(), metric.Batch(), func(name string, v tensor.Tensor) { values[name] = v })
	}
	return values, nil
}

// BatchEnd logs what a batch gave. As in Lighter 0.0.x an epoch's value, of metrics too, is the mean of its batches' values,
// each of the same weight.
func (s *System) BatchEnd(t lighter.Trainer, out lighter.Output, idx int) {
	mode := t.Mode()
	if mode == lighter.Predict {
		return
	}
	size := 0
	if l, ok := s.loaders[mode].(interface{ BatchSize() int }); ok {
		size = l.BatchSize()
	}
	s.logLoss(t, out["loss"], size)
	if values, ok := out["metrics"].(lighter.Dict); ok {
		for _, name := range slices.Sorted(maps.Keys(values)) {
			v := values[name].(tensor.Tensor)
			t.Log(mode.String()+"/metrics/"+name+"/step", v, lighter.LogOptions{Step: true})
			t.Log(mode.String()+"/metrics/"+name+"/epoch", v, lighter.LogOptions{Epoch: true, BatchSize: size})
		}
	}
	if mode == lighter.Train && idx == 0 {
		for _, stat := range systemStats(t.Optimizer()) {
			t.Log("train/optimizer/"+stat.Name, tensor.FromSlice([]float32{float32(stat.Value)}), lighter.LogOptions{Epoch: true})
		}
	}
}

// EpochEnd begins the metrics' next epoch.
func (s *System) EpochEnd(t lighter.Trainer) {
	for _, metric := range s.metrics[t.Mode()] {
		metric.Reset()
	}
}

// systemStats are an optimizer's numbers under the names of Lighter 0.0.x: lr and momentum, which is beta1 where there are
// betas; with several groups each has its number, from 1.
func systemStats(o lighter.Optimizer) []lighter.Scalar {
	if o == nil {
		return nil
	}
	var stats []lighter.Scalar
	for i, g := range o.Groups() {
		suffix := ""
		if len(o.Groups()) > 1 {
			suffix = fmt.Sprintf("/group%d", i+1)
		}
		stats = append(stats, lighter.Scalar{Name: o.Name() + "/lr" + suffix, Value: g.LR()})
		momentum, ok := g.Option("momentum").(float64)
		if betas, has := g.Option("betas").([]float64); has && len(betas) > 0 {
			momentum, ok = betas[0], true
		}
		if ok {
			stats = append(stats, lighter.Scalar{Name: o.Name() + "/momentum" + suffix, Value: momentum})
		}
	}
	return stats
}

var (
	_ lighter.Model      = (*System)(nil)
	_ lighter.DataModule = (*System)(nil)
	_ lighter.Wrapper    = (*System)(nil)
)
