package model

import (
	"fmt"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("pooling", "MaxUnpool1d", MaxUnpool[one]{Padding: all[one](0)})
	layer("pooling", "MaxUnpool2d", MaxUnpool[two]{Padding: all[two](0)})
	layer("pooling", "MaxUnpool3d", MaxUnpool[three]{Padding: all[three](0)})
}

// MaxUnpool is torch.nn.MaxUnpool1d, 2d and 3d: it puts the elements that MaxPool kept back to the indices it gave, among zeros. Its
// forward is (input, indices, output_size).
type MaxUnpool[D dims] struct {
	KernelSize Tuple[D] `cfg:"kernel_size,required,aka=kernel|ksize" help:"size of the window"`
	Stride     Tuple[D] `cfg:"stride" help:"step of the window, its size when null"`
	Padding    Tuple[D] `cfg:"padding,aka=pad" help:"elements that were added on both sides"`
}

// Validate implements the registry's Validator.
func (c MaxUnpool[D]) Validate() error {
	err := checkSizes(dimsOf[D](), sizes{"kernel_size", 1, c.KernelSize}, sizes{"padding", 0, c.Padding})
	if err == nil && c.Stride != nil {
		err = checkSizes(dimsOf[D](), sizes{"stride", 1, c.Stride})
	}
	return err
}

// Build implements the registry's Builder.
func (c MaxUnpool[D]) Build(*lighter.Env) (lighter.Module, error) {
	m := &maxUnpool[D]{c: c, stride: strideOf(c.Stride, c.KernelSize)}
	m.SetClass(target(classOf[D]("MaxUnpool")))
	return m, nil
}

type maxUnpool[D dims] struct {
	lighter.Node
	c      MaxUnpool[D]
	stride []int64
}

// Signature names the arguments of Forward.
func (*maxUnpool[D]) Signature() string { return "input, indices, output_size=" }

func (m *maxUnpool[D]) Forward(in ...lighter.Value) lighter.Value {
	a := signature(m.Signature()).take(&m.Node, in)
	x, indices := a.tensor(0), a.tensor(1)
	size := m.outputSize(x, a.ints(2))
	switch len(size) {
	case 1:
		out := tensor.CallOne("max_unpool2d", tensor.CallOne("unsqueeze", x, -1), tensor.CallOne("unsqueeze", indices, -1), append(size, 1))
		return tensor.CallOne("squeeze", out, -1)
	case 2:
		return tensor.CallOne("max_unpool2d", x, indices, size)
	}
	return tensor.CallOne("max_unpool3d", x, indices, size, m.stride, []int64(m.c.Padding))
}

// outputSize is the size of the output, wanted when that was given.
func (m *maxUnpool[D]) outputSize(x tensor.Tensor, wanted []int64) []int64 {
	n := dimsOf[D]()
	if x.Dim() < n {
		tensor.Fail(m.Class(), "expected an input of at least %d dimensions, got %s", n, lighter.SizeText(x))
	}
	spatial := x.Shape()[x.Dim()-n:]
	size := make([]int64, n)
	for i, d := range spatial {
		size[i] = (d-1)*m.stride[i] + m.c.KernelSize[i] - 2*m.c.Padding[i]
	}
	if wanted == nil {
		return size
	}
	if len(wanted) == n+2 {
		wanted = wanted[2:]
	}
	if len(wanted) != n {
		tensor.Fail(m.Class(), "output_size should be a sequence containing %d or %d elements, but it has a length of '%d'", n, n+2, len(wanted))
	}
	for i, w := range wanted {
		if least, most := size[i]-m.stride[i], size[i]+m.stride[i]; w <= least || w >= most {
			tensor.Fail(m.Class(), "invalid output_size %q (dim %d must be between %d and %d)", fmt.Sprint(wanted), i, least, most)
		}
	}
	return wanted
}
