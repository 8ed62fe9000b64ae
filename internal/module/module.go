// Package module holds Lighter's own model, lighter.LighterModule: a network with its loss, optimizer and metrics, and the
// names their values are logged under.
package module

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

const target = "lighter.LighterModule"

// arguments are those of LighterModule.
type arguments struct {
	Network      lighter.Module    `cfg:"network,required,aka=model|net|module" help:"the model to train"`
	Criterion    lighter.Criterion `cfg:"criterion,aka=loss|loss_fn|loss_function" help:"the loss of (prediction, target); fit needs one"`
	Optimizer    lighter.Optimizer `cfg:"optimizer,aka=optim|opt" help:"updates the network's parameters; fit needs one"`
	Scheduler    schedule          `cfg:"scheduler,aka=lr_scheduler" help:"changes the learning rate: a scheduler, or a mapping with interval"`
	TrainMetrics metrics           `cfg:"train_metrics,aka=metrics|training_metrics" help:"a metric or collection of (prediction, target) in training"`
	ValMetrics   metrics           `cfg:"val_metrics,aka=validation_metrics|valid_metrics" help:"a metric or collection in validation"`
	TestMetrics  metrics           `cfg:"test_metrics" help:"a metric or collection in tests"`
}

func init() {
	lighter.Register[lighter.Model](target, arguments{}, "lighter.model.LighterModule")
}

// Doc is the component's prose.
func (arguments) Doc() string {
	return `A network with its loss, optimizer and metrics. Without steps of the user's, a batch is (input, target): the prediction
is network(input), the loss criterion(prediction, target), and the metrics take (prediction, target). Predict gives pred, and
target when the batch has one; it also takes a batch that is a tensor or a one-element list.`
}

// Needs implements the registry's Needer: it has no loaders of its own.
func (arguments) Needs() []string { return []string{"data"} }

// Prune leaves out what a stage has no use for. The criterion stays: it may have state of its own in a checkpoint.
func (arguments) Prune(stage string) []string {
	switch stage {
	case "fit":
		return []string{"test_metrics"}
	case "validate":
		return []string{"optimizer", "scheduler", "train_metrics", "test_metrics"}
	case "test":
		return []string{"optimizer", "scheduler", "train_metrics", "val_metrics"}
	}
	return []string{"optimizer", "scheduler", "train_metrics", "val_metrics", "test_metrics"}
}

// Build makes the module.
func (a arguments) Build(env *lighter.Env) (lighter.Model, error) {
	return newModule(target, "network", a, env), nil
}

func newModule(target, network string, a arguments, env *lighter.Env) *Module {
	m := &Module{arguments: a, log: env.Log, metrics: [...]metrics{a.TrainMetrics, a.ValMetrics, a.TestMetrics, nil}}
	m.SetClass(target)
	m.Add(network, a.Network)
	m.Add("criterion", a.Criterion)
	for mode := lighter.Train; mode <= lighter.Predict; mode++ {
		m.lossStep[mode], m.lossEpoch[mode] = mode.String()+"/loss/step", mode.String()+"/loss/epoch"
	}
	return m
}

// Inner is the network.
func (m *Module) Inner() *lighter.Node { return m.Network.Tree() }

// metrics is one metric, a collection, or a list of metrics.
type metrics []lighter.Metric

// DecodeConfig takes a metric or a list of them.
func (m *metrics) DecodeConfig(v any) error {
	items, ok := v.([]any)
	if !ok && v != nil {
		items = []any{v}
	}
	*m = nil
	for _, item := range items {
		metric, ok := item.(lighter.Metric)
		if !ok {
			return noMetric(lighter.TypeName(item))
		}
		*m = append(*m, metric)
	}
	return nil
}

// several is a list of metrics as one.
type several []lighter.Metric

// TypeName is what it is of.
func (several) TypeName() string { return "MetricCollection" }

