package callback

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// Averaging is how an average of weights takes the weights of a moment in: what the functions of torch.optim.swa_utils give.
type Averaging interface {
	// update changes averages of n sets of weights, n > 0, by those of now: float tensors of one device.
	update(average, now []tensor.Tensor, n int64)
	// mix gives the same for a tensor of integers, as float32.
	mix(average, now tensor.Tensor, n int64) tensor.Tensor
}

// AvgFn is an argument that names an averaging; nil when it is null.
type AvgFn struct{ Averaging }

// ConfigType names the forms.
func (*AvgFn) ConfigType() string {
	return "null, or an averaging function of torch.optim.swa_utils: get_ema_avg_fn or get_swa_avg_fn"
}

func (a *AvgFn) refuse(v any) error {
	return fmt.Errorf("must be %s; a callable of one's own is not supported, as the averaging is done inside the program; got %s", a.ConfigType(), registry.Describe(v))
}

// DecodeConfig takes what such a function gives.
func (a *AvgFn) DecodeConfig(v any) error {
	if v == nil {
		return nil
	}
	f, ok := v.(Averaging)
	if !ok {
		return a.refuse(v)
	}
	a.Averaging = f
	return nil
}

// CheckConfig takes what will be one.
func (a *AvgFn) CheckConfig(v any) error {
	if v != nil && !registry.Fits[Averaging](v) {
		return a.refuse(v)
	}
	return nil
}

// String is the argument as a configuration has it, for the default.
func (a AvgFn) String() string {
	if a.Averaging == nil {
		return "null"
	}
	return fmt.Sprint(a.Averaging)
}

// or is the averaging, or another one when none was given.
func (a AvgFn) or(other Averaging) Averaging {
	if a.Averaging == nil {
		return other
	}
	return a.Averaging
}

// GetEMAAvgFn is torch.optim.swa_utils.get_ema_avg_fn.
type GetEMAAvgFn struct {
	Decay float64 `cfg:"decay" help:"the part of the average that stays, from 0 to 1"`
}

// GetEMAMultiAvgFn is torch.optim.swa_utils.get_ema_multi_avg_fn.
type GetEMAMultiAvgFn struct {
	Decay float64 `cfg:"decay" help:"the part of the average that stays, from 0 to 1"`
}

// GetSWAAvgFn is torch.optim.swa_utils.get_swa_avg_fn.
type GetSWAAvgFn struct{}

// GetSWAMultiAvgFn is torch.optim.swa_utils.get_swa_multi_avg_fn.
type GetSWAMultiAvgFn struct{}

func init() {
	const utils = "torch.optim.swa_utils."
	lighter.Register[Averaging](utils+"get_ema_avg_fn", GetEMAAvgFn{0.999})
	lighter.Register[Averaging](utils+"get_ema_multi_avg_fn", GetEMAMultiAvgFn{0.999})
	lighter.Register[Averaging](utils+"get_swa_avg_fn", GetSWAAvgFn{})
	lighter.Register[Averaging](utils+"get_swa_multi_avg_fn", GetSWAMultiAvgFn{})
}

// Doc is the component's prose.
func (GetEMAAvgFn) Doc() string { return emaDoc }

// Doc is the component's prose.
func (GetEMAMultiAvgFn) Doc() string { return emaDoc + " It interpolates, whose last bits differ." }

// Doc is the component's prose.
func (GetSWAAvgFn) Doc() string { return swaDoc }

// Doc is the component's prose.
func (GetSWAMultiAvgFn) Doc() string { return swaDoc + " It interpolates, whose last bits differ." }

const (
	emaDoc = "The exponential moving average of weights, for the callbacks that average them."
	swaDoc = "The average in which all weights count the same, for the callbacks that average them."
)

func checkDecay(decay float64) error {
	if !(decay >= 0 && decay <= 1) {
		return lighter.FieldError("decay", "Invalid decay value %s provided. Please provide a value in [0,1] range.", expr.Float(decay))
	}
	return nil
}

// Validate checks the range.
func (c GetEMAAvgFn) Validate() error { return checkDecay(c.Decay) }

// Validate checks the range.
func (c GetEMAMultiAvgFn) Validate() error { return checkDecay(c.Decay) }

// Build gives the averaging.
func (c GetEMAAvgFn) Build(*lighter.Env) (Averaging, error) { return ema{c.Decay}, nil }

// Build gives the averaging.
func (c GetEMAMultiAvgFn) Build(*lighter.Env) (Averaging, error) { return emaMulti{ema{c.Decay}}, nil }

// Build gives the averaging.
func (c GetSWAAvgFn) Build(*lighter.Env) (Averaging, error) { return mean{}, nil }

// Build gives the averaging.
func (c GetSWAMultiAvgFn) Build(*lighter.Env) (Averaging, error) { return meanMulti{}, nil }

// ema is decay * average + (1 - decay) * now, in PyTorch's order of operations.
type ema struct{ decay float64 }

func (e ema) update(average, now []tensor.Tensor, _ int64) {
	part := tensorsIn(tensor.Call("_foreach_mul", now, 1-e.decay)[0])
	tensor.Call("_foreach_mul_", average, e.decay)
	tensor.Call("_foreach_add_", average, part)
}

func (e ema) mix(average, now tensor.Tensor, _ int64) tensor.Tensor {
	return average.To(average.Device(), tensor.Float32).MulScalar(e.decay).Add(now.To(average.Device(), tensor.Float32).MulScalar(1 - e.decay))
}

type emaMulti struct{ ema }

func (e emaMulti) update(average, now []tensor.Tensor, _ int64) {
	tensor.Call("_foreach_lerp_", average, now, 1-e.decay)
}

// mean is average + (now - average) / (n + 1).
type mean struct{}

func (mean) update(average, now []tensor.Tensor, n int64) {
	part := tensorsIn(tensor.Call("_foreach_sub", now, average)[0])
	tensor.Call("_foreach_div_", part, float64(n+1))
	tensor.Call("_foreach_add_", average, part)
}

func (mean) mix(average, now tensor.Tensor, n int64) tensor.Tensor {
	float := func(t tensor.Tensor) tensor.Tensor { return t.To(t.Device(), tensor.Float32) }
	return float(average).Add(float(now.Sub(average)).DivScalar(float64(n + 1)))
}

type meanMulti struct{ mean }

// update has PyTorch's weight, which is a float32.
func (meanMulti) update(average, now []tensor.Tensor, n int64) {
	tensor.Call("_foreach_lerp_", average, now, float64(1/float32(n+1)))
}

func tensorsIn(v any) []tensor.Tensor {
	list, _ := v.([]any)
	out := make([]tensor.Tensor, len(list))
	for i, item := range list {
		out[i], _ = item.(tensor.Tensor)
	}
	return out
}
