// Package safetensors reads and writes the files of Hugging Face's safetensors: the length of a header, the header (JSON that
// names each tensor with its type, shape and place), and the tensors' bytes.
//
// [Read] refuses what the format forbids (https://github.com/huggingface/safetensors#format): a header of more than 100 MB or
// that does not begin with "{", names that stand twice (Python's reader takes one of them), bytes that belong to no tensor or
// to two, places beyond the file, and shapes that don't fit their bytes. The format has no checksums.
//
// A tensor is one of package torchfile, and its bytes stay in the file until they are taken.
package safetensors

import (
	"errors"

	"github.com/lighter-go/lighter/internal/torchfile"
)

var (
	// ErrDamaged: the file breaks the format's rules.
	ErrDamaged = errors.New("safetensors file is damaged")
	// ErrNotSafetensors: the file is something else altogether.
	ErrNotSafetensors = errors.New("file is not a safetensors file")
)

// Tensor is a tensor under its name.
type Tensor struct {
	Name string
	*torchfile.Tensor
}

// dtypes are the format's names of element types, in its order, which is that of growing alignment. The two complex types
// and float8 variants are where the format's own list has them.
var dtypes = []struct {
	name  string
	dtype torchfile.DType
}{
	{"BOOL", torchfile.Bool},
	{"U8", torchfile.Uint8},
	{"I8", torchfile.Int8},
	{"F8_E5M2", torchfile.Float8E5M2},
	{"F8_E4M3", torchfile.Float8E4M3FN},
	{"F8_E8M0", torchfile.Float8E8M0FNU},
	{"F8_E4M3FNUZ", torchfile.Float8E4M3FNUZ},
	{"F8_E5M2FNUZ", torchfile.Float8E5M2FNUZ},
	{"I16", torchfile.Int16},
	{"U16", torchfile.Uint16},
	{"F16", torchfile.Float16},
	{"BF16", torchfile.BFloat16},
	{"I32", torchfile.Int32},
	{"U32", torchfile.Uint32},
	{"F32", torchfile.Float32},
	{"C64", torchfile.Complex64},
	{"F64", torchfile.Float64},
	{"I64", torchfile.Int64},
	{"U64", torchfile.Uint64},
}

func dtypeOf(name string) (torchfile.DType, bool) {
	for _, d := range dtypes {
		if d.name == name {
			return d.dtype, true
		}
	}
	return 0, false
}

// rank is a type's place in the list, -1 for one the format does not have.
func rank(t torchfile.DType) int {
	for i, d := range dtypes {
		if d.dtype == t {
			return i
		}
	}
	return -1
}
