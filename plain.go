package lighter

import (
	"fmt"

	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

// Plain makes of what user code gives the [Value] that the rest of the program knows: tuples are Lists, dicts Dicts.
func Plain(v any) Value {
	switch v := v.(type) {
	case expr.Tuple:
		return Plain([]any(v))
	case List:
		out := make(List, len(v))
		for i, x := range v {
			out[i] = Plain(x)
		}
		return out
	case *expr.Dict:
		out := make(Dict, len(v.Keys))
		for i, k := range v.Keys {
			name, ok := k.(string)
			if !ok {
				name = fmt.Sprint(k)
			}
			out[name] = Plain(v.Values[i])
		}
		return out
	case interface{ Tensor() tensor.Tensor }:
		return v.Tensor()
	}
	return v
}