// Attr lets user code call all at once.
func (ms several) Attr(name string) (any, bool, []string) {
	if name != "__call__" && name != "update" {
		return nil, false, []string{"update"}
	}
	return registry.Func(func(args []any, _ map[string]any) (any, error) {
		if len(args) != 2 {
			return nil, fmt.Errorf("a list of metrics takes (preds, target), got %d arguments", len(args))
		}
		defer tensor.SetGradEnabled(false)()
		for _, m := range ms {
			m.Update(args[0], args[1])
		}
		return nil, nil
	}), true, nil
}

func noMetric(got string) error {
	return fmt.Errorf("metrics must be Metric or MetricCollection, got %s. Example:\n  train_metrics:\n    _target_: torchmetrics.Accuracy\n    task: multiclass\n    num_classes: 10", got)
}

// CheckConfig takes what will be a metric or a list of them.
func (m *metrics) CheckConfig(v any) error {
	items, ok := v.([]any)
	if !ok {
		items = []any{v}
	}
	for _, item := range items {
		if registry.Fits[lighter.Metric](item) {
			continue
		}
		got := lighter.TypeName(item)
		if p, ok := item.(registry.Promise); ok {
			got = p.Entry.Class()
		}
		return noMetric(got)
	}
	return nil
}

// ConfigType names the form.
func (*metrics) ConfigType() string { return "a metric, a metric collection or a list of metrics" }

// Module is a lighter.LighterModule.
type Module struct {
	lighter.LightningModule
	arguments
	Overrides

	metrics [4]metrics

	batch               lighter.Value // the one under way
	lossStep, lossEpoch [4]string
	log                 zerolog.Logger
	told                map[string]bool // the metrics whose values can't be logged
}

// Forward is the network's.
func (m *Module) Forward(in ...lighter.Value) lighter.Value {
	if m.Overrides.Forward != nil {
		return m.Overrides.Forward(in)
	}
	return m.DefaultForward(in)
}

// DefaultForward is the network's.
func (m *Module) DefaultForward(in []lighter.Value) lighter.Value {
	m.Enter(0)
	out := m.Network.Forward(in...)
	m.Leave()
	return out
}

// ConfigureOptimizers gives the optimizer of a fit and its schedule.
func (m *Module) ConfigureOptimizers(lighter.LightningTrainer) (lighter.Value, error) {
	if m.Optimizer == nil {
		return nil, errors.New("model::optimizer: Optimizer not configured. Add `model::optimizer`, for example:\n  optimizer:\n    _target_: torch.optim.Adam\n    params: $@model::network.parameters()")
	}
	c := lighter.Dict{"optimizer": m.Optimizer}
	if m.Scheduler.Schedule != nil {
		c["lr_scheduler"] = m.Scheduler.Schedule
	}
	return c, nil
}

// Has says what a mode lacks.
func (m *Module) Has(mode lighter.Mode) error {
	if mode == lighter.Train && m.Criterion == nil && m.Overrides.Step[mode] == nil {
		return errors.New("model::criterion is missing: the default training step needs a loss. Example:\n  criterion:\n    _target_: torch.nn.CrossEntropyLoss")
	}
	return nil
}

// Step does one batch.
func (m *Module) Step(t lighter.Trainer, batch lighter.Value, idx int) (lighter.Output, error) {
	m.batch = batch
	if own := m.Overrides.Step[t.Mode()]; own != nil {
		v, err := own(t, batch, idx)
		if err != nil {
			return nil, err
		}
		return output(t.Mode(), v)
	}
	return m.DefaultStep(t, t.Mode(), batch)
}

// DefaultStep is the step without the user's: see the component's Doc.
func (m *Module) DefaultStep(t lighter.Trainer, mode lighter.Mode, batch lighter.Value) (out lighter.Output, err error) {
	pair, isList := batch.(lighter.List)
	if mode == lighter.Predict {
		switch {
		case !isList:
			return lighter.Output{"pred": m.Forward(batch)}, nil
		case len(pair) == 1:
			return lighter.Output{"pred": m.Forward(pair[0])}, nil
		}
	}
	if len(pair) != 2 {
		return nil, unfit(mode, batch)
	}
	if _, nested := pair[0].(lighter.List); nested {
		return nil, unfit(mode, batch)
	}
	pred := m.Forward(pair[0])
	out = lighter.Output{"pred": pred, "target": pair[1]}
	if mode == lighter.Predict {
		return out, nil
	}
	if err := m.checkOnHost(t, pred, pair[1]); err != nil {
		return nil, err
	}
	defer m.blameTarget(pred, pair[1], &err)
	if len(m.metrics[mode]) > 0 {
		restore := tensor.SetGradEnabled(false)
		for _, metric := range m.metrics[mode] {
			metric.Update(pred, pair[1])
		}
		restore()
	}
	if m.Criterion != nil {
		out["loss"] = m.Criterion.Forward(pred, pair[1])
	}
	return out, nil
}

