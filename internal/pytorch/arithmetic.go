package pytorch

import (
	"fmt"

	"github.com/lighter-go/lighter/tensor"
)

// binaryOp is what Python's operator is in ATen.
type binaryOp struct {
	name    string // tensor op other
	right   string // number op tensor, with the operands in their order
	inPlace string
}

var binaryOps = map[string]binaryOp{
	"+":  {"add", "add", "add_"},
	"-":  {"sub", "", "sub_"},
	"*":  {"mul", "mul", "mul_"},
	"/":  {"div", "", "div_"},
	"//": {"floor_divide", "floor_divide", "floor_divide_"},
	"%":  {"remainder", "remainder", "remainder_"},
	"**": {"pow", "pow", "pow_"},
	"@":  {"matmul", "matmul", ""},
	"&":  {"bitwise_and", "bitwise_and", "bitwise_and_"},
	"|":  {"bitwise_or", "bitwise_or", "bitwise_or_"},
	"^":  {"bitwise_xor", "bitwise_xor", "bitwise_xor_"},
	"<<": {"bitwise_left_shift", "bitwise_left_shift", "bitwise_left_shift_"},
	">>": {"bitwise_right_shift", "bitwise_right_shift", "bitwise_right_shift_"},
	"==": {"eq", "eq", ""},
	"!=": {"ne", "ne", ""},
	"<":  {"lt", "gt", ""},
	"<=": {"le", "ge", ""},
	">":  {"gt", "lt", ""},
	">=": {"ge", "le", ""},
}

func operand(v any) bool {
	switch v.(type) {
	case tensor.Tensor, bool, int64, float64:
		return true
	}
	return false
}

// tensorOf is a tensor, or the one that a parameter holds.
func tensorOf(v any) any {
	if p, ok := v.(interface{ Tensor() tensor.Tensor }); ok {
		return p.Tensor()
	}
	return v
}

// binary is x op y where one of them is a tensor; ok is false when the other is nothing a tensor can be combined with.
func binary(op string, x, y any) (v any, ok bool, err error) {
	x, y = tensorOf(x), tensorOf(y)
	t, left := x.(tensor.Tensor)
	o, known := binaryOps[op]
	if !known || !operand(x) || !operand(y) {
		return nil, false, nil
	}
	if _, both := y.(tensor.Tensor); !both && op == "@" || !left && op == "@" {
		return nil, false, nil
	}
	if left {
		v, err = find(o.name).call(&t, []any{y}, nil)
		return v, true, err
	}
	t = y.(tensor.Tensor)
	switch op {
	case "-":
		v, err = find("rsub").call(nil, []any{t, x}, nil)
	case "/":
		if v, err = find("reciprocal").call(&t, nil, nil); err == nil {
			t = v.(tensor.Tensor)
			v, err = find("mul").call(&t, []any{x}, nil)
		}
	case "//", "%", "**", "<<", ">>":
		v, err = find(o.right).call(nil, []any{x, t}, nil)
	default:
		v, err = find(o.right).call(&t, []any{x}, nil)
	}
	return v, true, err
}

// InPlace is t op= y; where PyTorch has no such operation in place the result is a new tensor.
func InPlace(op string, t tensor.Tensor, y any) (v any, ok bool, err error) {
	y = tensorOf(y)
	o, known := binaryOps[op]
	if !known || !operand(y) {
		return nil, false, nil
	}
	if o.inPlace == "" {
		return binary(op, t, y)
	}
	v, err = find(o.inPlace).call(&t, []any{y}, nil)
	return v, true, err
}

// unary is op t for one of + - ~.
func unary(op string, t tensor.Tensor) (any, error) {
	name := map[string]string{"+": "positive", "-": "neg", "~": "bitwise_not"}[op]
	if name == "" {
		return nil, fmt.Errorf("bad operand type for unary %s: 'Tensor'", op)
	}
	return find(name).call(&t, nil, nil)
}

// Truth is bool(t). Waits for the device.
func Truth(t tensor.Tensor) (v bool, err error) {
	defer tensor.Recover(&err)
	switch t.Numel() {
	case 0:
		tensor.Fail("bool", "Boolean value of Tensor with no values is ambiguous [%s]", describe(t))
	case 1:
		if isComplex(t.DType()) {
			return one("abs", t).Item() != 0, nil
		}
		return t.Item() != 0, nil
	}
	tensor.Fail("bool", "Boolean value of Tensor with more than one value is ambiguous [%s]: say .any() or .all()", describe(t))
	return false, nil
}

// Len is len(t).
func Len(t tensor.Tensor) int64 {
	if t.Dim() == 0 {
		panic(&tensor.Error{Op: "len", Kind: tensor.ValueError, Msg: "len() of a 0-d tensor"})
	}
	return t.Shape()[0]
}

// Iterate gives the parts of t along its first dimension.
func Iterate(t tensor.Tensor) (items []any, err error) {
	defer tensor.Recover(&err)
	if t.Dim() == 0 {
		return nil, fmt.Errorf("iteration over a 0-d tensor")
	}
	items, _ = elements(run("unbind", t))
	return items, nil
}

// Contains is x in t. Waits for the device.
func Contains(t tensor.Tensor, x any) (found bool, err error) {
	defer tensor.Recover(&err)
	if x = tensorOf(x); !operand(x) {
		return false, fmt.Errorf("torch.Tensor.__contains__ only supports Tensor or scalar, but you passed in a %s", typeName(x))
	}
	return one("any", one("eq", t, x)).Int() != 0, nil
}
