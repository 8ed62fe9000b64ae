package engine

import (
	"maps"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// results gathers what a run logs. Values stay on their device: a step's is read when a row is due, an epoch's mean at its
// end. Those are the points where the host waits.
type results struct {
	records []*record
	byName  map[string]*record
	logged  map[string]float64 // every value written last, by name
	epochs  map[string]float64 // of those, what epochs gave
	dtype   tensor.DType       // float32, or float64 in a run of that precision
}

type record struct {
	name   string
	mode   lighter.Mode
	loader int
	step   bool
	epoch  bool
	last   tensor.Tensor // of the current batch; its scope owns it

	sum    tensor.Tensor // kept; the weighted sum of the epoch, a scalar
	weight int64

	value   float64 // of LogEpoch
	valueOK bool
}

func (r *results) find(name string, m lighter.Mode) *record {
	if rec, ok := r.byName[name]; ok {
		return rec
	}
	r.makeMaps()
	rec := &record{name: name, mode: m}
	r.records = append(r.records, rec)
	r.byName[name] = rec
	return rec
}

func (r *results) makeMaps() {
	if r.byName == nil {
		r.byName, r.logged, r.epochs = map[string]*record{}, map[string]float64{}, map[string]float64{}
	}
}

// record is that of a name in the current mode and loader.
func (t *Trainer) record(name string) *record {
	l := &t.loops[t.mode]
	rec := t.results.find(name+l.suffix(), t.mode)
	rec.loader = l.loader
	return rec
}

// perLoader is what epochs gave, a map a loader.
func (t *Trainer) perLoader() []map[string]float64 {
	out := []map[string]float64{{}}
	if t.logged != nil {
		for i, values := range t.logged.loaders {
			if i > 0 {
				out = append(out, map[string]float64{})
			}
			maps.Copy(out[i], values)
		}
		if t.stage == "fit" {
			maps.Copy(out[0], t.logged.callback)
		}
	}
	for _, rec := range t.results.records {
		for rec.loader >= len(out) {
			out = append(out, map[string]float64{})
		}
		if v, ok := t.results.epochs[rec.name]; ok {
			out[rec.loader][rec.name] = v
		}
	}
	return out
}

// Log records a value of the current batch.
func (t *Trainer) Log(name string, v tensor.Tensor, o lighter.LogOptions) {
	if t.args.Barebones {
		return
	}
	rec := t.record(name)
	rec.step, rec.epoch = o.Step, o.Epoch
	if o.Step {
		rec.last = v
	}
	if !o.Epoch {
		return
	}
	weight := o.BatchSize
	if weight == 0 {
		weight = t.loops[t.mode].size
	}
	if !rec.sum.Defined() {
		s := tensor.Open()
		dtype := t.results.dtype
		if v.DType() == tensor.Float32 { // numbers that are not the model's are float32 in every precision
			dtype = tensor.Float32
		}
		rec.sum = tensor.Zeros(nil, dtype, v.Device()).Keep()
		s.Close()
	}
	rec.sum.AddWeighted(v, float64(weight))
	rec.weight += int64(weight)
}

// LogEpoch records a value at an epoch's end.
func (t *Trainer) LogEpoch(name string, v float64) {
	if t.args.Barebones {
		return
	}
	rec := t.record(name)
	rec.epoch, rec.value, rec.valueOK = true, t.results.rounded(v), true
}

// StepLogged says whether a row of this batch will be written.
func (t *Trainer) StepLogged() bool {
	return t.RowDue() && (t.mode != lighter.Train || t.windowEnds(t.loops[lighter.Train].batch))
}

// RowDue says whether a row of the optimizer step under way will be written.
func (t *Trainer) RowDue() bool {
	if t.sanity || len(t.loggers) == 0 {
		return false
	}
	if t.mode != lighter.Train {
		return true
	}
	n := t.LogEveryNSteps()
	return n > 0 && (t.state.Stepped+1)%int64(n) == 0
}

// WriteRow writes a row of its own at once. Like all that is logged, its values are metrics, as float32.
func (t *Trainer) WriteRow(row []lighter.Scalar) error {
	return t.LogRow(row, t.state.Stepped, false)
}

// Metrics are the values logged last, those of the current batch included. Waits for the device.
func (t *Trainer) Metrics() map[string]float64 {
	all := maps.Clone(t.results.logged)
	if all == nil {
		all = map[string]float64{}
	}
	for _, rec := range t.results.records {
		switch {
		case rec.last.Defined() && rec.step:
			all[rec.name] = rec.last.Item()
		case rec.valueOK:
			all[rec.name] = rec.value
		}
	}
	if t.logged != nil {
		maps.Copy(all, t.lookAt(nil, func(l *logged) map[string]float64 { return l.callback }))
	}
	return all
}

// batchDone forgets the values of the batch, which its scope is about to free.
func (r *results) batchDone() {
	for _, rec := range r.records {
		rec.last = tensor.Tensor{}
	}
}

// stepRow takes the values of the current batch. Waits for the device.
func (r *results) stepRow(m lighter.Mode) []lighter.Scalar {
	var row []lighter.Scalar
	for _, rec := range r.records {
		if rec.mode == m && rec.step && rec.last.Defined() {
			row = append(row, r.keep(rec.name, r.rounded(rec.last.Item())))
		}
	}
	return row
}

func (r *results) keep(name string, v float64) lighter.Scalar {
	r.logged[name] = v
	return lighter.Scalar{Name: name, Value: v}
}

// epochRow takes the values of an epoch and begins the next one. Waits for the device.
func (r *results) epochRow(m lighter.Mode) []lighter.Scalar {
	var row []lighter.Scalar
	for _, rec := range r.records {
		if rec.mode != m || !rec.epoch {
			continue
		}
		switch {
		case rec.valueOK:
			row = append(row, r.keep(rec.name, rec.value))
		case rec.weight > 0:
			row = append(row, r.keep(rec.name, rec.mean()))
		}
	}
	for _, s := range row {
		r.epochs[s.Name] = s.Value
	}
	r.reset(m)
	return row
}

// mean is a sum divided by its weight in the sum's own type.
func (rec *record) mean() float64 {
	dtype := rec.sum.DType()
	return rounded(rec.sum.Item()/rounded(float64(rec.weight), dtype), dtype)
}

func (r *results) reset(m lighter.Mode) {
	for _, rec := range r.records {
		if rec.mode != m {
			continue
		}
		if rec.sum.Defined() {
			rec.sum.Fill(0)
		}
		rec.weight, rec.valueOK = 0, false
	}
}

// resultsOf is nothing logged yet, in a run of this element type.
func resultsOf(dtype tensor.DType) results { return results{dtype: dtype} }

// rounded is a value as the run's precision has it.
func (r *results) rounded(v float64) float64 { return rounded(v, r.dtype) }

// rounded is a value as float64 has it, or as float32, in which all other types are logged.
func rounded(v float64, dtype tensor.DType) float64 {
	if dtype == tensor.Float64 {
		return v
	}
	return float64(float32(v))
}

func (r *results) close() {
	for _, rec := range r.records {
		rec.sum.Free()
		rec.sum = tensor.Tensor{}
	}
}

// state is what training has gathered in the epoch under way, and what was logged last.
func (r *results) state() lighter.Dict {
	gathered := lighter.List{}
	for _, rec := range r.records {
		if rec.mode != lighter.Train || rec.weight == 0 && !rec.valueOK {
			continue
		}
		d := lighter.Dict{"name": rec.name, "step": rec.step, "weight": rec.weight}
		if rec.sum.Defined() {
			d["sum"] = rec.sum
		}
		if rec.valueOK {
			d["value"] = rec.value
		}
		gathered = append(gathered, d)
	}
	logged := lighter.Dict{}
	for name, v := range r.logged {
		logged[name] = v
	}
	return lighter.Dict{"gathered": gathered, "logged": logged}
}

// load is the other way; what does not fit is left out.
func (r *results) load(d lighter.Dict, device tensor.Device) {
	r.makeMaps()
	gathered, _ := d["gathered"].(lighter.List)
	for _, item := range gathered {
		g, _ := item.(lighter.Dict)
		name, ok := g["name"].(string)
		if !ok {
			continue
		}
		rec := r.find(name, lighter.Train)
		rec.epoch = true
		rec.step, _ = g["step"].(bool)
		rec.weight, _ = g["weight"].(int64)
		rec.value, rec.valueOK = g["value"].(float64)
		if sum, ok := g["sum"].(tensor.Tensor); ok {
			rec.sum = sum.To(device, sum.DType()).Keep()
		}
	}
	logged, _ := d["logged"].(lighter.Dict)
	for name, v := range logged {
		if f, ok := v.(float64); ok {
			r.logged[name] = f
		}
	}
}

// write gives a row to every logger. withEpoch is false for the step rows of validation and test.
func (t *Trainer) write(row []lighter.Scalar, step int64, withEpoch bool) error {
	if len(row) == 0 || t.sanity {
		return nil
	}
	if i := slices.IndexFunc(row, func(s lighter.Scalar) bool { return s.Name == "step" }); i >= 0 && withEpoch { // Lightning's convention
		step = int64(row[i].Value)
		row = slices.Delete(slices.Clone(row), i, i+1)
	} else if withEpoch {
		row = append(row, lighter.Scalar{Name: "epoch", Value: float64(t.state.Epoch)})
	}
	for _, l := range t.loggers {
		if err := l.LogMetrics(row, step); err != nil {
			return err
		}
	}
	return t.dispatchRow(row, step)
}
