package callback

import (
	"fmt"
	"time"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// ThroughputMonitor are the arguments of Lightning's callback that logs how fast a run is.
// https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.callbacks.ThroughputMonitor.html
type ThroughputMonitor struct {
	BatchSizeFn SizeFn `cfg:"batch_size_fn" help:"gives the samples of a batch; null for the first dimension of its first tensor"`
	LengthFn    SizeFn `cfg:"length_fn" help:"gives the items of a batch, such as its tokens; null for none"`
	WindowSize  int    `cfg:"window_size" help:"batches that a rate is an average over"`
	Separator   string `cfg:"separator" help:"between the parts of the names"`
}

func init() {
	lighter.Register[lighter.Callback]("pytorch_lightning.callbacks.ThroughputMonitor", ThroughputMonitor{WindowSize: 100, Separator: "/"},
		aliases("callbacks", "throughput_monitor", "ThroughputMonitor")...)
}

// Doc is the component's prose.
func (ThroughputMonitor) Doc() string {
	return `Logs train/time, train/batches and train/samples (and lengths), and once window_size batches are done
train/device/batches_per_sec, samples_per_sec and items_per_sec; of an evaluation under validate, test and predict.
FLOPs are not counted.`
}

// SizeFn is an argument that is a function of a batch.
type SizeFn struct{ call registry.Func }

// ConfigType names the forms.
func (*SizeFn) ConfigType() string {
	return "a function such as `$lambda batch: batch[0].shape[0]`, or null"
}

// DecodeConfig takes a function.
func (f *SizeFn) DecodeConfig(v any) error {
	call, ok := v.(registry.Func)
	if !ok && v != nil {
		return fmt.Errorf("must be %s, got %s", f.ConfigType(), registry.Describe(v))
	}
	f.call = call
	return nil
}

func (f SizeFn) of(name string, batch lighter.Value) (int64, error) {
	v, err := f.call([]any{batch}, nil)
	if err != nil {
		return 0, wording("%s of ThroughputMonitor: %w", name, err)
	}
	switch n := v.(type) {
	case int64:
		return n, nil
	case tensor.Tensor:
		if n.Numel() == 1 {
			return n.Int(), nil
		}
	}
	return 0, wording("%s of ThroughputMonitor must give an int, got %s", name, registry.Describe(v))
}

// Validate checks the window.
func (a ThroughputMonitor) Validate() error {
	if a.WindowSize < 2 {
		return lighter.FieldError("window_size", "must be at least 2, as a rate is the difference of two batches; got %d", a.WindowSize)
	}
	return nil
}

// Build makes the callback.
func (a ThroughputMonitor) Build(*lighter.Env) (lighter.Callback, error) {
	return &throughput{args: a, now: time.Now}, nil
}

type throughput struct {
	args ThroughputMonitor
	now  func() time.Time

	runs            [lighter.Predict + 1]*pace
	samples, length int64 // of the batch under way
	evaluated       int64 // batches of evaluations since the epoch of training began
}

// pace is how a mode goes on: what was done when, for the last batches.
type pace struct {
	start  time.Time
	total  done
	window []done
}

// done is what a mode has done so far.
type done struct {
	seconds                   float64
	batches, samples, lengths int64
}

var (
	_ lighter.EpochStarter = (*throughput)(nil)
	_ lighter.EpochEnder   = (*throughput)(nil)
	_ lighter.BatchStarter = (*throughput)(nil)
	_ lighter.BatchEnder   = (*throughput)(nil)
)

// EpochStart starts the clock of an evaluation.
func (p *throughput) EpochStart(t lighter.Trainer) error {
	switch m := t.Mode(); {
	case m == lighter.Train:
		p.evaluated = 0
	case !t.SanityChecking():
		p.runs[m] = &pace{start: p.now()}
	}
	return nil
}

// BatchStart starts the clock of training at its first batch, and measures the batch.
func (p *throughput) BatchStart(t lighter.Trainer, batch lighter.Value, _ int) (err error) {
	if t.SanityChecking() {
		return nil
	}
	if m := t.Mode(); p.runs[m] == nil {
		p.runs[m] = &pace{start: p.now()}
	}
	c, err := controlOf(t)
	if err != nil {
		return err
	}
	p.samples = int64(c.BatchSize())
	if p.args.BatchSizeFn.call != nil {
		if p.samples, err = p.args.BatchSizeFn.of("batch_size_fn", batch); err != nil {
			return err
		}
	}
	if p.args.LengthFn.call != nil {
		p.length, err = p.args.LengthFn.of("length_fn", batch)
	}
	return err
}

// BatchEnd counts the batch. It does not wait for the device as Lightning does: a rate over many batches is the same.
func (p *throughput) BatchEnd(t lighter.Trainer, _ lighter.Output, idx int) error {
	if t.SanityChecking() {
		return nil
	}
	c, err := controlOf(t)
	if err != nil {
		return err
	}
	m := t.Mode()
	r := p.runs[m]
	r.total.seconds = p.now().Sub(r.start).Seconds()
	r.total.batches++
	r.total.samples += p.samples
	r.total.lengths += p.length
	switch d := r.total; {
	case d.samples < d.batches:
		return wording("ThroughputMonitor: Expected samples (%d) to be greater or equal than batches (%d)", d.samples, d.batches)
	case p.args.LengthFn.call != nil && d.lengths < d.samples:
		return wording("ThroughputMonitor: Expected lengths (%d) to be greater or equal than samples (%d)", d.lengths, d.samples)
	}
	if r.window = append(r.window, r.total); len(r.window) > p.args.WindowSize {
		r.window = r.window[1:]
	}
	if m == lighter.Train {
		if !t.StepLogged() {
			return nil
		}
		return c.LogRow(p.row(m), c.Stepped(), true)
	}
	p.evaluated++
	if !rowDue(c, idx) {
		return nil
	}
	return c.LogRow(p.row(m), p.evaluated, false)
}

// EpochEnd takes the time of a validation out of that of training.
func (p *throughput) EpochEnd(t lighter.Trainer) error {
	train, val := p.runs[lighter.Train], p.runs[lighter.Val]
	if t.Mode() != lighter.Val || t.SanityChecking() || train == nil || val == nil {
		return nil
	}
	trained := train.start.Add(time.Duration(train.total.seconds * float64(time.Second)))
	train.start = train.start.Add(val.start.Sub(trained) + time.Duration(val.total.seconds*float64(time.Second)))
	return nil
}

// row are the values under Lightning's names.
func (p *throughput) row(m lighter.Mode) []lighter.Scalar {
	r, sep := p.runs[m], p.args.Separator
	stage := [...]string{"train", "validate", "test", "predict"}[m] + sep
	row := []lighter.Scalar{
		{Name: stage + "time", Value: r.total.seconds}, {Name: stage + "batches", Value: float64(r.total.batches)},
		{Name: stage + "samples", Value: float64(r.total.samples)},
	}
	counted := p.args.LengthFn.call != nil
	if counted {
		row = append(row, lighter.Scalar{Name: stage + "lengths", Value: float64(r.total.lengths)})
	}
	if len(r.window) < p.args.WindowSize {
		return row
	}
	first := r.window[0]
	rate := func(name string, n int64) {
		row = append(row, lighter.Scalar{Name: stage + "device" + sep + name, Value: float64(n) / (r.total.seconds - first.seconds)})
	}
	rate("batches_per_sec", r.total.batches-first.batches)
	rate("samples_per_sec", r.total.samples-first.samples)
	if counted {
		rate("items_per_sec", r.total.lengths-first.lengths)
	}
	return row
}
