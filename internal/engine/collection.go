package engine

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/lightning"
	"github.com/lighter-go/lighter/tensor"
)

// collection is what the hooks of one loop have logged by self.log: Lightning's _ResultCollection. Values stay on their device
// until somebody looks at them.
type collection struct {
	training bool
	entries  []*entry // in the order they were first logged
	byKey    map[string]*entry
	loader   int // whose values count; -1 where there is one loader, and at the end of an epoch
	batch    firstBatch
	fx       string // the hook that logged last
	unseen   bool   // nobody has looked at the batch's values since it began
}

// firstBatch says where a loop is in its epoch: Lightning's _first_loop_iter.
type firstBatch int

const (
	noBatch firstBatch = iota
	first
	later
)

// meta is all that must be the same each time a hook logs a name.
type meta struct {
	fx, name                         string
	progBar, logger, onStep, onEpoch bool
	reduce                           string
	graph, plainName, sync, rankZero bool
	loader                           int
	metricAttribute                  string
}

// entry is a logged name. Its tensors are kept.
type entry struct {
	key string
	meta
	isMetric bool
	metric   lighter.Metric // nil where a checkpoint brought the entry and it has not been logged since
	last     tensor.Tensor  // of the last batch that logged it, a scalar
	sum      tensor.Tensor  // what the epoch has gathered
	weight   int64
	reset    bool // nothing has been logged since the epoch began
	computed *float64
}

func newCollection(training bool) *collection {
	return &collection{training: training, byKey: map[string]*entry{}, loader: -1}
}

// beginBatch is Lightning's on_batch_start.
func (c *collection) beginBatch(loader int) {
	c.unseen = true
	if c.loader = loader; c.batch == noBatch {
		c.batch = first
	} else {
		c.batch = later
	}
}

// epochEnded makes the values those of the epoch.
func (c *collection) epochEnded() { c.batch = noBatch }

// restart drops what is gathered, as at the end of an epoch.
func (c *collection) restart() {
	for _, e := range c.entries {
		e.drop()
		if e.isMetric && e.metric != nil && !e.reset {
			e.metric.Reset()
		}
		e.reset = true
	}
	c.batch, c.fx = noBatch, ""
}

func (c *collection) close() {
	for _, e := range c.entries {
		e.drop()
	}
}

func (e *entry) drop() {
	e.last.Free()
	e.sum.Free()
	e.last, e.sum, e.weight, e.computed = tensor.Tensor{}, tensor.Tensor{}, 0, nil
}

// log records a value: a scalar tensor or a metric. weight is its weight in a mean.
func (c *collection) log(m meta, v, forward lighter.Value, weight int, dtype tensor.DType) error {
	if c.fx != m.fx && c.batch != later { // a new epoch's first values
		for _, e := range c.entries {
			if !e.isMetric && e.fx == m.fx {
				e.drop()
				e.reset = true
			}
		}
	}
	c.fx = m.fx
	key := m.fx + "." + m.name
	m.loader = c.loader
	if !m.plainName && c.loader >= 0 {
		suffix := fmt.Sprintf(".%d", c.loader)
		key, m.fx = key+suffix, m.fx+suffix
	}
	metric, isMetric := v.(lighter.Metric)
	e := c.byKey[key]
	if e == nil {
		e = &entry{key: key, meta: m, isMetric: isMetric}
		c.byKey[key] = e
		c.entries = append(c.entries, e)
	} else if e.meta != m {
		return lightning.Wording("You called `self.log(%s, ...)` twice in `%s` with different arguments. This is not allowed", m.name, m.fx)
	}
	e.reset, e.computed = false, nil
	if isMetric {
		e.metric = metric
		return e.forward(forward)
	}
	e.gather(v.(tensor.Tensor), weight, dtype)
	return nil
}

// forward takes in what a metric gave for a batch.
func (e *entry) forward(v lighter.Value) error {
	if !e.onStep || v == nil {
		return nil
	}
	x, err := e.single(v)
	if err == nil {
		e.last.Free()
		s := tensor.Open()
		e.last = x.Detach().Clone().Keep()
		s.Close()
	}
	return err
}

// gather takes in a value of a batch.
func (e *entry) gather(v tensor.Tensor, weight int, dtype tensor.DType) {
	s := tensor.Open()
	defer s.Close()
	defer tensor.SetGradEnabled(false)()
	if v.DType() == tensor.Float64 {
		dtype = tensor.Float64
	}
	if v = v.Detach().Reshape(); v.DType() != dtype {
		v = v.To(v.Device(), dtype)
	}
	if e.onStep {
		e.last.Free()
		if e.last = v.Clone().Keep(); !e.onEpoch {
			return
		}
	}
	if !e.sum.Defined() {
		if e.reduce == "min" || e.reduce == "max" {
			e.sum = v.Clone().Keep()
			return
		}
		e.sum = tensor.Zeros(nil, dtype, v.Device()).Keep()
	}
	switch e.reduce {
	case "mean":
		e.sum.AddWeighted(v, float64(weight))
		e.weight += int64(weight)
	case "sum":
		e.sum.AddWeighted(v, 1)
	default:
		was := e.sum
		e.sum = tensor.CallOne(e.reduce+"imum", was, v).Keep()
		was.Free()
	}
}

