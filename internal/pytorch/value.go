package pytorch

import (
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

// Tuple is Python's tuple.
type Tuple = expr.Tuple

// Size is torch.Size: a tuple of ints.
type Size []int64

// TypeName implements the name in messages.
func (Size) TypeName() string { return "torch.Size" }

// Named is a tuple with named elements, as max(dim) gives.
type Named struct {
	class string // "torch.return_types.max"
	names []string
	items Tuple
}

// TypeName implements the name in messages.
func (n *Named) TypeName() string { return n.class }

// Layout is torch.strided and its like, numbered as libtorch's.
type Layout int

var layouts = []string{"strided", "sparse_coo", "sparse_csr", "_mkldnn", "sparse_csc", "sparse_bsr", "sparse_bsc", "jagged"}

// TypeName implements the name in messages.
func (Layout) TypeName() string { return "torch.layout" }

func (l Layout) String() string {
	if int(l) < len(layouts) && l >= 0 {
		return "torch." + layouts[l]
	}
	return fmt.Sprintf("torch.layout(%d)", int(l))
}

// Format is torch.contiguous_format and its like.
type Format tensor.MemoryFormat

var formats = []string{"contiguous_format", "preserve_format", "channels_last", "channels_last_3d"}

// TypeName implements the name in messages.
func (Format) TypeName() string { return "torch.memory_format" }

func (f Format) String() string { return "torch." + formats[f] }

// Elements are those of a Python sequence: a list, a tuple or a size.
func elements(v any) ([]any, bool) {
	switch v := v.(type) {
	case []any:
		return v, true
	case Tuple:
		return v, true
	case Size:
		return v.anys(), true
	case *Named:
		return v.items, true
	case []int64:
		return Size(v).anys(), true
	case []tensor.Tensor:
		out := make([]any, len(v))
		for i, t := range v {
			out[i] = t
		}
		return out, true
	}
	return nil, false
}

// callable is a function of user code or of this package.
func callable(v any) (expr.Func, bool) {
	switch f := v.(type) {
	case expr.Func:
		return f, true
	case *expr.Function:
		return f.Call, true
	case expr.KwFunc:
		return func(args []any, kwargs map[string]any) (any, error) {
			named := &expr.Dict{}
			for _, k := range slices.Sorted(maps.Keys(kwargs)) {
				named.Keys, named.Values = append(named.Keys, k), append(named.Values, kwargs[k])
			}
			return f(args, named)
		}, true
	}
	return nil, false
}

func (s Size) anys() []any {
	out := make([]any, len(s))
	for i, n := range s {
		out[i] = n
	}
	return out
}

// typeName is Python's name for the type of a value.
func typeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case int, int64, *big.Int:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case []any:
		return "list"
	case *expr.Dict:
		return "dict"
	case expr.Func, expr.KwFunc, *expr.Function:
		return "function"
	case expr.Tuple:
		return "tuple"
	case expr.Set:
		return "set"
	case []byte:
		return "bytes"
	case expr.Slice:
		return "slice"
	default:
		return expr.TypeName(v)
	}
}

// typeNames describes a value for an invalid combination of arguments; a sequence with its elements.
func typeNames(v any) string {
	items, ok := elements(v)
	if _, named := v.(*Named); !ok || named {
		return typeName(v)
	}
	text := typeName(v) + " of ("
	if _, isList := v.([]any); isList {
		text = "list of ["
	}
	for i, it := range items {
		switch {
		case i == 6:
			return text + ", ...]"
		case i > 0:
			text += ", "
		}
		text += typeName(it)
	}
	if _, isList := v.([]any); isList {
		return text + "]"
	}
	return text + ")"
}
