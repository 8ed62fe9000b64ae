package pytorch

import (
	"math/big"

	"github.com/lighter-go/lighter/tensor"
)

func isInt(v any) bool {
	switch v.(type) {
	case int64, int:
		return true
	}
	return false
}

func firstNotInt(vs []any) any {
	for _, v := range vs {
		if !isInt(v) {
			return v
		}
	}
	return vs
}

// scalarOf is the value of a tensor of no dimensions that stands for a number.
func scalarOf(t tensor.Tensor) (any, bool) {
	if t.Dim() != 0 || t.RequiresGrad() {
		return nil, false
	}
	switch d := t.DType(); {
	case d == tensor.Bool:
		return t.Int() != 0, true
	case d == tensor.Complex64 || d == tensor.Complex128:
		return nil, false
	case d.IsFloat():
		return t.Item(), true
	}
	return t.Int(), true
}

// convert adds a value as an argument's; false when it is of another type.
func (c *binding) convert(p *param, v any) bool {
	if v == nil {
		if p.optional || p.kind == kindGenerator {
			c.args.None()
			return true
		}
		return false
	}
	if !p.list {
		return c.single(p, v)
	}
	items, ok := elements(v)
	if !ok {
		if p.repeat == 0 {
			return false
		}
		kind := listKind(p)
		switch p.kind {
		case kindInt, kindFloat, kindBool:
		default:
			return false
		}
		c.args.List(kind, p.repeat)
		for range p.repeat {
			if !c.single(p, v) {
				return false
			}
		}
		return true
	}
	c.args.List(listKind(p), len(items))
	for _, it := range items {
		if it == nil && p.element {
			c.args.None()
			continue
		}
		if it == nil || !c.single(p, it) {
			return false
		}
	}
	return true
}

func listKind(p *param) byte {
	switch p.kind {
	case kindTensor:
		if p.element {
			return 'o'
		}
		return 't'
	case kindFloat:
		return 'd'
	case kindBool:
		return 'b'
	case kindNumber:
		return 'x'
	case kindText:
		return 's'
	}
	return 'i'
}

func (c *binding) single(p *param, v any) bool {
	switch p.kind {
	case kindTensor:
		if t, ok := v.(tensor.Tensor); ok {
			c.args.Tensor(t)
			return true
		}
		if p, ok := v.(interface{ Tensor() tensor.Tensor }); ok {
			c.args.Tensor(p.Tensor())
			return true
		}
		if c.op.numbers && !p.list {
			c.args.Wrapped()
			return c.number(v)
		}
		return false
	case kindNumber:
		if t, ok := v.(tensor.Tensor); ok {
			if v, ok = scalarOf(t); !ok {
				return false
			}
		}
		return c.number(v)
	case kindInt:
		if t, ok := v.(tensor.Tensor); ok {
			n, isScalar := scalarOf(t)
			if v, ok = n.(int64); !ok || !isScalar {
				return false
			}
		}
		switch v := v.(type) {
		case int64:
			c.args.Int(v)
			return true
		case int:
			c.args.Int(int64(v))
			return true
		}
	case kindFloat:
		if t, ok := v.(tensor.Tensor); ok {
			if v, ok = scalarOf(t); !ok {
				return false
			}
		}
		if f, ok := toFloat(v); ok {
			c.args.Float(f)
			return true
		}
	case kindBool:
		if b, ok := v.(bool); ok {
			c.args.Bool(b)
			return true
		}
	case kindText:
		if s, ok := v.(string); ok {
			c.args.Text(s)
			return true
		}
	case kindDType:
		if d, ok := dtypeOf(v); ok {
			c.args.Int(int64(d))
			return true
		}
	case kindLayout:
		if l, ok := v.(Layout); ok {
			c.args.Int(int64(l))
			return true
		}
	case kindFormat:
		if f, ok := v.(Format); ok {
			c.args.Int(int64(f))
			return true
		}
	case kindGenerator:
		if g, ok := v.(drawer); ok {
			c.generator = g
			c.args.None()
			return true
		}
	case kindDevice:
		switch v := v.(type) {
		case tensor.Device:
			c.args.Device(v)
			return true
		case string:
			d, err := parseDevice(v)
			if err != nil {
				c.bad.msg = err.Error()
				return false
			}
			c.args.Device(d)
			return true
		case int64:
			c.args.Device(tensor.Device{Type: tensor.CUDA, Index: int(v)})
			return true
		}
	}
	return false
}

func (c *binding) number(v any) bool {
	switch v := v.(type) {
	case bool:
		c.args.Bool(v)
	case int64:
		c.args.Int(v)
	case int:
		c.args.Int(int64(v))
	case float64:
		c.args.Float(v)
	case *big.Int:
		c.bad.msg = "Overflow when unpacking long"
		return false
	default:
		return false
	}
	return true
}

func toFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case int64:
		return float64(v), true
	case int:
		return float64(v), true
	case float64:
		return v, true
	case *big.Int:
		f, _ := new(big.Float).SetInt(v).Float64()
		return f, true
	}
	return 0, false
}
