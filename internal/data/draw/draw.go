// Package draw is where the transforms of samples draw: PyTorch's default generator and Python's, or numbers that belong to one sample.
package draw

import (
	"math"
	"math/rand/v2"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/pyrandom"
	"github.com/lighter-go/lighter/tensor"
)

// PythonRand is a [lighter.Rand] beside which there is Python's module random, from which a few of torchvision's transforms
// draw: a choice among n by weights, all the same when nil, and an order of n.
type PythonRand interface {
	lighter.Rand
	PythonChoice(n int, weights []float64) int
	PythonShuffle(n int) []int64
}

// Default draws from the default generator, as the Python functions do: a seed gives the same numbers.
type Default struct{ lighter.DefaultRand }

// PythonChoice implements [PythonRand].
func (Default) PythonChoice(n int, weights []float64) int { return pyrandom.Default.Choice(n, weights) }

// PythonShuffle implements [PythonRand].
func (Default) PythonShuffle(n int) []int64 { return pyrandom.Default.Shuffle(n) }

// stream draws numbers that a seed and a place give, whoever draws elsewhere.
type stream struct{ *rand.Rand }

// Stream is the numbers of one sample: seed is the epoch's, place the sample's in it.
func Stream(seed, place uint64) lighter.Rand { return stream{rand.New(rand.NewPCG(seed, place))} }

func (s stream) Uniform(low, high float64) float64 {
	return float64(s.Float32()*float32(high-low) + float32(low))
}

func (s stream) Int(low, high int64) int64 { return low + s.Int64N(max(high-low, 1)) }

func (s stream) Perm(n int) []int64 {
	p := make([]int64, n)
	for i, v := range s.Rand.Perm(n) {
		p[i] = int64(v)
	}
	return p
}

func (s stream) Choice(weights []float64) int {
	total := 0.0
	for _, w := range weights {
		total += w
	}
	at, last := s.Float64()*total, 0
	for i, w := range weights {
		if w > 0 {
			last = i
			if at < w {
				return i
			}
			at -= w
		}
	}
	return last
}

func (s stream) Dirichlet(alpha []float64) []float64 {
	out, sum := make([]float64, len(alpha)), 0.0
	for i, a := range alpha {
		out[i] = s.gamma(a)
		sum += out[i]
	}
	for i := range out {
		if sum == 0 { // every one too small for a float
			out[i] = 1 / float64(len(out))
			continue
		}
		out[i] /= sum
	}
	return out
}

// gamma draws from the gamma distribution of shape a (Marsaglia and Tsang, ACM TOMS 26(3), 2000).
func (s stream) gamma(a float64) float64 {
	boost := 1.0
	if a < 1 {
		boost = math.Pow(1-s.Float64(), 1/a)
		a++
	}
	d := a - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := s.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-s.Float64()) < 0.5*x*x+d-d*v+d*math.Log(v) {
			return d * v * boost
		}
	}
}

func (s stream) UniformTensor(shape ...int64) tensor.Tensor {
	return s.filled(shape, s.Float32)
}

func (s stream) NormalTensor(shape ...int64) tensor.Tensor {
	return s.filled(shape, func() float32 { return float32(s.NormFloat64()) })
}

func (s stream) filled(shape []int64, next func() float32) tensor.Tensor {
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	v := make([]float32, n)
	for i := range v {
		v[i] = next()
	}
	return tensor.FromSlice(v, shape...)
}

var (
	_ PythonRand   = Default{}
	_ lighter.Rand = stream{}
)

// Elsewhere is a [lighter.Rand] that must know of what may draw without it.
type Elsewhere interface{ DrawsElsewhere() }

// Unknown says that what follows, a function of the configuration, may draw from the default generator by itself.
func Unknown(r lighter.Rand) {
	if e, ok := r.(Elsewhere); ok {
		e.DrawsElsewhere()
	}
}
