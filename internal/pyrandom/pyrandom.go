// Package pyrandom is Python's module random: its Mersenne Twister, seeded as random.seed seeds it, and what torchvision
// draws from it.
package pyrandom

import (
	"math/bits"
	"sort"
	"sync"
)

const n, middle = 624, 397

// Generator draws as random.Random does. The zero value must be seeded before it is used.
type Generator struct {
	mu    sync.Mutex
	seed  uint64
	drawn bool
	state [n]uint32
	at    int
}

// Default is the module's own generator, which Lightning's seed_everything seeds; a run seeds it with its seed.
var Default = New(0)

// New is a seeded generator.
func New(seed uint64) *Generator {
	g := &Generator{}
	g.Seed(seed)
	return g
}

// Seed is random.seed of an int.
func (g *Generator) Seed(seed uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.begin(seed)
}

func (g *Generator) begin(seed uint64) {
	g.seed, g.drawn, g.at = seed, false, n
	key := []uint32{uint32(seed)}
	if high := uint32(seed >> 32); high != 0 {
		key = append(key, high)
	}
	s := &g.state
	s[0] = 19650218
	for i := 1; i < n; i++ {
		s[i] = 1812433253*(s[i-1]^s[i-1]>>30) + uint32(i)
	}
	i := 1
	step := func(factor uint32, add uint32) {
		s[i] = (s[i] ^ (s[i-1]^s[i-1]>>30)*factor) + add
		if i++; i == n {
			s[0] = s[n-1]
			i = 1
		}
	}
	for k := range n {
		j := k % len(key)
		step(1664525, key[j]+uint32(j))
	}
	for range n - 1 {
		step(1566083941, -uint32(i))
	}
	s[0] = 1 << 31
}

// next is 32 random bits.
func (g *Generator) next() uint32 {
	g.drawn = true
	s := &g.state
	if g.at == n {
		for k := range n {
			y := s[k]&(1<<31) | s[(k+1)%n]&(1<<31-1)
			s[k] = s[(k+middle)%n] ^ y>>1 ^ -(y&1)&0x9908b0df
		}
		g.at = 0
	}
	y := s[g.at]
	g.at++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

// Random is random.random().
func (g *Generator) Random() float64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.random()
}

func (g *Generator) random() float64 {
	a, b := g.next()>>5, g.next()>>6
	return (float64(a)*(1<<26) + float64(b)) / (1 << 53)
}

// Shuffle is where random.shuffle puts the items 0 to count-1.
func (g *Generator) Shuffle(count int) []int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	list := make([]int64, count)
	for i := range list {
		list[i] = int64(i)
	}
	for i := count - 1; i > 0; i-- {
		j := g.below(uint32(i + 1))
		list[i], list[j] = list[j], list[i]
	}
	return list
}

// below is one of the numbers from 0 to most-1.
func (g *Generator) below(most uint32) uint32 {
	shift := 32 - bits.Len32(most)
	for {
		if v := g.next() >> shift; v < most {
			return v
		}
	}
}

// Choice is the place of random.choices' one choice of count items; weights is nil where all are the same.
func (g *Generator) Choice(count int, weights []float64) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if weights == nil {
		return int(g.random() * float64(count))
	}
	sums, total := make([]float64, count), 0.0
	for i, w := range weights {
		total += w
		sums[i] = total
	}
	at := g.random() * total
	return sort.Search(count-1, func(i int) bool { return sums[i] > at })
}

// State is what [Generator.SetState] needs to go on from here; nil where nothing was drawn since it was seeded.
func (g *Generator) State() []uint32 {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.drawn {
		return nil
	}
	return append(g.state[:len(g.state):len(g.state)], uint32(g.at))
}

// SetState goes back to a state; it reports whether it is one.
func (g *Generator) SetState(state []uint32) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if state == nil {
		g.begin(g.seed)
		return true
	}
	if len(state) != n+1 || state[n] > n {
		return false
	}
	copy(g.state[:], state)
	g.at, g.drawn = int(state[n]), true
	return true
}
