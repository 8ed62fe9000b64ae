package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/lightning"
	"github.com/lighter-go/lighter/tensor"
)

// logged is what hooks have logged by self.log, and what was shown last: Lightning's _LoggerConnector. It is nil until a hook logs.
type logged struct {
	train, eval            *collection
	callback, log, progBar map[string]float64
	loaders                []map[string]float64 // what an evaluation gave, of each loader
}

// collection is that of the loop under way.
func (l *logged) collection(m lighter.Mode) *collection {
	if m == lighter.Train {
		return l.train
	}
	return l.eval
}

// LogValue implements lighter.LightningTrainer.
func (t *Trainer) LogValue(name string, v lighter.Value, a lighter.LogArgs) error {
	switch v.(type) {
	case bool, int, int64, float64, tensor.Tensor, lighter.Metric:
	default:
		return lightning.Wording("`self.log(%s, %v)` was called, but `%s` values cannot be logged", name, v, lighter.TypeName(v))
	}
	if t.args.Barebones {
		t.warnOnce("You are trying to `self.log()` but `Trainer(barebones=True)` is configured. Logging can impact raw speed so it is disabled under this setting.")
		return nil
	}
	switch {
	case t.stage == "predict":
		return lightning.Wording("You are trying to `self.log()` but the loop's result collection is not registered yet. This is most likely because you are trying to log in a `predict` hook, but it doesn't support logging")
	case t.hooks.fx == "":
		return lightning.Wording("You are trying to `self.log()` but it is not managed by the `Trainer` control flow")
	}
	m := meta{fx: t.hooks.fx, name: name, progBar: a.ProgBar, logger: a.Logger == nil || *a.Logger, graph: a.EnableGraph, plainName: a.PlainName,
		sync: a.SyncDist, rankZero: a.RankZeroOnly, metricAttribute: a.MetricAttribute}
	var err error
	if m.onStep, m.onEpoch, err = lightning.Levels(m.fx, a.OnStep, a.OnEpoch); err != nil {
		return err
	}
	if m.reduce, err = lightning.Reduction(a.ReduceFx); err != nil {
		return err
	}
	if !a.PlainName && strings.Contains(name, "/dataloader_idx_") {
		return lightning.Wording("You called `self.log` with the key `%s` but it should not contain information about `dataloader_idx` when `add_dataloader_idx=True`", name)
	}
	if a.Logger != nil && *a.Logger && len(t.loggers) == 0 {
		t.warnOnce(fmt.Sprintf("You called `self.log('%s', ..., logger=True)` but have no logger configured. You can enable one by doing `Trainer(logger=ALogger(...))`", name))
	}
	if v, err = t.scalar(name, v); err != nil {
		return err
	}
	c := t.logs().collection(t.mode)
	weight := a.BatchSize
	if weight == 0 {
		if weight = 1; c.batch != noBatch {
			weight = t.loops[t.mode].size
		}
	}
	return c.log(m, v, a.Forward, weight, t.results.dtype)
}

// LogDict implements lighter.LightningTrainer.
func (t *Trainer) LogDict(values lighter.Dict, a lighter.LogArgs) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if err := t.LogValue(name, values[name], a); err != nil {
			return err
		}
	}
	return nil
}

// LogMetrics implements lighter.LightningTrainer.
func (t *Trainer) LogMetrics(g lighter.MetricGroup, a lighter.LogArgs) error {
	forward, _ := a.Forward.(lighter.Dict)
	for _, m := range g.Members() {
		if a.Forward = nil; forward != nil {
			a.Forward = forward[m.Name]
		}
		if err := t.LogValue(m.Name, m.Metric, a); err != nil {
			return err
		}
	}
	return nil
}

// scalar makes a tensor of a number; a metric stays what it is.
func (t *Trainer) scalar(name string, v lighter.Value) (lighter.Value, error) {
	number := 0.0
	switch x := v.(type) {
	case tensor.Tensor:
		if x.Numel() != 1 {
			return nil, lightning.Wording("`self.log(%s, %s)` was called, but the tensor must have a single element. You can try doing `self.log(%[1]s, value.mean())`", name, lighter.SizeText(x))
		}
		return x, nil
	case lighter.Metric:
		return x, nil
	case bool:
		if x {
			number = 1
		}
	case int:
		number = float64(x)
	case int64:
		number = float64(x)
	case float64:
		number = x
	}
	scalar := tensor.Zeros(nil, t.results.dtype, t.device)
	scalar.Fill(number)
	return scalar, nil
}

// warnOnce warns, unless it has before.
func (t *Trainer) warnOnce(text string) {
	if t.warned == nil {
		t.warned = map[string]bool{}
	}
	if !t.warned[text] {
		t.warned[text] = true
		t.log.Warn().Msg(text)
	}
}

func (t *Trainer) logs() *logged {
	if t.logged == nil {
		t.logged = &logged{train: newCollection(true), eval: newCollection(false),
			callback: map[string]float64{}, log: map[string]float64{}, progBar: map[string]float64{}}
		if t.inBatch { // the hook of a batch is the first that logs
			t.logged.collection(t.mode).beginBatch(t.namedLoader())
		}
	}
	return t.logged
}

