package creation

import (
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// Arange is torch.arange: start, start + step, ... up to but without end. Of ints it is int64, else float32.
type Arange struct {
	Args         []Number `cfg:"_args_,args" help:"end; start and end; or start, end and step"`
	Start        Number   `cfg:"start" help:"the first value"`
	End          Number   `cfg:"end" help:"the values stop before it"`
	Step         Number   `cfg:"step" help:"the gap between values"`
	DType        DType    `cfg:"dtype" help:"element type; int64 of ints, else float32, when null"`
	Device       Device   `cfg:"device" help:"where the data lies"`
	RequiresGrad bool     `cfg:"requires_grad" help:"record operations on it for autograd"`
}

// bounds joins positional and keyword arguments; what was not given is nil.
func (c Arange) bounds() (start, end, step any, err error) {
	places := []*Number{&c.Start, &c.End, &c.Step}
	if len(c.Args) == 1 && c.End.value == nil {
		places = places[1:2]
	}
	if len(c.Args) > len(places) {
		return nil, nil, nil, registry.FieldError("_args_", "takes at most start, end and step, got %d numbers", len(c.Args))
	}
	for i, a := range c.Args {
		if places[i].value != nil {
			return nil, nil, nil, registry.FieldError("_args_", "got multiple values for one of start, end and step")
		}
		*places[i] = a
	}
	return c.Start.value, c.End.value, c.Step.value, nil
}

// Validate checks that there is an end, and a step that leads to it.
func (c Arange) Validate() error {
	start, end, step, err := c.bounds()
	switch {
	case err != nil:
		return err
	case end == nil:
		return registry.FieldError("end", "missing: arange needs at least the end")
	case step != nil && toFloat(step) == 0:
		return registry.FieldError("step", "step must be nonzero")
	}
	up := step == nil || toFloat(step) > 0
	from, to := 0.0, toFloat(end)
	if start != nil {
		from = toFloat(start)
	}
	if up && from > to || !up && from < to {
		return registry.FieldError("end", "upper bound and lower bound inconsistent with step sign: from %v to %v", from, to)
	}
	return nil
}

// Build makes the tensor, of shape [ceil((end - start) / step)].
func (c Arange) Build(*registry.Env) (t tensor.Tensor, err error) {
	defer tensor.Recover(&err)
	start, end, step, err := c.bounds()
	if err != nil {
		return tensor.Tensor{}, err
	}
	if start == nil {
		start = int64(0)
	}
	if step == nil {
		step = int64(1)
	}
	t = tensor.CallOne("arange", start, end, step, tensor.Kwarg{Name: "dtype", Value: c.DType.optional()},
		tensor.Kwarg{Name: "device", Value: c.Device.Device})
	return finish(t, c.Device, c.RequiresGrad), nil
}

// Linspace is torch.linspace: steps values from start to end, both included, in even steps.
type Linspace struct {
	Start        Number `cfg:"start,required" help:"the first value"`
	End          Number `cfg:"end,required" help:"the last value"`
	Steps        int    `cfg:"steps,required" help:"number of values"`
	DType        DType  `cfg:"dtype" help:"element type; float32 when null"`
	Device       Device `cfg:"device" help:"where the data lies"`
	RequiresGrad bool   `cfg:"requires_grad" help:"record operations on it for autograd"`
}

// Validate checks the number of values.
func (c Linspace) Validate() error {
	if c.Steps < 0 {
		return registry.FieldError("steps", "number of steps must be non-negative, got %d", c.Steps)
	}
	return nil
}

// Build makes the tensor, of shape [steps].
func (c Linspace) Build(*registry.Env) (t tensor.Tensor, err error) {
	defer tensor.Recover(&err)
	t = tensor.CallOne("linspace", c.Start.value, c.End.value, c.Steps, tensor.Kwarg{Name: "dtype", Value: c.DType.optional()},
		tensor.Kwarg{Name: "device", Value: c.Device.Device})
	return finish(t, c.Device, c.RequiresGrad), nil
}

// Randint is torch.randint: integers from low to high - 1, all equally likely.
type Randint struct {
	Args   []any  `cfg:"_args_,args" help:"high and size; or low, high and size"`
	Low    int    `cfg:"low" help:"the smallest value"`
	High   *int   `cfg:"high" help:"one above the largest value"`
	Size   Sizes  `cfg:"size" help:"the shape: a list of ints"`
	DType  DType  `cfg:"dtype" help:"element type; int64 when null"`
	Device Device `cfg:"device" help:"where the data lies"`
}

// settle joins positional and keyword arguments.
func (c Randint) settle() (Randint, error) {
	rest := c.Args
	if n := len(rest); n > 0 {
		if list, ok := rest[n-1].([]any); ok {
			if err := c.Size.DecodeConfig(list); err != nil {
				return c, registry.FieldError("size", "%v", err)
			}
			rest = rest[:n-1]
		}
	}
	if len(rest) > 2 {
		return c, registry.FieldError("_args_", "at most low, high and a list as the size")
	}
	for i, a := range rest {
		n, ok := a.(int64)
		if !ok {
			return c, registry.FieldError("_args_", "low and high must be ints, got %v", a)
		}
		v := int(n)
		if i == len(rest)-1 && (len(rest) == 2 || c.High == nil) {
			c.High = &v
		} else {
			c.Low = v
		}
	}
	return c, nil
}

// Validate checks the range and that there is a size.
func (c Randint) Validate() error {
	c, err := c.settle()
	switch {
	case err != nil:
		return err
	case c.High == nil:
		return registry.FieldError("high", "missing: randint needs high and size")
	case c.Size == nil:
		return registry.FieldError("size", "missing: randint needs high and size")
	case c.Low >= *c.High:
		return registry.FieldError("high", "random_ expects 'from' to be less than 'to', but got from=%d >= to=%d", c.Low, *c.High)
	}
	return nil
}

// Build draws the tensor.
func (c Randint) Build(*registry.Env) (t tensor.Tensor, err error) {
	defer tensor.Recover(&err)
	if c, err = c.settle(); err != nil {
		return tensor.Tensor{}, err
	}
	return tensor.CallOne("randint", c.Low, *c.High, []int64(c.Size), tensor.Kwarg{Name: "dtype", Value: c.DType.Or(tensor.Int64)},
		tensor.Kwarg{Name: "device", Value: c.Device.Device}), nil
}

// Randperm is torch.randperm: the numbers from 0 to n - 1 in random order.
type Randperm struct {
	N      int    `cfg:"n,required" help:"one above the largest number"`
	DType  DType  `cfg:"dtype" help:"element type; int64 when null"`
	Device Device `cfg:"device" help:"where the data lies"`
}

// Build draws the tensor, of shape [n].
func (c Randperm) Build(*registry.Env) (t tensor.Tensor, err error) {
	defer tensor.Recover(&err)
	return tensor.CallOne("randperm", c.N, tensor.Kwarg{Name: "dtype", Value: c.DType.Or(tensor.Int64)},
		tensor.Kwarg{Name: "device", Value: c.Device.Device}), nil
}

func init() {
	registry.Register[tensor.Tensor]("torch.randperm", Randperm{})
	registry.Register[tensor.Tensor]("torch.arange", Arange{})
	registry.Register[tensor.Tensor]("torch.linspace", Linspace{})
	registry.Register[tensor.Tensor]("torch.randint", Randint{})
}
