package model

import (
	"slices"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	for _, c := range []struct {
		class, expected string
		dims            []int
	}{{"BatchNorm1d", "2D or 3D", []int{2, 3}}, {"BatchNorm2d", "4D", []int{4}}, {"BatchNorm3d", "5D", []int{5}}} {
		layer("batchnorm", c.class, BatchNorm{Statistics: statistics(true), class: c.class, dims: c.dims, expected: c.expected})
	}
	layer("batchnorm", "SyncBatchNorm", SyncBatchNorm{Statistics: statistics(true)})
}

// Statistics are the arguments of layers that normalise by channel.
type Statistics struct {
	NumFeatures       int64    `cfg:"num_features,required,aka=channels|num_channels|in_features" help:"channels of the input"`
	Eps               float64  `cfg:"eps,aka=epsilon" help:"added to the variance"`
	Momentum          *float64 `cfg:"momentum,aka=mom" help:"weight of a batch in the running statistics; null for a plain average"`
	Affine            bool     `cfg:"affine" help:"learn a weight and a bias"`
	TrackRunningStats bool     `cfg:"track_running_stats" help:"keep running statistics, for evaluation"`
}

// statistics are the defaults: batch normalisation learns and keeps statistics, instance normalisation does neither.
func statistics(on bool) Statistics {
	momentum := 0.1
	return Statistics{Eps: 1e-5, Momentum: &momentum, Affine: on, TrackRunningStats: on}
}

// Validate implements the registry's Validator.
func (c Statistics) Validate() error { return notNegative("num_features", c.NumFeatures) }

// BatchNorm is torch.nn.BatchNorm1d, 2d and 3d: it normalises over all dimensions but the second.
type BatchNorm struct {
	Statistics
	Factory

	class    string
	dims     []int // numbers of dimensions an input may have; nil for 2 and more
	expected string
}

// Build implements the registry's Builder.
func (c BatchNorm) Build(*lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	m := &batchNorm{dims: c.dims, expected: c.expected}
	m.SetClass(target(c.class))
	m.make(c.Statistics, c.Factory)
	return m, nil
}

// SyncBatchNorm is torch.nn.SyncBatchNorm: the statistics of all processes together. In one process it is BatchNorm for inputs of any
// number of dimensions from 2 on.
type SyncBatchNorm struct {
	Statistics
	ProcessGroup any `cfg:"process_group,ignored" help:"there is one process"`
	Factory
}

// Build implements the registry's Builder.
func (c SyncBatchNorm) Build(env *lighter.Env) (lighter.Module, error) {
	return BatchNorm{Statistics: c.Statistics, Factory: c.Factory, class: "SyncBatchNorm", expected: "at least 2D"}.Build(env)
}

// normalizer holds what layers that normalise by channel share.
type normalizer struct {
	weighted
	c                       Statistics
	weight, bias            tensor.Tensor
	mean, variance, batches tensor.Tensor
	one                     tensor.Tensor // stays on the CPU: a scalar adds to any device's tensor
}

func (m *normalizer) make(c Statistics, f Factory) {
	m.c = c
	if c.Affine {
		m.parameter("weight", &m.weight, f.ones(c.NumFeatures))
		m.parameter("bias", &m.bias, f.zeros(c.NumFeatures))
	}
	if c.TrackRunningStats {
		m.mean = m.Buffer("running_mean", f.zeros(c.NumFeatures))
		m.variance = m.Buffer("running_var", f.ones(c.NumFeatures))
		m.batches = m.Buffer("num_batches_tracked", tensor.Zeros(nil, tensor.Int64, tensor.Device{}))
		m.one = tensor.Ones(nil, tensor.Int64, tensor.Device{})
	}
}

// momentum is 0 when it is null.
func (m *normalizer) momentum() float64 {
	if m.c.Momentum == nil {
		return 0
	}
	return *m.c.Momentum
}

type batchNorm struct {
	normalizer
	dims     []int
	expected string
}

func (m *batchNorm) Forward(in ...lighter.Value) lighter.Value {
	x := only(&m.Node, in)
	if d := x.Dim(); m.dims == nil && d < 2 || m.dims != nil && !slices.Contains(m.dims, d) {
		tensor.Fail(m.Class(), "expected %s input (got %dD input)", m.expected, d)
	}
	m.checkChannels(x)
	training, momentum := m.Training(), m.momentum()
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

func (m *batchNorm) checkChannels(x tensor.Tensor) {
	if x.Size(1) == m.c.NumFeatures {
		return
	}
	for _, t := range []struct {
		name  string
		value tensor.Tensor
	}{{"running_mean", m.mean}, {"weight", m.weight}} {
		if t.value.Defined() {
			tensor.Fail(m.Class(), "%s should contain %d elements not %d (input of shape %s)", t.name, x.Size(1), m.c.NumFeatures, list(x.Shape()))
		}
	}
}
