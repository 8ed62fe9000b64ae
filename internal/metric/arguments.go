package metric

import (
	"fmt"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

// Options are the arguments of torchmetrics.Metric, which every metric takes. A value is always that of all processes, and is
// computed when it is asked for.
type Options struct {
	ComputeOnCPU           bool `cfg:"compute_on_cpu" help:"keep states that grow with every batch on the CPU (waits for the device)"`
	DistSyncOnStep         bool `cfg:"dist_sync_on_step,ignored" help:"a step's value is that of its process"`
	ProcessGroup           any  `cfg:"process_group,ignored" help:"all processes belong to it"`
	DistSyncFn             any  `cfg:"dist_sync_fn,ignored" help:"the trainer gathers"`
	DistributedAvailableFn any  `cfg:"distributed_available_fn,ignored" help:"the trainer knows"`
	SyncOnCompute          bool `cfg:"sync_on_compute,ignored" help:"the epoch's value is that of all processes"`
	ComputeWithCache       bool `cfg:"compute_with_cache,ignored" help:"a value is computed once an epoch"`
}

var standard = Options{SyncOnCompute: true, ComputeWithCache: true}

// choice is an `average` or `normalize` argument; null is "none".
func choice(s *string) string {
	if s == nil {
		return "none"
	}
	return *s
}

func text(s string) *string { return &s }

func checkThreshold(t float64) error {
	if !(t >= 0 && t <= 1) {
		return lighter.FieldError("threshold", "Expected argument `threshold` to be a float in the [0,1] range, but got %s.", expr.Float(t))
	}
	return nil
}

func checkZeroDivision(z float64) error {
	if z != 0 && z != 1 {
		return lighter.FieldError("zero_division", "Expected argument `zero_division` to be 0 or 1, but got %s.", expr.Float(z))
	}
	return nil
}

// several checks a number of classes or labels.
func several(field string, n int64) error {
	if n < 2 {
		return lighter.FieldError(field, "Expected argument `%s` to be an integer larger than 1, but got %d", field, n)
	}
	return nil
}

// Thresholds are those of a binned curve: a number of them, evenly spread over 0 to 1, or a list. The zero value stands for
// none: a curve through every prediction.
type Thresholds struct {
	values []float64
	count  int64
	given  bool
}

// ConfigType implements the registry's Decoder.
func (*Thresholds) ConfigType() string { return "an int, a list of floats, a tensor or null" }

// DecodeConfig implements the registry's Decoder. Its errors are torchmetrics'.
func (t *Thresholds) DecodeConfig(v any) error {
	*t = Thresholds{given: v != nil}
	switch x := v.(type) {
	case nil:
		return nil
	case int64:
		if x < 2 {
			//lint:ignore ST1005 torchmetrics' wording
			return fmt.Errorf("If argument `thresholds` is an integer, expected it to be larger than 1, but got %d", x)
		}
		t.count = x
		return nil
	case tensor.Tensor:
		if x.Dim() != 1 {
			//lint:ignore ST1005 torchmetrics' wording
			return fmt.Errorf("If argument `thresholds` is an tensor, expected the tensor to be 1d")
		}
		t.values = tensor.Values[float64](x)
		return nil
	case []any:
		for _, item := range x {
			f, ok := item.(float64)
			if !ok || !(f >= 0 && f <= 1) {
				//lint:ignore ST1005 torchmetrics' wording
				return fmt.Errorf("If argument `thresholds` is a list, expected all elements to be floats in the [0,1] range, but got %s", listText(x))
			}
			t.values = append(t.values, f)
		}
		return nil
	}
	//lint:ignore ST1005 torchmetrics' wording
	return fmt.Errorf("Expected argument `thresholds` to either be an integer, list of floats or tensor of floats, but got %v", v)
}

func listText(items []any) string {
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = fmt.Sprint(item)
		if f, ok := item.(float64); ok {
			texts[i] = expr.Float(f)
		}
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// tensor is the thresholds as float32 [T], undefined when there are none.
func (t Thresholds) tensor() tensor.Tensor {
	switch {
	case !t.given:
		return tensor.Tensor{}
	case t.values == nil:
		return tensor.CallOne("linspace", int64(0), int64(1), t.count, tensor.Kwarg{Name: "dtype", Value: tensor.Float32})
	}
	return tensor.FromSlice(t.values, int64(len(t.values))).To(tensor.Device{}, tensor.Float32)
}
