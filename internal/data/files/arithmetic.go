package files

import (
	"errors"
	"fmt"
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/tensor"
)

// Arithmetic is a chain of PyTorch's operations on a column's numbers, in the order written: [{sub: 152}, {div: 77}] is
// (x - 152) / 77 in the column's dtype. An operand is a number, or a list with one for each column.
type Arithmetic []operation

type operation struct {
	name   string
	values []float64
}

// DecodeConfig implements [registry.Decoder].
func (a *Arithmetic) DecodeConfig(v any) error {
	*a = nil
	switch v := v.(type) {
	case nil:
		return nil
	case *config.Dict:
		return a.add(v)
	case []any:
		for _, item := range v {
			d, ok := item.(*config.Dict)
			if !ok {
				return fmt.Errorf("must be %s, got a list with %s", a.ConfigType(), lighter.TypeName(item))
			}
			if err := a.add(d); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("must be %s, got %s", a.ConfigType(), lighter.TypeName(v))
}

// ConfigType implements [registry.Decoder].
func (*Arithmetic) ConfigType() string {
	return "an operation such as {mul: 20}, or a list of them: [{sub: 152}, {div: 77}]"
}

func (a *Arithmetic) add(d *config.Dict) error {
	if len(d.Keys) != 1 {
		return fmt.Errorf("the keys of a mapping have no order: write a list of operations, [{sub: 152}, {div: 77}]; got a mapping with %d keys", len(d.Keys))
	}
	name, _ := d.Keys[0].(string)
	if !slices.Contains([]string{"add", "sub", "mul", "div"}, name) {
		return fmt.Errorf("unknown operation %q: there are add, sub, mul and div", fmt.Sprint(d.Keys[0]))
	}
	operand, isList := d.Values[0].([]any)
	if !isList {
		operand = []any{d.Values[0]}
	}
	if len(operand) == 0 {
		return fmt.Errorf("%s: a list of at least one number is needed", name)
	}
	o := operation{name: name}
	for _, item := range operand {
		v, err := number(item)
		if err == nil && name == "div" && v == 0 {
			err = errors.New("is a division by zero")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		o.values = append(o.values, v)
	}
	*a = append(*a, o)
	return nil
}

func number(v any) (float64, error) {
	switch v := v.(type) {
	case int64:
		return float64(v), nil
	case float64:
		return v, nil
	}
	return 0, fmt.Errorf("must be a number, got %s", lighter.TypeName(v))
}

// apply does the operations on a tensor whose second dimension, if it has one, is the columns.
func (a Arithmetic) apply(x tensor.Tensor) (tensor.Tensor, error) {
	columns := int64(1)
	if x.Dim() > 1 {
		columns = x.Size(1)
	}
	for _, o := range a {
		if len(o.values) == 1 {
			x = tensor.CallOne(o.name, x, o.values[0])
			continue
		}
		if int64(len(o.values)) != columns {
			return x, fmt.Errorf("%s has %d numbers for %d columns", o.name, len(o.values), columns)
		}
		operand := tensor.FromSlice(o.values, columns).To(tensor.Device{}, x.DType())
		for range x.Dim() - 2 {
			operand = tensor.CallOne("unsqueeze", operand, -1)
		}
		x = tensor.CallOne(o.name, x, operand)
	}
	return x, nil
}
