package model

import (
	"fmt"
	"sync"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
)

func init() {
	layer("instancenorm", "InstanceNorm1d", InstanceNorm[one]{Statistics: statistics(false)})
	layer("instancenorm", "InstanceNorm2d", InstanceNorm[two]{Statistics: statistics(false)})
	layer("instancenorm", "InstanceNorm3d", InstanceNorm[three]{Statistics: statistics(false)})
}

// InstanceNorm is torch.nn.InstanceNorm1d, 2d and 3d: it normalises each channel of each sample. An input may lack the batch dimension.
type InstanceNorm[D dims] struct {
	Statistics
	Factory
}

// Build implements the registry's Builder.
func (c InstanceNorm[D]) Build(env *lighter.Env) (_ lighter.Module, err error) {
	defer tensor.Recover(&err)
	m := &instanceNorm{n: dimsOf[D](), log: env.Log}
	m.SetClass(target(classOf[D]("InstanceNorm")))
	m.make(c.Statistics, c.Factory)
	return m, nil
}

type instanceNorm struct {
	normalizer
	n    int
	log  zerolog.Logger
	once sync.Once
}

func (m *instanceNorm) Forward(in ...lighter.Value) lighter.Value {
	x := only(&m.Node, in)
	d := x.Dim()
	if d != m.n+1 && d != m.n+2 {
		tensor.Fail(m.Class(), "expected %dD or %dD input (got %dD input)", m.n+1, m.n+2, d)
	}
	channel := d - m.n - 1
	if got := x.Size(channel); got != m.c.NumFeatures {
		text := fmt.Sprintf("expected input's size at dim=%d to match num_features (%d), but got: %d.", channel, m.c.NumFeatures, got)
		if m.c.Affine {
			tensor.Fail(m.Class(), "%s", text)
		}
		m.once.Do(func() { m.log.Warn().Msgf("%s: %s It is not used because affine is false", m.Class(), text) })
	}
	if channel == 0 {
		x = tensor.CallOne("unsqueeze", x, 0)
	}
	own := m.Training() || !m.c.TrackRunningStats
	spatial := int64(1)
	for _, s := range x.Shape()[2:] {
		spatial *= s
	}
	if own && spatial == 1 {
		tensor.Fail(m.Class(), "Expected more than 1 spatial element when training, got input size %s", lighter.SizeText(x))
	}
	x = tensor.CallOne("instance_norm", x, m.weight, m.bias, m.mean, m.variance, own, m.momentum(), m.c.Eps, true)
	if channel == 0 {
		x = tensor.CallOne("squeeze", x, 0)
	}
	return x
}