// value is the entry's number in a batch or for the epoch; ok is false when it has none. Waits for the device.
func (e *entry) value(onStep bool) (v float64, ok bool, err error) {
	switch {
	case onStep && !e.onStep, !onStep && !e.onEpoch:
		return 0, false, nil
	case onStep:
		if !e.last.Defined() {
			return 0, false, nil
		}
		return e.last.Item(), true, nil
	case e.computed != nil:
		return *e.computed, true, nil
	case e.isMetric && e.metric == nil:
		return 0, false, nil
	case e.isMetric:
		v, err = e.compute()
		ok = err == nil
	case e.sum.Defined() && e.reduce == "mean":
		dtype := e.sum.DType()
		v, ok = rounded(e.sum.Item()/rounded(float64(e.weight), dtype), dtype), true
	case e.sum.Defined():
		v, ok = e.sum.Item(), true
	}
	if ok {
		e.computed = &v
	}
	return v, ok, err
}

func (e *entry) compute() (float64, error) {
	s := tensor.Open()
	defer s.Close()
	defer tensor.SetGradEnabled(false)()
	x, err := e.single(e.metric.Compute())
	if err != nil {
		return 0, err
	}
	return x.Item(), nil
}

// single is a metric's value, which must be one number.
func (e *entry) single(v lighter.Value) (tensor.Tensor, error) {
	x, ok := v.(tensor.Tensor)
	switch {
	case !ok:
		return x, lightning.Wording("The `.compute()` return of the metric logged as '%s' must be a tensor. Found %s", e.name, lighter.TypeName(v))
	case x.Numel() != 1:
		return x, lightning.Wording("The `.compute()` return of the metric logged as '%s' must have a single element. Found a tensor of shape %s", e.name, lighter.SizeText(x))
	}
	return x, nil
}

// shown are logged values by who looks at them, in the order they were first logged.
type shown struct{ callback, log, progBar []lighter.Scalar }

// metrics are the values that count now: of the batch within an epoch, else of the epoch. Waits for the device.
func (c *collection) metrics(onStep bool) (m shown, err error) {
	for _, e := range c.entries {
		if e.reset || e.loader != c.loader {
			continue
		}
		v, ok, err := e.value(onStep)
		if err != nil {
			return m, err
		}
		if !ok {
			continue
		}
		name, forked := e.names(onStep)
		if e.logger {
			m.log = append(m.log, lighter.Scalar{Name: forked, Value: v})
		}
		if c.training || e.onEpoch && !onStep {
			m.callback = append(m.callback, lighter.Scalar{Name: name, Value: v})
			if forked != name {
				m.callback = append(m.callback, lighter.Scalar{Name: forked, Value: v})
			}
		}
		if e.progBar {
			m.progBar = append(m.progBar, lighter.Scalar{Name: forked, Value: v})
		}
	}
	return m, nil
}

// names are the name a value is logged under, plain and with what tells a batch's from the epoch's where both are logged.
func (e *entry) names(onStep bool) (name, forked string) {
	name, forked = e.name, e.name
	if e.onStep && e.onEpoch {
		if forked += "_epoch"; onStep {
			forked = name + "_step"
		}
	}
	if !e.plainName && e.loader >= 0 {
		suffix := fmt.Sprintf("/dataloader_idx_%d", e.loader)
		name, forked = name+suffix, forked+suffix
	}
	return name, forked
}

// state is what the epoch under way has gathered, for a checkpoint within it. The states of metrics are the model's.
func (c *collection) state() lighter.List {
	out := lighter.List{}
	for _, e := range c.entries {
		if e.reset {
			continue
		}
		d := lighter.Dict{"key": e.key, "fx": e.fx, "name": e.name, "prog_bar": e.progBar, "logger": e.logger, "on_step": e.onStep,
			"on_epoch": e.onEpoch, "reduce_fx": e.reduce, "enable_graph": e.graph, "plain_name": e.plainName, "sync_dist": e.sync,
			"rank_zero_only": e.rankZero, "metric_attribute": e.metricAttribute, "metric": e.isMetric, "weight": e.weight}
		if e.last.Defined() {
			d["last"] = e.last
		}
		if e.sum.Defined() {
			d["sum"] = e.sum
		}
		out = append(out, d)
	}
	return out
}

// load is the other way.
func (c *collection) load(state lighter.List, device tensor.Device) {
	for _, item := range state {
		d, _ := item.(lighter.Dict)
		e := &entry{}
		e.key, _ = d["key"].(string)
		e.fx, _ = d["fx"].(string)
		e.name, _ = d["name"].(string)
		e.reduce, _ = d["reduce_fx"].(string)
		e.metricAttribute, _ = d["metric_attribute"].(string)
		for key, to := range map[string]*bool{"prog_bar": &e.progBar, "logger": &e.logger, "on_step": &e.onStep, "on_epoch": &e.onEpoch,
			"enable_graph": &e.graph, "plain_name": &e.plainName, "sync_dist": &e.sync, "rank_zero_only": &e.rankZero, "metric": &e.isMetric} {
			*to, _ = d[key].(bool)
		}
		e.loader = -1
		e.weight, _ = d["weight"].(int64)
		for key, to := range map[string]*tensor.Tensor{"last": &e.last, "sum": &e.sum} {
			if t, ok := d[key].(tensor.Tensor); ok {
				*to = t.To(device, t.DType()).Keep()
			}
		}
		c.byKey[e.key] = e
		c.entries = append(c.entries, e)
	}
}
