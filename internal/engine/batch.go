package engine

import (
	"maps"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

// place moves a batch to the device, in the run's element type, and lays out its images.
func (t *Trainer) place(v lighter.Value) lighter.Value {
	p := t.args.Precision
	if t.device.Type == tensor.CPU && t.format == tensor.ContiguousFormat && !p.converts() {
		return v
	}
	return lighter.MapTensors(v, func(x tensor.Tensor) tensor.Tensor {
		if dtype := p.of(x); t.device.Type != tensor.CPU || dtype != x.DType() {
			x = x.ToAsync(t.device, dtype)
		}
		if t.format == tensor.ChannelsLast && x.Dim() == 4 && x.IsFloat() {
			x = x.ToMemoryFormat(tensor.ChannelsLast)
		}
		return x
	})
}

// batchSize is the first dimension of the first tensor in a batch, as Lightning extracts it; 1 when there is none.
func batchSize(v lighter.Value) int {
	if n, ok := firstSize(v); ok {
		return int(n)
	}
	return 1
}

func firstSize(v lighter.Value) (int64, bool) {
	switch x := v.(type) {
	case tensor.Tensor:
		if x.Dim() == 0 {
			return 1, true
		}
		return x.Size(0), true
	case lighter.List:
		for _, item := range x {
			if n, ok := firstSize(item); ok {
				return n, true
			}
		}
	case lighter.Dict:
		for _, key := range slices.Sorted(maps.Keys(x)) {
			if n, ok := firstSize(x[key]); ok {
				return n, true
			}
		}
	}
	return 0, false
}
