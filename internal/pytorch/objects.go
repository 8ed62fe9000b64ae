package pytorch

import (
	"fmt"

	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

func init() { registry.Give(objects{}) }

// objects gives expressions the values and names of this package.
type objects struct{}

func (objects) Name(full string) (any, bool) { return Name(full) }
func (objects) Names() []string              { return Names() }

func (objects) Knows(v any) bool {
	switch v.(type) {
	case tensor.Tensor, tensor.DType, tensor.Device, Size, Tuple, *Named, *info, *guarded, Layout, Format, gradFn, Ellipsis:
		return true
	}
	_, ok := v.(interface{ Tensor() tensor.Tensor })
	return ok
}

func (objects) Attr(v any, name string) (any, bool, []string) {
	switch v := tensorOf(v).(type) {
	case tensor.Tensor:
		x, ok, names, err := Attr(v, name)
		if err != nil {
			return err, false, nil
		}
		return x, ok, names
	case tensor.DType:
		return dtypeAttr(v, name)
	case tensor.Device:
		return deviceAttr(v, name)
	case registry.Attributer:
		return v.Attr(name)
	}
	return nil, false, nil
}

func (objects) Index(v, i any) (any, error) {
	switch v := tensorOf(v).(type) {
	case tensor.Tensor:
		return Index(v, i)
	case registry.Indexer:
		return v.Index(i)
	}
	return nil, fmt.Errorf("'%s' object is not subscriptable", typeName(v))
}

func (objects) Iterate(v any) ([]any, error) {
	switch v := tensorOf(v).(type) {
	case tensor.Tensor:
		return Iterate(v)
	case registry.Iterable:
		return v.Iterate(), nil
	}
	return nil, fmt.Errorf("'%s' object is not iterable", typeName(v))
}

func (objects) Binary(op string, x, y any) (any, bool, error) {
	_, xt := tensorOf(x).(tensor.Tensor)
	_, yt := tensorOf(y).(tensor.Tensor)
	if xt || yt {
		return binary(op, x, y)
	}
	switch x.(type) {
	case Tuple, Size, *Named:
		return sequenceBinary(op, x, y)
	}
	switch y.(type) {
	case Tuple, Size, *Named:
		return sequenceBinary(op, x, y)
	}
	return nil, false, nil
}

func (objects) Unary(op string, x any) (any, bool, error) {
	if t, ok := tensorOf(x).(tensor.Tensor); ok {
		v, err := unary(op, t)
		return v, true, err
	}
	return nil, false, nil
}
