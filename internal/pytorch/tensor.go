package pytorch

import (
	"fmt"
	"sort"
	"strings"
	"sync"

	"github.com/lighter-go/lighter/internal/config/expr"
	"github.com/lighter-go/lighter/tensor"
)

// attributes are what a tensor has besides its methods.
var attributes = map[string]func(t tensor.Tensor) any{
	"shape":         func(t tensor.Tensor) any { return Size(t.Shape()) },
	"dtype":         func(t tensor.Tensor) any { return t.DType() },
	"device":        func(t tensor.Tensor) any { return t.Device() },
	"layout":        func(t tensor.Tensor) any { return Layout(t.Layout()) },
	"ndim":          func(t tensor.Tensor) any { return int64(t.Dim()) },
	"requires_grad": func(t tensor.Tensor) any { return t.RequiresGrad() },
	"is_leaf":       func(t tensor.Tensor) any { return t.IsLeaf() },
	"grad": func(t tensor.Tensor) any {
		if g := t.Grad(); g.Defined() {
			return g
		}
		return nil
	},
	"grad_fn": func(t tensor.Tensor) any {
		if name := t.GradFn(); name != "" {
			return gradFn(name)
		}
		return nil
	},
	"data":          func(t tensor.Tensor) any { return t.Detach() },
	"T":             func(t tensor.Tensor) any { return one("numpy_T", t) },
	"mT":            func(t tensor.Tensor) any { return one("mT", t) },
	"H":             func(t tensor.Tensor) any { return one("matrix_H", t) },
	"mH":            func(t tensor.Tensor) any { return one("mH", t) },
	"real":          func(t tensor.Tensor) any { return one("real", t) },
	"imag":          func(t tensor.Tensor) any { return one("imag", t) },
	"is_cuda":       func(t tensor.Tensor) any { return t.Device().Type == tensor.CUDA },
	"is_cpu":        func(t tensor.Tensor) any { return t.Device().Type == tensor.CPU },
	"is_sparse":     func(t tensor.Tensor) any { return t.Layout() == 1 },
	"is_meta":       func(tensor.Tensor) any { return false },
	"is_quantized":  func(tensor.Tensor) any { return false },
	"is_mkldnn":     func(t tensor.Tensor) any { return t.Layout() == 3 },
	"is_nested":     func(tensor.Tensor) any { return false },
	"is_sparse_csr": func(t tensor.Tensor) any { return t.Layout() == 2 },
	"itemsize":      func(t tensor.Tensor) any { return int64(t.DType().Size()) },
	"nbytes":        func(t tensor.Tensor) any { return t.Numel() * int64(t.DType().Size()) },
	"names":         func(t tensor.Tensor) any { return Tuple(make([]any, t.Dim())) },
	"output_nr":     func(t tensor.Tensor) any { return run("output_nr", t) },
	"retains_grad":  func(t tensor.Tensor) any { return run("retains_grad", t) },
	"_version":      func(t tensor.Tensor) any { return run("_version", t) },
}

func init() {
	for _, device := range []string{"mps", "xla", "ipu", "xpu", "vulkan", "mtia", "maia"} {
		attributes["is_"+device] = func(tensor.Tensor) any { return false }
	}
}

// gradFn is the node of autograd's graph that computes a gradient; only its name is of use here.
type gradFn string

// TypeName implements the name in messages.
func (g gradFn) TypeName() string { return string(g) }

// methods are those of a tensor that are no operators of ATen, or take their arguments otherwise. Their first parameter is the
// tensor.
var methods = map[string]*function{}

func method(declared string, body func(a *arguments) any) {
	name := declared[:strings.IndexByte(declared, '(')]
	methods[name] = &function{declared: declared, body: body}
}

// Attr gives t.name: an attribute, or a method as a callable. names are those there are when it is none.
func Attr(t tensor.Tensor, name string) (v any, ok bool, names []string, err error) {
	defer tensor.Recover(&err)
	if f, ok := attributes[name]; ok {
		return f(t), true, nil, nil
	}
	if f, ok := methods[name]; ok {
		return expr.Func(func(args []any, kwargs map[string]any) (any, error) {
			return f.call(append([]any{t}, args...), kwargs)
		}), true, nil, nil
	}
	o, why := methodOf(name)
	if why != "" {
		return nil, false, nil, fmt.Errorf("torch.Tensor.%s is not supported: %s", name, why)
	}
	if o != nil {
		return expr.Func(func(args []any, kwargs map[string]any) (any, error) {
			return o.call(&t, args, kwargs)
		}), true, nil, nil
	}
	return nil, false, tensorNames(), nil
}