func (l *logged) close() {
	if l != nil {
		l.train.close()
		l.eval.close()
	}
}

// state is what a checkpoint within an epoch holds of it.
func (l *logged) state() lighter.Dict {
	if _, err := l.look(l.train); err != nil {
		return lighter.Dict{}
	}
	d := lighter.Dict{"entries": l.train.state()}
	for name, m := range map[string]map[string]float64{"callback": l.callback, "log": l.log, "prog_bar": l.progBar} {
		values := lighter.Dict{}
		for k, v := range m {
			values[k] = v
		}
		d[name] = values
	}
	return d
}

// load is the other way.
func (l *logged) load(d lighter.Dict, device tensor.Device) {
	entries, _ := d["entries"].(lighter.List)
	l.train.load(entries, device)
	for name, m := range map[string]map[string]float64{"callback": l.callback, "log": l.log, "prog_bar": l.progBar} {
		values, _ := d[name].(lighter.Dict)
		for k, v := range values {
			m[k], _ = v.(float64)
		}
	}
}

// namedLoader is the loader whose number is part of names; -1 where there is one.
func (t *Trainer) namedLoader() int {
	if l := &t.loops[t.mode]; t.mode != lighter.Train && len(l.loaders) > 1 {
		return l.loader
	}
	return -1
}

// beginLogs is told of every batch.
func (t *Trainer) beginLogs() {
	t.inBatch = true
	if t.logged != nil {
		t.logged.collection(t.mode).beginBatch(t.namedLoader())
	}
}

// look takes over the values of a collection as those shown last.
func (l *logged) look(c *collection) (shown, error) {
	m, err := c.metrics(c.batch != noBatch)
	if err != nil {
		return m, err
	}
	for _, s := range m.callback {
		l.callback[s.Name] = s.Value
	}
	for _, s := range m.log {
		l.log[s.Name] = s.Value
	}
	for _, s := range m.progBar {
		l.progBar[s.Name] = s.Value
	}
	return m, nil
}

// stepValues are the values of the current batch for a row of its own.
func (t *Trainer) stepValues() ([]lighter.Scalar, error) {
	if t.logged == nil {
		return nil, nil
	}
	m, err := t.logged.look(t.logged.collection(t.mode))
	return m.log, err
}

// loaderValues closes a loader's part of an evaluation.
func (t *Trainer) loaderValues() error {
	t.inBatch = false
	if t.logged == nil {
		return nil
	}
	c := t.logged.eval
	if _, err := t.logged.look(c); err != nil {
		return err
	}
	if c.epochEnded(); t.sanity {
		return nil
	}
	m, err := t.logged.look(c)
	if err != nil {
		return err
	}
	values := map[string]float64{}
	for _, s := range m.log {
		values[s.Name] = s.Value
	}
	t.logged.loaders = append(t.logged.loaders, values)
	return nil
}

// evalValues are an evaluation's values, of all loaders, once the hooks of its end have logged theirs.
func (t *Trainer) evalValues() ([]lighter.Scalar, error) {
	if t.logged == nil || t.sanity {
		return nil, nil
	}
	m, err := t.logged.look(t.logged.eval)
	if err != nil {
		return nil, err
	}
	all := map[string]float64{}
	for i, values := range t.logged.loaders {
		for _, s := range m.log {
			values[s.Name] = s.Value
		}
		maps.Copy(all, t.logged.loaders[i])
	}
	for _, s := range m.log {
		all[s.Name] = s.Value
	}
	var row []lighter.Scalar
	for _, name := range slices.Sorted(maps.Keys(all)) {
		row = append(row, lighter.Scalar{Name: name, Value: all[name]})
	}
	return row, nil
}

// lookBefore takes over the values of the batch before another loop begins or an epoch ends.
func (t *Trainer) lookBefore() error {
	if t.logged == nil || !t.logged.train.unseen {
		return nil
	}
	_, err := t.logged.look(t.logged.train)
	t.logged.train.unseen = false
	return err
}

// LoggedMetrics implements lighter.LightningTrainer.
func (t *Trainer) LoggedMetrics() map[string]float64 {
	return t.lookAt(t.results.logged, func(l *logged) map[string]float64 { return l.log })
}

// ProgBarMetrics implements lighter.LightningTrainer.
func (t *Trainer) ProgBarMetrics() map[string]float64 {
	return t.lookAt(nil, func(l *logged) map[string]float64 { return l.progBar })
}

func (t *Trainer) lookAt(plain map[string]float64, of func(*logged) map[string]float64) map[string]float64 {
	all := maps.Clone(plain)
	if all == nil {
		all = map[string]float64{}
	}
	if t.logged != nil {
		if _, err := t.logged.look(t.logged.collection(t.mode)); err != nil {
			t.warnOnce(err.Error())
		}
		maps.Copy(all, of(t.logged))
	}
	return all
}