var steps = [...]struct{ method, use string }{
	{"training_step", "use trainer.fit()"}, {"validation_step", "use validation"},
	{"test_step", "use trainer.test()"}, {"predict_step", "use trainer.predict()"},
}

// unfit is Lighter's message for a step that is not there, with what would be.
func unfit(mode lighter.Mode, batch lighter.Value) error {
	got := lighter.TypeName(batch)
	if l, ok := batch.(lighter.List); ok {
		got = fmt.Sprintf("a list of %d", len(l))
		if len(l) > 0 {
			got += ", the first a " + lighter.TypeName(l[0])
		}
	}
	s := steps[mode]
	return fmt.Errorf("LighterModule must implement %s() to %s. The default step takes a batch (input, target), and this one is %s: make the dataset give pairs", s.method, s.use, got)
}

// BatchEnd logs what a batch gave, in Lighter's names.
func (m *Module) BatchEnd(t lighter.Trainer, out lighter.Output, idx int) {
	if own := m.Overrides.BatchEnd[t.Mode()]; own != nil {
		own(t, out, m.batch, idx)
		return
	}
	m.DefaultBatchEnd(t, out, idx)
}

// DefaultBatchEnd logs the outputs of a batch; those of predict are not logged.
func (m *Module) DefaultBatchEnd(t lighter.Trainer, out lighter.Output, idx int) {
	switch {
	case t.Mode() == lighter.Predict:
	case m.LogOutputs != nil:
		m.LogOutputs(t, out, idx)
	default:
		m.DefaultLogOutputs(t, out, idx)
	}
}

// DefaultLogOutputs logs the loss, the metrics, and in the first batch of a training epoch the optimizer's numbers.
func (m *Module) DefaultLogOutputs(t lighter.Trainer, out lighter.Output, idx int) {
	if loss := out["loss"]; m.LogLoss != nil && loss != nil {
		m.LogLoss(t, loss)
	} else {
		m.DefaultLogLoss(t, loss)
	}
	if m.LogMetrics != nil {
		m.LogMetrics(t)
	} else {
		m.DefaultLogMetrics(t)
	}
	if t.Mode() == lighter.Train && idx == 0 {
		for _, s := range optimizerStats(t.Optimizer()) {
			// A mean over this batch, as the reference's is: weighting by its size rounds.
			t.Log("train/optimizer/"+s.Name+"/epoch", tensor.FromSlice([]float32{float32(s.Value)}), lighter.LogOptions{Epoch: true})
		}
	}
}

// DefaultLogLoss logs a loss, or each of a mapping of losses.
func (m *Module) DefaultLogLoss(t lighter.Trainer, loss lighter.Value) {
	m.logLoss(t, loss, 0)
}

// DefaultLogMetrics logs the metrics' values of the batch.
func (m *Module) DefaultLogMetrics(t lighter.Trainer) {
	if !t.StepLogged() {
		return
	}
	m.eachMetric(t.Mode(), lighter.Metric.Batch, func(name string, v tensor.Tensor) {
		t.Log(t.Mode().String()+"/metrics/"+name+"/step", v, lighter.LogOptions{Step: true})
	})
}

