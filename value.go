package lighter

import "github.com/lighter-go/lighter/tensor"

// MapTensors is v with f applied to every tensor in it.
func MapTensors(v Value, f func(tensor.Tensor) tensor.Tensor) Value {
	switch x := v.(type) {
	case tensor.Tensor:
		return f(x)
	case List:
		out := make(List, len(x))
		for i := range x {
			out[i] = MapTensors(x[i], f)
		}
		return out
	case Dict:
		out := make(Dict, len(x))
		for k := range x {
			out[k] = MapTensors(x[k], f)
		}
		return out
	}
	return v
}
