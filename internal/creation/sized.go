package creation

import (
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// Zeros is torch.zeros.
type Zeros struct {
	Size         Sizes  `cfg:"size,required,args" help:"the shape: ints or one list of ints"`
	DType        DType  `cfg:"dtype" help:"element type; float32 when null"`
	Device       Device `cfg:"device" help:"where the data lies"`
	RequiresGrad bool   `cfg:"requires_grad" help:"record operations on it for autograd"`
}

// Build makes the tensor.
func (c Zeros) Build(*registry.Env) (tensor.Tensor, error) { return c.fill("zeros") }

// fill runs a creation operator whose schema begins with the shape.
func (c Zeros) fill(op string) (t tensor.Tensor, err error) {
	defer tensor.Recover(&err)
	t = tensor.CallOne(op, []int64(c.Size), tensor.Kwarg{Name: "dtype", Value: c.DType.optional()}, tensor.Kwarg{Name: "device", Value: c.Device.Device})
	return finish(t, c.Device, c.RequiresGrad), nil
}

// Ones is torch.ones.
type Ones Zeros

// Build makes the tensor.
func (c Ones) Build(*registry.Env) (tensor.Tensor, error) { return Zeros(c).fill("ones") }

// Empty is torch.empty: elements that are not set.
type Empty Zeros

// Build makes the tensor.
func (c Empty) Build(*registry.Env) (tensor.Tensor, error) { return Zeros(c).fill("empty") }

// Rand is torch.rand: uniform in [0, 1).
type Rand Zeros

// Build draws the tensor.
func (c Rand) Build(*registry.Env) (tensor.Tensor, error) { return Zeros(c).fill("rand") }

// Randn is torch.randn: normal with mean 0 and variance 1.
type Randn Zeros

// Build draws the tensor.
func (c Randn) Build(*registry.Env) (tensor.Tensor, error) { return Zeros(c).fill("randn") }

// Full is torch.full.
type Full struct {
	Size         Sizes  `cfg:"size,required" help:"the shape: a list of ints"`
	FillValue    Number `cfg:"fill_value,required" help:"the value of every element"`
	DType        DType  `cfg:"dtype" help:"element type; that of fill_value when null"`
	Device       Device `cfg:"device" help:"where the data lies"`
	RequiresGrad bool   `cfg:"requires_grad" help:"record operations on it for autograd"`
}

// Build makes the tensor.
func (c Full) Build(*registry.Env) (t tensor.Tensor, err error) {
	defer tensor.Recover(&err)
	t = tensor.CallOne("full", []int64(c.Size), c.FillValue.value, tensor.Kwarg{Name: "dtype", Value: c.DType.optional()},
		tensor.Kwarg{Name: "device", Value: c.Device.Device})
	return finish(t, c.Device, c.RequiresGrad), nil
}

// Eye is torch.eye: ones on the diagonal, zeros elsewhere.
type Eye struct {
	N            int    `cfg:"n,required" help:"number of rows"`
	M            *int   `cfg:"m" help:"number of columns; n when null"`
	DType        DType  `cfg:"dtype" help:"element type; float32 when null"`
	Device       Device `cfg:"device" help:"where the data lies"`
	RequiresGrad bool   `cfg:"requires_grad" help:"record operations on it for autograd"`
}

// Build makes the tensor.
func (c Eye) Build(*registry.Env) (t tensor.Tensor, err error) {
	defer tensor.Recover(&err)
	m := c.N
	if c.M != nil {
		m = *c.M
	}
	t = tensor.CallOne("eye", c.N, m, tensor.Kwarg{Name: "dtype", Value: c.DType.optional()}, tensor.Kwarg{Name: "device", Value: c.Device.Device})
	return finish(t, c.Device, c.RequiresGrad), nil
}

func init() {
	registry.Register[tensor.Tensor]("torch.zeros", Zeros{})
	registry.Register[tensor.Tensor]("torch.ones", Ones{})
	registry.Register[tensor.Tensor]("torch.empty", Empty{})
	registry.Register[tensor.Tensor]("torch.rand", Rand{})
	registry.Register[tensor.Tensor]("torch.randn", Randn{})
	registry.Register[tensor.Tensor]("torch.full", Full{})
	registry.Register[tensor.Tensor]("torch.eye", Eye{})
}
