package tensor

// #cgo noescape lt_scalar
// #cgo noescape lt_add_scaled
// #include "lighter.h"
import "C"

import (
	"unsafe"

	"github.com/sugarme/gotch/libtch"
)

// The operations a training step uses often, over libtch's raw calls. Names, arguments and defaults are those of the
// torch function of the same name; everything else is reached with [Call].

// Reduction is how a loss is reduced, numbered as ATen's.
type Reduction int64

// The reductions of PyTorch's losses.
const (
	ReduceNone Reduction = iota
	ReduceMean
	ReduceSum
)

// MemoryFormat is numbered as libtorch's.
type MemoryFormat int

// The memory formats of [Tensor.ToMemoryFormat].
const (
	ContiguousFormat MemoryFormat = 0
	PreserveFormat   MemoryFormat = 1
	ChannelsLast     MemoryFormat = 2
)

// sizes is the pointer and length form libtch wants; it takes the address of the first element, even of none.
func sizes(s []int64) ([]int64, int) {
	if len(s) == 0 {
		return []int64{0}, 0
	}
	return s, len(s)
}

func (t Tensor) unary(op string, atg func(out *libtch.Ctensor, self libtch.Ctensor)) Tensor {
	var out libtch.Ctensor
	atg(&out, t.c())
	return own(op, out)
}

func (t Tensor) binary(op string, atg func(out *libtch.Ctensor, self, other libtch.Ctensor), o Tensor) Tensor {
	var out libtch.Ctensor
	atg(&out, t.c(), o.c())
	return own(op, out)
}

func filled(op string, atg func(*libtch.Ctensor, []int64, int, int32, int32), shape []int64, dtype DType, d Device) Tensor {
	var out libtch.Ctensor
	s, n := sizes(shape)
	atg(&out, s, n, int32(dtype), d.libtch())
	return own(op, out)
}

// Empty is a tensor whose elements are not set.
func Empty(shape []int64, dtype DType, d Device) Tensor {
	return filled("empty", libtch.AtgEmpty, shape, dtype, d)
}

// Zeros is a tensor of zeros.
func Zeros(shape []int64, dtype DType, d Device) Tensor {
	return filled("zeros", libtch.AtgZeros, shape, dtype, d)
}

// Ones is a tensor of ones.
func Ones(shape []int64, dtype DType, d Device) Tensor {
	return filled("ones", libtch.AtgOnes, shape, dtype, d)
}

// ZerosLike has t's shape, type, device and memory format.
func (t Tensor) ZerosLike() Tensor { return t.unary("zeros_like", libtch.AtgZerosLike) }

// Linear is x·weightᵀ + bias: x [..., in], weight [out, in], bias [out] or undefined.
func Linear(x, weight, bias Tensor) Tensor {
	var out libtch.Ctensor
	libtch.AtgLinear(&out, x.c(), weight.c(), bias.c())
	return own("linear", out)
}

// Relu is max(x, 0).
func (t Tensor) Relu() Tensor { return t.unary("relu", libtch.AtgRelu) }

// PRelu is x where positive, else weight·x.
func (t Tensor) PRelu(weight Tensor) Tensor { return t.binary("prelu", libtch.AtgPrelu, weight) }

// Conv2d convolves x [N, C, H, W] with weight [O, C/groups, kH, kW].
func Conv2d(x, weight, bias Tensor, stride, padding, dilation []int64, groups int64) Tensor {
	var out libtch.Ctensor
	libtch.AtgConv2d(&out, x.c(), weight.c(), bias.c(), stride, len(stride), padding, len(padding), dilation, len(dilation), groups)
	return own("conv2d", out)
}

// BatchNorm normalises over all dimensions but the second; with training set it uses, and updates the running
// statistics with, those of the batch.
func BatchNorm(x, weight, bias, runningMean, runningVar Tensor, training bool, momentum, eps float64) Tensor {
	var out libtch.Ctensor
	libtch.AtgBatchNorm(&out, x.c(), weight.c(), bias.c(), runningMean.c(), runningVar.c(), int32(boolC(training)), momentum, eps, 1)
	return own("batch_norm", out)
}

// MaxPool2d takes the largest element of each window.
func (t Tensor) MaxPool2d(kernel, stride, padding, dilation []int64, ceilMode bool) Tensor {
	var out libtch.Ctensor
	libtch.AtgMaxPool2d(&out, t.c(), kernel, len(kernel), stride, len(stride), padding, len(padding), dilation, len(dilation), int32(boolC(ceilMode)))
	return own("max_pool2d", out)
}

// CrossEntropy is torch.nn.functional.cross_entropy; weight may be undefined.
func CrossEntropy(input, target, weight Tensor, reduction Reduction, ignoreIndex int64, labelSmoothing float64) Tensor {
	var out libtch.Ctensor
	libtch.AtgCrossEntropyLoss(&out, input.c(), target.c(), weight.c(), int64(reduction), ignoreIndex, labelSmoothing)
	return own("cross_entropy_loss", out)
}

// MSELoss is torch.nn.functional.mse_loss.
func MSELoss(input, target Tensor, reduction Reduction) Tensor {
	var out libtch.Ctensor
	libtch.AtgMseLoss(&out, input.c(), target.c(), int64(reduction))
	return own("mse_loss", out)
}

// Argmax is the index of the largest element along dim.
func (t Tensor) Argmax(dim int64) Tensor {
	var out libtch.Ctensor
	libtch.AtgArgmax(&out, t.c(), dim, 0, 0)
	return own("argmax", out)
}

// Eq compares element by element.
func (t Tensor) Eq(o Tensor) Tensor { return t.binary("eq", libtch.AtgEqTensor, o) }