// operatorMethod is an operator as a method, or why it is none.
type operatorMethod struct {
	op  *operator
	why string
}

var operatorMethods sync.Map // name -> operatorMethod

// methodOf is the operator that is a tensor's method of the name.
func methodOf(name string) (o *operator, why string) {
	m, ok := operatorMethods.Load(name)
	if !ok {
		found := operatorMethod{why: whyNot("torch.Tensor." + name)}
		if o := find(name); found.why == "" && o != nil && o.method() {
			found.op = o
		}
		if m = found; found.op != nil {
			operatorMethods.Store(name, m)
		}
	}
	return m.(operatorMethod).op, m.(operatorMethod).why
}

// tensorNames are the names of all attributes and methods.
var tensorNames = sync.OnceValue(func() []string {
	var names []string
	for n := range attributes {
		names = append(names, n)
	}
	for n := range methods {
		names = append(names, n)
	}
	for _, n := range tensor.Operators() {
		if n[0] != '_' && methods[n] == nil && attributes[n] == nil {
			if o, _ := methodOf(n); o != nil {
				names = append(names, n)
			}
		}
	}
	sort.Strings(names)
	return names
})

// SetAttr is t.name = v.
func SetAttr(t tensor.Tensor, name string, v any) (err error) {
	defer tensor.Recover(&err)
	switch name {
	case "requires_grad":
		on, ok := v.(bool)
		if !ok {
			return fmt.Errorf("requires_grad must be a bool, not %s", typeName(v))
		}
		t.SetRequiresGrad(on)
	case "grad":
		switch g := v.(type) {
		case nil:
			t.SetGrad(tensor.Tensor{})
		case tensor.Tensor:
			if !g.SameShape(t.Shape()) {
				return fmt.Errorf("assigned grad has data of a different size: %s for %s", describe(g), describe(t))
			}
			t.SetGrad(g)
		default:
			return fmt.Errorf("assigned grad expected to be a Tensor or None but got grad of type %s", typeName(v))
		}
	case "data":
		d, ok := v.(tensor.Tensor)
		if !ok {
			tensor.Fail("data", "Variable data has to be a tensor, but got %s", typeName(v))
		}
		t.SetData(d.Detach())
	default:
		return fmt.Errorf("attribute '%s' of a Tensor cannot be set: only requires_grad, grad and data can", name)
	}
	return nil
}

