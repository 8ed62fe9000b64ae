package tensor

import "fmt"

// DType is an element type, numbered as libtorch's ScalarType.
type DType int

// The element types, by PyTorch's names.
const (
	Uint8      DType = 0
	Int8       DType = 1
	Int16      DType = 2
	Int32      DType = 3
	Int64      DType = 4
	Float16    DType = 5
	Float32    DType = 6
	Float64    DType = 7
	Complex64  DType = 9
	Complex128 DType = 10
	Bool       DType = 11
	BFloat16   DType = 15
)

var dtypes = []struct {
	dtype   DType
	name    string
	size    int
	aliases []string
}{
	{Uint8, "uint8", 1, nil},
	{Int8, "int8", 1, nil},
	{Int16, "int16", 2, []string{"short"}},
	{Int32, "int32", 4, []string{"int"}},
	{Int64, "int64", 8, []string{"long"}},
	{Float16, "float16", 2, []string{"half"}},
	{Float32, "float32", 4, []string{"float"}},
	{Float64, "float64", 8, []string{"double"}},
	{Complex64, "complex64", 8, []string{"cfloat"}},
	{Complex128, "complex128", 16, []string{"cdouble"}},
	{Bool, "bool", 1, nil},
	{BFloat16, "bfloat16", 2, nil},
}

// String is PyTorch's name without the module: "float32".
func (d DType) String() string {
	for _, t := range dtypes {
		if t.dtype == d {
			return t.name
		}
	}
	return fmt.Sprintf("dtype(%d)", int(d))
}

// TypeName is the class's name in PyTorch, for messages.
func (DType) TypeName() string { return "torch.dtype" }

// Size is the number of bytes of one element.
func (d DType) Size() int {
	for _, t := range dtypes {
		if t.dtype == d {
			return t.size
		}
	}
	return 0
}

// IsFloat says whether the type holds real floating-point numbers.
func (d DType) IsFloat() bool { return d == Float16 || d == Float32 || d == Float64 || d == BFloat16 }

// ParseDType knows PyTorch's names and their aliases, with or without "torch.".
func ParseDType(name string) (DType, bool) {
	if len(name) > 6 && name[:6] == "torch." {
		name = name[6:]
	}
	for _, t := range dtypes {
		if t.name == name {
			return t.dtype, true
		}
		for _, a := range t.aliases {
			if a == name {
				return t.dtype, true
			}
		}
	}
	return 0, false
}

// DTypeNames lists PyTorch's names of the element types.
func DTypeNames() []string {
	names := make([]string, len(dtypes))
	for i, t := range dtypes {
		names[i] = t.name
	}
	return names
}
