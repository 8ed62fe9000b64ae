package data

import (
	"errors"
	"sync/atomic"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data/draw"
	"github.com/lighter-go/lighter/tensor"
)

// numbers is what the samples of an epoch draw from.
type numbers struct {
	kind  numbersKind
	base  int64 // the base seed
	epoch int64
}

type numbersKind int

const (
	ofGenerator numbersKind = iota // the default generator's, in the order of the samples
	ofSample                       // each sample's own, so that it does not matter which thread makes it when
	forbidden                      // none: whoever draws panics with errDraws
)

// errDraws is why a sample cannot be made ahead of its turn.
var errDraws = errors.New("the sample draws random numbers")

// Places in an epoch of what draws and is no sample.
const streamPlace = int64(-1) << 62

// at is what the sample at a place of the epoch draws from. drew, which may be nil, is set when it does.
func (n numbers) at(place int, drew *atomic.Bool) lighter.Rand {
	if n.kind == ofGenerator {
		return draw.Default{}
	}
	return &ownNumbers{numbers: n, place: int64(place), drew: drew}
}

// ownNumbers are a sample's own, begun when it draws first.
type ownNumbers struct {
	numbers
	place int64
	drew  *atomic.Bool
	rand  lighter.Rand
}

func (o *ownNumbers) draw() lighter.Rand {
	if o.kind == forbidden {
		panic(errDraws)
	}
	if o.rand == nil {
		o.rand = draw.Stream(uint64(o.base)+uint64(o.epoch)*0x9e3779b97f4a7c15, uint64(o.place))
		if o.drew != nil {
			o.drew.Store(true)
		}
	}
	return o.rand
}

// DrawsElsewhere implements [draw.Elsewhere].
func (o *ownNumbers) DrawsElsewhere() {
	if o.kind == forbidden {
		panic(errDraws)
	}
}

func (o *ownNumbers) Uniform(low, high float64) float64 { return o.draw().Uniform(low, high) }

func (o *ownNumbers) Int(low, high int64) int64 { return o.draw().Int(low, high) }

func (o *ownNumbers) Perm(n int) []int64 { return o.draw().Perm(n) }

func (o *ownNumbers) Choice(weights []float64) int { return o.draw().Choice(weights) }

func (o *ownNumbers) Dirichlet(alpha []float64) []float64 { return o.draw().Dirichlet(alpha) }

func (o *ownNumbers) UniformTensor(shape ...int64) tensor.Tensor {
	return o.draw().UniformTensor(shape...)
}

func (o *ownNumbers) NormalTensor(shape ...int64) tensor.Tensor {
	return o.draw().NormalTensor(shape...)
}

var (
	_ lighter.Rand   = (*ownNumbers)(nil)
	_ draw.Elsewhere = (*ownNumbers)(nil)
)