func init() {
	method("size(self, dim=None)", func(a *arguments) any {
		t := a.tensor(0)
		if a.none(1) {
			return Size(t.Shape())
		}
		return t.Shape()[dimension(a, t, a.int(1))]
	})
	method("stride(self, dim=None)", func(a *arguments) any {
		t := a.tensor(0)
		if a.none(1) {
			return Tuple(Size(t.Strides()).anys())
		}
		return t.Strides()[dimension(a, t, a.int(1))]
	})
	for _, name := range []string{"dim", "ndimension"} {
		method(name+"(self)", func(a *arguments) any { return int64(a.tensor(0).Dim()) })
	}
	for _, name := range []string{"numel", "nelement"} {
		method(name+"(self)", func(a *arguments) any { return a.tensor(0).Numel() })
	}
	method("element_size(self)", func(a *arguments) any { return int64(a.tensor(0).DType().Size()) })
	method("storage_offset(self)", func(a *arguments) any { return a.tensor(0).StorageOffset() })
	method("get_device(self)", func(a *arguments) any {
		if d := a.tensor(0).Device(); d.Type == tensor.CUDA {
			return int64(d.Index)
		}
		return int64(-1)
	})
	method("item(self)", func(a *arguments) any { return item(a.tensor(0)) })
	method("tolist(self)", func(a *arguments) any { return toList(a.tensor(0)) })
	method("backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=None)", func(a *arguments) any {
		var grad tensor.Tensor
		if !a.none(1) {
			grad = a.tensor(1)
		}
		create := a.bool(3)
		retain := create
		if !a.none(2) {
			retain = a.bool(2)
		}
		var inputs []tensor.Tensor
		if t, ok := a.v[4].(tensor.Tensor); ok {
			inputs = []tensor.Tensor{t}
		} else if !a.none(4) {
			inputs = a.tensors(4)
		}
		tensor.BackwardOf([]tensor.Tensor{a.tensor(0)}, []tensor.Tensor{grad}, inputs, retain, create)
		return nil
	})
	method("requires_grad_(self, requires_grad=True)", func(a *arguments) any { return a.tensor(0).SetRequiresGrad(a.bool(1)) })
	method("is_contiguous(self, *, memory_format=None)", func(a *arguments) any {
		t := a.tensor(0)
		switch a.v[1] {
		case nil, Format(tensor.ContiguousFormat):
			return t.IsContiguous()
		case Format(tensor.ChannelsLast):
			return t.IsChannelsLast()
		}
		a.wrong(1, "torch.contiguous_format or torch.channels_last")
		return nil
	})
	for name, d := range map[string]tensor.DType{
		"float": tensor.Float32, "double": tensor.Float64, "half": tensor.Float16, "bfloat16": tensor.BFloat16, "long": tensor.Int64, "int": tensor.Int32,
		"short": tensor.Int16, "char": tensor.Int8, "byte": tensor.Uint8, "bool": tensor.Bool, "cfloat": tensor.Complex64, "cdouble": tensor.Complex128,
	} {
		method(name+"(self, memory_format=None)", func(a *arguments) any {
			t := a.tensor(0)
			if a.none(1) {
				return convert(t, t.Device(), d, false)
			}
			return one("to", t, kw{"dtype", d}, kw{"memory_format", a.v[1]})
		})
	}
	method("cpu(self, memory_format=None)", func(a *arguments) any {
		t := a.tensor(0)
		return convert(t, tensor.Device{}, t.DType(), false)
	})
	method("cuda(self, device=None, non_blocking=False, memory_format=None)", func(a *arguments) any {
		d := tensor.Device{Type: tensor.CUDA}
		if !a.none(1) {
			d = a.device(1)
		}
		t := a.tensor(0)
		return convert(t, d, t.DType(), a.bool(2))
	})
	method("to(self, *args, device=None, dtype=None, non_blocking=False, copy=False, memory_format=None)", to)
	method("type(self, dtype=None, non_blocking=False)", func(a *arguments) any {
		t := a.tensor(0)
		switch d := a.v[1].(type) {
		case nil:
			return legacyType(t)
		case tensor.DType:
			return convert(t, t.Device(), d, a.bool(2))
		}
		a.wrong(1, "torch.dtype")
		return nil
	})
	method("new_tensor(self, data, *, dtype=None, device=None, requires_grad=False)", func(a *arguments) any {
		t := a.tensor(0)
		d, dev := t.DType(), t.Device()
		if !a.none(2) {
			d = a.dtype(2)
		}
		if !a.none(3) {
			dev = a.device(3)
		}
		return newTensor(a, a.v[1], &d, &dev, a.bool(4))
	})
	method("share_memory_(self)", func(a *arguments) any { return a.tensor(0) })
	method("split(self, split_size, dim=0)", split)
	method("is_shared(self)", func(*arguments) any { return false })
	method("to_sparse_coo(self)", func(a *arguments) any { return one("to_sparse", a.tensor(0)) })
	method("lu(self, pivot=True, get_infos=False)", lu)
	method("unflatten(self, dim, sizes)", func(a *arguments) any { return one("unflatten", a.tensor(0), a.v[1], a.ints(2)) })
}

func dimension(a *arguments, t tensor.Tensor, d int64) int64 {
	n := int64(t.Dim())
	if d < -n || d >= n {
		low, high := min(-n, -1), max(n-1, 0)
		panic(&tensor.Error{Op: a.f.name, Kind: tensor.IndexError, Msg: fmt.Sprintf("Dimension out of range (expected to be in range of [%d, %d], but got %d) [%s]", low, high, d, describe(t))})
	}
	return (d + n) % n
}

func (a *arguments) dtype(i int) tensor.DType {
	d, ok := dtypeOf(a.v[i])
	if !ok {
		a.wrong(i, "torch.dtype")
	}
	return d
}

func (a *arguments) device(i int) tensor.Device {
	d, err := deviceOf(a.v[i])
	if err != nil {
		a.fail("%v", err)
	}
	return d
}
