package engine

import (
	"fmt"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/tensor"
)

// precision is the element types of a run. With "true" ones the model, its floating-point inputs and the optimizer's state have
// that type; with "mixed" ones they stay float32 and autocast runs what it can in the lower type.
type precision struct {
	name  string
	dtype tensor.DType // of all floating-point values, or of autocast's operations
	mixed bool
	old   bool // given by one of Lightning's older names
}

var precisions = []precision{
	{name: "32-true", dtype: tensor.Float32},
	{name: "64-true", dtype: tensor.Float64},
	{name: "bf16-mixed", dtype: tensor.BFloat16, mixed: true},
	{name: "16-mixed", dtype: tensor.Float16, mixed: true},
	{name: "bf16-true", dtype: tensor.BFloat16},
	{name: "16-true", dtype: tensor.Float16},
}

// oldPrecisions are Lightning's names from before 2.0.
var oldPrecisions = map[string]string{"16": "16-mixed", "32": "32-true", "64": "64-true", "bf16": "bf16-mixed"}

// DecodeConfig takes Lightning's names and its older ones, numbers among them.
func (p *precision) DecodeConfig(v any) error {
	if v == nil {
		*p = precisions[0]
		return nil
	}
	name := fmt.Sprint(v)
	current, old := oldPrecisions[name]
	if !old {
		current = name
	}
	for _, known := range precisions {
		if _, isText := v.(string); known.name == current && (isText || old) {
			*p = known
			p.old = old && current != "32-true" && current != "64-true"
			return nil
		}
	}
	if strings.HasPrefix(name, "transformer-engine") {
		return fmt.Errorf("precision %q needs NVIDIA's Transformer Engine, which is a Python library: use %s", name, p.ConfigType())
	}
	return fmt.Errorf("precision %q is invalid: use %s", name, p.ConfigType())
}

// ConfigType names the forms.
func (*precision) ConfigType() string {
	names := make([]string, len(precisions))
	for i, p := range precisions {
		names[i] = `"` + p.name + `"`
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// converts says whether floating-point values have another type than float32.
func (p precision) converts() bool { return !p.mixed && p.dtype != tensor.Float32 }

// of is the type a tensor of the model or of a batch is to have.
func (p precision) of(x tensor.Tensor) tensor.DType {
	if p.converts() && x.IsFloat() {
		return p.dtype
	}
	return x.DType()
}

// choosePrecision settles what the device can do.
func (t *Trainer) choosePrecision() {
	p := &t.args.Precision
	if p.old {
		t.log.Warn().Msgf("precision %s is supported for historical reasons but its usage is discouraged. Please set your precision to %s instead!", strings.TrimSuffix(p.name, "-mixed"), p.name)
	}
	if p.name == "16-mixed" && t.device.Type == tensor.CPU {
		t.log.Warn().Msg("You passed `Trainer(accelerator='cpu', precision='16-mixed')` but AMP with fp16 is not supported on CPU. Using `precision='bf16-mixed'` instead.")
		*p = precisions[2]
	}
	t.results.dtype = tensor.Float32
	if p.name == "64-true" {
		t.results.dtype = tensor.Float64
	}
	if p.mixed && p.dtype == tensor.Float16 && t.stage == "fit" {
		t.scaler = newScaler(t.device)
	}
}

// scaler is PyTorch's torch.amp.GradScaler with its defaults: losses are scaled up so that float16 gradients don't vanish, and
// a step whose gradients overflow is left out. Its tensors are float32 scalars on the device, kept.
type scaler struct {
	growth, backoff float64
	interval        int64
	scale, tracker  tensor.Tensor // the tracker counts steps since the scale last changed
	foundInf        tensor.Tensor
}

func newScaler(d tensor.Device) *scaler {
	s := tensor.Open()
	defer s.Close()
	a := &scaler{growth: 2, backoff: 0.5, interval: 2000}
	a.scale = tensor.Zeros(nil, tensor.Float32, d).Keep()
	a.scale.Fill(65536)
	a.tracker = tensor.Zeros(nil, tensor.Int32, d).Keep()
	a.foundInf = tensor.Zeros(nil, tensor.Float32, d).Keep()
	return a
}

func (a *scaler) free() {
	if a != nil {
		a.scale.Free()
		a.tracker.Free()
		a.foundInf.Free()
	}
}

// scaled is a loss to go backward from.
func (a *scaler) scaled(loss tensor.Tensor) tensor.Tensor {
	if a == nil {
		return loss
	}
	return loss.Mul(a.scale)
}

// unscale divides the gradients by the scale, before they are clipped.
func (a *scaler) unscale(params tensor.List) {
	if a == nil || (params == tensor.List{}) {
		return
	}
	a.foundInf.Fill(0)
	d := a.scale.Device() // the reciprocal of a float32 is less exact
	params.UnscaleGrad(tensor.CallOne("reciprocal", a.scale.To(d, tensor.Float64)).To(d, tensor.Float32), a.foundInf)
}

// step steps the optimizer unless a gradient has overflowed, and adapts the scale. Waits for the device, as PyTorch's does.
func (a *scaler) step(o lighter.Optimizer) {
	if a == nil {
		o.Step()
		return
	}
	if a.foundInf.Item() == 0 {
		o.Step()
	}
	tensor.UpdateScale(a.scale, a.tracker, a.foundInf, a.growth, a.backoff, a.interval)
}

// scalerKey is where Lightning keeps the scaler's state in a checkpoint.
const scalerKey = "MixedPrecision"

// state is PyTorch's state_dict of the scaler. Waits for the device.
func (a *scaler) state() *torchfile.Dict {
	return torchfile.NewDict("scale", a.scale.Item(), "growth_factor", a.growth, "backoff_factor", a.backoff,
		"growth_interval", a.interval, "_growth_tracker", a.tracker.Int())
}

// load is the other way. A checkpoint of a run without a scaler leaves the defaults.
func (a *scaler) load(d *torchfile.Dict) {
	if scale, ok := get[float64](d, "scale"); ok {
		a.scale.Fill(scale)
	}
	if n, ok := get[int64](d, "_growth_tracker"); ok {
		a.tracker.Fill(float64(n))
	}
	for key, into := range map[string]*float64{"growth_factor": &a.growth, "backoff_factor": &a.backoff} {
		if v, ok := get[float64](d, key); ok {
			*into = v
		}
	}
	if n, ok := get[int64](d, "growth_interval"); ok {
		a.interval = n
	}
}