// Sum adds all elements, as dtype.
func (t Tensor) Sum(dtype DType) Tensor {
	var out libtch.Ctensor
	libtch.AtgSum(&out, t.c(), int32(dtype))
	return own("sum", out)
}

// CountNonzero is the number of elements that are not 0, an int64 scalar.
func (t Tensor) CountNonzero() Tensor {
	var out libtch.Ctensor
	libtch.AtgCountNonzero(&out, t.c(), 0, 1)
	return own("count_nonzero", out)
}

// Mean is the mean of all elements of a floating-point tensor.
func (t Tensor) Mean() Tensor {
	var out libtch.Ctensor
	libtch.AtgMean(&out, t.c(), int32(t.DType()))
	return own("mean", out)
}

// IndexSelect gathers the slices of dimension dim that index [n] names.
func (t Tensor) IndexSelect(dim int64, index Tensor) Tensor {
	var out libtch.Ctensor
	libtch.AtgIndexSelect(&out, t.c(), dim, index.c())
	return own("index_select", out)
}

// Narrow is a view of length elements of dimension dim from start on.
func (t Tensor) Narrow(dim, start, length int64) Tensor {
	var out libtch.Ctensor
	libtch.AtgNarrow(&out, t.c(), dim, start, length)
	return own("narrow", out)
}

// Select is the slice at index of dimension dim, without that dimension.
func (t Tensor) Select(dim, index int64) Tensor {
	var out libtch.Ctensor
	libtch.AtgSelect(&out, t.c(), dim, index)
	return own("select", out)
}

// Reshape changes the shape; one size may be -1.
func (t Tensor) Reshape(shape ...int64) Tensor {
	var out libtch.Ctensor
	s, n := sizes(shape)
	libtch.AtgReshape(&out, t.c(), s, n)
	return own("reshape", out)
}

// Flatten merges the dimensions from start to end.
func (t Tensor) Flatten(start, end int64) Tensor {
	var out libtch.Ctensor
	libtch.AtgFlatten(&out, t.c(), start, end)
	return own("flatten", out)
}

// Detach is t without its history.
func (t Tensor) Detach() Tensor { return t.unary("detach", libtch.AtgDetach) }

// Contiguous lays the elements out in C order; t itself when they are so already.
func (t Tensor) Contiguous() Tensor { return t.unary("contiguous", libtch.AtgContiguous) }

// Clone copies the elements.
func (t Tensor) Clone() Tensor { return CallOne("clone", t) }

// ToMemoryFormat lays out a tensor as format; t itself when it is so already.
func (t Tensor) ToMemoryFormat(format MemoryFormat) Tensor {
	return CallOne("contiguous", t, Kwarg{"memory_format", format})
}

// Add is t + o.
func (t Tensor) Add(o Tensor) Tensor { return t.binary("add", libtch.AtgAdd, o) }

// Sub is t - o.
func (t Tensor) Sub(o Tensor) Tensor { return t.binary("sub", libtch.AtgSub, o) }

// Mul is t · o, element by element.
func (t Tensor) Mul(o Tensor) Tensor { return t.binary("mul", libtch.AtgMul, o) }

// Div is t / o, element by element.
func (t Tensor) Div(o Tensor) Tensor { return t.binary("div", libtch.AtgDiv, o) }

// Matmul is torch.matmul.
func (t Tensor) Matmul(o Tensor) Tensor { return t.binary("matmul", libtch.AtgMatmul, o) }

func (t Tensor) scalar(name string, op C.int, v float64) Tensor {
	var out C.lt_tensor
	check(name, C.lt_scalar(C.lt_tensor(t.p), op, C.double(v), &out))
	return adoptNew(name, unsafe.Pointer(out))
}

func (t Tensor) scalarInPlace(name string, op C.int, v float64) {
	var out C.lt_tensor
	check(name, C.lt_scalar(C.lt_tensor(t.p), op, C.double(v), &out))
}

// AddScalar is t + v.
func (t Tensor) AddScalar(v float64) Tensor { return t.scalar("add", '+', v) }

// MulScalar is t · v.
func (t Tensor) MulScalar(v float64) Tensor { return t.scalar("mul", '*', v) }

// DivScalar is t / v.
func (t Tensor) DivScalar(v float64) Tensor { return t.scalar("div", '/', v) }

// Fill sets every element to v, in place.
func (t Tensor) Fill(v float64) { t.scalarInPlace("fill_", 'f', v) }

// AddInPlace adds alpha · o to t, in place.
func (t Tensor) AddInPlace(o Tensor, alpha float64) {
	check("add_", C.lt_add_scaled(C.lt_tensor(t.p), C.lt_tensor(o.p), C.double(alpha)))
}

// AddWeighted adds weight · value to a scalar sum, in place and unseen by autograd, without waiting for the device.
func (t Tensor) AddWeighted(value Tensor, weight float64) {
	check("add_", C.lt_add_weighted(C.lt_tensor(t.p), C.lt_tensor(value.p), C.double(weight)))
}

// CopyInPlace copies o's elements into t, converting type and device.
func (t Tensor) CopyInPlace(o Tensor) {
	libtch.AtCopy_(t.c(), o.c())
	checkTorch("copy_")
}

// Softmax over dim.
func (t Tensor) Softmax(dim int64) Tensor {
	return CallOne("softmax", t, dim)
}

// Stack joins tensors of one shape along a new dimension dim.
func Stack(ts []Tensor, dim int64) Tensor { return CallOne("stack", ts, dim) }

// Cat joins tensors along the dimension dim.
func Cat(ts []Tensor, dim int64) Tensor { return CallOne("cat", ts, dim) }
