package model

import (
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	momentum := 0.1
	for _, c := range []struct {
		class, expected string
		dims            []int
	}{{"BatchNorm1d", "2D or 3D", []int{2, 3}}, {"BatchNorm2d", "4D", []int{4}}, {"BatchNorm3d", "5D", []int{5}}} {
		layer("batchnorm", c.class, BatchNorm{
			Eps: 1e-5, Momentum: &momentum, Affine: true, TrackRunningStats: true, class: c.class, dims: c.dims, expected: c.expected,
		})
	}
}

// BatchNorm is torch.nn.BatchNorm1d, 2d and 3d: it normalises over all dimensions but the second.
type BatchNorm struct {
	NumFeatures       int64    `cfg:"num_features,required,aka=channels|num_channels|in_features" help:"channels of the input"`
	Eps               float64  `cfg:"eps,aka=epsilon" help:"added to the variance"`
	Momentum          *float64 `cfg:"momentum,aka=mom" help:"weight of a batch in the running statistics; null for a plain average"`
	Affine            bool     `cfg:"affine" help:"learn a weight and a bias"`
	TrackRunningStats bool     `cfg:"track_running_stats" help:"keep running statistics, for evaluation"`
	Device            any      `cfg:"device,ignored" help:"the trainer places the module"`
	DType             DType    `cfg:"dtype" help:"type of the parameters, $torch.float32 when null"`

	class    string
	dims     []int // numbers of dimensions an input may have
	expected string
}

// Validate implements the registry's Validator.
func (c BatchNorm) Validate() error { return notNegative("num_features", c.NumFeatures) }

// Build implements the registry's Builder.
func (c BatchNorm) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	m := &batchNorm{c: c}
	m.SetClass(target(c.class))
	shape := []int64{c.NumFeatures}
	if c.Affine {
		m.weight = m.Param("weight", tensor.Ones(shape, c.DType.get(), tensor.Device{}))
		m.bias = m.Param("bias", tensor.Zeros(shape, c.DType.get(), tensor.Device{}))
	}
	if c.TrackRunningStats {
		m.mean = m.Buffer("running_mean", tensor.Zeros(shape, c.DType.get(), tensor.Device{}))
		m.variance = m.Buffer("running_var", tensor.Ones(shape, c.DType.get(), tensor.Device{}))
		m.batches = m.Buffer("num_batches_tracked", tensor.Zeros(nil, tensor.Int64, tensor.Device{}))
		m.one = tensor.Ones(nil, tensor.Int64, tensor.Device{})
	}
	return m, nil
}

type batchNorm struct {
	lighter.Node
	c                       BatchNorm
	weight, bias            tensor.Tensor
	mean, variance, batches tensor.Tensor
	one                     tensor.Tensor // stays on the CPU: a scalar adds to any device's tensor
}

func (m *batchNorm) Forward(in ...lighter.Value) lighter.Value {
	x := only(&m.Node, in)
	if d := x.Dim(); !slices.Contains(m.c.dims, d) {
		tensor.Fail(m.Class(), "expected %s input (got %dD input)", m.c.expected, d)
	}
	training, momentum := m.Training(), 0.0
	if m.c.Momentum != nil {
		momentum = *m.c.Momentum
	}
	if training && m.c.TrackRunningStats {
		m.batches.AddInPlace(m.one, 1)
		if m.c.Momentum == nil {
			momentum = 1 / float64(m.batches.Int()) // the host waits, as PyTorch's does
		}
	}
	batchStatistics := training || !m.c.TrackRunningStats
	if batchStatistics && x.Numel() == m.c.NumFeatures && x.Size(1) == m.c.NumFeatures {
		tensor.Fail(m.Class(), "Expected more than 1 value per channel when training, got input size %s", lighter.SizeText(x))
	}
	return tensor.BatchNorm(x, m.weight, m.bias, m.mean, m.variance, batchStatistics, momentum, m.c.Eps)
}

// ResetStatistics implements lighter.RunningStatistics.
func (m *batchNorm) ResetStatistics() {
	if m.c.TrackRunningStats {
		m.mean.Fill(0)
		m.variance.Fill(1)
		m.batches.Fill(0)
	}
}

// Momentum implements lighter.RunningStatistics.
func (m *batchNorm) Momentum() *float64 { return m.c.Momentum }

// SetMomentum implements lighter.RunningStatistics.
func (m *batchNorm) SetMomentum(v *float64) { m.c.Momentum = v }

var _ lighter.RunningStatistics = (*batchNorm)(nil)
