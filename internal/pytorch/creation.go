package pytorch

import (
	"github.com/lighter-go/lighter/internal/creation"
	"github.com/lighter-go/lighter/tensor"
)

// nested is data for torch.tensor.
type nested struct{ creation.Nested }

// readNested reads numbers in nested sequences; a tensor of one element is a number.
func readNested(v any) (*nested, error) {
	n := &nested{}
	plain, err := plainData(v)
	if err != nil {
		return nil, err
	}
	return n, n.DecodeConfig(plain)
}

// plainData is v with lists in the place of all sequences, and numbers in that of the tensors among them.
func plainData(v any) (any, error) {
	items, ok := elements(v)
	if !ok {
		return v, nil
	}
	out := make([]any, len(items))
	for i, it := range items {
		if t, ok := it.(tensor.Tensor); ok {
			if t.Numel() != 1 {
				return nil, &tensor.Error{Op: "tensor", Kind: tensor.ValueError, Msg: "only one element tensors can be converted to Python scalars [" + describe(t) + "]: torch.stack joins tensors"}
			}
			out[i] = item(t)
			continue
		}
		p, err := plainData(it)
		if err != nil {
			return nil, err
		}
		out[i] = p
	}
	return out, nil
}

func (n *nested) make(d tensor.DType) (tensor.Tensor, error) {
	return n.Make(creation.DTypeOf(d))
}

// newTensor is torch.tensor(data): always a copy. dtype and device are inferred when nil.
func newTensor(a *arguments, data any, dtype *tensor.DType, device *tensor.Device, requiresGrad bool) tensor.Tensor {
	var t tensor.Tensor
	if from, ok := tensorOf(data).(tensor.Tensor); ok {
		d, dev := from.DType(), from.Device()
		if dtype != nil {
			d = *dtype
		}
		if device != nil {
			dev = *device
		}
		t = from.Detach().Clone().To(dev, d)
	} else {
		n, err := readNested(data)
		if err != nil {
			raise(a.f.name, err)
		}
		d := n.Infer()
		if dtype != nil {
			d = *dtype
		}
		if t, err = n.make(d); err != nil {
			raise(a.f.name, err)
		}
		if device != nil {
			t = convert(t, *device, d, false)
		}
	}
	if requiresGrad {
		t.SetRequiresGrad(true)
	}
	return t
}

func (a *arguments) optDType(i int) *tensor.DType {
	if a.none(i) {
		return nil
	}
	d := a.dtype(i)
	return &d
}

func (a *arguments) optDevice(i int) *tensor.Device {
	if a.none(i) {
		return nil
	}
	d := a.device(i)
	return &d
}

func init() {
	def("torch.tensor(data, *, dtype=None, device=None, requires_grad=False, pin_memory=False)", func(a *arguments) any {
		return newTensor(a, a.v[0], a.optDType(1), a.optDevice(2), a.bool(3))
	})
	for _, name := range []string{"as_tensor(data, dtype=None, device=None)", "asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=False)"} {
		def("torch."+name, func(a *arguments) any {
			if t, ok := tensorOf(a.v[0]).(tensor.Tensor); ok && !(len(a.v) > 3 && a.bool(3)) {
				d, dev := t.DType(), t.Device()
				if !a.none(1) {
					d = a.dtype(1)
				}
				if !a.none(2) {
					dev = a.device(2)
				}
				return convert(t, dev, d, false)
			}
			return newTensor(a, a.v[0], a.optDType(1), a.optDevice(2), len(a.v) > 4 && a.bool(4))
		})
	}
	def("torch.sparse_coo_tensor(indices, values=None, size=None, *, dtype=None, device=None, pin_memory=None, requires_grad=False, check_invariants=None, is_coalesced=None)", func(a *arguments) any {
		long := tensor.Int64
		asTensor := func(i int, dtype *tensor.DType) tensor.Tensor {
			if t, ok := tensorOf(a.v[i]).(tensor.Tensor); ok {
				return t
			}
			return newTensor(a, a.v[i], dtype, nil, false)
		}
		indices := asTensor(0, &long).To(tensor.Device{}, long)
		values := asTensor(1, a.optDType(3))
		if !a.none(3) {
			values = convert(values, values.Device(), a.dtype(3), false)
		}
		var t tensor.Tensor
		if a.none(2) {
			t = one("sparse_coo_tensor", indices, values)
		} else {
			t = one("sparse_coo_tensor", indices, values, a.ints(2))
		}
		if a.bool(6) {
			t.SetRequiresGrad(true)
		}
		return t
	})
}