// logLoss logs a loss, or the parts of one; size is its weight in an epoch's mean, 0 for the batch's size.
func (m *Module) logLoss(t lighter.Trainer, loss lighter.Value, size int) {
	mode := t.Mode()
	switch loss := loss.(type) {
	case tensor.Tensor:
		t.Log(m.lossStep[mode], loss, lighter.LogOptions{Step: true})
		t.Log(m.lossEpoch[mode], loss, lighter.LogOptions{Epoch: true, BatchSize: size})
	case lighter.Dict:
		for _, name := range slices.Sorted(maps.Keys(loss)) {
			if v, ok := loss[name].(tensor.Tensor); ok {
				t.Log(mode.String()+"/loss/"+name+"/step", v, lighter.LogOptions{Step: true})
				t.Log(mode.String()+"/loss/"+name+"/epoch", v, lighter.LogOptions{Epoch: true, BatchSize: size})
			}
		}
	}
}

// EpochEnd logs the metrics of an epoch and begins the next one.
func (m *Module) EpochEnd(t lighter.Trainer) {
	mode := t.Mode()
	m.eachMetric(mode, lighter.Metric.Compute, func(name string, v tensor.Tensor) {
		t.LogEpoch(mode.String()+"/metrics/"+name+"/epoch", v.Item())
	})
	for _, metric := range m.metrics[mode] {
		metric.Reset()
	}
}

// eachMetric visits the values of a mode's metrics by the names they are logged under: a metric's class, a collection's keys.
func (m *Module) eachMetric(mode lighter.Mode, value func(lighter.Metric) lighter.Value, visit func(string, tensor.Tensor)) {
	if len(m.metrics[mode]) == 0 {
		return
	}
	defer tensor.SetGradEnabled(false)()
	for _, metric := range m.metrics[mode] {
		m.scalars(metric.Name(), value(metric), visit)
	}
}

// Metrics is the metric of a mode, nil when it has none. Several are one that gives each its own (pred, target).
func (m *Module) Metrics(mode lighter.Mode) lighter.Value {
	switch ms := m.metrics[mode]; len(ms) {
	case 0:
		return nil
	case 1:
		return ms[0]
	default:
		return several(ms)
	}
}

// States are the metrics' tensors, which move with the model.
func (m *Module) States() []tensor.Tensor {
	var all []tensor.Tensor
	for _, ms := range m.metrics {
		for _, metric := range ms {
			all = append(all, metric.States()...)
		}
	}
	return all
}

// optimizerStats are an optimizer's numbers under Lighter's names: lr, momentum when the class has it (0 too), the betas,
// weight_decay when it is not 0; with several groups the later ones are marked group1 and so on.
func optimizerStats(o lighter.Optimizer) []lighter.Scalar {
	if o == nil {
		return nil
	}
	var stats []lighter.Scalar
	for i, g := range o.Groups() {
		suffix := ""
		if i > 0 {
			suffix = fmt.Sprintf("/group%d", i)
		}
		add := func(name string, v float64) {
			stats = append(stats, lighter.Scalar{Name: o.Name() + "/" + name + suffix, Value: v})
		}
		add("lr", g.LR())
		if v, ok := g.Option("momentum").(float64); ok {
			add("momentum", v)
		}
		if betas, ok := g.Option("betas").([]float64); ok && len(betas) == 2 {
			add("beta1", betas[0])
			add("beta2", betas[1])
		}
		if v, ok := g.Option("weight_decay").(float64); ok && v != 0 {
			add("weight_decay", v)
		}
	}
	return stats
}

// EpochState is what the training metrics have gathered.
func (m *Module) EpochState() lighter.Dict {
	d := lighter.Dict{}
	for i, metric := range m.metrics[lighter.Train] {
		d[strconv.Itoa(i)] = metric.StateDict()
	}
	return d
}

// LoadEpochState is the other way.
func (m *Module) LoadEpochState(d lighter.Dict) error {
	for i, metric := range m.metrics[lighter.Train] {
		state, ok := d[strconv.Itoa(i)].(lighter.Dict)
		if !ok {
			return errors.New("it holds no state of model::train_metrics")
		}
		if err := metric.LoadStateDict(state); err != nil {
			return err
		}
	}
	return nil
}

var (
	_ lighter.StepModel               = (*Module)(nil)
	_ lighter.ConfigureOptimizersHook = (*Module)(nil)
	_ lighter.TensorHolder            = (*Module)(nil)
	_ lighter.EpochState              = (*Module)(nil)
)
